"""Errors by doing it again: simulated tournaments and redrawn pairs."""

import math

import numpy as np
import pytest

from sakiyomi.arena.rating.anchors import Anchor
from sakiyomi.arena.rating.bootstrap import bootstrap
from sakiyomi.arena.rating.joint import ELO, Prior, fit
from sakiyomi.arena.rating.model import chances, expected_score
from sakiyomi.arena.rating.resampling import simulate
from sakiyomi.arena.rating.results import Results

TRUTH = np.array([0.6, 0.1, -0.2, -0.5])


def played(rng, each=25, nu=0.7, advantage=0.2):
    """A round robin under Davidson's model, strengths in nats."""
    counts = {}
    for i, r in enumerate(TRUTH):
        for j, s in enumerate(TRUTH):
            if i != j:
                weights = np.array([math.exp((r - s + advantage) / 2), nu, math.exp((s - r - advantage) / 2)])
                for score, times in zip((1.0, 0.5, 0.0), rng.multinomial(each, weights / weights.sum()), strict=True):
                    counts[f"p{i}", f"p{j}", score] = int(times)
    return Results.of_counts(counts)


@pytest.mark.parametrize("model", ["davidson", "rao-kupper", "half-wins"])
def test_chances_are_chances_with_the_expected_score(model):
    leads = np.linspace(-4, 4, 41)
    for draw in (0.3, 1.2):
        odds = chances(model, leads, draw, equal_draws=0.4)
        assert odds.sum(1) == pytest.approx(np.ones(41))
        assert (odds >= 0).all()
        assert odds[:, 0] + odds[:, 1] / 2 == pytest.approx(expected_score(model, leads, draw))
    middle = chances("half-wins", np.zeros(1), 0.0, equal_draws=0.4)[0]
    assert middle == pytest.approx([0.3, 0.4, 0.3])


def test_draws_of_half_wins_are_davidsons():
    """At the lead where Davidson's model expects the same score, it expects as many draws."""
    nu = 2 * 0.4 / (1 - 0.4)
    davidson = chances("davidson", np.linspace(-5, 5, 21), math.log(nu))
    scores = davidson[:, 0] + davidson[:, 1] / 2
    assert chances("half-wins", np.log(scores / (1 - scores)), 0.0, equal_draws=0.4) == pytest.approx(davidson)


@pytest.mark.parametrize("model", ["davidson", "rao-kupper"])
def test_simulated_errors_are_those_of_the_curvature(model):
    results = played(np.random.default_rng(1), each=60)
    drawn = simulate(results, np.random.default_rng(2), samples=400, draws=model)
    usual = fit(results, draws=model, intervals="normal")
    for row, other in zip(drawn.table, usual.table(), strict=True):
        assert row.elo == other.elo
        assert row.error == pytest.approx(other.error, rel=0.15)
        assert row.low < row.elo < row.high
        assert row.los == pytest.approx(other.los, abs=0.06, nan_ok=True)
    gaps = np.sqrt(usual.gaps(np.array([0]), np.array([3])))
    assert drawn.errors[0, 3] == pytest.approx(ELO * gaps[0] * (usual.elo[0] / usual.parameters[0]), rel=0.2)


def test_the_seed_decides():
    results = played(np.random.default_rng(1))
    one, same, other = (simulate(results, np.random.default_rng(seed), samples=5).elos for seed in (7, 7, 8))
    assert (one == same).all()
    assert (one != other).any()


def test_progress_is_told():
    heard = []
    simulate(played(np.random.default_rng(1)), np.random.default_rng(0), samples=4, progress=heard.append)
    assert heard == [1, 2, 3, 4]


def test_anchors_stay():
    anchors = [Anchor("p1", 1500), Anchor("p2", 1450)]
    drawn = simulate(played(np.random.default_rng(1)), np.random.default_rng(0), samples=20, anchors=anchors)
    rows = {row.name: row for row in drawn.table}
    assert [rows["p1"].low, rows["p1"].elo, rows["p1"].high] == pytest.approx([1500] * 3, abs=1e-6)
    assert rows["p0"].error > 0


def test_pools_do_not_compare():
    counts = {("a", "b", 1.0): 3, ("b", "a", 1.0): 2, ("x", "y", 0.5): 2, ("y", "x", 1.0): 1}
    drawn = simulate(Results.of_counts(counts), np.random.default_rng(0), samples=10)
    assert np.isnan(drawn.los[0, 2])
    assert np.isnan(drawn.errors[0, 2])
    assert [math.isnan(row.los) for row in drawn.table] == [False, True, False, True]


def test_bootstrap_follows_its_anchor():
    rng = np.random.default_rng(3)
    games = [("a", "b", float(score)) for score in rng.choice([0, 0.5, 1], 60)]
    pairs = [games[k : k + 2] for k in range(0, 60, 2)]
    drawn = bootstrap(pairs, np.random.default_rng(0), samples=30, anchors=[Anchor("b", 100)])
    rows = {row.name: row for row in drawn.table}
    assert rows["b"].elo == rows["b"].low == 100
    assert rows["a"].low < rows["a"].elo < rows["a"].high


@pytest.mark.slow
@pytest.mark.parametrize("model", ["davidson", "half-wins"])
def test_simulated_intervals_cover_the_truth(model):
    rng, inside = np.random.default_rng(9), []
    for _ in range(60):
        results = played(rng, each=12)
        drawn = simulate(results, rng, samples=100, draws=model, prior=Prior(sigma=2000))
        found = drawn.fit
        planted = ELO * (2 / 2.7) * (TRUTH - found.center @ TRUTH)
        rows = {row.name: row for row in drawn.table}
        inside += [rows[n].low <= x <= rows[n].high for n, x in zip(found.players, planted, strict=True)]
    assert 0.9 <= np.mean(inside) <= 0.985


@pytest.mark.slow
def test_loose_anchors_are_covered():
    """Truths drawn from what the anchors say lie within the intervals as often as these promise."""
    rng, inside = np.random.default_rng(4), []
    for _ in range(150):
        truth = np.array([100.0, 0.0, -100.0]) + rng.normal(0, [40, 40, 1e-9])
        counts = {}
        for i, j in ((0, 1), (1, 2), (2, 0), (1, 0)):
            wins = int(rng.binomial(20, 1 / (1 + 10 ** ((truth[j] - truth[i]) / 400))))
            counts[f"p{i}", f"p{j}", 1.0], counts[f"p{i}", f"p{j}", 0.0] = wins, 20 - wins
        anchors = [Anchor("p0", 100, 40), Anchor("p1", 0, 40), Anchor("p2", -100)]
        found = fit(Results.of_counts(counts), anchors=anchors, draws="half-wins", prior=None, advantage=False)
        inside += ((found.low <= truth) & (truth <= found.high))[:2].tolist()
    assert 0.91 <= np.mean(inside) <= 0.985
