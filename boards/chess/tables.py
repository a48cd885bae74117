"""Where pieces attack on an empty board, and the squares between; square a1 = 0, h1 = 7, h8 = 63."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

U = np.uint64
Table = NDArray[np.uint64]

FILE_A, FILE_H = U(0x0101010101010101), U(0x8080808080808080)
NOT_A, NOT_H = ~FILE_A, ~FILE_H
NOT_AB, NOT_GH = U(0xFCFCFCFCFCFCFCFC), U(0x3F3F3F3F3F3F3F3F)
RANK_1, RANK_3, RANK_8 = U(0xFF), U(0xFF0000), U(0xFF00000000000000)
LIGHT = U(0x55AA55AA55AA55AA)  # light squares


def _frozen(values: Any, dtype: type = np.uint64) -> NDArray[Any]:
    table: NDArray[Any] = np.array(values, dtype)
    table.setflags(write=False)
    return table


def _reach(square: int, steps: list[tuple[int, int]], far: bool = False) -> int:
    """The squares that lie one step (dx, dy) away, or any number of steps."""
    board = 0
    for dx, dy in steps:
        x, y = square % 8 + dx, square // 8 + dy
        while 0 <= x < 8 and 0 <= y < 8:
            board |= 1 << (8 * y + x)
            if not far:
                break
            x, y = x + dx, y + dy
    return board


def _each(steps: list[tuple[int, int]], far: bool = False) -> Table:
    return _frozen([_reach(square, steps, far) for square in range(64)])


def _through() -> Table:
    """[64 * 64]: the squares between a and b on a line, and b itself; b alone where no line joins them."""
    table = [1 << b for a in range(64) for b in range(64)]
    for a in range(64):
        for dx, dy in [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]:
            x, y, passed = a % 8 + dx, a // 8 + dy, 0
            while 0 <= x < 8 and 0 <= y < 8:
                passed |= 1 << (8 * y + x)
                table[64 * a + 8 * y + x] = passed
                x, y = x + dx, y + dy
    return _frozen(table)


def _rank_attacks() -> NDArray[np.uint8]:
    """[64 * 8]: a rook's attacks along its rank by the six inner squares' occupancy and its file."""
    table: list[int] = []
    for inner in range(64):
        for file in range(8):
            attacks = 0
            for step in (-1, 1):
                x = file + step
                while 0 <= x < 8:
                    attacks |= 1 << x
                    if inner << 1 >> x & 1:
                        break
                    x += step
            table.append(attacks)
    return _frozen(table, np.uint8)


KNIGHT = _each([(1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2)])
KING = _each([(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)])
PAWN = _each([(-1, 1), (1, 1)])  # of a pawn that goes up: as well the squares of enemy pawns that attack a square
RISING = _each([(1, 1), (-1, -1)], far=True)
FALLING = _each([(1, -1), (-1, 1)], far=True)
FILE = _each([(0, 1), (0, -1)], far=True)
RANK = _each([(1, 0), (-1, 0)], far=True)
DIAGONAL_RAYS = _frozen(RISING | FALLING)
ORTHOGONAL_RAYS = _frozen(FILE | RANK)
THROUGH = _through()
RANK_ATTACKS = _rank_attacks()

assert np.bitwise_count(KNIGHT).sum() == 336
assert np.bitwise_count(KING).sum() == 420
assert np.bitwise_count(DIAGONAL_RAYS).sum() == 560
assert np.bitwise_count(ORTHOGONAL_RAYS).sum() == 896
