"""Recorded games, position by position: how well weights foretell the moves, and steps towards foretelling better."""

import numpy as np

from sakiyomi.agents.alphago.candidates import describe, probabilities
from sakiyomi.agents.alphago.pattern_board import ARRAYS, CLASSES, FOUR, breaths, place, settle
from sakiyomi.agents.alphago.pattern_setup import placed_before, set_up, taken_before
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.chains import ONE, TWO, ZERO
from sakiyomi.boards.go.rules import padded_point
from sakiyomi.boards.kernel import kernel

U = np.uint64
POSITIONS, POSSIBLE, HITS, LOG_LIKELIHOOD = range(4)
TINY = 1e-8  # keeps the first step of a weight finite


@kernel
def may_play(m, S, P, p, side, ko):
    """Is p empty, no ko just taken and no suicide?"""
    return p != ko and U(m[CLASSES * P + p]) == ZERO and breaths(m, S, P, p, side) != ZERO


@kernel
def add_gradient(n, ids, chances, played, gradient):
    """Add the gradient of log p(played), the row of a candidate, to `gradient` [F]."""
    for i in range(n):
        error = (1.0 if i == played else 0.0) - chances[i]
        for kind in range(ids.shape[1]):
            gradient[ids[i, kind]] += error


@kernel
def step(n, ids, rate, weights, squares, gradient):
    """Move the weights up the gradient, each by its own step, and empty it; weight 0 stays."""
    gradient[0] = 0.0
    for i in range(n):
        for kind in range(ids.shape[1]):
            f = ids[i, kind]
            g = gradient[f]
            if g != 0.0:
                squares[f] += g * g
                weights[f] += rate * g / np.sqrt(squares[f] + TINY)
                gradient[f] = 0.0


@kernel
def first_best(n, chances):
    """The first of the likeliest candidates."""
    best = 0
    for i in range(1, n):
        if chances[i] > chances[best]:
            best = i
    return best


@kernel
def follow_rows(
    start,
    stop,
    w,
    b8,
    row_bytes,
    recent,
    width,
    height,
    moves,
    offsets,
    tables,
    weights,
    kinds,
    rate,
    squares,
    gradient,
    sums,
):
    """Go through games start..stop: learn if `rate` > 0, sum up the gradient [F] if it is negative, else measure.

    Adds to `sums` [4] positions, those whose move is a candidate, those foretold, and the log-likelihood.
    """
    w, b8 = borrow(w), borrow(b8)
    S = width + ONE
    P = (height + TWO) * S + ONE
    area = width * height
    memory = np.empty(U(ARRAYS) * P, np.uint32)
    m = borrow(memory)
    points, by_point, ids = np.empty(area, np.uint64), np.empty(P, np.int32), np.empty((area, kinds), np.int32)
    found = np.empty(area, np.float64)
    for i in range(start, stop):
        row = U(i) * row_bytes
        b = row >> ONE
        side, ko, last = set_up(m, w, b, S, P)
        taken = taken_before(m, b8, row + recent, w, b, S, P, width, height)
        before = placed_before(b8, row + recent, w, b, width, height)
        for k in range(offsets[i], offsets[i + 1]):
            p = padded_point(U(moves[k]), width, height)
            if p != ZERO and not may_play(m, S, P, p, side, ko):
                break
            if p != ZERO:
                n = describe(m, S, P, width, height, side, ko, last, before, taken, tables, points, by_point, ids)
                played = by_point[p]
                sums[POSITIONS] += 1.0
                if played >= 0:
                    probabilities(n, ids, weights, found)
                    sums[POSSIBLE] += 1.0
                    sums[HITS] += 1.0 if first_best(n, found) == played else 0.0
                    sums[LOG_LIKELIHOOD] += np.log(max(found[played], 1e-300))
                    if rate != 0.0:
                        add_gradient(n, ids, found, played, gradient)
                    if rate > 0.0:
                        step(n, ids, rate, weights, squares, gradient)
                ko, taken, changed = place(m, S, P, p, side)
                settle(m, P, changed)
            else:
                ko, taken = ZERO, ZERO
            before = last
            last = p
            side ^= FOUR
    memory[ZERO] = 0  # a last use, which keeps the memory until here
