"""Our players as USI engines from outside: through pipes, by cshogi's client, and in matches that it manages."""

import contextlib
import io
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event

import cshogi
import cshogi.cli
import pytest
from cshogi import CSA
from cshogi.usi import Engine, InfoListener

from sakiyomi.arena.engines.process import GAME_FOLDERS
from sakiyomi.arena.match import Termination
from sakiyomi.arena.players import make_player
from sakiyomi.arena.playing import play
from sakiyomi.arena.serving.engine import serve
from sakiyomi.boards.shogi import Shogi
from sakiyomi.sgf import load

pytestmark = pytest.mark.skipif(os.name != "posix", reason="cshogi starts an engine by the path of a program alone")
ENGINE = [sys.executable, "-m", "sakiyomi.arena", "engine"]
PATIENCE = 120  # seconds: on a fresh machine everything is compiled first
ENTERED = "K8/GGGGSSSS1/PPPPPP3/9/9/9/9/9/8k b 2R2B 1"
MATED = "4k4/4G4/4P4/9/9/9/9/9/4K4 w - 1"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Makes a program that serves a player, and gives its path."""
    folder = tmp_path_factory.mktemp("engines")

    def make(spec: str, *more: str) -> str:
        path = folder / re.sub("[^a-z0-9]", "-", spec)
        words = [*ENGINE, spec, "--protocol", "usi", "--seed", "1", *more]
        path.write_text(f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(Path(__file__).parent))} exec {shlex.join(words)}\n")
        path.chmod(0o755)
        return str(path)

    return make


@contextlib.contextmanager
def opened(path: str):
    """The program as cshogi's engine, ready to play."""
    engine = Engine(path)
    try:
        engine.isready()
        engine.usinewgame()
        yield engine
    finally:
        engine.quit()  # and wait for its end


@pytest.fixture(scope="module")
def uct(program):
    with opened(program("uct:40")) as engine:
        yield engine


@pytest.fixture(scope="module")
def alphabeta(program):
    with opened(program("alphabeta:1")) as engine:
        yield engine


@pytest.fixture(params=["uct", "alphabeta"])
def engine(request):
    return request.getfixturevalue(request.param)


LIMITS = [
    {},
    {"byoyomi": 150},
    {"nodes": 100},
    {"btime": 1000, "wtime": 1000, "byoyomi": 0},
    {"btime": 0, "wtime": 0, "byoyomi": 150},
    {"btime": 300, "wtime": 300, "binc": 20, "winc": 20},
]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_legal_move_within_every_limit(engine, limit):
    board = cshogi.Board()
    board.push_usi("7g7f")
    engine.position(["7g7f"])
    listener = InfoListener()
    move, _ = engine.go(**limit, listener=listener.listen())
    assert move in {cshogi.move_to_usi(legal) for legal in board.legal_moves}
    assert listener.bestmove == move
    assert listener.pv[0] == move
    assert isinstance(listener.score, int)


def test_both_sides_of_a_whole_game(alphabeta):
    """From 20 random moves on, so that games differ; cshogi is the referee, and asks on where the game is over."""
    board, rng, played = cshogi.Board(), random.Random(1), []
    while len(played) < 20:
        played.append(cshogi.move_to_usi(rng.choice(list(board.legal_moves))))
        board.push_usi(played[-1])
    replies = []
    while not board.is_game_over() and len(played) < 300:
        alphabeta.position(played)
        move, _ = alphabeta.go(btime=5000, wtime=5000, binc=100, winc=100)
        assert board.is_legal(board.move_from_usi(move)), (move, board.sfen())
        board.push_usi(move)
        played.append(move)
        replies.append(move)
    assert len(replies) > 4
    if board.is_game_over():
        alphabeta.position(played)
        assert alphabeta.go(byoyomi=100) == ("resign", None)
    alphabeta.gameover("draw")


def test_mate_resignation_and_declaration(alphabeta):
    alphabeta.position(sfen=f"sfen {MATED}")
    assert alphabeta.go(byoyomi=100) == ("resign", None)
    alphabeta.position(sfen=f"sfen {ENTERED}")
    assert alphabeta.go(byoyomi=100) == ("win", None)
    alphabeta.position(sfen="sfen 4k4/9/4P4/9/9/9/9/9/9 b G 1")
    listener = InfoListener()
    assert alphabeta.go(nodes=100, listener=listener.listen())[0] == "G*5b"
    assert listener.score == listener.mate_score
    assert alphabeta.go_mate() == "G*5b"
    alphabeta.position(sfen="sfen 4k4/9/9/9/9/9/9/9/9 b P 1")
    assert alphabeta.go_mate(byoyomi=1000) == "nomate"


