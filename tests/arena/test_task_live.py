"""How a tournament of tasks is shown as it goes on."""

from io import StringIO

import pytest

from sakiyomi.arena.live import plain_console
from sakiyomi.arena.tasks import live
from sakiyomi.arena.tasks.live import follow_tasks, task_table
from sakiyomi.arena.tasks.tournament import TaskTournament

pytest.importorskip("gymnasium")

PLAYERS = ["zero", "raiser=python:task_fakes:Raiser", "a player with a long name=constant:1"]


def shown(terminal, width=80):
    tournament = TaskTournament("pendulum", PLAYERS, games=2, workers=0)
    file = StringIO()
    console = plain_console(file=file, terminal=terminal)
    console.width = width
    follow_tasks(tournament, console)
    return file.getvalue(), tournament


def test_a_table_that_renews_itself(monkeypatch):
    monkeypatch.setattr(live, "REFRESH", 0.0)
    text, _ = shown(terminal=True)
    assert "pendulum: zero, raiser, a player with a long name" in text
    assert "6/6 episodes" in text
    assert "IQM" in text
    assert "…" not in text


def test_lines_where_there_is_no_terminal(monkeypatch):
    text, _ = shown(terminal=False, width=1000)
    lines = text.splitlines()
    assert len(lines) == 2  # those of the failures: the others come every few seconds
    assert "raiser in pendulum, run 2: crash (raiser: KeyError: 'out of\\nfuel')" in lines[1]
    monkeypatch.setattr(live, "LINE_EVERY", 0.0)
    text, _ = shown(terminal=False, width=1000)
    assert len(text.splitlines()) == 6
    assert text.splitlines()[0].startswith("1/6 episodes")
    assert "zero in pendulum, run 1: return 0.0" in text


def test_the_table_fits_a_terminal():
    _, tournament = shown(terminal=False)
    file = StringIO()
    console = plain_console(file=file, terminal=True)
    console.width = 80
    console.print(task_table(tournament.standings(), absent=["nobody"], width=80))
    text = file.getvalue()
    assert "…" not in text
    for word in ("IQM", "better", "Elo", "failed", "raiser", "no episode"):
        assert word in text
    assert "mean" not in text
