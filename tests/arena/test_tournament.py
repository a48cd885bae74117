"""Tournaments: the same games with any number of workers, and players that fail in every way."""

import json
import time

import fakes
import pytest

from sakiyomi.arena import Budget, Pairing, Termination, Tournament
from sakiyomi.arena.config import game_options
from sakiyomi.arena.playing import Conditions
from sakiyomi.arena.running import crew
from sakiyomi.arena.running.crew import Crew, WorkerFailure
from sakiyomi.arena.running.games import Games
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.arena.store import Store, StoreError
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.tictactoe import TicTacToe

DICE = ["one=python:fakes:Dice", "two=python:fakes:Dice", "first=python:fakes:First"]


def games(tournament):
    """Everything about the games that must not depend on who played them where."""
    return [played.record for played in tournament.played]


def test_a_tournament_in_five_lines():
    tournament = Tournament("tictactoe", DICE, games=6, workers=0)
    table = tournament.run()
    assert [rating.games for rating in table] == [12, 12, 12]
    assert {rating.name for rating in table} == {"one", "two", "first"}
    assert len(tournament.played) == 18


def test_same_seed_same_games_with_any_number_of_workers():
    tournaments = [Tournament("tictactoe", DICE, games=4, openings="random:2", seed=5, workers=n) for n in (0, 1, 2)]
    for tournament in tournaments:
        tournament.run()
    assert games(tournaments[0]) == games(tournaments[1]) == games(tournaments[2])
    other = Tournament("tictactoe", DICE, games=4, openings="random:2", seed=6, workers=0)
    other.run()
    assert games(other) != games(tournaments[0])


def test_built_in_players_play_the_same_games_in_workers():
    players = ["uct:16", "more=uct:32", "random"]
    here, there = (Tournament("go-5x5", players, games=2, seed=3, workers=n) for n in (0, 2))
    here.run()
    there.run()
    assert games(here) == games(there)


def test_games_stream_as_they_end():
    tournament = Tournament("tictactoe", DICE, games=2, workers=0)
    seen = 0
    for played in tournament.stream():
        seen += 1
        assert len(tournament.rows) == seen
        assert played is tournament.rows[-1].played
    assert seen == 6


def test_player_objects_play_in_this_process():
    tournament = Tournament(TicTacToe(), [fakes.First(), fakes.Dice()], games=4)
    assert tournament.workers == 0
    tournament.run()
    assert {name for record in games(tournament) for name in record.players} == {"first", "dice"}
    with pytest.raises(ValueError, match="workers=0"):
        Tournament(TicTacToe(), [fakes.First(), fakes.Dice()], workers=2)


def test_a_game_that_cannot_travel_is_played_here():
    class Local(TicTacToe):
        name = "local"

    with pytest.raises(ValueError, match=r"local cannot be sent to workers .*workers=0"):
        Tournament(Local(), DICE, workers=1)
    assert len(Tournament(Local(), DICE, games=1, workers=0).run()) == 3


FAULTS = {
    "illegal": ("python:fakes:Illegal", Termination.ILLEGAL_MOVE, "the square is taken"),
    "raiser": ("python:fakes:Raiser", Termination.CRASH, "KeyError"),
    "mute": ("python:fakes:Mute", Termination.STALL, "no answer in 5 s"),
    "quitter": ("python:fakes:Quitter", Termination.RESIGNATION, ""),
}


def test_players_that_fail_lose_and_the_tournament_goes_on(tmp_path):
    players = {"good": "python:fakes:First"} | {name: spec for name, (spec, _, _) in FAULTS.items()}
    tournament = Tournament("tictactoe", players, games=2, workers=2, out=tmp_path / "out")
    tournament.run()
    assert len(tournament.played) == 20
    for played in tournament.played:
        first, second = played.record.players
        if "good" not in (first, second):
            continue
        name = second if first == "good" else first
        _, termination, words = FAULTS[name]
        assert (played.termination, played.record.score) == (termination, float(first == "good")), name
        assert words in played.detail
        if words:
            assert played.detail.startswith(f"{name}: ")
    assert tournament.standings()[0].name == "good"
    standings = json.loads((tmp_path / "out" / "standings.json").read_text())
    assert standings["standings"][0]["name"] == "good"
    assert any("raiser: KeyError" in fault["detail"] for fault in standings["faults"])


def test_a_player_that_takes_its_process_along_has_lost():
    players = {"good": "python:fakes:First", "suicide": "python:fakes:Suicide"}
    tournament = Tournament("tictactoe", players, games=2, workers=1)
    tournament.run()
    assert [played.record.result for played in tournament.played] == ["1-0", "0-1"]
    for played in tournament.played:
        assert played.termination is Termination.CRASH
        assert played.detail == "suicide: its process died twice (exit code 7)"


def test_a_player_that_never_answers_has_lost():
    players = ["good=python:fakes:First", "sleeper=python:fakes:Sleeper"]
    tournament = Tournament("tictactoe", players, games=2, workers=2, patience=0.5)
    began = time.monotonic()
    tournament.run()
    assert time.monotonic() - began < 20
    assert [played.termination for played in tournament.played] == [Termination.STALL] * 2
    assert [played.record.result for played in tournament.played] == ["1-0", "0-1"]
    assert len(tournament.played[0].record.moves) == 1  # what was played before is kept
    assert "sleeper: no move for 0.5 s" in tournament.played[0].detail


def test_players_that_could_not_start_are_listed_and_not_rated(tmp_path):
    players = ["good=python:fakes:First", "sulker=python:fakes:Sulker", "bad=python:fakes:Late"]
    tournament = Tournament("tictactoe", players, games=2, workers=1, out=tmp_path)
    assert tournament.run() == []
    assert [played.termination for played in tournament.played] == [Termination.COULD_NOT_START] * 6
    assert any("sulker: the licence has run out" in played.detail for played in tournament.played)
    assert any("cannot be made: this one cannot be made here" in played.detail for played in tournament.played)


