"""Tournaments on clocks: who oversteps loses, records tell the times, and all of it is resumed as it was."""

import json
import shlex
import sys
from pathlib import Path

import fakes
import pytest

from sakiyomi.arena import Adjudication, Budget, Conditions, Termination, Tournament, parse_time, play
from sakiyomi.arena.clock import record_tags
from sakiyomi.boards import Chess, Clock, TicTacToe
from sakiyomi.boards.player import Thought
from sakiyomi.sgf import clocks, evals, load, times


class Watch(fakes.First):
    """Notes what it is given."""

    def __init__(self):
        self.budgets = []

    def choose(self, position, budget):
        self.budgets.append(budget)
        return super().choose(position, budget)


def test_players_see_their_clocks_and_a_share_of_them():
    watch = Watch()
    control = parse_time("10/60+1")
    played = play(TicTacToe(), (watch, fakes.First()), Conditions(clock=(control, parse_time("30"))))
    assert played.termination is Termination.NORMAL
    first, second = watch.budgets[0].clocks
    assert first == Clock(60.0, 1.0, 10)
    assert second == Clock(30.0)
    assert 60 < watch.budgets[1].clocks[0].left < 61  # the increment came, and little was spent
    assert watch.budgets[1].clocks[0].moves_to_go == 9
    assert 5 < watch.budgets[0].seconds < 8


def test_who_runs_out_of_time_loses_and_the_record_tells():
    controls = parse_time("0.06"), parse_time("60")
    played = play(TicTacToe(), (fakes.Slow(), fakes.First()), Conditions(clock=controls, margin=0.0, annotate=True))
    assert played.termination is Termination.TIME_FORFEIT
    assert played.record.result == "0-1"
    assert "the clock ran out" in played.detail
    assert times(played.record)[0] >= 0.04
    assert clocks(played.record)[0] <= 0.021


def test_a_clock_and_seconds_exclude_each_other():
    with pytest.raises(ValueError, match="exclude each other"):
        Conditions(Budget(seconds=1.0), clock=(parse_time("1"), parse_time("1")))
    with pytest.raises(ValueError, match="exclude each other"):
        Tournament("tictactoe", ["random", "a=random"], budget=Budget(seconds=1.0), clock="60")


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ("soon", "no time control"),
        ({"random": "60"}, "'a' has no clock"),
        ({"random": "60", "b": "60"}, "who does not play"),
    ],
)
def test_wrong_clocks_are_refused(clock, words):
    with pytest.raises(ValueError, match=words):
        Tournament("tictactoe", ["random", "a=random"], clock=clock)


def test_a_tournament_on_clocks_of_different_length_is_resumed_as_it_was(tmp_path):
    given = {"alphabeta:1": "20+0.1", "random": "5"}
    first = Tournament("chess", list(given), games=2, clock=given, workers=1, out=tmp_path / "out", seed=4)
    for _ in first.stream():
        break
    again = Tournament.stored(tmp_path / "out", workers=1)
    assert again.config == first.config
    again.run()
    assert len(again.rows) == 2
    for row in again.rows:
        record = row.played.record
        side = record.players.index("random")
        left = clocks(record)
        assert len(left) == len(record.moves)
        assert all(seconds <= 5 for seconds in left[side::2])
        assert left[1 - side] > 19
        path = again.folder.record_paths(row)[0]
        (written,) = load(path)
        assert clocks(written) == left
        assert times(written) == times(record)


def test_evaluations_are_noted_where_players_tell_them():
    from sakiyomi.arena import make_player

    players = make_player("alphabeta:2", Chess()), make_player("random", Chess())
    conditions = Conditions(annotate=True, adjudication=Adjudication.of({"max_moves": 6}))
    played = play(Chess(), players, conditions, seed=1)
    assert played.termination is Termination.ADJUDICATION
    assert (played.record.result, len(played.record.moves)) == ("1/2-1/2", 12)
    found = evals(played.record)
    assert all(value is not None for value in found[0::2])
    assert all(value is None for value in found[1::2])
    assert json.dumps(played.detail)


@pytest.mark.parametrize("figure", ["many", float("nan"), 10**400, [1, 2], float("inf")])
@pytest.mark.parametrize("name", ["value", "centipawns", "mate"])
def test_thoughts_that_are_no_numbers_are_none(name, figure):
    player = fakes.First()
    player.thought = Thought((), **{name: figure})
    rules = Adjudication.of({"resign": "moves=1,score=1", "draw": "moves=1,score=1", "max_moves": 2})
    played = play(Chess(), (player, player), Conditions(annotate=True, adjudication=rules))
    assert played.detail == "2 moves were played"
    assert evals(played.record) == [None] * 4


@pytest.mark.parametrize(
    ("game", "first", "second", "tags"),
    [
        ("chess", "40/300;60+2", None, {"TimeControl": "40/300:60+2"}),
        ("chess", "300", "60", {"WhiteTimeControl": "300", "BlackTimeControl": "60"}),
        ("chess", "600,5x30", None, {"TimeControl": "600,5x30"}),
        ("go-9x9", "600,5x30", None, {"time": "600", "overtime": "5x30 byo-yomi"}),
        ("go-9x9", "600,15/300", None, {"time": "600", "overtime": "15/300 Canadian"}),
        ("go-9x9", "60+2", None, {"time": "60", "overtime": "2 Fischer"}),
        ("shogi", "900,30", None, {"time": "00:15+30"}),
        ("shogi", "300+5", None, {"time control": "300+5"}),
        ("go-9x9", "60", "30", {"time control": "60 against 30"}),
    ],
)
def test_records_tell_the_time_control(game, first, second, tags):
    controls = parse_time(first), parse_time(second or first)
    assert record_tags(game, controls) == tags


def test_an_engine_has_one_clock_only():
    fake = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(Path(__file__).with_name('fake_uci.py')))} good"
    players = ["random", f"uci:{fake}@clock=60+1"]
    with pytest.raises(ValueError, match="has a clock of its own"):
        Tournament("chess", players, clock="60")
