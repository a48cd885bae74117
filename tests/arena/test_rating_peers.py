"""The same six players as BayesElo (version 0057) and Ordo (commit of 2016) rate them, to the last digit printed."""

import math

import numpy as np
import pytest

from sakiyomi.arena.rating.anchors import Anchor
from sakiyomi.arena.rating.joint import BAYESELO, ELO, Prior, fit
from sakiyomi.arena.rating.model import slope
from sakiyomi.arena.rating.resampling import simulate
from sakiyomi.arena.rating.results import Results

NAMES = ("Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel")
# first: wins, draws, losses against each other player in order, from the first seat
SCORES = {
    "Alder": ["6 3 3", "7 3 2", "11 0 1", "9 2 1", "12 0 0"],
    "Birch": ["3 3 6", "4 4 4", "6 4 2", "10 1 1", "12 0 0"],
    "Cedar": ["3 3 6", "4 2 6", "9 3 0", "7 4 1", "10 2 0"],
    "Elm": ["0 3 9", "4 5 3", "4 3 5", "7 4 1", "11 1 0"],
    "Fir": ["0 2 10", "1 4 7", "3 2 7", "5 3 4", "8 3 1"],
    "Hazel": ["0 0 12", "0 0 12", "2 2 8", "2 3 7", "3 3 6"],
}
SIX = Results.of_counts(
    {
        (name, other, score): int(times)
        for name, row in SCORES.items()
        for other, cell in zip([n for n in NAMES if n != name], row, strict=True)
        for score, times in zip((1.0, 0.5, 0.0), cell.split(), strict=True)
    }
)
ORDO = 202 / math.log(0.76 / 0.24) / ELO
"""Ordo's Elo: 202 of it mean 76 %; by the logistic curve 200.24 do."""


class TestBayesElo:
    """`mm 1 1`, where not said otherwise; the program ends its iterations at a change of 1e-5."""

    def test_ratings_advantage_and_drawelo(self):
        found = fit(SIX, draws="rao-kupper", prior=BAYESELO, intervals="normal")
        strengths, scale = found.parameters[:6] - found.parameters[:6].mean(), slope("rao-kupper", found.theta[-1])[0]
        assert strengths == pytest.approx([265.208, 127.768, 86.1499, -30.9978, -118.359, -329.769], abs=0.02)
        assert found.parameters[6:] == pytest.approx([57.0933, 119.769], abs=0.005)
        assert scale == pytest.approx(0.889983, abs=1e-5)
        assert np.rint(scale * strengths).tolist() == [236, 114, 77, -28, -105, -293]  # `ratings`
        anchored = fit(SIX, draws="rao-kupper", prior=BAYESELO, anchor="Fir", anchor_elo=2000)  # `offset 2000 Fir`
        assert np.rint(anchored.elo).tolist() == [2341, 2219, 2182, 2078, 2000, 1812]

    def test_without_its_prior(self):
        found = fit(SIX, draws="rao-kupper", prior=None)
        strengths = found.parameters[:6] - found.parameters[:6].mean()
        assert strengths[[0, 5]] == pytest.approx([272.1, -339.83], abs=0.02)
        assert found.parameters[6:] == pytest.approx([58.9471, 113.977], abs=0.005)
        found_elo = found.elo - found.elo.mean()
        assert np.rint(found_elo).tolist() == [245, 118, 80, -28, -108, -306]

    def test_fixed_advantage_and_drawelo(self):  # plain `mm`
        found = fit(SIX, draws="rao-kupper", prior=BAYESELO, advantage=32.8, draw=97.3)
        strengths = found.parameters[:6] - found.parameters[:6].mean()
        assert strengths[[0, 5]] == pytest.approx([247.779, -310.132], abs=0.02)

    def test_covariance_and_los(self):
        """Its covariance is that of the strengths about their plain mean, the other parameters held."""
        free = fit(SIX, draws="rao-kupper", prior=BAYESELO).parameters
        held = fit(SIX, draws="rao-kupper", prior=BAYESELO, advantage=free[6], draw=free[7], intervals="normal")
        about = np.eye(6) - 1 / 6
        errors = np.sqrt(np.diag(about @ held.parameter_covariance[:6, :6] @ about.T))
        scale = slope("rao-kupper", held.theta[-1])[0]
        assert np.rint(1.959964 * scale * errors).tolist() == [54, 48, 48, 46, 48, 60]
        above_diagonal = [held.los[i, i + 1] for i in range(5)]
        assert [int(1e4 * los) for los in above_diagonal] == [9991, 8417, 9978, 9835, 9999]
        assert [int(1e4 * held.los[i + 1, i]) for i in range(5)] == [8, 1582, 21, 164, 0]


