"""What engines tell of their thoughts, and how they are watched, restricted and stopped while they think."""

import shlex
import shutil
import sys
import time
from threading import Event, Timer

import numpy as np
import pytest

from sakiyomi.arena.engines import thoughts
from sakiyomi.arena.engines.thoughts import Listener, expected_result, parse_info
from sakiyomi.arena.engines.uci import UciPlayer
from sakiyomi.arena.engines.usi import UsiPlayer
from sakiyomi.arena.match import PlayerFault
from sakiyomi.arena.serving.info import centipawns
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.player import Budget, Candidate
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi

ENGINE = """
import sys
def say(*lines): print(*lines, sep="\\n", flush=True)
for line in sys.stdin:
    words = line.split()
    with open(LOG, "a") as log: log.write(line)
    if words[0] in ("uci", "usi"): say(words[0] + "ok")
    if words[0] == "isready": say("readyok")
    if words[0] == "go":
        say("info string go", "info depth 3 score cp 11 nodes 30 time 7 pv " + FIRST + " b8c6")
        say("info depth 4 seldepth 9 multipv 1 score cp 25 nodes 400 time 90 pv " + FIRST)
        say("info depth 4 multipv 2 score cp -5 nodes 410 time 95 pv d2d4 d7d5", "info nodes 500 currmove a2a3")
    if words[0] == "stop" or (words[0] == "go" and "infinite" not in words): say("bestmove " + FIRST)
"""


@pytest.fixture
def engine(tmp_path):
    """A chess engine that plays e2e4 and says why, and the commands that it has heard."""
    script, log, made = tmp_path / "engine.py", tmp_path / "log", []

    def make(kind=UciPlayer, first="e2e4"):
        script.write_text(f"LOG, FIRST = {str(log)!r}, {first!r}\n{ENGINE}")
        made.append(kind(f"{shlex.quote(sys.executable)} -S {shlex.quote(str(script))}"))
        return made[-1], lambda: log.read_text().splitlines()

    yield make
    for player in made:
        player.close()


# --- lines


@pytest.mark.parametrize(
    ("line", "moves", "plies"),
    [
        ("score mate 3", 3, 2),
        ("score mate 5", 5, 3),
        ("score mate 1", 1, 1),
        ("score mate -2", -2, -1),
        ("score mate -4", -4, -2),
        ("score mate 0", 0, 0),
    ],
)
def test_mates_are_counted_in_moves(line, moves, plies):
    assert parse_info(f"info depth 3 {line} nodes 4").mate == moves
    assert parse_info(f"info depth 3 {line} nodes 4", mate_in_plies=True).mate == plies
    assert parse_info(f"info {line}").value == (1 if moves > 0 else -1)


def test_a_mate_without_a_length_is_a_certain_result():
    infos = [parse_info(f"info score mate {sign} pv 7g7f", mate_in_plies=True) for sign in "+-"]
    assert [(info.mate, info.value) for info in infos] == [(None, 1), (None, -1)]


@pytest.mark.parametrize(
    "line",
    [
        *("info", "info depth", "info depth x score cp y", "info score", "info pv", "info score mate"),
        f"info depth {'9' * 400} score cp {'9' * 400}",
        f"info depth {'9' * 5000} score mate -{'9' * 400}",
    ],
)
def test_what_is_not_understood_is_passed_over(line):
    info = parse_info(line)
    assert (info.depth, info.centipawns, info.mate, info.line) == (0, None, None, ())
    listener = Listener(False)
    listener.hear(line)
    assert listener.thought() is None or listener.thought().centipawns is None


def test_expected_results_are_reckoned_back():
    for pawns in (-1500, -120, 0, 33, 900):
        assert centipawns(expected_result(pawns)) == pawns
    assert -1 <= expected_result(-1e9) < expected_result(1e9) <= 1


def test_bounds_do_not_replace_scores_and_words_are_no_scores():
    listener = Listener(False)
    listener.hear("info string score cp 900 pv e2e4")
    assert listener.thought() is None
    listener.hear("info depth 5 score cp 10 lowerbound pv e2e4")
    assert listener.thought().centipawns == 10
    listener.hear("info depth 5 score cp 20 pv e2e4 e7e5")
    listener.hear("info depth 6 score cp 10 upperbound nodes 3 pv e2e4")
    assert (listener.thought().centipawns, listener.thought().line) == (20, ("e2e4", "e7e5"))
    listener.hear("info depth 6 score cp 25 lowerbound pv e2e4")
    assert listener.thought().centipawns == 20


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("score cp 31 lowerbound pv e2e4", "score cp 20 pv d2d4 d7d5"),
        ("score cp 31 pv e2e4 c7c5", "score cp 19 upperbound pv d2d4 d7d5"),
    ],
)
def test_moves_change_ranks_before_their_scores_are_exact(first, second):
    listener = Listener(False)
    listener.hear("info depth 5 multipv 1 score cp 20 pv d2d4 d7d5")
    listener.hear("info depth 5 multipv 2 score cp 15 pv e2e4 e7e5")
    listener.hear(f"info depth 6 multipv 1 {first}")
    listener.hear(f"info depth 6 multipv 2 {second}")
    listener.finish("e2e4")
    thought = listener.thought()
    assert thought.line[0] == "e2e4"
    assert [each.move for each in thought.candidates] == ["e2e4", "d2d4"]


