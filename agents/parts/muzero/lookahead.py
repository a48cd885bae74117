"""Searching from what is observed, over learned dynamics: many episodes at once, and the plan that was found."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.muzero.sampling import CandidateModel
from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct, Search
from sakiyomi.agents.parts.search.findings import drawn
from sakiyomi.agents.parts.search.forest import UNEXPANDED
from sakiyomi.agents.parts.search.latent import Dynamics

CHUNK = 256  # simulations between two extensions of a search without a number of them
MOST = 1 << 15  # simulations after which such a search ends


class Lookahead:
    """Searches up to `trees` observations at once by `dynamics`, each from scratch.

    A search has `simulations`, values discounted by `discount` a step, and one or two `players`, who then take turns.
    `noise` is Dirichlet's, at roots.
    """

    def __init__(
        self,
        dynamics: Dynamics,
        trees: int,
        actions: int,
        *,
        simulations: int,
        selection: Puct | Gumbel,
        noise: Dirichlet | None = None,
        discount: float,
        players: int,
        rng: np.random.Generator,
    ):
        self.selection, self.simulations, self.rng, self.trees = selection, simulations, rng, trees
        self.model = CandidateModel(dynamics, trees, simulations + 1, actions, discount=discount, players=players)
        self.search = Search(self.model, trees, simulations, selection=selection, noise=noise, rng=rng)

    def use(self, dynamics: Dynamics) -> None:
        """Search by these from now on; their latent states are like those before."""
        self.model.dynamics = dynamics

    def find(
        self,
        observations: NDArray[Any],
        legal: NDArray[np.bool_] | None = None,
        turns: NDArray[np.integer[Any]] | None = None,
        *,
        noisy: bool = True,
        simulations: int | None = None,
        seconds: float | None = None,
        stop: Event | None = None,
        tell: Callable[[], None] | None = None,
    ) -> Findings:
        """Search from `observations` [n, ...], n at most `trees`, where `legal` [n, A] (None: all) may be done.

        Ends after `simulations` (None: its own, or without end if there are `seconds` or a `stop`, with PUCT), after so
        many seconds, or soon after `stop` is set; each root has been looked at then. `tell` is called now and then.
        """
        started, count = time.monotonic(), len(observations)
        open_end = simulations is None and (seconds is not None or stop is not None)
        goal = min(CHUNK, MOST) if open_end else simulations or self.simulations
        self.model.look_from(observations, legal, turns)
        rows = np.arange(count)
        self.search.begin(np.arange(count, self.trees), 0)
        self.search.begin(rows, goal, noisy)
        told = 0.25
        while True:
            done = self.search.round()
            spent = time.monotonic() - started
            looked = bool((self.search.forest.nodes["count"][rows, 0] != UNEXPANDED).all())
            if looked and ((seconds is not None and spent >= seconds) or (stop is not None and stop.is_set())):
                break
            if np.count_nonzero(done < count) == count:
                if not open_end or goal >= MOST:
                    break
                goal = min(2 * goal, MOST)
                self.search.extend(rows, goal)
            if tell is not None and looked and spent > told:
                told = spent + 0.5
                tell()
        return self.search.findings(rows)

    def policies(self, found: Findings) -> NDArray[np.float64]:
        """[n, A], what the searches teach: shares of the visits, or Gumbel's improved policies."""
        if isinstance(self.selection, Gumbel):
            return found.improved(self.selection)
        return found.proportions()

    def choose(self, found: Findings, temperatures: float | NDArray[np.float64]) -> NDArray[np.int64]:
        """[n] actions: by the visits to the power of 1 / temperature, the best of all where that is 0 (or Gumbel's)."""
        if isinstance(self.selection, Gumbel):
            return found.gumbel_actions(self.selection)
        tau = np.broadcast_to(np.asarray(temperatures, np.float64), len(found.visits))
        by_chance = drawn(found.proportions(np.where(tau > 0, tau, 1.0)), self.rng)
        return np.where(tau > 0, by_chance, best_actions(found, self.selection))


def best_actions(found: Findings, selection: Puct | Gumbel) -> NDArray[np.int64]:
    """[n]: Gumbel's choice, or of the most visited actions the one of greatest mean, then of greatest prior."""
    if isinstance(selection, Gumbel):
        return found.gumbel_actions(selection)
    means = np.where(found.visits > 0, found.means, -np.inf)
    chosen: NDArray[np.int64] = np.lexsort((found.priors, means, found.visits))[:, -1]
    return chosen


@dataclass(frozen=True, eq=False)
class Line:
    """The actions [L] that follow each other, the `nodes` [L] at which they are chosen, and of each the reward [L]
    predicted for it and the value [L] found behind it; both as the player to move at the root sees them."""

    nodes: NDArray[np.int64]
    actions: NDArray[np.int32]
    rewards: NDArray[np.float32]
    values: NDArray[np.float32]


def line_after(search: Search, row: int, action: int, most: int = 64) -> Line:
    """What tree `row` expects after and with `action` at its root: at each step what was visited most."""
    forest = search.forest
    nodes, actions, rewards, values = list[int](), list[int](), list[float](), list[float]()
    node, first_mover = 0, int(forest.nodes["turn"][row, 0])
    while len(actions) < most:
        first, tried, count = (int(forest.nodes[name][row, node]) for name in ("first", "tried", "count"))
        edges = forest.edges[row, first : first + tried] if count > 0 else forest.edges[row, :0]
        edges = edges[edges["visits"] > 0]
        if node == 0:
            edges = edges[edges["action"] == action]
        if not len(edges):
            break
        edge = edges[np.lexsort((edges["total"] / edges["visits"], edges["visits"]))[-1]]
        nodes.append(node)
        mover = int(forest.nodes["turn"][row, node])
        node = int(edge["child"])
        after = forest.nodes[row, node]
        actions.append(int(edge["action"]))
        rewards.append(float(after["reward"]) * (1 if mover == first_mover else -1))
        mean = float(after["total"]) / max(1, int(after["visits"]))
        values.append(mean * (1 if int(after["turn"]) == first_mover else -1))
    told = np.array(rewards, np.float32), np.array(values, np.float32)
    return Line(np.array(nodes, np.int64), np.array(actions, np.int32), *told)
