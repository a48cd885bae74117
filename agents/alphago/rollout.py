"""The rollout policy: a linear softmax over local patterns, and games played to the end by it.

Silver et al., Nature 529 (2016), Methods, "Rollout policy", and Extended Data Table 4. Start with `candidates.py` for
what a move's features are, then `rollout_kernels.py` for how a game keeps them.

Departures, where the paper does not say: a stone is saved from atari only if the previous move put it there, a nakade
is the shape of one chain of 3 to 6 stones just taken, and nobody fills own single-point eyes.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.candidates import ROLLOUT_KINDS, Tables, tables_of
from sakiyomi.agents.alphago.patterns import (
    ARCS,
    NAKADE,
    NAKADES,
    NEIGHBOUR,
    RESPONSE,
    SAVE_ATARI,
    Patterns,
)
from sakiyomi.agents.alphago.policy_files import check_weights, load_policy, save_policy
from sakiyomi.agents.alphago.reading import chances
from sakiyomi.agents.alphago.rollout_kernels import Factors, fill_ring_factors, rollout_rows
from sakiyomi.boards import rows
from sakiyomi.boards.batches import counters, ready
from sakiyomi.boards.game import Ending, States
from sakiyomi.boards.go import Go

U = np.uint64
GRAIN = 4  # rollouts that one thread takes at least


@dataclass(frozen=True, eq=False)
class RolloutPolicy:
    """p_pi: `weights` float32 [patterns.features] by feature, the first of them 0. Raises ValueError for others."""

    patterns: Patterns
    weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.patterns.diamonds is not None:
            raise ValueError("a rollout policy's patterns have no diamonds; those are a tree policy's")
        check_weights(self.patterns, self.weights)

    @cached_property
    def tables(self) -> Tables:
        """The patterns for kernels."""
        return tables_of(self.patterns)

    @cached_property
    def factors(self) -> Factors:
        """The weights for rollouts."""
        rings = np.empty(2 * int(ARCS) ** 2, np.uint32)
        fill_ring_factors(self.tables.rings, self.weights, rings)
        responses = self.tables.responses
        factors = np.exp(self.weights[responses] + self.weights[RESPONSE], dtype=np.float32)
        others = np.exp(self.weights[: NAKADE + NAKADES], dtype=np.float32)
        return Factors(
            rings,
            self.tables.response_slots,
            self.tables.response_rows,
            np.where(responses > 0, factors, np.float32(1)),
            others[NEIGHBOUR:NAKADE].copy(),
            others[NAKADE:].copy(),
            float(others[SAVE_ATARI]),
        )

    def move_probabilities(self, game: Go, states: States) -> NDArray[np.float32]:
        """[B, A], the chance of each action, from the features of each position alone: none of a rollout's memory.

        Own single-point eyes are not filled and superko is not seen; the pass has chance 1 where nothing else is left.
        """
        return chances(game, states, self.tables, self.weights, ROLLOUT_KINDS)

    def save(self, path: Path) -> None:
        """Write the policy to the file `path`, as safetensors."""
        save_policy(path, self.patterns, self.weights)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote. Raises ValueError for a file that holds no rollout policy."""
        return cls(*load_policy(path))


def rollouts(game: Go, states: States, policy: RolloutPolicy, rng: NDArray[np.uint64]) -> NDArray[np.float32]:
    """[B] results of one rollout from each state, +1 a win for Black, counted by area with the game's komi.

    `states` stay; `rng` [B], the rows' random states (`boards.random.seeds`), move on, and a row's result depends on
    its own alone. Rows are spread over the threads of `boards.rows`. A rollout ends by two passes, which come when no
    candidate is left, or after three plies a point; superko is left aside. Of a game that is over it is the result.
    """
    margins, _ = rollout_margins(game, states, policy, rng)
    results = np.sign(margins - _komi(game, states)).astype(np.float32)
    over = game.ending(states) != Ending.ONGOING
    if over.any():
        results[over] = game.result(states[over])
    return results


def rollout_margins(
    game: Go, states: States, policy: RolloutPolicy, rng: NDArray[np.uint64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Black's area less White's after one rollout from each state, and its plies: two [B]. See `rollouts`."""
    states = ready(states, game.dtype)
    margins, plies = np.empty((2, len(states)), np.int32)
    words, _, b8 = game.layout.words(states)
    places = U(game.dtype.itemsize), U(game.layout.recent_byte), U(game.layout.width), U(game.layout.height)
    rng = counters(rng, len(states))
    rows.run(rollout_rows, len(states), GRAIN, words, b8, *places, policy.factors, rng, margins, plies)
    return margins, plies


def _komi(game: Go, states: States) -> NDArray[np.float64]:
    """[B], what White has in advance: what the empty board scores, with each state's handicap."""
    handicaps, which = np.unique(states["handicap"], return_inverse=True)
    blank = game.new(len(handicaps))
    blank["handicap"] = handicaps
    return -game.score(blank)[which]
