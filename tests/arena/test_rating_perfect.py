"""Players who won or lost every game, under maximum likelihood."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from sakiyomi.arena.rating.anchors import Anchor
from sakiyomi.arena.rating.joint import fit
from sakiyomi.arena.rating.perfect import marked_ratings
from sakiyomi.arena.rating.results import Results

EVEN = {
    ("a", "b", 1.0): 6,
    ("a", "b", 0.0): 3,
    ("b", "a", 1.0): 4,
    ("b", "a", 0.0): 4,
    ("a", "c", 1.0): 7,
    ("c", "a", 1.0): 4,
    ("c", "a", 0.0): 2,
    ("b", "c", 0.5): 6,
}


def test_without_perfect_players_it_is_maximum_likelihood():
    table, found = marked_ratings(Results.of_counts(EVEN))
    plain = fit(Results.of_counts(EVEN), prior=None).table()
    assert [(row.name, row.elo, row.low, row.high) for row in table] == [(r.name, r.elo, r.low, r.high) for r in plain]
    assert found.players == ("a", "b", "c")
    assert [row.mark for row in table] == ["", "", ""]


def test_a_winner_and_a_loser_are_put_back_with_a_mark():
    counts = {**EVEN, ("w", "a", 1.0): 3, ("b", "w", 0.0): 2, ("l", "a", 0.0): 4}
    results = Results.of_counts(counts)
    table, found = marked_ratings(results, draws="half-wins", anchors=[Anchor("a", 1000)])
    rows = {row.name: row for row in table}
    plain = fit(Results.of_counts(EVEN), prior=None, draws="half-wins", anchors=[Anchor("a", 1000)])
    for name, elo in zip("abc", plain.elo, strict=True):
        assert rows[name].elo == pytest.approx(elo)
    assert (rows["w"].mark, rows["l"].mark, rows["a"].mark) == (">", "<", "")
    assert table[0].name == "w"
    assert table[-1].name == "l"
    assert (rows["w"].high, rows["l"].low) == (math.inf, -math.inf)
    assert rows["w"].low < rows["w"].elo
    assert rows["l"].elo < rows["l"].high
    assert (rows["a"].games, rows["a"].wins, rows["a"].losses) == (37, 23, 14)
    assert (rows["w"].games, rows["w"].wins, rows["w"].score) == (5, 5, 1.0)
    # By hand: 3 games from the first seat, 2 from the second, of which one is half lost.
    lead, other = found.advantage.elo, rows["b"].elo

    def points(elo):
        return 3 / (1 + 10 ** ((1000 - elo - lead) / 400)) + 2 / (1 + 10 ** ((other - elo + lead) / 400))

    assert rows["w"].elo == pytest.approx(brentq(lambda elo: points(elo) - 4.5, 0, 4000), abs=1e-6)

    def clean(elo):
        return (1 + 10 ** ((1000 - elo - lead) / 400)) ** -3 * (1 + 10 ** ((other - elo + lead) / 400)) ** -2

    assert clean(rows["w"].low) == pytest.approx(0.025)


def test_layers_are_peeled():
    counts = {**EVEN, ("w", "a", 1.0): 3, ("v", "w", 1.0): 2, ("v", "b", 1.0): 1}
    rows = {row.name: row for row in marked_ratings(Results.of_counts(counts))[0]}
    assert (rows["v"].mark, rows["w"].mark) == (">", ">")
    assert rows["v"].elo > rows["w"].elo > rows["a"].elo
    assert rows["w"].losses == 2


def test_nobody_left():
    with pytest.raises(ValueError, match="nothing to rate without a prior"):
        marked_ratings(Results.of_counts({("a", "b", 1.0): 3}))


def test_who_met_only_perfect_players():
    counts = {**EVEN, ("w", "a", 1.0): 3, ("w", "x", 1.0): 1, ("x", "l", 1.0): 1, ("l", "a", 0.0): 1}
    with pytest.raises(ValueError, match="x met only players who won or lost every game"):
        marked_ratings(Results.of_counts(counts))


def test_an_unbeaten_group_is_named():
    counts = {**EVEN, ("x", "y", 0.5): 2, ("x", "a", 1.0): 2, ("b", "y", 0.0): 2}
    with pytest.raises(ValueError, match="x, y neither lost to nor drew"):
        marked_ratings(Results.of_counts(counts))


def test_rows_stay_in_order():
    counts = {**EVEN, ("w", "c", 1.0): 1}
    table, _ = marked_ratings(Results.of_counts(counts))
    assert np.all(np.diff([row.elo for row in table]) <= 0)
