"""Tournaments of tasks: the same episodes however they are run; growth, refusals, and players that fail."""

import json
from dataclasses import replace

import pytest

from sakiyomi.arena.folder import Folder
from sakiyomi.arena.match import Termination
from sakiyomi.arena.store import StoreError
from sakiyomi.arena.tasks import tournament as tournaments
from sakiyomi.arena.tasks.store import EpisodeStore
from sakiyomi.arena.tasks.tournament import TaskTournament

pytest.importorskip("gymnasium")

PLAYERS = {"drawn": "python:task_fakes:Drawn", "zero": "zero", "push": "constant:1"}
TASKS = ["pendulum", "gym/Pendulum-v1"]


def played(tournament):
    """What was played, without thinking times."""
    rows = sorted(tournament.rows, key=lambda row: row.episode.key)
    return [(row.episode, replace(row.outcome, seconds=0.0)) for row in rows]


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch):
    for module in ("tournament", "results"):
        monkeypatch.setattr(f"sakiyomi.arena.tasks.{module}.FINAL", 500)


def test_workers_play_what_one_process_plays(tmp_path):
    runs = []
    for workers in (0, 2):
        tournament = TaskTournament(TASKS, PLAYERS, games=3, seed=4, workers=workers, out=tmp_path / str(workers))
        standings = tournament.run()
        assert {row.name: row.episodes for row in standings} == dict.fromkeys(PLAYERS, 6)
        runs.append(played(tournament))
    assert runs[0] == runs[1]
    assert len(runs[0]) == tournament.planned == 18


def test_all_players_meet_the_same_seeds():
    tournament = TaskTournament(TASKS, PLAYERS, games=4, seed=9, workers=0)
    episodes = tournament.episodes()
    assert [episode.number for episode in episodes] == list(range(1, 25))
    assert len({(episode.run, episode.seed) for episode in episodes}) == 4
    assert [episode.run for episode in episodes] == sorted(episode.run for episode in episodes)


def test_what_the_folder_holds(tmp_path):
    tournament = TaskTournament("pendulum", PLAYERS, games=2, workers=0, out=tmp_path / "a", scales=True)
    tournament.run()
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {"tournament.sqlite", "standings.json", "report.html"}
    found = json.loads((tmp_path / "a" / "standings.json").read_text())
    assert (found["episodes"], found["planned"], found["faults"]) == (6, 6, [])
    assert found["scales"] == {"pendulum": [0.0, 40.0]}
    assert {row["name"] for row in found["standings"]} == set(PLAYERS)
    best = found["standings"][0]
    assert best["iqm_interval"][0] <= best["iqm"] <= best["iqm_interval"][1]
    assert best["rating"]["games"] == 4
    assert set(found["returns"]["pendulum"]) == set(PLAYERS)


def test_nothing_is_played_twice(tmp_path):
    first = TaskTournament(TASKS, PLAYERS, games=2, workers=0, out=tmp_path)
    stream = first.stream()
    begun = [next(stream) for _ in range(5)]
    stream.close()
    again = TaskTournament(TASKS, PLAYERS, games=2, workers=0, out=tmp_path, resume=True)
    again.run()
    assert again.rows[:5] == begun  # times of day included
    whole = TaskTournament(TASKS, PLAYERS, games=2, workers=0)
    whole.run()
    assert played(again) == played(whole)


def test_a_tournament_can_grow(tmp_path):
    first = TaskTournament("pendulum", ["zero"], games=2, workers=0, out=tmp_path)
    first.run()
    grown = TaskTournament.stored(tmp_path, games=3, add=["push=constant:1"], tasks=["gym/Pendulum-v1"], workers=0)
    grown.run()
    assert grown.rows[:2] == first.rows
    whole = TaskTournament(TASKS, {"zero": "zero", "push": "constant:1"}, games=3, workers=0)
    whole.run()
    assert played(grown) == played(whole)
    assert TaskTournament.stored(tmp_path, workers=0).config == whole.config


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 4}, "seed was 3, is now 4"),
        ({"games": 1}, "games was 2, is now 1; it can only grow"),
        ({"players": ["zero"]}, "players was zero=zero, push=constant:1, is now zero=zero; others can only be added"),
        ({"tasks": ["gym/Pendulum-v1", "pendulum"]}, "tasks was pendulum, is now gym/Pendulum-v1, pendulum"),
    ],
)
def test_a_changed_tournament_is_refused_with_the_difference(tmp_path, change, words):
    settings = {"tasks": "pendulum", "players": ["zero", "push=constant:1"], "games": 2, "seed": 3}
    settings |= {"workers": 0, "out": tmp_path}
    TaskTournament(**settings).run()
    with pytest.raises(ValueError, match=words):
        TaskTournament(**settings | {"resume": True} | change)
    with pytest.raises(ValueError, match="holds a tournament already"):
        TaskTournament(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"games": 0}, "games must be a whole number of 1 or more, got 0"),
        ({"seed": -1}, "seed must be"),
        ({"workers": 0.5}, "workers must be"),
        ({"patience": 0}, "patience must be"),
        ({"players": []}, "players are wanted"),
        ({"players": ["zero", "zero"]}, "two players are called 'zero'"),
        ({"players": ["zro"]}, "did you mean 'zero'"),
        ({"tasks": ["pendulum", "pendulum"]}, "each once"),
        ({"tasks": "pndulum"}, "did you mean 'pendulum'"),
        ({"scales": {"gym/X": (0, 1)}}, "scales must be given for the tasks that are played"),
        ({"scales": {"pendulum": (1, 1)}}, "the scale of pendulum must be two returns"),
        ({"tasks": "gym/Pendulum-v1", "scales": True}, "gym/Pendulum-v1 has no references of its own"),
    ],
)
def test_what_cannot_be_played_is_refused(tmp_path, settings, words):
    out = tmp_path / "a"
    with pytest.raises(ValueError, match=words):
        TaskTournament(**{"tasks": "pendulum", "players": ["zero"], "workers": 0, "out": out} | settings)
    assert not out.exists()


