"""Aggregates and their intervals: against rliable's figures (version 1.2.0), SciPy's, and plain loops."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, trim_mean

from sakiyomi.arena.tasks.statistics import (
    bootstrap,
    enough,
    improvement,
    iqm,
    mean,
    median,
    optimality_gap,
    profile,
    resampled,
)

X = np.array(
    [
        [0.51, 1.04, 0.99],
        [0.3, 0.38, 0.29],
        [0.73, 0.48, 0.8],
        [-0.24, 1.13, 0.46],
        [0.77, 0.45, 0.35],
        [0.69, 0.83, 0.42],
        [0.44, 0.77, 0.15],
    ]
)
Y = np.array([[-0.01, 0.76, 0.33], [-0.17, 0.27, 0.41], [0.73, 0.48, 0.8], [0.96, 0.51, 0.3], [0.75, 0.89, 0.48]])
A, B = list(X.T), list(Y.T)
TAUS = [0, 0.3, 0.5, 0.9]

RLIABLE = {
    mean: (0.559047619047619, 0.43190476190476185, 0.6819047619047618),
    median: (0.4942857142857143, 0.3685714285714286, 0.6957142857142857),
    iqm: (0.5545454545454546, 0.4227272727272728, 0.7000000000000001),
    optimality_gap: (0.44904761904761903, 0.3314285714285714, 0.5723809523809524),
}
"""Of X: the aggregates, and their 95 % intervals from 100,000 replicates."""


@pytest.mark.parametrize("aggregate", RLIABLE)
def test_aggregates_are_those_of_rliable(aggregate):
    value, low, high = RLIABLE[aggregate]
    assert float(aggregate(A)) == pytest.approx(value, abs=1e-12)
    found = bootstrap(aggregate, A, replicates=20_000)
    assert found.value == aggregate(A)
    assert found.low == pytest.approx(low, abs=0.01)
    assert found.high == pytest.approx(high, abs=0.01)


def test_the_probability_of_improvement_is_that_of_rliable():
    found = bootstrap(improvement, A, B, replicates=20_000)
    assert float(found.value) == pytest.approx(0.5095238095238096, abs=1e-12)
    assert found.low == pytest.approx(0.3142857142857143, abs=0.02)
    assert found.high == pytest.approx(0.7142857142857143, abs=0.02)


def test_the_performance_profile_is_that_of_rliable():
    def over(scores, counts=None):
        return profile(scores, TAUS, counts)

    found = bootstrap(over, A, replicates=20_000)
    assert found.value == pytest.approx([0.9523809523809523, 0.8095238095238095, 10 / 21, 1 / 7], abs=1e-12)
    assert found.low == pytest.approx([18 / 21, 14 / 21, 6 / 21, 0.0], abs=0.05)  # one run is 1/21
    assert found.high == pytest.approx([1.0, 20 / 21, 14 / 21, 6 / 21], abs=0.05)


floats = st.floats(-10, 10).map(lambda x: round(x, 1))
runs = st.lists(floats, min_size=1, max_size=12).map(np.array)
suites = st.lists(runs, min_size=1, max_size=4)


@settings(max_examples=80, deadline=None)
@given(suites)
def test_point_estimates_are_what_they_are_called(scores):
    pooled = np.concatenate(scores)
    assert float(iqm(scores)) == pytest.approx(trim_mean(pooled, 0.25), abs=1e-12)
    means = [np.mean(each) for each in scores]
    assert float(mean(scores)) == pytest.approx(np.mean(means), abs=1e-12)
    assert float(median(scores)) == pytest.approx(np.median(means), abs=1e-12)
    assert float(optimality_gap(scores, optimum=2.0)) == pytest.approx(np.mean(2 - np.minimum(pooled, 2)), abs=1e-12)
    assert profile(scores, [0.0, 5.0]) == pytest.approx([np.mean(pooled > 0), np.mean(pooled > 5)], abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(runs, runs), min_size=1, max_size=4))
def test_improvement_is_mann_whitney_a_task_and_the_other_way_round_the_rest(pairs):
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    wanted = np.mean([mannwhitneyu(a, b).statistic / (len(a) * len(b)) for a, b in pairs])
    assert float(improvement(x, y)) == pytest.approx(wanted, abs=1e-12)
    assert float(improvement(x, y) + improvement(y, x)) == pytest.approx(1.0)


def test_failures_lose_to_everything_and_equal_each_other():
    never = -np.inf
    assert float(improvement([np.array([never, 1.0])], [np.array([never, 0.0])])) == (0.5 + 0 + 1 + 1) / 4


@pytest.mark.parametrize("aggregate", [mean, median, iqm, optimality_gap])
def test_counts_stand_for_runs_held_so_often(aggregate):
    rng = np.random.default_rng(0)
    counts = [resampled(len(each), 40, rng) for each in A]
    found = aggregate(A, counts)
    for row in range(40):
        drawn = [np.repeat(each, c[row].astype(int)) for each, c in zip(A, counts, strict=True)]
        assert found[row] == pytest.approx(float(aggregate(drawn)), abs=1e-12)


def test_counts_of_two_samples_stand_for_runs_held_so_often():
    rng = np.random.default_rng(1)
    one, two = ([resampled(len(each), 20, rng) for each in scores] for scores in (A, B))
    found = improvement(A, B, one, two)
    for row in range(20):
        drawn = [
            [np.repeat(each, c[row].astype(int)) for each, c in zip(scores, counts, strict=True)]
            for scores, counts in ((A, one), (B, two))
        ]
        assert found[row] == pytest.approx(float(improvement(*drawn)), abs=1e-12)


def test_all_resamples_of_three_runs_are_equally_likely():
    drawn = resampled(3, 60_000, np.random.default_rng(2))
    assert (drawn.sum(1) == 3).all()
    wanted = {}
    for choice in product(range(3), repeat=3):
        key = tuple(np.bincount(choice, minlength=3))
        wanted[key] = wanted.get(key, 0) + 1 / 27
    seen, times = np.unique(drawn, axis=0, return_counts=True)
    assert len(seen) == len(wanted)
    for key, count in zip(seen, times, strict=True):
        assert count / 60_000 == pytest.approx(wanted[tuple(key.astype(int))], abs=0.01)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng, held = np.random.default_rng(3), 0
    for _ in range(200):
        scores = [rng.normal(1.0, 1.0, 25), rng.normal(2.0, 0.5, 25)]
        found = bootstrap(mean, scores, replicates=500)
        held += found.low <= 1.5 <= found.high
    assert 0.88 <= held / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval_however_it_is_cut_into_pieces(monkeypatch):
    again = [bootstrap(iqm, A, replicates=500, seed=7) for _ in range(2)]
    assert again[0] == again[1]
    assert bootstrap(iqm, A, replicates=500, seed=8) != again[0]
    monkeypatch.setattr("sakiyomi.arena.tasks.statistics.CHUNK", 21 * 64)
    found = bootstrap(iqm, A, replicates=500, seed=7)
    assert found.low == pytest.approx(float(again[0].low), abs=0.1)


def test_very_many_runs_get_fewer_replicates():
    few, many = [np.zeros(20)], [np.zeros(10_000), np.zeros(10_000)]
    assert enough(50_000, few) == 50_000
    assert enough(50_000, many) == 5_000
    assert enough(50_000, many * 5, many * 5) == 2_000
    assert enough(500, many) == 500


def test_both_samples_must_have_the_same_tasks():
    with pytest.raises(ValueError, match="the same tasks, got 3 and 2"):
        improvement(A, B[:2])
