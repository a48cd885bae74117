"""Records -> PGN -> records: nothing that PGN can hold is lost, and other programs read it."""

import gzip
import io
import lzma
import re
import shutil
import subprocess
from dataclasses import replace

import chess
import chess.pgn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.boards import Chess
from sakiyomi.sgf import BadRecord, Record, load, parse, read_pgn, record_of, save, to_pgn, to_sgf, writing
from sakiyomi.sgf.pgn_tags import ROSTER

PGN_EXTRACT = shutil.which("pgn-extract") or shutil.which("/usr/games/pgn-extract")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=12)
COMMENT = st.one_of(TEXT, st.text('{}();[]%"\\ab1.\n *-$!', max_size=20))
LINE = TEXT.map(lambda text: text.replace("\n", " "))
ENDINGS = ["", "checkmate", "resignation", "time forfeit", "illegal move", "agreement", "my own", "crash", "repetition"]
ANNOTATED = """[Event "Kept"]
[Site "?"]
[Date "2024.05.01"]
[Round "?"]
[White "a"]
[Black "b"]
[Result "1-0"]
[Remark "as it was"]

{ before } 1. e4 $1 { [%clk 0:05:00] } ( 1. d4 d5 ( 1... Nf6! ) 2. c4 ) 1... e5
2. Nf3 { a rest of line }
Nc6 {two
lines} 1-0
"""


def one(data):
    (record,) = read_pgn(data if isinstance(data, bytes) else data.encode())
    assert not isinstance(record, BadRecord), record
    return record


def played(game, rng, plies):
    """A random game: first position, moves."""
    states = game.start(rng.integers(0, 960, 1)) if game.chess960 else game.new(1)
    setup = game.position_text(states)
    moves = []
    for _ in range(plies):
        actions, counts = game.legal_actions(states)
        if not counts[0]:
            break
        action = int(rng.choice(actions[0, : counts[0]]))
        moves.append(game.move_text(states, action))
        game.play(states, np.array([action], np.int32))
    return None if setup == game.position_text(game.new(1)) else setup, tuple(moves)


@st.composite
def records(draw):
    game = Chess(chess960=draw(st.booleans()))
    setup, moves = played(game, np.random.default_rng(draw(st.integers(0, 9999))), draw(st.integers(0, 40)))
    names = st.one_of(st.sampled_from(["event", "place", "ECO", "a:b%", "Event", "white", "Tag_x", "é_ _", ""]), LINE)
    tags = draw(st.dictionaries(names, LINE.filter(lambda text: text.strip(" ?") != ""), max_size=4))
    comments = draw(st.dictionaries(st.integers(0, len(moves)), COMMENT.filter(bool), max_size=4))
    names = LINE.filter(lambda name: name != "?")
    result, ending = draw(st.sampled_from(["1-0", "0-1", "1/2-1/2", "*"])), draw(st.sampled_from(ENDINGS))
    return Record(game.name, moves, setup, result, ending, (draw(names), draw(names)), tags, comments)


def same(read, record):
    """Equal, but that the reader may know more of how the game ended."""
    return read == (record if record.ending else replace(record, ending=read.ending))


@settings(max_examples=150, deadline=None)
@given(st.lists(records(), min_size=1, max_size=3))
def test_any_chess_record_survives_the_round_trip(games):
    read = read_pgn(to_pgn(games))
    assert len(read) == len(games)
    for record, found in zip(games, read, strict=True):
        assert not isinstance(found, BadRecord), found
        assert same(found, record)
        assert found.tree.faults == []
    assert to_pgn(read) == to_pgn(games)


@settings(max_examples=60, deadline=None)
@given(records())
def test_python_chess_reads_the_same(record):
    text = to_pgn(record).decode()
    game = chess.pgn.read_game(io.StringIO(text))
    assert game.errors == []
    board, moves = game.board(), []
    assert board.chess960 == (record.game == "chess960") or record.game == "chess"
    for move in game.mainline_moves():
        moves.append(board.uci(move))
        board.push(move)
    assert tuple(moves) == record.moves
    assert game.headers["Result"] == record.result
    plain = {ply: text for ply, text in record.comments.items() if "}" not in text and "&#" not in text}
    for ply, node in enumerate([game, *game.mainline()]):
        if ply in plain:
            assert node.comment == plain[ply]
    for line in text.partition("\n\n")[2].split("\n"):
        assert len(line) <= 80 or record.comments


