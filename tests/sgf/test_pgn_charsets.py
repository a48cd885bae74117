"""PGN in every charset: which it is, NUL bytes, and the signs of chess that are not ASCII."""

import io
import lzma

import pytest

from sakiyomi.sgf import BadRecord, Collection, Fault, Record, clocks, read_pgn, to_pgn
from sakiyomi.sgf.archive import Source
from sakiyomi.sgf.pgn import stream_pgn

WIDE = ["utf-16", "utf-16-le", "utf-16-be", "utf-32"]
NAMES = ("Müller 💎", "Šahović")
TWO_GAMES = f"""[White "{NAMES[0]}"]\r
[Result "1-0"]\r
\r
1. e4 {{“so”}} e5 2. ♘f3 1-0\r
\r
[White "{NAMES[1]}"]\r
\r
1. e4 e5 2. Ke3 *\r
\r
1. d4 *\r
"""


def one(text):
    (record,) = read_pgn(text if isinstance(text, bytes) else text.encode())
    assert not isinstance(record, BadRecord), record
    return record


def test_charsets_are_told_game_by_game():
    names = [("Đặng", "utf-8"), ("Muñoz", "cp1252"), ("Иванов против Петрова", "utf-8")]
    data = b"\n\n".join(f'[White "{name}"]\n\n1. e4 {{{name}}} *'.encode(codec) for name, codec in names)
    records = read_pgn(data)
    assert [record.players[0] for record in records] == [name for name, _ in names]
    assert [record.comments[1] for record in records] == [name for name, _ in names]
    assert [record.tree.charset for record in records] == ["UTF-8", "windows-1252", "UTF-8"]
    cyrillic = one('[White "Каспаров, Гарри"]\n[Black "Карпов, Анатолий"]\n\n1. e4 *'.encode("cp1251"))
    assert cyrillic.players == ("Каспаров, Гарри", "Карпов, Анатолий")


@pytest.mark.parametrize("name", ["L’Ami", "– so", "“quoted” by", "Nuñez ½", "±0.5 é"])
def test_a_few_western_signs_are_not_taken_for_chinese(name):
    record = one(f'[White "x {name} y"]\n\n1. e4 {{[{name}[%clk 0:00:01]}} *'.encode("cp1252"))
    assert (record.players[0], record.tree.charset) == (f"x {name} y", "windows-1252")
    assert clocks(record) == [1.0]


@pytest.mark.parametrize(
    ("codec", "name"), [("gb18030", "中国象棋"), ("cp932", "将棋の先手"), ("big5", "中國棋院"), ("euc_kr", "한국기원")]
)
def test_other_scripts_are_told(codec, name):
    assert one(f'[White "{name}"]\n\n1. e4 *'.encode(codec)).players[0] == name


def encoded(codec):
    """With a byte order mark where the codec has one."""
    return TWO_GAMES.encode(codec)


@pytest.mark.parametrize("codec", WIDE)
def test_utf16_and_utf32_are_read_as_utf8(codec):
    first, bad, last = read_pgn(encoded(codec), "x.pgn")
    assert (first.players[0], first.comments, first.moves) == (NAMES[0], {1: "“so”"}, ("e2e4", "e7e5", "g1f3"))
    assert [(found.fault, found.detail) for found in first.tree.faults] == [(Fault.NOT_UTF8, codec[:6].upper())]
    assert (bad.line, bad.game) == (8, 2)
    assert (last.moves, last.tree.line) == (("d2d4",), 10)
    assert read_pgn(to_pgn([first, last])) == [first, last]


@pytest.mark.parametrize("codec", WIDE)
@pytest.mark.parametrize("chunk", [1, 3, 50, 1 << 20])
def test_utf16_and_utf32_are_streamed(codec, chunk):
    data = encoded(codec)
    parts = list(stream_pgn(Source("x.pgn", io.BytesIO(data), -1), 1 << 20, chunk))
    assert [str(found) for found in parts] == [str(found) for found in read_pgn(data, "x.pgn")]


@pytest.mark.parametrize("codec", WIDE)
def test_a_collection_tells_wide_text_from_its_bytes(codec, tmp_path):
    path = tmp_path / "games.pgn.xz"
    path.write_bytes(lzma.compress(encoded(codec) * (1 if codec == "utf-16" else 50)))
    collection = Collection(path)
    assert {record.moves for record in collection} == {("e2e4", "e7e5", "g1f3"), ("d2d4",)}
    assert len(collection.failures) == collection.games // 2
    assert list(Collection(path, strict=True)) == []


def test_wide_text_that_is_cut_anywhere():
    data = encoded("utf-16")
    for stop in range(2, len(data), 7):
        found = list(stream_pgn(Source("x", io.BytesIO(data[:stop]), -1), 1 << 20, 64))
        assert len(found) <= 3


def test_bytes_of_zero_are_spaces():
    record = one(b'[White "a\0b"]\n\n1. e4 {c\0d}\0e5\0\0*')
    assert (record.players[0], record.comments, record.moves) == ("a b", {1: "c d"}, ("e2e4", "e7e5"))
    assert b"\0" not in to_pgn(record)
    assert one(to_pgn(record)) == record
    made = Record("chess", ("e2e4",), None, "*", "", ("a\0b", ""), {}, {1: "c\0d"})
    assert one(to_pgn(made)).comments == {1: "c d"}


def test_stray_bytes_between_moves_do_not_become_letters():
    record = one(b"1. e4 {\xe9t\xe9} \xe2e5 2.\x9cNf3 d5 3. e4\xd7d5 *")
    assert record.moves == ("e2e4", "e7e5", "g1f3", "d7d5", "e4d5")
    assert "{été}" in to_pgn(record).decode()
    assert one(to_pgn(record)) == record


@pytest.mark.parametrize("dash", ["-", "‐", "‑", "–", "—", "−"])
def test_castling_with_any_dash(dash):
    record = one("1. Nf3 Nf6 2. g3 g6 3. Bg2 Bg7 4. O-O 0-0 5. d3 Nc6 *".replace("-", dash))
    assert record.moves[6:] == ("e1g1", "e8g8", "d2d3", "b8c6")


@pytest.mark.parametrize("sign", ["=♕", "♕", "(♕)", "/♛", "♛+", "=♛!?"])
def test_promotion_to_a_figurine(sign):
    assert one(f'[FEN "7k/P7/8/8/8/8/8/K7 w - - 0 1"]\n\n1. a8{sign} Kg7 *').moves == ("a7a8q", "h8g7")


@pytest.mark.parametrize("fen", ["", " ", "?"])
def test_an_empty_fen_tag_is_the_usual_start(fen):
    for variant, name in (("", "chess"), ('[Variant "Chess960"]\n', "chess960")):
        record = one(f'{variant}[FEN "{fen}"]\n\n1. e4 e5 *')
        assert (record.game, record.setup, record.moves) == (name, None, ("e2e4", "e7e5"))
        assert one(to_pgn(record)) == record
