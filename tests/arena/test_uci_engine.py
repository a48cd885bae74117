"""Our players as UCI engines from outside: through pipes, python-chess and tournament managers."""

import contextlib
import io
import itertools
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import chess
import chess.engine
import pytest

from sakiyomi.arena.serving.engine import serve

HERE = str(Path(__file__).parent)
ENGINE = [sys.executable, "-m", "sakiyomi.arena", "engine"]
PATIENCE = 120  # seconds: on a fresh machine everything is compiled first


@contextlib.contextmanager
def opened(spec, *more):
    """The player as python-chess's engine."""
    command = [*ENGINE, spec, "--protocol", "uci", *more]
    with chess.engine.SimpleEngine.popen_uci(command, timeout=PATIENCE) as engine:
        engine.ping()
        yield engine


@pytest.fixture(scope="module")
def uct():
    with opened("uct:60", "--seed", "1") as engine:
        yield engine


@pytest.fixture(scope="module")
def alphabeta():
    with opened("alphabeta:2", "--seed", "1") as engine:
        yield engine


@pytest.fixture(params=["uct", "alphabeta"])
def engine(request):
    return request.getfixturevalue(request.param)


LIMITS = [
    chess.engine.Limit(),
    chess.engine.Limit(time=0.05),
    chess.engine.Limit(depth=2),
    chess.engine.Limit(nodes=100),
    chess.engine.Limit(mate=1),
    chess.engine.Limit(white_clock=1, black_clock=1),
    chess.engine.Limit(white_clock=1, black_clock=1, white_inc=0.01, black_inc=0.01),
    chess.engine.Limit(white_clock=0.5, black_clock=0.5, remaining_moves=3),
    chess.engine.Limit(white_clock=0.001, black_clock=0.001),
    chess.engine.Limit(time=0.05, depth=1, nodes=10),
]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_every_limit_is_kept(engine, limit):
    board = chess.Board()
    for _ in range(4):
        started = time.monotonic()
        played = engine.play(board, limit, info=chess.engine.INFO_ALL)
        assert time.monotonic() - started < 10
        assert played.move in board.legal_moves
        assert {"depth", "nodes", "nps", "time", "score", "pv"} <= played.info.keys()
        assert played.info["pv"][0] == played.move
        board.push(played.move)
        assert played.ponder is None or played.ponder in board.legal_moves


def test_nodes_are_counted(uct):
    played = uct.play(chess.Board(), chess.engine.Limit(nodes=300), info=chess.engine.INFO_BASIC)
    assert played.info["nodes"] == 300
    played = uct.play(chess.Board(), chess.engine.Limit(), options={"Simulations": 40}, info=chess.engine.INFO_BASIC)
    assert played.info["nodes"] == 40


def test_an_analysis_tells_more_and_more_until_it_is_stopped(engine):
    with engine.analysis(chess.Board()) as analysis:
        depths = [info["depth"] for info in itertools.islice((info for info in analysis if "pv" in info), 4)]
        analysis.stop()
        best = analysis.wait()
    assert max(depths) >= 2
    assert best.move in chess.Board().legal_moves
    assert analysis.info["nodes"] > 0


def test_the_moves_to_be_searched(engine):
    moves = [chess.Move.from_uci("a2a3"), chess.Move.from_uci("h2h4")]
    found = {engine.play(chess.Board(), chess.engine.Limit(nodes=200), root_moves=moves).move for _ in range(3)}
    assert found <= set(moves)
    info = engine.analyse(chess.Board(), chess.engine.Limit(depth=1), root_moves=moves[1:])
    assert info["pv"][0] == moves[1]
    assert engine.play(chess.Board(), chess.engine.Limit(depth=1), root_moves=[]).move == chess.Move.null()


def test_a_mate_in_one_is_played_and_told(engine):
    board = chess.Board("6k1/5ppp/8/8/8/8/5PPP/3R2K1 w - - 0 1")
    for limit in (chess.engine.Limit(), chess.engine.Limit(mate=1), chess.engine.Limit(time=0.1)):
        played = engine.play(board, limit, info=chess.engine.INFO_SCORE)
        assert played.move.uci() == "d1d8"
        assert played.info["score"].relative == chess.engine.Mate(1)


def test_pondering_through_a_game(engine):
    """The expected reply is played, except where a game is over: then the next begins, and the pondering is in vain."""
    board, hits = chess.Board(), 0
    for _ in range(6):
        played = engine.play(board, chess.engine.Limit(white_clock=2, black_clock=2), ponder=True, game="pondered")
        board.push(played.move)
        hit = played.ponder is not None
        hits += hit
        if not board.is_game_over():
            board.push(played.ponder if hit else next(iter(board.legal_moves)))
        if board.is_game_over():
            board = chess.Board()
    assert hits
    assert engine.play(chess.Board(), chess.engine.Limit(depth=1)).move is not None  # the last pondering is broken off


def test_chess960_castling(engine):
    board = chess.Board("rkr5/ppp5/8/8/8/8/PPP5/RKR5 w ACac - 0 1", chess960=True)
    castled = chess.Move.from_uci("b1c1")
    assert castled in board.legal_moves
    assert engine.play(board, chess.engine.Limit(depth=1), root_moves=[castled]).move == castled
    board.push(castled)
    assert engine.play(board, chess.engine.Limit(depth=2)).move in board.legal_moves
    board = chess.Board("r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1")
    castled = chess.Move.from_uci("e1g1")
    assert engine.play(board, chess.engine.Limit(depth=1), root_moves=[castled]).move == castled


