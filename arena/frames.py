"""A record as a film: the first board, and what every move changes on it, in a few bytes a move.

The page that shows games knows no rules; it only applies these changes. One change is three characters: the cell
(row by row from the top) in two digits of base 64, then the new piece plus 32 in one. The changes of a move stand
together, the cell that the move itself fills first; moves are split by commas. A pass is an empty string.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game
from sakiyomi.boards.go.notation import COLUMNS, star_points
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""The digits of base 64, in the order of their value."""

SIDES = {
    "go": ("Black", "White"),
    "othello": ("Black", "White"),
    "tictactoe": ("X", "O"),
    "connect4": ("Red", "Yellow"),
}
"""What the two sides are called, by style of board."""


@dataclass(frozen=True)
class Board:
    """How to draw a game: `style` (a key of `SIDES`, or "squares"), the size in cells, the labels of columns from the
    left and rows from the top, the cells with a dot, and the names of the two sides.
    """

    style: str
    width: int
    height: int
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    dots: tuple[int, ...]
    sides: tuple[str, str]


@dataclass(frozen=True)
class Film:
    """A game on `board`: the first position and the changes of every move, encoded.

    `turns` has a 0 or 1 for each move: who played it. `fault` says why the film ends before the record, or "".
    """

    board: Board
    start: str
    changes: str
    turns: str
    fault: str


def film(record: Record) -> Film | None:
    """The film of a record, up to its first illegal move; None for a game that is not known here.

    Moves are played by the rules that the record's tags name ("rules", "komi").
    """
    try:
        game = _game(record.game, record.tags.get("rules", ""), record.tags.get("komi", ""))
        position = Position(game, record.setup)
    except ValueError:
        return None
    before = position.board()
    start = _changes(np.zeros_like(before), before, 0)
    plies: list[str] = []
    turns: list[str] = []
    fault = ""
    for move in record.moves:
        turn = position.turn
        try:
            position.play(move)
        except ValueError as error:
            fault = f"the record cannot be followed after move {len(plies)}: {error}"
            break
        after = position.board()
        plies.append(_changes(before, after, 1 - 2 * turn))
        turns.append(str(turn))
        before = after
    return Film(_board(record.game, before), start, ",".join(plies), "".join(turns), fault)


def decode(film: Film) -> list[NDArray[np.int8]]:
    """The boards [Y, X] of a film: the first, and that after each move."""
    board = np.zeros(film.board.width * film.board.height, np.int8)
    boards = []
    for part in [film.start, *(film.changes.split(",") if film.turns else ())]:
        for at in range(0, len(part), 3):
            high, low, piece = (DIGITS.index(digit) for digit in part[at : at + 3])
            board[64 * high + low] = piece - 32
        boards.append(board.reshape(film.board.height, film.board.width).copy())
    return boards


def _changes(before: NDArray[np.int8], after: NDArray[np.int8], sign: int) -> str:
    """The cells that differ. First the one that was empty and now holds a piece of the side `sign` (+1 or -1)."""
    old, new = before.ravel(), after.ravel()
    cells = np.flatnonzero(old != new)
    placed = (old[cells] == 0) & (np.sign(new[cells]) == sign)
    return "".join(
        DIGITS[cell >> 6] + DIGITS[cell & 63] + DIGITS[int(new[cell]) + 32]
        for cell in cells[np.argsort(~placed, kind="stable")].tolist()
    )


@lru_cache(maxsize=64)
def _game(name: str, rules: str, komi: str) -> Game:
    """The game that a record was played by. Rules or a komi that are not understood are left at the game's own."""
    options: dict[str, Any] = {}
    for option, value in (("rules", rules), ("komi", komi)):
        try:
            wanted = {option: float(value) if option == "komi" else value} if value else {}
            make_game(name, **options, **wanted)
        except ValueError:
            continue
        options |= wanted
    return make_game(name, **options)


def _board(name: str, board: NDArray[np.int8]) -> Board:
    height, width = board.shape
    style = next((style for style in SIDES if name.startswith(style)), "squares")
    upward = tuple(str(height - y) for y in range(height))
    downward = tuple(str(y + 1) for y in range(height))
    letters = tuple("abcdefghijklmnopqrstuvwxyz"[:width])
    columns, rows = {
        "go": (tuple(COLUMNS[:width]), upward),
        "othello": (letters, downward),
        "connect4": (tuple(str(x + 1) for x in range(width)), ("",) * height),
    }.get(style, (letters, upward))
    dots = sorted(y * width + x for x, y in star_points(width, height)) if style == "go" else ()
    return Board(style, width, height, columns, rows, tuple(dots), SIDES.get(style, ("First", "Second")))
