"""Playing a move on the nine words that search copies: boards, castling, en passant, clocks and key."""

from sakiyomi.boards.bits import ONE, ZERO, U, flipped, lsb, without_lsb
from sakiyomi.boards.chess.movegen import en_passant_pawns
from sakiyomi.boards.chess.state import (
    CASTLE,
    CASTLING,
    CLOCK_BITS,
    CLOCK_STEP,
    DIAGONALS,
    DOUBLE,
    EN_PASSANT,
    EP_BITS,
    KEY,
    KINGS,
    KNIGHTS,
    META,
    ORTHOGONALS,
    OWN,
    PAWNS,
    PLY_STEP,
    TO_KNIGHT,
    TO_ROOK,
    TURN_BIT,
    TURN_SHIFT,
)
from sakiyomi.boards.chess.tables import NOT_A, NOT_H, RANK_1
from sakiyomi.boards.chess.zobrist import BLACK_KEY, CASTLING_KEYS, EP_KEYS, ZOBRIST
from sakiyomi.boards.kernel import kernel

_SIXTY_THREE, _SIX, _TWELVE = U(63), U(6), U(12)
_FLIP, _EIGHT = U(56), U(8)
_C1, _D1, _F1, _G1 = U(2), U(3), U(5), U(6)


@kernel
def piece_keys(square, turn):
    """The index of the keys of a piece of the player to move, `turn`, on `square` of his view; the enemy's is ^ 8."""
    return ((square ^ (_FLIP * turn)) << 4) | (turn << 3)


@kernel
def castling_key(rooks, turn):
    """The key of castling rights with `rooks`, seen by the player `turn`."""
    key = ZERO
    while rooks != ZERO:
        key ^= ZOBRIST[CASTLING_KEYS + (lsb(rooks) ^ (_FLIP * turn))]
        rooks = without_lsb(rooks)
    return key


