"""Ratings: published and independently computed numbers, an iterative oracle, planted strengths, awkward inputs."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.rating.bootstrap import bootstrap_ratings
from sakiyomi.arena.rating.joint import ELO, Prior, fit, problem_of, ratings, start_of
from sakiyomi.arena.rating.model import Counts, expected_score
from sakiyomi.arena.rating.problem import maximise
from sakiyomi.arena.rating.results import Results
from sakiyomi.sgf.record import Record

TEXT = {1.0: "1-0", 0.5: "1/2-1/2", 0.0: "0-1"}
# first, second, wins, draws, losses of the first
THREE = [(0, 1, 6, 3, 1), (1, 0, 4, 4, 2), (0, 2, 7, 2, 1), (2, 0, 2, 3, 5), (1, 2, 5, 3, 2), (2, 1, 3, 4, 3)]


def game(first, second, score):
    return Record("tictactoe", result=TEXT[score], players=(first, second))


def games(rows):
    return [
        game(f"P{first}", f"P{second}", score)
        for first, second, *results in rows
        for score, times in zip((1.0, 0.5, 0.0), results, strict=True)
        for _ in range(times)
    ]


def simulate(rng, strengths, per_seating, nu=0.0, advantage=0.0):
    """Games of everyone against everyone under Davidson's model, strengths and advantage in nats."""
    rows = []
    for i, r in enumerate(strengths):
        for j, s in enumerate(strengths):
            if i != j:
                weights = np.array([math.exp((r - s + advantage) / 2), nu, math.exp((s - r - advantage) / 2)])
                rows.append((i, j, *rng.multinomial(per_seating, weights / weights.sum())))
    return games(rows)


def rao_kupper_by_mm(c: Counts, steps: int = 3000):
    """Strengths, advantage and drawelo by minorisation-maximisation (Hunter 2004; Coulom's BayesElo), in Elo."""
    g, t, q = np.ones(c.players), 1.0, 1.5
    i, j, not_lost, not_won = c.first, c.second, c.wins + c.draws, c.losses + c.draws
    points = np.bincount(i, not_lost, c.players) + np.bincount(j, not_won, c.players)
    for _ in range(steps):
        up, down = not_lost / (t * g[i] + q * g[j]), not_won / (q * t * g[i] + g[j])
        below = np.bincount(i, up * t + down * q * t, c.players) + np.bincount(j, up * q + down, c.players)
        g = points / below
        up, down = not_lost / (t * g[i] + q * g[j]), not_won / (q * t * g[i] + g[j])
        t = not_lost.sum() / (up * g[i] + down * q * g[i]).sum()
        up, down = not_lost / (t * g[i] + q * g[j]), not_won / (q * t * g[i] + g[j])
        ratio = c.draws.sum() / (up * g[j] + down * t * g[i]).sum()
        q = ratio + math.sqrt(ratio**2 + 1)
    return ELO * np.log(g / g[0]), ELO * math.log(t), ELO * math.log(q)


class TestGoldenNumbers:
    """Three players, 60 games, maximum likelihood; computed by programs of their own."""

    def test_rao_kupper(self):
        found = fit(games(THREE), anchor="P0", draws="rao-kupper", prior=None, intervals="normal")
        assert found.parameters == pytest.approx([0, -87.2970, -176.9778, 95.5635, 134.6381], abs=1e-3)
        errors = np.sqrt(np.diag(found.parameter_covariance))
        assert errors == pytest.approx([0, 60.63, 64.36, 44.04, 27.91], abs=0.01)
        assert found.log_likelihood == pytest.approx(-59.7347157, abs=1e-6)
        assert found.los[1, 2] == pytest.approx(0.9286, abs=1e-4)
        assert found.elo == pytest.approx([0, -75.396, -152.852], abs=1e-3)
        assert found.draw == pytest.approx(134.6381, abs=1e-3)

    def test_davidson(self):
        found = fit(games(THREE), anchor="P0", prior=None)
        assert found.parameters[:4] == pytest.approx([0, -119.739, -239.478, 131.247], abs=1e-3)
        assert (found.draw, found.draws) == pytest.approx((1.091676, 0.353102), abs=1e-6)
        assert found.log_likelihood == pytest.approx(-59.8367954, abs=1e-6)
        assert found.elo == pytest.approx([0, -77.459, -154.918], abs=1e-3)

    def test_draws_as_half_wins(self):
        found = fit(games(THREE), anchor="P0", draws="half-wins", prior=None)
        assert found.elo == pytest.approx([0, -76.546, -153.092], abs=2e-3)
        assert found.advantage.elo == pytest.approx(83.783, abs=1e-3)

    def test_two_players_without_draws_have_the_closed_form(self):
        found = fit(games([(0, 1, 15, 0, 5), (1, 0, 5, 0, 15)]), anchor="P1", prior=None, intervals="normal")
        assert found.elo[0] == pytest.approx(400 * math.log10(3))
        assert found.error[0] == pytest.approx(ELO / math.sqrt(40 * 0.75 * 0.25))
        assert found.advantage.elo == pytest.approx(0, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(*[st.integers(1, 6)] * 3), min_size=6, max_size=6))
