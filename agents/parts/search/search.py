"""`Search`: many trees grown at once, in rounds of one network call each.

::

    search = Search(model, trees=64, simulations=200)
    search.begin(np.arange(64), 200)                 # the roots are in model.roots
    while (done := search.round()) ...:              # rows whose simulations are done
        findings = search.findings(done)
"""

from collections.abc import Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.search import growing
from sakiyomi.agents.parts.search.findings import Findings
from sakiyomi.agents.parts.search.forest import UNEXPANDED, UNPROVEN, Forest, Layout
from sakiyomi.agents.parts.search.halving import schedule
from sakiyomi.agents.parts.search.models import Leaves, Model
from sakiyomi.agents.parts.search.rebasing import rebase
from sakiyomi.agents.parts.search.selection import Dirichlet, Gumbel, Puct, as_record


class Search:
    """`trees` searches of up to `simulations` each (more are possible: the arrays grow).

    A simulation is one descent; the evaluation of the root itself comes before the first and is not counted. `leaves`
    descents a tree go to the network together, kept apart by `virtual_loss`; with Gumbel a descent in flight counts
    as one visit. `solve` backs up certain results (for games that end in -1, 0 or 1). `shuffle` breaks ties at random
    rather than by the number of the action. Randomness comes from `rng` alone.

    Raises ValueError for settings that cannot be.
    """

    def __init__(
        self,
        model: Model,
        trees: int,
        simulations: int,
        *,
        selection: Puct | Gumbel | None = None,
        noise: Dirichlet | None = None,
        leaves: int = 1,
        virtual_loss: int = 1,
        solve: bool = False,
        shuffle: bool = True,
        layout: Layout = "auto",
        rng: np.random.Generator | None = None,
    ):
        for name, count in (("trees", trees), ("simulations", simulations), ("leaves", leaves)):
            if count < 1:
                raise ValueError(f"{name} must be 1 or more, got {count}")
        self.model, self.selection, self.noise = model, selection or Puct(), noise
        self.rng = np.random.default_rng() if rng is None else rng
        self.seconds = {"select": 0.0, "back up": 0.0}
        """What was spent on descents, and on expansion and backing up; the model counts its own."""
        self.evaluated = self.asked = 0
        """Leaves that the network valued; places for leaves in its calls."""
        virtual = 0 if leaves == 1 else 1 if isinstance(self.selection, Gumbel) else virtual_loss
        self._rules = as_record(self.selection, solve=solve, shuffle=shuffle, virtual_loss=virtual)
        actions = model.num_actions
        self._forest = Forest(trees, simulations + 1, actions, layout)
        self.reseed()
        self._leaves = Leaves.of(trees * leaves, simulations + 2, actions)
        gumbel = isinstance(self.selection, Gumbel)
        self._plans = np.zeros((trees, simulations if gumbel else 1), np.int32)
        self._gumbels = np.zeros((trees, actions) if gumbel else (1, 1), np.float32)
        self._settled = np.zeros(trees, np.bool_)  # roots that have had their noise
        self._noisy = np.ones(trees, np.bool_)
        self._each = leaves

    @property
    def forest(self) -> Forest:
        """The trees themselves."""
        return self._forest

    def reseed(self) -> None:
        """Draw the trees' own random numbers (of ties) anew from `rng`."""
        self._forest.trees["rng"] = self.rng.integers(0, 1 << 64, len(self._forest.trees), np.uint64)

    def begin(
        self,
        rows: NDArray[np.integer],
        goals: int | Sequence[int] | NDArray[np.integer],
        noisy: bool | NDArray[np.bool_] = True,
    ) -> None:
        """Begin a search of `goals` simulations in each of `rows` [n]; their roots stand in the model.

        Where `noisy` is False there is no root noise, neither Dirichlet's nor Gumbel's.
        """
        rows = np.asarray(rows, np.int64)
        wanted = np.broadcast_to(np.asarray(goals, np.int32), rows.shape).copy()
        growing.plant(self._forest.trees, self._forest.nodes, rows, wanted)
        self._settled[rows] = False
        self._noisy[rows] = noisy
        self._make_room(int(wanted.max(initial=0)))

    def go_on(self, rows: NDArray[np.integer], actions: NDArray[np.integer], goals: int) -> None:
        """Keep what `rows` [n] know of the positions after `actions` [n], and search on to `goals` visits in all.

        Not for Gumbel, whose roots begin without visits: raises ValueError.
        """
        if isinstance(self.selection, Gumbel):
            raise ValueError("a Gumbel search begins anew at each root: call begin")
        forest, rows = self._forest, np.asarray(rows, np.int64)
        forest.trees["goal"][rows] = goals
        spare = np.empty(forest.nodes.shape[1], forest.nodes.dtype), np.empty(forest.edges.shape[1], forest.edges.dtype)
        rebase(forest.trees, forest.nodes, forest.edges, rows, np.asarray(actions, np.int64), *spare)
        self._settled[rows] = False
        self._make_room(goals)
        self._settle(rows[forest.nodes["count"][rows, 0] != UNEXPANDED])

    def extend(self, rows: NDArray[np.integer], goals: int) -> None:
        """Search on in `rows`, to `goals` simulations in all.

        Not for Gumbel, whose schedule is made for the number it began with: raises ValueError.
        """
        if isinstance(self.selection, Gumbel):
            raise ValueError("a Gumbel search is planned from its start: call begin")
        self._forest.trees["goal"][rows] = goals
        self._make_room(goals)

    def round(self) -> NDArray[np.int64]:
        """One descent or more in every tree that is not done, and one network call; returns the rows now done."""
        started = perf_counter()
        forest, leaves = self._forest, self._leaves
        growing.select(
            forest.trees,
            forest.nodes,
            forest.edges,
            self._rules,
            self._plans,
            self._gumbels,
            forest.actions,
            leaves.nodes,
            leaves.parents,
            leaves.paths,
            leaves.lengths,
            leaves.movers,
        )
        chosen = perf_counter()
        self.seconds["select"] += chosen - started
        waiting = leaves.nodes >= 0
        if waiting.any():
            self.evaluated += self.model.look(leaves)
            self.asked += len(waiting)
            started = perf_counter()
            if not forest.dense:
                forest.reserve(0, self._each * growing.most_legal(leaves.legal))
            growing.expand(
                forest.trees,
                forest.nodes,
                forest.edges,
                self._rules,
                leaves.nodes,
                leaves.turns,
                leaves.rewards,
                leaves.discounts,
                leaves.legal,
                leaves.rows,
                leaves.logits,
                leaves.values,
            )
            self._settle(np.flatnonzero(~self._settled & waiting.reshape(-1, self._each)[:, 0]))
            self.seconds["back up"] += perf_counter() - started
        return np.flatnonzero(forest.trees["done"] >= forest.trees["goal"])

    def run(self, goals: int) -> Findings:
        """Search every tree from the start, and tell what was found."""
        rows = np.arange(len(self._forest.trees))
        self.begin(rows, goals)
        while len(self.round()) < len(rows):
            pass
        return self.findings(rows)

    def findings(self, rows: NDArray[np.integer]) -> Findings:
        """What the trees `rows` [n] hold."""
        forest, rows = self._forest, np.asarray(rows, np.int64)
        shape = (len(rows), forest.actions)
        visits, priors = np.zeros(shape, np.int64), np.zeros(shape)
        means, proofs = np.full(shape, np.nan), np.full(shape, np.nan)
        growing.read_root(forest.nodes, forest.edges, self._rules, rows, visits, means, priors, proofs)
        roots = forest.nodes[rows, 0]
        certain = np.where(roots["proof"] == UNPROVEN, np.nan, roots["proof"])
        values = np.where(np.isnan(certain), roots["total"] / np.maximum(roots["visits"], 1), certain)
        noise = self._gumbels[rows] if isinstance(self.selection, Gumbel) else np.zeros(shape)
        raw = roots["value"].astype(np.float64)
        return Findings(visits, means, priors, values, raw, noise.astype(np.float64), proofs, certain)

    def _settle(self, rows: NDArray[np.int64]) -> None:
        """Give new roots, their edges just made, noise: Gumbel samples and a plan, or Dirichlet's."""
        if not len(rows):
            return
        self._settled[rows] = True
        forest = self._forest
        counts = forest.nodes["count"][rows, 0]
        if isinstance(self.selection, Gumbel):
            shape = (len(rows), forest.actions)
            scale = self.selection.noise * self._noisy[rows, None]
            self._gumbels[rows] = scale * self.rng.gumbel(size=shape) if scale.any() else 0
            goals = forest.trees["goal"][rows]
            for row, count, goal in zip(rows, counts, goals, strict=True):
                considered = min(self.selection.considered, int(count), int(goal))
                self._plans[row, :goal] = schedule(considered, int(goal))
        elif self.noise is not None:
            self._add_dirichlet(rows[(counts > 0) & self._noisy[rows]], self.noise)

    def _add_dirichlet(self, rows: NDArray[np.int64], noise: Dirichlet) -> None:
        if not len(rows):
            return
        forest = self._forest
        shape = (len(rows), forest.actions)
        visits, (means, priors, proofs) = np.zeros(shape, np.int64), np.zeros((3, *shape))
        growing.read_root(forest.nodes, forest.edges, self._rules, rows, visits, means, priors, proofs)
        legal = self._legal_at_roots(rows)
        counts = legal.sum(1, keepdims=True)
        alpha = noise.alpha if noise.total is None else noise.total / counts
        samples = np.where(legal, self.rng.standard_gamma(np.broadcast_to(alpha, shape)), 0)
        sums = samples.sum(1, keepdims=True)
        eta = np.where(sums > 0, samples / np.where(sums > 0, sums, 1), legal / counts)
        mixed = (1 - noise.fraction) * priors + noise.fraction * eta
        growing.write_root(forest.nodes, forest.edges, rows, mixed)

    def _legal_at_roots(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """bool [n, A]: where the roots have edges."""
        forest = self._forest
        legal = np.zeros((len(rows), forest.actions), np.bool_)
        for i, row in enumerate(rows):
            first, count = (int(forest.nodes[name][row, 0]) for name in ("first", "count"))
            legal[i, forest.edges["action"][row, first : first + count]] = True
        return legal

    def _make_room(self, goal: int) -> None:
        """Room for trees of `goal` simulations, each of which makes one node at the most."""
        self._forest.reserve(goal + 1, 0)
        if isinstance(self.selection, Gumbel) and goal > self._plans.shape[1]:
            self._plans = np.concatenate(
                [self._plans, np.zeros((len(self._plans), goal - self._plans.shape[1]), np.int32)], axis=1
            )
        deepest = goal + 2
        if deepest > self._leaves.paths.shape[1]:
            self._leaves.paths = np.zeros((len(self._leaves.paths), deepest), np.int32)
