"""Counting the patterns of recorded games: rings around all candidates, diamonds around and behind played moves."""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.answers import diamond_at, ring_at, slot_point
from sakiyomi.agents.alphago.candidates import seen_by
from sakiyomi.agents.alphago.following import may_play
from sakiyomi.agents.alphago.pattern_board import ARRAYS, CLASSES, FOUR, place, settle
from sakiyomi.agents.alphago.pattern_setup import set_up
from sakiyomi.agents.alphago.patterns import (
    ARC_CODES,
    ARCS,
    STONE,
    TWELVE,
    canonical,
    least_slot,
    ring_index,
)
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.chains import FOUR as FOUR_BITS
from sakiyomi.boards.go.chains import ONE, TWO, ZERO
from sakiyomi.boards.go.rules import padded_point
from sakiyomi.boards.kernel import kernel

U = np.uint64


def most_frequent_rings(counts: NDArray[np.int64], most: int, least: int) -> NDArray[np.uint64]:
    """The canonical rings that occur most often, ascending: at most `most`, each `least` times or more.

    `counts` [ARCS * ARCS] are by `ring_index`, of rings in any orientation.
    """
    met = np.flatnonzero(counts)
    low, high = np.divmod(met, int(ARCS))
    rings = np.empty(len(met), np.uint64)
    make_canonical(ARC_CODES[low] | ARC_CODES[high] << TWELVE, rings)
    kinds, which = np.unique(rings, return_inverse=True)
    totals = np.bincount(which, counts[met], len(kinds)).astype(np.int64)
    order = np.lexsort((kinds, -totals))[:most]
    return np.sort(kinds[order[totals[order] >= least]])


@kernel
def make_canonical(codes, out):
    """The canonical form of each code."""
    for i in range(codes.shape[0]):
        out[i], _ = canonical(codes[i])


@kernel
def count_rings(m, S, P, width, height, side, ko, rings, counts):
    """Add one for the ring of each candidate."""
    for y in range(height):
        for x in range(width):
            p = (U(y) + ONE) * S + U(x) + ONE
            if U(m[CLASSES * P + p]) == ZERO and p != ko:
                index = ring_index(seen_by(ring_at(m, P, p), side))
                if rings[index] >= 0:
                    counts[index] += 1


@kernel
def response_code(m, S, P, side, last, p):
    """1 + the canonical response that p is to the previous move; 0 if it is none."""
    if last == ZERO or U(m[CLASSES * P + last]) & STONE == ZERO:
        return ZERO
    code = seen_by(diamond_at(m, S, P, last), side)
    for slot in range(12):
        if (code >> U(3 * slot)) & U(7) == ZERO and slot_point(last, slot, S) == p:
            least, _ = canonical(code)
            return ONE + (least << FOUR_BITS | least_slot(code, U(slot)))
    return ZERO


@kernel
def count_rows(start, stop, w, b8, row_bytes, recent, width, height, moves, offsets, rings, counts, answers, centres):
    """Count the rings of games start..stop; note in `answers` and `centres` [M] 1 + the codes that each move plays."""
    w = borrow(w)
    S = width + ONE
    P = (height + TWO) * S + ONE
    memory = np.empty(U(ARRAYS) * P, np.uint32)
    m = borrow(memory)
    for i in range(start, stop):
        side, ko, last = set_up(m, w, (U(i) * row_bytes) >> ONE, S, P)
        for k in range(offsets[i], offsets[i + 1]):
            p = padded_point(U(moves[k]), width, height)
            if p != ZERO and not may_play(m, S, P, p, side, ko):
                break
            if p != ZERO:
                count_rings(m, S, P, width, height, side, ko, rings, counts)
                answers[k] = response_code(m, S, P, side, last, p)
                code, _ = canonical(seen_by(diamond_at(m, S, P, p), side))
                centres[k] = ONE + code
                ko, _, changed = place(m, S, P, p, side)
                settle(m, P, changed)
            else:
                ko = ZERO
            last = p
            side ^= FOUR
    memory[ZERO] = 0  # a last use, which keeps the memory until here
