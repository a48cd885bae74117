"""Anchors, exact and loose, one and several; errors relative to the pool; all against a plain numerical maximum."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from sakiyomi.arena.rating.anchors import Anchor
from sakiyomi.arena.rating.joint import ELO, Prior, fit, ratings
from sakiyomi.arena.rating.results import Results

ROWS = [("a", "b", 6, 3, 1), ("b", "a", 4, 4, 2), ("a", "c", 7, 2, 1), ("c", "a", 2, 3, 5), ("b", "c", 5, 3, 2)]


def results(rows=ROWS):
    return Results.of_counts(
        {(i, j, score): times for i, j, *tally in rows for score, times in zip((1.0, 0.5, 0.0), tally, strict=True)}
    )


def chances(model, lead, draw):
    """Win, draw, loss by the textbook."""
    if model == "davidson":
        weights = np.array([math.exp(lead / 2), math.exp(draw), math.exp(-lead / 2)])
        return weights / weights.sum()
    if model == "rao-kupper":
        win, loss = 1 / (1 + math.exp(draw - lead)), 1 / (1 + math.exp(draw + lead))
        return np.array([win, 1 - win - loss, loss])
    win = 1 / (1 + math.exp(-lead))
    return np.array([win, math.sqrt(win * (1 - win)), 1 - win])


def best(model, penalty, fixed=None):
    """The maximum of log-likelihood less `penalty` over strengths of a, b, c, advantage and draw parameter."""
    start = np.array([0.1, 0.0, -0.1, 0.1, 0.5])

    def loss(theta):
        theta = np.where(np.isnan(fixed), theta, fixed) if fixed is not None else theta
        strength = dict(zip("abc", theta, strict=False))
        value = sum(
            np.dot(tally, np.log(chances(model, strength[i] - strength[j] + theta[3], theta[4])))
            for i, j, *tally in ROWS
        )
        return penalty(theta) - value

    found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 40000, "xatol": 1e-10, "fatol": 1e-13})
    return np.where(np.isnan(fixed), found.x, fixed) if fixed is not None else found.x


@pytest.mark.parametrize("model", ["davidson", "rao-kupper", "half-wins"])
def test_maximum_likelihood_is_the_numerical_maximum(model):
    theta = best(model, lambda t: 100 * (t[0] + t[1] + t[2]) ** 2)
    found = fit(results(), draws=model, prior=None)
    mine = found.theta[:3] - found.theta[:3].mean()
    assert mine == pytest.approx(theta[:3] - theta[:3].mean(), abs=1e-5)
    assert found.theta[3] == pytest.approx(theta[3], abs=1e-5)
    if model != "half-wins":
        assert found.theta[4] == pytest.approx(theta[4], abs=1e-5)


def test_prior_is_the_numerical_maximum():
    sigma = 200 / ELO
    theta = best("davidson", lambda t: (t[:4] @ t[:4]) / (2 * sigma**2))
    found = fit(results(), prior=Prior(sigma=200, draw_games=0))
    assert found.theta == pytest.approx(theta, abs=1e-5)


def test_two_exact_anchors_and_a_loose_one_are_the_numerical_maximum():
    fixed = np.array([100 / ELO, np.nan, np.nan, np.nan, np.nan])
    theta = best("half-wins", lambda t: (t[2] * ELO + 60) ** 2 / (2 * 25**2), fixed)
    found = fit(results(), draws="half-wins", prior=None, anchors=[Anchor("a", 100), Anchor("c", -60, 25)])
    assert found.elo == pytest.approx(ELO * theta[:3], abs=1e-3)
    assert found.elo[0] == 100
    assert found.error[0] == 0
    assert 0 < found.error[2] < 25


def test_anchors_hold_in_expected_score_elo():
    """The models' own scale is wider; anchors are given on the table's."""
    for model in ("davidson", "rao-kupper"):
        found = fit(results(), draws=model, anchors=[Anchor("a", 2100), Anchor("c", 2000)])
        assert found.elo[[0, 2]] == pytest.approx([2100, 2000], abs=1e-6)
        scale = (found.elo[0] - found.elo[2]) / (ELO * (found.theta[0] - found.theta[2]))
        assert scale == pytest.approx(1 - (found.draws if model == "davidson" else found.draws**2))


def test_a_loose_anchor_is_between_what_it_says_and_what_the_games_say():
    free = fit(results(), anchors=[Anchor("a", 0)], prior=None).elo[2]
    spots = [
        fit(results(), anchors=[Anchor("a", 0), Anchor("c", 500, sigma)], prior=None).elo[2]
        for sigma in (5, 50, 500, 5000)
    ]
    assert spots == sorted(spots, reverse=True)
    assert spots[0] == pytest.approx(500, abs=10)
    assert spots[-1] == pytest.approx(free, abs=1)


def test_one_exact_anchor_changes_no_difference():
    assert np.ptp(fit(results(), anchors=[Anchor("b", 700)]).elo - fit(results()).elo) == pytest.approx(0, abs=1e-9)


def test_errors_relative_to_the_pool():
    anchored = fit(results(), anchor="a", anchor_elo=50, relative_to="pool", intervals="normal")
    free = fit(results(), intervals="normal")
    assert anchored.elo[0] == 50
    assert anchored.error == pytest.approx(free.error)
    assert fit(results(), anchor="a", intervals="normal").error[0] == 0


def test_anchors_in_two_pools_place_both():
    rows = [*ROWS, ("x", "y", 5, 2, 3), ("y", "x", 4, 2, 4)]
    table = {row.name: row for row in ratings(results(rows), anchors=[Anchor("a", 1000), Anchor("y", 300)])}
    assert (table["a"].elo, table["y"].elo) == (1000, 300)
    assert table["a"].pool != table["y"].pool


@pytest.mark.parametrize(
    ("anchors", "message"),
    [([Anchor("z", 1)], "anchor 'z' has no rated game"), ([Anchor("a", 1), Anchor("a", 2)], "given twice")],
)
def test_wrong_anchors(anchors, message):
    with pytest.raises(ValueError, match=message):
        fit(results(), anchors=anchors)


@pytest.mark.parametrize("figures", [(math.nan, 0), (0, -1), (math.inf, 0)])
def test_impossible_anchors(figures):
    with pytest.raises(ValueError, match="finite rating"):
        Anchor("a", *figures)


def test_wrong_draw_parameter():
    with pytest.raises(ValueError, match="above 0"):
        fit(results(), draw=-1.0)
