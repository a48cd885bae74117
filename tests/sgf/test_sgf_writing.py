"""Records -> SGF -> records: nothing that the format can hold is lost, and no file is left half-written."""

import bz2
import gzip
import lzma
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.position import Position
from sakiyomi.sgf import Record, load, parse, record_of, save, to_sgf, writing
from sakiyomi.sgf.properties import move_texts

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\t\v\f\0"), max_size=12)
LINE = TEXT.map(lambda text: text.replace("\n", " "))


def again(record, charset=None):
    (tree,) = parse(to_sgf(record, charset))
    return record_of(tree)


@st.composite
def go_records(draw):
    width, height = draw(st.integers(1, 25)), draw(st.integers(1, 25))
    moves = tuple(draw(st.lists(st.sampled_from(move_texts(width, height)), max_size=12)))
    setup = None
    if draw(st.booleans()):
        stones = draw(st.dictionaries(st.integers(0, width * height - 1), st.sampled_from("XO"), max_size=5))
        rows = ["".join(stones.get(y * width + x, ".") for x in range(width)) for y in range(height)]
        position = Position(make_game(f"go-{width}x{height}"))
        text = f"{width}x{height} {'/'.join(rows)} {draw(st.sampled_from('bw'))}"
        text += draw(st.sampled_from(["", " prisoners 3-1", " passes 1", " handicap 2"]))
        try:
            setup = Position(position.game, text).text()
        except ValueError:  # a chain without liberties
            setup = None
        if setup == position.text():
            setup = None
    tags = draw(
        st.dictionaries(
            st.sampled_from(["komi", "rules", "date", "event", "handicap", "X", "seed", "a:b%", "result"]),
            LINE,
            max_size=5,
        )
    )
    comments = draw(st.dictionaries(st.integers(0, len(moves)), TEXT, max_size=3))
    result = draw(st.sampled_from(["*", "0", "B+R", "W+R", "B+T", "W+3.5", "B+", "B+F", "1-0", "1/2-1/2"]))
    ending = draw(st.sampled_from(["", "two passes", "resignation", "time", "illegal move", "no result"]))
    return Record(f"go-{width}x{height}", moves, setup, result, ending, (draw(LINE), draw(LINE)), tags, comments)


@settings(max_examples=150, deadline=None)
@given(go_records())
def test_any_go_record_survives_the_round_trip(record):
    read = again(record)
    assert read == record
    assert again(read) == record
    assert again(replace(read, tree=None)) == record


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["tictactoe", "connect4", "othello", "othello-6x6", "chess"]),
    st.lists(LINE.filter(str.strip), max_size=8),
    TEXT,
    LINE,
)
def test_records_of_other_games_survive_the_round_trip(game, moves, comment, name):
    record = Record(
        game, tuple(moves), None, "0-1", "illegal move", (name, "b"), {"event": name}, {len(moves): comment}
    )
    assert again(record) == record


@pytest.mark.parametrize("game", ["tictactoe", "connect4", "othello", "othello-6x6"])
def test_a_played_game_of_each_kind_replays_after_the_round_trip(game):
    position = Position(make_game(game))
    moves = []
    while position.outcome() is None:
        moves.append(position.legal_moves()[-1])
        position.play(moves[-1])
    read = again(Record(game, tuple(moves), None, "1-0"))
    *_, last = read.positions()
    assert last == position


def test_othello_has_its_number_and_others_have_none():
    assert b"GM[2]" in to_sgf(Record("othello", ("d3",)))
    assert b"SZ[6]" in to_sgf(Record("othello-6x6", ("d3",)))
    assert b"GM[0]GAME[connect4]" in to_sgf(Record("connect4", ("d",))).replace(b"CA[UTF-8]AP[Sakiyomi]", b"")


def test_a_tree_is_kept_with_what_no_field_holds():
    text = "(;FF[3]GM[1]SZ[9]PB[a]LB[aa:x]XY[1][2];B[ee]BL[12.5](;W[gc];B[gg])(;W[cg]N[other]C[why\\]]))\n"
    (tree,) = parse(text.encode())
    assert to_sgf(record_of(tree)).decode().replace("\n", "") == text.replace("\n", "")


