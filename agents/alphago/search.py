"""APV-MCTS: AlphaGo's search with policy and value networks and rollouts, many trees at once.

Silver et al., Nature 529 (2016), Methods, "Search algorithm", and Extended Data Table 5 for the constants. In a round
every tree descends `leaves` times, kept apart by virtual losses; then rollouts are played in threads while the networks
answer what the round asked, in batches. A position is valued once, when a rollout first begins there, and its node is
made once more than `threshold` rollouts did.

With `late`, networks answer a round later, so that they and the descents of the next round go on side by side: nodes
made meanwhile have the tree policy's priors, as the paper's have until the networks' answers come. What a search finds
does not hang on timing either way.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago import apv_tree
from sakiyomi.agents.alphago.apv_tree import EDGE, NODE, POLICY, RULES, TREE, VALUE
from sakiyomi.agents.parts.search.findings import Findings
from sakiyomi.boards.game import Ending, States
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import seeds

Priors = Callable[[States], NDArray[np.float32]]
"""Positions [n] -> [n, A], how likely each action is; 0 for those that are not to be looked at."""
Values = Callable[[States], NDArray[np.float32]]
"""Positions [n] -> [n], the expected result as Black sees it, -1 to 1."""
Rollouts = Callable[[States, NDArray[np.uint64]], NDArray[np.float32]]
"""Positions [n] and their random states, which move on -> [n], one result each, 1 a win for Black."""


@dataclass(frozen=True, kw_only=True)
class Apv:
    """Settings of a search, the paper's: `mixing` is lambda, `exploration` c_puct, `virtual_loss` n_vl, `threshold`
    n_thr, which assumes some 100,000 rollouts a move: with thousands it is to be a few.

    `leaves` are descents of a tree in a round. Raises ValueError for settings that cannot be.
    """

    mixing: float = 0.5
    exploration: float = 5.0
    virtual_loss: int = 3
    threshold: int = 40
    leaves: int = 8
    late: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.mixing <= 1:
            raise ValueError(f"mixing must lie in 0..1, got {self.mixing}")
        for name, least in (("exploration", 0), ("virtual_loss", 0), ("threshold", 0), ("leaves", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be {least} or more, got {getattr(self, name)}")

    @property
    def record(self) -> NDArray[np.void]:
        """As kernels read it."""
        record = np.zeros(1, RULES)
        for name in RULES.names or ():
            record[name] = getattr(self, name)
        return record


@dataclass(frozen=True)
class Guides:
    """What a search goes by: `priors` of the policy network, and of the tree policy while that has not answered
    (`first_priors`, wanted by `Apv.late` alone); `values` of the value network, wanted unless mixing is 1; `rollouts`,
    wanted unless it is 0."""

    priors: Priors
    values: Values | None = None
    rollouts: Rollouts | None = None
    first_priors: Priors | None = None


@dataclass
class _Questions:
    """What a round asks the networks: of positions `states` [n], those behind edges of trees `rows` [n]."""

    states: States
    rows: NDArray[np.int64]
    nodes: NDArray[np.int32]
    edges: NDArray[np.int32]
    valued: NDArray[np.int64]  # indices of those whose value is wanted
    expanded: NDArray[np.int64]  # of those whose priors are wanted
    made: NDArray[np.int64]  # the nodes that these became


Answers = tuple[NDArray[np.float32], NDArray[np.float32]]


class ApvForest:
    """The arrays of B trees (`apv_tree`) with room for `nodes` each; both grow."""

    def __init__(self, trees: int, nodes: int, actions: int):
        self.trees, self.actions = np.zeros(trees, TREE), actions
        self.nodes, self.edges = np.zeros((trees, nodes), NODE), np.zeros((trees, nodes * min(actions, 64)), EDGE)

    def reserve(self, nodes: int, edges: int) -> None:
        """Make room for so many more nodes and edges in the fullest tree."""
        self.nodes = _grown(self.nodes, int(self.trees["nodes"].max()) + nodes)
        self.edges = _grown(self.edges, int(self.trees["edges"].max()) + edges)

    @property
    def megabytes(self) -> float:
        """What the arrays take."""
        return float(self.nodes.nbytes + self.edges.nbytes) / 1e6


class ApvSearch:
    """`trees` searches at once of positions of `game`; `roots` [trees * leaves] are the positions, each repeated.

    `allowed` [trees * leaves, A] restricts the roots, None restricts none. All chance comes from `rng`. Raises
    ValueError if `guides` lack what `settings` want.
    """

    def __init__(self, game: Go, guides: Guides, trees: int, settings: Apv, *, rng: np.random.Generator):
        if settings.mixing < 1 and guides.values is None:
            raise ValueError("no value network is given: mixing must be 1, rollouts alone")
        if settings.mixing > 0 and guides.rollouts is None:
            raise ValueError("no rollout policy is given: mixing must be 0, the value network alone")
        if settings.late and guides.first_priors is None:
            raise ValueError("no tree policy is given: late=True has no priors for nodes that wait for the network")
        self.game, self.guides, self.selection = game, guides, settings
        slots = trees * settings.leaves
        self.roots: States = game.new(slots)
        self.allowed: NDArray[np.bool_] | None = None
        self.forest = ApvForest(trees, 64, game.num_actions)
        self.seconds = {"select": 0.0, "replay": 0.0, "rollouts": 0.0, "networks": 0.0}
        """What was spent; the last two go on side by side."""
        self._rules, self._random = settings.record, seeds(rng, slots)
        self._leaf_nodes, self._leaf_edges, self._wishes, self._lengths = np.zeros((4, slots), np.int32)
        self._paths = np.zeros((slots, 64), np.int32)
        self._pending: tuple[_Questions, Future[Answers]] | None = None
        self._threads = ThreadPoolExecutor(1, "apv")

    def begin(self, rows: NDArray[np.integer], goals: int | Sequence[int] | NDArray[np.integer]) -> None:
        """Begin a search of `goals` rollouts in each of the trees `rows` [n]; their roots stand in `roots`."""
        self._settle()
        rows = np.asarray(rows, np.int64)
        wanted = np.broadcast_to(np.asarray(goals, np.int32), rows.shape).copy()
        apv_tree.plant(self.forest.trees, self.forest.nodes, rows, wanted)

    def go_on(self, rows: NDArray[np.integer], actions: NDArray[np.integer], goals: int) -> None:
        """Keep what `rows` [n] know of the positions after `actions` [n], and search on to `goals` rollouts in all."""
        self._settle()
        forest, rows = self.forest, np.asarray(rows, np.int64)
        forest.trees["goal"][rows] = goals
        spare = np.empty(forest.nodes.shape[1], NODE), np.empty(forest.edges.shape[1], EDGE)
        apv_tree.rebase(forest.trees, forest.nodes, forest.edges, rows, np.asarray(actions, np.int64), *spare)

    def extend(self, rows: NDArray[np.integer], goals: int) -> None:
        """Search on in `rows`, to `goals` rollouts in all."""
        self.forest.trees["goal"][rows] = goals

    def round(self) -> NDArray[np.int64]:
        """Descents in every tree that is not done, rollouts, and answers of the networks; returns the rows now done."""
        self._select()
        live = np.flatnonzero(self._leaf_nodes >= 0)
        if len(live):
            started = perf_counter()
            states = self.game.replay(self.roots, self._paths, self._lengths)
            over = self.game.ending(states) != Ending.ONGOING
            results = np.where(over, self.game.result(states), 0).astype(np.float32)
            self.seconds["replay"] += perf_counter() - started
            questions = self._questions(live, states, over)
            rolling = live[(self._leaf_edges[live] >= 0) & ~over[live]]
            if self.selection.late:
                self._answer_later(questions, results, over, live)
                self._roll(rolling, states, results)
            else:
                asked = self._threads.submit(self._answers, questions)
                self._roll(rolling, states, results)
                self._put(questions, asked.result())
            forest = self.forest
            apv_tree.back_up_rollouts(
                forest.trees, forest.nodes, forest.edges, self._rules, self._leaf_nodes, self._leaf_edges, results
            )
            self._value_ends(live[over[live]], results)
        done = np.flatnonzero(self.forest.trees["done"] >= self.forest.trees["goal"])
        if len(done) == len(self.forest.trees):
            self._settle()
        return done

    def run(self, goals: int) -> Findings:
        """Search every tree from the start, and tell what was found."""
        rows = np.arange(len(self.forest.trees))
        self.begin(rows, goals)
        while len(self.round()) < len(rows):
            pass
        return self.findings(rows)

    def findings(self, rows: NDArray[np.integer]) -> Findings:
        """What the trees `rows` [n] hold: `means` are the mixtures Q, `raw_values` nothing."""
        self._settle()
        forest, rows = self.forest, np.asarray(rows, np.int64)
        shape = (len(rows), forest.actions)
        (visits, valued), priors, means = np.zeros((2, *shape), np.int64), np.zeros(shape), np.full(shape, np.nan)
        apv_tree.read_root(forest.nodes, forest.edges, self._rules, rows, visits, valued, means, priors)
        total = np.maximum(visits.sum(1), 1)
        values = (visits * np.nan_to_num(means)).sum(1) / total
        unknown = np.full(shape, np.nan)
        nothing = np.full(len(rows), np.nan)
        return Findings(visits, means, priors, values, nothing, np.zeros(shape), unknown, nothing)

    def _select(self) -> None:
        started = perf_counter()
        forest = self.forest
        deepest = int(forest.trees["nodes"].max()) + 1
        if deepest > self._paths.shape[1]:
            self._paths = np.zeros((len(self._paths), 2 * deepest), np.int32)
        apv_tree.select(
            forest.trees,
            forest.nodes,
            forest.edges,
            self._rules,
            self._leaf_nodes,
            self._leaf_edges,
            self._wishes,
            self._paths,
            self._lengths,
        )
        self.seconds["select"] += perf_counter() - started

    def _questions(self, live: NDArray[np.int64], states: States, over: NDArray[np.bool_]) -> _Questions:
        """What the descents `live` ask: nothing of games that are over, and no value where rollouts alone count."""
        wanting = live[(self._wishes[live] > 0) & ~over[live]]
        wishes, at_root = self._wishes[wanting], self._leaf_edges[wanting] < 0
        valued = np.flatnonzero((wishes & VALUE > 0) & ~at_root) if self.selection.mixing < 1 else wanting[:0]
        expanded = np.flatnonzero(wishes & POLICY)
        rows = wanting // self.selection.leaves
        places = self._leaf_nodes[wanting], self._leaf_edges[wanting]
        return _Questions(states[wanting], rows, *places, valued, expanded, np.zeros(len(expanded), np.int64))

    def _answers(self, asked: _Questions) -> Answers:
        """The networks' values and priors."""
        started = perf_counter()
        values = priors = np.zeros((0,), np.float32)
        if len(asked.valued) and self.guides.values is not None:
            values = self.guides.values(asked.states[asked.valued])
        if len(asked.expanded):
            priors = self.guides.priors(asked.states[asked.expanded])
        self.seconds["networks"] += perf_counter() - started
        return values, priors

    def _put(self, asked: _Questions, answers: Answers, made: bool = False) -> None:
        """Give the trees the answers; with `made` the nodes are there already and have other priors so far."""
        values, priors = answers
        forest = self.forest
        if len(asked.valued):
            places = (each[asked.valued] for each in (asked.rows, asked.nodes, asked.edges))
            apv_tree.back_up_values(forest.nodes, forest.edges, *places, np.asarray(values, np.float32))
        if len(asked.expanded) and made:
            rows, priors = asked.rows[asked.expanded], self._at_roots(asked, priors)
            apv_tree.replace_priors(forest.nodes, forest.edges, rows, asked.made, priors)
        elif len(asked.expanded):
            self._expand(asked, priors)

    def _expand(self, asked: _Questions, priors: NDArray[np.float32]) -> None:
        """Make the nodes that were asked for."""
        priors = self._at_roots(asked, priors)
        order = np.argsort(-priors, axis=1, kind="stable").astype(np.int32)
        counts = (priors > 0).sum(1).astype(np.int32)
        which = asked.expanded
        rows, turns = asked.rows[which], asked.states["turn"][which].astype(np.int32)
        most = int(np.bincount(rows, minlength=1).max())
        self.forest.reserve(most, most * int(counts.max()))
        forest = self.forest
        places = rows, asked.nodes[which], asked.edges[which]
        falling = np.take_along_axis(priors, order, 1)
        apv_tree.expand(forest.trees, forest.nodes, forest.edges, *places, turns, order, falling, counts, asked.made)

    def _at_roots(self, asked: _Questions, priors: NDArray[np.float32]) -> NDArray[np.float32]:
        """`priors` as float32, those of roots over what is allowed there alone."""
        priors = np.array(priors, np.float32)
        if self.allowed is not None:
            for i in np.flatnonzero(asked.edges[asked.expanded] < 0):
                allowed = self.allowed[asked.rows[asked.expanded[i]] * self.selection.leaves]
                kept = np.where(allowed, priors[i], 0)
                priors[i] = kept / kept.sum() if kept.sum() > 0 else allowed / max(1, allowed.sum())
        return priors

    def _answer_later(
        self, asked: _Questions, results: NDArray[np.float32], over: NDArray[np.bool_], live: NDArray[np.int64]
    ) -> None:
        """Put in what the last round asked, ask anew, and make the nodes by the tree policy for the time being."""
        self._settle()
        assert self.guides.first_priors is not None, "checked at the beginning"
        if len(asked.expanded):
            self._expand(asked, self.guides.first_priors(asked.states[asked.expanded]))
        self._pending = asked, self._threads.submit(self._answers, asked)

    def _settle(self) -> None:
        """Wait for what the networks were asked, and put it in."""
        if self._pending is not None:
            asked, answers = self._pending
            self._pending = None
            self._put(asked, answers.result(), made=True)

    def _roll(self, rolling: NDArray[np.int64], states: States, results: NDArray[np.float32]) -> None:
        """Play a rollout from each of `states` [rolling] into `results`."""
        if self.guides.rollouts is None or self.selection.mixing == 0 or not len(rolling):
            return
        started = perf_counter()
        random = self._random[rolling]
        results[rolling] = self.guides.rollouts(states[rolling], random)
        self._random[rolling] = random
        self.seconds["rollouts"] += perf_counter() - started

    def _value_ends(self, ended: NDArray[np.int64], results: NDArray[np.float32]) -> None:
        """Where the game is over its result is the value, too, once."""
        ended = ended[(self._wishes[ended] & VALUE) > 0]
        if len(ended) and self.selection.mixing < 1:
            forest, rows = self.forest, ended // self.selection.leaves
            places = rows, self._leaf_nodes[ended], self._leaf_edges[ended]
            apv_tree.back_up_values(forest.nodes, forest.edges, *places, results[ended])


def _grown(array: NDArray[np.void], wanted: int) -> NDArray[np.void]:
    """[B, M] with M at least `wanted`: itself, or a copy with room for half as much again."""
    if wanted <= array.shape[1]:
        return array
    larger = np.zeros((array.shape[0], max(wanted, array.shape[1] * 3 // 2)), array.dtype)
    larger[:, : array.shape[1]] = array
    return larger
