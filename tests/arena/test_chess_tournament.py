"""Chess tournaments from end to end: faults, records as PGN, start positions, openings, resuming."""

import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import chess.pgn
import numpy as np
import pytest
from test_process import gone

from sakiyomi.arena import Budget, Termination, Tournament
from sakiyomi.arena.engines.process import GAME_FOLDERS
from sakiyomi.arena.schedules.openings import load_openings
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.arena.settings import read_settings
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.position import Position
from sakiyomi.sgf import load

FAKE = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(Path(__file__).with_name('fake_uci.py')))}"
ORDERS = [(f"{Path(sys.executable).name}_nodes_1", "random"), ("random", f"{Path(sys.executable).name}_nodes_1")]
LADDER = [f"good=uci:{FAKE} good@nodes=1", "random"]
REASONS = {
    "crash": (Termination.CRASH, "exited with code 1; it last said: fatal: out of ideas"),
    "segfault": (Termination.CRASH, "was killed by SIGSEGV"),
    "hang": (Termination.STALL, "gave no answer to 'go movetime 200'"),
    "flood-info": (Termination.STALL, "gave no answer to 'go movetime 200'"),
    "illegal": (Termination.ILLEGAL_MOVE, "illegal move e2e5 in rnbqkb1r/"),
    "none": (Termination.PROTOCOL_ERROR, "which is no move"),
    "flood": (Termination.PROTOCOL_ERROR, "without a line end"),
}


def read_back(path: Path) -> list[chess.pgn.Game]:
    """The games of a PGN file by python-chess, which found nothing wrong with them."""
    text, games = io.StringIO(path.read_text()), []
    while (game := chess.pgn.read_game(text)) is not None:
        assert not game.errors, (path, game.errors)
        games.append(game)
    return games


def agree(tournament: Tournament, games: list[chess.pgn.Game]) -> None:
    """What python-chess read is what was played."""
    records = [played.record for played in tournament.played]
    assert len(games) == len(records)
    for number, (record, game) in enumerate(zip(records, games, strict=True), 1):
        board = game.board()
        assert [move.uci() for move in game.mainline_moves()] == list(record.moves)
        assert game.headers["Result"] == record.result
        assert (game.headers["White"], game.headers["Black"]) == record.players
        assert game.headers["Round"] == str(number)
        assert game.headers["Event"] == tournament.title
        if record.setup:
            assert board.fen() == chess.Board(record.setup, chess960=record.game == "chess960").fen()


@pytest.mark.parametrize("mode", REASONS)
def test_a_failing_engine_loses_and_the_tournament_goes_on(mode, tmp_path, monkeypatch):
    monkeypatch.setattr("sakiyomi.arena.engines.player.SILENCE", 0.2)
    termination, reason = REASONS[mode]
    players = {"bad": f"uci:{FAKE} {mode}", "good": f"uci:{FAKE} good"}
    budget = Budget(seconds=0.2) if termination is Termination.STALL else Budget()
    tournament = Tournament("chess", players, games=2, workers=0, budget=budget, margin=20, out=tmp_path / "out")
    assert sum(rating.games for rating in tournament.run()) == 4
    stored = Tournament.stored(tmp_path / "out")
    assert list(stored.stream()) == []
    assert stored.played == tournament.played
    faults = [played for played in stored.played if played.termination is not Termination.NORMAL]
    assert faults
    for played in faults:
        assert played.termination is termination
        assert played.record.score == (0.0 if played.record.players[0] == "bad" else 1.0)
        assert played.detail.startswith("bad: ")
        assert reason in played.detail
    agree(tournament, read_back(tmp_path / "out" / "all-games.pgn"))


