"""Random play to the end, for games without a kernel of their own for it."""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Game, States
from sakiyomi.boards.random import pick


def rollout_by_playing(game: Game, states: States, rng: NDArray[np.uint64]) -> NDArray[np.float32]:
    """`Game.rollout`: [B] results of uniform random play from `states`, which stay as they are; `rng` [B] moves on."""
    states = states.copy()
    while True:
        legal = game.legal(states)
        rows = np.flatnonzero(legal.any(axis=1))
        if not rows.size:
            return game.result(states)
        moved, counters = states[rows], rng[rows]
        game.play(moved, pick(legal[rows], counters))
        states[rows], rng[rows] = moved, counters
