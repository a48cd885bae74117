"""PGN -> records: fields, faults, failures, charsets, streams."""

import io
import time
import tracemalloc

import chess.pgn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.sgf import (
    BadRecord,
    Collection,
    Fault,
    clocks,
    evals,
    first_illegal,
    load,
    read_pgn,
    times,
    to_pgn,
    to_training,
)
from sakiyomi.sgf.archive import Source
from sakiyomi.sgf.faults import PGN_FAULTS
from sakiyomi.sgf.formats import pgn_start
from sakiyomi.sgf.pgn import stream_pgn

GAME = """[Event "A cup"]
[Site "?"]
[Date "2024.05.??"]
[Round "3.1"]
[White "Kuro"]
[Black "?"]
[Result "1-0"]
[ECO "C20"]
[WhiteTeam "Ours"]
[Termination "normal"]

1. e4 {[%clk 0:05:00][%eval 0.3]} e5 (1... c5 2. Nf3) 2. Qh5!? $14 Nc6 { [%clk 1:00:01.5] }
; a line } of its own
3. Bc4 Nf6 {two} {
comments} 4. Qxf7# {[%eval #0] [%emt 0:00:02]} 1-0
"""


def one(text):
    (record,) = read_pgn(text if isinstance(text, bytes) else text.encode())
    return record


def faults(record):
    return [found.fault for found in record.tree.faults]


def test_the_fields_of_a_record():
    record = one(GAME)
    assert record.game == "chess"
    assert record.moves == ("e2e4", "e7e5", "d1h5", "b8c6", "f1c4", "g8f6", "h5f7")
    assert (record.setup, record.result, record.ending, record.players) == (None, "1-0", "checkmate", ("Kuro", ""))
    assert record.tags == {"event": "A cup", "date": "2024-05", "round": "3.1", "ECO": "C20", "white team": "Ours"}
    assert record.comments == {
        1: "[%clk 0:05:00][%eval 0.3]",
        4: "[%clk 1:00:01.5]\na line } of its own",
        6: "two\n\ncomments",
        7: "[%eval #0] [%emt 0:00:02]",
    }
    assert record.score == 1.0
    assert faults(record) == []


def test_annotations():
    record = one(GAME)
    assert clocks(record) == [300.0, None, None, 3601.5, None, None, None]
    assert times(record) == [None] * 6 + [2.0]
    assert evals(record) == [0.3, None, None, None, None, None, 10_000.0]
    mates = one("1. e4 {[%eval #-3,20]} e5 {[%eval #2]} 2. f4 {[%eval -.5]} *")
    assert evals(mates) == [-9997.0, 9998.0, -0.5]
    black = one('[FEN "4k3/8/8/8/8/1r6/r7/7K b - - 0 1"]\n\n1... Rb1# {[%eval #0]} 0-1')
    assert evals(black) == [-10_000.0]


def test_the_tree_gives_the_whole_game():
    tree = one(GAME).tree
    game = tree.game()
    assert isinstance(game, chess.pgn.Game)
    assert game.errors == []
    assert len(game.mainline().__iter__().__next__().parent.variations[0].variations) == 2
    assert tree.has_variations
    assert (tree.file, tree.byte, tree.line, tree.number, tree.charset) == ("", 0, 1, 1, "US-ASCII")
    assert tree.text == GAME.strip()
    assert one(GAME).tree == tree
    assert one(GAME + "\n").tree != one("1. e4 *").tree


def test_places_in_the_file():
    first, second = read_pgn(b"\xef\xbb\xbf" + GAME.encode() + b"\r\n\r\n" + b'[Event "b"]\r\n\r\n1. d4 *\r\n')
    assert (first.tree.byte, first.tree.line) == (3, 1)
    data = GAME.encode()
    assert (second.tree.byte, second.tree.line) == (3 + len(data) + 4, 1 + data.count(b"\n") + 2)
    assert second.tree.number == 2


