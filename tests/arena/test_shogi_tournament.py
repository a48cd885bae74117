"""Shogi tournaments from end to end: faults, records as CSA and KIF, handicaps and set-up positions, resuming."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import cshogi
import pytest
from cshogi import CSA, KIF

from sakiyomi.arena import Budget, Termination, Tournament
from sakiyomi.arena.schedules.openings import load_openings
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.arena.settings import read_settings
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi
from sakiyomi.sgf import load

FAKE = f"{shlex.quote(sys.executable)} -S {shlex.quote(str(Path(__file__).with_name('fake_usi.py')))}"
LADDER = [f"good=usi:{FAKE} good@nodes=1", "alphabeta:1", "random"]
REASONS = {
    "crash": (Termination.CRASH, "exited with code 1; it last said: fatal: out of ideas"),
    "segfault": (Termination.CRASH, "was killed by SIGSEGV"),
    "hang": (Termination.STALL, "gave no answer to 'go btime 0 wtime 0 byoyomi 200'"),
    "illegal": (Termination.ILLEGAL_MOVE, "illegal move 5i5e in lnsgk1snl/"),
    "none": (Termination.PROTOCOL_ERROR, "which is no move"),
    "resign": (Termination.RESIGNATION, ""),
    "win": (Termination.ILLEGAL_MOVE, "declared the entering king in "),
}
TWO_PIECE = "lnsgkgsnl/9/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1"
ENDGAME = "4k4/9/4P4/9/9/9/9/9/4K4 b G3p 1"
CLOSING = {"checkmate": "%TSUMI", "repetition": "%SENNICHITE", "move limit": "%MAX_MOVES", "declaration": "%KACHI"}
CLOSING |= {"illegal move": "%ILLEGAL_MOVE", "resignation": "%TORYO", "time forfeit": "%TIME_UP", "no moves": "%TSUMI"}
OFF_THE_BOARD = ("crash", "stall", "protocol error")  # CSA has no words for them: the result decides


def moves_of(read) -> tuple[str, ...]:
    return tuple(cshogi.move_to_usi(move) for move in read.moves)


def agree(tournament: Tournament, folder: Path) -> None:
    """What cshogi reads from the files is what was played; so is what we read."""
    records = [played.record for played in tournament.played]
    together = CSA.Parser.parse_file(str(folder / "all-games.csa"))
    assert len(together) == len(records)
    apart = [CSA.Parser.parse_file(str(path))[0] for path in sorted((folder / "games").glob("*.csa"))]
    assert [moves_of(read) for read in together] == [moves_of(read) for read in apart]
    japanese = sorted((folder / "games").glob("*.kif"))
    for record, read, kif, again in zip(records, together, japanese, load(folder / "all-games.csa"), strict=True):
        assert moves_of(read) == record.moves == again.moves == load(kif)[0].moves
        assert tuple(read.names) == record.players == load(kif)[0].players
        start = read.sfen if record.setup else None
        assert start == record.setup
        if record.setup != ENDGAME:  # cshogi reads no KIF of positions that are neither even nor a handicap
            assert moves_of(KIF.Parser.parse_file(str(kif))) == record.moves
        assert again.result == load(kif)[0].result == record.result
        if record.ending not in OFF_THE_BOARD:
            assert read.endgame == CLOSING[record.ending]
            assert again.ending in (record.ending, "checkmate")


@pytest.mark.parametrize("mode", REASONS)
def test_a_failing_engine_loses_and_the_tournament_goes_on(mode, tmp_path, monkeypatch):
    monkeypatch.setattr("sakiyomi.arena.engines.player.SILENCE", 0.2)
    termination, reason = REASONS[mode]
    players = {"bad": f"usi:{FAKE} {mode}", "good": f"usi:{FAKE} good"}
    budget = Budget(seconds=0.2) if termination is Termination.STALL else Budget()
    tournament = Tournament("shogi", players, games=2, workers=0, budget=budget, margin=20, out=tmp_path / "out")
    tournament.run()
    stored = Tournament.stored(tmp_path / "out")
    assert list(stored.stream()) == []
    assert stored.played == tournament.played
    faults = [played for played in stored.played if played.termination is not Termination.NORMAL]
    assert faults
    for played in faults:
        assert played.termination is termination
        assert played.record.score == (0.0 if played.record.players[0] == "bad" else 1.0)
        assert played.detail.startswith("bad: ") or not reason
        assert reason in played.detail
    agree(tournament, tmp_path / "out")


def test_a_ladder_has_ratings_and_records_that_others_read(tmp_path):
    tournament = Tournament("shogi", LADDER, games=4, openings="random:2", workers=1, out=tmp_path)
    table = tournament.run()
    assert table[0].name == "alphabeta:1"
    assert all(rating.games == 8 for rating in table)
    ends = {played.termination for played in tournament.played}
    assert ends <= {Termination.NORMAL, Termination.ILLEGAL_MOVE}  # what the fake engine plays may not be possible
    agree(tournament, tmp_path)
    names = sorted(path.name for path in (tmp_path / "games").iterdir())
    assert len(names) == 2 * len(tournament.played)
    assert {name.rpartition(".")[2] for name in names} == {"csa", "kif"}


def test_missing_records_are_written_again(tmp_path):
    tournament = Tournament(Shogi(max_plies=30), ["a=random", "b=random"], games=2, workers=0, out=tmp_path)
    tournament.run()
    files = sorted((tmp_path / "games").iterdir())
    before = [path.read_bytes() for path in files]
    for path in (files[0], files[3], tmp_path / "all-games.csa"):
        path.unlink()
    list(Tournament.stored(tmp_path).stream())
    assert [path.read_bytes() for path in files] == before
    agree(tournament, tmp_path)


# --- openings and first positions


@pytest.mark.parametrize(
    "opening",
    [Opening(("7g7f", "8h2b+", "P*5e")), Opening(("8c8d",), TWO_PIECE), Opening((), TWO_PIECE), Opening((), ENDGAME)],
)
def test_openings_are_told_as_a_line_and_read_back(opening):
    assert Opening.parse(opening.text) == opening


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7g7f 3c3d # static\n\n2g2f, 8c8d\n", [(("7g7f", "3c3d"), None), (("2g2f", "8c8d"), None)]),
        ("７六歩 ３四歩\n+2726FU -8384FU\n", [(("7g7f", "3c3d"), None), (("2g2f", "8c8d"), None)]),
        ("two-piece | 8c8d\ntwo-piece |\n", [(("8c8d",), TWO_PIECE), ((), TWO_PIECE)]),
        (f"{ENDGAME} |\n{ENDGAME} | 5i5h\n", [((), ENDGAME), (("5i5h",), ENDGAME)]),
    ],
)
def test_openings_from_lines(tmp_path, text, found):
    (tmp_path / "a.txt").write_text(text, "utf-8")
    assert load_openings(str(tmp_path / "a.txt"), Shogi(), 1) == tuple(Opening(*each) for each in found)


SFEN = "lnsgkgsnl/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL b - 1"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.sfen", f"# two\n{ENDGAME}\n\ntwo-piece\n", [((), ENDGAME), ((), TWO_PIECE)]),
        ("a.sfen", f"sfen {ENDGAME} moves 5i5h\nstartpos moves 7g7f\n", [(("5i5h",), ENDGAME), (("7g7f",), None)]),
        ("a.sfen:1", "startpos moves 7g7f 3c3d\nstartpos moves 7g7f 8c8d\n", [(("7g7f",), None)]),
        (
            "a.txt",
            f"startpos moves 7g7f 3c3d\nposition sfen {SFEN} moves 2g2f # a\nstartpos\n",
            [(("7g7f", "3c3d"), None), (("2g2f",), SFEN), ((), None)],
        ),
        ("a.csa", "V2.2\nPI\n+\n+7776FU\n-3334FU\n%TORYO\n", [(("7g7f", "3c3d"), None)]),
        ("a.csa:1", "V2.2\nPI\n+\n+7776FU\n-3334FU\n%TORYO\n", [(("7g7f",), None)]),
        ("a.kif", "手合割：平手\n   1 ７六歩(77)\n   2 ３四歩(33)\n   3 中断\n", [(("7g7f", "3c3d"), None)]),
    ],
)
def test_openings_from_files_of_shogi(tmp_path, name, text, found):
    path = tmp_path / name
    path.with_name(name.partition(":")[0]).write_text(text, "utf-8")
    assert load_openings(str(path), Shogi(), 1) == tuple(Opening(*each) for each in found)


def test_positions_of_another_game_are_refused(tmp_path):
    (tmp_path / "a.sfen").write_text(f"{ENDGAME}\n")
    with pytest.raises(ValueError, match="SFEN are positions of shogi, not of chess"):
        load_openings(str(tmp_path / "a.sfen"), Chess(), 1)


def test_a_settings_file_may_leave_out_engines(tmp_path):
    path = tmp_path / "shogi.toml"
    path.write_text(
        'game = "shogi"\nif_installed = ["ghost", "fake"]\n[players]\nrandom = "random"\n'
        f'ghost = "usi:no-such-engine@nodes=5"\nfake = {f"usi:{FAKE} good@nodes=5"!r}\n'
    )
    settings = read_settings(path)
    assert settings.missing == ("ghost",)
    assert settings.players == ["random=random", f"fake=usi:{FAKE} good@nodes=5"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("startpos moves 7g7f 7g7f\n", r"a.txt, line 1: move 2 \(7g7f\): illegal move 7g7f in "),
        ("sfen 4k4 b - 1 moves 7g7f\n", "a.txt, line 1: .*nine ranks"),
        ("7g7f 7g7f\n", r"a.txt, line 1: move 2 \(7g7f\): illegal move 7g7f in "),
        ("7g7f\ntwo-peice | 7g7f\n", "a.txt, line 2: .*two-peice"),
        ("4k4/4G4/4P4/9/9/9/9/9/4K4 w - 1 |\n", r"a.txt, line 1: the game is over there \(checkmate\)"),
        (f"{ENDGAME} | G*5b\n", "a.txt, line 1: the game is over after these 1 moves"),
    ],
)
def test_wrong_openings_are_answered_with_line_and_reason(tmp_path, text, words):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(ValueError, match=words):
        load_openings(str(tmp_path / "a.txt"), Shogi(), 1)


def test_a_tournament_of_handicaps_and_positions_is_resumed(tmp_path):
    (tmp_path / "starts.txt").write_text(f"two-piece |\n{ENDGAME} |\n2g2f 8c8d\n")
    settings = {"openings": str(tmp_path / "starts.txt"), "out": tmp_path / "out"}
    tournament = Tournament(Shogi(max_plies=60), ["a=random", "b=random"], games=6, workers=0, **settings)
    tournament.run()
    assert [played.record.setup for played in tournament.played][::2] == [TWO_PIECE, ENDGAME, None]
    first = Position(Shogi(), tournament.played[0].record.setup)
    assert first.turn == 1, "White, who gives the handicap, moves first"
    assert first.legal_moves().count(tournament.played[0].record.moves[0]) == 1
    agree(tournament, tmp_path / "out")
    kif = next((tmp_path / "out" / "games").glob("00001-*.kif")).read_text("cp932")
    assert "手合割：二枚落ち" in kif
    assert "下手：a" in kif
    (tmp_path / "starts.txt").unlink()
    stored = Tournament.stored(tmp_path / "out")
    assert list(stored.stream()) == []
    assert stored.played == tournament.played


# --- the command line


def sakiyomi(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sakiyomi.arena", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_wrong_option_is_reported_before_anything_is_written(tmp_path):
    done = sakiyomi("tournament", "shogi", "random", f"usi:{FAKE} good@Hsh=1", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "has no option 'Hsh'; did you mean 'USI_Hash'" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.engines
def test_the_command_line_rates_our_players_against_an_engine(tmp_path):
    if shutil.which("fairy-stockfish") is None and not Path("/usr/games/fairy-stockfish").exists():
        pytest.skip("fairy-stockfish is not installed")
    specs = ["random", "alphabeta:1", "alphabeta:3", "usi:fairy-stockfish@nodes=500"]
    done = sakiyomi("tournament", "shogi", *specs, "--games", "2", "--openings", "random:2", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    tournament = Tournament.stored(tmp_path)
    assert list(tournament.stream()) == []
    assert tournament.standings()[-1].name == "random"
    assert all(spec.removeprefix("usi:") in done.stdout for spec in specs)
    agree(tournament, tmp_path)
