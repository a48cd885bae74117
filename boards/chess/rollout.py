"""Uniformly random games to their end, on a copy of the words and keys; the recent boards are not kept up."""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.chess.make import make
from sakiyomi.boards.chess.perft import list_row
from sakiyomi.boards.chess.rules import drawn_by_rule, in_check, recent_slot, remember_key
from sakiyomi.boards.chess.state import META, MOST_MOVES, RECENTS, TURN_SHIFT, WORDS
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, below, mix

_SEVEN = U(7)


@kernel
def finish(w, b, moves, before, counter):
    """Play the row at `b` to its end: plies played, whether the player then to move is mated, the random state."""
    plies = ZERO
    while not drawn_by_rule(w, b, before):
        count = list_row(w, b, moves, ZERO)
        if count == ZERO:
            return plies, in_check(w, b), counter
        make(w, b, b, U(moves[below(mix(counter), count)]))
        counter += GAMMA
        before = remember_key(w, b)
        plies += ONE
    return plies, False, counter


@kernel
def rollout_rows(start, stop, w, rng, out, plies):
    """`out` int8 [B]: 1, 0 or -1 for White; `plies` int64 [B]; `rng` uint64 [B] moves on."""
    row_memory, move_memory = np.empty(WORDS, np.uint64), np.empty(MOST_MOVES, np.uint16)
    w, row, moves = borrow(w), borrow(row_memory), borrow(move_memory)
    for i in range(start, stop):
        b = U(i) * WORDS
        for j in range(RECENTS):
            row[U(j)] = w[b + U(j)]
        played, mated, counter = finish(row, ZERO, moves, w[recent_slot(w, b, ZERO) + _SEVEN], rng[i])
        rng[i] = counter
        plies[i] = played
        out[i] = 0
        if mated:
            out[i] = 1 if (row[META] >> TURN_SHIFT) & ONE != ZERO else -1
    row_memory[ZERO] = ZERO  # last uses, which keep the memory until here
    move_memory[ZERO] = 0