CASES = {
    Fault.NOT_UTF8: b'[White "M\xfcller"]\n\n1. e4 *',
    Fault.BROKEN_BYTES: '[White "Müller éàèüö"]\n[Black "x\xff"]\n\n1. e4 *'.encode().replace(b"\xc3\xbf", b"\xff"),
    Fault.TEXT_BEFORE: "Subject: games\n\n" + GAME,
    Fault.DUPLICATE_TAG: '[Event "a"]\n[Event "b"]\n\n1. e4 *',
    Fault.UNKNOWN_RESULT_TAG: '[Result "1/2"]\n\n1. e4 1/2-1/2',
    Fault.RESULTS_DISAGREE: '[Result "1-0"]\n\n1. e4 0-1',
    Fault.NO_RESULT: '[Result "1-0"]\n\n1. e4',
    Fault.NO_MOVETEXT: '[Event "x"]\n[Result "1-0"]\n',
    Fault.UNCLOSED_COMMENT: "1. e4 {and so on",
    Fault.UNCLOSED_VARIATION: "1. e4 (1. d4 *",
    Fault.POSITION_MENDED: '[FEN "4k3/8/8/8/8/8/8/4K2R w KQkq e3 0 1"]\n\n1. Kd1 *',
    Fault.UNKNOWN_VARIANT: '[Variant "Strange"]\n\n1. e4 *',
    Fault.OTHER_VARIANT: '[Variant "King of the Hill"]\n\n1. e4 *',
}


def test_every_fault_of_pgn_has_a_case():
    assert set(CASES) >= PGN_FAULTS


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_what_is_tolerated_is_noted_and_refused_when_strict(fault, tmp_path):
    record = one(CASES[fault])
    assert fault in faults(record)
    path = tmp_path / "game.pgn"
    path.write_bytes(CASES[fault] if isinstance(CASES[fault], bytes) else CASES[fault].encode())
    assert len(list(Collection(path))) == 1
    strict = Collection(path, strict=True)
    assert list(strict) == []
    assert strict.failures[0].game == 1


def test_what_becomes_of_faults():
    assert one(CASES[Fault.NOT_UTF8]).players[0] == "Müller"
    assert one(CASES[Fault.BROKEN_BYTES]).players == ("Müller éàèüö", "x\ufffd")
    assert one(CASES[Fault.TEXT_BEFORE]).tree.line == 3
    assert one(CASES[Fault.DUPLICATE_TAG]).tags == {"event": "b"}
    odd = one(CASES[Fault.UNKNOWN_RESULT_TAG])
    assert (odd.result, odd.tags["result"]) == ("1/2-1/2", "1/2")
    assert one(CASES[Fault.RESULTS_DISAGREE]).result == "1-0"
    assert one(CASES[Fault.NO_RESULT]).result == "1-0"
    assert one(CASES[Fault.UNCLOSED_COMMENT]).comments == {1: "and so on"}
    assert one(CASES[Fault.POSITION_MENDED]).setup == "4k3/8/8/8/8/8/8/4K2R w K - 0 1"
    other = one(CASES[Fault.OTHER_VARIANT])
    assert (other.game, other.moves) == ("pgn-king-of-the-hill", ())
    assert other.tree.game().end().ply() == 1


BAD = {
    "1. e4 e5 2. Nf6 *": (12, 1, "move 3: illegal move Nf6 in rnbqkbnr/pppp1ppp/8/4p3/4P3/8/PPPP1PPP/RNBQKBNR w "),
    "1. Nf3 d5\n2. d3 d4 3. Nd2 *": (22, 2, "'Nd2' in rnbqkbnr/ppp1pppp/8/8/3p4/3P1N2/PPP1PPPP/RNBQKB1R w "),
    "1. e4 -- *": (6, 1, "move 2: '--' in rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b "),
    "1. Sf3 *": (3, 1, "move 1: 'Sf3' is no move"),
    '[FEN "8/8/8/8/8/8/8/K7 w - - 0 1"]\n\n*': (6, 1, "the FEN tag: '8/8/8/8/8/8/8/K7 w - - 0 1' is no chess position"),
}


