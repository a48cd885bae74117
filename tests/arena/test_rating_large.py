"""Large pools: three ways to invert one matrix, graphs of every kind, and how long ten thousand players take."""

import numpy as np
import pytest

from sakiyomi.arena.rating import curvature, elimination
from sakiyomi.arena.rating.anchors import Anchor
from sakiyomi.arena.rating.elimination import Dense, Levels, levels_of
from sakiyomi.arena.rating.joint import BAYESELO, Prior, fit
from sakiyomi.arena.rating.probing import TARGET, Probes
from sakiyomi.arena.rating.results import Results


def pool(players, games, kind, seed=0):
    """Games with planted strengths; who meets whom depends on the kind of graph."""
    rng = np.random.default_rng(seed)
    strength = np.sort(rng.normal(0, 250, players))
    first = rng.integers(players, size=games)
    if kind == "anybody":
        second = rng.integers(players, size=games)
    elif kind == "neighbours":
        second = np.clip(first + np.rint(rng.normal(0, 6, games)).astype(int), 0, players - 1)
    elif kind == "stars":  # a few whom everybody meets
        second = np.minimum((players * rng.random(games) ** 4).astype(int), players - 1)
    else:  # islands, of which only some are joined
        second = np.minimum(first // 7 * 7 + rng.integers(7, size=games), players - 1)
    odds = 1 / (1 + 10 ** ((strength[second] - strength[first] - 30) / 400))
    score = np.where(rng.random(games) < 0.3, 0.5, rng.random(games) < odds)
    return Results.of_columns(first, second, score, [f"p{i:05d}" for i in range(players)])


def rated(monkeypatch, solver, results, **options):
    """The fit by one of the three ways."""
    monkeypatch.setattr(curvature, "DENSE", 10**6 if solver is Dense else 0)
    monkeypatch.setattr(elimination, "WORK", 1e30 if solver is Levels else 0)
    found = fit(results, intervals="normal", **options)
    assert type(found.bordered.solver) is solver
    return found


ANCHORS = [Anchor("p00005", 100), Anchor("p00100", 130), Anchor("p00200", 300, 40)]


@pytest.mark.parametrize("kind", ["anybody", "neighbours", "stars", "islands"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"draws": "rao-kupper", "prior": BAYESELO},
        {"draws": "half-wins", "prior": Prior(sigma=300), "anchor": "p00007"},
        {"anchors": ANCHORS},
    ],
    ids=["weak", "bayeselo", "one anchor", "several anchors"],
)
def test_three_ways_agree(monkeypatch, kind, options):
    results = pool(250, 8000, kind)
    dense, levels, probes = (rated(monkeypatch, way, results, **options) for way in (Dense, Levels, Probes))
    for other in (levels, probes):
        assert np.abs(other.elo - dense.elo).max() < 1e-7
        assert other.advantage.elo == pytest.approx(dense.advantage.elo, abs=1e-7)
        assert other.advantage.error == pytest.approx(dense.advantage.error, rel=1e-7)
        assert other.draws == pytest.approx(dense.draws, abs=1e-10)
        assert np.abs(other.covariance - dense.covariance).max() < 1e-6 * dense.covariance.max()
    assert levels.error == pytest.approx(dense.error, rel=1e-8)
    assert [row.los for row in levels.table()] == pytest.approx(
        [row.los for row in dense.table()], abs=1e-8, nan_ok=True
    )
    # Probes are held to 1 % of a standard error by what they measure themselves; here by the truth.
    assert levels.accuracy == dense.accuracy == 0
    assert probes.accuracy <= TARGET
    assert probes.error == pytest.approx(dense.error, rel=2.5 * TARGET)
    assert [row.los for row in probes.table()] == pytest.approx(
        [row.los for row in dense.table()], abs=0.02, nan_ok=True
    )


def test_maximum_likelihood_without_any_prior(monkeypatch):
    results = pool(250, 20000, "anybody", seed=3)
    dense, levels, probes = (rated(monkeypatch, way, results, prior=None) for way in (Dense, Levels, Probes))
    assert levels.elo == pytest.approx(dense.elo, abs=1e-7)
    assert probes.elo == pytest.approx(dense.elo, abs=1e-7)
    assert levels.error == pytest.approx(dense.error, rel=1e-8)
    assert probes.error == pytest.approx(dense.error, rel=2.5 * TARGET)


def test_probes_are_the_same_in_every_run(monkeypatch):
    results = pool(250, 8000, "stars")
    one, other = (rated(monkeypatch, Probes, results) for _ in range(2))
    assert (one.error == other.error).all()


def test_levels_link_only_neighbours():
    results = pool(600, 6000, "neighbours")
    links = fit(results, intervals="normal").problem.pattern.links(results.counts.games)
    order, starts = levels_of(links)
    assert starts[0] == 0
    assert starts[-1] == len(order) == len(set(order.tolist()))
    level = np.empty(len(order), int)
    level[order] = np.searchsorted(starts, np.arange(len(order)), side="right") - 1
    rows, columns = links.nonzero()
    assert np.abs(level[rows] - level[columns]).max() <= 1
    assert len(starts) > 5


def test_a_large_pool_chooses_by_its_graph():
    ladder = fit(pool(1100, 6000, "neighbours"))
    mixed = fit(pool(2000, 40000, "anybody"))
    assert isinstance(ladder.bordered.solver, Levels)
    assert isinstance(mixed.bordered.solver, Probes)
    assert "covariance" not in vars(mixed)  # nothing of n x n is made unasked


def test_planted_strengths_are_covered_in_a_large_pool():
    rng = np.random.default_rng(5)
    strength = rng.normal(0, 200, 2000)
    first, second = rng.integers(2000, size=(2, 100_000))
    odds = 1 / (1 + 10 ** ((strength[second] - strength[first]) / 400))
    names = [f"{i:04d}" for i in range(2000)]
    found = fit(Results.of_columns(first, second, (rng.random(100_000) < odds).astype(float), names))
    truth = strength - found.center @ strength
    assert 0.93 < ((found.low <= truth) & (truth <= found.high)).mean() < 0.97


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["anybody", "stars", "neighbours"])
def test_ten_thousand_players_and_a_million_games(kind):
    """That this is a matter of seconds is shown by `benchmarks/rating_speed.py`; here all must get a place."""
    results = pool(10_000, 1_000_000, kind)
    c = results.counts
    tally = zip(c.first.tolist(), c.second.tolist(), c.wins, c.draws, c.losses, strict=True)
    games = [
        (results.players[i], results.players[j], score)
        for i, j, *times in tally
        for score, number in zip((1.0, 0.5, 0.0), times, strict=True)
        for _ in range(int(number))
    ]
    assert len(games) > 900_000
    table = fit(Results.of(games)).table()
    assert len(table) == 10_000
