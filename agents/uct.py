"""UCT: Monte Carlo tree search with rollouts, for any game.

L. Kocsis and C. Szepesvári, "Bandit based Monte-Carlo planning", ECML 2006: a tree grown by UCB1 at every node, each
new leaf valued by one random game. Several leaves are gathered before the rules and rollouts run on them as a batch,
with virtual losses between (G. Chaslot et al., "Parallel Monte-Carlo tree search", CG 2008).

Departure: a move that wins at once is played without a search, and moves that the game holds senseless
(`Game.sensible`, for Go the filling of own eyes) are not tried.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.choices import allowed_actions
from sakiyomi.agents.parts.settings import weight, whole
from sakiyomi.agents.parts.uct.thinking import favourite, thought_of
from sakiyomi.agents.parts.uct.tree import EDGE, NODE, Tree, back_up, select
from sakiyomi.boards import rows
from sakiyomi.boards.game import Ending, Game, States
from sakiyomi.boards.player import Budget, Candidate, Thought
from sakiyomi.boards.position import Position
from sakiyomi.boards.random import seeds

DEEPEST = 512  # plies that a descent goes at the most
EVER = 1 << 40  # simulations that no search reaches
TELL_EVERY = 1.0  # seconds between thoughts; while a search is young, one each time that it has doubled


@dataclass(frozen=True)
class Choice:
    """What a search found at its root, by action: visits int [A], mean result for the player to move [A]."""

    best: int  # the action visited most; of equals the one of greater value, of those a random one
    visits: NDArray[np.int64]
    values: NDArray[np.float64]


class UCTPlayer:
    """Plays the most visited move of a UCT search of `simulations` rollouts, or of as many as a budget allows.

    `c` weighs exploration in results of -1 to 1; `megabytes` is what the tree may take, about: a search ends when it
    is full. A `Thinker`, and `Thoughtful`; a budget's depth bounds the plies of the tree. Raises ValueError for
    settings out of range.
    """

    def __init__(
        self,
        simulations: int = 1000,
        *,
        c: float = 0.7,
        megabytes: int = 1024,
        name: str | None = None,
        seed: int | None = None,
    ):
        self.simulations = whole("the simulations of uct", simulations)
        self.c = weight("the exploration weight c of uct", c)
        self.megabytes = whole("the tree of uct", megabytes, " megabytes")
        self.name = name or f"uct:{simulations}"
        self._rng = np.random.default_rng(seed)
        self._tree = Tree()
        self._thought: Thought | None = None
        self._searched: tuple[Game, States, float] | None = None  # what the tree grew from, and in how many seconds

    @property
    def thought(self) -> Thought | None:
        """What the tree of the last choice holds, or that it was a win at once; made when first asked for."""
        if self._thought is None and self._searched is not None:
            game, root, seconds = self._searched
            self._thought = thought_of(game, root, self._tree, seconds)
        return self._thought

    @property
    def threads(self) -> int:
        """On how many threads the random games run at the most: a setting of the whole process (`rows`)."""
        return rows.threads()

    @threads.setter
    def threads(self, count: int) -> None:
        rows.set_threads(count)

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Take the game's random numbers from `rng`."""
        self._rng = rng
        self._thought = self._searched = None

    def close(self) -> None:
        """Nothing to give back."""

    def choose(self, position: Position, budget: Budget) -> str:
        """The move to play. Raises ValueError if the game is over."""
        actions = allowed_actions(position, None)
        game, root, started = position.game, position.state, time.monotonic()
        won = self._win_at_once(position, actions, started)
        return won or game.move_text(root, self.search(game, root, budget).best)

    def think(
        self,
        position: Position,
        budget: Budget,
        *,
        moves: Sequence[str] | None,
        stop: Event,
        tell: Callable[[Thought], None],
    ) -> str:
        """As `Thinker.think`; a search also ends when the tree is full.

        Raises ValueError if the game is over or `moves` is empty, IllegalMove or BadNotation for what `moves` holds.
        """
        started = time.monotonic()
        actions = allowed_actions(position, moves)
        won = self._win_at_once(position, actions, started)
        if won is not None:
            assert self._thought is not None
            tell(self._thought)
            return won
        game, root = position.game, position.state
        told = _Told(game, root.copy(), self._tree, tell)
        return game.move_text(root, self._search(game, root, budget, actions, stop, told).best)

    def _win_at_once(self, position: Position, actions: NDArray[np.int64], started: float) -> str | None:
        """The move that wins the game at once, or None."""
        game, root = position.game, position.state
        action = winning_action(game, root, actions)
        if action is None:
            return None
        move = game.move_text(root, action)
        mate = 1 if game.ending(position.after(action).state)[0] == Ending.CHECKMATE else None
        candidates = (Candidate(move, value=1.0, line=(move,)),)
        seconds = time.monotonic() - started
        self._thought = Thought((move,), 1.0, None, mate, 1, len(actions), seconds, candidates)
        return move

    def search(self, game: Game, root: States, budget: Budget) -> Choice:
        """Search from `root` [1], a position that is not over."""
        if budget.simulations is None and budget.seconds is None:
            budget = Budget(self.simulations, depth=budget.depth)
        return self._search(game, root, budget, np.flatnonzero(game.legal(root)[0]), Event())

    def _search(
        self,
        game: Game,
        root: States,
        budget: Budget,
        allowed: NDArray[np.int64],
        stop: Event,
        told: "_Told | None" = None,
    ) -> Choice:
        """Grow the tree from `root` over its actions `allowed`."""
        started = time.monotonic()
        until = float("inf") if budget.seconds is None else started + budget.seconds
        self._thought = self._searched = None
        simulations = budget.simulations or EVER
        leaves = max(1, min(16, simulations // 64))
        sensible: Callable[[States], NDArray[np.bool_]] = getattr(game, "sensible", game.legal)
        order = seeds(self._rng, 1)
        rolls = seeds(self._rng, leaves)
        tree = self._tree
        tree.plant(int(game.turn(root)[0]), _mask(game, sensible(root)[0], allowed), order)
        depth = min(DEEPEST, game.max_plies, budget.depth or DEEPEST)
        edges, actions = np.empty((leaves, depth), np.int64), np.empty((leaves, depth), np.int32)
        lengths = np.empty(leaves, np.int32)
        roots = np.repeat(root, leaves)
        for done in range(0, simulations, leaves):
            if done and (stop.is_set() or time.monotonic() >= until or self._full()):
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
            if told is not None:
                told.after(done + k)
        if told is not None:
            told.at_last()
        self._searched = (game, root.copy(), time.monotonic() - started)
        return _root_choice(tree, game.num_actions)

    def _full(self) -> bool:
        nodes, edges = self._tree.used
        return bool(nodes * NODE.itemsize + edges * EDGE.itemsize >= self.megabytes * 1e6)


class _Told:
    """Tells what a search of `tree` from `root` [1] has found so far: now and then, and at its end."""

    def __init__(self, game: Game, root: States, tree: Tree, tell: Callable[[Thought], None]):
        self._game, self._root, self._tree, self._tell = game, root, tree, tell
        self._started = self._last = time.monotonic()
        self._done = self._told = 0

    def after(self, simulations: int) -> None:
        """So many simulations are done."""
        self._done = simulations
        if simulations >= 2 * self._told or time.monotonic() - self._last >= TELL_EVERY:
            self.at_last()

    def at_last(self) -> None:
        """Tell, unless all is told."""
        if self._done == self._told:
            return
        self._told, self._last = self._done, time.monotonic()
        thought = thought_of(self._game, self._root, self._tree, self._last - self._started)
        if thought is not None:
            self._tell(thought)


def winning_action(game: Game, root: States, actions: NDArray[np.int64]) -> int | None:
    """An action that wins the game at once for the player to move, or None."""
    states = np.repeat(root, len(actions))
    game.play(states, actions.astype(np.int32))
    sign = 1 if game.turn(root)[0] == 0 else -1
    wins = np.flatnonzero(game.result(states) * sign > 0)
    return int(actions[wins[0]]) if len(wins) else None


def _mask(game: Game, sensible: NDArray[np.bool_], allowed: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[A], the `sensible` actions among the `allowed`, or all allowed ones if none of them is sensible."""
    mask = np.zeros(game.num_actions, np.bool_)
    mask[allowed] = True
    both = mask & sensible
    return both if both.any() else mask


def _root_choice(tree: Tree, num_actions: int) -> Choice:
    root: Any = tree.nodes[0]
    edges = tree.edges[root["first"] : root["first"] + root["count"]]
    visits, values = np.zeros(num_actions, np.int64), np.full(num_actions, -np.inf)
    means = edges["total"] / np.maximum(edges["visits"], 1)
    visits[edges["action"]] = edges["visits"]
    values[edges["action"]] = np.where(edges["visits"] > 0, means, -np.inf)
    return Choice(int(tree.edges[favourite(tree, 0)]["action"]), visits, values)
