"""Trees equal those of a plain search over dictionaries, in the forms of PUCT that mctx lacks; sums, rooms, reuse."""

from dataclasses import dataclass, field
from functools import cache
from math import log, sqrt

import numpy as np
import pytest

from sakiyomi.agents.parts.search import Gumbel, Puct, RulesModel, Search
from sakiyomi.agents.parts.search.forest import Forest
from sakiyomi.agents.parts.search.scores import SMALLEST, find_best_untried, gumbel_edge
from sakiyomi.agents.parts.search.selection import as_record
from sakiyomi.boards.tictactoe import TicTacToe

ACTIONS = 6


@dataclass(frozen=True)
class Answer:
    """What lies behind a path of actions."""

    over: bool
    turn: int
    legal: np.ndarray
    logits: np.ndarray
    value: float
    result: float  # for the first player, where it is over


@cache
def answer(seed, path):
    """A game drawn at random: some moves are illegal, some sides move twice, some games end."""
    rng = np.random.default_rng((seed, len(path), *path))
    over = bool(path) and rng.random() < 0.15
    legal = rng.random(ACTIONS) < 0.7
    legal[rng.integers(ACTIONS)] = True
    logits = rng.normal(size=ACTIONS).astype(np.float32)
    value = np.float32(rng.uniform(-1, 1))
    return Answer(over, int(rng.integers(2)), legal & (not over), logits, float(value), float(rng.integers(-1, 2)))


def edge_to(seed, path, mover):
    """Reward and discount of the edge that ends `path`, for the `mover` who chose it."""
    found = answer(seed, path)
    if found.over:
        return found.result if mover == 0 else -found.result, 0.0
    return 0.0, 1.0 if found.turn == mover else -1.0


