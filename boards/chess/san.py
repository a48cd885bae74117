"""SAN on the nine words that search copies: the legal move that a text's parts mean, and the text of a move.

Nothing lists moves: from the square of arrival the pieces that could come from there are looked up, and each is tried.
Squares and ranks are the mover's; words `w`, the offset `b` of a row (see `state`).
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U, lsb, without_lsb
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.chess.actions import move_of
from sakiyomi.boards.chess.attacks import diagonal, is_attacked, orthogonal
from sakiyomi.boards.chess.make import make
from sakiyomi.boards.chess.movegen import castling_rooks, en_passant_pawns
from sakiyomi.boards.chess.perft import count_row
from sakiyomi.boards.chess.rules import in_check
from sakiyomi.boards.chess.state import (
    CASTLE,
    CASTLING,
    DIAGONALS,
    DOUBLE,
    EN_PASSANT,
    EP_BITS,
    HOT,
    KINGS,
    KNIGHTS,
    META,
    ORTHOGONALS,
    OWN,
    PAWNS,
    QUIET,
    TO_KNIGHT,
    TURN_SHIFT,
    WORDS,
)
from sakiyomi.boards.chess.tables import FILE, KING, KNIGHT, NOT_A, NOT_H, RANK, RANK_1, RANK_8
from sakiyomi.boards.kernel import kernel

PAWN_PIECE, KNIGHT_PIECE, BISHOP_PIECE, ROOK_PIECE, QUEEN_PIECE, KING_PIECE = (U(i) for i in range(6))
ILLEGAL, AMBIGUOUS = U(1 << 16), U(2 << 16)
"""What stands in for a move where no legal move fits, or more than one does."""
LONGEST = 7  # "Qa1xb2+", "axb8=Q#"

_RANK_4 = U(0xFF000000)
_SIX, _TWELVE, _SIXTY_THREE, _FLIP = U(6), U(12), U(63), U(56)
_TWO, _THREE, _SEVEN, _G1, _C1 = U(2), U(3), U(7), U(6), U(2)
_LETTERS = np.frombuffer(b"PNBRQK", np.uint8)
_SMALL_A, _DIGIT_1, _X, _EQUALS, _PLUS, _HASH, _O, _DASH = (ord(sign) for sign in "a1x=+#O-")


@kernel
def kind_at(w, b, square):
    """The piece on `square`, PAWN_PIECE where there is none."""
    if (w[b + KNIGHTS] >> square) & ONE != ZERO:
        return KNIGHT_PIECE
    if (w[b + KINGS] >> square) & ONE != ZERO:
        return KING_PIECE
    slides = ((w[b + DIAGONALS] >> square) & ONE) | (((w[b + ORTHOGONALS] >> square) & ONE) << ONE)
    return PAWN_PIECE if slides == ZERO else slides + ONE


@kernel
def reaching(to, piece, N, D, R, occupied):
    """The knights, bishops, rooks or queens of either colour that attack square `to`."""
    if piece == KNIGHT_PIECE:
        return KNIGHT[to] & N
    if piece == BISHOP_PIECE:
        return diagonal(to, occupied) & D & ~R
    if piece == ROOK_PIECE:
        return orthogonal(to, occupied) & R & ~D
    return (diagonal(to, occupied) | orthogonal(to, occupied)) & D & R


@kernel
def free_to_leave(w, b, candidates, to):
    """Those of `candidates`, not the king, that may move to square `to` without leaving the king in check."""
    P, N, D, R, K, own = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS], w[b + OWN]
    occupied = P | N | D | R | K
    king, target = lsb(K & own), ONE << to
    enemy = (occupied ^ own) & ~target
    found = candidates
    while candidates != ZERO:
        origin = candidates & (ZERO - candidates)
        if is_attacked(king, P, N, D, R, K, enemy, (occupied ^ origin) | target):
            found ^= origin
        candidates ^= origin
    return found


@kernel
def single(found, to, flag):
    """The move from the only square of `found`, or ILLEGAL, or AMBIGUOUS."""
    if found == ZERO:
        return ILLEGAL
    if without_lsb(found) != ZERO:
        return AMBIGUOUS
    return lsb(found) | (to << _SIX) | (flag << _TWELVE)


@kernel
def find_pawn(w, b, origins, to, promotion):
    """`find` for a pawn."""
    P, N, D, R, K, own = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS], w[b + OWN]
    occupied, pawns = P | N | D | R | K, P & own
    target = ONE << to
    below, flag = target >> 8, promotion
    if (target & RANK_8 == ZERO) and promotion != ZERO:
        return ILLEGAL
    if target & occupied != ZERO:
        candidates = ((target & NOT_A) >> 9) | ((target & NOT_H) >> 7)
    elif below & pawns != ZERO:
        candidates = below
    elif below & occupied == ZERO:
        candidates = (target & _RANK_4) >> 16
        flag = DOUBLE
    else:
        candidates = ZERO
        if to == w[b + META] & EP_BITS:
            king = lsb(K & own)
            candidates = en_passant_pawns(king, P, N, D, R, own, to, occupied)
        return single(candidates & origins, to, EN_PASSANT)
    found = free_to_leave(w, b, candidates & pawns & origins, to)
    if target & RANK_8 != ZERO and promotion == ZERO and found != ZERO:
        return AMBIGUOUS
    return single(found, to, flag)


@kernel
def find(w, b, piece, origins, to, promotion):
    """The legal move of a `piece` from one of the squares `origins` to square `to`; ILLEGAL or AMBIGUOUS.

    `promotion` is 0 or TO_KNIGHT to TO_QUEEN. Castling is not found here.
    """
    P, N, D, R, K, own = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS], w[b + OWN]
    occupied = P | N | D | R | K
    if (own >> to) & ONE != ZERO:
        return ILLEGAL
    if piece == PAWN_PIECE:
        return find_pawn(w, b, origins, to, promotion)
    if promotion != ZERO:
        return ILLEGAL
    if piece == KING_PIECE:
        king = KING[to] & K & own & origins
        if king != ZERO and is_attacked(to, P, N, D, R, K, occupied ^ own, occupied ^ king):
            king = ZERO
        return single(king, to, QUIET)
    candidates = reaching(to, piece, N, D, R, occupied) & own & origins
    return single(free_to_leave(w, b, candidates, to), to, QUIET)


@kernel
def find_castling(w, b, short):
    """Castling on the king's side (`short`) or the queen's, or ILLEGAL."""
    P, N, D, R, K, own = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS], w[b + OWN]
    king = lsb(K & own)
    below = (ONE << king) - ONE
    wanted = w[b + CASTLING] & RANK_1 & (~below if short else below)
    if wanted == ZERO or in_check(w, b):
        return ILLEGAL
    rooks = castling_rooks(king, P, N, D, R, K, own, wanted, P | N | D | R | K)
    return ILLEGAL if rooks == ZERO else king | (lsb(rooks) << _SIX) | (CASTLE << _TWELVE)


@kernel
def find_by_squares(w, b, origin, to, promotion, chess960):
    """The legal move from square `origin` to square `to`, castling as UCI has it, or ILLEGAL, or AMBIGUOUS."""
    if (w[b + OWN] >> origin) & ONE == ZERO:
        return ILLEGAL
    piece = kind_at(w, b, origin)
    if piece == KING_PIECE and promotion == ZERO and (origin | to) <= _SEVEN:
        far = to - origin if to > origin else origin - to
        onto_rook = (w[b + CASTLING] >> to) & ONE != ZERO
        if chess960:
            castles = onto_rook or (far > ONE and to in (_C1, _G1))
        else:
            castles = onto_rook or far == _TWO
        if castles:
            return find_castling(w, b, to > origin)
    return find(w, b, piece, ONE << origin, to, promotion)


@kernel
def disambiguation(w, b, piece, origin, to):
    """The squares that must be told: 0 nothing, 1 the file, 2 the rank, 3 both (FIDE, appendix C.10)."""
    N, D, R, own = w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + OWN]
    occupied = w[b + PAWNS] | N | D | R | w[b + KINGS]
    rivals = reaching(to, piece, N, D, R, occupied) & own & ~(ONE << origin)
    if rivals != ZERO:
        rivals = free_to_leave(w, b, rivals, to)
    if rivals == ZERO:
        return ZERO
    if rivals & FILE[origin] == ZERO:
        return ONE
    return _TWO if rivals & RANK[origin] == ZERO else _THREE


@kernel
def put_sign(text, j, sign):
    """Write one byte; the offset behind it."""
    text[j] = sign
    return j + ONE


@kernel
def put_square(text, j, square, told):
    """Write the file (`told` 1), the rank (2) or both (3) of a real square."""
    if told & ONE != ZERO:
        j = put_sign(text, j, (square & _SEVEN) + U(_SMALL_A))
    if told & _TWO != ZERO:
        j = put_sign(text, j, (square >> _THREE) + U(_DIGIT_1))
    return j


@kernel
def put_move(w, b, move, text, j):
    """Write a legal move in strict SAN, without the sign of check, from offset j on; the offset behind it."""
    origin, to, flag = move & _SIXTY_THREE, (move >> _SIX) & _SIXTY_THREE, move >> _TWELVE
    flip = _FLIP * ((w[b + META] >> TURN_SHIFT) & ONE)
    if flag == CASTLE:
        j = put_sign(text, put_sign(text, put_sign(text, j, U(_O)), U(_DASH)), U(_O))
        if to < origin:
            j = put_sign(text, put_sign(text, j, U(_DASH)), U(_O))
        return j
    occupied = w[b + PAWNS] | w[b + KNIGHTS] | w[b + DIAGONALS] | w[b + ORTHOGONALS] | w[b + KINGS]
    takes = (occupied >> to) & ONE != ZERO or flag == EN_PASSANT
    piece = kind_at(w, b, origin)
    if piece == PAWN_PIECE:
        if takes:
            j = put_square(text, j, origin ^ flip, ONE)
    else:
        j = put_sign(text, j, U(_LETTERS[piece]))
        if piece != KING_PIECE:
            j = put_square(text, j, origin ^ flip, disambiguation(w, b, piece, origin, to))
    if takes:
        j = put_sign(text, j, U(_X))
    j = put_square(text, j, to ^ flip, _THREE)
    if flag >= TO_KNIGHT:
        j = put_sign(text, put_sign(text, j, U(_EQUALS)), U(_LETTERS[flag - TO_KNIGHT + ONE]))
    return j


@kernel
def san_rows(start, stop, w, chess960, firsts, actions, texts):
    """Strict SAN of games of legal actions from the rows of `w`.

    `chess960` bool [B]; `firsts` int64 [B + 1], where each game's plies begin in `actions` int32 [M] and in `texts`
    uint8 [M * LONGEST], which holds zeros before.
    """
    memory = np.empty(HOT, np.uint64)
    w, texts, row = borrow(w), borrow(texts), borrow(memory)
    for i in range(start, stop):
        b = U(i) * WORDS
        for j in range(HOT):
            row[U(j)] = w[b + U(j)]
        for ply in range(firsts[i], firsts[i + 1]):
            move = move_of(row, ZERO, U(actions[ply]), chess960[i])
            end = put_move(row, ZERO, move, texts, U(ply) * U(LONGEST))
            make(row, ZERO, ZERO, move)
            if in_check(row, ZERO):
                put_sign(texts, end, U(_HASH) if count_row(row, ZERO) == ZERO else U(_PLUS))
    memory[ZERO] = ZERO  # a last use, which keeps the memory until here
