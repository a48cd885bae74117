"""Films of games of shogi against cshogi's boards, and what the report says of shogi."""

import time

import cshogi
import numpy as np
import pytest
from pages import data_of
from shogi_games import cells_of, random_game, record_of

from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.frames import DIGITS, decode, decode_shogi, film, films
from sakiyomi.arena.pages.frames_shogi import CHECKS, LEFT, MOTION, PROMOTES, RIGHT, STRAIGHT
from sakiyomi.arena.pages.report import render
from sakiyomi.boards.shogi import Shogi
from sakiyomi.sgf.record import Record

MATSURI = "l6nl/5+P1gk/2np1S3/p1p4Pp/3P2Sp1/1PPb2P1P/P5GS1/R8/LN4bKL w RGgsn5p 120"
LANCE = "lnsgkgsn1/1r5b1/ppppppppp/9/9/9/PPPPPPPPP/1B5R1/LNSGKGSNL w - 1"


def numbers(shown):
    """The numbers of a film's moves."""
    digits = [DIGITS.index(digit) for digit in shown.changes]
    return [4096 * a + 64 * b + c for a, b, c in zip(digits[::3], digits[1::3], digits[2::3], strict=True)]


def ambiguous(board, move):
    """Could another piece of the same kind go there, by cshogi?"""
    if cshogi.move_is_drop(move):
        kind, origin = cshogi.move_drop_hand_piece(move), None
        piece = (1, 2, 3, 4, 7, 5, 6)[kind] + 16 * board.turn
    else:
        origin = cshogi.move_from(move)
        piece = board.piece(origin)
    others = [other for other in board.legal_moves if not cshogi.move_is_drop(other)]
    return any(
        cshogi.move_to(other) == cshogi.move_to(move)
        and cshogi.move_from(other) != origin
        and board.piece(cshogi.move_from(other)) == piece
        for other in others
    )


def test_every_position_and_flag_is_cshogis():
    starts = [None] * 16 + [MATSURI, LANCE] * 3
    games = [random_game(seed, start) for seed, start in enumerate(starts)]
    shown = films(record_of(moves, start) for (moves, _), start in zip(games, starts, strict=True))
    told = np.zeros(8, int)
    for (moves, boards), start, made in zip(games, starts, shown, strict=True):
        assert (made.fault, made.shogi.setup) == ("", start or "")
        assert made.shogi.check == boards[0].is_check()
        first = boards[0].turn
        assert made.turns == "".join(str((first + ply) % 2) for ply in range(len(moves)))
        for board, cells in zip(boards, decode_shogi(made), strict=True):
            assert (cells == cells_of(board)).all()
        for ply, (move, number) in enumerate(zip(moves, numbers(made), strict=True)):
            flags = PROMOTES * move.endswith("+") | CHECKS * boards[ply + 1].is_check()
            assert number % 4 == flags, (moves, ply)
            relation = number // 4 % 8
            assert (relation > 0) == ambiguous(boards[ply], boards[ply].move_from_usi(move)), (moves, ply)
            told[relation] += 1
    assert (told[[0, MOTION, LEFT, RIGHT, STRAIGHT]] > 3).all()
    assert sum("*" in move for moves, _ in games for move in moves) > 100


def test_decoded_boards_are_the_squares():
    moves, boards = random_game(5, plies=60)
    for board, cells in zip(decode(film(record_of(moves))), boards, strict=True):
        assert board.shape == (9, 9)
        assert (board.ravel() == cells_of(cells)[:81]).all()


