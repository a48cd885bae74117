"""PGN main lines as columns, against python-chess and our own reader of notation."""

import io
import logging
import lzma
import os
import random
import subprocess
import sys

import chess
import chess.pgn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.boards import rows
from sakiyomi.boards.chess import Chess
from sakiyomi.sgf.pgn_columns import Closing, Stop, read_columns, uci_texts

SEEDS = st.integers(0, 2**32)
RESULTS = (None, "1-0", "0-1", "1/2-1/2", "*")


class MainLine(chess.pgn.BaseVisitor):
    """What python-chess meets on the main line of a game."""

    def begin_game(self):
        self.depth, self.moves, self.comments, self.nags, self.variations, self.result_text = 0, [], [], 0, 0, None
        self.headers, self.errors = chess.pgn.Headers({}), []

    def begin_headers(self):
        return self.headers

    def visit_header(self, name, value):
        self.headers[name] = value

    def visit_move(self, board, move):
        if not self.depth:
            self.moves.append(board.uci(move))

    def visit_comment(self, comment):
        if not self.depth:
            self.comments.append((len(self.moves), comment))

    def visit_nag(self, nag):
        self.nags += not self.depth

    def begin_variation(self):
        self.depth += 1
        self.variations += 1

    def end_variation(self):
        self.depth -= 1

    def visit_result(self, result):
        self.result_text = result

    def handle_error(self, error):
        self.errors.append(error)

    def result(self):
        return self


def by_python_chess(data):
    """Every game of the bytes, as Latin-1."""
    handle, found = io.StringIO(data.decode("latin-1"), newline=None), []
    while (game := chess.pgn.read_game(handle, Visitor=MainLine)) is not None:
        found.append(game)
    return found


@pytest.fixture(autouse=True)
def quiet():
    logger = logging.getLogger("chess.pgn")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


def plain_comment(raw):
    """A comment as python-chess has it: without a space at its ends, lines ending with LF."""
    text = raw.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    text = text[1:] if text.startswith(" ") else text
    return text[:-1] if text.endswith(" ") else text


def compare(data, result_of=lambda game, theirs: theirs.result_text):
    """Assert that both read the same; returns the columns."""
    columns, done = read_columns(data)
    games = by_python_chess(data)
    assert (len(columns), done) == (len(games), len(data))
    texts = uci_texts(columns.codes)
    for game, theirs in enumerate(games):
        where = f"game {game + 1}, line {columns.lines[game]}"
        assert not theirs.errors, where
        assert columns.faults[game] == Stop.NONE, where
        assert texts[columns.moves(game)] == theirs.moves, where
        assert RESULTS[columns.results[game]] == result_of(game, theirs), where
        comments = [(ply, plain_comment(text)) for ply, text in columns.comment_bytes(game)]
        assert comments == theirs.comments, where
        assert (columns.nags[game], columns.variations[game]) == (theirs.nags, theirs.variations), where
        tags = {name.decode(): value.decode("latin-1") for name, value in columns.tag_bytes(game).items()}
        assert tags == dict(theirs.headers), where
        starts = data[columns.starts[game] : columns.movetexts[game]]
        assert starts.startswith(b"[") or not starts
    return columns


# --- hand-written cases


def short(text, **options):
    """For each game: its moves as UCI, the closing result and the fault."""
    data = text if isinstance(text, bytes) else text.encode()
    columns, _ = read_columns(data, **options)
    texts = uci_texts(columns.codes)
    return [
        (" ".join(texts[columns.moves(game)]), Closing(columns.results[game]).name, Stop(columns.faults[game]).name)
        for game in range(len(columns))
    ]


E4_E5 = ("e2e4 e7e5", "NONE", "NONE")
DONE = ("e2e4 e7e5", "WHITE", "NONE")

