"""Chess and shogi at the terminal: the dialogue with a scripted opponent, and the board in letters and in colours."""

from io import BytesIO, StringIO, TextIOWrapper

import chess
import cshogi
import pytest
from rich.cells import cell_len
from rich.console import Console
from shogi_games import random_game, western

from sakiyomi.arena.terminal import terminal
from sakiyomi.arena.terminal.chess import chess_board, chess_claim, chess_move, chess_moves, chess_status
from sakiyomi.arena.terminal.shogi import (
    WESTERN,
    fitting,
    shogi_board,
    shogi_moves,
    shogi_status,
    why_no_declaration,
)
from sakiyomi.arena.terminal.shogi import western as our_western
from sakiyomi.arena.terminal.terminal import play_in_terminal
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi

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
    assert "illegal move Nd4: no knight can go to d4\ntype moves" in out
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


@pytest.mark.parametrize("more", [{"no_color": True}, {"force_terminal": False}, {"width": 26}])
def test_letters_where_there_are_no_colours(more):
    console = Console(**{"file": StringIO(), "force_terminal": True, "color_system": "truecolor", **more})
    assert str(chess_board(position_after(""), False, None, console)) == str(Position(Chess()))


# ---- shogi

MATSURI = "l6nl/5+P1gk/2np1S3/p1p4Pp/3P2Sp1/1PPb2P1P/P5GS1/R8/LN4bKL w RGgsn5p 120"
ENTERED = "KGG1+P+P+P+P+P/1R1B1SS2/9/9/9/9/9/9/4k4 b 9P2GL 1"
"""Eleven pieces beside the king; with the hand 31 points."""


def held_out(text):
    return Position(Shogi(), text)


def test_shogi_in_usi_csa_and_kif(sit_down):
    out = sit_down(["7g7f", "+2726FU", "▲２五歩"], "3c3d 8c8d 8d8e", game=Shogi())
    assert "script: 2. 3c3d (P-3d)\n" in out
    assert "script: 4. 8c8d (P-8d)\n" in out
    assert "  .  p  .  .  .  .  .  P  . e\n" in out
    assert out.count("Black to move") == 4


def test_shogi_in_western_texts(sit_down):
    out = sit_down(["P-7f", "bx2b+", "Bx2b+", "K-5h", "B*5e", "S38"], "3c3d 3a2b 8c8d 8d8e 8e8f", game=Shogi())
    assert "'bx2b+' is no move" in out
    assert "script: 4. 3a2b (Sx2b)\n" in out
    assert out.count("Black to move") == 6
    out = sit_down(["G-5h", "G4i-5h", "P*5e", "K-5f", "P-7d", "G6i-5i", "P-7f+"], "3c3d", game=Shogi())
    assert "G-5h may be 4i5h or 6i5h: name the square that the piece leaves\n" in out
    assert "script: 2. 3c3d" in out
    assert "illegal move P*5e: Black has no pawn in hand\ntype moves" in out
    assert "illegal move 5i5f: the king on 5i cannot go to 5f\nfrom 5i: " in out
    assert "illegal move P-7d: no pawn can go to 7d\ntype moves for the legal moves" in out
    assert "illegal move 6i5i: Black's own king stands on 5i\n" in out
    assert "illegal move P-7f+: no pawn can go to 7f and promote\n" in out


@pytest.mark.parametrize("seed", [3, 4])
def test_western_texts_are_understood_as_they_are_told(seed):
    for start in (None, MATSURI):
        position = Position(Shogi(), start)
        for move in random_game(seed, start, 60)[0]:
            text, action = our_western(position, position.action(move)), position.action(move)
            told = [text, text.replace("x", "-"), text.replace("=", "")]
            for liberal in told:
                assert [move] == [
                    position.game.move_text(position.state, found)
                    for found in fitting(position, WESTERN.fullmatch(liberal))
                ]
            assert position.action(move) == action
            position.play(move)