def test_newton_finds_what_mm_finds(results):
    rows = [(i, j, *result) for (i, j, *_), result in zip(THREE, results, strict=True)]
    found = fit(games(rows), anchor="P0", draws="rao-kupper", prior=None, intervals="normal")
    strengths, advantage, drawelo = rao_kupper_by_mm(Results.of(games(rows)).counts)
    assert found.parameters == pytest.approx([*strengths, advantage, drawelo], abs=0.01)


@pytest.mark.parametrize("model", ["davidson", "rao-kupper", "half-wins"])
@pytest.mark.parametrize("prior", [None, Prior(), Prior(sigma=200, virtual_draws=2)])
def test_gradient_and_curvature_at_the_answer(model, prior):
    """The answer is a maximum of the log-posterior, and the covariance is the inverse of its curvature."""
    problem = problem_of(Results.of(games(THREE)), model, prior)
    rng = np.random.default_rng(3)
    theta = start_of(problem) + np.where(problem.free, rng.normal(0, 0.2, 5), 0)
    here = problem.evaluate(theta)
    hessian = here.curvature.dense()
    for k in np.flatnonzero(problem.free):
        nudge = np.zeros(5)
        nudge[k] = 1e-5
        up, down = problem.evaluate(theta + nudge), problem.evaluate(theta - nudge)
        assert here.gradient[k] == pytest.approx((up.value - down.value) / 2e-5, abs=1e-5)
        curve = -(up.gradient - down.gradient) / 2e-5
        # Along differences of strengths the pin of their mean plays no part.
        assert hessian[k, 0] - hessian[k, 1] == pytest.approx(curve[0] - curve[1], abs=1e-4)
        assert hessian[k, 3:][problem.free[3:]] == pytest.approx(curve[3:][problem.free[3:]], abs=1e-4)
    best, found = maximise(problem, start_of(problem))
    assert np.abs(problem.evaluate(best).gradient[problem.free]).max() < 1e-8
    assert found.value >= here.value


class TestPlantedStrengths:
    def test_many_games_recover_the_truth(self):
        truth = np.array([1.0, 0.4, 0.0, -0.3, -1.1])
        nu, advantage = 0.8, 0.25
        found = fit(simulate(np.random.default_rng(5), truth, 2000, nu, advantage))
        scale = ELO * 2 / (2 + nu)
        assert (np.abs(found.elo - scale * (truth - found.center @ truth)) < 4 * found.error).all()
        assert (found.error < 10).all()
        assert found.draws == pytest.approx(nu / (2 + nu), abs=0.02)
        assert found.advantage.elo == pytest.approx(scale * advantage, abs=4 * found.advantage.error)

    @pytest.mark.parametrize("intervals", ["profile", "normal"])
    def test_intervals_cover_the_truth_nineteen_times_in_twenty(self, intervals):
        truth, nu, advantage = np.array([0.7, 0.1, -0.2, -0.6]), 0.6, 0.2
        rng, inside = np.random.default_rng(11), []
        for _ in range(150):
            found = fit(simulate(rng, truth, 12, nu, advantage), prior=Prior(sigma=2000), intervals=intervals)
            planted = ELO * 2 / (2 + nu) * (truth - found.center @ truth)
            inside += ((found.low <= planted) & (planted <= found.high)).tolist()
        assert 0.92 <= np.mean(inside) <= 0.975

    def test_lopsided_pools_are_covered_by_the_profile(self):
        truth = np.array([1.6, 0.0, -1.6])
        rng, inside = np.random.default_rng(2), []
        for _ in range(150):
            found = fit(simulate(rng, truth, 8), intervals="profile")
            planted = ELO * (truth - found.center @ truth)
            inside += ((found.low <= planted) & (planted <= found.high)).tolist()
        assert 0.92 <= np.mean(inside) <= 0.985

    def test_bootstrap_agrees_where_games_are_independent(self):
        played = simulate(np.random.default_rng(7), np.array([0.5, 0.0, -0.5]), 60, nu=0.5)
        drawn = bootstrap_ratings([[g] for g in played], np.random.default_rng(1), samples=300)
        for row, usual in zip(drawn, ratings(played), strict=True):
            assert row.elo == usual.elo
            assert row.error == pytest.approx(usual.error, rel=0.25)
            assert row.low < row.elo < row.high

    def test_bootstrap_sees_that_swapped_games_of_an_opening_cancel(self):
        pairs = [[game("a", "b", 1.0), game("b", "a", 1.0)]] * 30 + [[game("a", "b", 0.0), game("b", "a", 0.0)]] * 30
        drawn = bootstrap_ratings(pairs, np.random.default_rng(1), samples=100)
        assert drawn[0].error < 1 < ratings([g for pair in pairs for g in pair])[0].error


