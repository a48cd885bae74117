"""AlphaZero's 8 x 8 x 73 actions (Silver et al. 2018, supplement, table S2) and the moves that they stand for.

``action = square * 73 + plane``. The square is the one that the piece leaves, counted row by row from the top left of
the board as the mover sees it, his own side at the bottom: the order of the observation planes. The plane is

    0..55   a queen's move, 7 * direction + distance - 1, directions N NE E SE S SW W NW, N away from the mover;
            a pawn that reaches the last rank so becomes a queen
    56..63  a knight's move, clockwise from two forward and one to the right
    64..72  a promotion to less: 64 + 3 * (0 capture to the left, 1 forward, 2 capture to the right) + (0 knight,
            1 bishop, 2 rook)

Castling is the king's two squares, in Chess960 the king's move onto his rook (the two would be ambiguous there). For
Black the board is mirrored top to bottom, files stay: a position and its twin with the colours exchanged have the same
actions and the same planes, which half a turn would not give, as the kings do not stand in the middle.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.bits import ONE, ZERO, U, lsb
from sakiyomi.boards.chess.state import (
    CASTLE,
    CASTLING,
    DOUBLE,
    EN_PASSANT,
    EP_BITS,
    KINGS,
    META,
    OWN,
    PAWNS,
    QUIET,
    TO_KNIGHT,
    TO_QUEEN,
    TO_ROOK,
)
from sakiyomi.boards.chess.tables import RANK_1, RANK_8
from sakiyomi.boards.kernel import kernel

PLANES = 73
ACTIONS = 64 * PLANES
OFF_BOARD = 64
DIRECTIONS = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
KNIGHT_STEPS = [(1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2)]
STEPS = [(dx * far, dy * far) for dx, dy in DIRECTIONS for far in range(1, 8)] + KNIGHT_STEPS
"""(files, ranks) of planes 0 to 63."""

_FLIP, _PLANES, _UNDER, _THREE = U(56), U(PLANES), U(64), U(3)
_SIX, _SEVEN, _TWELVE, _SIXTEEN, _SIXTY_THREE, _TWO = U(6), U(7), U(12), U(16), U(63), U(2)


def _targets() -> NDArray[np.uint8]:
    """[64 * 64]: by square of origin (a1 = 0) and plane below 64, the square that is reached, or OFF_BOARD."""
    table = np.full(64 * 64, OFF_BOARD, np.uint8)
    for square in range(64):
        for plane, (dx, dy) in enumerate(STEPS):
            x, y = square % 8 + dx, square // 8 + dy
            if 0 <= x < 8 and 0 <= y < 8:
                table[64 * square + plane] = 8 * y + x
    table.setflags(write=False)
    return table


def _actions() -> NDArray[np.uint16]:
    """[64 * 64]: by squares of origin and target (a1 = 0) the action, or ACTIONS where no piece moves so."""
    table = np.full(64 * 64, ACTIONS, np.uint16)
    for square in range(64):
        for plane in range(64):
            if (to := int(TARGET[64 * square + plane])) != OFF_BOARD:
                table[64 * square + to] = (square ^ 56) * PLANES + plane
    table.setflags(write=False)
    return table


TARGET: NDArray[Any] = _targets()
ACTION: NDArray[Any] = _actions()
assert np.count_nonzero(ACTION != ACTIONS) == 1792


@kernel
def action_of(move, chess960):
    """The action (uint64) of a legal move."""
    origin, to, flag = move & _SIXTY_THREE, (move >> _SIX) & _SIXTY_THREE, move >> _TWELVE
    if flag >= TO_KNIGHT and flag <= TO_ROOK:
        return (origin ^ _FLIP) * _PLANES + _UNDER + _THREE * (to - origin - _SEVEN) + (flag - TO_KNIGHT)
    if flag == CASTLE and not chess960:
        to = origin + _TWO if to > origin else origin - _TWO
    return U(ACTION[(origin << _SIX) | to])


@kernel
def move_of(w, b, action, chess960):
    """The move (uint64) that a legal `action` (uint64) means in the row at `b`."""
    origin, plane = (action // _PLANES) ^ _FLIP, action % _PLANES
    if plane >= _UNDER:
        plane -= _UNDER
        to = origin + _SEVEN + plane // _THREE
        return origin | (to << _SIX) | ((TO_KNIGHT + plane % _THREE) << _TWELVE)
    to = U(TARGET[(origin << _SIX) | plane])
    flag = QUIET
    if (w[b + PAWNS] >> origin) & ONE != ZERO:
        if (RANK_8 >> to) & ONE != ZERO:
            flag = TO_QUEEN
        elif to == origin + _SIXTEEN:
            flag = DOUBLE
        elif to == w[b + META] & EP_BITS:
            flag = EN_PASSANT
    elif (w[b + KINGS] >> origin) & ONE != ZERO:
        if chess960:
            if (w[b + OWN] >> to) & ONE != ZERO:
                flag = CASTLE
        elif to == origin + _TWO:
            to = lsb(w[b + CASTLING] & RANK_1 & ~((ONE << to) - ONE))
            flag = CASTLE
        elif to + _TWO == origin:
            to = lsb(w[b + CASTLING] & RANK_1)
            flag = CASTLE
    return origin | (to << _SIX) | (flag << _TWELVE)