class TestOrdo:
    def test_ratings_with_white_advantage(self):  # -W -A Fir -a 2000
        found = fit(SIX, draws="half-wins", prior=None, anchor="Fir", anchor_elo=2000)
        elo = (found.elo - 2000) * ORDO + 2000
        assert elo == pytest.approx([2366.6416, 2237.8046, 2199.9489, 2086.1108, 2000, 1798.0928], abs=2e-4)
        assert found.advantage.elo * ORDO == pytest.approx(57.28, abs=0.005)

    def test_ratings_on_the_logistic_scale(self):  # -z 200.2397929
        found = fit(SIX, draws="half-wins", prior=None, anchor="Fir", anchor_elo=2000)
        assert found.elo == pytest.approx([2363.4467, 2235.7323, 2198.2066, 2085.3605, 2000, 1799.8523], abs=3e-3)

    def test_average_as_zero(self):  # -W -a 0
        found = fit(SIX, draws="half-wins", prior=None)
        elo = (found.elo - found.elo.mean()) * ORDO
        assert elo == pytest.approx([251.88, 123.04, 85.18, -28.66, -114.77, -316.67], abs=0.006)

    def test_several_anchors(self):  # -W -M -m
        anchors = [Anchor("Alder", 300 / ORDO), Anchor("Fir", -100 / ORDO)]
        found = fit(SIX, draws="half-wins", prior=None, anchors=anchors)
        assert found.elo * ORDO == pytest.approx([300, 154.1458, 115.6203, -0.1568, -100, -291.4451], abs=1e-4)
        assert found.advantage.elo * ORDO == pytest.approx(58.95, abs=0.005)
        assert found.error[[0, 4]].tolist() == [0, 0]

    def test_loose_anchors(self):
        """Its uncertainties of 20 and 30 act as standard errors of sqrt(2) times as much."""
        loose = math.sqrt(2) / ORDO
        anchors = [Anchor("Alder", 300 / ORDO, 20 * loose), Anchor("Fir", -100 / ORDO, 30 * loose)]
        found = fit(SIX, draws="half-wins", prior=None, anchors=anchors)
        elo = [295.3427, 157.2226, 119.0067, 4.1244, -89.5212, -285.6541]
        assert found.elo * ORDO == pytest.approx(elo, abs=2e-4)
        assert found.advantage.elo * ORDO == pytest.approx(58.18, abs=0.005)

    def test_simulated_errors(self):
        """-W -D -s 10000 -F 95, relative to the anchor and (-V) to the pool's plain mean; they vary by chance."""
        drawn = simulate(
            SIX,
            np.random.default_rng(1),
            samples=400,
            draws="half-wins",
            prior=Prior(sigma=1e4),
            anchors=[Anchor("Fir", 2000)],
        )
        unit = 1.959964 * ORDO
        assert drawn.elos.std(0) * unit == pytest.approx([90.54, 82.90, 82.02, 80.58, 0, 93.44], rel=0.13)
        about = drawn.elos - drawn.elos.mean(1, keepdims=True)
        assert about.std(0) * unit == pytest.approx([60.00, 52.70, 51.88, 51.45, 54.11, 69.38], rel=0.13)
        cfs = [drawn.los[i, i + 1] for i in range(5)]
        assert cfs == pytest.approx([0.998, 0.831, 0.998, 0.980, 1.0], abs=0.025)  # -C
