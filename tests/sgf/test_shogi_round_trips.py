"""Records of shogi -> CSA, KIF, KI2, USI -> records: nothing is lost that the format can hold, and cshogi reads it."""

import re
from dataclasses import replace

import cshogi
import cshogi.CSA
import cshogi.KIF
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_shogi import made_record, made_records, moves_of

from sakiyomi.sgf import (
    BadRecord,
    Record,
    load,
    move_times,
    read_csa,
    read_kif,
    read_usi,
    save,
    to_csa,
    to_ki2,
    to_kif,
    to_usi,
)
from sakiyomi.sgf.formats import shogi_format

COUNT = 100  # of games, in which every setup, ending and kind of comment comes up
FORMATS = {"csa": (to_csa, read_csa), "kif": (to_kif, read_kif), "ki2": (to_ki2, read_kif)}
WINNER = {cshogi.BLACK_WIN: "1-0", cshogi.WHITE_WIN: "0-1", cshogi.DRAW: "1/2-1/2", None: "*"}


@pytest.mark.parametrize("form", FORMATS)
def test_every_record_survives(form):
    write, read = FORMATS[form]
    for record in made_records(COUNT):
        data = write(record)
        (back,) = read(data)
        assert back == record
        assert back.tree.faults == []
        assert shogi_format(data) == ("csa" if form == "csa" else "kif")
        (again,) = read(write(replace(back, tree=None)))
        assert again == record


@pytest.mark.parametrize("form", FORMATS)
def test_many_games_in_one_file(form):
    write, read = FORMATS[form]
    records = made_records(COUNT)
    back = read(write(records))
    assert back == records
    assert [record.tree.number for record in back] == list(range(1, COUNT + 1))


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    comments=st.dictionaries(st.integers(0, 5), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
    name=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=12),
    value=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12),
)
def test_any_text_survives(form, seed, comments, name, value):
    write, read = FORMATS[form]
    moves = moves_of(None, seed % 5, 8)
    said = {ply: text.replace("\r", " ").strip("\n") for ply, text in sorted(comments.items())}
    said = {ply: text for ply, text in said.items() if text}
    record = Record("shogi", moves, None, "*", "", (name, value), {"own " + (name or "tag"): value}, said)
    assert read(write(record)) == [record]


def test_usi_keeps_setup_and_moves():
    records = made_records(COUNT)
    back = read_usi(to_usi(records))
    assert [(r.setup, r.moves) for r in back] == [(r.setup, r.moves) for r in records]
    assert to_usi(Record("shogi", ("7g7f", "3c3d"))) == b"position startpos moves 7g7f 3c3d\n"


@pytest.mark.parametrize("charset", ["Shift_JIS", "cp932", "UTF-8", "EUC-JP"])
@pytest.mark.parametrize("form", FORMATS)
def test_charsets(form, charset):
    write, read = FORMATS[form]
    record = replace(made_record(3), players=("先手①", "後手髙") if charset in ("cp932", "UTF-8") else ("先手", "後手"))
    (back,) = read(write(record, charset))
    assert back == record
    assert back.tree.charset == ("Shift_JIS" if charset == "cp932" else charset)


@pytest.mark.parametrize("form", FORMATS)
def test_a_byte_order_mark_is_skipped(form):
    write, read = FORMATS[form]
    (back,) = read(b"\xef\xbb\xbf" + write(made_record(3)))
    assert back == made_record(3)
    assert back.tree.charset == "UTF-8"


def test_files_tell_their_format_and_take_the_usual_charset(tmp_path):
    record = replace(made_record(3), players=("先手", "後手"))
    for ending, charset in {"csa": "utf-8", "kif": "cp932", "kifu": "utf-8", "ki2": "cp932", "csa.gz": ""}.items():
        path = tmp_path / f"game.{ending}"
        save([record, record], path)
        assert load(path) == [record, record]
        if charset:
            assert "先手" in path.read_bytes().decode(charset)
    save(replace(record, players=("先手", "Günther")), tmp_path / "other.kif")  # which Shift_JIS lacks
    assert "Günther" in (tmp_path / "other.kif").read_text()
    with pytest.raises(ValueError, match="the charset Shift_JIS lacks a character of the records"):
        save(replace(record, players=("先手", "Günther")), tmp_path / "other.kif", "Shift_JIS")


def test_times_survive():
    comments = {ply: f"[%emt 0:01:{ply:02}]" for ply in range(1, 9)}
    record = Record("shogi", moves_of(None, 1, 8), comments=comments, result="1-0", ending="time forfeit")
    wanted = [60.0 + ply for ply in range(1, 9)]
    assert move_times(record) == wanted
    for write, read in (FORMATS["csa"], FORMATS["kif"]):
        (back,) = read(write(replace(record)))
        assert list(back.tree.times[:8]) == wanted
        assert move_times(replace(back, comments={})) == wanted
        (again,) = read(write(replace(back, comments={})))
        assert move_times(again) == wanted