@pytest.mark.parametrize("text", BAD)
def test_a_main_line_that_cannot_be_read_is_a_failure(text):
    byte, line, reason = BAD[text]
    before = '[Event "sound"]\n\n1. d4 *\n\n'
    first, bad, last = read_pgn(f"{before}{text}\n\n\n{before}".encode(), "x.pgn")
    assert first.moves == last.moves == ("d2d4",)
    assert isinstance(bad, BadRecord)
    assert (bad.file, bad.byte, bad.line, bad.game) == ("x.pgn", len(before) + byte, 4 + line, 2)
    assert reason in bad.reason
    assert "\n" not in str(bad)


def test_an_ambiguous_move_names_the_choices():
    bad = read_pgn(b"1. Nf3 d5 2. d3 d4 3. Nd2 *")[0]
    assert "is ambiguous: Nbd2, Nfd2" in bad.reason


@pytest.mark.parametrize(
    ("tags", "movetext", "ending"),
    [
        ('[Termination "Time forfeit"]', "1. e4 0-1", "time forfeit"),
        ('[Termination "anna won by resignation"]', "1. e4 1-0", "resignation"),
        ('[Termination "Abandoned"]', "1. f3 e5 2. g4 Qh4# 0-1", "abandoned"),
        ('[Termination "Normal"]', "1. f3 e5 2. g4 Qh4# 0-1", "checkmate"),
        ("", "1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 1/2-1/2", "repetition"),
        ("", "1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 1-0", ""),
        ("", "1. e4 1-0", ""),
        ('[FEN "7k/8/6KP/8/8/8/8/8 b - - 0 1"]', "1... Kg8 2. h7+ Kh8 1/2-1/2", ""),
        ('[FEN "7k/7P/6K1/8/8/8/8/8 b - - 0 1"]', "1/2-1/2", "stalemate"),
        ('[FEN "7k/8/6K1/8/8/8/8/8 b - - 0 1"]', "1... Kg8 1/2-1/2", "insufficient material"),
        ('[FEN "7k/8/6KP/8/8/8/8/8 b - - 99 90"]', "1... Kg8 1/2-1/2", "fifty moves"),
        ('[Result "1/2-1/2"]', "1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8", "repetition"),
        ('[Result "1-0"]', "1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 1/2-1/2", ""),
        ('[Result "1-0"]', "1. f3 e5 2. g4 Qh4# 0-1", "checkmate"),
    ],
)
def test_why_a_game_ended(tags, movetext, ending):
    assert one(f"{tags}\n\n{movetext}").ending == ending


def test_chess960():
    record = one('[Variant "fischerandom"]\n[FEN "4k3/8/8/8/8/8/8/5KR1 w G - 0 1"]\n\n1. O-O *')
    assert (record.game, record.moves) == ("chess960", ("f1g1",))
    assert record.setup == "4k3/8/8/8/8/8/8/5KR1 w K - 0 1"
    *_, position = record.positions()
    assert position.text() == "4k3/8/8/8/8/8/8/5RK1 b - - 1 1"
    usual = one('[Variant "Chess960"]\n[FEN "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"]\n\n1. e4 *')
    assert (usual.game, usual.setup) == ("chess960", None)


@pytest.mark.parametrize(
    ("head", "start"),
    [
        (b'[Event "x"]\n\n1. e4 *\n', 0),
        (b'\xef\xbb\xbf\r\n% escaped\r\n; a comment (;\r\n[Event "x"]', 0),
        (b"1. e4 e5 *", 0),
        (b"e4 e5", 0),
        (b"{ hello (; } 1. d4", 0),
        (b"1... Nf6", 0),
        (b"12. O-O-O+", 0),
        (b"*", 0),
        (b'From: me\n\n[Event "x"]\n', 10),
        (b"A game\n1. e4 e5", 7),
        (b'(;SZ[9]C[\n[Event "x"]])', None),
        (b';GM[1]C[\n[Event "x"]\n]', None),
        (b"<html>1. e4", None),
        (b"", None),
        (b"V2.2\nN+a\n", None),
        (b"hello world", None),
    ],
)
def test_the_format_is_told_from_the_content(head, start):
    assert pgn_start(head) == start


