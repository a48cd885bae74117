"""The record of a Go position: one row of 16-bit words that the hot loops copy, then the history behind it.

A board of W columns and H rows is kept with one shared border column, so that p-1, p+1, p-S and p+S are the
neighbours of any point p without a bounds test (S = W + 1; `#` is wall):

    # # # # #          p = (y + 1) * S + x + 1      for column x, row y, both from 0 at the top left
    # . . .            P = (H + 2) * S + 1          padded points
    # . . .
    # # # # #          action = y * W + x;  pass = W * H

The board arrays stand one after the other in the words, each P long: array k of row b begins at b + HEAD + k * P.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import States

U = np.uint64
EMPTY, BLACK, WHITE, WALL = U(0), U(1), U(2), U(3)  # the opponent of c is c ^ 3

# Words of the head, by index.
HEAD = U(16)
TURN, PLY, PASSES, KO, EMPTIES, TAKEN_BLACK, TAKEN_WHITE, LAST, HANDICAP = (U(i) for i in range(9))

# Board arrays, by number k.
COLOUR = U(0)  # EMPTY, BLACK, WHITE or WALL
CHAIN = U(1)  # the head of the chain that a stone belongs to; 0 off the board and where empty
NEXT = U(2)  # the next stone of the chain, in a ring
LIBERTIES = U(3)  # of a head: pseudo-liberties, an empty point counted once for each stone that touches it
VACANT = U(4)  # the empty points in any order, EMPTIES of them
PLACE = U(5)  # of an empty point: its index in VACANT
AROUND = U(6)  # of any point: neighbours that are black (or wall), white (or wall), empty; packed 4 bits each
ARRAYS = 7

# AROUND's units: a wall counts as both colours, so that an eye is "4 of mine" everywhere.
BLACK_UNIT, WHITE_UNIT, EMPTY_UNIT = U(1), U(16), U(256)

RECENT = 8  # boards kept for observation planes
FILTER_WORDS = 64  # 64-bit words of the filter before the superko search


@dataclass(frozen=True)
class Layout:
    """Sizes and views for one board size; two layouts of different size live side by side."""

    width: int
    height: int
    max_plies: int

    @property
    def area(self) -> int:
        """Points of the board."""
        return self.width * self.height

    @property
    def stride(self) -> int:
        """S: padded points from one row to the next."""
        return self.width + 1

    @property
    def padded(self) -> int:
        """P: padded points."""
        return (self.height + 2) * self.stride + 1

    @cached_property
    def hot(self) -> int:
        """Words that a playout copies."""
        return int(HEAD) + ARRAYS * self.padded

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Of one position; `history` holds the Zobrist key of each position since the start or the set-up."""
        names = ["turn", "ply", "passes", "ko", "empties", "taken_black", "taken_white", "last", "handicap"]
        arrays = ["colour", "chain", "next", "liberties", "vacant", "place", "around"]
        recent = RECENT * self.area
        return np.dtype(
            (
                np.record,
                [
                    *((name, np.uint16) for name in names),
                    ("_head", np.uint16, int(HEAD) - len(names)),
                    *((name, np.uint16, self.padded) for name in arrays),
                    ("_hot", np.uint16, -self.hot % 4),
                    ("key", np.uint64),
                    ("seen", np.uint64),  # how many keys `history` holds
                    ("filter", np.uint64, FILTER_WORDS),
                    ("history", np.uint64, self.max_plies + 1),
                    ("recent", np.uint8, recent),  # boards after the last RECENT plies, ring by ply
                    ("_tail", np.uint8, -recent % 8),
                ],
            )
        )

    @cached_property
    def cold(self) -> int:
        """The index of `key` among the 64-bit words of a row."""
        return (self.hot + -self.hot % 4) // 4

    @cached_property
    def recent_byte(self) -> int:
        """The offset of `recent` among the bytes of a row."""
        return int(self.dtype.fields["recent"][1])  # type: ignore[index]

    @cached_property
    def points(self) -> NDArray[np.int64]:
        """[area], the padded point of each action but the pass."""
        y, x = np.divmod(np.arange(self.area), self.width)
        return (y + 1) * self.stride + x + 1

    @cached_property
    def empty(self) -> States:
        """[1], the empty board."""
        states: States = np.zeros(1, self.dtype)
        board = states[0]
        board.colour[:] = WALL
        board.colour[self.points] = EMPTY
        board.vacant[: self.area] = self.points
        board.place[self.points] = np.arange(self.area)
        board.empties = self.area
        around = np.zeros(self.padded, np.uint16)
        for step in (-1, 1, -self.stride, self.stride):
            wall = board.colour[self.points + step] == WALL
            around[self.points] += np.where(wall, BLACK_UNIT + WHITE_UNIT, EMPTY_UNIT).astype(np.uint16)
        board.around[:] = around
        board.liberties[0] = 1000  # the dummy chain of walls and empty points never runs out
        board.seen = 1  # the empty board, key 0
        board.filter[0] = 1
        return states

    def words(self, states: States) -> tuple[NDArray[np.uint16], NDArray[np.uint64], NDArray[np.uint8]]:
        """The rows' memory as flat 16-bit, 64-bit and 8-bit words."""
        return states.view(np.uint16), states.view(np.uint64), states.view(np.uint8)


def _zobrist() -> NDArray[np.uint64]:
    """[2 * 1024]: a 64-bit key for Black and one for White on each padded point, and from index 0 one for the turn."""
    keys = np.random.Generator(np.random.PCG64(0x60)).integers(1, 1 << 64, size=2 * 1024, dtype=np.uint64)
    assert len(set(keys.tolist())) == 2 * 1024
    keys.setflags(write=False)
    return keys


ZOBRIST = _zobrist()
TURN_KEY = ZOBRIST[0]
"""White to move; padded point 0 is wall, so the entry is free."""
