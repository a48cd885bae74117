"""Uniformly random games to their end, on a copy of the row; the recent positions are not kept up."""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, below, mix
from sakiyomi.boards.shogi.make import make
from sakiyomi.boards.shogi.movegen import list_moves
from sakiyomi.boards.shogi.rules import judge_repetition, played, verdict
from sakiyomi.boards.shogi.state import (
    BLACK_LOSES,
    META,
    MOST_MOVES,
    NO_VERDICT,
    RECENTS,
    STATUS,
    WHITE_LOSES,
    WORDS,
)


@kernel
def finish(w, b, limit, moves, counter):
    """Play the row at `b` to its end: plies played, whether the player then to move has no move, the random state."""
    plies = ZERO
    while verdict(w, b) == NO_VERDICT:
        count = list_moves(w, b, moves, ZERO)
        if count == ZERO:
            return plies, True, counter
        if played(w, b) >= limit:
            break
        make(w, b, b, U(moves[below(mix(counter), count)]))
        counter += GAMMA
        w[b + STATUS] = judge_repetition(w, b)
        plies += ONE
    return plies, False, counter


@kernel
def rollout_rows(start, stop, w, limit, rng, out, plies):
    """`out` int8 [B]: 1, 0 or -1 for Black; `plies` int64 [B]; `rng` uint64 [B] moves on."""
    row_memory, move_memory = np.empty(WORDS, np.uint64), np.empty(MOST_MOVES, np.uint16)
    w, row, moves = borrow(w), borrow(row_memory), borrow(move_memory)
    for i in range(start, stop):
        b = U(i) * WORDS
        for j in range(RECENTS):
            row[U(j)] = w[b + U(j)]
        count, stuck, counter = finish(row, ZERO, limit, moves, rng[i])
        rng[i] = counter
        plies[i] = count
        out[i] = 0
        if stuck:
            out[i] = 1 if row[META] & ONE != ZERO else -1
        elif verdict(row, ZERO) == WHITE_LOSES:
            out[i] = 1
        elif verdict(row, ZERO) == BLACK_LOSES:
            out[i] = -1
    row_memory[ZERO] = ZERO  # last uses, which keep the memory until here
    move_memory[ZERO] = 0
