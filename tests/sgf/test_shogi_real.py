"""Real shogi records: the same moves, results and endings as cshogi and python-shogi, each difference known by name."""

import tarfile
from collections import Counter
from dataclasses import replace
from functools import cache

import cshogi
import cshogi.CSA
import cshogi.KI2
import cshogi.KIF
import numpy as np
import pytest

from sakiyomi.boards import Shogi
from sakiyomi.sgf import (
    BadRecord,
    Collection,
    Fault,
    load,
    move_times,
    read_csa,
    read_kif,
    to_csa,
    to_ki2,
    to_kif,
    to_training,
)
from sakiyomi.sgf.ki2 import tokens

GAMES = {
    "wcsc28-csa": 262,
    "iwate-kif": 591,
    "ryuou-ki2": 360,
    "mog-kif-ki2-csa": 15,
    "bioshogi-openings-kif-ki2": 252,
}
WINNER = {cshogi.BLACK_WIN: "1-0", cshogi.WHITE_WIN: "0-1", cshogi.DRAW: "1/2-1/2", None: "*"}
WRITE = {"csa": to_csa, "kif": to_kif, "ki2": to_ki2}
READ = {"csa": read_csa, "kif": read_kif, "ki2": read_kif}
STARRED = {  # what cshogi makes of files; why, see docs/shogi-records.md
    "mog-0003.ki2": "moves",  # ▽ for White
    "mog-0006.kif": "",
    "mog-0008.kif": "moves",  # variations run on from the main line
    "mog-0009.kif": "moves",
    "mog-0014.kif": "error",  # a hand with an ASCII space
    "iwate-0214.kif": "moves",
    "iwate-0153.kif": "moves",  # a diagram is not read
    "opening-0248.kif": "error",  # two spaces behind 同
}


@cache
def archive(folder, name):
    """The records of an archive by the names of their files, each with its text."""
    found = {}
    with tarfile.open(folder / f"{name}.tar.xz") as tar:
        for member in tar:
            if member.name.endswith((".csa", ".kif", ".ki2")):
                (record,) = READ[member.name[-3:]](tar.extractfile(member).read(), member.name)
                assert not isinstance(record, BadRecord), record
                found[member.name.rpartition("/")[2]] = record
    return found


@pytest.mark.parametrize("name", GAMES)
def test_every_game_is_read_and_is_legal(records, name):
    found = archive(records / "shogi", name)
    assert len(found) == GAMES[name]
    kept = [record.tree.faults[0].fault for record in found.values() if record.tree.faults]
    assert kept == ([Fault.UNKNOWN_LINE] if name == "mog-kif-ki2-csa" else [])


def moves_of_cshogi(record):
    """What cshogi reads of a record's text, and who has won; None where it fails."""
    text, form = record.tree.text, record.tree.format
    try:
        if form == "csa":
            game = cshogi.CSA.Parser.parse_str(text)[0]
        else:
            game = {"kif": cshogi.KIF, "ki2": cshogi.KI2}[form].Parser.parse_str(text)
    except (ValueError, IndexError, AssertionError, KeyError, cshogi.KIF.ParserException):
        return None, None
    return tuple(cshogi.move_to_usi(move) for move in game.moves), WINNER[game.win]


@pytest.mark.parametrize("name", ["wcsc28-csa", "iwate-kif", "mog-kif-ki2-csa", "bioshogi-openings-kif-ki2"])
def test_moves_and_results_are_those_of_cshogi(records, name):
    results = Counter()
    for file, record in archive(records / "shogi", name).items():
        moves, result = moves_of_cshogi(record)
        if file in ("mog-0002.ki2", "mog-0004.ki2"):
            continue  # its reader of KI2 loses its place in lines of three moves
        if moves != record.moves:
            assert STARRED[file] == ("error" if moves is None else "moves")
            continue
        if result != record.result:
            results[record.result, record.ending, result] += 1
    # cshogi takes the result of KIF from its last line alone, and an interrupted game of CSA for a draw.
    known = {("*", "interrupted", "1/2-1/2")}
    known |= {(won, ending, "*") for won in ("1-0", "0-1") for ending in ("resignation", "checkmate", "time forfeit")}
    assert set(results) <= known
    assert sum(results.values()) <= 12