SAME_GAME = {
    "no spaces": "1.e4 1...e5 1-0",
    "one line each": "1. e4\ne5\n1-0",
    "CR LF": "1. e4\r\ne5\r\n1-0\r\n",
    "CR": "1. e4\re5\r1-0\r",
    "BOM": b"\xef\xbb\xbf1. e4 e5 1-0",
    "escape line": "1. e4\n% d4 {\ne5 1-0",
    "escape line first": "%foo\n1. e4 e5 1-0",
    "comment of many lines": '1. e4 {a\n\n[Event "x"]\n(1. d4) ; } e5 1-0',
    "rest of line": "1. e4 ; e6 {\ne5 1-0",
    "nested variations": "1. e4 (1. d4 d5 (1... Nf6 {)} 2. c4 ; )\n) 2. c4) e5 (1... c5) 1-0",
    "signs": "1. e4!? $1 e5!! $139 +- = 1-0",
    "words": "1. e4 N e5 mate e.p. ch 1-0",
    "digits glued to a move": "1.e4 e51-0",
    "moves glued together": "1.e4Pe5 1-0",
    "a word glued to a move": "1. e4ch e5e.p. 1-0",
    "UCI": "1. e2e4 e7e5 1-0",
    "long": "1. e2-e4 Pe7-e5 1-0",
    "ellipsis and dash in UTF-8": "1. e4 1… e5 – 1-0",
    "no-break space": "1.\xa0e4 e5 1-0",
    "no-break space in Latin-1": b"1.\xa0e4 e5 1-0",
    "figurines": "1. ♙e4 ♟e5 1-0",
    "figurines glued": "1.e4♟e5 1-0",
    "dashes": "1. e2–e4 e7−e5 1-0",
    "dashes of windows-1252": b"1. e2\x96e4 e7\x97e5 1-0",
    "control bytes": b"1. e4\0 e5\x1a 1-0 \x1a",
    "a result inside": "1. e4 0-1 e5 1-0",
    "tags without blank line": '[Event "x"]\n1. e4 e5 1-0',
    "many blank lines": '[Event "x"]\n\n\n\n1. e4 e5 1-0',
    "blank line behind a comment": '[Event "x"]\n\n{about}\n\n; more\n\n1. e4 e5 1-0',
    "odd spacing": ' [ Event  "x" ]   [Site"y"] [Round\n"1"]\n1. e4 e5 1-0',
    "broken tags": '[Event "x"\n[Site]\n[White "A]\n[%clk]\n[Black "b" c]\nd"]\n1. e4 e5 1-0',
}


@pytest.mark.parametrize("text", SAME_GAME.values(), ids=SAME_GAME)
def test_the_same_game_however_it_is_written(text):
    assert short(text) == [DONE]


def test_what_stops_a_main_line():
    cases = {
        "1. e4 e5 2. Ke3 Nf6 0-1": ("e2e4 e7e5", "BLACK", "ILLEGAL"),
        "1. d4 d5 2. Nf3 Nf6 3. Nd2 *": ("d2d4 d7d5 g1f3 g8f6", "UNKNOWN", "AMBIGUOUS"),
        "1. e4 e5 2. Sf3 *": ("e2e4 e7e5", "UNKNOWN", "NO_MOVE"),
        "1. e4 e5 2. N@f3 *": ("e2e4 e7e5", "UNKNOWN", "NO_MOVE"),
        "1. e4 e5 2. -- Nf6": ("e2e4 e7e5", "NONE", "NULL_MOVE"),
        "1. e4 e5 2. Z0 Nf6": ("e2e4 e7e5", "NONE", "NULL_MOVE"),
        "1. e4 e5 2. 0000 Nf6": ("e2e4 e7e5", "NONE", "NULL_MOVE"),
        "1. e4 e5 2. @@@@ Nf6": ("e2e4 e7e5", "NONE", "NULL_MOVE"),
        "1. e4 e5 {Nf3 1-0": ("e2e4 e7e5", "NONE", "UNCLOSED_COMMENT"),
        "1. e4 e5 (1... c5 1-0": ("e2e4 e7e5", "NONE", "UNCLOSED_VARIATION"),
        "1. e4 e5 (1... c5 {1-0": ("e2e4 e7e5", "NONE", "UNCLOSED_COMMENT"),
        '[FEN "8/8/8/8 w - - 0 1"]\n\n1. e4 1-0': ("", "WHITE", "BAD_POSITION"),
        '[Variant "Atomic"]\n\n1. e4 1-0': ("", "WHITE", "VARIANT"),
        '[FEN "7k/P7/8/8/8/8/8/K7 w - - 0 1"]\n\n1. a8 *': ("", "UNKNOWN", "AMBIGUOUS"),
    }
    assert {text: short(text) for text in cases} == {text: [found] for text, found in cases.items()}


