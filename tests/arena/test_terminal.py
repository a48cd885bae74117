"""Chess at the terminal: the dialogue with a scripted opponent, and the board in letters and in colours."""

from io import StringIO

import chess
import pytest
from rich.console import Console

from sakiyomi.arena import terminal
from sakiyomi.arena.terminal import play_in_terminal
from sakiyomi.arena.terminal_chess import chess_board, chess_claim, chess_move, chess_moves, chess_status
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position

PROMOTED = "e4 d5 e5 f5 exf6 Qd6 fxg7 Bd7 gxh8=N Nc6 Nf3 O-O-O Be2 Ne5 O-O Nxf3+"


class Scripted:
    """Plays the moves it is given."""

    name = "script"

    def __init__(self, moves):
        self.moves = iter(moves.split())

    def begin(self, game, side, rng):
        self.side = side

    def choose(self, position, budget):
        assert position.turn == self.side
        return next(self.moves)

    def close(self):
        pass


@pytest.fixture
def sit_down(monkeypatch, capsys):
    """Play a game as `side` with these answers against these moves; what was printed."""

    def play(answers, replies, side=0, game=None, seed=1):
        lines = iter(answers)

        def answer(prompt):
            try:
                return next(lines)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr(terminal, "make_player", lambda spec, game: Scripted(replies))
        play_in_terminal(game or Chess(), "script", side, Budget(), seed)
        return capsys.readouterr().out

    return play


def position_after(sans, game=None):
    position = Position(game or Chess())
    for san in sans.split():
        position.play(san)
    return position


def test_san_and_squares_are_understood_and_told(sit_down):
    out = sit_down(["f3", "g2g4"], "e7e5 d8h4")
    assert "script: 1... e5\n" in out
    assert "script: 2... Qh4#\n" in out
    assert out.endswith("0-1 (checkmate): you lose\n")


def test_from_blacks_side(sit_down):
    out = sit_down(["e5", "Qh4"], "f2f3 g2g4", side=1)
    assert "script: 1. f3\n" in out
    board = out.split("Black to move")[0].splitlines()
    assert board[-9:] == [
        "1 R N B K Q B N R",
        "2 P P . P P P P P",
        "3 . . P . . . . .",
        *("4 . . . . . . . .", "5 . . . . . . . .", "6 . . . . . . . ."),
        "7 p p p p p p p p",
        "8 r n b k q b n r",
        "  h g f e d c b a",
    ]
    assert out.endswith("0-1 (checkmate): you win\n")


def test_help_on_illegal_moves(sit_down):
    out = sit_down(["e2e5", "Nd4", "xyzzy", "help", "moves e2", "moves e5", "moves"], "")
    assert "illegal move e2e5: the pawn on e2 cannot go to e5\nfrom e2: e3 e4\n" in out
    assert "illegal move Nd4: no legal move is knight to d4\n" in out
    assert "'xyzzy' is no move" in out
    assert out.count("as SAN (Nf3, exd5, O-O, e8=Q)") == 2
    assert "\npawn: e3 e4\n" in out
    assert "no legal move from e5" in out
    assert "pawn: a3 a4 b3 b4 c3 c4 d3 d4 e3 e4 f3 f4 g3 g4 h3 h4\nknight: " in out
    assert out.count("a b c d e f g h") == 1  # the board is not repeated for answers that change nothing


def test_undo_flip_and_the_position(sit_down):
    out = sit_down(["undo", "e4", "undo", "flip", "flip", "board", "fen"], "e7e5")
    assert "there is no move of yours to take back" in out
    assert out.rstrip().endswith(f"White to move\n{chess.STARTING_FEN}")
    assert out.count("h g f e d c b a") == 1
    assert out.count("a b c d e f g h") == 5


def test_a_draw_is_claimed_when_it_can_be(sit_down):
    out = sit_down(["draw", "Nf3", "Ng1", "Nf3", "Ng1", "draw"], "g8f6 f6g8 g8f6 f6g8")
    assert "no draw can be claimed" in out
    assert out.count("you may claim a draw (repetition)") == 1
    assert out.endswith("1/2-1/2 (repetition)\n")


def test_chess960_starts_from_a_drawn_position(sit_down):
    boards = {sit_down([], "", game=Chess(chess960=True), seed=seed).split("8 ")[1][:15] for seed in range(6)}
    assert len(boards) > 3
    assert all(sorted(board[::2]) == sorted("rnbqkbnr") for board in boards)


def test_what_is_said_of_a_position():
    position = position_after(PROMOTED)
    assert chess_status(position) == "White to move, in check; material: White +6"
    assert chess_moves(position) == ["pawn: gxf3", "bishop: Bxf3", "king: Kh1"]
    assert chess_moves(position, "e2") == ["bishop: Bxf3"]
    assert chess_move(position, position.action("Kh1")) == "9. Kh1"
    assert chess_claim(position) == ""
    assert chess_status(position_after("")) == "White to move"


def colours(text):
    """[8][8] of (chessman, its colour, the square's colour) as a console gets them."""
    console = Console(width=80)
    rows, row = [], []
    for segment in text.render(console):
        if segment.style and segment.style.bgcolor:
            row.append((segment.text.strip(), segment.style.color.name, segment.style.bgcolor.name))
        elif row:
            rows.append(row)
            row = []
    return rows


def coloured_console(**more):
    return Console(file=StringIO(), force_terminal=True, color_system="truecolor", **more)


@pytest.mark.parametrize("flipped", [False, True])
def test_the_coloured_board(monkeypatch, flipped):
    monkeypatch.delenv("NO_COLOR", raising=False)
    position = position_after(PROMOTED)
    board = chess.Board(position.text())
    rows = colours(chess_board(position, flipped, "e5f3", coloured_console()))
    for y in range(8):
        for x in range(8):
            square = 63 - chess.square(x, 7 - y) if flipped else chess.square(x, 7 - y)
            man, ink, ground = rows[y][x]
            piece = board.piece_at(square)
            assert man == (" ♟♞♝♜♛♚"[piece.piece_type] if piece else "")
            assert not piece or ink == ("#ffffff" if piece.color else "#000000")
            light = bool(chess.BB_SQUARES[square] & chess.BB_LIGHT_SQUARES)
            if square == chess.G1:
                assert ground == "#c0392b"
            elif square in (chess.E5, chess.F3):
                assert ground == ("#b3a32f" if light else "#94841c")
            else:
                assert ground == ("#b9a27c" if light else "#8a6642")


@pytest.mark.parametrize("more", [{"no_color": True}, {"force_terminal": False}])
def test_letters_where_there_are_no_colours(more):
    console = Console(**{"file": StringIO(), "force_terminal": True, "color_system": "truecolor", **more})
    assert str(chess_board(position_after(""), False, None, console)) == str(Position(Chess()))
