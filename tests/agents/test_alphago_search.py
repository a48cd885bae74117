"""AlphaGo's search against a slow one written from the paper's formulas, and what it must not depend on."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from sakiyomi.agents.alphago.search import Apv, ApvSearch, Guides
from sakiyomi.boards import Go
from sakiyomi.boards.game import Ending

GAME = Go(5, komi=0.5)
SETTINGS = Apv(exploration=1.5, virtual_loss=1, threshold=2, leaves=1)


def digest(states, salt):
    """[n], numbers in 0..1 that hang on the position alone."""
    boards = np.stack([GAME.board(state).ravel() for state in states]).astype(np.int64)
    turns = GAME.turn(states).astype(np.int64) + 2 * states["passes"].astype(np.int64)
    weights = np.random.default_rng(salt).integers(1, 1 << 20, boards.shape[1])
    return ((boards * weights).sum(1) + 77_777 * turns * salt) % 10_007 / 10_007


def made_priors(salt):
    def priors(states):
        shares = np.stack([np.random.default_rng(int(d * 1e6) + salt).random(26) for d in digest(states, salt)])
        shares = np.where(GAME.legal(states), shares**3, 0)
        return (shares / shares.sum(1, keepdims=True)).astype(np.float32)

    return priors


def made_values(states):
    return (2 * digest(states, 5) - 1).astype(np.float32)


def made_rollouts(states, rng):
    return np.where(digest(states, 9) > 0.5, 1, -1).astype(np.float32)


GUIDES = Guides(made_priors(1), made_values, made_rollouts, made_priors(2))


def positions(n, plies=6, seed=0):
    states, rng = GAME.new(n), np.random.default_rng(seed)
    for _ in range(plies):
        legal = GAME.legal(states)[:, :-1]
        GAME.play(states, np.array([rng.choice(np.flatnonzero(row)) for row in legal], np.int32))
    return states


def search_of(states, settings=SETTINGS, guides=GUIDES, seed=0):
    search = ApvSearch(GAME, guides, len(states), settings, rng=np.random.default_rng(seed))
    search.roots[:] = np.repeat(states, settings.leaves)
    return search


class Slow:
    """One tree of dicts, one descent at a time: the paper's "Search algorithm" sentence by sentence."""

    def __init__(self, state, settings, guides):
        self.settings, self.guides = settings, guides
        self.root = self.node(state)

    def node(self, state):
        priors = self.guides.priors(state)[0]
        return {
            a: {"P": float(priors[a]), "Nr": 0, "Wr": 0.0, "Nv": 0, "Wv": 0.0, "value": None, "child": None}
            for a in sorted(np.flatnonzero(priors > 0), key=lambda a: (-priors[a], a))
        }

    def q(self, edge):
        rolled = edge["Wr"] / edge["Nr"] if edge["Nr"] else 0.0
        if not edge["Nv"]:
            return rolled
        return (1 - self.settings.mixing) * edge["Wv"] / edge["Nv"] + self.settings.mixing * rolled

    def simulate(self, root):
        state, node, path = root.copy(), self.root, []
        while True:
            total = sum(edge["Nr"] for edge in node.values())
            action, edge = max(
                node.items(),
                key=lambda item: (
                    self.q(item[1]) + self.settings.exploration * item[1]["P"] * sqrt(total) / (1 + item[1]["Nr"])
                ),
            )
            path.append((edge, 1 if GAME.turn(state)[0] == 0 else -1))
            GAME.play(state, np.array([action], np.int32))
            if edge["child"] is None:
                break
            node = edge["child"]
        over = GAME.ending(state)[0] != Ending.ONGOING
        if edge["value"] is None:
            edge["value"] = float(GAME.result(state)[0] if over else self.guides.values(state)[0])
            for each, sign in path:
                each["Nv"] += 1
                each["Wv"] += sign * edge["value"]
        result = float(GAME.result(state)[0] if over else self.guides.rollouts(state, None)[0])
        for each, sign in path:
            each["Nr"] += 1
            each["Wr"] += sign * result
        if edge["Nr"] > self.settings.threshold and not over:
            edge["child"] = self.node(state)