class TestTable:
    def test_rows_add_up_and_stand_in_order(self):
        table = ratings(games(THREE))
        assert [row.name for row in table] == ["P0", "P1", "P2"]
        assert [(row.games, row.wins, row.draws, row.losses) for row in table] == [
            (40, 20, 12, 8),
            (40, 13, 14, 13),
            (40, 8, 12, 20),
        ]
        assert table[0].score == 0.65
        assert all(row.low < row.elo < row.high for row in table)
        assert table[0].los > 0.5
        assert math.isnan(table[-1].los)

    def test_order_of_games_does_not_matter(self):
        played = games(THREE)
        assert ratings(played[::-1])[:2] == ratings(played)[:2]

    def test_the_anchor_moves_everybody_alike(self):
        free = {row.name: row for row in ratings(games(THREE))}
        held = {row.name: row for row in ratings(games(THREE), anchor="P1", anchor_elo=1800)}
        assert held["P1"].elo == held["P1"].low == held["P1"].high == 1800
        for name in free:
            assert held[name].elo - 1800 == pytest.approx(free[name].elo - free["P1"].elo)
            assert held[name].los == pytest.approx(free[name].los, nan_ok=True)

    @pytest.mark.parametrize("model", ["davidson", "rao-kupper", "half-wins"])
    def test_expected_scores(self, model):
        found = fit(games(THREE), draws=model)
        assert found.expected + found.expected.T == pytest.approx(np.ones((3, 3)))
        assert found.expected[0, 2] > found.expected[0, 1] > 0.5
        # The fit gives each player of Davidson's model the points it made, up to the weak prior.
        total = found.expected[0, 1] * 20 + found.expected[0, 2] * 20
        assert total == pytest.approx(26, abs=0.5)

    def test_expected_score_has_the_slope_of_elo_at_equality(self):
        for model in ("davidson", "rao-kupper"):
            found = fit(games(THREE), anchor="P0", draws=model, prior=None)
            wide = (found.parameters[1] - found.parameters[0]) / ELO
            lead = 1e-4 * wide
            draw = math.log(found.draw) if model == "davidson" else found.draw / ELO
            gain = expected_score(model, np.array([lead]), draw)[0] - 0.5
            assert gain == pytest.approx(1e-4 * found.elo[1] / ELO / 4, rel=1e-4)

    def test_unrated_games_do_not_count(self):
        lost_start = Played(game("P0", "P1", 0.0), Termination.COULD_NOT_START)
        unfinished = Record("tictactoe", result="*", players=("P0", "P9"))
        counted = [Played(g, Termination.NORMAL) for g in games(THREE)]
        assert ratings([*counted, lost_start, unfinished])[:2] == ratings(games(THREE))[:2]

    def test_games_against_oneself_are_left_out(self):
        assert len(ratings([*games(THREE), game("P7", "P7", 1.0)])) == 3