@pytest.mark.parametrize(
    ("sfen", "move", "rule"),
    [
        ("4k4/9/9/9/4p4/9/4P4/9/4K4 b P 1", "P*5f", "Black has a pawn on file 5 already (nifu)"),
        ("7pk/9/7+P1/7L1/9/9/9/9/K8 b PN 1", "P*1b", "a dropped pawn must not give mate (uchifuzume)"),
        ("7pk/9/7+P1/7L1/9/9/9/9/K8 b PN 1", "N*1b", "a knight dropped on 1b could never move"),
        ("k8/4P4/9/9/9/9/9/9/K8 b - 1", "5b5a", "a pawn on 5a could never move again: it must promote"),
        ("4k4/9/9/9/9/9/9/4r4/3GK4 b - 1", "6i6h", "Black's king would be in check"),
    ],
)
def test_refusals_name_the_rule(sit_down, monkeypatch, sfen, move, rule):
    state = held_out(sfen).state
    monkeypatch.setattr(Shogi, "new", lambda self, batch: state.copy())
    out = sit_down([move], "", game=Shogi()).partition("illegal move ")[2]
    assert out.startswith(f"{move}: {rule}\n")
    assert max(map(len, out.splitlines())) < 80  # long lists are not shown unasked
    if "*" in move:
        assert f"type moves {move[:2]} for the legal ones" in out


def test_shogi_from_whites_side(sit_down):
    out = sit_down([], "7g7f", side=1, game=Shogi())
    board = out.split("White to move")[0].splitlines()
    assert board[-12:] == [
        "Black holds nothing",
        "  1  2  3  4  5  6  7  8  9",
        "  L  N  S  G  K  G  S  N  L i",
        "  .  R  .  .  .  .  .  B  . h",
        "  P  P  P  P  P  P  .  P  P g",
        "  .  .  .  .  .  .  P  .  . f",
        *(f"  .  .  .  .  .  .  .  .  . {rank}" for rank in "ed"),
        "  p  p  p  p  p  p  p  p  p c",
        "  .  b  .  .  .  .  .  r  . b",
        "  l  n  s  g  k  g  s  n  l a",
        "White holds nothing",
    ]


def test_help_on_illegal_moves_of_shogi(sit_down):
    out = sit_down(["2g2e", "P*5e", "xyzzy", "help", "moves 7g", "moves 5e", "moves"], "", game=Shogi())
    assert "illegal move 2g2e: the pawn on 2g cannot go to 2e\nfrom 2g: 2g2f\n" in out
    assert "illegal move P*5e: Black has no pawn in hand\ntype moves" in out
    assert "'xyzzy' is no move" in out
    assert out.count("type a move as USI (7g7f") == 2
    assert "\npawn: 7g7f\n" in out
    assert "no legal move from 5e" in out
    assert out.count("9  8  7  6  5  4  3  2  1") == 1


def test_undo_flip_and_the_position_of_shogi(sit_down):
    out = sit_down(["undo", "7g7f", "undo", "flip", "board", "sfen"], "3c3d", game=Shogi())
    assert "there is no move of yours to take back" in out
    assert out.rstrip().endswith(f"Black to move\n{cshogi.STARTING_SFEN}")
    assert out.count("  1  2  3  4  5  6  7  8  9") == 2


def test_the_opponent_of_shogi_resigns_or_declares(sit_down):
    assert sit_down(["7g7f"], "resign", game=Shogi()).endswith("script resigns: you win\n")
    out = sit_down(["7g7f"], "win", game=Shogi())
    assert out.endswith("script declares the entering king: 1-0 (the conditions are not fulfilled): you win\n")


def test_declaring_the_entering_king(sit_down, monkeypatch):
    assert "you cannot declare: your king is not in the three" in sit_down(["win"], "", game=Shogi())
    state = held_out(ENTERED).state
    monkeypatch.setattr(Shogi, "new", lambda self, batch: state.copy())
    out = sit_down(["win"], "", game=Shogi())
    assert "the entering king may be declared: type win" in out
    assert out.endswith("1-0 (declaration)\n")
    assert sit_down([], "win", side=1, game=Shogi()).endswith(
        "script declares the entering king: 1-0 (declaration): you lose\n"
    )