def test_two_arenas_do_not_write_to_one_folder(tmp_path):
    first = TaskTournament("pendulum", PLAYERS, games=2, workers=0, out=tmp_path)
    stream = first.stream()
    next(stream)
    other = TaskTournament("pendulum", PLAYERS, games=2, workers=0, out=tmp_path, resume=True)
    with pytest.raises(StoreError, match="another tournament is running here"):
        other.run()
    stream.close()
    other.run()
    assert len(other.rows) == 6


def test_failing_players_never_stop_a_tournament(tmp_path):
    players = {"zero": "zero", "raiser": "python:task_fakes:Raiser", "gone": "python:task_fakes:Suicide"}
    players["looper"] = "python:task_fakes:Looper"
    tournament = TaskTournament("pendulum", players, games=1, workers=2, out=tmp_path, patience=3.0)
    standings = {row.name: row for row in tournament.run()}
    found = {row.episode.player: row.outcome.termination for row in tournament.rows}
    assert found == {
        "zero": Termination.NORMAL,
        "raiser": Termination.CRASH,
        "gone": Termination.CRASH,
        "looper": Termination.STALL,
    }
    assert {name: row.failed for name, row in standings.items()} == {"zero": 0, "raiser": 1, "gone": 1, "looper": 1}
    assert standings["zero"].rating.wins == 3
    assert standings["raiser"].rating.draws == 2
    with EpisodeStore.open(Folder(tmp_path).database) as store:
        assert store.count == 4


def test_a_paused_tournament_waits(tmp_path, monkeypatch):
    answers = [True, True]
    monkeypatch.setattr(Folder, "paused", property(lambda self: bool(answers and answers.pop())))
    monkeypatch.setattr(tournaments, "PAUSE", 0.0)
    tournament = TaskTournament("pendulum", ["zero"], games=2, workers=0, out=tmp_path)
    tournament.run()
    assert answers == []
    assert len(tournament.rows) == 2


def test_a_greedy_player_fails_and_nobody_else(tmp_path):
    players = {"zero": "zero", "hoarder": "python:task_fakes:Hoarder"}
    tournament = TaskTournament("pendulum", players, games=1, workers=1, memory=600_000_000, out=tmp_path)
    standings = {row.name: row for row in tournament.run()}
    assert {name: row.failed for name, row in standings.items()} == {"zero": 0, "hoarder": 1}
    assert "memory" in tournament.rows[1].outcome.detail


def test_episodes_that_say_nothing_are_tried_again(tmp_path, monkeypatch):
    players = ["zero", "sulker=python:task_fakes:Sulker"]
    TaskTournament("pendulum", players, games=2, workers=0, out=tmp_path).run()
    monkeypatch.setattr("task_fakes.Sulker.begin", lambda self, task, seed: setattr(self, "shape", (1,)))
    monkeypatch.setattr("task_fakes.Sulker.act", lambda self, observation: [0.5])
    again = TaskTournament.stored(tmp_path, workers=0)
    standings = again.run()
    assert {row.name: (row.episodes, row.failed) for row in standings} == {"zero": (2, 0), "sulker": (2, 0)}


def test_one_player_alone_is_evaluated():
    (row,) = TaskTournament("pendulum", ["zero"], games=3, workers=0).run()
    assert row.rating is None
    assert row.episodes == 3
    assert tournaments.TaskTournament("pendulum", ["zero"]).title == "pendulum: zero"