def test_a_mixed_folder_is_read_in_order(tmp_path):
    (tmp_path / "a.pgn").write_text("(;SZ[9]PB[sgf];B[ee])")
    (tmp_path / "b.sgf").write_text('[White "pgn"]\n\n1. e4 *\n')
    (tmp_path / "c.sgf").write_text("(;SZ[9]PB[sgf];B[gc])")
    (tmp_path / "d.pgn").write_text("<html>")
    for legal in (False, True):
        collection = Collection(tmp_path, legal=legal)
        assert [record.game for record in collection] == ["go-9x9", "chess", "go-9x9"]
        assert (collection.games, collection.files, len(collection.failures)) == (3, 4, 1)
    with pytest.raises(BadRecord, match="no SGF game in it"):
        load(tmp_path / "d.pgn")


class Endless(io.RawIOBase):
    """So many copies of a text, made as they are read."""

    def __init__(self, text, copies):
        self.text, self.left, self.rest = text, copies, b""

    def read(self, count=-1):
        while len(self.rest) < count and self.left:
            self.rest += self.text
            self.left -= 1
        part, self.rest = self.rest[:count], self.rest[count:]
        return part


@pytest.mark.parametrize("chunk", [1, 100, 997, 5000, 1 << 20])
def test_a_file_read_in_pieces_gives_the_same_as_whole(chunk):
    games = [GAME, *CASES.values(), *BAD, '[Event "x"]\r\n\r\n1. d4 {a\r\n\r\n[Event "y"]} *\r\n']
    games = [game for game in games if game not in (CASES[Fault.UNCLOSED_COMMENT], CASES[Fault.TEXT_BEFORE])]
    data = b"\n\n\n\n".join(game if isinstance(game, bytes) else game.encode() for game in games)
    whole = read_pgn(data, "f")
    parts = list(stream_pgn(Source("f", io.BytesIO(data), -1), 1 << 26, chunk))
    assert [str(found) if isinstance(found, BadRecord) else found for found in parts] == [
        str(found) if isinstance(found, BadRecord) else found for found in whole
    ]
    assert [(r.tree.byte, r.tree.line, r.tree.number) for r in parts if not isinstance(r, BadRecord)] == [
        (r.tree.byte, r.tree.line, r.tree.number) for r in whole if not isinstance(r, BadRecord)
    ]
    for record in parts:
        if not isinstance(record, BadRecord):
            assert data[record.tree.byte :].startswith(record.tree.data)


def test_a_long_file_takes_no_more_memory_than_a_short_one():
    peaks = []
    for copies in (600, 600, 6000):  # the first time fills caches
        tracemalloc.start()
        source = Source("long", Endless(GAME.encode() + b"\n", copies), -1)
        for number, record in enumerate(stream_pgn(source, 1 << 20, 1 << 16), 1):
            assert record.tree.number == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert number == copies
    assert peaks[2] < 1.5 * peaks[1]
    assert record.tree.byte == 5999 * (len(GAME) + 1)
    assert record.tree.line == 1 + 5999 * (GAME.count("\n") + 1)


def test_a_game_without_end_is_refused(tmp_path):
    path = tmp_path / "long.pgn"
    path.write_bytes(GAME.encode() + b"\n1. e4 {" + b"x" * (1 << 22))
    collection = Collection(path, limit=1 << 18)
    list(collection)
    assert "a game of over 262,144 bytes" in collection.failures[-1].reason
    source = Source("x", Endless(b"1. e4 {" + b"x" * 1000, 4000), -1)
    with pytest.raises(BadRecord, match="a game of over 65,536 bytes"):
        list(stream_pgn(source, 1 << 16, 1 << 12))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("".join(f'[A{k // 2} "x"]\n' for k in range(40_000)) + "\n*", Fault.DUPLICATE_TAG),
        (f'[FEN "4k3/8/8/8/8/8/8/4K3 w {"Kx" * 100_000} - 0 1"]\n\n*', Fault.POSITION_MENDED),
    ],
    ids=["tags", "rights"],
)
def test_rubbish_takes_no_more_than_linear_time(text, fault):
    began = time.process_time()
    record = one(text)
    assert time.process_time() - began < 3.0
    assert fault in faults(record)