def test_a_folder_holds_everything(tmp_path):
    out = tmp_path / "deep" / "out"
    tournament = Tournament("go-5x5", ["random", "uct:4"], games=2, workers=1, out=out, budget=Budget(simulations=4))
    tournament.run()
    assert sorted(path.name for path in out.iterdir()) == [
        "games",
        "report.html",
        "standings.json",
        "tournament.sqlite",
    ]
    assert [path.name for path in sorted((out / "games").iterdir())] == [
        "00001-random-uct_4.sgf",
        "00002-uct_4-random.sgf",
    ]
    assert "uct:4" in (out / "report.html").read_text()
    from sakiyomi.sgf import load

    (record,) = load(out / "games" / "00001-random-uct_4.sgf")
    assert (record.moves, record.result) == (tournament.played[0].record.moves, tournament.played[0].record.result)


def test_long_names_fit_into_file_names(tmp_path):
    names = ["囲" * 200, "é" * 200]
    Tournament("tictactoe", dict.fromkeys(names, "python:fakes:First"), games=2, workers=0, out=tmp_path).run()
    files = sorted(path.name for path in (tmp_path / "games").iterdir())
    assert files[0] == f"00001-{'囲' * 30}-{'é' * 45}.sgf"
    assert len(files) == 2


def test_a_folder_made_for_nothing_is_removed(tmp_path, monkeypatch):
    def fail(path, config):
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "create", fail)
    with pytest.raises(StoreError, match="the disk is full"):
        Tournament("tictactoe", DICE, games=1, workers=0, out=tmp_path / "a" / "b").run()
    assert not list(tmp_path.iterdir())


def test_games_without_a_record_format_of_their_own_are_recorded_too(tmp_path):
    tournament = Tournament("tictactoe", DICE, games=1, workers=0, out=tmp_path)
    tournament.run()
    assert len(list((tmp_path / "games").iterdir())) == 3


@pytest.mark.parametrize(
    ("players", "more", "words"),
    [
        (["random"], {}, "at least two players"),
        (["random", "random"], {}, "two players are called 'random'"),
        (["random", "rndom"], {}, "did you mean 'random'"),
        (["random", "gtp:gnugo"], {}, "GTP engines play Go"),
        (["random", "uct:2"], {"games": 0}, "must be 1 or more"),
        (["random", "uct:2"], {"seed": -1}, "seed must be 0 or more"),
        (["random", "uct:2"], {"workers": -1}, "workers must be 0 or more"),
        (["random", "uct:2"], {"games": 2.5}, "must be a whole number, got 2.5"),
        (["random", "uct:2"], {"margin": float("nan")}, "margin must be a number of seconds, 0 or more, got nan"),
        (["random", "uct:2"], {"margin": -1}, "margin must be"),
        (["random", "uct:2"], {"patience": 0}, "patience must be over 0"),
        (["random", "uct:2"], {"patience": float("inf")}, "patience must be"),
        ({"": "random", "b": "random"}, {}, "a player's name must be a text that is not blank"),
        ({"a\nb": "random", "b": "random"}, {}, "a player's name must be one line of text"),
        ({"\ud800": "random", "b": "random"}, {}, "a player's name must be one line of text"),
        (["random", "uct:2"], {"openings": "random:x"}, "random:4"),
        (["random", "uct:2"], {"openings": "random:9"}, "are over by then"),
        (["random", "uct:2"], {"openings": "no/such/file"}, "no such file"),
        (["random", "uct:2"], {"openings": [["b2", "b2"]]}, "opening 1: move 2 .b2.: .*the square is taken"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is_written(tmp_path, players, more, words):
    with pytest.raises(ValueError, match=words):
        Tournament("tictactoe", players, out=tmp_path / "out", **more)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["go-9x9", "go-5x7", "tictactoe", "connect4", "othello"])
def test_games_are_remade_from_name_and_options(name):
    game = make_game(name)
    assert game_options(game) == {}
    if name.startswith("go"):
        other = make_game(name, komi=5.5, rules="japanese", superko="positional")
        assert game_options(other) == {"komi": 5.5, "rules": "japanese", "superko": "positional"}
        assert make_game(other.name, **game_options(other)) == other


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("python:fakes:Missing", "exit code 1.*no attribute 'Missing'"),
        ("python:fakes:Sleeper", "not ready after 0.6 s.*it left no message"),
    ],
)
def test_workers_that_cannot_start_end_the_tournament_with_a_reason(tmp_path, monkeypatch, spec, words):
    if "Sleeper" in spec:
        monkeypatch.setattr(crew, "START", 0.6)
    games = Games(TicTacToe(), {}, Conditions(), warm=(spec,))
    with Crew(games, 1, tmp_path / "log") as workers, pytest.raises(WorkerFailure, match=words):
        list(workers.do([Pairing(1, "a", "b", Opening(), 1)]))


def test_rules_that_fail_cost_nobody_the_game():
    class Broken(TicTacToe):
        name = "broken"

        def ending(self, states):
            if states["ply"][0] == 5:
                raise ZeroDivisionError("in the rules")
            return super().ending(states)

    tournament = Tournament(Broken(), [fakes.First(), fakes.Dice()], games=2)
    assert tournament.run() == []
    for played in tournament.played:
        assert (played.termination, played.record.result) == (Termination.INTERRUPTED, "*")
        assert "the rules failed: ZeroDivisionError: in the rules" in played.detail
