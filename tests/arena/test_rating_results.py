"""Counting: the same results from games, tuples, columns and counts."""

import numpy as np
import pytest

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.rating.joint import fit, ratings
from sakiyomi.arena.rating.results import Results
from sakiyomi.sgf.record import Record

OUTCOMES = [("b", "a", 1.0), ("a", "b", 0.5), ("b", "a", 1.0), ("c", "a", 0.0), ("b", "a", 0.0), ("c", "c", 1.0)]
TEXT = {1.0: "1-0", 0.5: "1/2-1/2", 0.0: "0-1"}


def same(one, other):
    assert one.players == other.players
    for mine, theirs in zip(one.counts[1:], other.counts[1:], strict=True):
        assert mine.tolist() == theirs.tolist()


def test_all_ways_count_alike():
    found = Results.of(OUTCOMES)
    assert found.players == ("a", "b", "c")
    assert found.games == 5
    assert found.totals.tolist() == [[2, 1, 2], [2, 1, 1], [0, 0, 1]]
    pairs = list(zip(found.counts.first.tolist(), found.counts.second.tolist(), strict=True))
    assert pairs == [(0, 1), (1, 0), (2, 0)]
    assert found.counts.wins.tolist() == [0, 2, 0]
    assert found.counts.draws.tolist() == [1, 0, 0]
    assert found.counts.losses.tolist() == [0, 1, 1]
    records = [Record("chess", result=TEXT[score], players=(one, other)) for one, other, score in OUTCOMES]
    same(found, Results.of(records))
    same(found, Results.of([Played(record, Termination.NORMAL) for record in records]))
    first, second, scores = zip(*OUTCOMES, strict=True)
    same(found, Results.of_columns(first, second, scores))
    numbers = {"a": 2, "b": 1, "c": 0}
    columns = ([numbers[name] for name in column] for column in (first, second))
    same(found, Results.of_columns(*columns, scores, players=["c", "b", "a"]))
    same(found, Results.of_counts({outcome: OUTCOMES.count(outcome) for outcome in OUTCOMES}))
    assert Results.of(found) is found


def test_tuples_are_rated():
    assert ratings(OUTCOMES)[0].name == "b"
    assert fit(OUTCOMES).elo.tolist() == fit(Results.of(OUTCOMES)).elo.tolist()


def test_only_some_players():
    found = Results.of(OUTCOMES).only(np.array([True, False, True]))
    assert found.players == ("a", "c")
    assert found.totals.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_nothing():
    for found in (Results.of([]), Results.of_columns([], [], []), Results.of_counts({})):
        assert (found.players, found.games) == ((), 0)


@pytest.mark.parametrize("score", [0.7, 2.0, -1.0, float("nan")])
def test_scores_that_are_none(score):
    with pytest.raises(ValueError, match="a score is 1, 1/2 or 0"):
        Results.of([("a", "b", score)])


def test_columns_that_do_not_fit():
    with pytest.raises(ValueError, match="three columns of equal length"):
        Results.of_columns(["a"], ["b", "c"], [1.0])
    with pytest.raises(ValueError, match=r"player numbers must lie in 0\.\.1"):
        Results.of_columns([0], [2], [1.0], players=["a", "b"])