@kernel
def make(w, src, dst, move):
    """Play `move` (uint64, see `state`) on the row at `src` and write the position after it to the row at `dst`."""
    P, N, D = w[src + PAWNS], w[src + KNIGHTS], w[src + DIAGONALS]
    R, K, own = w[src + ORTHOGONALS], w[src + KINGS], w[src + OWN]
    castling, meta, key = w[src + CASTLING], w[src + META], w[src + KEY]
    turn = (meta >> TURN_SHIFT) & ONE
    origin, to, flag = move & _SIXTY_THREE, (move >> _SIX) & _SIXTY_THREE, move >> _TWELVE
    ep = meta & EP_BITS
    if ep != ZERO:
        key ^= ZOBRIST[EP_KEYS + (ep ^ (_FLIP * turn))]
    meta = (meta & ~EP_BITS) + PLY_STEP
    occupied = P | N | D | R | K
    new_ep = ZERO
    if flag == CASTLE:
        king_to, rook_to = (_G1, _F1) if to > origin else (_C1, _D1)
        king_mask, rook_mask = (ONE << origin) | (ONE << king_to), (ONE << to) | (ONE << rook_to)
        if origin != king_to:
            K ^= king_mask
            key ^= ZOBRIST[piece_keys(origin, turn) + KINGS] ^ ZOBRIST[piece_keys(king_to, turn) + KINGS]
        if to != rook_to:
            R ^= rook_mask
            key ^= ZOBRIST[piece_keys(to, turn) + ORTHOGONALS] ^ ZOBRIST[piece_keys(rook_to, turn) + ORTHOGONALS]
        own = (own & ~((ONE << origin) | (ONE << to))) | (ONE << king_to) | (ONE << rook_to)
        key ^= castling_key(castling & RANK_1, turn)
        castling &= ~RANK_1
        meta += CLOCK_STEP
    else:
        from_bit, to_bit = ONE << origin, ONE << to
        stay = ~(from_bit | to_bit)
        i, j = piece_keys(origin, turn), piece_keys(to, turn)
        e = j ^ _EIGHT
        if (occupied & to_bit) | (P & from_bit) != ZERO:
            meta &= ~CLOCK_BITS
        else:
            meta += CLOCK_STEP
        # On each board: all ones if the moving piece, or the captured one, stands there.
        pm, nm, dm, rm, km = (
            ZERO - ((P >> origin) & ONE),
            ZERO - ((N >> origin) & ONE),
            ZERO - ((D >> origin) & ONE),
            ZERO - ((R >> origin) & ONE),
            ZERO - ((K >> origin) & ONE),
        )
        key ^= (
            ((ZOBRIST[i + PAWNS] ^ ZOBRIST[j + PAWNS]) & pm)
            ^ ((ZOBRIST[i + KNIGHTS] ^ ZOBRIST[j + KNIGHTS]) & nm)
            ^ ((ZOBRIST[i + DIAGONALS] ^ ZOBRIST[j + DIAGONALS]) & dm)
            ^ ((ZOBRIST[i + ORTHOGONALS] ^ ZOBRIST[j + ORTHOGONALS]) & rm)
            ^ ((ZOBRIST[i + KINGS] ^ ZOBRIST[j + KINGS]) & km)
        )
        key ^= (
            (ZOBRIST[e + PAWNS] & (ZERO - ((P >> to) & ONE)))
            ^ (ZOBRIST[e + KNIGHTS] & (ZERO - ((N >> to) & ONE)))
            ^ (ZOBRIST[e + DIAGONALS] & (ZERO - ((D >> to) & ONE)))
            ^ (ZOBRIST[e + ORTHOGONALS] & (ZERO - ((R >> to) & ONE)))
        )
        P = (P & stay) | (to_bit & pm)
        N = (N & stay) | (to_bit & nm)
        D = (D & stay) | (to_bit & dm)
        R = (R & stay) | (to_bit & rm)
        K = (K & stay) | (to_bit & km)
        own = (own & stay) | to_bit
        lost = castling & ((from_bit | to_bit) | (RANK_1 & km))
        if lost != ZERO:
            key ^= castling_key(lost, turn)
            castling ^= lost
        if flag != ZERO:
            if flag == DOUBLE:
                if (((to_bit & NOT_A) >> 1) | ((to_bit & NOT_H) << 1)) & P & ~own != ZERO:
                    new_ep = (to - _EIGHT) ^ _FLIP
            elif flag == EN_PASSANT:
                P ^= to_bit >> 8
                key ^= ZOBRIST[(piece_keys(to - _EIGHT, turn) ^ _EIGHT) + PAWNS]
            else:
                P ^= to_bit
                key ^= ZOBRIST[j + PAWNS]
                if flag == TO_KNIGHT:
                    N |= to_bit
                    key ^= ZOBRIST[j + KNIGHTS]
                if flag & ONE != ZERO:  # TO_BISHOP or TO_QUEEN
                    D |= to_bit
                    key ^= ZOBRIST[j + DIAGONALS]
                if flag >= TO_ROOK:  # or TO_QUEEN
                    R |= to_bit
                    key ^= ZOBRIST[j + ORTHOGONALS]
    # The board turns to the other player.
    occupied = flipped(P | N | D | R | K)
    P, N, D, R, K = flipped(P), flipped(N), flipped(D), flipped(R), flipped(K)
    own = flipped(own) ^ occupied
    if new_ep != ZERO and en_passant_pawns(lsb(K & own), P, N, D, R, own, new_ep, occupied) != ZERO:
        meta |= new_ep
        key ^= ZOBRIST[EP_KEYS + (new_ep ^ (_FLIP * (turn ^ ONE)))]
    w[dst + PAWNS] = P
    w[dst + KNIGHTS] = N
    w[dst + DIAGONALS] = D
    w[dst + ORTHOGONALS] = R
    w[dst + KINGS] = K
    w[dst + OWN] = own
    w[dst + CASTLING] = flipped(castling)
    w[dst + META] = meta ^ TURN_BIT
    w[dst + KEY] = key ^ BLACK_KEY


@kernel
def full_key(w, b):
    """The key of the row at `b` computed afresh."""
    meta = w[b + META]
    turn = (meta >> TURN_SHIFT) & ONE
    own = w[b + OWN]
    key = castling_key(w[b + CASTLING], turn) ^ (BLACK_KEY & (ZERO - turn))
    if meta & EP_BITS != ZERO:
        key ^= ZOBRIST[EP_KEYS + ((meta & EP_BITS) ^ (_FLIP * turn))]
    board = PAWNS
    while board <= KINGS:
        pieces = w[b + board]
        while pieces != ZERO:
            square = lsb(pieces)
            index = piece_keys(square, turn) ^ (_EIGHT * (ONE ^ ((own >> square) & ONE)))
            key ^= ZOBRIST[index + board]
            pieces = without_lsb(pieces)
        board += ONE
    return key