@pytest.mark.parametrize("mixing", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("threshold", [0, 3])
def test_it_is_the_papers_search(mixing, threshold):
    settings = replace(SETTINGS, mixing=mixing, threshold=threshold)
    states = positions(3)
    found = search_of(states, settings).run(150)
    for i in range(3):
        slow = Slow(states[i : i + 1], settings, GUIDES)
        for _ in range(150):
            slow.simulate(states[i : i + 1])
        assert {a: edge["Nr"] for a, edge in slow.root.items() if edge["Nr"]} == {
            int(a): int(found.visits[i, a]) for a in np.flatnonzero(found.visits[i])
        }
        for a, edge in slow.root.items():
            if edge["Nr"]:
                assert found.means[i, a] == pytest.approx(slow.q(edge), abs=1e-5)
            assert found.priors[i, a] == pytest.approx(edge["P"], abs=1e-6)


def never(*_):
    raise AssertionError("this is not to be asked")


def test_without_mixing_rollouts_say_nothing():
    states = positions(2)
    settings = replace(SETTINGS, mixing=0.0)
    deaf = search_of(states, settings, replace(GUIDES, rollouts=never)).run(100)
    none = search_of(states, settings, replace(GUIDES, rollouts=None)).run(100)
    assert (deaf.visits == none.visits).all()
    assert np.array_equal(deaf.means, none.means, equal_nan=True)


def test_with_all_mixing_the_value_network_says_nothing():
    states = positions(2)
    settings = replace(SETTINGS, mixing=1.0)
    deaf = search_of(states, settings, replace(GUIDES, values=never)).run(100)
    none = search_of(states, settings, replace(GUIDES, values=None)).run(100)
    assert (deaf.visits == none.visits).all()


@pytest.mark.parametrize(
    "settings", [replace(SETTINGS, leaves=5, virtual_loss=3), replace(SETTINGS, late=True, leaves=4)]
)
def test_trees_side_by_side_are_those_alone(settings):
    states = positions(4)
    together = search_of(states, settings).run(90)
    for i in range(4):
        alone = search_of(states[i : i + 1], settings).run(90)
        assert (alone.visits[0] == together.visits[i]).all()
        assert np.array_equal(alone.means[0], together.means[i], equal_nan=True)


@pytest.mark.parametrize("late", [False, True])
def test_no_virtual_loss_is_left(late):
    search = search_of(positions(3), replace(SETTINGS, leaves=7, virtual_loss=3, late=late))
    found = search.run(200)
    assert (found.visits.sum(1) == 200).all()
    forest = search.forest
    for t in range(3):
        used = forest.edges[t, : int(forest.trees["edges"][t])]
        assert (used["flying"] == 0).all()
        assert (used["visits"] >= used["valued"]).all()
        assert (np.abs(used["total"]) <= used["visits"]).all()


def test_late_answers_take_the_place_of_the_tree_policys_priors():
    states = positions(1)
    search = search_of(states, replace(SETTINGS, late=True, leaves=4))
    found = search.run(120)
    assert found.priors[0] == pytest.approx(made_priors(1)(states)[0], abs=1e-6)
    search = search_of(states, replace(SETTINGS, late=True, leaves=4))
    search.begin(np.arange(1), 8)
    search.round()
    edges = search.forest.edges[0, : int(search.forest.nodes["count"][0, 0])]
    assert edges["prior"] == pytest.approx(np.sort(made_priors(2)(states)[0])[::-1][: len(edges)], abs=1e-6)


def test_a_tree_is_gone_on_with():
    states = positions(1)
    search = search_of(states)
    before = search.run(300)
    action = int(before.visits[0].argmax())
    counted = int(before.visits[0, action])
    search.go_on(np.zeros(1, np.int64), np.array([action]), 400)
    GAME.play(states, np.array([action], np.int32))
    search.roots[:] = states
    kept = int(search.forest.trees["done"][0])
    assert counted - SETTINGS.threshold - 2 <= kept < counted
    while not len(search.round()):
        pass
    after = search.findings(np.arange(1))
    assert after.visits.sum() == 400
    assert (after.visits[0][~GAME.legal(states)[0]] == 0).all()


def test_what_is_allowed_at_the_root():
    states = positions(2)
    search = search_of(states, replace(SETTINGS, leaves=3))
    allowed = np.zeros((2, 26), np.bool_)
    allowed[0, np.flatnonzero(GAME.legal(states)[0])[:2]] = True
    allowed[1] = GAME.legal(states)[1]
    search.allowed = np.repeat(allowed, 3, axis=0)
    found = search.run(60)
    assert (found.visits[~allowed] == 0).all()
    assert (found.visits[0] > 0).sum() == 2


def test_won_games_are_seen_to_be_won():
    """Who has more and may end the game by a second pass does so."""
    states = GAME.new(1)
    for move in (12, 25):
        GAME.play(states, np.array([move], np.int32))

    def even(states):
        return np.full((len(states), 26), 1 / 26, np.float32) * GAME.legal(states)

    found = search_of(states, replace(SETTINGS, exploration=5.0), replace(GUIDES, priors=even)).run(200)
    assert found.means[0, 25] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("settings", "guides", "what"),
    [
        (SETTINGS, replace(GUIDES, values=None), "no value network"),
        (SETTINGS, replace(GUIDES, rollouts=None), "no rollout policy"),
        (replace(SETTINGS, late=True), replace(GUIDES, first_priors=None), "no tree policy"),
    ],
)
def test_what_is_lacking_is_told(settings, guides, what):
    with pytest.raises(ValueError, match=what):
        search_of(positions(1), settings, guides)


@pytest.mark.parametrize("wrong", [{"mixing": 1.5}, {"mixing": -0.1}, {"leaves": 0}, {"threshold": -1}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Apv(**wrong)
