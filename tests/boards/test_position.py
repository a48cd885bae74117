"""`Position`: checked play, undo, copies, texts, perft and outcomes, on the small games."""

import numpy as np
import pytest

from sakiyomi.boards import BadNotation, Ending, IllegalMove, Outcome, Position
from sakiyomi.boards.catalog import GAMES, make_game
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.tictactoe import TicTacToe


def test_play_and_undo():
    position = Position(ConnectFour())
    for move in ("4", "4", 2):
        position.play(move)
    assert (position.ply, position.turn, position.actions) == (3, 1, (3, 3, 2))
    texts = [position.text()]
    position.undo()
    texts.append(position.text())
    assert texts == [
        "......./......./......./......./...O.../..XX...",
        "......./......./......./......./...O.../...X...",
    ]
    position.undo()
    position.undo()
    assert position == Position(ConnectFour())
    with pytest.raises(IndexError, match="no move to undo"):
        position.undo()


def test_refused_moves_change_nothing():
    position = Position(TicTacToe(), "X.O/.X./...")
    before = position.state.copy()
    for move in ("a3", 0, 9, -1, "zz"):
        with pytest.raises(BadNotation if move == "zz" else IllegalMove):
            position.play(move)
    assert np.all(position.state == before)
    assert position.actions == ()


def test_illegal_move_says_what_where_and_why():
    with pytest.raises(IllegalMove) as caught:
        Position(TicTacToe(), "X.O/.X./...").play("A3")
    assert str(caught.value) == "illegal move A3 in X.O/.X./...: the square is taken"
    with pytest.raises(IllegalMove, match=r"action 9 is not one of tictactoe's 0\.\.8"):
        Position(TicTacToe()).play(9)


def test_copies_are_independent():
    position = Position(Othello())
    position.play("d3")
    twin, later = position.copy(), position.after("c5")
    twin.play("c3")
    assert (position.ply, twin.ply, later.ply) == (1, 2, 2)
    twin.undo()
    twin.undo()
    assert twin == Position(Othello())
    assert position.text() == "......../......../...X..../...XX.../...XO.../......../......../........ O"
    assert later.text() == "......../......../...X..../...XX.../..OOO.../......../......../........ X"


def test_equality_is_by_game_and_text():
    short, long = Position(ConnectFour()), Position(ConnectFour())
    for move in "4455":
        short.play(move)
    for move in "5544":
        long.play(move)
    assert short == long
    assert hash(short) == hash(long)
    assert short != Position(ConnectFour())
    assert Position(Othello(size=6)) != Position(Othello())
    assert short != short.text()


def test_outcomes():
    assert Position(TicTacToe()).outcome() is None
    assert Position(TicTacToe(), "XXX/OO./...").outcome() == Outcome(0, Ending.LINE)
    assert Position(TicTacToe(), "OOO/XX./X..").outcome() == Outcome(1, Ending.LINE)
    assert Position(TicTacToe(), "XXO/OOX/XOX").outcome() == Outcome(None, Ending.FULL_BOARD)


def test_board_and_representation():
    position = Position(TicTacToe(), "X.O/.X./...")
    assert position.board().tolist() == [[1, 0, -1], [0, 1, 0], [0, 0, 0]]
    assert repr(position) == "Position(tictactoe, 'X.O/.X./...')"
    assert str(position) == "3 X . O\n2 . X .\n1 . . .\n  a b c"


def test_perft_edges():
    assert Position(TicTacToe()).perft(0) == 1
    assert Position(TicTacToe()).perft(10) == 0
    with pytest.raises(ValueError, match="0 or more, got -1"):
        Position(TicTacToe()).perft(-1)


def test_score_is_for_go_only():
    with pytest.raises(TypeError, match="tictactoe has no score"):
        Position(TicTacToe()).score()


def test_catalog():
    for name in GAMES:
        assert make_game(name).name == name
    assert make_game("othello-6x6") == Othello(size=6)
    with pytest.raises(ValueError, match=r"unknown game 'backgammon'; there are: go-9x9, .*othello"):
        make_game("backgammon")
    with pytest.raises(ValueError, match=r"'tictactoe' does not take the option 'komi'"):
        make_game("tictactoe", komi=1.5)
    with pytest.raises(ValueError, match="6x6 or 8x8, got size 7"):
        make_game("othello-7x7")
    with pytest.raises(ValueError, match="square"):
        make_game("othello-6x8")


def test_copies_keep_their_own_past():
    position = Position(TicTacToe())
    position.play("a1")
    twin = position.copy()
    position.undo()
    position.play("b2")
    twin.undo()
    assert twin.text() == Position(TicTacToe()).text()
    after = position.after("a3")
    position.undo()
    position.play("c1")
    after.undo()
    after.undo()
    assert after.text() == Position(TicTacToe()).text()


@pytest.mark.parametrize("value", [0.7, 1.5, None])
def test_only_whole_numbers_are_actions_and_depths(value):
    position = Position(TicTacToe())
    with pytest.raises(TypeError):
        position.play(value)
    with pytest.raises(TypeError):
        position.perft(value)