class Drawn:
    """The games of `seeds`, a tree each, as a model; `order` renumbers the actions."""

    num_actions = ACTIONS

    def __init__(self, seeds, each=1, scale=1.0, order=None):
        self.seeds, self.each, self.scale = seeds, each, scale
        self.order = np.arange(ACTIONS) if order is None else order
        self.calls = 0

    def look(self, leaves):
        self.calls += 1
        for slot in np.flatnonzero(leaves.nodes >= 0):
            seed = self.seeds[slot // self.each]
            path = tuple(np.argsort(self.order)[leaves.paths[slot, : leaves.lengths[slot]]].tolist())
            found = answer(seed, path)
            leaves.turns[slot], leaves.values[slot] = found.turn, found.value * self.scale
            leaves.rewards[slot], leaves.discounts[slot] = edge_to(seed, path, leaves.movers[slot]) if path else (0, 0)
            leaves.rewards[slot] *= self.scale
            leaves.legal[slot, self.order], leaves.logits[slot, self.order] = found.legal, found.logits
        return int((leaves.nodes >= 0).sum())


@dataclass
class Node:
    """A node of the plain search; statistics by action."""

    path: tuple
    answer: Answer
    priors: dict
    visits: int = 0
    total: float = 0.0
    counts: dict = field(default_factory=dict)
    totals: dict = field(default_factory=dict)


class Plain:
    """The search once more, as the formulas are printed: one tree, dictionaries, no arrays."""

    def __init__(self, seed, puct):
        self.seed, self.puct, self.nodes = seed, puct, {}
        self.low, self.high = np.inf, -np.inf

    def run(self, simulations):
        self.back_up([], self.expand(()))
        for _ in range(simulations):
            path, node = [], self.nodes[()]
            while node is not None and not node.answer.over:
                action = self.choose(node)
                path.append((node, action))
                behind = (*node.path, action)
                node = self.nodes.get(behind)
            if node is None:
                self.back_up(path, self.expand(behind))
            else:
                node.visits += 1
                self.back_up(path, (node, 0.0), counted=True)
        return self

    def expand(self, path):
        found = answer(self.seed, path)
        logits = {a: float(found.logits[a]) for a in np.flatnonzero(found.legal).tolist()}
        mass = sum(np.exp(x) for x in logits.values())
        node = self.nodes[path] = Node(path, found, {a: np.exp(x) / mass for a, x in logits.items()})
        return node, 0.0 if found.over else found.value

    def back_up(self, path, leaf, counted=False):
        node, value = leaf
        if not counted:
            node.visits, node.total = 1, value
        for parent, action in reversed(path):
            reward, discount = edge_to(self.seed, (*parent.path, action), parent.answer.turn)
            value = reward + discount * value
            parent.counts[action] = parent.counts.get(action, 0) + 1
            parent.totals[action] = parent.totals.get(action, 0) + value
            parent.visits += 1
            parent.total += value
            q = parent.totals[action] / parent.counts[action]
            self.low, self.high = min(self.low, q), max(self.high, q)

    def choose(self, node):
        """argmax of Q + c P sqrt(N) / (1 + n)."""
        puct, at_root = self.puct, node.path == ()
        n = node.visits - (puct.count == "children")
        c = puct.init + (log((n + puct.base + 1) / puct.base) if puct.base else 0)
        mean = node.total / node.visits
        means = {a: node.totals[a] / count for a, count in node.counts.items()}
        low, high = {
            "none": (0.0, 1.0),
            "fixed": (-1.0, 1.0),
            "siblings": (min([mean, *means.values()]), max([mean, *means.values()])),
            "tree": (self.low, self.high) if self.high > self.low else (0.0, 1.0),
        }[puct.scale]

        def normal(q):
            return (q - low) / max(high - low, puct.floor)

        rule = (puct.root_unvisited if at_root else None) or puct.unvisited
        mass = sum(node.priors[a] for a in node.counts)
        unvisited = {
            "loss": -1.0 if puct.scale == "none" else 0.0,
            "draw": normal(0.0),
            "parent": normal(mean),
            "reduction": normal(mean - puct.reduction * sqrt(mass)),
        }[rule]

        def score(a):
            count = node.counts.get(a, 0)
            q = normal(means[a]) if count else unvisited
            forced = at_root and 0 < count < sqrt(puct.forced * node.priors[a] * (node.visits - 1))
            return 1e3 * forced + q + c * node.priors[a] * sqrt(n) / (1 + count)

        return max(node.priors, key=lambda a: (score(a), node.priors[a]))  # children of no visits tie at zero


FORMS = [
    Puct(),
    Puct(init=1.5, base=None, unvisited="draw", scale="none"),
    Puct(init=1.5, base=None, unvisited="draw", scale="none", count="children"),
    Puct(scale="none", unvisited="loss"),
    Puct(unvisited="parent"),
    Puct(unvisited="reduction", root_unvisited="draw", base=50.0),
    Puct(unvisited="reduction", reduction=0.4, scale="none"),
    Puct(scale="tree"),
    Puct(scale="tree", floor=0.5, unvisited="parent"),
    Puct(scale="siblings", unvisited="draw"),
    Puct(forced=2.0, unvisited="draw"),
]


def edges_at(search, row, n):
    """The edges of node `n` by action: a dictionary of records."""
    node = search.forest.nodes[row, n]
    return {
        int(e["action"]): e for e in search.forest.edges[row, node["first"] : node["first"] + max(0, node["count"])]
    }


def paths_of(search, row):
    """The nodes of a tree by the actions that lead to them."""
    found, todo = {}, [((), 0)]
    while todo:
        path, n = todo.pop()
        found[path] = n
        todo += [((*path, a), int(e["child"])) for a, e in edges_at(search, row, n).items() if e["child"] >= 0]
    return found


def contents(search, row):
    """All that a tree knows, by path; so trees can be compared whose nodes and edges are numbered differently."""
    names = ("visits", "turn", "total", "value", "reward", "discount", "count", "tried")
    return {
        path: (
            tuple(float(search.forest.nodes[name][row, n]) for name in names),
            {a: (int(e["visits"]), float(e["total"]), float(e["prior"])) for a, e in edges_at(search, row, n).items()},
        )
        for path, n in paths_of(search, row).items()
    }


@pytest.mark.parametrize("puct", FORMS, ids=str)
def test_puct_equals_the_plain_search(puct):
    seeds = (1, 2, 3)
    search = Search(Drawn(seeds), 3, 120, selection=puct, shuffle=False)
    findings = search.run(120)
    for row, seed in enumerate(seeds):
        plain = Plain(seed, puct).run(120)
        paths = paths_of(search, row)
        assert set(paths) == set(plain.nodes)
        for path, n in paths.items():
            assert {a: e["visits"] for a, e in edges_at(search, row, n).items() if e["visits"]} == plain.nodes[
                path
            ].counts
        root = plain.nodes[()]
        for a, count in root.counts.items():
            assert findings.means[row, a] == pytest.approx(root.totals[a] / count, abs=1e-5)
        assert findings.values[row] == pytest.approx(root.total / root.visits, abs=1e-5)
        assert search.forest.trees["low"][row] == pytest.approx(plain.low, abs=1e-5)
        assert search.forest.trees["high"][row] == pytest.approx(plain.high, abs=1e-5)


def test_arrays_of_the_network_are_left_alone():
    """A search whose trees are not all at work, and some of whose leaves are ends, writes into none of its inputs."""
    outputs = np.ones((4, 9), np.float32), np.zeros(4, np.float32)
    for array in outputs:
        array.flags.writeable = False
    game = TicTacToe()
    model = RulesModel(game, lambda observations: tuple(array[: len(observations)] for array in outputs), 4)
    search = Search(model, 4, 200)
    search.begin(np.arange(4), [200, 3, 50, 1])
    while len(search.round()) < 4:
        pass
    assert np.array_equal(search.findings(np.arange(4)).visits.sum(1), [200, 3, 50, 1])


def test_a_search_begun_among_others_takes_no_more_room():
    search = Search(Drawn((1, 2)), 2, 40)
    search.begin([0, 1], [40, 10])
    room = search.forest.nodes.shape, search.forest.edges.shape
    for _ in range(30):
        search.round()
    search.begin([1], 40)
    while len(search.round()) < 2:
        pass
    assert (search.forest.nodes.shape, search.forest.edges.shape) == room


def assert_sums(search, row):
    """Every visit and total is the sum of what was really backed up: no virtual loss is left."""
    nodes, used = search.forest.nodes[row], search.forest.trees["nodes"][row]
    for n in range(used):
        node, edges = nodes[n], edges_at(search, row, n).values()
        if node["count"] > 0:
            assert node["visits"] == 1 + sum(int(e["visits"]) for e in edges)
            assert node["total"] == pytest.approx(node["value"] + sum(float(e["total"]) for e in edges), abs=1e-4)
            assert sum(float(e["prior"]) for e in edges) == pytest.approx(1, abs=1e-6)
        for e in edges:
            child = nodes[e["child"]]
            assert e["visits"] == (child["visits"] if e["child"] >= 0 else 0)
            if e["child"] >= 0:
                total = child["visits"] * child["reward"] + child["discount"] * child["total"]
                assert e["total"] == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize(
    "selection", [Puct(), Puct(scale="tree"), Gumbel(considered=4)], ids=lambda s: type(s).__name__
)
@pytest.mark.parametrize(("leaves", "loss"), [(1, 1), (4, 1), (4, 3)])
def test_virtual_loss_is_undone_after_every_round(selection, leaves, loss):
    model = Drawn((1, 2), leaves)
    search = Search(model, 2, 60, selection=selection, leaves=leaves, virtual_loss=loss, rng=np.random.default_rng(0))
    search.begin([0, 1], 60)
    while len(search.round()) < 2:
        for row in range(2):
            assert_sums(search, row)
    assert np.array_equal(search.forest.trees["done"], [60, 60])
    assert np.array_equal(search.findings([0, 1]).visits.sum(1), [60, 60])
    if leaves > 1:
        assert model.calls < 45  # one leaf a round and tree would make it 61


def test_a_greater_virtual_loss_finds_more_leaves_a_round():
    calls = []
    for loss in (0, 1, 3, 10):
        model = Drawn((1, 2, 3, 4), 8)
        search = Search(model, 4, 200, leaves=8, virtual_loss=loss, shuffle=False)
        search.run(200)
        calls.append(model.calls)
    assert calls == sorted(calls, reverse=True)
    assert calls[-1] < calls[0] / 2


@pytest.mark.parametrize("selection", [Puct(), Gumbel(noise=0)], ids=lambda s: type(s).__name__)
def test_many_trees_are_as_many_single_ones(selection):
    seeds = tuple(range(8))
    many = Search(Drawn(seeds), 8, 60, selection=selection, shuffle=False)
    many.run(60)
    for row, seed in enumerate(seeds):
        single = Search(Drawn((seed,)), 1, 60, selection=selection, shuffle=False)
        single.run(60)
        assert contents(single, 0) == contents(many, row)


@pytest.mark.parametrize("selection", [Puct(), Gumbel(noise=0)], ids=lambda s: type(s).__name__)
def test_pool_and_growth_change_nothing(selection):
    """The pool of edges holds what the dense layout does; so does a tree that began with room for one simulation."""
    kinds = [("dense", 150), ("pool", 150), ("dense", 1), ("pool", 1)]
    found = []
    for layout, room in kinds:
        search = Search(Drawn((1, 2)), 2, room, selection=selection, shuffle=False, layout=layout)
        search.run(150)
        found.append([contents(search, row) for row in range(2)])
        assert search.forest.trees["nodes"].max() <= search.forest.nodes.shape[1]
        assert search.forest.trees["edges"].max() <= search.forest.edges.shape[1]
    assert found[0] == found[1] == found[2] == found[3]


def test_extended_search_equals_one_that_was_as_long_from_the_start():
    whole, parts = (Search(Drawn((1, 2)), 2, 20, shuffle=False) for _ in range(2))
    whole.run(90)
    parts.run(30)
    parts.extend(np.arange(2), 90)
    while len(parts.round()) < 2:
        pass
    assert [contents(whole, row) for row in range(2)] == [contents(parts, row) for row in range(2)]


@pytest.mark.parametrize("layout", ["dense", "pool"])
def test_reuse_keeps_exactly_the_subtree(layout):
    seeds = (1, 2, 3, 5)
    search = Search(Drawn(seeds), 4, 100, shuffle=False, layout=layout)
    findings = search.run(100)
    before = [contents(search, row) for row in range(4)]
    best = findings.visits.argmax(1)
    turns = [before[row][int(best[row]),][0][1] for row in range(4)]
    model = search.model
    model.look = after(best, model)  # the roots have moved on
    search.go_on(np.arange(4), best, 90)
    for row in range(4):
        prefix = (int(best[row]),)
        kept = {path[1:]: known for path, known in before[row].items() if path[:1] == prefix}
        now = contents(search, row)
        assert set(now) == set(kept)
        for path, (node, edges) in now.items():
            assert edges == kept[path][1]
            if path:
                assert node == kept[path][0]
        assert search.forest.trees["nodes"][row] == len(kept)
        assert search.forest.trees["done"][row] == kept[()][0][0] - 1
        means = [total / visits for _, edges in now.values() for visits, total, _ in edges.values() if visits]
        if means:
            assert search.forest.trees["low"][row] == pytest.approx(min(means), abs=1e-6)
            assert search.forest.trees["high"][row] == pytest.approx(max(means), abs=1e-6)
        assert search.forest.nodes["turn"][row, 0] == turns[row]
    done = search.forest.trees["done"].copy()
    while len(search.round()) < 4:
        pass
    for row in range(4):
        assert_sums(search, row)
        over = search.forest.nodes["count"][row, 0] == 0
        assert over or search.findings([row]).visits.sum() == max(90, done[row])


def after(first, model):
    """`model.look` where every root stands behind the actions `first`."""
    look = type(model).look

    def moved(leaves):
        paths, lengths = leaves.paths.copy(), leaves.lengths.copy()
        leaves.paths = np.concatenate([first[:, None].astype(np.int32), paths], axis=1)
        leaves.lengths = lengths + 1
        try:
            return look(model, leaves)
        finally:
            leaves.paths, leaves.lengths = paths, lengths

    return moved


def test_an_action_never_looked_at_begins_an_empty_tree():
    search = Search(Drawn((1,)), 1, 2, shuffle=False)
    findings = search.run(2)
    unseen = np.flatnonzero((findings.visits[0] == 0) & (findings.priors[0] > 0))[:1]
    search.model.look = after(unseen, search.model)
    search.go_on([0], unseen, 10)
    assert (search.forest.trees["nodes"][0], search.forest.trees["done"][0]) == (1, 0)
    while not len(search.round()):
        pass
    assert search.findings([0]).visits.sum() == 10


def test_gumbel_refuses_reuse_and_extension():
    search = Search(Drawn((1,)), 1, 4, selection=Gumbel())
    search.run(4)
    with pytest.raises(ValueError, match="begin"):
        search.go_on([0], [0], 4)
    with pytest.raises(ValueError, match="begin"):
        search.extend([0], 8)


@pytest.mark.parametrize("selection", [Puct(), Gumbel(noise=0)], ids=lambda s: type(s).__name__)
def test_renumbered_actions_renumber_the_search(selection):
    order = np.random.default_rng(3).permutation(ACTIONS)
    plain, renumbered = (
        Search(Drawn((1, 2), order=numbers), 2, 80, selection=selection, shuffle=False).run(80)
        for numbers in (None, order)
    )
    assert np.array_equal(plain.visits, renumbered.visits[:, order])
    np.testing.assert_allclose(plain.means, renumbered.means[:, order], atol=1e-6)


def test_tree_scale_is_blind_to_the_scale_of_rewards():
    """Rewards and values a hundred times as great: the same visits; and each search has its own least and greatest."""
    puct = Puct(scale="tree", unvisited="parent")
    small = Search(Drawn((1, 2)), 2, 100, selection=puct, shuffle=False)
    great = Search(Drawn((1, 2), scale=128.0), 2, 100, selection=puct, shuffle=False)
    first = small.run(100)
    assert np.array_equal(first.visits, great.run(100).visits)
    assert np.array_equal(first.visits, small.run(100).visits)


def test_a_floor_keeps_small_differences_small():
    """Values within 0.001 are not blown up to the whole range: then the priors rule."""
    whole, floored = (
        Search(
            Drawn((1,), scale=1e-3),
            1,
            100,
            selection=Puct(scale="tree", floor=floor, unvisited="parent"),
            shuffle=False,
        ).run(100)
        for floor in (1e-8, 1.0)
    )
    assert np.abs(floored.visits / 100 - floored.priors).max() < 0.03
    assert np.abs(whole.visits / 100 - whole.priors).max() > 0.1


@pytest.mark.parametrize("gumbel", [Gumbel(), Gumbel(rescale=False, scale=1.0)], ids=["rescaled", "plain"])
def test_edges_below_the_root_follow_the_improved_policy(gumbel):
    """argmax of pi' - N / (1 + sum N) at nodes drawn at random, some with means that hardly differ, or few untried."""
    rng = np.random.default_rng(0)
    rules = as_record(gumbel, solve=False, shuffle=False, virtual_loss=0)
    compared = 0
    for _ in range(2000):
        actions = int(rng.integers(2, 8))
        tried = int(rng.integers(0, actions + 1))
        visits = np.r_[rng.integers(1, 30, tried), np.zeros(actions - tried, int)]
        means = rng.uniform(-1, 1) + rng.choice([1e-3, 0.1, 1]) * rng.uniform(-1, 1, actions)
        priors = np.maximum(rng.dirichlet(np.full(actions, rng.choice([0.1, 1]))), 1e-12)
        raw, total = rng.uniform(-1, 1), visits.sum()
        forest = Forest(1, 1, actions)
        node, edges = forest.nodes[0], forest.edges[0]
        node["count"], node["tried"], node["visits"], node["value"] = actions, tried, 1 + total, raw
        edges["action"], edges["visits"] = np.arange(actions), visits
        edges["prior"], edges["total"] = priors, means * visits
        if tried < actions:
            find_best_untried(forest.nodes, forest.edges, 0, 0)
        chosen = edges["action"][gumbel_edge(forest.nodes, forest.edges, rules, actions, 0, 0)]

        seen = visits > 0
        mean = (priors * means)[seen].sum() / priors[seen].sum() if seen.any() else 0.0
        q = np.where(seen, means, (raw + total * mean) / (1 + total))
        if gumbel.rescale:
            q = (q - q.min()) / max(np.ptp(q), 1e-8)
        scores = np.log(priors) + (gumbel.visit + visits.max()) * gumbel.scale * q
        improved = np.exp(scores - scores.max())
        wanted = improved / improved.sum() - visits / (1 + total)
        if np.diff(np.sort(wanted))[-1] > 1e-4:  # the rest is decided by rounding
            compared += 1
            assert chosen == wanted.argmax()
    assert compared > 1500


def test_smallest_prior_is_above_zero_in_single_precision():
    assert np.float32(SMALLEST) > 0
