"""Tournaments of every schedule, whole, killed and resumed; what a finished one may grow by."""

import pytest

from sakiyomi.arena import Tournament
from sakiyomi.arena.folder import Folder
from sakiyomi.arena.results import write_results_of

QUICK = {"dice": "python:fakes:Dice", "first": "python:fakes:First", "other": "python:fakes:Dice"}
MORE = QUICK | {"late": "python:fakes:First", "last": "python:fakes:Dice"}
SETTINGS = {"openings": "random:1", "seed": 3, "workers": 0}


def games(tournament):
    return [(p.record.players, p.record.moves, p.record.result) for p in tournament.played]


def numbers(tournament):
    return {row.pairing.number: (row.pairing.first, row.pairing.second) for row in tournament.rows}


@pytest.mark.parametrize(
    ("schedule", "players", "count"),
    [
        ("gauntlet", MORE, 4 * 4),
        ("ladder:2", MORE, 7 * 4),
        ("swiss:3", MORE, 3 * 2 * 4),
        ("round-robin", MORE, 10 * 4),
    ],
)
def test_interrupted_and_resumed_is_the_same(tmp_path, schedule, players, count):
    settings = SETTINGS | {"games": 4, "schedule": schedule}
    whole = Tournament("tictactoe", players, **settings)
    whole.run()
    assert len(whole.played) == whole.schedule.planned == count
    for stop in (1, 5, 9):
        stream = Tournament("tictactoe", players, out=tmp_path, resume=stop > 1, **settings).stream()
        for _ in range(stop):
            next(stream)
        stream.close()
    again = Tournament.stored(tmp_path, workers=0)
    again.run()
    assert games(again) == games(whole)


def test_a_test_ends_before_its_last_game(tmp_path):
    players = {"strong": "alphabeta:5", "weak": "python:fakes:First"}
    settings = SETTINGS | {"games": 400, "schedule": "sprt:0,100"}
    first = Tournament("tictactoe", players, out=tmp_path, **settings)
    stream = first.stream()
    for _ in range(7):
        next(stream)
    stream.close()
    again = Tournament.stored(tmp_path, workers=2)
    again.run()
    assert again.schedule.verdict == "H1"
    assert again.schedule.planned == 2 * sum(again.schedule.counts) < 400
    alone = Tournament("tictactoe", players, **settings)
    alone.run()
    needed = alone.schedule.planned
    assert again.schedule.counts == alone.schedule.counts
    assert games(again)[:needed] == games(alone)
    write_results_of(Folder(tmp_path))


def test_players_are_added_to_a_finished_tournament(tmp_path):
    Tournament("tictactoe", QUICK, out=tmp_path, games=3, **SETTINGS).run()
    before = Tournament.stored(tmp_path, workers=0)
    before.run()
    grown = Tournament.stored(tmp_path, workers=0, add=["late=python:fakes:First", "last=python:fakes:Dice"])
    grown.run()
    assert numbers(before).items() <= numbers(grown).items()
    assert len(grown.played) == 10 * 3
    assert games(grown)[:9] == games(before)
    more = Tournament.stored(tmp_path, workers=0, games=4)
    stream = more.stream()
    next(stream)
    stream.close()
    more = Tournament.stored(tmp_path, workers=0)
    more.run()
    assert len(more.played) == 10 * 4
    assert numbers(grown).items() <= numbers(more).items()
    assert games(more)[:30] == games(grown)
    again = Tournament("tictactoe", MORE, out=tmp_path, games=4, resume=True, **SETTINGS)
    again.run()
    assert games(again) == games(more)


def test_a_swiss_tournament_gets_more_rounds(tmp_path):
    Tournament("tictactoe", MORE, out=tmp_path, schedule="swiss:2", **SETTINGS).run()
    grown = Tournament.stored(tmp_path, workers=0, schedule="swiss:4")
    grown.run()
    whole = Tournament("tictactoe", MORE, schedule="swiss:4", **SETTINGS)
    whole.run()
    assert games(grown) == games(whole)


@pytest.mark.parametrize(
    ("schedule", "change", "words"),
    [
        (
            "round-robin",
            {"players": {"dice": "python:fakes:Dice", "first": "python:fakes:First"}},
            "players was .* after",
        ),
        ("round-robin", {"schedule": "swiss:3"}, "schedule was 'round-robin', is now 'swiss:3'"),
        ("swiss:3", {"schedule": "swiss:2"}, "schedule was 'swiss:3', is now 'swiss:2'; only a Swiss"),
        ("swiss:3", {"players": MORE}, "players was .* not to a Swiss"),
        ("swiss:3", {"games": 4}, "games was 2, is now 4"),
        ("gauntlet", {"games": 1}, "games was 2, is now 1; it can only grow"),
    ],
)
def test_what_would_change_played_games_is_refused(tmp_path, schedule, change, words):
    settings = {"games": 2, "schedule": schedule, "out": tmp_path} | SETTINGS
    Tournament("tictactoe", QUICK, **settings).run()
    with pytest.raises(ValueError, match=words):
        Tournament("tictactoe", change.pop("players", QUICK), resume=True, **settings | change)


def test_added_players_need_names_of_their_own(tmp_path):
    Tournament("tictactoe", QUICK, out=tmp_path, games=2, **SETTINGS).run()
    with pytest.raises(ValueError, match=r"'dice' plays in .* already"):
        Tournament.stored(tmp_path, add=["dice=random"])
