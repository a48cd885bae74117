"""Playing a move on the words that search copies: boards, hands, turn, ply, key and `mail`."""

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.attacks import first, occupied, without_first
from sakiyomi.boards.shogi.movegen import held, piece_on
from sakiyomi.boards.shogi.state import (
    DROP,
    FROM_SHIFT,
    GOLD,
    HANDS,
    HORSE,
    HOT,
    KEY,
    KING,
    MAIL,
    META,
    PLY_STEP,
    PROMOTED,
    PROMOTES,
    SIDES,
    SQUARE_BITS,
    STRONG,
)
from sakiyomi.boards.shogi.zobrist import HAND_KEYS, WHITE_KEY, ZOBRIST

_LO, _TWO, _SEVEN, _SQUARES, _KIND = U(63), U(2), U(7), U(81), U(15)


@kernel
def board_of(kind):
    """The word of the board on which a kind of piece stands."""
    if kind <= KING:
        return (kind - ONE) << 1
    if kind < HORSE:
        return (GOLD - ONE) << 1
    return (kind - PROMOTED - ONE) << 1


@kernel
def toggle(w, b, square, piece):
    """Put `piece` (an entry of `mail`) on an empty square, or take it away, on the boards alone."""
    half = ONE if square >= _LO else ZERO
    bit = ONE << (square - _LO * half)
    kind = piece & _KIND
    w[b + board_of(kind) + half] ^= bit
    w[b + SIDES + (piece >> 4) * _TWO + half] ^= bit
    if kind >= HORSE:
        w[b + STRONG + half] ^= bit


@kernel
def set_mail(w, b, square, change):
    """Change the entry of a square by XOR."""
    w[b + MAIL + (square >> 3)] ^= change << ((square & _SEVEN) << 3)


@kernel
def hand_key(side, kind, count):
    """The key of so many pieces of a kind in hand."""
    return ZOBRIST[HAND_KEYS + (((side << 3) | kind) << 5) + count]


@kernel
def make(w, src, dst, move):
    """Play `move` (uint64, see `state`) on the row at `src` and write the position after it to the row at `dst`."""
    if src != dst:
        for j in range(HOT):
            w[dst + U(j)] = w[src + U(j)]
    side = w[dst + META] & ONE
    to, origin = move & SQUARE_BITS, (move >> FROM_SHIFT) & SQUARE_BITS
    key = w[dst + KEY]
    if origin >= DROP:
        kind = origin - DROP + ONE
        piece = kind | (side << 4)
        count = held(w[dst + HANDS + side], kind)
        key ^= hand_key(side, kind, count) ^ hand_key(side, kind, count - ONE)
        w[dst + HANDS + side] -= ONE << ((kind - ONE) << 3)
    else:
        piece = piece_on(w, dst, origin)
        taken = piece_on(w, dst, to)
        toggle(w, dst, origin, piece)
        set_mail(w, dst, origin, piece)
        key ^= ZOBRIST[piece * _SQUARES + origin]
        if taken != ZERO:
            toggle(w, dst, to, taken)
            set_mail(w, dst, to, taken)
            key ^= ZOBRIST[taken * _SQUARES + to]
            kind = taken & _KIND
            kind -= PROMOTED if kind > KING else ZERO
            count = held(w[dst + HANDS + side], kind)
            key ^= hand_key(side, kind, count) ^ hand_key(side, kind, count + ONE)
            w[dst + HANDS + side] += ONE << ((kind - ONE) << 3)
        if move & PROMOTES != ZERO:
            piece += PROMOTED
    toggle(w, dst, to, piece)
    set_mail(w, dst, to, piece)
    w[dst + KEY] = key ^ ZOBRIST[piece * _SQUARES + to] ^ WHITE_KEY
    w[dst + META] = (w[dst + META] ^ ONE) + PLY_STEP


@kernel
def full_key(w, b):
    """The key of the row at `b` computed afresh."""
    key = WHITE_KEY if w[b + META] & ONE != ZERO else ZERO
    lo, hi = occupied(w, b)
    while lo | hi != ZERO:
        square = first(lo, hi)
        lo, hi = without_first(lo, hi)
        key ^= ZOBRIST[piece_on(w, b, square) * _SQUARES + square]
    for side in range(2):
        for kind in range(1, 8):
            key ^= hand_key(U(side), U(kind), held(w[b + HANDS + U(side)], U(kind)))
    return key
