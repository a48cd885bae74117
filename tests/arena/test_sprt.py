"""The statistics of two players, against Fishtest's figures, against direct optimisation, and by simulation."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import xlogy

from sakiyomi.arena.rating.head_to_head import NELO, duel, elo_of, moments, pentanomial, score_of, trinomial
from sakiyomi.arena.rating.sequential import Sprt

# counts; LLR of [0, 5] Elo, of [0, 5] normalized Elo; Elo, half-width of its 95 % interval, LOS: by Fishtest's code
FISHTEST = [
    ([10, 40, 80, 50, 20], 0.749910, 0.556619, 26.106693, 24.584101, 0.981814),
    ([10789, 19328, 33806, 19402, 10543], -38.514408, -26.838449, -0.773577, 1.277580, 0.117659),
    ([1, 20, 60, 22, 1], 0.030123, 0.037156, 3.340830, 23.177193, None),
    ([30, 60, 50], 0.478940, 0.366347, 49.975495, 43.856817, 0.988610),
    ([0, 3, 10, 7, 0], 0.214573, 0.110969, None, None, None),  # it fills empty counts for Elo, too; here none is filled
    ([5, 0, 9], 0.056119, 0.056115, None, None, None),
]


@pytest.mark.parametrize(("counts", "logistic", "normalized", "elo", "half_width", "los"), FISHTEST)
def test_figures_of_fishtest(counts, logistic, normalized, elo, half_width, los):
    assert Sprt().llr(counts) == pytest.approx(logistic, abs=1e-6)
    assert Sprt(scale="normalized").llr(counts) == pytest.approx(normalized, abs=1e-6)
    found = duel(counts)
    if elo is not None:
        assert found.elo == pytest.approx(elo, abs=1e-6)
        assert (found.high - found.low) / 2 == pytest.approx(half_width, abs=1e-6)
    if los is not None:
        assert found.los == pytest.approx(los, abs=1e-6)


def test_normalized_elo_of_fishtest():
    found = duel([10, 40, 80, 50, 20])
    assert (found.nelo, found.nelo_error) == pytest.approx((36.3546, 34.0481), abs=1e-4)


@pytest.mark.parametrize("scale", ["logistic", "normalized"])
@pytest.mark.parametrize("counts", [[3, 9, 20, 14, 4], [12, 30, 21]])
def test_likelihood_ratio_is_that_of_the_likeliest_distributions(scale, counts):
    """SLSQP finds the same two constrained maxima from the definition."""
    scores = np.linspace(0, 1, len(counts))

    def most(elo):
        def miss(shares):
            mean, variance = moments(shares)
            if scale == "logistic":
                return mean - score_of(elo)
            return (mean - 0.5) / math.sqrt(variance * (len(counts) - 1) / 2) * NELO - elo

        rules = [{"type": "eq", "fun": lambda shares: shares.sum() - 1}, {"type": "eq", "fun": miss}]
        found = minimize(
            lambda shares: -xlogy(counts, shares).sum(),
            np.full(len(scores), 1 / len(scores)),
            bounds=[(1e-9, 1)] * len(scores),
            constraints=rules,
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 1000},
        )
        assert found.success
        return -found.fun

    test = Sprt(-10, 40, scale=scale)
    assert test.llr(counts) == pytest.approx(most(40) - most(-10), abs=2e-5)


@pytest.mark.parametrize(("elo", "wrong"), [(0.0, "H1"), (30.0, "H0")])
def test_errors_are_as_rare_as_promised(elo, wrong):
    """300 tests of pairs of games; a rate of 5 % or below is seen as 8.5 % or more once in 200 times."""
    rng = np.random.default_rng(7)
    shares = np.array([0.06, 0.19, 0.42, 0.25, 0.08])
    shares = _tilted(shares, score_of(elo))
    test, missed = Sprt(0, 30), 0
    for _ in range(300):
        counts, verdict = np.zeros(5, np.int64), None
        while verdict is None:
            counts += rng.multinomial(10, shares)
            verdict = test.verdict(counts)
        missed += verdict == wrong
    assert missed / 300 < 0.085


def _tilted(shares, mean):
    """`shares`, exponentially tilted to another mean score."""
    scores, low, high = np.linspace(0, 1, len(shares)), -20.0, 20.0
    for _ in range(100):
        middle = (low + high) / 2
        tilted = shares * np.exp(middle * scores)
        tilted /= tilted.sum()
        low, high = (middle, high) if tilted @ scores < mean else (low, middle)
    return tilted


def test_wald_bounds():
    assert Sprt().bounds == pytest.approx((-2.944439, 2.944439), abs=1e-6)
    low, high = Sprt(alpha=0.01, beta=0.2).bounds
    assert math.exp(low) == pytest.approx(0.2 / 0.99)
    assert math.exp(high) == pytest.approx(0.8 / 0.01)


def test_verdicts():
    test = Sprt(0, 50)
    assert test.verdict([0, 0, 0]) is None
    assert test.verdict([5, 10, 5]) is None
    assert test.verdict([10, 100, 90]) == "H1"
    assert test.verdict([100, 200, 100]) == "H0"


def test_without_games_nothing_is_likelier():
    assert Sprt().llr([0, 0, 0, 0, 0]) == 0
    with pytest.raises(ValueError, match="no games"):
        duel([0, 0, 0])


def test_only_wins():
    found = duel([0, 0, 8])
    assert (found.elo, found.nelo, found.los, found.score, found.games) == (math.inf, math.inf, 1, 1, 8)
    assert Sprt(0, 100).llr([0, 0, 40]) > 3
    even = duel([0, 6, 0])
    assert (even.elo, even.low, even.high, even.nelo, even.los) == (0, 0, 0, 0, 0.5)


def test_pairs_with_opposite_winners_make_narrower_intervals():
    """An opening that decides every game: as single games they vary as much as they can, as pairs not at all."""
    single, pairs = duel([50, 0, 50]), duel([0, 1, 48, 1, 0])
    assert single.games == pairs.games == 100
    assert pairs.high - pairs.low < (single.high - single.low) / 4


def test_counting():
    assert trinomial([1, 0, 0.5, 1]) == (1, 1, 2)
    assert pentanomial([(0, 0), (0.5, 0), (1, 0), (0.5, 0.5), (1, 0.5), (1, 1), (0, 1)]) == (1, 1, 3, 1, 1)


def test_elo_and_score_are_inverse():
    for elo in (-300, -1, 0, 20, 700):
        assert elo_of(score_of(elo)) == pytest.approx(elo)
    assert (elo_of(0), elo_of(1)) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sprt(5, 5), "elo0 below elo1"),
        (lambda: Sprt(0, math.nan), "elo0 below elo1"),
        (lambda: Sprt(alpha=0.5), "between 0 and 0.5"),
        (lambda: Sprt(scale="bayesian"), "'logistic' or 'normalized'"),
        (lambda: Sprt().llr([1, 2]), "wanted: 3 counts"),
        (lambda: duel([1, -2, 3]), "wanted: 3 counts"),
        (lambda: duel([1, 2.5, 3]), "wanted: 3 counts"),
        (lambda: duel([1, 2, 3], 1.0), "confidence"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_public_names_are_what_they_say():
    """A module of the same name would hide the function from those who import both."""
    from sakiyomi.arena import Sprt as public_test
    from sakiyomi.arena import duel as public_duel

    assert public_duel([1, 2, 3]) == duel([1, 2, 3])
    from sakiyomi.arena import sprt

    assert public_test is Sprt
    found = sprt([10, 40, 80, 50, 20])
    assert (round(found.llr, 6), found.accepted) == (0.749910, None)