@pytest.mark.parametrize(
    ("sfen", "move", "relation"),
    [
        ("4k4/9/9/9/9/9/9/9/2G1K4 b - 1", "7i6h", 0),
        ("4k4/9/9/9/9/9/3G5/9/2G1K4 b - 1", "7i6h", MOTION),  # up, the other would go down
        ("4k4/9/9/9/9/9/9/9/2GGK4 b - 1", "7i6h", LEFT),  # both up
        ("4k4/9/9/9/9/9/9/9/2GGK4 b - 1", "6i6h", STRAIGHT),
        ("4k4/9/9/9/9/9/9/9/2G1G1K2 b - 1", "5i6h", RIGHT),
        ("9/4k4/9/9/9/9/9/2G1G4/2G1G1K2 b - 1", "5i6h", RIGHT + MOTION),  # the other on that side moves sideways
        ("9/4k4/9/9/9/9/9/2G1G4/2G1G1K2 b - 1", "7i6h", LEFT + MOTION),
        ("4k4/9/9/9/9/9/1r1G1K3/9/2G6 b - 1", "7i6h", 0),  # the other gold is pinned
        ("4k4/9/9/9/9/9/4S4/9/2G1K4 b - 1", "7i6h", 0),  # another kind
        ("4k4/9/9/9/9/9/9/9/2G1K4 b G 1", "G*6h", MOTION),
        ("4k4/9/9/9/9/9/9/9/2G1K4 b G 1", "G*5e", 0),
    ],
)
def test_who_else_could_have_gone_there(sfen, move, relation):
    board = cshogi.Board(sfen)
    shown = film(record_of([move], sfen))
    assert (shown.fault, numbers(shown)[0] // 4 % 8) == ("", relation)
    assert ambiguous(board, board.move_from_usi(move)) == (relation > 0)


@pytest.mark.parametrize("wrong", ["7g7e", "3c3d", "P*5e", "7g7f+", "xyzzy", "日本", "2h9z", "resign"])
def test_an_illegal_record_stops_where_it_breaks(wrong):
    moves, _ = random_game(3)
    good, broken = record_of(moves), record_of(["2g2f", "8c8d", wrong, "8d8e"])
    found = films([good, broken, Record("tictactoe", moves=("b2",)), good])
    assert found[0] == found[3] == film(good)
    assert (found[0].fault, found[1].turns) == ("", "01")
    assert found[1].fault.startswith("the record cannot be followed after move 2: ")
    assert found[2].board.style == "tictactoe"
    data = data_of(render("t", [Played(broken, Termination.ILLEGAL_MOVE)]))
    assert data["games"][0][8] == f"{wrong} 8d8e"


def test_a_game_that_is_over_goes_no_further():
    circle = ["2h3h", "8b7b", "3h2h", "7b8b"]
    shown = film(record_of([*circle * 3, "7g7f"]))
    assert (len(shown.turns), shown.fault.rpartition(": ")[2]) == (12, "the game has ended (repetition)")


def test_moves_as_others_write_them():
    shown = film(record_of(["+7776FU", "△３四歩", "８八角成(88)".replace("８八", "２二"), "3a2b"]))
    plain = film(record_of(["7g7f", "3c3d", "8h2b+", "3a2b"]))
    assert (shown, shown.fault) == (plain, "")


def test_a_first_position_that_is_none_has_no_film():
    assert film(record_of([], "4k4 b - 1")) is None
    assert film(record_of(["7g7f"], "")) is None


def test_games_without_moves_and_none():
    shown = film(record_of([]))
    assert (shown.changes, shown.turns) == ("", "")
    assert (decode_shogi(shown)[0] == cells_of(cshogi.Board())).all()
    assert films([]) == []


def test_the_longest_hands():
    sfen = "4k4/9/9/9/9/9/9/9/4K4 b 2R2B4G4S4N4L18P 1"
    cells = decode_shogi(film(record_of(["P*5e"], sfen)))
    assert cells[0][81:88].tolist() == [18, 4, 4, 4, 4, 2, 2]
    assert cells[1][81] == 17
    assert cells[1][40] == 1


def test_hundreds_of_games_stay_small_and_quick():
    games = [Played(record_of(random_game(seed)[0]), Termination.NORMAL) for seed in range(20)]
    render("t", games[:1])  # what is compiled is compiled now
    began = time.process_time()
    full = render("t", games)
    seconds = time.process_time() - began
    assert (len(full) - len(render("t", games[:1]))) / 19 < 800
    assert seconds < 2


def test_the_page_names_sides_and_endings():
    played = [Played(record_of(["7g7f"], ending="perpetual check", result="0-1"), Termination.NORMAL)]
    page = render("t", played)
    assert "Black moves first" in page
    assert "perpetual check" in page
    assert data_of(page)["boards"][0]["columns"] == [*"987654321"]
    handicap = render("t", [*played, Played(record_of(["3c3d"], LANCE), Termination.NORMAL)])
    assert "Black moves first but in 1 of 2 games and scores" in handicap
    assert "being Black is worth" in handicap
    assert "<dt>Moves a game</dt><dd>1<" in handicap


def test_the_handicaps_are_shown_as_they_stand():
    game = Shogi()
    for name in ("lance", "two-piece", "ten-piece"):
        sfen = game.position_text(game.handicap(name))
        shown = film(record_of([], sfen))
        assert (decode_shogi(shown)[0] == cells_of(cshogi.Board(sfen))).all()
