"""The value of a chess position in centipawns: piece-square tables for the middle game and the endgame.

Each piece is worth what its tables say of its square; the two sums are weighed by the pieces left on the board
(R. Huber's "PeSTO", 2019, showed how far this alone carries). The numbers are our own: `benchmarks/chess_tune.py`
fitted them to the results of 11,607 games of strong players, by their 513,076 quiet positions. On the 51,119 of games
held out the loss is 0.6405, with the best values for the pieces alone 0.6628, and 0.6855 without looking at the board.

A pair of sums is one int64, ``middle game + (endgame << 32)``, so that adding pairs adds both; as a word of a row it is
that of the player to move, own less the opponent's. Squares and boards as in `boards.chess.state`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.alphabeta.chess_captures import NO_PIECE, kind_at, taken
from sakiyomi.boards.bits import ONE, ZERO, U, lsb, popcount, without_lsb
from sakiyomi.boards.chess.state import (
    CASTLE,
    DIAGONALS,
    EN_PASSANT,
    KINGS,
    KNIGHTS,
    ORTHOGONALS,
    OWN,
    PAWNS,
    TO_KNIGHT,
)
from sakiyomi.boards.kernel import kernel

OPENING_PHASE = 22  # `phase` of the start position
_THREE, _FIVE, _SIX, _EIGHT, _TWELVE, _FLIP, _SIXTY_THREE = U(3), U(5), U(6), U(8), U(12), U(56), U(63)
_C1, _D1, _F1, _G1 = U(2), U(3), U(5), U(6)

# Centipawns, a pawn 100 on the average of all squares; rank 8 first, the owner's pieces going up.
# fmt: off
TEMPO = 1
MIDDLE_GAME = (
    # pawn
    0, 0, 0, 0, 0, 0, 0, 0,
    102, 112, 125, 135, 133, 122, 112, 104,
    79, 114, 103, 114, 125, 106, 112, 91,
    59, 64, 61, 70, 86, 82, 90, 86,
    39, 45, 50, 62, 61, 46, 72, 50,
    27, 37, 26, 51, 51, 43, 57, 36,
    26, 35, 27, 40, 40, 47, 61, 32,
    0, 0, 0, 0, 0, 0, 0, 0,
    # knight
    244, 257, 268, 270, 269, 268, 258, 248,
    252, 260, 274, 275, 274, 275, 262, 252,
    248, 262, 274, 286, 278, 276, 263, 253,
    221, 233, 259, 251, 235, 270, 245, 233,
    191, 227, 236, 222, 230, 243, 230, 206,
    189, 203, 208, 235, 233, 213, 226, 194,
    192, 194, 195, 207, 207, 204, 202, 194,
    187, 201, 179, 183, 193, 188, 203, 192,
    # bishop
    255, 261, 270, 271, 270, 268, 262, 255,
    256, 263, 279, 276, 275, 277, 265, 254,
    263, 273, 281, 283, 285, 290, 272, 266,
    248, 251, 278, 286, 287, 282, 254, 250,
    274, 248, 256, 279, 281, 263, 246, 258,
    249, 277, 251, 256, 247, 242, 254, 245,
    255, 255, 272, 228, 228, 267, 257, 241,
    250, 274, 233, 215, 216, 240, 263, 247,
    # rook
    394, 400, 404, 407, 408, 404, 400, 393,
    389, 399, 398, 399, 401, 400, 397, 392,
    383, 389, 389, 394, 393, 394, 390, 382,
    366, 375, 379, 383, 374, 378, 374, 368,
    338, 343, 334, 347, 346, 337, 342, 349,
    322, 336, 324, 334, 335, 319, 337, 328,
    314, 326, 327, 321, 324, 324, 340, 322,
    318, 324, 342, 344, 337, 324, 343, 321,
    # queen
    739, 748, 754, 755, 756, 754, 750, 745,
    737, 745, 755, 755, 755, 755, 753, 748,
    743, 748, 755, 752, 755, 757, 756, 755,
    741, 743, 739, 741, 746, 744, 744, 754,
    720, 735, 719, 722, 727, 728, 748, 743,
    728, 727, 726, 708, 715, 723, 734, 730,
    714, 717, 729, 724, 726, 725, 729, 727,
    717, 703, 707, 721, 716, 710, 705, 717,
    # king
    3, 5, 4, 5, 5, 5, 5, 3,
    3, 5, 6, 6, 5, 6, 5, 3,
    2, 5, 6, 3, 4, 6, 5, 3,
    -3, 1, 2, -1, -2, 2, 0, -4,
    -11, -5, -1, -3, -3, -5, -6, -14,
    -10, -4, -6, -10, -9, -7, -10, -15,
    -4, 7, -6, -15, -14, -12, 1, -6,
    6, 40, 8, -9, 4, -16, 25, 8,
)
ENDGAME = (
    # pawn
    0, 0, 0, 0, 0, 0, 0, 0,
    173, 172, 174, 160, 160, 164, 168, 171,
    161, 153, 147, 131, 133, 138, 154, 163,
    138, 127, 118, 98, 101, 119, 131, 122,
    111, 122, 104, 86, 99, 118, 113, 101,
    112, 115, 100, 103, 104, 109, 115, 102,
    114, 122, 104, 131, 137, 132, 110, 111,
    0, 0, 0, 0, 0, 0, 0, 0,
    # knight
    250, 256, 263, 263, 262, 264, 257, 250,
    250, 259, 264, 267, 266, 265, 259, 250,
    255, 261, 276, 278, 275, 275, 261, 255,
    248, 258, 275, 274, 280, 280, 261, 250,
    240, 252, 263, 271, 276, 260, 254, 240,
    203, 218, 247, 265, 263, 230, 222, 208,
    205, 209, 217, 214, 221, 220, 210, 204,
    189, 188, 193, 209, 204, 194, 191, 193,
    # bishop
    274, 274, 275, 276, 272, 272, 276, 275,
    277, 279, 272, 271, 269, 267, 278, 278,
    278, 288, 270, 266, 270, 279, 279, 278,
    271, 288, 275, 266, 269, 279, 283, 270,
    259, 263, 273, 269, 265, 272, 262, 259,
    240, 249, 263, 273, 281, 252, 250, 245,
    235, 227, 247, 260, 264, 243, 237, 229,
    237, 241, 234, 246, 244, 241, 237, 233,
    # rook
    432, 440, 446, 445, 446, 446, 439, 428,
    449, 451, 448, 452, 450, 447, 448, 445,
    444, 448, 446, 449, 446, 446, 447, 441,
    435, 434, 439, 444, 437, 441, 436, 433,
    415, 420, 423, 430, 428, 424, 420, 418,
    410, 417, 408, 419, 415, 406, 415, 408,
    403, 407, 412, 408, 403, 407, 415, 404,
    393, 397, 402, 405, 393, 398, 395, 392,
    # queen
    751, 755, 761, 763, 764, 762, 757, 755,
    749, 753, 762, 765, 765, 763, 757, 755,
    751, 753, 767, 772, 772, 769, 759, 757,
    741, 754, 764, 772, 775, 765, 754, 746,
    735, 743, 751, 769, 768, 752, 747, 739,
    728, 730, 733, 745, 748, 738, 731, 729,
    724, 717, 713, 716, 719, 713, 717, 724,
    717, 712, 707, 702, 700, 707, 709, 717,
    # king
    20, 25, 24, 27, 26, 25, 25, 20,
    21, 28, 29, 30, 29, 32, 30, 22,
    24, 31, 34, 20, 24, 34, 35, 26,
    12, 23, 23, 14, 9, 20, 21, 9,
    -12, 0, 11, 6, 2, 3, -5, -18,
    -22, -6, -8, -15, -3, -5, -13, -28,
    -40, -28, -23, -25, -22, -22, -26, -39,
    -65, -45, -42, -57, -57, -50, -48, -73,
)
# fmt: on


def _pairs() -> NDArray[Any]:
    """[6 * 64]: the pair of each kind of piece (0 pawn ... 5 king) on each square, a1 = 0."""
    middle, end = (np.array(table, np.int64).reshape(6, 8, 8)[:, ::-1] for table in (MIDDLE_GAME, ENDGAME))
    pairs: NDArray[Any] = np.ascontiguousarray((middle + (end << 32)).ravel())
    pairs.setflags(write=False)
    return pairs


PAIRS: NDArray[Any] = _pairs()


@kernel
def phase(w, b):
    """How much of the middle game there is, of OPENING_PHASE: minor pieces count 1, rooks 2, queens 3."""
    count = popcount(w[b + KNIGHTS]) + popcount(w[b + DIAGONALS]) + (popcount(w[b + ORTHOGONALS]) << 1)
    return min(np.int64(count), OPENING_PHASE)


@kernel
def blend(pair, weight):
    """Centipawns (int64) of a pair of sums, for a `phase` of `weight`."""
    middle = (pair << 32) >> 32
    end = (pair - middle) >> 32
    return (middle * weight + end * (OPENING_PHASE - weight)) // OPENING_PHASE + TEMPO


@kernel
def sum_pairs(w, b):
    """The pair of the row at `b`, computed afresh."""
    own = w[b + OWN]
    pieces = w[b + PAWNS] | w[b + KNIGHTS] | w[b + DIAGONALS] | w[b + ORTHOGONALS] | w[b + KINGS]
    total = np.int64(0)
    while pieces != ZERO:
        square = lsb(pieces)
        kind = kind_at(w, b, square) << 6
        if (own >> square) & ONE != ZERO:
            total += PAIRS[kind | square]
        else:
            total -= PAIRS[kind | (square ^ _FLIP)]
        pieces = without_lsb(pieces)
    return total


@kernel
def gain(w, b, move):
    """What `move` adds to the pair of the player who makes it in the row at `b`."""
    origin, to, flag = move & _SIXTY_THREE, (move >> _SIX) & _SIXTY_THREE, move >> _TWELVE
    if flag == CASTLE:
        king_to, rook_to = (_G1, _F1) if to > origin else (_C1, _D1)
        king, rook = _FIVE << 6, _THREE << 6
        return PAIRS[king | king_to] - PAIRS[king | origin] + PAIRS[rook | rook_to] - PAIRS[rook | to]
    mover = kind_at(w, b, origin)
    became = mover if flag < TO_KNIGHT else flag - _THREE
    total = PAIRS[(became << 6) | to] - PAIRS[(mover << 6) | origin]
    victim = taken(w, b, move)
    if victim != NO_PIECE:
        total += PAIRS[(victim << 6) | ((to - _EIGHT if flag == EN_PASSANT else to) ^ _FLIP)]
    return total
