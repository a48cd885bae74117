"""UCT: Monte Carlo tree search with rollouts, for any game.

L. Kocsis and C. Szepesvári, "Bandit based Monte-Carlo planning", ECML 2006: a tree grown by UCB1 at every node, each
new leaf valued by one random game. Several leaves are gathered before the rules and rollouts run on them as a batch,
with virtual losses between (G. Chaslot et al., "Parallel Monte-Carlo tree search", CG 2008).

Departure: a move that wins at once is played without a search, and moves that the game holds senseless
(`Game.sensible`, for Go the filling of own eyes) are not tried.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.tree import Tree, back_up, select
from sakiyomi.boards.game import Ending, Game, States
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position
from sakiyomi.boards.random import seeds

DEEPEST = 512  # plies that a descent goes at the most


@dataclass(frozen=True)
class Choice:
    """What a search found at its root, by action: visits int [A], mean result for the player to move [A]."""

    best: int  # the action visited most; of equals the one of greater value, of those a random one
    visits: NDArray[np.int64]
    values: NDArray[np.float64]


class UCTPlayer:
    """Plays the most visited move of a UCT search of `simulations` rollouts, or of as many as a budget allows.

    `c` weighs exploration in results of -1 to 1. Raises ValueError for settings out of range.
    """

    def __init__(self, simulations: int = 1000, *, c: float = 0.7, name: str | None = None, seed: int | None = None):
        if simulations < 1:
            raise ValueError(f"uct needs at least 1 simulation, got {simulations}")
        if not c >= 0:
            raise ValueError(f"the exploration weight c must be 0 or more, got {c}")
        self.name = name or f"uct:{simulations}"
        self.simulations = simulations
        self.c = c
        self._rng = np.random.default_rng(seed)
        self._tree = Tree()

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Take the game's random numbers from `rng`."""
        self._rng = rng

    def close(self) -> None:
        """Nothing to give back."""

    def choose(self, position: Position, budget: Budget) -> str:
        """The move to play. Raises ValueError if the game is over."""
        actions = position.legal_actions()
        if not len(actions):
            raise ValueError(f"no move to choose: the game is over in {position.text()}")
        game, root = position.game, position.state
        action = winning_action(game, root, actions)
        if action is None:
            action = self.search(game, root, budget).best
        return game.move_text(root, action)

    def search(self, game: Game, root: States, budget: Budget) -> Choice:
        """Search from `root` [1], a position that is not over."""
        simulations, stop = self._limits(budget)
        leaves = max(1, min(16, simulations // 64))
        sensible: Callable[[States], NDArray[np.bool_]] = getattr(game, "sensible", game.legal)
        order = seeds(self._rng, 1)
        rolls = seeds(self._rng, leaves)
        tree = self._tree
        tree.plant(int(game.turn(root)[0]), sensible(root)[0], order)
        depth = min(DEEPEST, game.max_plies)
        edges, actions = np.empty((leaves, depth), np.int64), np.empty((leaves, depth), np.int32)
        lengths = np.empty(leaves, np.int32)
        roots = np.repeat(root, leaves)
        for done in range(0, simulations, leaves):
            if done and time.monotonic() >= stop:
                break
            k = min(leaves, simulations - done)
            tree.reserve(k, k * game.num_actions)
            select(tree.nodes, tree.edges, tree.used, self.c, edges[:k], actions[:k], lengths[:k])
            states = game.replay(roots[:k], actions[:k], lengths[:k])
            masks = sensible(states)
            over = game.ending(states) != Ending.ONGOING
            results = np.where(over, game.result(states), game.rollout(states, rolls[:k])).astype(np.float64)
            turns = game.turn(states)
            back_up(tree.nodes, tree.edges, tree.used, edges[:k], lengths[:k], turns, masks, results, order)
        return _root_choice(tree, game.num_actions)

    def _limits(self, budget: Budget) -> tuple[int, float]:
        """Simulations, and the time on the monotonic clock at which to stop whatever their number."""
        if budget.seconds is not None:
            return budget.simulations or 1 << 40, time.monotonic() + budget.seconds
        return budget.simulations or self.simulations, float("inf")


def winning_action(game: Game, root: States, actions: NDArray[np.int64]) -> int | None:
    """An action that wins the game at once for the player to move, or None."""
    states = np.repeat(root, len(actions))
    game.play(states, actions.astype(np.int32))
    sign = 1 if game.turn(root)[0] == 0 else -1
    wins = np.flatnonzero(game.result(states) * sign > 0)
    return int(actions[wins[0]]) if len(wins) else None


def _root_choice(tree: Tree, num_actions: int) -> Choice:
    root: Any = tree.nodes[0]
    edges = tree.edges[root["first"] : root["first"] + root["count"]]
    visits, values = np.zeros(num_actions, np.int64), np.full(num_actions, -np.inf)
    means = edges["total"] / np.maximum(edges["visits"], 1)
    visits[edges["action"]] = edges["visits"]
    values[edges["action"]] = np.where(edges["visits"] > 0, means, -np.inf)
    best = np.lexsort((means, edges["visits"]))[-1]  # the edges lie in random order, and so do equals
    return Choice(int(edges["action"][best]), visits, values)
