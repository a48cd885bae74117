"""Deciding by search, outside self-play: many positions at once, or one for as long as a budget lasts."""

import time
from collections.abc import Callable
from threading import Event

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct, RulesModel, Search
from sakiyomi.agents.parts.search.forest import UNEXPANDED
from sakiyomi.agents.parts.search.models import Evaluate
from sakiyomi.boards.game import Game, States

EVER = 1 << 30  # simulations that no search reaches
MEGABYTES = 2048  # a search ends when its tree takes so much


class Planner:
    """Searches positions of `game`, up to `trees` at once, each from scratch unless it follows from the last one.

    One position alone is searched with several leaves a round where `simulations` are many, and keeps what the last
    search found if the position arose from it by one or two moves (`reuse`). With a budget of seconds a Gumbel
    search, whose schedule needs their number, is a `timed` PUCT search instead.
    """

    def __init__(
        self,
        game: Game,
        evaluate: Evaluate,
        trees: int,
        simulations: int,
        *,
        selection: Puct | Gumbel,
        timed: Puct,
        noise: Dirichlet | None = None,
        solve: bool = False,
        reuse: bool = True,
        rng: np.random.Generator,
    ):
        self.game, self.evaluate, self.trees, self.simulations = game, evaluate, trees, simulations
        self.selection, self.timed, self.noise, self.solve, self.reuse = selection, timed, noise, solve, reuse
        self.rng = rng
        self.search: Search | None = None
        self._model: RulesModel | None = None
        self._kept: tuple[Puct | Gumbel, Dirichlet | None, int] | None = None  # settings that the search was made with

    def find(
        self,
        states: States,
        allowed: NDArray[np.bool_] | None = None,
        *,
        simulations: int | None = None,
        seconds: float | None = None,
        stop: Event | None = None,
        tell: Callable[[Findings], None] | None = None,
    ) -> Findings:
        """Search `states` [n], n at most `trees`, over the actions `allowed` [n, A] at their roots (None: all legal).

        Ends after `simulations` each (None: the planner's own, or without end if there are `seconds` or a `stop`),
        after so many seconds, or soon after `stop` is set; each root has been evaluated then. `tell` hears now and
        then what has been found. Raises ValueError if a game is over or none of its legal actions is allowed.
        """
        legal = self.game.legal(states)
        if not (legal if allowed is None else legal & allowed).any(axis=1).all():
            raise ValueError("no move to choose: a game is over, or none of its legal moves is allowed")
        started = time.monotonic()
        until = np.inf if seconds is None else started + seconds
        open_end = simulations is None and (seconds is not None or stop is not None)
        goal = EVER if open_end else simulations or self.simulations
        search, rows = self._prepare(states, allowed, goal)
        chunk = goal
        if goal == EVER:  # arrays grow as the search does
            chunk = 256
            search.extend(rows, int(search.forest.trees["done"][rows].max()) + chunk)
        told = 0.25
        while True:
            done = search.round()
            now = time.monotonic()
            if (now >= until or (stop is not None and stop.is_set())) and self._evaluated(search, rows):
                break
            if len(np.intersect1d(done, rows)) == len(rows):
                if goal != EVER or search.forest.megabytes > MEGABYTES or self._settled(search, rows):
                    break
                search.extend(rows, int(search.forest.trees["goal"][rows].max()) + chunk)
                chunk = min(2 * chunk, 1 << 14)
            if tell is not None and now - started > told:
                told = min(2 * told, told + 1.0)
                tell(search.findings(rows))
        return search.findings(rows)

    def _prepare(
        self, states: States, allowed: NDArray[np.bool_] | None, goal: int
    ) -> tuple[Search, NDArray[np.int64]]:
        """A search with `states` as roots, begun, and their rows."""
        selection = self.timed if goal == EVER else self.selection
        if allowed is not None and (allowed == self.game.legal(states)).all():
            allowed = None
        leaves = self._leaves(goal) if len(states) == 1 and self.trees == 1 else 1
        rows = np.arange(len(states))
        if self.search is not None and self._model is not None and self._kept == (selection, self.noise, leaves):
            model, search = self._model, self.search
            if self._goes_on(model, states, allowed, goal):
                return search, rows
        else:
            model, search = self._made(selection, leaves, goal)
            self._model, self.search, self._kept = model, search, (selection, self.noise, leaves)
        model.roots[: len(states) * leaves] = np.repeat(states, leaves)
        model.allowed = None
        if allowed is not None:
            model.allowed = np.ones((self.trees * leaves, self.game.num_actions), np.bool_)
            model.allowed[: len(states) * leaves] = np.repeat(allowed, leaves, axis=0)
        others = np.arange(len(states), self.trees)
        search.begin(others, 0)
        search.begin(rows, 0 if goal == EVER else goal)
        return search, rows

    def _leaves(self, goal: int) -> int:
        """Descents a round of one position alone."""
        return max(1, min(8, goal // 64))

    def _made(self, selection: Puct | Gumbel, leaves: int, goal: int) -> tuple[RulesModel, Search]:
        """A new search, and what holds its roots."""
        model = RulesModel(self.game, self.evaluate, self.trees * leaves)
        search = Search(
            model,
            self.trees,
            min(goal, 1024),
            selection=selection,
            noise=self.noise,
            leaves=leaves,
            solve=self.solve,
            rng=self.rng,
        )
        return model, search

    def _goes_on(self, model: RulesModel, states: States, allowed: NDArray[np.bool_] | None, goal: int) -> bool:
        """If the one position of `states` arose from the last one, make the last tree that position's."""
        search = self.search
        if not self.reuse or self.trees > 1 or search is None or isinstance(search.selection, Gumbel):
            return False
        if model.allowed is not None or allowed is not None:
            return False
        path = self._way_to(search, model.roots[:1], states)
        if path is None:
            return False
        for action in path:
            search.go_on(np.zeros(1, np.int64), np.array([action]), goal if goal != EVER else 0)
        if not path and goal != EVER:
            search.extend(np.zeros(1, np.int64), goal)
        model.roots[:] = states[0]
        return bool(search.forest.nodes["count"][0, 0] != UNEXPANDED)

    def _way_to(self, search: Search, root: States, wanted: States) -> list[int] | None:
        """The actions, two at the most, that lead from `root` to the position `wanted` inside the tree."""
        distance = int(wanted["ply"][0]) - int(root["ply"][0])
        if distance not in (1, 2):
            return [] if distance == 0 and wanted.tobytes() == root.tobytes() else None
        for first, node in _tried(search, 0):
            after = self._after(root, first)
            if distance == 1:
                if after.tobytes() == wanted.tobytes():
                    return [first]
                continue
            for second, _ in _tried(search, node):
                if self._after(after, second).tobytes() == wanted.tobytes():
                    return [first, second]
        return None

    def _after(self, state: States, action: int) -> States:
        after = state.copy()
        self.game.play(after, np.array([action], np.int32))
        return after

    @staticmethod
    def _evaluated(search: Search, rows: NDArray[np.int64]) -> bool:
        return bool((search.forest.nodes["count"][rows, 0] != UNEXPANDED).all())

    def _settled(self, search: Search, rows: NDArray[np.int64]) -> bool:
        """Is nothing left to find out: one move only, or every result proven?"""
        roots = search.forest.nodes[rows, 0]
        return bool(((roots["count"] <= 1) | (self.solve & (roots["proof"] != 2))).all())


def _tried(search: Search, node: int) -> list[tuple[int, int]]:
    """The actions tried at `node` of the first tree, and the nodes behind them."""
    first, tried = (int(search.forest.nodes[name][0, node]) for name in ("first", "tried"))
    if search.forest.nodes["count"][0, node] <= 0:
        return []
    edges = search.forest.edges[0, first : first + tried]
    return [(int(edge["action"]), int(edge["child"])) for edge in edges]


def principal_variation(search: Search, row: int, action: int, most: int = 32) -> list[int]:
    """The actions after and with `action` at the root of tree `row` that were visited most."""
    forest, line, node = search.forest, [action], 0
    while len(line) <= most:
        first, tried, count = (int(forest.nodes[name][row, node]) for name in ("first", "tried", "count"))
        edges = forest.edges[row, first : first + tried] if count > 0 else forest.edges[row, :0]
        if node == 0:
            edges = edges[edges["action"] == action]
        if not len(edges):
            break
        edge = edges[np.lexsort((edges["total"] / np.maximum(edges["visits"], 1), edges["visits"]))[-1]]
        if node != 0:
            line.append(int(edge["action"]))
        node = int(edge["child"])
    return line