def set_at(event: Event, word: str, line: str) -> None:
    """Set the event if that is what the line begins with."""
    if line.startswith(word):
        event.set()


def test_pondering(uct):
    """The expected reply is played, or another one."""
    with ThreadPoolExecutor(1) as pool:
        for hit in (True, False):
            begun = Event()
            uct.position(["7g7f", "3c3d"])
            told = partial(set_at, begun, "info")  # before that ponderhit might overtake go
            thinking = pool.submit(uct.go, ponder=True, btime=0, wtime=0, byoyomi=150, listener=told)
            assert begun.wait(PATIENCE)
            (uct.ponderhit if hit else uct.stop)()
            move, _ = thinking.result(PATIENCE)
            board = cshogi.Board()
            for each in ("7g7f", "3c3d", move):
                board.push_usi(each)


def test_options_by_name(uct):
    for name, value in (("USI_Ponder", "true"), ("USI_Hash", 64), ("Simulations", 10), ("NetworkDelay", 50)):
        uct.setoption(name, value)
    listed = uct.usi()
    assert "option name Simulations type spin default 40 min 1 max 1000000000" in listed
    uct.isready()
    uct.setoption("Simulations", 40)


def matched(tmp_path, first: str, second: str, **settings) -> dict:
    """What cshogi's manager makes of a match, which our reader of its records agrees with."""
    path = tmp_path / "match.csa"
    with contextlib.redirect_stdout(io.StringIO()) as told:
        result = cshogi.cli.main(first, second, csa=str(path), multi_csa=True, draw=320, **settings)
    assert "反則" not in told.getvalue(), told.getvalue()
    assert "切れ負け" not in told.getvalue(), told.getvalue()
    records = load(path)
    assert len(records) == result["total"] == settings["games"]
    assert [record.result for record in records].count("1-0") == result["black_won"]
    assert [len(record.moves) for record in records] == [len(read.moves) for read in CSA.Parser.parse_file(str(path))]
    return result


def test_a_match_managed_by_cshogi(tmp_path, program):
    result = matched(tmp_path, program("random"), program("alphabeta:1"), games=1, time=10_000, byoyomi=200)
    assert result["engine2_won"] == 1
    assert result["engine2_name"].endswith(" alphabeta:1")


@pytest.mark.engines
def test_a_match_with_pondering_against_fairy_stockfish(tmp_path, program):
    fairy = shutil.which("fairy-stockfish", path=os.pathsep.join([os.environ["PATH"], *GAME_FOLDERS]))
    if fairy is None:
        pytest.skip("fairy-stockfish is not installed")
    matched(tmp_path, program("uct:40"), fairy, games=2, time=2_000, byoyomi=100, ponder=True)


def test_our_client_drives_our_engine_through_a_whole_game():
    words = shlex.join([*ENGINE, "random", "--protocol", "usi", "--seed", "3"])
    players = make_player(f"usi:{words}@byoyomi=1,NetworkDelay=900", Shogi()), make_player("alphabeta:1", Shogi())
    played = play(Shogi(), players)
    for player in players:
        player.close()
    assert (played.termination, played.record.result) == (Termination.NORMAL, "0-1"), played.detail


def test_a_session_through_pipes():
    lines = ["usi", "isready", "usinewgame", "position startpos moves 7g7f", "go nodes 10", "nonsense"]
    words = [*ENGINE, "uct:10", "--protocol", "usi"]
    done = subprocess.run(words, input="\n".join(lines), capture_output=True, text=True, timeout=PATIENCE)
    said = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert said.index("usiok") < said.index("readyok")
    assert sum(line.startswith("bestmove ") for line in said) == 1
    assert any(line.startswith("info string unknown command 'nonsense'") for line in said)


def test_usi_serves_shogi_alone():
    out = io.StringIO()
    serve("python:fakes:First", "usi", input=io.StringIO("usi\ngo byoyomi 10\nquit\n"), output=out)
    assert "usiok" in out.getvalue().splitlines()
    with pytest.raises(ValueError, match="USI is a protocol for shogi, not for chess"):
        serve("random", "usi", "chess", input=io.StringIO(), output=out)
    done = subprocess.run(
        [*ENGINE, "random", "--protocol", "usi", "--game", "chess"], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 2
    assert done.stderr.strip() == "sakiyomi: USI is a protocol for shogi, not for chess"
