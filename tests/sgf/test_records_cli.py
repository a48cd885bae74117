"""`sakiyomi records`: what it prints, its exit codes, and that nothing is half-written."""

import json

import pytest
from typer.testing import CliRunner

from sakiyomi.arena.cli_records import app
from sakiyomi.sgf import load

SOUND = "(;SZ[9]PB[a]PW[b]RE[B+R]DT[2020-01-01];B[ee];W[gc](;B[gg])(;B[cc]))"
CASES = {"sound.sgf": SOUND, "odd.sgf": "(;SZ[9]RE[Black wins];B[EE])"}


@pytest.fixture
def games(tmp_path):
    folder = tmp_path / "games"
    folder.mkdir()
    for name, text in CASES.items():
        (folder / name).write_text(text)
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_check_of_sound_games(games):
    done = run("check", games)
    assert done.exit_code == 0
    assert "2 sound games, 0 failures" in done.stdout
    assert "a result that is not written as FF[4] says" in done.stdout


def test_check_names_what_is_faulty(games):
    (games / "illegal.sgf").write_text("(;SZ[9];B[ee]\n;W[ee])")
    (games / "page.sgf").write_text("<html>\x1b[31m</html>")
    done = run("check", games)
    assert done.exit_code == 1
    assert "illegal.sgf: game 1, byte 17, line 2: move 2: W E5: the point is occupied" in done.stdout
    assert "page.sgf: no SGF game in it" in done.stdout
    assert "\x1b" not in done.stdout
    assert run("check", games, "--no-replay").stdout.count("illegal.sgf") == 0
    assert "odd.sgf" in run("check", games, "--strict").stdout


def test_check_as_json(games):
    (games / "bad.sgf").write_text("(;SZ[9];B[zz])")
    done = run("check", games, "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (found["files"], found["games"]) == (3, 2)
    (bad,) = found["failures"]
    assert (bad["game"], bad["byte"], bad["line"]) == (1, 10, 1)
    assert found["tolerated"] == {"ODD_POINT": 1, "ODD_RESULT": 1}


def test_stats(games):
    counted = json.loads(run("stats", games, "--json").stdout)
    assert counted["games"] == 2
    assert counted["moves"] == 4
    assert counted["games with variations"] == 1
    assert counted["game"] == {"go-9x9": 2}
    assert counted["result"] == {"unknown": 1, "black wins": 1} or counted["result"] == {"black wins": 2}
    shown = run("stats", games)
    assert shown.exit_code == 0
    assert "go-9x9 2" in shown.stdout


def test_convert_to_one_file(games, tmp_path):
    out = tmp_path / "all.sgf"
    done = run("convert", games, "--out", out)
    assert done.exit_code == 0
    assert "2 games written" in done.stdout
    records = load(out)
    assert [record.moves for record in records] == [("E5",), ("E5", "G7", "G3")]
    assert len(records[1].tree) == 5
    run("convert", games, "--out", out, "--main-line")
    assert len(load(out)[1].tree) == 4


def test_convert_to_json_lines(games, tmp_path):
    out = tmp_path / "all.jsonl"
    assert run("convert", games, "--out", out).exit_code == 0
    first, second = map(json.loads, out.read_text().splitlines())
    assert first["moves"] == ["E5"]
    assert second["players"] == ["a", "b"]
    assert second["tags"] == {"date": "2020-01-01"}


def test_convert_leaves_out_what_cannot_be_read_and_says_so(games, tmp_path):
    (games / "bad.sgf").write_text("(;SZ[9];B[zz])")
    done = run("convert", games, "--out", tmp_path / "all.sgf")
    assert done.exit_code == 1
    assert len(load(tmp_path / "all.sgf")) == 2
    assert "left out:" in done.output
    assert "bad.sgf" in done.output


def test_convert_refuses_what_it_cannot_write(games, tmp_path):
    for arguments, reason in (
        (["--out", tmp_path / "all.txt"], "must end in one of .sgf, .pgn"),
        (["--out", tmp_path / "all.pgn"], "odd.sgf, game 1: PGN holds chess and chess960, not go-9x9"),
        (["--out", tmp_path / "all.sgf", "--charset", "klingon"], "unknown charset"),
    ):
        done = run("convert", games, *arguments)
        assert isinstance(done.exception, ValueError)
        assert reason in str(done.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["games"]


@pytest.mark.parametrize("command", ["check", "stats"])
def test_a_missing_path_and_an_empty_folder_are_errors(command, tmp_path):
    assert isinstance(run(command, tmp_path / "missing").exception, FileNotFoundError)
    done = run(command, tmp_path)
    assert isinstance(done.exception, ValueError)
    assert "no record files in" in str(done.exception)


@pytest.mark.parametrize("command", ["check", "convert", "stats"])
def test_help_teaches_with_an_example(command):
    done = run(command, "--help")
    assert done.exit_code == 0
    assert f"Example: sakiyomi records {command} " in done.stdout


PGN = """[Event "cup"]
[Date "2021.03.04"]
[White "Kuro"]
[Black "Shiro"]
[Result "0-1"]
[WhiteElo "2450"]
[ECO "A00"]

1. f3 e5 2. g4 (2. e4 Nf6) Qh4# 0-1

1. e4 e5 2. Kf6 *
"""


@pytest.fixture
def mixed(games):
    (games / "chess.pgn").write_text(PGN)
    return games


def test_check_of_a_mixed_folder(mixed):
    done = run("check", mixed)
    assert done.exit_code == 1
    assert "3 sound games, 1 failures" in done.stdout
    assert "chess.pgn: game 2, byte 160, line 11: move 3: illegal move Kf6 in rnbqkbnr/pppp1ppp/8/4p3/" in done.stdout


def test_stats_of_a_mixed_folder(mixed):
    counted = json.loads(run("stats", mixed, "--json").stdout)
    assert counted["game"] == {"go-9x9": 2, "chess": 1}
    assert counted["result"] == {"black wins": 3} or counted["result"] == {"black wins": 2, "unknown": 1}
    assert counted["how"]["checkmate"] == 1
    assert counted["ECO"] == {"A00": 1}
    assert counted["rating"] == {"2400-2599": 1, "unknown": 1}
    assert counted["year"]["2021"] == 1
    assert counted["handicap"] == {"0": 2}
    assert counted["games with variations"] == 2
    chess_only = json.loads(run("stats", mixed / "chess.pgn", "--json").stdout)
    assert "handicap" not in chess_only
    assert chess_only["failures"] == 1


def test_convert_to_pgn(mixed, tmp_path):
    out = tmp_path / "all.pgn.gz"
    done = run("convert", mixed / "chess.pgn", "--out", out)
    assert done.exit_code == 1
    assert "1 games written" in done.stdout
    (record,) = load(out)
    assert record.tree.has_variations
    run("convert", mixed / "chess.pgn", "--out", out, "--main-line")
    assert load(out) == [record]
    assert not load(out)[0].tree.has_variations


def test_convert_between_formats(mixed, tmp_path):
    (mixed / "chess.pgn").write_text(PGN.partition("1. e4")[0])
    assert run("convert", mixed, "--out", tmp_path / "all.sgf").exit_code == 0
    records = load(tmp_path / "all.sgf")
    assert [record.game for record in records] == ["chess", "go-9x9", "go-9x9"]
    assert records[0].ending == "checkmate"
    assert records[0].tags == {"event": "cup", "date": "2021-03-04", "WhiteElo": "2450", "ECO": "A00"}