def sakiyomi(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sakiyomi.arena", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_command_line_leaves_pgn_that_others_read(tmp_path):
    specs = [f"uci:{FAKE} good@nodes=1", "random", "--games", "4", "--openings", "random:4", "--workers", "1"]
    done = sakiyomi("tournament", "chess", *specs, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    name = f"{Path(sys.executable).name}@nodes=1"
    assert name in done.stdout
    tournament = Tournament.stored(tmp_path)
    assert list(tournament.stream()) == []
    agree(tournament, read_back(tmp_path / "all-games.pgn"))
    files = sorted((tmp_path / "games").iterdir())
    assert [file.name for file in files[:2]] == [f"0000{n + 1}-{'-'.join(names)}.pgn" for n, names in enumerate(ORDERS)]
    agree(tournament, [game for file in files for game in read_back(file)])
    assert [record.moves for record in load(tmp_path / "all-games.pgn")] == [p.record.moves for p in tournament.played]


def test_chess960_starts_from_drawn_positions(tmp_path):
    tournament = Tournament("chess960", LADDER, games=6, workers=1, out=tmp_path)
    tournament.run()
    setups = [played.record.setup for played in tournament.played]
    assert setups[::2] == setups[1::2]
    assert len(set(setups)) == 3
    starts = Chess(chess960=True).start(np.arange(960))
    known = {Chess(chess960=True).position_text(starts[i : i + 1]) for i in range(960)}
    assert set(setups) <= known
    assert [played.termination for played in tournament.played].count(Termination.COULD_NOT_START) == 0
    agree(tournament, read_back(tmp_path / "all-games.pgn"))
    longer = Tournament.stored(tmp_path, games=8, workers=0)
    longer.run()
    assert [played.record for played in longer.played[:6]] == [played.record for played in tournament.played]
    assert longer.played[6].record.setup == longer.played[7].record.setup not in setups


def test_an_engine_without_chess960_is_refused_before_anything_is_written(tmp_path):
    players = ["random", f"old=uci:{FAKE} good --without UCI_Chess960"]
    with pytest.raises(ValueError, match="does not play Chess960: it has no option UCI_Chess960"):
        Tournament("chess960", players, out=tmp_path / "out")
    assert not list(tmp_path.iterdir())


# --- openings


def test_openings_are_told_as_a_line_and_read_back():
    for opening in (Opening(), Opening(("e2e4", "e7e5")), Opening(("a1a2",), "8/8 w - - 0 1"), Opening((), "8/8 w")):
        assert Opening.parse(opening.text) == opening
    assert Opening.of(["e2e4"]) == Opening(("e2e4",))


def test_random_openings_of_chess960_begin_anywhere():
    game = Chess(chess960=True)
    openings = load_openings("random:3", game, 200, seed=1)
    assert len({opening.setup for opening in openings}) > 150
    for opening in openings[:20]:
        position = Position(game, opening.setup)
        for move in opening.moves:
            position.play(move)
        assert position.ply == 3
    assert load_openings("random:3", game, 50, seed=1) == openings[:50]
    assert [opening.setup for opening in load_openings("", game, 5)] != [None] * 5


KINGS = "4k3/8/8/8/8/8/4P3/4K3 w - - 0 1"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.fen", f"# endings\n{KINGS}\n\n", [((), KINGS)]),
        ("a.epd", 'k7/8/8/8/8/8/P7/K7 w - - bm a4; id "one";\n', [((), "k7/8/8/8/8/8/P7/K7 w - - 0 1")]),
        ("a.epd", f"{KINGS};\n", [((), KINGS)]),
        ("a.txt", f"e4 e5\n{KINGS} | e4 Kd7 # set up\n", [(("e2e4", "e7e5"), None), (("e2e4", "e8d7"), KINGS)]),
        (
            "a.pgn",
            '[Event "x"]\n\n1. e4 e5 2. Nf3 *\n\n[Event "y"]\n\n1. d4 *\n',
            [(("e2e4", "e7e5", "g1f3"), None), (("d2d4",), None)],
        ),
        (
            "a.pgn:2",
            "1. e4 e5 2. Nf3 *\n\n1. e4 e5 2. Nc3 *\n\n1. d4 d5 2. c4 *\n",
            [(("e2e4", "e7e5"), None), (("d2d4", "d7d5"), None)],
        ),
        ("a.pgn", '[Event "x"]\n\n1. e4 e5\n', [(("e2e4", "e7e5"), None)]),
        ("a.pgn", f'[Event "x"]\n[SetUp "1"]\n[FEN "{KINGS}"]\n\n1. e4 *\n', [(("e2e4",), KINGS)]),
    ],
)
def test_openings_from_files_of_chess(tmp_path, name, text, found):
    path = tmp_path / name
    path.with_name(name.partition(":")[0]).write_text(text)
    assert load_openings(str(path), Chess(), 1) == tuple(Opening(*each) for each in found)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.fen", f"{KINGS}\n4k3/8/8/8 w - - 0 1\n", "a.fen, line 2: .*4k3/8/8/8"),
        ("a.epd", "this is not a position\n", "a.epd, line 1: "),
        ("a.fen", "7k/5Q2/6K1/8/8/8/8/8 b - - 0 1\n", r"a.fen, line 1: the game is over there \(stalemate\)"),
        ("a.fen", "4k3/8/8/8/8/8/4P3/4K3 w - - 100 80\n", "a.fen, line 1: the game is over there"),
        ("a.txt", f"{KINGS} | e5\n", r"line 1: move 1 \(e5\): "),
        ("a.pgn", "1. e4 e5 2. Ke3 *\n", "a.pgn.*Ke3"),
        ("a.pgn", "1. e4 e5 (1... c5 2. Nf3 *\n", "a.pgn, game 1, byte [0-9]+, line 1: .*; mend the file"),
    ],
)
def test_wrong_openings_are_answered_with_line_and_reason(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words):
        load_openings(str(tmp_path / name), Chess(), 1)