class TestAwkwardPools:
    def test_no_games(self):
        assert ratings([]) == []
        with pytest.raises(ValueError, match="no rated game"):
            fit([])

    def test_one_player_alone(self):
        assert ratings([game("a", "a", 1.0)]) == []

    def test_one_game(self):
        winner, loser = ratings([game("a", "b", 1.0)])
        assert winner.name == "a"
        assert winner.low < loser.elo < winner.elo
        assert 0.5 < winner.los < 0.95

    @pytest.mark.parametrize("model", ["davidson", "rao-kupper", "half-wins"])
    def test_perfect_scores_stay_finite(self, model):
        won = [game("a", "b", 1.0)] * 20 + [game("b", "a", 0.0)] * 20
        winner, loser = ratings(won, draws=model)
        assert 300 < winner.elo - loser.elo < 2000
        assert winner.low > loser.high
        assert winner.high - winner.elo > winner.elo - winner.low > 0  # hardly bounded above
        assert winner.los > 0.999
        more = ratings(won * 10, draws=model)
        assert more[0].elo > winner.elo

    @pytest.mark.parametrize("model", ["davidson", "rao-kupper", "half-wins"])
    def test_all_draws(self, model):
        table = ratings([game("a", "b", 0.5), game("b", "a", 0.5)] * 10, draws=model)
        assert [row.elo for row in table] == pytest.approx([0, 0], abs=1e-6)
        assert all(row.low < 0 < row.high for row in table)
        assert table[0].los == pytest.approx(0.5)

    def test_the_first_player_wins_every_game(self):
        found = fit([game("a", "b", 1.0), game("b", "a", 1.0)] * 10)
        assert found.elo == pytest.approx([0, 0], abs=1e-6)
        assert found.advantage.elo > 300
        assert found.advantage.low > 0

    def test_pools_that_never_met_are_not_joined(self):
        found = fit([*games(THREE), game("x", "y", 1.0), game("y", "x", 0.5)])
        assert not found.connected
        assert found.pool.tolist() == [0, 0, 0, 1, 1]
        assert np.isnan(found.los[0, 3])
        assert np.isnan(found.expected[3, 0])
        table = found.table()
        assert [row.pool for row in table] == [0, 0, 0, 1, 1]
        assert math.isnan(table[2].los)
        for pool in (slice(0, 3), slice(3, 5)):
            assert found.center[pool].sum() == pytest.approx(1)
            assert found.center[pool] @ found.elo[pool] == pytest.approx(0, abs=1e-9)

    def test_an_anchor_holds_its_own_pool_only(self):
        table = ratings([*games(THREE), game("x", "y", 1.0)], anchor="P2", anchor_elo=1000)
        assert table[2].elo == 1000
        assert table[3].elo == pytest.approx(-table[4].elo)

    def test_a_hopeless_player_does_not_blur_the_others(self):
        even = [game("a", "b", 1.0), game("a", "b", 0.0), game("b", "a", 1.0), game("b", "a", 0.0)] * 10
        alone = fit(even)
        lost = [game("c", name, 0.0) for name in "ab"] * 10 + [game(name, "c", 1.0) for name in "ab"] * 10
        joined = fit(even + lost)
        assert joined.error[2] > 3 * joined.error[0]
        assert joined.error[0] < 1.3 * alone.error[0]
        assert joined.center[2] < 0.05

    def test_unknown_anchor(self):
        with pytest.raises(ValueError, match="anchor 'gnugo' has no rated game; players that have: P0, P1, P2"):
            ratings(games(THREE), anchor="gnugo")

    def test_unknown_model(self):
        with pytest.raises(ValueError, match="unknown model of draws 'elo'; there are: davidson, rao-kupper"):
            ratings(games(THREE), draws="elo")

    @pytest.mark.parametrize("numbers", [{"sigma": 0}, {"sigma": -5}, {"virtual_draws": -1}, {"sigma": math.nan}])
    def test_impossible_priors(self, numbers):
        with pytest.raises(ValueError, match="sigma > 0"):
            Prior(**numbers)

    def test_maximum_likelihood_names_who_was_never_beaten(self):
        with pytest.raises(ValueError, match="P9 neither lost to nor drew"):
            ratings([*games(THREE), game("P9", "P0", 1.0), game("P1", "P9", 0.0)], prior=None)

    def test_maximum_likelihood_says_when_seats_are_confounded(self):
        with pytest.raises(ValueError, match="use a prior"):
            ratings(games([(0, 1, 6, 0, 3)]), prior=None)
        found = fit(games([(0, 1, 6, 0, 3)]), prior=None, advantage=False)
        assert found.elo[0] - found.elo[1] == pytest.approx(400 * math.log10(2))
        assert found.advantage.error == 0

    def test_virtual_draws_pull_together(self):
        weak, strong = (ratings(games(THREE), prior=Prior(virtual_draws=n)) for n in (0, 20))
        assert weak[0].elo - weak[-1].elo > strong[0].elo - strong[-1].elo > 0


def test_bayeselo_prior_by_its_definition():
    """For player i and each opponent j, p/4 n_ij / n_i draws from each seat (CCondensedResults.cpp)."""
    rows = [(0, 1, 6, 0, 4), (1, 2, 3, 0, 2)]
    names, counts = Results.of(games(rows))
    full = counts.with_virtual_draws(2)
    draws = {}
    for i, j, d in zip(full.first, full.second, full.draws, strict=True):
        draws[i, j] = draws.get((i, j), 0) + d
    between = {(0, 1): 10, (1, 2): 5}
    games_of = [10, 15, 5]
    for (i, j), n in between.items():
        assert draws[i, j] == draws[j, i] == pytest.approx(2 / 4 * n * (1 / games_of[i] + 1 / games_of[j]))
    assert sum(draws.values()) == pytest.approx(2 * len(names) / 2)  # two a player, each shared by two


def test_a_large_pool_is_quick():
    rng = np.random.default_rng(0)
    strengths = rng.normal(0, 1, 200)
    first, second = rng.integers(0, 200, (2, 20_000))
    wins = rng.random(20_000) < 1 / (1 + np.exp(strengths[second] - strengths[first]))
    played = [game(f"{i}", f"{j}", float(won)) for i, j, won in zip(first, second, wins, strict=True) if i != j]
    started = time.process_time()
    found = fit(played)
    assert time.process_time() - started < 5
    assert np.corrcoef(found.elo, strengths[[int(name) for name in found.players]])[0, 1] > 0.97
