"""Where pieces go on an empty board, and the squares between; every board is two words, `lo` and `hi` (see `state`).

A table of boards is flat: the board of entry i are its words 2 * i and 2 * i + 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

U = np.uint64
LOW = (1 << 63) - 1
FULL_LO, FULL_HI = U(LOW), U((1 << 18) - 1)

# Steps are (files, ranks) for Black, who moves towards lower ranks; White's are turned.
PAWN_STEPS = [(0, -1)]
KNIGHT_STEPS = [(-1, -2), (1, -2)]
SILVER_STEPS = [(0, -1), (-1, -1), (1, -1), (-1, 1), (1, 1)]
GOLD_STEPS = [(0, -1), (-1, -1), (1, -1), (-1, 0), (1, 0), (0, 1)]
KING_STEPS = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y]
# Rays: the first four lead to higher squares, the others are their opposites.
RAYS = [(0, 1), (1, 0), (1, 1), (1, -1), (0, -1), (-1, 0), (-1, -1), (-1, 1)]
DOWN, LEFT, DOWN_LEFT, UP_LEFT, UP, RIGHT, UP_RIGHT, DOWN_RIGHT = (U(81 * i) for i in range(8))
"""First entry of each ray in `RAY`; files grow to the left, ranks downwards."""


def _frozen(boards: list[int]) -> NDArray[np.uint64]:
    table = np.array([word for board in boards for word in (board & LOW, board >> 63)], np.uint64)
    table.setflags(write=False)
    return table


def _reach(square: int, steps: list[tuple[int, int]], far: bool = False) -> int:
    board = 0
    for dx, dy in steps:
        x, y = square // 9 + dx, square % 9 + dy
        while 0 <= x < 9 and 0 <= y < 9:
            board |= 1 << (9 * x + y)
            if not far:
                break
            x, y = x + dx, y + dy
    return board


def _both_sides(steps: list[tuple[int, int]], far: bool = False) -> NDArray[np.uint64]:
    """Entry ``81 * side + square``."""
    turned = [(-x, -y) for x, y in steps]
    return _frozen([_reach(square, way, far) for way in (steps, turned) for square in range(81)])


def _through() -> NDArray[np.uint64]:
    """Entry ``81 * a + b``: the squares between a and b on a line, and b itself; b alone where no line joins them."""
    boards = [1 << b for _ in range(81) for b in range(81)]
    for a in range(81):
        for dx, dy in RAYS:
            x, y, passed = a // 9 + dx, a % 9 + dy, 0
            while 0 <= x < 9 and 0 <= y < 9:
                passed |= 1 << (9 * x + y)
                boards[81 * a + 9 * x + y] = passed
                x, y = x + dx, y + dy
    return _frozen(boards)


def _ranks(ranks: range) -> int:
    return sum(1 << (9 * file + rank) for file in range(9) for rank in ranks)


def _by_side(ranks: int) -> NDArray[np.uint64]:
    """Two entries: the first, or for White the last, `ranks` ranks."""
    return _frozen([_ranks(range(ranks)), _ranks(range(9 - ranks, 9))])


PAWN_TO, KNIGHT_TO, SILVER_TO, GOLD_TO = map(_both_sides, (PAWN_STEPS, KNIGHT_STEPS, SILVER_STEPS, GOLD_STEPS))
LANCE_RAY = _both_sides(PAWN_STEPS, far=True)
KING_TO = _frozen([_reach(square, KING_STEPS) for square in range(81)])
RAY = _frozen([_reach(square, [ray], far=True) for ray in RAYS for square in range(81)])
DIAGONALS = _frozen([_reach(square, [ray for ray in RAYS if all(ray)], far=True) for square in range(81)])
ORTHOGONALS = _frozen([_reach(square, [ray for ray in RAYS if not all(ray)], far=True) for square in range(81)])
THROUGH = _through()
FILE = _frozen([0x1FF << (9 * (square // 9)) for square in range(81)])
ZONE, LAST, LAST_TWO = _by_side(3), _by_side(1), _by_side(2)
"""By side: where pieces promote; where pawns and lances, and where knights, cannot stay as they are."""
TOPS, LOWS = (U(sum(bits << (9 * file) for file in range(7))) for bits in (0x100, 0xFF))
"""In each file the lowest square; all others."""

_pops: Any = np.bitwise_count
assert _pops(KING_TO).sum() == 544
assert _pops(GOLD_TO).sum() == 2 * 416
assert _pops(SILVER_TO).sum() == 2 * 328
assert _pops(RAY).sum() == _pops(DIAGONALS).sum() + _pops(ORTHOGONALS).sum() == 816 + 1296
