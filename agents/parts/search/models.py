"""What lies behind an edge: `RulesModel` asks the rules of a game and a network."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Ending, Game, States

Evaluate = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Observations [n, C, Y, X] -> logits [n, A] and values [n] for the player to move, -1 to 1."""


@dataclass
class Leaves:
    """The leaves of one round, S of them, and what a model tells of them (all but the first four).

    `turns` is who moves; `rewards` is for who moved there and `discounts` what his opponent's or his own value is
    worth to him, 0 where the game is over.
    """

    nodes: NDArray[np.int32]  # [S], -1: none
    parents: NDArray[np.int32]  # [S], the nodes before them; says nothing of a root
    paths: NDArray[np.int32]  # [S, D] actions from the root
    lengths: NDArray[np.int32]  # [S]
    movers: NDArray[np.int32]  # [S], who made the last of them
    turns: NDArray[np.int32]  # [S]
    rewards: NDArray[np.float32]  # [S]
    discounts: NDArray[np.float32]  # [S]
    legal: NDArray[np.bool_]  # [S, A]
    rows: NDArray[np.int32]  # [S], which row of these is the leaf's; its own place, unless the model says otherwise
    logits: NDArray[np.float32]  # [m, A]
    values: NDArray[np.float32]  # [m]

    @classmethod
    def of(cls, slots: int, depth: int, actions: int) -> "Leaves":
        """Empty ones."""
        return cls(
            np.full(slots, -1, np.int32),
            np.zeros(slots, np.int32),
            np.zeros((slots, depth), np.int32),
            np.zeros(slots, np.int32),
            np.zeros(slots, np.int32),
            np.zeros(slots, np.int32),
            np.zeros(slots, np.float32),
            np.zeros(slots, np.float32),
            np.zeros((slots, actions), np.bool_),
            np.arange(slots, dtype=np.int32),
            np.zeros((slots, actions), np.float32),
            np.zeros(slots, np.float32),
        )


class Model(Protocol):
    """Tells what lies at the leaves of a round."""

    @property
    def num_actions(self) -> int: ...  # noqa: D102 A

    def look(self, leaves: Leaves) -> int:
        """Fill in `leaves`; returns how many of them the network valued."""
        ...


class RulesModel:
    """Roots [S] that are positions of `game`, its rules, and a network.

    A leaf where the game is over is worth its result and needs no network. `seconds` sums what was spent on rules
    ("encode") and network ("network").
    """

    def __init__(self, game: Game, evaluate: Evaluate, slots: int):
        self.game, self.evaluate = game, evaluate
        self.roots: States = game.new(slots)
        self.allowed: NDArray[np.bool_] | None = None
        """[S, A]: to which actions the roots are restricted; None: to none."""
        self.seconds = {"encode": 0.0, "network": 0.0}

    @property
    def num_actions(self) -> int:
        """A."""
        return self.game.num_actions

    def look(self, leaves: Leaves) -> int:
        """As `Model.look`."""
        started = perf_counter()
        game = self.game
        states = game.replay(self.roots, leaves.paths, leaves.lengths)
        over = game.ending(states) != Ending.ONGOING
        leaves.legal[:] = game.legal(states)
        if self.allowed is not None:
            at_root = leaves.lengths == 0
            leaves.legal[at_root] &= self.allowed[at_root]
        turns = game.turn(states).astype(np.int32)
        leaves.turns[:] = turns
        results = game.result(states)
        leaves.rewards[:] = np.where(over, np.where(leaves.movers == 0, results, -results), 0)
        leaves.discounts[:] = np.where(over, 0, np.where(turns == leaves.movers, 1, -1))
        asked = np.flatnonzero((leaves.nodes >= 0) & ~over)
        observations: NDArray[Any] = game.observe(states if len(asked) == len(states) else states[asked])
        self.seconds["encode"] += perf_counter() - started
        if len(asked):
            started = perf_counter()
            logits, values = self.evaluate(observations)
            leaves.rows[asked] = np.arange(len(asked))
            leaves.logits = np.require(logits, np.float32, ["C", "W"])  # as the kernels were compiled for
            leaves.values = np.require(values, np.float32, ["C", "W"])
            self.seconds["network"] += perf_counter() - started
        return len(asked)