def test_ki2_is_read_as_cshogi_reads_it_move_by_move(records):
    """Its reader fails on whole lines, and takes a drop for one of the pieces that 右, 左 or 引 tells apart."""
    agree = 0
    for record in archive(records / "shogi", "ryuou-ki2").values():
        board, read = cshogi.Board(), []
        lines = (line for line in record.tree.text.split("\n") if line[:1] in ("▲", "△"))
        for token in (token for line in lines for token in tokens(line)):
            (number,) = cshogi.KI2.Parser.parse_move_str(token, board)
            read.append(cshogi.move_to_usi(number))
            if read[-1] != record.moves[len(read) - 1]:
                assert "*" in read[-1]
                assert token[-1] in "右左引"
                break
        else:
            assert tuple(read) == record.moves
            agree += 1
    assert agree == 349


def test_derived_usi_lines_have_the_same_games(records):
    lines = {record.moves for record in load(records / "shogi" / "wcsc28-derived.usi")}
    assert lines == {record.moves for record in archive(records / "shogi", "wcsc28-csa").values()}


def test_python_shogi_reads_the_same_moves(records):
    theirs = pytest.importorskip("shogi.KIF")
    for name, form in {"iwate-kif": "kif", "bioshogi-openings-kif-ki2": "kif"}.items():
        for file, record in archive(records / "shogi", name).items():
            if record.tree.format == form and file != "iwate-0214.kif":
                assert tuple(theirs.Parser.parse_str(record.tree.text)[0]["moves"]) == record.moves


@pytest.mark.parametrize("name", GAMES)
def test_round_trips(records, name):
    """As it was; from the fields, variations too; and into the other formats."""
    some = list(archive(records / "shogi", name).values())[:: 1 if name.startswith("mog") else 12]
    for record in some:
        form = record.tree.format
        assert READ[form](WRITE[form](record))[0] == record
        for other, write in WRITE.items():
            (back,) = READ[other](write(replace(record, tree=record.tree.main_line())))
            assert back == record
            if other != "ki2":
                whole = [spent if spent is None else int(spent) for spent in move_times(record)]
                assert [spent if spent is None else int(spent) for spent in move_times(back)] == whole
        if form != "csa":
            (back,) = READ[form](WRITE[form](replace(record, tags={**record.tags, "new": "tag"})))
            assert [(v.ply, v.moves) for v in back.tree.variations] == [
                (v.ply, v.moves) for v in record.tree.variations
            ]


def test_games_that_a_foul_ended(records):
    """Each ends before its foul, where cshogi and python-shogi keep it as a move; one has odd empty squares."""
    found = {
        path.name: load(path)[0] for path in sorted((records / "shogi" / "bad").glob("*.*")) if path.suffix != ".tsv"
    }
    fouls = {name: record for name, record in found.items() if name != "mog-07.csa"}
    for record in fouls.values():
        assert record.ending == "illegal move"
        assert [fault.fault for fault in record.tree.faults] == [Fault.ILLEGAL_END]
    rules = Counter(record.tree.faults[0].detail.rpartition(": ")[2].split(" ", 1)[1] for record in fouls.values())
    assert sum("pawn on file" in rule for rule in rules) == 3
    assert found["mog-07.csa"].setup is None
    assert found["mog-07.csa"].ending == "impasse"


def test_training_takes_all_positions(records):
    games = Collection(records / "shogi" / "wcsc28-csa.tar.xz")
    training = to_training(games, Shogi(), batch=512)
    observations, actions, results = next(iter(training))
    assert observations.shape == (512, 362, 9, 9)
    assert set(np.unique(results)) <= {-1.0, 0.0, 1.0}
    record = next(iter(games))
    first, *_ = record.positions()
    assert Shogi().move_text(first.state, int(record.tree.actions[0])) == record.moves[0]
    assert actions.dtype == np.int32
