"""The value of a shogi position in points, a pawn being about 100: pieces by square and by where the kings stand.

Each piece on the board is worth what three tables say: of its square, of its place relative to its own king, and of
its place relative to the enemy king; a hand what a table says of each kind and count. All is summed up from move to
move; only a king's move makes it anew. There are two sums, one for positions with empty hands and one for full ones
(`phase` weighs them). The numbers are in `shogi_values`, and our own: `benchmarks/shogi_tune.py` fitted them to the
results of 1,206 games of programs, professionals and amateurs, by their 58,128 quiet positions. With a fifth of the
games held out, the loss on the 11,585 positions of these is 0.6614, with the best values for the pieces alone 0.6681,
and 0.6900 without looking at the board.

A pair of sums is one int64, ``empty hands + (full hands << 32)``, so that adding pairs adds both; as a word of a row it
is that of the player to move, own less the opponent's. Squares and words as in `boards.shogi.state`.
"""

import numpy as np

from sakiyomi.agents.parts.alphabeta.shogi_values import HAND, NEAR, PHASES, PLACE, TEMPO, ZONE_OF
from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.attacks import first, king_square, occupied, without_first
from sakiyomi.boards.shogi.movegen import held, piece_on
from sakiyomi.boards.shogi.state import DROP, FROM_SHIFT, HANDS, KING, META, PROMOTED, PROMOTES, SQUARE_BITS

_SQUARES, _LAST_SQUARE, _KIND, _ZONES, _HAND = U(81), U(80), U(15), U(45), U(20)
_NO_KING = (U(44), U(36))  # where a king that is not on the board is thought to be: 5i, 5a
_BYTES = U(0x0101010101010101)


@kernel
def phase(w, b):
    """How empty the hands are, pawns left aside: PHASES for none, 0 for that many pieces or more."""
    count = (((w[b + HANDS] >> 8) + (w[b + HANDS + ONE] >> 8)) * _BYTES) >> 56
    return max(np.int64(0), PHASES - np.int64(count))


@kernel
def blend(pair, weight):
    """Points (int64) of a pair of sums, for a `phase` of `weight`."""
    empty = (pair << 32) >> 32
    full = (pair - empty) >> 32
    return (empty * weight + full * (PHASES - weight)) // PHASES + TEMPO


@kernel
def kings(w, b):
    """Where the kings of Black and White stand."""
    black, white = king_square(w, b, ZERO), king_square(w, b, ONE)
    return black if black < _SQUARES else _NO_KING[0], white if white < _SQUARES else _NO_KING[1]


@kernel
def worth_on(piece, square, black_king, white_king):
    """The pair of a piece (an entry of `mail`) on a square, for its owner."""
    kind = piece & _KIND
    own, enemy = black_king, white_king
    if piece > _KIND:
        square, own, enemy = _LAST_SQUARE - square, _LAST_SQUARE - white_king, _LAST_SQUARE - black_king
    total = PLACE[kind * _SQUARES + square]
    if kind != KING:
        total += NEAR[kind * _ZONES + U(ZONE_OF[own * _SQUARES + square])]
        total += NEAR[(kind + U(16)) * _ZONES + U(ZONE_OF[enemy * _SQUARES + square])]
    return total


@kernel
def sum_pairs(w, b):
    """The pair of the row at `b`, for the player to move, computed afresh."""
    black, white = kings(w, b)
    side = w[b + META] & ONE
    total = np.int64(0)
    lo, hi = occupied(w, b)
    while lo | hi != ZERO:
        square = first(lo, hi)
        lo, hi = without_first(lo, hi)
        piece = piece_on(w, b, square)
        value = worth_on(piece, square, black, white)
        total += value if piece >> 4 == side else -value
    for kind in range(1, 8):
        total += HAND[U(kind) * _HAND + held(w[b + HANDS + side], U(kind))]
        total -= HAND[U(kind) * _HAND + held(w[b + HANDS + (side ^ ONE)], U(kind))]
    return total


@kernel
def gain(w, b, move):
    """What `move`, one of another piece than a king, adds to the pair of the player who makes it in the row at `b`."""
    black, white = kings(w, b)
    side = w[b + META] & ONE
    hand = w[b + HANDS + side]
    to, origin = move & SQUARE_BITS, (move >> FROM_SHIFT) & SQUARE_BITS
    if origin >= DROP:
        kind = origin - DROP + ONE
        at = kind * _HAND + held(hand, kind)
        return worth_on(kind | (side << 4), to, black, white) + HAND[at - ONE] - HAND[at]
    piece = piece_on(w, b, origin)
    became = piece + PROMOTED if move & PROMOTES != ZERO else piece
    total = worth_on(became, to, black, white) - worth_on(piece, origin, black, white)
    victim = piece_on(w, b, to)
    if victim != ZERO:
        kind = victim & _KIND
        kind -= PROMOTED if kind > KING else ZERO
        at = kind * _HAND + held(hand, kind)
        total += worth_on(victim, to, black, white) + HAND[at + ONE] - HAND[at]
    return total