def test_parts_of_seconds_make_it_version_3():
    record = Record("shogi", moves_of(None, 1, 2), comments={1: "[%emt 0:00:01.25]", 2: "[%emt 0:00:02]"})
    data = to_csa(record)
    assert b"\nV3.0\n" in data
    assert b"\nT1.25\n" in data
    assert read_csa(data)[0].tree.times == (1.25, 2.0)
    assert b"\nV2.2\n" in to_csa(made_record(0))


def test_what_was_read_is_written_as_it_was_unless_it_was_changed():
    text = "'CSA encoding=UTF-8\nV2.2\nN+a\nPI\n+\n+7776FU,T1\n'no star\n-3334FU\n%TORYO\n"
    (record,) = read_csa(text.encode())
    assert to_csa(record).decode() == text
    changed = to_csa(replace(record, players=("b", ""))).decode()
    assert "N+b\n" in changed
    assert "+7776FU\nT1\n'*no star\n" in changed


def test_cshogi_reads_our_csa():
    records = made_records(COUNT)
    games = cshogi.CSA.Parser.parse_str(to_csa(records).decode())
    assert len(games) == COUNT
    for record, game in zip(records, games, strict=True):
        assert tuple(cshogi.move_to_usi(move) for move in game.moves) == record.moves
        assert tuple(name or "" for name in game.names) == record.players
        if record.setup:
            theirs, board = game.sfen.split(), record.setup.split()
            assert theirs[:2] == board[:2]
            assert sorted(re.findall(r"\d*\D", theirs[2])) == sorted(re.findall(r"\d*\D", board[2]))
        if record.result != "*":  # cshogi takes a game that is not over for a draw
            assert WINNER[game.win] == record.result


def test_cshogi_reads_our_kif():
    read = 0
    for record in made_records(COUNT):
        try:
            game = cshogi.KIF.Parser.parse_str(to_kif(record).decode())
        except (KeyError, cshogi.KIF.ParserException):
            assert record.setup is not None  # a diagram, or a handicap that it does not know
            continue
        read += 1
        assert tuple(cshogi.move_to_usi(move) for move in game.moves) == record.moves
        if record.result in ("1-0", "0-1"):
            assert WINNER[game.win] == record.result
    assert read > COUNT // 2 - 5


def test_we_read_what_cshogi_writes(tmp_path):
    moves = moves_of(None, 7, 50)
    board, numbers = cshogi.Board(), []
    for text in moves:
        numbers.append(board.move_from_usi(text))
        board.push(numbers[-1])
    csa, kif = cshogi.CSA.Exporter(str(tmp_path / "a.csa")), cshogi.KIF.Exporter(str(tmp_path / "a.kif"))
    csa.info(names=["first", "second"], version="V2.2")
    kif.header(["first", "second"])
    for number in numbers:
        csa.move(number, 3, "*35 +7776FU")
        kif.move(number, 3, 3)
    csa.endgame("%TORYO", 4)
    kif.end("resign")
    csa.close()
    kif.close()
    for path in (tmp_path / "a.csa", tmp_path / "a.kif"):
        (record,) = load(path)
        assert (record.moves, record.players, record.ending) == (moves, ("first", "second"), "resignation")
        assert record.tree.times[:50] == (3.0,) * 50
    assert load(tmp_path / "a.csa")[0].comments[1] == "35 +7776FU"


@pytest.mark.parametrize("write", [to_csa, to_kif, to_ki2, to_usi])
@pytest.mark.parametrize(
    ("record", "why"),
    [
        (Record("chess", ("e2e4",)), "game 1: .* holds shogi, not chess"),
        (Record("shogi", ("7g7f", "7g7f")), "game 1: .* move 2: 7g7f in .*: White has no piece on 7g"),
        (Record("shogi", comments={3: "x"}), "game 1: comment at ply 3, but the record has plies 0 to 0"),
        (Record("shogi", ("7g7x",)), "'7g7x' is no move: USI such as 7g7f"),
        (Record("shogi", setup="nonsense"), "'nonsense' is no shogi position"),
    ],
)
def test_what_cannot_be_written_is_refused(write, record, why):
    with pytest.raises(ValueError, match=why):
        write(record)


@pytest.mark.parametrize("write", [to_csa, to_kif, to_ki2])
def test_results_of_go_are_refused(write):
    with pytest.raises(ValueError, match=r"has the results 1-0, 0-1, 1/2-1/2, \*, not 'B\+3.5'"):
        write(Record("shogi", result="B+3.5"))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, COUNT - 1), form=st.sampled_from(sorted(FORMATS)), data=st.data())
def test_damaged_files_give_records_or_reasons(seed, form, data):
    write, read = FORMATS[form]
    text = bytearray(write(made_record(seed)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text[at : at + data.draw(st.integers(0, 20))] = data.draw(
            st.sampled_from([b"", b"\n", b"+", b"/\n", b"%CHUDAN\n", b"999999", b"\xff", "同　歩(76)".encode()])
        )
    for found in read(bytes(text), "name"):
        if isinstance(found, BadRecord):
            assert str(found).startswith("name: game ")
        else:
            assert read(write(replace(found, tree=None))) == [replace(found, tree=None)]
