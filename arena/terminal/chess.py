"""Chess at the terminal: what the person there may say, and the board in colours or in letters."""

import re
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from sakiyomi.arena.terminal.terminal import TurningTable, shows_colours
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Ending
from sakiyomi.boards.position import Position

_MEN = ["   ", *(f" {man} " for man in "♟♞♝♜♛♚")]  # solid for both sides: the colour tells them apart
_LETTERS = "kqrbnp.PNBRQK"  # from Black's king, -6, to White's
_NAMES = ("pawn", "knight", "bishop", "rook", "queen", "king")
_WORTH = np.array([0, 1, 3, 3, 5, 9, 0])
_SQUARES = ("#b9a27c", "#8a6642")  # light, dark
_MOVED = ("#b3a32f", "#94841c")  # the squares of the last move
_CHECK = "#c0392b"
_WIDTH = 27  # of the board in colours
SIDES = ("White", "Black")


class ChessTable(TurningTable):
    """A chessboard, seen from the side of the person who plays."""

    help = """type a move as SAN (Nf3, exd5, O-O, e8=Q) or as squares (g1f3, e7e8q), or one of:
  moves, moves e2   the legal moves, or those of one piece
  undo              take your last move back
  flip, board       turn the board round, show it again
  fen               the position as text
  draw              claim a draw by repetition or the fifty-move rule
  resign, quit      end the game"""
    position_word = "fen"
    square = re.compile("[a-h][1-8]")

    @classmethod
    def laid(cls, game: Any, side: int, rng: np.random.Generator) -> "ChessTable":
        """A table for a new game; Chess960 begins at a start position drawn by `rng`."""
        position = Position(game)
        if game.chess960:
            position.state = game.start(rng.integers(960, size=1))
        return cls(position, side == 1)

    def show(self) -> None:  # noqa: D102
        print()
        self.console.print(chess_board(self.position, self.flipped, self.last(), self.console))
        if self.position.outcome() is None:
            print(chess_status(self.position))
            if claim := chess_claim(self.position):
                print(f"you may claim a draw ({claim}): type draw")

    def text(self, move: str) -> str:  # noqa: D102
        return chess_move(self.position, self.position.action(move))

    def moves_from(self, square: str) -> list[str]:  # noqa: D102
        return chess_moves(self.position, square)

    def other(self, word: str, rest: str) -> bool | None:  # noqa: D102
        if word == "draw":
            return self._draw()
        return super().other(word, rest)

    def _draw(self) -> bool | None:
        if claim := chess_claim(self.position):
            print(f"1/2-1/2 ({claim})")
            return False
        print("no draw can be claimed: the position has not come up three times, nor have fifty quiet moves been made")
        return None


def chess_board(position: Position, flipped: bool, last: str | None, console: Console) -> Text:
    """The board, from Black's side if `flipped`, with the last move (UCI) and a king in check marked.

    In letters where the console has no colours, cannot show chessmen or is too narrow.
    """
    board = position.board()
    coloured = shows_colours(console, "".join(_MEN), _WIDTH)
    moved = {_cell(last[:2]), _cell(last[2:4])} if last else set()
    return _coloured(board, flipped, moved, _checked(position)) if coloured else _lettered(board, flipped)


def _lettered(board: NDArray[np.int8], flipped: bool) -> Text:
    order = range(7, -1, -1) if flipped else range(8)
    lines = [f"{8 - y} " + " ".join(_LETTERS[6 + int(board[y, x])] for x in order) for y in order]
    return Text("\n".join([*lines, "  " + " ".join("abcdefgh"[x] for x in order)]))


def _coloured(board: NDArray[np.int8], flipped: bool, moved: Collection[int], checked: int) -> Text:
    text = Text()
    order = range(7, -1, -1) if flipped else range(8)
    for y in order:
        text.append(f" {8 - y} ", "dim")
        for x in order:
            piece, cell, dark = int(board[y, x]), 8 * y + x, (x + y) % 2
            ground = _CHECK if cell == checked else (_MOVED if cell in moved else _SQUARES)[dark]
            text.append(_MEN[abs(piece)], f"{'bold #ffffff' if piece > 0 else '#000000'} on {ground}")
        text.append("\n")
    text.append("   " + "".join(f" {'abcdefgh'[x]} " for x in order), "dim")
    return text


def _cell(square: str) -> int:
    """a8 is 0, h1 is 63."""
    return 8 * (8 - int(square[1])) + "abcdefgh".index(square[0])


def _checked(position: Position) -> int:
    """The cell of the king in check, or -1."""
    game = position.game
    if not isinstance(game, Chess) or not game.in_check(position.state)[0]:
        return -1
    return int(np.flatnonzero(position.board() == (-6 if position.turn else 6))[0])


def chess_status(position: Position) -> str:
    """Whose turn it is, and what there is to say: "Black to move, in check; material: White +3"."""
    parts = f"{SIDES[position.turn]} to move" + (", in check" if _checked(position) >= 0 else "")
    board = position.board().astype(np.int64)
    lead = int((np.sign(board) * _WORTH[np.abs(board)]).sum())
    return parts + (f"; material: {SIDES[lead < 0]} +{abs(lead)}" if lead else "")


def chess_move(position: Position, action: int) -> str:
    """A legal action with its number, as scores have it: "12. Nf3", "12... Nf6"."""
    game = position.game
    assert isinstance(game, Chess), "SAN is for chess"
    return f"{position.ply // 2 + 1}{'...' if position.turn else '.'} {game.san(position.state, action)}"


def chess_moves(position: Position, square: str = "") -> list[str]:
    """The legal moves in SAN, a line for each kind of piece; those from `square` alone if it is given."""
    game = position.game
    assert isinstance(game, Chess), "SAN is for chess"
    lines: dict[int, list[str]] = {}
    board = position.board().ravel()
    for action in position.legal_actions().tolist():
        origin = game.move_text(position.state, action)[:2]
        if square in ("", origin):
            lines.setdefault(abs(int(board[_cell(origin)])), []).append(game.san(position.state, action))
    return [f"{_NAMES[kind - 1]}: {' '.join(sans)}" for kind, sans in sorted(lines.items())]


def chess_claim(position: Position) -> str:
    """The draw that the player to move may claim, in words, or ""."""
    game = position.game
    claim = int(game.claims(position.state)[0]) if isinstance(game, Chess) else 0
    return Ending(claim).text if claim else ""
