"""AlphaZero's 9 x 9 x 139 actions (Silver et al. 2018, supplement, table S3) and the moves that they stand for.

``action = square * 139 + plane``; squares are counted row by row from the top left of the board as the mover sees it,
his own camp at the bottom (for White the board is turned by half a turn): the order of the observation planes. The
square is the one that the piece leaves, for a drop the one that it reaches. The plane is

    0..63     a queen's move, 8 * direction + distance - 1, directions N NE E SE S SW W NW, N away from the mover
    64, 65    a knight's move, to the right and to the left
    66..131   the same with promotion
    132..138  the drop of a pawn, lance, knight, silver, gold, bishop, rook
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.bits import ZERO, U
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.state import DROP, FROM_SHIFT, PROMOTES, SQUARE_BITS

PLANES = 139
ACTIONS = 81 * PLANES
PROMOTION, DROPS = 66, 132
OFF_BOARD = 127
DIRECTIONS = [(0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1)]
STEPS = [(dx * far, dy * far) for dx, dy in DIRECTIONS for far in range(1, 9)] + [(1, -2), (-1, -2)]
"""(columns, rows) of planes 0 to 65, as the mover sees the board."""

_PLANES, _PROMOTION, _DROPS, _SQUARES = U(PLANES), U(PROMOTION), U(DROPS), U(81)


def _views() -> NDArray[np.uint8]:
    """[2 * 81]: the number of a square as Black and as White sees it; the same table leads back by `_SQUARE`."""
    table = [9 * (square % 9) + 8 - square // 9 for square in range(81)]
    table += [80 - view for view in table]
    views = np.array(table, np.uint8)
    views.setflags(write=False)
    return views


def _squares() -> NDArray[np.uint8]:
    """[2 * 81]: the square by its number in a view."""
    squares = np.concatenate([np.argsort(VIEW[:81]), np.argsort(VIEW[81:])]).astype(np.uint8)
    squares.setflags(write=False)
    return squares


def _targets() -> NDArray[np.uint8]:
    """[81 * 66]: by view of the origin and plane, the view of the square that is reached, or OFF_BOARD."""
    table = np.full(81 * 66, OFF_BOARD, np.uint8)
    for view in range(81):
        for plane, (dx, dy) in enumerate(STEPS):
            x, y = view % 9 + dx, view // 9 + dy
            if 0 <= x < 9 and 0 <= y < 9:
                table[66 * view + plane] = 9 * y + x
    table.setflags(write=False)
    return table


def _planes() -> NDArray[np.uint8]:
    """[81 * 81]: by views of origin and target the plane below 66; OFF_BOARD where no piece moves so."""
    table = np.full(81 * 81, OFF_BOARD, np.uint8)
    for view in range(81):
        for plane in range(66):
            if (to := int(TARGET[66 * view + plane])) != OFF_BOARD:
                table[81 * view + to] = plane
    table.setflags(write=False)
    return table


VIEW: NDArray[Any] = _views()
SQUARE: NDArray[Any] = _squares()
TARGET: NDArray[Any] = _targets()
PLANE: NDArray[Any] = _planes()
assert np.count_nonzero(PLANE != OFF_BOARD) == 816 + 1296 + 112


@kernel
def action_of(move, side):
    """The action (uint64) of a legal move of `side`."""
    to, origin = U(VIEW[_SQUARES * side + (move & SQUARE_BITS)]), (move >> FROM_SHIFT) & SQUARE_BITS
    if origin >= DROP:
        return to * _PLANES + _DROPS + origin - DROP
    origin = U(VIEW[_SQUARES * side + origin])
    plane = U(PLANE[_SQUARES * origin + to])
    if move & PROMOTES != ZERO:
        plane += _PROMOTION
    return origin * _PLANES + plane


@kernel
def move_of(action, side):
    """The move (uint64) that a legal `action` (uint64) of `side` means."""
    view, plane = action // _PLANES, action % _PLANES
    square = U(SQUARE[_SQUARES * side + view])
    if plane >= _DROPS:
        return square | ((DROP + plane - _DROPS) << FROM_SHIFT)
    flag = ZERO
    if plane >= _PROMOTION:
        plane -= _PROMOTION
        flag = PROMOTES
    to = U(SQUARE[_SQUARES * side + U(TARGET[_PROMOTION * view + plane])])
    return to | (square << FROM_SHIFT) | flag
