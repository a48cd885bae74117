"""The features of every candidate move of a position, as numbers of weights: what policies are taught and read by.

A candidate is an empty point where the mover may play, suicide, an own single-point eye and a ko just taken excepted.
Each has at most one feature of a kind, so a position is an integer matrix [n, kinds] and a candidate's score the sum of
the weights that its row names (`Patterns` numbers them).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.answers import (
    MOST_SAVED,
    diamond_at,
    least_image,
    nakade_number,
    ring_at,
    saving_points,
    slot_point,
)
from sakiyomi.agents.alphago.dictionaries import find
from sakiyomi.agents.alphago.pattern_board import CLASSES, LEAST_NAKADE, MOST_NAKADE, TAKEN, breaths
from sakiyomi.agents.alphago.patterns import (
    DISTANCES,
    NAKADE,
    NEIGHBOUR,
    RESPONSE,
    SAVE_ATARI,
    STONE,
    Patterns,
    canonical,
    ring_index,
    swapped,
)
from sakiyomi.boards.go.chains import ONE, TWO, ZERO
from sakiyomi.boards.kernel import kernel

U = np.uint64
# Columns of the matrix of features, one a kind; the last four are a tree policy's alone.
RING, NEXT_TO, ANY_RESPONSE, THE_RESPONSE, SAVES, INSIDE, IN_ATARI, FROM_LAST, FROM_BEFORE, DIAMOND = range(10)
ROLLOUT_KINDS, TREE_KINDS = 6, 10


class Tables(NamedTuple):
    """What `Patterns` become for kernels."""

    rings: NDArray[np.int32]  # [ARCS * ARCS]
    response_slots: NDArray[np.uint64]
    response_rows: NDArray[np.int32]
    responses: NDArray[np.int32]  # [rows, 12]
    diamond_slots: NDArray[np.uint64]
    diamond_features: NDArray[np.int32]
    self_atari: int
    first_distance: int


def tables_of(patterns: Patterns) -> Tables:
    """The tables of `patterns`."""
    return Tables(
        patterns.ring_table,
        *patterns.response_rows,
        patterns.response_table,
        *patterns.diamond_features,
        patterns.self_atari,
        patterns.first_distance,
    )


@kernel
def seen_by(code, side):
    """The code from the side of the mover: 0 Black, 4 White."""
    return code if side == ZERO else swapped(code)


@kernel
def find_candidates(m, S, P, width, height, side, ko, rings, points, rows, ids):
    """List the candidates: `points` [n] and their ring features; `rows` [P] is a point's row, -1 for others."""
    n = 0
    for p in range(P):
        rows[p] = -1
    for y in range(height):
        for x in range(width):
            p = (U(y) + ONE) * S + U(x) + ONE
            if U(m[CLASSES * P + p]) != ZERO or p == ko:
                continue
            feature = rings[ring_index(seen_by(ring_at(m, P, p), side))]
            if feature < 0:
                continue
            for kind in range(ids.shape[1]):
                ids[n, kind] = 0
            points[n] = p
            rows[p] = n
            ids[n, RING] = feature
            n += 1
    return n


@kernel
def add_answers(m, S, P, side, last, taken, tables, rows, ids):
    """Add the features of candidates that answer the previous move, at `last`, which took `taken` stones."""
    if U(m[CLASSES * P + last]) & STONE == ZERO:
        return  # a pass, or a stone that took itself
    code, symmetry = canonical(seen_by(diamond_at(m, S, P, last), side))
    row = find(tables.response_slots, tables.response_rows, code)
    around = diamond_at(m, S, P, last)
    for slot in range(12):
        if (around >> U(3 * slot)) & U(7) != ZERO:
            continue
        at = rows[slot_point(last, slot, S)]
        if at < 0:
            continue
        if slot < 8:
            ids[at, NEXT_TO] = NEIGHBOUR + slot
        feature = tables.responses[row, least_image(symmetry, slot)]
        if feature > 0:
            ids[at, ANY_RESPONSE] = RESPONSE
            ids[at, THE_RESPONSE] = feature
    saved = np.empty(MOST_SAVED, np.uint64)
    for k in range(saving_points(m, S, P, last, side, saved)):
        if rows[saved[k]] >= 0:
            ids[rows[saved[k]], SAVES] = SAVE_ATARI
    if taken >= LEAST_NAKADE and taken <= MOST_NAKADE:
        for k in range(taken):
            at = rows[m[TAKEN * P + U(k)]]
            if at >= 0:
                ids[at, INSIDE] = NAKADE + nakade_number(m, S, P, taken, k)


@kernel
def distance(p, q, S):
    """Manhattan distance of two padded points, 1 to DISTANCES."""
    S = np.int64(S)
    p, q = np.int64(p), np.int64(q)
    return max(1, min(abs(p % S - q % S) + abs(p // S - q // S), DISTANCES))


@kernel
def add_tree_features(m, S, P, side, last, before, tables, n, points, ids):
    """Add what only a tree policy looks at: self-atari, the distances to the last two moves, diamonds."""
    for i in range(n):
        p = points[i]
        if breaths(m, S, P, p, side) < TWO:
            ids[i, IN_ATARI] = tables.self_atari
        if last != ZERO:
            ids[i, FROM_LAST] = tables.first_distance + distance(p, last, S) - 1
        if before != ZERO:
            ids[i, FROM_BEFORE] = tables.first_distance + DISTANCES + distance(p, before, S) - 1
        code, _ = canonical(seen_by(diamond_at(m, S, P, p), side))
        ids[i, DIAMOND] = find(tables.diamond_slots, tables.diamond_features, code)


@kernel
def describe(m, S, P, width, height, side, ko, last, before, taken, tables, points, rows, ids):
    """All features of all candidates: `points` [n] and `ids` [n, kinds]. Returns n."""
    n = find_candidates(m, S, P, width, height, side, ko, tables.rings, points, rows, ids)
    if last != ZERO:
        add_answers(m, S, P, side, last, taken, tables, rows, ids)
    if ids.shape[1] == TREE_KINDS:
        add_tree_features(m, S, P, side, last, before, tables, n, points, ids)
    return n


@kernel
def probabilities(n, ids, weights, chances):
    """The softmax of the candidates' scores into `chances` [n]. Returns the logarithm of what was divided by."""
    most = -np.inf
    for i in range(n):
        score = 0.0
        for kind in range(ids.shape[1]):
            score += weights[ids[i, kind]]
        chances[i] = score
        most = max(most, score)
    total = 0.0
    for i in range(n):
        chances[i] = np.exp(chances[i] - most)
        total += chances[i]
    for i in range(n):
        chances[i] /= total
    return most + np.log(total)
