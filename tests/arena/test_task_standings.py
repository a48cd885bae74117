"""The table: scores, failures, pairs on the same seed, and ratings from them."""

import math

import numpy as np
import pytest

from sakiyomi.arena.match import Termination
from sakiyomi.arena.tasks import statistics
from sakiyomi.arena.tasks.episodes import Episode, Outcome
from sakiyomi.arena.tasks.standings import Table
from sakiyomi.arena.tasks.store import EpisodeRow

pytest.importorskip("gymnasium")


def rows(returns, task="t"):
    """Rows of players' returns by run; None is a failure, NaN an episode that says nothing."""
    found = []
    for player, totals in returns.items():
        for run, total in enumerate(totals, 1):
            failed, void = total is None, total is not None and math.isnan(total)
            termination = Termination.CRASH if failed else Termination.INTERRUPTED if void else Termination.NORMAL
            outcome = Outcome(0.0 if failed or void else total, 5, 0.1, termination, termination.value)
            found.append(EpisodeRow(Episode(0, task, player, run, run), outcome, "", ""))
    return found


def table(*suites, scales=None, players=("a", "b", "c")):
    every = [row for number, suite in enumerate(suites) for row in rows(suite, f"t{number}")]
    return Table(every, [f"t{number}" for number in range(len(suites))], players, scales)


def test_pairs_are_the_same_seed_of_the_same_task():
    found = table({"a": [1, 2, 3], "b": [1, 3, 1], "c": [0, 0]}, {"a": [5], "b": [7]})
    assert dict(found.pairs()) == {
        ("a", "b", 0.5): 1,
        ("a", "b", 0.0): 2,
        ("a", "b", 1.0): 1,
        ("a", "c", 1.0): 2,
        ("b", "c", 1.0): 2,
    }


def test_a_failure_is_the_worst_episode_and_loses_to_the_worst():
    found = table({"a": [4, 2, 3], "b": [None, None, 3], "c": [None, 9, 9]})
    assert found.task_scores("b", "t0").tolist() == [2, 2, 3]  # as the worst whole one
    assert found.pairs()["a", "b", 1.0] == 2
    assert found.pairs()["b", "c", 0.5] == 1  # both failed
    standings = {row.name: row for row in found.standings(200)}
    assert standings["b"].failed == 2
    assert standings["a"].mean.value == 3
    value = statistics.improvement(found.ranked("a"), found.ranked("b"))
    assert float(value) == pytest.approx((3 * 2 + 1 + 0.5) / 9)


def test_if_all_fail_all_are_equal():
    found = table({"a": [None, None], "b": [None, None]})
    standings = found.standings(200)
    assert [row.iqm.value for row in standings] == [0, 0]
    assert standings[0].better.value == 0.5
    assert standings[0].rating.draws == 2


def test_episodes_that_say_nothing_do_not_count():
    found = table({"a": [1, math.nan, 3], "b": [2, 9, math.nan], "c": [math.nan]})
    assert found.players == ["a", "b"]
    assert dict(found.pairs()) == {("a", "b", 0.0): 1}
    assert [row.episodes for row in found.standings(100)] == [2, 2]


def test_scales_normalise():
    raw = table({"a": [10, 20], "b": [30, 20]}, {"a": [-1, 1], "b": [0, 0]})
    assert not raw.normalised
    assert math.isnan(raw.standings(100)[0].gap.value)
    scaled = table({"a": [10, 20], "b": [30, 20]}, {"a": [-1, 1], "b": [0, 0]}, scales={"t0": (10, 30), "t1": (-1, 1)})
    assert scaled.normalised
    assert [each.tolist() for each in scaled.scores("a")] == [[0, 0.5], [0, 1]]
    standings = {row.name: row for row in scaled.standings(100)}
    assert standings["b"].gap.value == pytest.approx(1 - (1 + 0.5 + 0.5 + 0.5) / 4)


def test_the_table_goes_by_the_interquartile_mean():
    found = table({"a": [0, 0, 0, 100], "b": [5, 5, 5, 5], "c": [9, 9, 9, 1]})
    standings = found.standings(500)
    assert [row.name for row in standings] == ["c", "b", "a"]
    assert [row.iqm.value for row in standings] == [9, 5, 0]
    assert [row.mean.value for row in standings] == [7, 5, 25]
    assert standings[1].better.value == 0.75
    assert math.isnan(standings[2].better.value)
    for row in standings:
        assert row.iqm.low <= row.iqm.value <= row.iqm.high


def test_ratings_recover_planted_strengths():
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0, 3, 2000)  # of the seed: shared, so that it cancels out

    def returns(skill):  # differences are logistic: Bradley-Terry's own noise
        return (skill + difficulty + rng.gumbel(0, 1, 2000)).tolist()

    nat = 400 / math.log(10)
    found = table({"a": returns(100 / nat), "b": returns(0.0), "c": returns(-150 / nat)})
    elo = {rating.name: rating.elo for rating in found.ratings()}
    assert elo["a"] - elo["b"] == pytest.approx(100, abs=20)
    assert elo["b"] - elo["c"] == pytest.approx(150, abs=20)
    assert [game.players for game in found.games()[:1]] == [("a", "b")]
    assert len(found.games()) == 6000


def test_who_is_listed_first_has_no_advantage():
    found = table({"a": [1, 0] * 10, "b": [0, 1] * 10}, players=("b", "a"))
    assert [rating.elo for rating in found.ratings()] == pytest.approx([0, 0], abs=1e-6)


def test_players_of_different_tasks_do_not_compare():
    every = rows({"a": [1, 2]}, "t0") + rows({"b": [3, 4]}, "t1")
    found = Table(every, ["t0", "t1"], ["a", "b"])
    assert found.ratings() == []
    assert math.isnan(found.improvement("a", "b", 100).value)
    assert [row.rating for row in found.standings(100)] == [None, None]


def test_no_episode_no_table():
    assert Table([], ["t0"], ["a"]).standings() == []