def test_the_form_of_what_is_written():
    record = Record(
        "chess",
        ("e2e4", "e7e5", "g1f3"),
        None,
        "1-0",
        "resignation",
        ("a", ""),
        {"event": "cup", "date": "2024-05", "WhiteElo": "2000", "my tag": 'a "b" \\'},
        {0: "first", 1: "one", 3: "a } b\nc"},
    )
    assert to_pgn(record).decode() == (
        '[Event "cup"]\n[Site "?"]\n[Date "2024.05.??"]\n[Round "?"]\n[White "a"]\n[Black "?"]\n[Result "1-0"]\n'
        '[WhiteElo "2000"]\n[Tag_my_20tag "a \\"b\\" \\\\"]\n[Termination "normal"]\n[Ending "resignation"]\n\n'
        "{ first } 1. e4 { one } 1... e5 2. Nf3 { a &#125; b\nc } 1-0\n\n"
    )
    assert one(to_pgn(record)) == record


def test_chess960_and_set_up_games_say_so():
    text = to_pgn(Record("chess960", ("e2e4",))).decode()
    assert '[SetUp "1"]\n[FEN "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"]' in text
    assert '[Variant "Chess960"]' in text
    text = to_pgn(Record("chess", ("e8d8",), "4k3/8/8/8/8/8/8/4K2R b K - 3 40")).decode()
    assert text.endswith("\n\n40... Kd8 *\n\n")


def test_an_unchanged_record_keeps_its_movetext():
    record = one(ANNOTATED)
    assert to_pgn(record).decode() == ANNOTATED + "\n"
    assert to_pgn(one(ANNOTATED.replace("\n", "\r\n"))).decode() == ANNOTATED + "\n"


def test_changed_fields_change_the_tags_and_the_result_and_nothing_else():
    record = one(ANNOTATED)
    tags = {name: text for name, text in record.tags.items() if name != "event"} | {"round": "7", "my own": "x"}
    changed = replace(record, players=("new", "b"), result="1/2-1/2", ending="agreement", tags=tags)
    written = to_pgn(changed).decode()
    assert one(written) == changed
    assert '[Event "?"]' in written
    assert '[Remark "as it was"]' in written
    before, after = ANNOTATED.partition("\n\n")[2].strip(), written.partition("\n\n")[2].strip()
    assert after == before.removesuffix("1-0") + "1/2-1/2"
    commented = replace(record, comments={1: "new"})
    assert one(to_pgn(commented)) == commented
    assert not one(to_pgn(commented)).tree.has_variations
    other = replace(record, moves=("d2d4",), comments={})
    assert one(to_pgn(other)) == other


@pytest.mark.parametrize(
    ("movetext", "result", "written"),
    [
        ("1. e4 e5", "*", "1. e4 e5 *"),
        ("1. e4 {c} ; d", "0-1", "1. e4 {c} { d } 0-1"),
        ("1. e4 ;d }\ne5 {;} *", "*", "1. e4 { d &#125; }\ne5 {;} *"),
        ("1. e4 1-0 {resigns}", "0-1", "1. e4 0-1 {resigns}"),
        ("1. e4 (1. d4 {1-0} 1-0) e5 1/2", "0-1", "1. e4 (1. d4 {1-0} 1-0) e5 0-1"),
        ("1. e4 (1. d4 (1. c4", "*", "1. e4 (1. d4 (1. c4 ) ) *"),
        ("1. e4 {open", "*", "1. e4 {open } *"),
        ("1. e4 (1. d4 {open", "1-0", "1. e4 (1. d4 {open } ) 1-0"),
        ("", "1-0", "1-0"),
        (" % 1. e4 e5", "*", "% 1. e4 e5 *"),
        ("1. e4\n% hidden 1-0 ( {\n1-0 ; c", "0-1", "1. e4\n% hidden 1-0 ( {\n0-1 { c }"),
        ("1. e4\n% hidden", "0-1", "1. e4\n% hidden\n0-1"),
        ("1. e4*;c", "1-0", "1. e4 1-0{ c }"),
    ],
)
def test_a_movetext_that_lacks_something_gets_it(movetext, result, written):
    record = one(f'[Event "x"]\n\n{movetext}')
    read = one(to_pgn(replace(record, result=result)))
    assert read.result == result
    text = to_pgn(replace(record, result=result)).decode()
    assert text.partition("\n\n")[2].strip() == written
    assert [found for found in read.tree.faults if "after the moves" in found.fault.value] == []


def test_a_percent_sign_that_hides_nothing_does_not_begin_a_line():
    record = one('[Event "x"]\n\n % 1. e4 e5 *')
    assert one(to_pgn(record)).moves == record.moves == ("e2e4", "e7e5")
    hidden = one('[Event "x"]\n\n% 1. d4\n1. e4 *')
    assert one(to_pgn(hidden)).moves == hidden.moves == ("e2e4",)


def test_an_odd_result_tag_follows_the_record():
    record = one('[Result "1/2"]\n\n1. e4 1/2')
    for changed in (record, replace(record, result="1-0"), replace(record, tags={})):
        assert one(to_pgn(changed)) == changed