def test_a_fault_has_its_place():
    text = b'[Event "x"]\n\n1. e4 e5 2. Ke3 (2. d4) {no comment of a played move} $1 Nf6 0-1'
    columns, _ = read_columns(text)
    assert text[columns.fault_places[0] :].startswith(b"Ke3")
    assert columns.comment_bytes(0) == []
    assert (columns.nags[0], columns.variations[0]) == (0, 1)


def test_where_games_begin_and_end():
    text = (
        b'; before\n[Event "1"]\n[Result "*"]\n\n[Event "2"]\n\n1. e4 e5\n[Event "3"]\n1. e4 *\n\n1. e4 e5 1-0\n\n\n'
        b'[White "5"]\n\n\n[Black "6"]\n\n(\n\n[White "7"]\n[Black "x"]\n\n[Site "y"]\n\n*'
    )
    assert short(text) == [
        ("", "NONE", "NONE"),
        E4_E5,
        ("e2e4", "UNKNOWN", "NONE"),
        DONE,
        ("", "NONE", "NONE"),
        ("", "NONE", "UNCLOSED_VARIATION"),
        ("", "UNKNOWN", "NONE"),
    ]
    columns, _ = read_columns(text)
    assert columns.lines.tolist() == [2, 5, 8, 11, 14, 17, 21]
    assert [columns.game_text(game)[:5] for game in (0, 3)] == [b"[Even", b"1. e4"]
    assert columns.tag_table(6) == {"White": "7", "Black": "x", "Site": "y"}
    assert columns.game_text(1).endswith(b"e5")
    assert len(read_columns(b"")[0]) == len(read_columns(b" \n%x\n;y\n\xef\xbb\xbf")[0]) == 0


def test_tag_values():
    text = rb'[A "a \"b\" \\c"][B "say "x" y"] [C ""]' + b'\n[D "\xe9"]\n[E "\xc3\xa9"]\n[F "C:\\"]\n[A "twice"]\n\n*'
    columns, _ = read_columns(text)
    assert columns.tag_table(0) == {"A": "twice", "B": 'say "x" y', "C": "", "D": "é", "E": "é", "F": "C:\\"}
    assert text[slice(*columns.tags[0, 2:])] == rb"a \"b\" \\c"
    assert read_columns(rb'[A "a \"b\" \\c"]')[0].tag_table(0) == {"A": r'a "b" \c'}


def test_chess960_and_first_positions():
    start = "r1k4r/pppppppp/8/8/8/8/PPPPPPPP/R1K4R w HAha - 0 1"
    text = f'[Variant "fischerandom"]\n[FEN "{start}"]\n\n1. O-O O-O-O *\n\n[FEN "{start}"]\n\n1. c1a1 c8g8 *\n\n'
    text += '[FEN "4k3/8/8/8/8/8/8/4K2R w K"]\n\n1. O-O *\n\n[Variant "From Position"]\n\n1. e4 *'
    columns, _ = read_columns(text.encode())
    assert uci_texts(columns.codes) == ["c1h1", "c8a8", "c1a1", "c8h8", "e1g1", "e2e4"]
    assert columns.chess960.tolist() == [True, True, False, False]
    assert Chess(chess960=True).shredder_fen(columns.states[0]) == start


def test_actions_offsets_and_codes_lead_through_the_game():
    text = b"1. e4 {x} d5 2. exd5 c5 3. dxc6 Nf6 4. cxb7 Bd7 5. bxa8=N e6 6. Nf3 Be7 7. Bb5 0-0 8. O-O 1-0"
    columns, _ = read_columns(text)
    game = Chess()
    state = game.new(1)
    for ply, action in enumerate(columns.actions.tolist()):
        assert game.move_text(state, action) == uci_texts(columns.codes[ply : ply + 1])[0]
        written = game.san(state, action).replace("O-O", "O-O" if ply % 2 == 0 else "0-0")
        assert text[columns.offsets[ply] :].startswith(written.encode())
        game.play(state, np.array([action]))
    assert len(columns.actions) == 15