@pytest.mark.parametrize(
    ("sfen", "why"),
    [
        (cshogi.STARTING_SFEN, "your king is not in the three furthest ranks"),
        (ENTERED, ""),
        (ENTERED.replace("1R1B", "rR1B"), "your king is in check"),
        (
            ENTERED.replace("1SS2", "5"),
            "beside the king 9 of your pieces are in the three furthest ranks, 10 are wanted",
        ),
        (ENTERED.replace("9P2GL", "2P"), "these and your hand make 21 points, 28 are wanted"),
    ],
)
def test_why_there_is_no_declaration(sfen, why):
    assert why_no_declaration(held_out(sfen)) == why
    board = cshogi.Board(sfen)
    assert board.is_nyugyoku() == (why == "")


def test_western_texts_are_those_made_from_cshogi():
    for start, seed in ((None, 5), (MATSURI, 6)):
        moves, boards = random_game(seed, start, 50)
        position = Position(Shogi(), start)
        for move, board in zip(moves, boards, strict=False):
            assert our_western(position, position.action(move)) == western(board, move)
            position.play(move)


def test_what_is_said_of_a_position_of_shogi():
    position = held_out(MATSURI)
    assert shogi_status(position) == "White to move"
    position.play("G*2h")
    assert shogi_status(position) == "Black to move, in check"
    assert shogi_moves(position) == ["rook: 9h2h"]
    position = held_out("4k4/9/9/9/9/9/9/+P+R+B6/4K4 b 2P 1")
    assert [line.partition(":")[0] for line in shogi_moves(position)] == [
        *("king", "promoted pawn", "horse", "dragon", "pawn drops")
    ]
    assert shogi_moves(position, "p*")[0].startswith("pawn drops: P*9b")


def test_the_board_of_shogi_in_letters():
    for start in (None, MATSURI):
        position = Position(Shogi(), start)
        assert str(shogi_board(position, False, None, Console(file=StringIO()))) == str(position)


def test_letters_where_there_is_no_room():
    for width, letters in ((38, False), (37, True)):
        board = str(shogi_board(held_out(MATSURI), False, None, coloured_console(width=width)))
        assert (board == str(held_out(MATSURI))) == letters


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_letters_where_there_are_no_kanji(encoding):
    console = Console(file=TextIOWrapper(BytesIO(), encoding), force_terminal=True, color_system="truecolor")
    assert str(shogi_board(held_out(MATSURI), False, None, console)) == str(held_out(MATSURI))


KANJI = ".歩香桂銀金角飛玉と杏圭全.馬龍"


@pytest.mark.parametrize("flipped", [False, True])
def test_the_coloured_board_of_shogi(monkeypatch, flipped):
    monkeypatch.delenv("NO_COLOR", raising=False)
    position = held_out(MATSURI)
    position.play("G*2h")
    text = shogi_board(position, flipped, "G*2h", coloured_console())
    lines = text.plain.splitlines()
    assert lines[0] == (" Black holds 飛 金" if flipped else " White holds 銀 桂 歩5")
    assert lines[-1] == (" White holds 銀 桂 歩5" if flipped else " Black holds 飛 金")
    assert {cell_len(line) for line in lines[2:-1]} == {38}
    assert lines[1].split() == sorted("123456789", reverse=not flipped)
    board = position.board()
    rows = colours(text)
    for y in range(9):
        for x in range(9):
            man, ink, ground = rows[8 - y][8 - x] if flipped else rows[y][x]
            piece = int(board[y, x])
            face = "王" if piece == -8 else KANJI[abs(piece)] if piece else ""
            assert man == ("v" if piece and (piece < 0) != flipped else "") + face
            if piece:
                assert (
                    ink
                    == {(0, 0): "#000000", (0, 1): "#7a0000", (1, 0): "#ffffff", (1, 1): "#ffc4b8"}[
                        (piece < 0, abs(piece) > 8)
                    ]
                )
            if (9 - x, y) == (2, 7):
                assert ground == "#7d8f2e"
            elif piece == 8:
                assert ground == "#c0392b"
            else:
                assert ground in ("#a17d4b", "#98744a")
