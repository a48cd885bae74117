"""Chances of moves in whole positions, by the weights of a rollout policy or a tree policy."""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.candidates import Tables, describe, probabilities
from sakiyomi.agents.alphago.pattern_board import ARRAYS
from sakiyomi.agents.alphago.pattern_setup import placed_before, set_up, taken_before
from sakiyomi.boards import rows
from sakiyomi.boards.batches import ready
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go
from sakiyomi.boards.go.chains import ONE, TWO, ZERO
from sakiyomi.boards.kernel import kernel

U = np.uint64
GRAIN = 16  # positions that one thread takes at least


def chances(game: Go, states: States, tables: Tables, weights: NDArray[np.float32], kinds: int) -> NDArray[np.float32]:
    """[B, A], the softmax of the candidates' scores over `kinds` kinds of features; a pass where there is none."""
    states = ready(states, game.dtype)
    out = np.zeros((len(states), game.num_actions), np.float32)
    words, _, b8 = game.layout.words(states)
    places = U(game.dtype.itemsize), U(game.layout.recent_byte), U(game.layout.width), U(game.layout.height)
    rows.run(chance_rows, len(states), GRAIN, words, b8, *places, tables, weights, kinds, out)
    return out


@kernel
def chance_rows(start, stop, w, b8, row_bytes, recent, width, height, tables, weights, kinds, out):
    """Fill rows start..stop of `out` [B, A]."""
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
        n = describe(m, S, P, width, height, side, ko, last, before, taken, tables, points, by_point, ids)
        if n == 0:
            out[i, area] = 1.0
            continue
        probabilities(n, ids, weights, found)
        for k in range(n):
            p = points[k]
            y = p // S - ONE
            out[i, y * width + p - (y + ONE) * S - ONE] = found[k]
    memory[ZERO] = 0  # a last use, which keeps the memory until here
