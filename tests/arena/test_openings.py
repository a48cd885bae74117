"""Openings from files and at random."""

import pytest

from sakiyomi.arena.schedules.openings import load_openings, random_openings
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.position import Position

TICTACTOE = make_game("tictactoe")
GO = make_game("go-9x9")


def test_the_ordinary_start():
    assert load_openings("", TICTACTOE, 5) == (Opening(),)


def test_random_openings_are_legal_different_and_reproducible():
    openings = random_openings(GO, 4, 30, seed=1)
    assert len(set(openings)) == 30
    for opening in openings:
        position = Position(GO)
        for move in opening.moves:
            assert move != "pass"
            position.play(move)
        assert position.outcome() is None
    assert random_openings(GO, 4, 30, seed=1) == openings
    assert random_openings(GO, 4, 10, seed=1) == openings[:10]
    assert random_openings(GO, 4, 30, seed=2) != openings


def test_a_game_with_few_openings_repeats_them():
    openings = random_openings(TICTACTOE, 1, 12, seed=0)
    assert len(openings) == 12
    assert len(set(openings)) == 9


def test_no_plies_are_the_ordinary_start():
    assert load_openings("random:0", TICTACTOE, 5) == (Opening(),)


def test_a_file_of_lines(tmp_path):
    path = tmp_path / "openings.txt"
    path.write_text("# two openings\nB2 a1, c3  # the diagonal\n\n\ta1\n")
    assert load_openings(str(path), TICTACTOE, 1) == (Opening(("b2", "a1", "c3")), Opening(("a1",)))


def test_a_file_of_game_records(tmp_path):
    path = tmp_path / "openings.sgf"
    path.write_text("(;GM[1]FF[4]SZ[9];B[ee];W[cc])\n(;GM[1]FF[4]SZ[9];B[gg])")
    assert load_openings(str(path), GO, 1) == (Opening(("E5", "C7")), Opening(("G3",)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("b2 a1\nb2 b2\n", r"openings .*o\.txt, line 2: move 2 \(b2\): .*the square is taken"),
        ("a1 z9", r"line 1: move 2 \(z9\): 'z9' is no move of tic-tac-toe"),
        ("# nothing\n\n", "holds none"),
        ("a1 a2 b1 b2 c1", "line 1: the game is over after these 5 moves"),
    ],
)
def test_wrong_files_are_answered_with_line_move_and_rule(tmp_path, text, words):
    path = tmp_path / "o.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        load_openings(str(path), TICTACTOE, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(;SZ[9];B[ee];W[gc", "game 1, byte 15, line 1: the file ends inside a value"),
        ("(;SZ[9];B[ee];W[gc])(;SZ[9];B[ee];W[gc]", "game 2, byte 39, line 1: the file ends inside a game"),
        ("(;SZ[9];B[ee];B[gc])", "the same colour moves twice"),
        ("(;SZ[9];B[ee])(;SZ[9];B[zz])", "is no point of"),
    ],
)
def test_faulty_records_are_refused(tmp_path, text, words):
    path = tmp_path / "o.sgf"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"openings .*o\.sgf.*{words}"):
        load_openings(str(path), GO, 1)


def test_records_of_another_game(tmp_path):
    path = tmp_path / "o.sgf"
    path.write_text("(;GM[1]FF[4]SZ[19];B[ee])")
    with pytest.raises(ValueError, match="game 1: it is a game of go-19x19, go-9x9 is wanted"):
        load_openings(str(path), GO, 1)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.txt", "no such file"),
        ("random:x", "a number of plies is wanted"),
        ("random:-1", "a number of plies is wanted"),
        ("random:9", "games of tictactoe are over by then"),
    ],
)
def test_wrong_sources(source, words):
    with pytest.raises(ValueError, match=words):
        load_openings(source, TICTACTOE, 3)


def test_move_numbers_may_stand_in_lines(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("1. d4 d5 2. c4\n1.e4 e5 2.Nf3 Nc6\n1. d4 2... d5  # odd numbers are no matter\n")
    found = load_openings(str(path), make_game("chess"), 1)
    assert [opening.moves for opening in found] == [
        ("d2d4", "d7d5", "c2c4"),
        ("e2e4", "e7e5", "g1f3", "b8c6"),
        ("d2d4", "d7d5"),
    ]
