"""EPD: lines of test suites, both ways, against python-chess."""

import random

import chess as peer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.boards import BadNotation, Chess, IllegalMove

GAME, GAME960 = Chess(), Chess(chess960=True)
START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq -"
SUITE = [
    '1k1r4/pp1b1R2/3q2pp/4p3/2B5/4Q3/PPP2B2/2K5 b - - bm Qd1+; id "BK.01";',
    '3r1k2/4npp1/1ppr3p/p6P/P2PPPP1/1NR5/5K2/2R5 w - - bm d5; id "BK.02";',
    'rnb2r1k/pp2p2p/2pp2p1/q2P1p2/8/1Pb2NP1/PB2PPBP/R2Q1RK1 w - - bm Qd2 Qe1; id "BK.19"; c0 "a; b";',
    "8/7p/5k2/5p2/p1p2P2/Pr1pPK2/1P1R3P/8 b - - am Rxb2; acd 12; ce -35; hmvc 4; fmvn 61;",
    f"{START} pv e4 e5 Nf3 Nc6 Bb5;",
    f"{START} D1 20; D2 400; weight 0.25; noop;",
]


@pytest.mark.parametrize("line", SUITE)
def test_lines_of_suites_read_as_python_chess_reads_them(line):
    state, operations = GAME.parse_epd(line)
    board = peer.Board()
    expected = board.set_epd(line)
    assert GAME.position_text(state) == board.fen()
    assert list(operations) == list(expected)
    for opcode, value in expected.items():
        if isinstance(value, list):
            assert operations[opcode] == tuple(move.uci() for move in value)
        else:
            assert operations[opcode] == (() if value is None else (value,))


@pytest.mark.parametrize("line", SUITE)
def test_what_is_written_reads_back_here_and_there(line):
    state, operations = GAME.parse_epd(line)
    written = GAME.epd_text(state, operations)
    assert GAME.parse_epd(written)[1] == operations
    board = peer.Board()
    there = board.set_epd(written)
    assert list(there) == list(operations)
    assert board.epd(**there) == written  # python-chess writes the very same line


def test_read_liberally():
    suite = f"{START} ;D1 20 ;D2 400"
    assert GAME.parse_epd(suite)[1] == {"D1": (20,), "D2": (400,)}
    state, operations = GAME.parse_epd(f'{START} 7 9 bm e4 d2d4; id "7 9"')
    assert GAME.position_text(state) == f"{START} 7 9"
    assert operations == {"bm": ("e2e4", "d2d4"), "id": ("7 9",)}
    assert GAME.parse_epd(START)[1] == GAME.parse_epd(f"{START} - ;;")[1] == {}
    for end in ("\n", " ", "\r\n", ";\n", " ; \n"):
        assert GAME.parse_epd(f"{START} bm e4{end}")[1] == {"bm": ("e2e4",)}
        assert GAME.parse_epd(START + end)[1] == {}
    assert GAME.parse_epd(rf'{START} c0 "a \"b\" \\ c" d -1.5e3;')[1] == {"c0": ('a "b" \\ c', "d", -1500.0)}


def test_moves_of_a_line_follow_one_another_and_castle_in_chess960():
    line = "rk5r/8/8/8/8/8/8/RK5R w HAha - pv O-O O-O-O;"
    assert GAME960.parse_epd(line)[1]["pv"] == ("b1h1", "b8a8")
    state = GAME960.parse_epd(line)[0]
    assert GAME960.epd_text(state, {"pv": ["b1h1", "O-O-O"]}).endswith("pv O-O O-O-O;")


@pytest.mark.parametrize(
    ("line", "error", "why"),
    [
        ("", BadNotation, "is no EPD"),
        ("8/8/8/8/8/8/8/8 w - - bm e4;", BadNotation, "White has 0 kings"),
        (f"{START} bm Nf6;", IllegalMove, "illegal move Nf6 in rnbq.*no knight can go to f6"),
        (f"{START} bm e2e5;", IllegalMove, "illegal move e2e5 .*pawn on e2 cannot go to e5"),
        (f"{START} pv e4 e4;", IllegalMove, "illegal move e4 in .* b KQkq - 0 1"),
        (f'{START} id "open;', BadNotation, "does not end"),
        (f"{START} bm e4; bm d4;", BadNotation, "'bm' stands there twice"),
        (f"{START} 9x 3;", BadNotation, "an operation such as bm or id is wanted, not '9x'"),
        (f'{START} "id" 3;', BadNotation, "an operation such as bm or id is wanted, not 'id'"),
        (f"{START} hmvc many;", BadNotation, "hmvc takes one whole number"),
    ],
)
def test_bad_lines_are_named(line, error, why):
    with pytest.raises(error, match=why):
        GAME.parse_epd(line)


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ({"no op": 1}, "'no op' is no EPD operation"),
        ({"id": "two\nlines"}, "one line"),
        ({"ce": float("inf")}, "finite"),
        ({"ce": 10**20}, "finite number below"),
        ({"ce": True}, "must be a string or a finite number"),
        ({"id": "two\u2028lines"}, "one line"),
        ({"id": "a line end\n"}, "one line"),
        ({"hmvc": -1}, "from 0 to 999999"),
        ({"bm": ["e5"]}, "illegal move e5"),
    ],
)
def test_what_epd_cannot_hold_is_refused(operations, why):
    with pytest.raises(ValueError, match=why):
        GAME.epd_text(GAME.new(1), operations)


def test_numbers_of_numpy_are_as_good_as_python_s():
    given = {"ce": np.int64(15), "x": np.float64(1.5), "y": np.float32(0.25)}
    assert GAME.epd_text(GAME.new(1), given) == f"{START} ce 15; x 1.5; y 0.25;"


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 1 << 32),
    st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=20),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9),
)
def test_round_trips(seed, text, whole, number):
    rng, board = random.Random(seed), peer.Board()
    for _ in range(rng.randrange(60)):
        if not any(board.legal_moves):
            break
        board.push(rng.choice(list(board.legal_moves)))
    choices = tuple(move.uci() for move in board.legal_moves)[:3]
    operations = {"id": (text,), "ce": (whole,), "x": (number,), "bm": choices, "hmvc": (3,), "fmvn": (7,)}
    written = GAME.epd_text(GAME.parse_position(board.fen()), operations)
    state, read = GAME.parse_epd(written)
    assert read == operations
    assert GAME.position_text(state) == " ".join([*board.fen().split()[:4], "3", "7"])


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='abme45;" \\-.0123456789NfQ+', max_size=40))
def test_any_text_reads_or_is_refused(text):
    try:
        GAME.parse_epd(f"{START} {text}")
    except (BadNotation, IllegalMove):
        pass
    else:
        assert GAME.parse_epd(f"{START} {text}")[0].shape == (1,)


@pytest.mark.parametrize("operation", ["bm --", "bm Nf3 e5", "pv e4 e4"])
def test_moves_that_are_none_are_named_with_operation_and_position(operation):
    with pytest.raises((BadNotation, IllegalMove), match=f"operation {operation[:2]}: .*{START.split()[0][:8]}"):
        GAME.parse_epd(f"{START} {operation};")