# --- against python-chess


def random_game(rng, plies=60, chess960=False):
    """A game with comments, NAGs and variations, written by python-chess."""
    game = chess.pgn.Game({"Event": 'a "b" \\c', "Result": rng.choice(RESULTS[1:])})
    if chess960:
        game.setup(chess.Board.from_chess960_pos(rng.randrange(960)))
        game.headers["Variant"] = "Chess960"

    def grow(node, length, depth):
        board = node.board()
        for _ in range(length):
            moves = list(board.legal_moves)
            if not moves:
                return
            node = node.add_variation(rng.choice(moves))
            if rng.random() < 0.1:
                node.comment = rng.choice(["[%clk 0:01:02]", "two\n\nlines (e4) ; $1", "é 1-0", "*"])
            if rng.random() < 0.1:
                node.nags.add(rng.choice([1, 2, 3, 4, 5, 6, 19, 140]))
            if depth and rng.random() < 0.1:
                grow(node.parent, rng.randrange(1, 4), depth - 1)
            board.push(node.move)

    game.comment = rng.choice(["", "first"])
    grow(game, plies, 2)
    return game


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_games_that_python_chess_writes_read_equal(seed):
    rng = random.Random(seed)
    games = [random_game(rng, rng.randrange(80), rng.random() < 0.3) for _ in range(5)]
    compare("\n\n".join(map(str, games)).encode())


def unpacked(path):
    with lzma.open(path) as file:
        return file.read()


def test_real_records_sample(records):
    for name in ("annotated", "chess960", "lichess-clocks-evals", "lichess-studies", "players", "twic1599"):
        data = unpacked(records / "chess" / f"{name}.pgn.xz")
        columns, _ = read_columns(data)
        some = random.Random(name).sample(range(len(columns)), 25)
        compare(b"\n\n".join(columns.game_text(game) for game in some), _or_half)


def _or_half(game, theirs):
    """python-chess does not take 1/2 for a result."""
    return theirs.result_text or ("1/2-1/2" if theirs.headers.get("Result") == "1/2" else None)


@pytest.mark.slow
def test_all_real_records(records):
    for path in sorted((records / "chess").glob("*.pgn.xz")):
        compare(unpacked(path), _or_half)


def test_one_thread_or_two(records):
    data = unpacked(records / "chess" / "lichess-studies.pgn.xz")
    before = rows.threads()
    try:
        found = []
        for threads in (1, 2):
            rows.set_threads(threads)
            columns, _ = read_columns(data)
            found.append([columns.codes, columns.actions, columns.comments, columns.results, columns.variations])
    finally:
        rows.set_threads(before)
    for one, two in zip(*found, strict=True):
        assert (one == two).all()


# --- rubbish, pieces of a text, size


UGLY = (
    b'\xef\xbb\xbf%x\r\n[Event "a \\" b"]\r\n[FEN "4k3/P7/8/8/8/8/8/4K2R w K - 0 1"]\r\n; c\r\n\r\n1. a8=Q+ {c} (1. O-O'
    b' (1. a8(N) ; x\r\n) {y}) 1... Kd7 $12 2. \xe2\x99\x95d5+!? 1/2-1/2\r\n\r\n[Event "b"]\n1.e4 e5 2.Bc4 -- 0-1\n%\n['
    b'Site "?"]\n{\n\n}\n\n1. e2e4{}e7e5{}g1f3{}b8c6{}f1b5{}a7a6{}e1g1{}g8f6 *\n[White "\\'
)