def test_each_tag_that_is_repeated_is_noted_once_with_its_line():
    record = one('[A "1"]\r\n[B "2"]\r\n[A "3"]\r\n[A "4"]\r\n[B "5"]\r\n\r\n*')
    assert [(found.line, found.byte, found.detail) for found in record.tree.faults] == [(3, 19, "A"), (5, 37, "B")]


def test_a_file_of_thousands_of_plies():
    shuffle = " ".join(f"{2 * k + 1}. Nf3 Nf6 {2 * k + 2}. Ng1 Ng8" for k in range(3000))
    record = one(shuffle + " 1/2-1/2")
    assert len(record.moves) == 12_000
    assert record.ending == "seventyfive moves"
    assert first_illegal([record]) == [None]
    positions = record.positions()
    assert [next(positions).ply for _ in range(200)] == list(range(200))  # beyond the ends by rule


PIECES = ["[", '"', "]", "{", "}", "(", ")", ";", "%", "1.", "e4", "e5", "Nf3", "O-O", "--", "*", "1-0", "$1", "!?"]
PIECES += ["&#125;", "\\", "a", "\n", "\n\n", "\r\n", " ", '[Event "x"]', '[FEN "', '[Variant "Atomic"]']
PIECES += ["4k3/8/8/8/8/8/8/4K3 w - - 0 1", "\ufeff", "\xe9", "\0"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.sampled_from(["utf-8", "latin-1"]))
def test_nothing_that_looks_like_pgn_breaks_the_reader(text, codec):
    data = text.encode(codec, "replace")
    games = read_pgn(data, "f")
    assert all(isinstance(found, BadRecord) or found.tree.data in data for found in games)
    good = [found for found in games if not isinstance(found, BadRecord)]
    written = [record for record in good if record.game in ("chess", "chess960")]
    read = read_pgn(to_pgn(written))
    assert [(r.moves, r.setup, r.comments, r.tags, r.players) for r in read] == [
        (r.moves, r.setup, r.comments, r.tags, r.players) for r in written
    ]
    parts = list(stream_pgn(Source("f", io.BytesIO(data), -1), 1 << 20, 7))
    assert [str(part) if isinstance(part, BadRecord) else part for part in parts] == [
        str(part) if isinstance(part, BadRecord) else part for part in games
    ]


def test_legality_of_records_that_were_changed():
    from dataclasses import replace

    record = one(GAME)
    answers = first_illegal(
        [
            record,
            replace(record, moves=("e2e4", "e7e5", "e1e3")),
            replace(record, setup="8/8/8/8/8/8/8/K7 w - - 0 1"),
            replace(record, moves=("nonsense",)),
            replace(record, tree=None),
        ]
    )
    assert [answer and answer.move for answer in answers] == [None, 3, 0, 1, None]
    assert "illegal move e1e3 in rnbqkbnr/pppp1ppp" in answers[1].reason or "king" in answers[1].reason


def test_training_takes_every_position_with_the_movers_result():
    from sakiyomi.boards import Chess

    records = [one(GAME), one("1. e4 c5 0-1"), one("1. e4 *")]
    training = to_training(records, Chess(), batch=64)
    ((observations, actions, results),) = training
    assert observations.shape == (9, 119, 8, 8)
    assert dict(training.left_out) == {"no known result": 1}
    expected = []
    for record in records[:2]:
        *before, _ = record.positions()
        for position, move in zip(before, record.moves, strict=True):
            sign = (1 if record.result == "1-0" else -1) * (1 if position.turn == 0 else -1)
            seen = position.game.observe(position.state)[0]
            expected.append((seen.tobytes(), position.action(move), sign))
    found = [(o.tobytes(), int(a), int(r)) for o, a, r in zip(observations, actions, results, strict=True)]
    assert sorted(found) == sorted(expected)
    assert results.dtype == np.float32
    with pytest.raises(ValueError, match="compact"):
        to_training(records, Chess(), compact=True)
