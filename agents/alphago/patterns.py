"""Local patterns of stones as numbers: the 3x3 ring around a point and the 12-point diamond, the same under symmetry.

Silver et al., Nature 529 (2016), Methods, "Rollout policy", and Extended Data Table 4: each point of a pattern is
empty, off the board, or a stone of some colour with 1, 2 or at least 3 liberties; eight classes, three bits each.

::

        8              slots of the diamond; the ring is slots 0 to 7, clockwise from the north.
      7 0 1            Slot k of a code is bits 3k to 3k + 2, so a ring has 24 bits and a diamond 36.
    11 6 . 2 9         (drawn wide: 11, 6, the centre, 2 and 9 are one line of the board)
      5 4 3
       10

A code is seen from Black's side; `swapped` gives White's. A quarter turn rotates the ring by two slots and the four
outer points by one, so that all eight symmetries are shifts and one table.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.dictionaries import Dictionary, dictionary
from sakiyomi.boards.kernel import kernel

U = np.uint64
EMPTY, BLACKS, OFF, WHITES = U(0), U(0), U(4), U(4)  # classes: BLACKS or WHITES plus 1, 2 or 3 liberties is a stone
STONE = U(3)  # the bits of a class that are 0 for an empty point and off the board
ZERO, ONE, TWO, THREE, SIX, NINE = U(0), U(1), U(2), U(3), U(6), U(9)
TWELVE, EIGHTEEN, TWENTY_ONE, TWENTY_FOUR = U(12), U(18), U(21), U(24)
RING, FOUR_SLOTS, EVERY_SLOT = U(0xFFFFFF), U(0xFFF), U(0o111111111111)
STEPS = ((0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -2), (2, 0), (0, 2), (-2, 0))
"""Columns to the right and rows down of each slot."""


def _reversed_slots() -> NDArray[np.uint64]:
    """[4096]: four slots in the opposite order."""
    codes = np.arange(4096, dtype=np.uint64)
    parts = [(codes >> U(3 * k) & U(7)) << U(9 - 3 * k) for k in range(4)]
    table: NDArray[np.uint64] = np.bitwise_or.reduce(parts)
    return table


def _images() -> NDArray[np.uint8]:
    """[8, 12]: where each slot goes under symmetry s: mirrored left to right if s >= 4, then s % 4 quarter turns."""
    images = np.empty((8, 12), np.uint8)
    for s in range(8):
        for slot, (x, y) in enumerate(STEPS):
            to = (-x, y) if s >= 4 else (x, y)
            for _ in range(s % 4):
                to = (-to[1], to[0])
            images[s, slot] = STEPS.index(to)
    return images


def _arcs() -> NDArray[np.uint64]:
    """Four slots in a row of a ring that can occur, ascending: stones of a colour side by side are one chain.

    The points off the board, if any, are those that an edge takes away.
    """
    slots = np.arange(4096)[:, None] >> np.array([0, 3, 6, 9]) & 7
    left, right = slots[:, :3], slots[:, 1:]
    one_chain = ((left & 3) > 0) & ((right & 3) > 0) & ((left ^ right) & 4 == 0)
    whole = ~(one_chain & (left != right)).any(axis=1)
    off = ((slots == OFF) * np.array([1, 2, 4, 8])).sum(axis=1)
    by_edges = np.isin(off, [a | b | c for a in (0, 3) for b in (0, 14) for c in (0, 8)])
    return np.flatnonzero(whole & by_edges).astype(np.uint64)


REVERSED, IMAGES, ARC_CODES = _reversed_slots(), _images(), _arcs()
ARCS = U(len(ARC_CODES))
ARC_NUMBERS = np.zeros(4096, np.uint64)  # of a code of four slots: its number in ARC_CODES, 0 for one that cannot be
ARC_NUMBERS[ARC_CODES] = np.arange(ARCS)
for _table in (REVERSED, IMAGES, ARC_CODES, ARC_NUMBERS):
    _table.setflags(write=False)


@kernel
def swapped(code):
    """The code with black and white exchanged."""
    return code ^ (((code | (code >> ONE)) & EVERY_SLOT) << TWO)


@kernel
def turned(code):
    """The code after a quarter turn clockwise."""
    ring, outer = code & RING, code >> TWENTY_FOUR
    ring = ((ring << SIX) | (ring >> EIGHTEEN)) & RING
    return ring | ((((outer << THREE) | (outer >> NINE)) & FOUR_SLOTS) << TWENTY_FOUR)


@kernel
def mirrored(code):
    """The code with left and right exchanged."""
    ring = (REVERSED[code & FOUR_SLOTS] << TWELVE) | REVERSED[(code >> TWELVE) & FOUR_SLOTS]
    ring = ((ring << THREE) | (ring >> TWENTY_ONE)) & RING
    outer = REVERSED[code >> TWENTY_FOUR]
    return ring | ((((outer << THREE) | (outer >> NINE)) & FOUR_SLOTS) << TWENTY_FOUR)


@kernel
def canonical(code):
    """The least of the eight images of a code, and the number of a symmetry that leads there."""
    least, symmetry = code, ZERO
    image = code
    for s in range(U(1), U(8)):
        image = mirrored(code) if s == U(4) else turned(image)
        if image < least:
            least, symmetry = image, U(s)
    return least, symmetry


@kernel
def least_slot(code, slot):
    """The least image of a slot under those symmetries that bring the code to its canonical form."""
    least, _ = canonical(code)
    best = U(12)
    image = code
    for s in range(U(8)):
        if s > ZERO:
            image = mirrored(code) if s == U(4) else turned(image)
        if image == least:
            best = min(best, U(IMAGES[s, slot]))
    return best


@kernel
def ring_index(ring):
    """Where a ring's code stands in tables [ARCS * ARCS] of all that can occur."""
    return ARC_NUMBERS[ring & FOUR_SLOTS] * ARCS + ARC_NUMBERS[ring >> TWELVE]


