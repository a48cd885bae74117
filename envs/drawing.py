"""Boards as pictures (NumPy alone, no window system), as text, or printed: what `render` gives."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Game, States, one
from sakiyomi.envs import pieces
from sakiyomi.envs.pieces import Colour, Layers
from sakiyomi.envs.shapes import disc, mean, text

RENDER_MODES = ("human", "ansi", "rgb_array")
Picture = NDArray[np.uint8]

SQUARE = 48  # pixels of a square or a point
WOOD, LINES, PAPER, NOTE = (222, 184, 122), (70, 50, 26), (245, 241, 232), (92, 84, 74)
LIGHT, DARK = (236, 217, 181), (174, 128, 92)
FELT, FELT_LINE, RACK = (38, 118, 78), (20, 72, 46), (44, 92, 176)
_GO_COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
_FILES = "ABCDEFGH"


def check_mode(mode: str | None) -> str | None:
    """`mode` if it is one. Raises ValueError for others."""
    if mode is not None and mode not in RENDER_MODES:
        raise ValueError(f"render_mode is one of {', '.join(map(repr, RENDER_MODES))} or None, got {mode!r}")
    return mode


def show(game: Game, state: Any, mode: str | None) -> Any:
    """The board as `mode` says: None printed, a text or a picture. Raises ValueError without a mode."""
    if mode is None:
        raise ValueError('nothing to render: the environment was made without a render_mode ("human", "ansi", ...)')
    if mode == "rgb_array":
        return picture(game, state)
    drawn = f"{game.draw(state)}\n"
    if mode == "ansi":
        return drawn
    print(drawn)
    return None


def picture(game: Game, state: Any, square: int = SQUARE) -> Picture:
    """uint8 [H, W, 3], the board of `state` with coordinates, a square or point `square` pixels wide.

    Games that have no picture of their own get their pieces as black and white stones.
    """
    state = one(state)
    kind = re.match(r"[a-z]+", game.name)
    draw = _BOARDS.get(kind[0] if kind else "", _stones)
    return draw(game, state, square)


class Canvas:
    """A picture of rows and columns of squares, with a margin of half a square for coordinates."""

    def __init__(self, rows: int, columns: int, square: int, colour: Colour, left: int = 0, right: int = 0):
        self.square, self.rows, self.columns = square, rows, columns
        self.top = self.side = square // 2
        self.left = self.side + left * square  # room for what stands beside the board
        size = (rows * square + 2 * self.top, (columns + left + right) * square + 2 * self.side, 3)
        self.pixels = np.empty(size, np.float32)
        self.pixels[:] = colour

    def at(self, row: float, column: float) -> tuple[slice, slice]:
        """The pixels of a square."""
        y, x = self.top + round(row * self.square), self.left + round(column * self.square)
        return slice(y, y + self.square), slice(x, x + self.square)

    def board(self) -> tuple[slice, slice]:
        """The pixels of all squares."""
        y, x = self.top, self.left
        return slice(y, y + self.rows * self.square), slice(x, x + self.columns * self.square)

    def lay(self, layers: Layers, row: float, column: float) -> None:
        """Lay a piece on a square."""
        part = self.pixels[self.at(row, column)]
        for mask, colour in layers:
            part += mask[:, :, None] * (np.array(colour, np.float32) - part)

    def grid(self, row: float, column: float, rows: int, columns: int, colour: Colour, width: int = 1) -> None:
        """`rows` lines across and `columns` lines down, a square apart; the first two cross at (row, column)."""
        y, x = self.top + round(row * self.square), self.left + round(column * self.square)
        high, wide = (rows - 1) * self.square, (columns - 1) * self.square
        for k in range(rows):
            down = y + k * self.square - width // 2
            self.pixels[down : down + width, x - width // 2 : x + wide + (width + 1) // 2] = colour
        for k in range(columns):
            across = x + k * self.square - width // 2
            self.pixels[y - width // 2 : y + high + (width + 1) // 2, across : across + width] = colour

    def names(self, columns: str | list[str], rows: str | list[str], colour: Colour = NOTE) -> None:
        """Write names under the columns and beside the rows, from the top."""
        small = self.side
        for column, name in enumerate(columns):
            self._note(name, self.top + self.rows * self.square, self.left + column * self.square, colour, small, True)
        for row, name in enumerate(rows):
            self._note(name, self.top + row * self.square, self.left - small, colour, small, False)

    def _note(self, name: str, y: int, x: int, colour: Colour, small: int, below: bool) -> None:
        middle = (self.square - small) // 2
        y, x = (y, x + middle) if below else (y + middle, x)
        part = self.pixels[y : y + small, x : x + small]
        part += text(small, name, 0.46)[:, :, None] * (np.array(colour, np.float32) - part)

    def done(self) -> Picture:
        """The picture."""
        return np.rint(self.pixels).astype(np.uint8)


def _occupied(board: NDArray[np.int8]) -> Iterator[tuple[int, int, int]]:
    """Row, column and piece of all that is not empty."""
    for row, column in np.argwhere(board):
        yield int(row), int(column), int(board[row, column])


def _go(game: Game, state: States, square: int) -> Picture:
    board = game.board(state)
    rows, columns = board.shape
    canvas = Canvas(rows, columns, square, WOOD)
    grain = 3 * np.sin(np.arange(canvas.pixels.shape[1]) / 9.0 + 2 * np.sin(np.arange(canvas.pixels.shape[1]) / 47.0))
    canvas.pixels += grain[None, :, None].astype(np.float32)
    canvas.grid(0.5, 0.5, rows, columns, LINES, max(1, square // 32))
    dot = ((mean(disc(square, 0.5, 0.5, 0.085)), LINES),)
    for row in _star_rows(rows):
        for column in _star_rows(columns):
            if (row, column) == (rows // 2, columns // 2) or min(rows, columns) >= 9:
                canvas.lay(dot, row, column)
    for row, column, colour in _occupied(board):
        canvas.lay(pieces.stone(square, colour > 0), row, column)
    last = int(state["last"][0])
    if last:
        row, column = divmod(last, columns + 1)  # the padded board has one border column
        black = board[row - 1, column - 1] > 0
        ring = disc(square, 0.5, 0.5, 0.24) & ~disc(square, 0.5, 0.5, 0.19)
        canvas.lay(((mean(ring), (240, 240, 236) if black else pieces.INK),), row - 1, column - 1)
    canvas.names(_GO_COLUMNS[:columns], [str(rows - row) for row in range(rows)], LINES)
    return canvas.done()


def _star_rows(lines: int) -> list[int]:
    """The lines that star points lie on."""
    if lines < 5:
        return []
    edge = 2 if lines < 12 else 3
    if lines < 7:
        return [lines // 2] if lines % 2 else []
    return [edge, lines // 2, lines - 1 - edge] if lines % 2 else [edge, lines - 1 - edge]


def _chess(game: Game, state: States, square: int) -> Picture:
    canvas = Canvas(8, 8, square, PAPER)
    for row in range(8):
        for column in range(8):
            canvas.pixels[canvas.at(row, column)] = DARK if (row + column) % 2 else LIGHT
    for row, column, piece in _occupied(game.board(state)):
        canvas.lay(pieces.chess_piece(square, abs(piece), piece > 0), row, column)
    canvas.names(_FILES, "87654321")
    return canvas.done()


def _shogi(game: Game, state: States, square: int) -> Picture:
    canvas = Canvas(9, 9, square, PAPER, left=2, right=2)
    canvas.pixels[canvas.board()] = WOOD
    canvas.grid(0, 0, 10, 10, LINES, max(1, square // 32))
    dot = ((mean(disc(square, 0.5, 0.5, 0.07)), LINES),)
    for row, column in ((2.5, 2.5), (2.5, 5.5), (5.5, 2.5), (5.5, 5.5)):
        canvas.lay(dot, row, column)
    for row, column, piece in _occupied(game.board(state)):
        canvas.lay(pieces.shogi_piece(square, abs(piece), piece > 0), row, column)
    hands: Any = getattr(game, "hands", None)
    if hands is not None:
        for black, counts in zip((True, False), hands(state), strict=True):
            held = [kind for kind in range(7, 0, -1) if counts[kind]]
            for place, kind in enumerate(held):
                row = 8 - place if black else place
                column = 9.6 if black else -1.6
                canvas.lay(pieces.shogi_piece(square, kind, black), row, column)
                if counts[kind] > 1:
                    count = ((text(square, str(counts[kind]), 0.26), LINES),)
                    canvas.lay(count, row, column + 0.7 if black else column - 0.7)
    canvas.names("987654321", "")
    return canvas.done()


def _tictactoe(game: Game, state: States, square: int) -> Picture:
    canvas = Canvas(3, 3, 2 * square, PAPER)
    y, x = canvas.board()
    wide = max(2, square // 12)
    for k in (1, 2):
        at = k * 2 * square - wide // 2
        canvas.pixels[y.start + at : y.start + at + wide, x] = NOTE
        canvas.pixels[y, x.start + at : x.start + at + wide] = NOTE
    for row, column, piece in _occupied(game.board(state)):
        canvas.lay(pieces.sign(2 * square, piece > 0), row, column)
    return canvas.done()


def _connect4(game: Game, state: States, square: int) -> Picture:
    board = game.board(state)
    canvas = Canvas(board.shape[0], board.shape[1], square, PAPER)
    canvas.pixels[canvas.board()] = RACK
    for row in range(board.shape[0]):
        for column in range(board.shape[1]):
            piece = board[row, column]
            colour = PAPER if not piece else (214, 62, 54) if piece > 0 else (242, 202, 60)
            layers = pieces.token(square, colour)
            canvas.lay(layers if piece else layers[:1], row, column)
    canvas.names("1234567", "")
    return canvas.done()


def _othello(game: Game, state: States, square: int) -> Picture:
    board = game.board(state)
    canvas = Canvas(board.shape[0], board.shape[1], square, PAPER)
    canvas.pixels[canvas.board()] = FELT
    canvas.grid(0, 0, board.shape[0] + 1, board.shape[1] + 1, FELT_LINE, max(1, square // 24))
    for row, column, piece in _occupied(board):
        canvas.lay(pieces.stone(square, piece > 0), row, column)
    canvas.names(_FILES[: board.shape[1]], [str(row + 1) for row in range(board.shape[0])])
    return canvas.done()


def _stones(game: Game, state: States, square: int) -> Picture:
    board = game.board(state)
    canvas = Canvas(board.shape[0], board.shape[1], square, PAPER)
    canvas.grid(0, 0, board.shape[0] + 1, board.shape[1] + 1, NOTE)
    for row, column, piece in _occupied(board):
        canvas.lay(pieces.stone(square, piece > 0), row, column)
    return canvas.done()


_BOARDS: dict[str, Callable[[Game, States, int], Picture]] = {
    "go": _go,
    "chess": _chess,
    "shogi": _shogi,
    "tictactoe": _tictactoe,
    "connect": _connect4,
    "othello": _othello,
}