def test_changed_fields_change_the_tree_and_nothing_else():
    (tree,) = parse(b"(;SZ[9]PB[a]PW[b]RE[?]EV[e]GN[g];B[ee](;W[gc])(;W[cg]))")
    record = record_of(tree)
    tags = {"event": "cup", "round": "1", "my own": "x"}
    changed = replace(record, players=("new", ""), result="B+R", ending="resignation", tags=tags)
    read = again(changed)
    assert read == changed
    assert len(read.tree) == 4
    assert b"GN" not in to_sgf(changed)
    other = replace(record, moves=("A1",))
    assert again(other) == other
    assert len(again(other).tree) == 2


def test_several_records_in_one_file(tmp_path):
    records = [Record("go-9x9", ("E5",)), Record("tictactoe", ("a1",)), Record("go-9x13", ())]
    save(iter(records), tmp_path / "all.sgf")
    assert load(tmp_path / "all.sgf") == records
    assert (tmp_path / "all.sgf").read_bytes().endswith(b")\n")
    save(records[0], tmp_path / "one.sgf")
    assert load(tmp_path / "one.sgf") == records[:1]


@pytest.mark.parametrize(
    ("suffix", "unpack"), [(".gz", gzip.decompress), (".xz", lzma.decompress), (".bz2", bz2.decompress)]
)
def test_compressed_files(tmp_path, suffix, unpack):
    path = tmp_path / f"game.sgf{suffix}"
    save(Record("go-9x9", ("E5",)), path)
    assert unpack(path.read_bytes()) == to_sgf(Record("go-9x9", ("E5",)))
    assert load(path) == [Record("go-9x9", ("E5",))]


def test_the_charset_of_a_file_is_kept_unless_another_is_asked_for():
    japanese = "(;CA[Shift_JIS]SZ[9]PB[表ソ能];B[ee])".encode("cp932")
    (tree,) = parse(japanese)
    record = record_of(tree)
    assert b"CA[Shift_JIS]" in to_sgf(record)
    assert "表ソ能".encode("cp932") in to_sgf(record)
    assert "表ソ能".encode() in to_sgf(record, "UTF-8")
    assert record_of(parse(to_sgf(record))[0]) == record
    # What the charset has not goes into UTF-8; two charsets, too.
    korean = replace(record, players=("바둑", ""))
    assert "바둑".encode() in to_sgf(korean)
    assert again(korean) == korean
    (chinese,) = parse("(;CA[GB18030]PB[围棋])".encode("gb18030"))
    assert "围棋".encode() in to_sgf([record, record_of(chinese)])
    with pytest.raises(ValueError, match="Shift_JIS has no character"):
        to_sgf(korean, "Shift_JIS")
    with pytest.raises(ValueError, match="unknown charset 'x'"):
        to_sgf(Record("go-9x9"), "x")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record("go-9x9", ("Z1",)), "no point of a 9x9 board"),
        (Record("go-9x9", (), "nonsense"), "not a Go position"),
        (Record("go-9x9", (), "5x5 5/5/5/5/5 b"), "no position of go-9x9"),
        (Record("go-9x9", comments={3: "x"}), "plies 0 to 0"),
        (Record("go-30x30", ("A1",)), "up to 25x25"),
        (Record("go-9x9x9"), "a record of Go is wanted"),
        (Record("sgf-gm11", ("a1",)), "properties only"),
        (Record("No Game"), "cannot hold a record of 'No Game'"),
    ],
)
def test_what_sgf_cannot_hold_is_refused(tmp_path, record, reason):
    path = tmp_path / "game.sgf"
    with pytest.raises(ValueError, match=reason):
        save(record, path)
    assert list(tmp_path.iterdir()) == []


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match="CSA holds shogi, not go-9x9; write SGF"):
        save(Record("go-9x9"), tmp_path / "game.csa.gz")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "game.sgf"
    save(Record("go-9x9", ("E5",)), path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        save(Record("go-9x9", ("A1",)), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["game.sgf"]