def test_a_tournament_from_set_up_positions_is_resumed(tmp_path):
    (tmp_path / "starts.fen").write_text(f"{KINGS}\n4k3/4p3/8/8/8/8/4P3/4K3 b - - 0 1\n")
    settings = {"openings": str(tmp_path / "starts.fen"), "out": tmp_path / "out"}
    tournament = Tournament("chess", ["a=random", "b=random"], games=4, workers=1, **settings)
    tournament.run()
    assert [played.record.setup for played in tournament.played][1:3] == [KINGS, "4k3/4p3/8/8/8/8/4P3/4K3 b - - 0 1"]
    agree(tournament, read_back(tmp_path / "out" / "all-games.pgn"))
    (tmp_path / "starts.fen").unlink()
    stored = Tournament.stored(tmp_path / "out")
    assert list(stored.stream()) == []
    assert stored.played == tournament.played


# --- the command line, files of settings, processes


def test_a_settings_file_may_leave_out_engines(tmp_path):
    path = tmp_path / "chess.toml"
    path.write_text(
        'game = "chess"\nif_installed = ["ghost", "fake"]\n[players]\nrandom = "random"\n'
        f'ghost = "uci:no-such-engine@nodes=5"\nfake = {f"uci:{FAKE} good@nodes=5"!r}\n'
    )
    settings = read_settings(path)
    assert settings.missing == ("ghost",)
    assert settings.players == ["random=random", f"fake=uci:{FAKE} good@nodes=5"]
    path.write_text('game = "chess"\nif_installed = ["random"]\n[players]\nrandom = "random"\n')
    with pytest.raises(ValueError, match='names \'random\', which is no player with a "gtp:", "uci:" or "usi:" spec'):
        read_settings(path)


def test_a_wrong_option_is_reported_before_anything_is_written(tmp_path):
    done = sakiyomi("tournament", "chess", "random", f"uci:{FAKE} good@Hsh=1", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("has no option 'Hsh'; did you mean 'Hash'?")
    assert not list(tmp_path.iterdir())


def engines(marker: str) -> list[int]:
    """The processes of fake engines with that in their command line."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if marker in line and "fake_uci.py" in line.split()[3]]


def wait_for(condition, seconds: float = 20.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.02)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="lists processes")
@pytest.mark.parametrize("victim", ["parent", "worker"])
def test_a_killed_tournament_leaves_no_engine(tmp_path, victim):
    log = tmp_path / "log"
    specs = [f"{name}=uci:{FAKE} hang --log {log}@nodes=1" for name in "ab"]
    words = [sys.executable, "-m", "sakiyomi.arena", "tournament", "chess", *specs, "--games", "2", "--workers", "1"]
    process = subprocess.Popen([*words, "--out", tmp_path / "out"], stdout=subprocess.DEVNULL)
    try:
        pids = wait_for(
            lambda: len(found := engines(str(log))) == 2 and log.read_text().count("\ngo ") >= 3 and found, 60
        )
        if victim == "parent":
            process.kill()
        else:
            worker = int(Path(f"/proc/{pids[0]}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(worker, signal.SIGTERM)
        wait_for(lambda: all(map(gone, pids)))
    finally:
        process.kill()
        process.wait()
        wait_for(lambda: not engines(str(log)))


# --- real engines


def pgn_extract(path: Path, games: int) -> None:
    """pgn-extract reads so many games and complains of nothing."""
    program = shutil.which("pgn-extract", path=os.pathsep.join([os.environ["PATH"], *GAME_FOLDERS]))
    if program is None:
        pytest.skip("pgn-extract is not installed")
    done = subprocess.run([program, "-o/dev/null", path], capture_output=True, text=True, timeout=60)
    said = [line for line in done.stderr.splitlines() if line and " - " not in line]
    assert said == [f"Processing {path}", f"{games} games matched out of {games}."]


@pytest.mark.engines
@pytest.mark.parametrize("game", ["chess", "chess960"])
def test_engines_play_a_tournament_that_others_can_read(tmp_path, game):
    players = ["random", "alphabeta:2", "uci:stockfish@nodes=200", "uci:stockfish@nodes=20,Skill Level=0"]
    try:
        tournament = Tournament(game, players, games=2, openings="random:2", workers=1, out=tmp_path)
    except ValueError as error:
        pytest.skip(str(error))
    table = tournament.run()
    assert table[0].name != "random"
    assert table[-1].name == "random"
    assert {played.termination for played in tournament.played} == {Termination.NORMAL}
    agree(tournament, read_back(tmp_path / "all-games.pgn"))
    pgn_extract(tmp_path / "all-games.pgn", 12)