# --- engines


def test_the_last_thought_of_a_move_is_kept(engine):
    player, _ = engine()
    assert player.thought is None
    player.choose(Position(Chess()), Budget())
    thought = player.thought
    assert (thought.line, thought.centipawns, thought.mate, thought.depth) == (("e2e4",), 25, None, 4)
    assert (thought.nodes, thought.seconds) == (410, 0.095)
    assert thought.candidates == (
        Candidate("e2e4", value=expected_result(25), line=("e2e4",)),
        Candidate("d2d4", value=expected_result(-5), line=("d2d4", "d7d5")),
    )
    player.begin(Chess(), 0, np.random.default_rng(0))
    assert player.thought is None


def test_a_move_that_was_not_announced_is_the_line(engine):
    listener = Listener(False)
    listener.hear("info depth 9 score cp 5 pv d2d4 d7d5")
    listener.finish("e2e4")
    assert (listener.thought().line, listener.thought().centipawns) == (("e2e4",), 5)


def test_an_engine_thinks_until_it_is_stopped(engine, monkeypatch):
    monkeypatch.setattr(thoughts, "TELL_EVERY", 0.0)
    player, heard = engine()
    stop, told = Event(), []
    Timer(0.2, stop.set).start()
    began = time.monotonic()
    move = player.think(Position(Chess()), Budget(), moves=None, stop=stop, tell=told.append)
    assert (move, heard()[-2:]) == ("e2e4", ["go infinite", "stop"])
    assert time.monotonic() - began >= 0.19
    assert [thought.centipawns for thought in told] == [11, 25, 25]
    assert told[-1].depth == 4
    assert player.thought.line == ("e2e4",)


@pytest.mark.parametrize(
    ("budget", "go"),
    [
        (Budget(simulations=9, depth=4), "go depth 4 nodes 9"),
        (Budget(seconds=2), "go movetime 2000"),
        (Budget(mate=3), "go mate 3"),
    ],
)
def test_a_search_is_limited_by_its_budget_alone(engine, budget, go):
    player, heard = engine()
    told = []
    assert player.think(Position(Chess()), budget, moves=["e4", "d4"], stop=Event(), tell=told.append) == "e2e4"
    assert heard()[-1] == f"{go} searchmoves e2e4 d2d4"
    assert told[-1].centipawns == 25


def test_an_engine_that_does_not_keep_to_the_moves_is_at_fault(engine):
    player, _ = engine()
    with pytest.raises(PlayerFault, match="chose e2e4, none of the moves that it was told to search"):
        player.think(Position(Chess()), Budget(depth=1), moves=["d4"], stop=Event(), tell=print)
    with pytest.raises(ValueError, match="no move to choose from"):
        player.think(Position(Chess()), Budget(depth=1), moves=[], stop=Event(), tell=print)


def test_shogi_engines_think_too(engine):
    player, heard = engine(UsiPlayer, "7g7f")
    assert player.think(Position(Shogi()), Budget(seconds=1), moves=None, stop=Event(), tell=print) == "7g7f"
    assert heard()[-1] == "go btime 0 wtime 0 byoyomi 1000"
    stop = Event()
    stop.set()
    assert player.think(Position(Shogi()), Budget(), moves=["2g2f", "7g7f"], stop=stop, tell=print) == "7g7f"
    assert heard()[-2:] == ["go infinite searchmoves 2g2f 7g7f", "stop"]


@pytest.mark.engines
def test_stockfish_is_watched_and_stopped():
    if shutil.which("stockfish", path="/usr/games:/usr/local/bin:/usr/bin") is None:
        pytest.skip("stockfish is not installed")
    player, stop, told = UciPlayer("stockfish", options={"MultiPV": 3}), Event(), []
    try:
        Timer(0.5, stop.set).start()
        move = player.think(Position(Chess()), Budget(), moves=["a3", "e4", "d4", "h3"], stop=stop, tell=told.append)
        assert move in ("a2a3", "e2e4", "d2d4", "h2h3")
        assert told[-1].line[0] == move
        assert len(told[-1].candidates) == 3
        assert len(told) < 30
        assert player.choose(Position(Chess(), "6k1/5ppp/8/8/8/8/8/R3K3 w Q - 0 1"), Budget(depth=5)) == "a1a8"
        assert player.thought.mate == 1
    finally:
        player.close()
