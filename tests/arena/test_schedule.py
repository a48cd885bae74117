"""The round robin: who meets whom, how often, with which opening, in which order."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.arena.schedules.fixed import round_robin
from sakiyomi.arena.schedules.schedule import Opening, game_seed

OPENINGS = [("a1",), ("b2", "c3"), ("c1",)]


@given(st.integers(2, 9), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_everyone_meets_everyone_equally_often(players, games):
    names = [f"p{i}" for i in range(players)]
    schedule = round_robin(names, games)
    assert [pairing.number for pairing in schedule] == list(range(1, players * (players - 1) // 2 * games + 1))
    meetings = Counter(frozenset((pairing.first, pairing.second)) for pairing in schedule)
    assert set(meetings.values()) == {games}
    assert len(meetings) == players * (players - 1) // 2
    first = Counter(pairing.first for pairing in schedule)
    second = Counter(pairing.second for pairing in schedule)
    assert all(abs(first[name] - second[name]) <= 1 for name in names)
    if games % 2 == 0:
        assert first == second


@given(st.integers(2, 6), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_pairs_swap_colours_and_share_their_opening(players, games):
    schedule = round_robin([f"p{i}" for i in range(players)], games, OPENINGS)
    by_pair = {}
    for pairing in schedule:
        by_pair.setdefault(pairing.pair, []).append(pairing)
    for pair in by_pair.values():
        assert len(pair) in (1, 2)
        if len(pair) == 2:
            assert (pair[0].first, pair[0].second) == (pair[1].second, pair[1].first)
            assert pair[0].opening == pair[1].opening
    assert sum(len(pair) == 1 for pair in by_pair.values()) == (games % 2) * players * (players - 1) // 2


@given(st.integers(2, 6), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_more_games_only_add_games_at_the_end(players, rounds, more):
    names = [f"p{i}" for i in range(players)]
    short, long = round_robin(names, 2 * rounds, OPENINGS), round_robin(names, 2 * rounds + more, OPENINGS)
    assert long[: len(short)] == short


def test_all_have_met_with_both_colours_before_any_meet_again():
    schedule = round_robin(list("abcde"), 4, OPENINGS)
    assert {pairing.opening for pairing in schedule[:20]} == {Opening.of(OPENINGS[0])}
    assert {pairing.opening for pairing in schedule[20:]} == {Opening.of(OPENINGS[1])}
    assert len({(pairing.first, pairing.second) for pairing in schedule[:20]}) == 20


def test_consecutive_meetings_are_of_different_players():
    schedule = round_robin(list("abcdef"), 2)
    for first in range(0, 30, 6):  # three meetings at a time hold all six players
        assert {name for pairing in schedule[first : first + 6] for name in (pairing.first, pairing.second)} == set(
            "abcdef"
        )


@pytest.mark.parametrize(
    ("names", "games", "openings", "words"),
    [
        (["a"], 2, [()], "at least two players, got 1"),
        (["a", "b", "a"], 2, [()], "two players are called 'a'"),
        (["a", "b"], 0, [()], "must be 1 or more, got 0"),
        (["a", "b"], 2, [], "at least one opening"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(names, games, openings, words):
    with pytest.raises(ValueError, match=words):
        round_robin(names, games, openings)


def test_seeds_of_games_depend_on_seed_and_number_alone():
    assert game_seed(1, 5) == game_seed(1, 5)
    assert len({game_seed(seed, number) for seed in range(20) for number in range(1, 50)}) == 20 * 49
    assert all(0 <= game_seed(seed, 1) < 1 << 63 for seed in range(50))