@kernel
def playable(ring):
    """May Black play amid this ring: no suicide, and no single-point eye of his own filled? A ko is not seen."""
    breath, eye, lost, edge = False, True, 0, 0
    for slot in range(U(0), U(8), U(2)):
        side, corner = (ring >> (THREE * slot)) & U(7), (ring >> (THREE * slot + THREE)) & U(7)
        breath |= side == EMPTY or side == BLACKS + TWO or side == BLACKS + THREE or side == WHITES + ONE
        eye &= side != EMPTY and side <= OFF
        lost += int(corner > OFF)
        edge |= int(corner == OFF)
    return breath and not (eye and lost + edge < 2)


@kernel
def fill_ring_table(keys, first, table):
    """`Patterns.ring_table`: image by image of each canonical ring of `keys` [n], numbered from `first`."""
    for i in range(ARCS):
        for j in range(ARCS):
            ring = ARC_CODES[i] | (ARC_CODES[j] << TWELVE)
            table[i * ARCS + j] = 0 if playable(ring) else -1
    for k in range(keys.shape[0]):
        ring = keys[k]
        for s in range(8):
            if s > 0:
                ring = mirrored(keys[k]) if s == 4 else turned(ring)
            if table[ring_index(ring)] >= 0:
                table[ring_index(ring)] = first + k


# Numbers of the features that are no patterns; feature 0 is none.
RESPONSE, SAVE_ATARI, NEIGHBOUR, NAKADE, NAKADES, RESPONSES = 1, 2, 3, 11, 8192, 8203
DISTANCES = 17  # one stone apart, ..., 17 or more; to each of the two previous moves


@dataclass(frozen=True, eq=False)
class Patterns:
    """Which patterns have a weight of their own: canonical codes from the mover's side, uint64, ascending.

    `rings` [n] 3x3 patterns around a candidate; `responses` [m] diamonds around the previous move with the slot of the
    candidate, ``code << 4 | slot``; `diamonds` [d] around a candidate, for a tree policy alone.

    A policy's features are numbered: 0 none, RESPONSE, SAVE_ATARI, 8 from NEIGHBOUR, 8,192 from NAKADE, the responses
    from RESPONSES, the rings from `first_ring`; a tree policy goes on with `self_atari`, two times DISTANCES from
    `first_distance` and the diamonds from `first_diamond`. Raises ValueError for codes that do not ascend.
    """

    rings: NDArray[np.uint64]
    responses: NDArray[np.uint64]
    diamonds: NDArray[np.uint64] | None = None

    def __post_init__(self) -> None:
        for name in ("rings", "responses", "diamonds"):
            codes = getattr(self, name)
            if codes is None:
                continue
            if codes.dtype != np.uint64 or codes.ndim != 1 or (codes[1:] <= codes[:-1]).any():
                raise ValueError(f"the {name} of patterns are ascending uint64 [n], got {codes.dtype} {codes.shape}")

    @property
    def first_ring(self) -> int:
        """The feature of the first ring."""
        return RESPONSES + len(self.responses)

    @property
    def self_atari(self) -> int:
        """The feature of self-atari, the first of a tree policy's own: as many has a rollout policy."""
        return self.first_ring + len(self.rings)

    @property
    def first_distance(self) -> int:
        """The feature of being next to the previous move."""
        return self.self_atari + 1

    @property
    def first_diamond(self) -> int:
        """The feature of the first diamond around a candidate."""
        return self.first_distance + 2 * DISTANCES

    @property
    def features(self) -> int:
        """How many weights a policy of these patterns has."""
        return self.self_atari if self.diamonds is None else self.first_diamond + len(self.diamonds)

    @cached_property
    def ring_table(self) -> NDArray[np.int32]:
        """[ARCS * ARCS], by `ring_index`, for Black: the feature of a ring, 0 for none, -1 for one not `playable`."""
        table = np.empty(int(ARCS) ** 2, np.int32)
        fill_ring_table(self.rings, self.first_ring, table)
        return table

    @cached_property
    def response_rows(self) -> Dictionary:
        """Canonical diamond around the previous move -> row of `response_table`; row 0 is of all others."""
        codes = np.unique(self.responses >> U(4))
        return dictionary(codes, np.arange(1, len(codes) + 1, dtype=np.int32))

    @cached_property
    def response_table(self) -> NDArray[np.int32]:
        """[rows, 12]: the feature of a response by slot of the canonical diamond, 0 for none."""
        codes = np.unique(self.responses >> U(4))
        table = np.zeros((len(codes) + 1, 12), np.int32)
        for slot in range(12):  # slots that are the same under a symmetry of the pattern share the least one's feature
            least = np.array([least_slot(code, U(slot)) for code in codes], np.uint64)
            keys = codes << U(4) | least
            at = np.searchsorted(self.responses, keys)
            found = (at < len(self.responses)) & (self.responses[np.minimum(at, len(self.responses) - 1)] == keys)
            table[1:, slot] = np.where(found, RESPONSES + at, 0)
        return table

    @cached_property
    def diamond_features(self) -> Dictionary:
        """Canonical diamond around a candidate -> feature; empty for a rollout policy."""
        codes = np.zeros(0, np.uint64) if self.diamonds is None else self.diamonds
        return dictionary(codes, (self.first_diamond + np.arange(len(codes))).astype(np.int32))
