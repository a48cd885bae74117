"""What a tournament shows while it goes on, in a terminal and elsewhere."""

from io import StringIO
from types import SimpleNamespace

import pytest

from sakiyomi.arena import Tournament, live
from sakiyomi.arena.live import follow, plain_console, standings_table
from sakiyomi.arena.rating.joint import Rating
from sakiyomi.arena.schedules.schedule import Opening, Pairing
from sakiyomi.boards.catalog import make_game


def followed(terminal, **settings):
    players = {"first [:100:]": "python:fakes:First", "b": "python:fakes:Illegal", "c": "python:fakes:Dice"}
    tournament = Tournament("tictactoe", players, games=4, **settings)
    out = StringIO()
    follow(tournament, plain_console(file=out, terminal=terminal))
    assert len(tournament.rows) == 12
    return out.getvalue()


def test_lines_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(live, "LINE_EVERY", 0.0)
    lines = followed(False, workers=0).splitlines()
    assert len(lines) == 12
    assert lines[0].startswith("1/12 games, 0:0")
    assert lines[-1].startswith("12/12 games, 0:0")
    assert any("first [:100:] - c 1-0 (line)" in line for line in lines)
    assert any("the square is taken" in line for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_a_table_in_a_terminal(monkeypatch):
    monkeypatch.setattr(live, "REFRESH", 0.0)
    text = followed(True, workers=1)
    for words in ("starting workers", "tictactoe: first [:100:], b, c", "Elo", "12/12 games"):
        assert words in text


@pytest.mark.parametrize(
    ("game", "plies", "move"), [("chess", 23, 12), ("chess", 24, 12), ("shogi", 24, 24), ("go-9x9", 23, 23)]
)
def test_moves_are_counted_as_players_of_the_game_count_them(game, plies, move):
    running = [(Pairing(7, "a", "b", Opening(), 4), plies)]
    tournament = SimpleNamespace(
        game=make_game(game), rows=[], schedule=SimpleNamespace(planned=0), running=running, title="t", folder=None
    )
    out = StringIO()
    plain_console(file=out).print(live._View(tournament).screen())
    assert f"game 7: a - b, move {move}\n" in out.getvalue()


def rating(name, elo, los, pool=0):
    return Rating(name, elo, elo - 50, elo + 60, 28.0, 20, 10, 4, 6, 0.6, los, pool)


def test_the_standings():
    out = StringIO()
    table = [rating("a", 123.4, 0.987), rating("b", -9.9, float("nan")), rating("c", 0.0, float("nan"), pool=1)]
    plain_console(file=out).print(standings_table(table, "title", unrated=["d"]))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert "1 a +123 +73 .. +183 98.7 % 60.0 % 20 10 4 6" in lines
    assert "2 b -10 -60 .. +50 60.0 % 20 10 4 6" in lines
    assert "d no rated game" in lines


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.9, "1:01"), (3600, "1:00:00"), (36061, "10:01:01")])
def test_durations(seconds, text):
    assert live._duration(seconds) == text