def test_positions_that_are_over(engine):
    for fen in ("R5k1/5ppp/8/8/8/8/8/K7 b - - 0 1", "7k/5Q2/8/8/8/8/8/K7 b - - 0 1"):
        assert engine.play(chess.Board(fen), chess.engine.Limit(depth=1)).move == chess.Move.null()
    board = chess.Board("7k/8/8/8/8/8/8/K7 b - - 0 1")
    assert engine.play(board, chess.engine.Limit(depth=1)).move in board.legal_moves


def test_options_are_taken_or_refused(uct):
    assert {"Ponder", "UCI_Chess960", "Move Overhead", "Simulations", "Hash", "Threads"} == set(uct.options)
    uct.configure({"Move Overhead": 30, "Hash": 64})
    with pytest.raises(chess.engine.EngineError):
        uct.configure({"Contempt": 3})
    uct.ping()


@pytest.mark.parametrize("spec", ["greedy", "python:fakes:Dice"])
def test_players_that_cannot_be_stopped_are_served(spec, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", HERE)
    with opened(spec) as engine:
        board = chess.Board()
        for limit in LIMITS[:6]:
            board.push(engine.play(board, limit).move)
        with engine.analysis(board) as analysis:
            time.sleep(0.1)
            analysis.stop()
            assert analysis.wait().move in board.legal_moves


def test_a_whole_game_between_two_served_players(uct, alphabeta):
    board, game = chess.Board(), object()
    clocks = [1.0, 1.0]
    while board.outcome(claim_draw=True) is None and board.ply() < 60:
        side = board.ply() % 2
        limit = chess.engine.Limit(white_clock=clocks[0], black_clock=clocks[1], white_inc=0.05, black_inc=0.05)
        started = time.monotonic()
        played = (uct, alphabeta)[side].play(board, limit, game=game)
        clocks[side] += 0.05 - (time.monotonic() - started)
        assert clocks[side] > 0
        board.push(played.move)
    assert board.ply() > 5


# --- the process


def test_serving_ends_with_quit_or_the_end_of_input():
    for script in (
        "uci\nquit\nuci\n",
        "uci",
        "position startpos\ngo movetime 30\n",
        "go infinite\n",
        "go infinite\nquit\n",
    ):
        output = io.StringIO()
        serve("uct:20", "uci", "chess960", input=io.StringIO(script), output=output)
        text = output.getvalue()
        assert text.count("uciok") == script.count("uci") or "quit" in script
        assert text.count("bestmove") == script.count("go")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("random", "telepathy"), "unknown protocol 'telepathy'; there are: gtp, uci"),
        (("random", "uci", "tictactoe"), "UCI is a protocol for chess and chess960, not for tictactoe"),
        (("rondom", "uci"), "unknown player 'rondom'"),
        (("perfect", "uci"), "perfect"),
    ],
)
def test_what_cannot_be_served_is_explained(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        serve(*arguments, input=io.StringIO(), output=io.StringIO())


def test_a_session_through_pipes():
    script = "uci\r\nisready\r\n\xff\xfe not text\nposition startpos moves e2e4\ngo nodes 50\n".encode("latin-1")
    done = subprocess.run([*ENGINE, "uct:9", "--protocol", "uci"], input=script, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("id name Sakiyomi")
    assert lines[-1].startswith("bestmove ")
    assert any(line.startswith("info string unknown command '\ufffd\ufffd not text'") for line in lines)


@pytest.mark.parametrize(("spec", "last"), [("uct:9", "quit\n"), ("python:fakes:Sleeper", "")])
def test_a_player_in_thought_does_not_keep_the_process(spec, last, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", HERE)
    words = [*ENGINE, spec, "--protocol", "uci"]
    done = subprocess.run(words, input=f"go infinite\n{last}", text=True, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_ends_the_engine_quietly():
    engine = subprocess.Popen([*ENGINE, "uct:9", "--protocol", "uci"], stdin=-1, stdout=-1, stderr=-1, text=True)
    engine.stdin.write("uci\ngo infinite\n")
    engine.stdin.flush()
    while "info depth" not in engine.stdout.readline():
        assert engine.poll() is None
    engine.send_signal(signal.SIGINT)
    assert engine.communicate(timeout=PATIENCE)[1] == ""
    assert engine.returncode == 0


@pytest.mark.engines
def test_a_tournament_manager_finds_no_fault(tmp_path, alphabeta):
    """fastchess checks the protocol step by step, then plays a match at one second and a hundredth a move.

    `alphabeta` is there to have everything compiled before clocks run.
    """
    program = shutil.which("fastchess")
    if program is None:
        pytest.skip("fastchess is not installed")
    arguments = shlex.join([*ENGINE[1:], "alphabeta:4", "--protocol", "uci"])
    checked = subprocess.run(
        [program, "--compliance", sys.executable, arguments], capture_output=True, text=True, timeout=60
    )
    assert "Engine passed all compliance checks" in checked.stdout, checked.stdout
    ours = ["-engine", f"cmd={sys.executable}", f"args={arguments}"]
    match = [
        program,
        *ours,
        "name=one",
        *ours,
        "name=two",
        "-each",
        "tc=1+0.01",
        "-rounds",
        "1",
        "-pgnout",
        "file=games.pgn",
    ]
    played = subprocess.run(match, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    told = played.stdout + played.stderr
    assert played.returncode == 0, told
    assert not re.search("illegal|disconnect|stall|loses on time|warning; (?!no opening)", told, re.IGNORECASE), told
    assert (tmp_path / "games.pgn").read_text().count('[Termination "normal"]') == 2
