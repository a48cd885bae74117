"""Gauntlet, ladder, Swiss, sequential test; how schedules grow and how they are written."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.arena.rating.sequential import Sprt
from sakiyomi.arena.schedules.fixed import Fixed, gauntlet, grown, ladder, round_robin
from sakiyomi.arena.schedules.schedule import Agenda, Opening
from sakiyomi.arena.schedules.sequential import SprtSchedule
from sakiyomi.arena.schedules.spec import parse_schedule
from sakiyomi.arena.schedules.swiss import Swiss

LINES = [Opening(("a1",)), Opening(("b2",))]


def meetings(games):
    return Counter(frozenset((game.first, game.second)) for game in games)


def test_gauntlet():
    games = gauntlet(list("abcde"), 4, LINES, challengers=2)
    assert meetings(games) == {frozenset(pair): 4 for pair in ("ac", "ad", "ae", "bc", "bd", "be")}
    assert Counter(game.first for game in games) == Counter(game.second for game in games)
    assert [game.number for game in games] == list(range(1, 25))
    assert {game.opening for game in games[:12]} == {LINES[0]}


@pytest.mark.parametrize("challengers", [0, 3, 4])
def test_gauntlets_need_challengers_and_others(challengers):
    with pytest.raises(ValueError, match=f"1 to 2 challengers, got {challengers}"):
        gauntlet(list("abc"), 2, challengers=challengers)


def test_ladder():
    assert meetings(ladder(list("abcd"), 2, reach=2)) == {frozenset(pair): 2 for pair in ("ab", "ac", "bc", "bd", "cd")}
    assert meetings(ladder(list("abcd"), 2, reach=9)) == meetings(round_robin(list("abcd"), 2))
    with pytest.raises(ValueError, match="1 or more before it, got 0"):
        ladder(list("ab"), 2, reach=0)


@given(st.lists(st.tuples(st.integers(2, 6), st.integers(1, 6)), min_size=1, max_size=4), st.sampled_from([1, 2]))
@settings(max_examples=60, deadline=None)
def test_growing_keeps_every_number_and_ends_with_the_same_games(stages, lines):
    players = sorted(players for players, _ in stages)
    games = sorted(games for _, games in stages)
    plans = [
        round_robin(list("abcdef")[:count], times, LINES[:lines]) for count, times in zip(players, games, strict=True)
    ]
    whole = grown(plans)
    assert Counter((g.first, g.second, g.opening) for g in plans[-1]) <= Counter(
        (g.first, g.second, g.opening) for g in whole
    )
    assert [game.number for game in whole] == list(range(1, len(whole) + 1))
    assert grown(plans[:-1]) == whole[: len(grown(plans[:-1]))]
    for games_of_pair in _by_pair(whole).values():
        assert len({frozenset((g.first, g.second)) for g in games_of_pair}) == 1
        assert len({g.opening for g in games_of_pair}) == 1
        assert len(games_of_pair) <= 2
        assert len({g.first for g in games_of_pair}) == len(games_of_pair)


def _by_pair(games):
    found = {}
    for game in games:
        found.setdefault(game.pair, []).append(game)
    return found


def test_an_agenda_hands_out_each_game_once():
    agenda = Agenda(Fixed(round_robin(list("abc"), 2)), {2: 1.0, 5: None})
    taken = [agenda.take().number for _ in range(len(agenda))]
    assert taken == [1, 3, 4, 6]
    assert agenda.take() is None
    agenda.note(1, 0.5)
    assert len(agenda) == 0


def play_swiss(players, rounds, games=2, seed=0, drop=0.0):
    """A tournament in which the player of the higher number mostly wins; the results of each round come shuffled."""
    rng = np.random.default_rng(seed)
    swiss = Swiss(tuple(f"p{i}" for i in range(players)), rounds, games)
    scores = {}
    while todo := [game for game in swiss.pairings(scores) if game.number not in scores]:
        for game in rng.permutation(np.array(todo, dtype=object)):
            chance = 1 / (1 + 10 ** ((int(game.second[1:]) - int(game.first[1:])) / 2))
            scores[game.number] = None if rng.random() < drop else float(rng.random() < chance)
    return swiss, swiss.pairings(scores), scores


@given(st.integers(2, 13), st.integers(1, 9), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_swiss_rounds(players, rounds, games, seed):
    swiss, played, scores = play_swiss(players, rounds, games, seed, drop=0.05)
    assert len(played) == swiss.planned == rounds * (players // 2) * games
    assert [game.number for game in played] == list(range(1, len(played) + 1))
    a_round = players // 2 * games
    free = Counter()
    for start in range(0, len(played), a_round):
        busy = Counter(name for game in played[start : start + a_round] for name in (game.first, game.second))
        assert set(busy.values()) == {games}
        free.update(set(swiss.names) - set(busy))
    assert sum(free.values()) == rounds * (players % 2)
    if players % 2:
        assert max(free.values()) - min(free[name] for name in swiss.names) <= 1
    # Again with all results at hand: the same rounds.
    assert list(Swiss(swiss.names, rounds, games).pairings(scores)) == list(played)


@pytest.mark.parametrize("players", [8, 9, 16, 40])
def test_nobody_meets_twice_while_that_can_be_avoided(players):
    _, played, _ = play_swiss(players, 5)
    assert set(meetings(played).values()) == {2}


def test_all_meet_before_any_meet_again():
    _, played, _ = play_swiss(6, 10)
    assert set(meetings(played).values()) == {4}


def test_winners_meet_winners():
    swiss = Swiss(tuple("abcdefgh"), 3)
    scores = {}
    for _ in range(2):
        for game in swiss.pairings(scores):
            scores.setdefault(game.number, float(game.first < game.second))
    games = swiss.pairings(scores)
    assert meetings(games[:8]) == {frozenset(pair): 2 for pair in ("ae", "bf", "cg", "dh")}
    assert meetings(games[8:16]) == {frozenset(pair): 2 for pair in ("ab", "cd", "ef", "gh")}
    assert meetings(games[16:18]) == {frozenset("ac"): 2}


def test_swiss_finds_the_strongest():
    """After 6 rounds of 32 players, the expected strongest is mostly first, where 992 games would be a round robin."""
    first = 0
    for seed in range(20):
        _, played, scores = play_swiss(32, 6, seed=seed)
        points = Counter()
        for game in played:
            points[game.first] += scores[game.number]
            points[game.second] += 1 - scores[game.number]
        first += points["p31"] == max(points.values())
    assert first >= 12


def test_sprt_schedule_ends_at_the_first_bound():
    """The verdict is that of the pairs in order, whatever order they end in."""
    test = Sprt(0, 60)
    rng = np.random.default_rng(3)
    results = rng.choice([0, 0.5, 1], p=[0.1, 0.3, 0.6], size=400).tolist()
    expected, counts, end = None, np.zeros(5, int), 0
    while expected is None:
        counts[round(2 * (results[2 * end] + 1 - results[2 * end + 1]))] += 1
        end += 1
        expected = test.verdict(counts)
    for order in (range(400), rng.permutation(400)):
        schedule = SprtSchedule(("a", "b"), test, 400)
        scores = {}
        assert schedule.planned == 400
        for index in order:
            scores[int(index) + 1] = results[index]
            games = schedule.pairings(scores)
        assert (schedule.verdict, schedule.counts, len(games)) == (expected, counts.tolist(), 2 * end)
        assert schedule.planned == 2 * end < 400
        assert schedule.llr == pytest.approx(test.llr(counts))


def test_sprt_schedule_passes_over_pairs_without_a_result():
    schedule = SprtSchedule(("a", "b"), Sprt(0, 50), 6)
    games = schedule.pairings({1: None, 2: 1.0, 3: 1.0, 4: 0.0})
    assert (len(games), schedule.counts, schedule.verdict) == (6, [0, 0, 0, 0, 1], None)
    assert [(g.first, g.second, g.pair) for g in games[:4]] == [
        ("a", "b", 1),
        ("b", "a", 1),
        ("a", "b", 2),
        ("b", "a", 2),
    ]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("round-robin", None),
        ("gauntlet", "gauntlet:1"),
        ("gauntlet:2", None),
        ("ladder", "ladder:3"),
        ("swiss:7", None),
        ("sprt:0,5", None),
        ("sprt: -3 , 1.5, alpha=0.1, normalized", "sprt:-3,1.5,alpha=0.1,normalized"),
        (" sprt:0,5,beta=0.05,logistic", "sprt:0,5"),
    ],
)
def test_specs(text, same):
    spec = parse_schedule(text)
    assert spec.text == (same or text)
    assert parse_schedule(spec.text) == spec
    made = spec.make(["a", "b"] if spec.test else list("abcd"), 2, [Opening()])
    assert made.planned >= 2
    assert len(made.pairings({})) >= 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gauntlets", "did you mean 'gauntlet'"),
        ("knockout-xyz", "there are round-robin, gauntlet"),
        ("round-robin:2", "takes no number"),
        ("swiss", "as in swiss:7"),
        ("swiss:0", "1 or more"),
        ("ladder:x", "as in ladder:3"),
        ("sprt", "two differences"),
        ("sprt:0,5,9", "two differences"),
        ("sprt:0,x", "'x' is no number"),
        ("sprt:5,0", "elo0 below elo1"),
        ("sprt:0,5,alpha=2", "alpha and beta"),
        ("sprt:0,5,gamma=2", "unknown 'gamma'"),
    ],
)
def test_specs_that_are_none(text, words):
    with pytest.raises(ValueError, match=words):
        parse_schedule(text)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Swiss(("a", "b"), 0), "1 or more rounds"),
        (lambda: Swiss(("a",), 3), "at least two players"),
        (lambda: SprtSchedule(("a", "b", "c"), Sprt(), 4), "got 3 players"),
        (lambda: SprtSchedule(("a", "b"), Sprt(), 5), "even number is wanted, got 5"),
    ],
)
def test_fields_that_cannot_play(make, words):
    with pytest.raises(ValueError, match=words):
        make()