def check_sane(columns, text):
    """Whatever was read, places lie in order in the text and all actions are legal."""
    count = len(columns)
    assert (columns.starts <= columns.movetexts).all()
    assert (columns.movetexts <= columns.stops).all()
    assert (columns.stops[:-1] <= columns.starts[1:]).all()
    assert (np.diff(columns.lines) >= 0).all()
    for firsts, table in ((columns.tag_firsts, columns.tags), (columns.move_firsts, columns.actions)):
        assert firsts[0] == 0
        assert firsts[-1] == len(table)
        assert (np.diff(firsts) >= 0).all()
    assert columns.comment_firsts[-1] == len(columns.comments)
    assert (columns.tags[:, 0] < columns.tags[:, 1]).all()
    assert (columns.tags[:, 2] <= columns.tags[:, 3]).all()
    assert (columns.comments[:, 1] <= columns.comments[:, 2]).all()
    assert columns.stops.max(initial=0) <= len(text)
    assert columns.lines.max(initial=1) <= text.count(b"\n") + text.count(b"\r") + 1
    for game in range(count):
        rules, state = Chess(chess960=bool(columns.chess960[game])), columns.states[game : game + 1].copy()
        for action in columns.actions[columns.moves(game)][:6]:
            assert rules.legal_actions(state)[1][0] == 0 or action in rules.legal_actions(state)[0]
            rules.play(state, np.array([action]))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_rubbish_is_read_without_harm(data):
    text = bytearray(UGLY)
    signs = list(b'{}()[]";%\\\r\n$!?*-./ @=') + list(b"abexNKOQZ0123456789\xc3\x97\xe2\xff\0")
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, len(text) - 1))
        if data.draw(st.booleans()):
            text[place : place + 1] = bytes(data.draw(st.lists(st.sampled_from(signs), max_size=4)))
        else:
            text[place : place + data.draw(st.integers(0, 9))] = b""
    check_sane(read_columns(bytes(text))[0], bytes(text))


def test_text_that_ends_anywhere():
    for stop in range(len(UGLY)):
        columns, done = read_columns(UGLY[:stop])
        check_sane(columns, UGLY[:stop])
        assert done == stop


def test_nothing_is_read_or_written_out_of_bounds():
    """Without the compiler NumPy checks every index."""
    code = f"""
import random
from sakiyomi.sgf.pgn_columns import read_columns, uci_texts
text, rng = {UGLY!r}, random.Random(0)
signs = [bytes([c]) for c in b'{{}}()[]";%\\\\\\n$!*-/ eNO01x']
for stop in range(0, len(text), 3):
    read_columns(text[:stop])
    cut = rng.randrange(len(text))
    read_columns(text[:cut] + rng.choice(signs) + text[cut:])
read_columns(b"e4{{}}e5{{}}d4{{}}d5{{}}c4{{}}c5{{}}b4{{}}b5")
read_columns(b"Nf3Nf6 g3Pg6 Bg2Bg7 OOOO")
read_columns(b"Nf3Nf6Pg3Pg6Bg2Bg7OO{{}}OO{{}}d4Nc6")
print(" ".join(uci_texts(read_columns(text)[0].codes)))
"""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == uci_texts(read_columns(UGLY)[0].codes)


PIECES = [b"(", b")", b"{", b"{}", b"\n", b"\n(", b"[", b'[a "', b'[a "b"]\n\n', b'" ', b'"]', b"[a\n", b";", b"%\n"]
PIECES += [b"*\n\n", b"O-", b"0-", b"e", b"e4", b"e4 ", b"N", b"\\", b"\xe2\x99", b"@", b"-", b"$", b'[FEN "x"]\n*\n\n']


@pytest.mark.parametrize("piece", PIECES)
def test_time_grows_with_the_size_alone(piece):
    """Of 300 kB; what is quadratic would take a minute."""
    text = piece * (300_000 // len(piece))
    columns, _ = read_columns(text)
    assert columns.stops.max(initial=0) <= len(text)


def test_a_game_of_thousands_of_plies_on_one_line():
    line = "Nf3 Nf6 Ng1 Ng8 " * 5000
    columns, _ = read_columns(("1. " + line + "1/2-1/2").encode())
    assert len(columns.actions) == 20_000
    assert columns.results.tolist() == [Closing.DRAW]
    assert columns.stops.tolist() == [len(columns.text)]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_pieces_of_a_text_give_the_same_games(data):
    text = (UGLY[:-11] + b"\n\n") * 3
    whole = short(text)
    found, rest, at = [], b"", 0
    while at < len(text):
        step = data.draw(st.integers(1, 300))
        rest, at = rest + text[at : at + step], at + step
        found += short(rest, last=False)
        rest = rest[read_columns(rest, last=False)[1] :]
    assert found + short(rest) == whole