def test_other_variants_are_written_as_they_were_read_or_not_at_all():
    record = one('[Variant "Atomic"]\n\n{a} 1. e4 (1. d4) *')
    assert b"{a} 1. e4 (1. d4) *" in to_pgn(replace(record, players=("x", "y")))
    for change in ({"moves": ("e2e4",)}, {"comments": {0: "b"}}, {"setup": "4k3/8/8/8/8/8/8/4K3 w - - 0 1"}):
        with pytest.raises(ValueError, match="game 1: moves, setup and comments of pgn-atomic can only be kept"):
            to_pgn(replace(record, **change))


def test_tags_that_were_badly_written_are_mended():
    record = one('[Annotator "The "Great" one"]\n\n1. e4 *')
    assert record.tags["annotator"] == 'The "Great" one'
    assert '[Annotator "The \\"Great\\" one"]' in to_pgn(record).decode()
    assert one(to_pgn(record)) == record


def test_games_without_tags_get_them():
    text = to_pgn(read_pgn(b"1. e4 e5 *\n\n1. d4 *\n")).decode()
    assert text.count("[Event ") == text.count("[Result ") == 2
    assert re.findall(r"^\[(\w+) ", text, re.MULTILINE)[:7] == list(ROSTER)


def test_charsets():
    record = one('[White "Muñoz"]\n\n1. e4 {señor} *'.encode("cp1252"))
    assert '[White "Muñoz"]' in to_pgn(record).decode()
    assert "{señor}" in to_pgn(record).decode()
    assert one(to_pgn(record, "ISO-8859-1")).players == ("Muñoz", "")
    with pytest.raises(ValueError, match="ISO-8859-1 has no character"):
        to_pgn(Record("chess", players=("Đặng", "")), "ISO-8859-1")


def test_a_record_of_chess_goes_from_sgf_to_pgn_and_back():
    record = Record("chess", ("e2e4", "e7e5"), None, "1-0", "resignation", ("a", "b"), {"event": "x"}, {2: "why"})
    (tree,) = parse(to_sgf(record))
    from_sgf = record_of(tree)
    assert from_sgf == record
    from_pgn = one(to_pgn(from_sgf))
    assert from_pgn == record
    assert record_of(parse(to_sgf(from_pgn))[0]) == record


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record("go-9x9", ("E5",)), "game 2: PGN holds chess and chess960, not go-9x9; write SGF"),
        (Record("chess", ("e2e5",)), r"move 1: illegal move e2e5 in rnbqkbnr"),
        (Record("chess", ("nonsense",)), "'nonsense' is no move"),
        (Record("chess", ("e2e4",), "nonsense"), "no chess position"),
        (Record("chess", result="W+R"), "not 'W[+]R'"),
        (Record("chess", ("e2e4",), comments={2: "x"}), "comment at ply 2"),
    ],
)
def test_what_pgn_cannot_hold_is_refused_and_nothing_is_written(tmp_path, record, reason):
    with pytest.raises(ValueError, match=reason):
        save([Record("chess", ("e2e4",)), record], tmp_path / "x.pgn")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "unpack"), [("", bytes), (".gz", gzip.decompress), (".xz", lzma.decompress)])
def test_save_writes_by_the_name_of_the_path(tmp_path, suffix, unpack):
    games = [Record("chess", ("e2e4",)), Record("chess960", ("d2d4",))]
    path = tmp_path / f"games.pgn{suffix}"
    save(iter(games), path)
    assert unpack(path.read_bytes()) == to_pgn(games)
    assert load(path) == games


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "games.pgn"
    save(Record("chess", ("e2e4",)), path)
    before = path.read_bytes()

    def broken():
        yield Record("chess", ("d2d4",))
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        save(broken(), path)
    monkeypatch.setattr(writing.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        save(Record("chess"), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["games.pgn"]


@pytest.mark.engines
def test_pgn_extract_reads_what_we_write_without_a_word(tmp_path):
    if PGN_EXTRACT is None:
        pytest.skip("pgn-extract is not installed")
    rng = np.random.default_rng(5)
    games = [one(ANNOTATED)]
    for number in range(40):
        game = Chess(chess960=number % 2 == 1)
        setup, moves = played(game, rng, 120)
        comments = {0: "a\n\nb { c", 1: "[%clk 0:00:01]", len(moves): 'x " \\ ] ; %'}
        board = chess.Board(setup or chess.STARTING_FEN, chess960=game.chess960)
        for move in moves:
            board.push_uci(move)
        players = ("a \\ b", '"c"')
        games.append(Record(game.name, moves, setup, board.result(), "crash", players, {"a b": "x"}, comments))
    save(games, tmp_path / "games.pgn")
    command = [PGN_EXTRACT, "-s", "-o", str(tmp_path / "out.pgn"), str(tmp_path / "games.pgn")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert [record.moves for record in load(tmp_path / "out.pgn")] == [record.moves for record in games]
