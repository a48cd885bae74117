"""A record as a film: the first board, and what every move changes on it, in a few bytes a move.

The page that shows games knows no rules; it only applies these changes. One change is three characters: the cell
(row by row from the top) in two digits of base 64, then the new piece plus 32 in one. The changes of a move stand
together, the cell that the move itself fills first; moves are split by commas. A pass is an empty string. In chess and
shogi pieces move, and the changes are written as `frames_chess` and `frames_shogi` say.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game
from sakiyomi.boards.go.notation import COLUMNS, star_points
from sakiyomi.boards.position import Position
from sakiyomi.sgf.record import Record

if TYPE_CHECKING:
    from sakiyomi.arena.pages import frames_chess, frames_shogi

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""The digits of base 64, in the order of their value."""

SIDES = {
    "go": ("Black", "White"),
    "othello": ("Black", "White"),
    "tictactoe": ("X", "O"),
    "connect4": ("Red", "Yellow"),
    "chess": ("White", "Black"),
    "shogi": ("Black", "White"),
}
"""What the two sides are called, by style of board."""


@dataclass(frozen=True)
class Board:
    """How to draw the game `name`: `style` (a key of `SIDES`, or "squares"), the size in cells, the labels of columns
    from the left and rows from the top, the cells with a dot, and the names of the two sides.
    """

    name: str
    style: str
    width: int
    height: int
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    dots: tuple[int, ...]
    sides: tuple[str, str]


@dataclass(frozen=True)
class Chessmen:
    """What the page shows of a game of chess beyond the pieces.

    `sans` are the moves in SAN; `setup` is the FEN of the first position, "" for the usual one; the rest makes a FEN of
    every position and is explained at `frames_chess.Line`.
    """

    sans: tuple[str, ...]
    setup: str
    rights: tuple[tuple[int, str], ...]
    passants: tuple[tuple[int, str], ...]
    check: bool


@dataclass(frozen=True)
class Shogimen:
    """What the page shows of a game of shogi beyond the pieces: the SFEN of the first position, "" for the usual one,
    and whether a king stood in check there.
    """

    setup: str
    check: bool


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
    chess: Chessmen | None = None
    shogi: Shogimen | None = None


def film(record: Record) -> Film | None:
    """The film of a record, up to its first illegal move; None for a game that is not known here.

    Moves are played by the rules that the record's tags name ("rules", "komi").
    """
    return films([record])[0]


def films(records: Iterable[Record]) -> list[Film | None]:
    """The films of many records; games of chess and of shogi are played side by side."""
    found: list[Film | None] = []
    together: dict[str, list[tuple[int, Record]]] = {}
    for index, record in enumerate(records):
        shown = None
        with suppress(ValueError):
            game = _game(record.game, record.tags.get("rules", ""), record.tags.get("komi", ""))
            if game.name in _TOGETHER:
                together.setdefault(game.name, []).append((index, record))
            else:
                shown = _film(game, record)
        found.append(shown)
    for name, members in together.items():
        made = _TOGETHER[name](name, [record for _, record in members])
        for (index, _), shown in zip(members, made, strict=True):
            found[index] = shown
    return found


def _film(game: Game, record: Record) -> Film:
    """The film of a game in which pieces are put. Raises ValueError where the first position is none."""
    position = Position(game, record.setup)
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


def _chess_films(name: str, records: list[Record]) -> list[Film | None]:
    from sakiyomi.arena.pages.frames_chess import chess_lines
    from sakiyomi.boards.chess import Chess

    game = Chess(chess960=name == "chess960")
    lines = chess_lines(game, records)
    return [line and _chess_film(game, record, line) for record, line in zip(records, lines, strict=True)]


def _chess_film(game: Game, record: Record, line: "frames_chess.Line") -> Film:
    board = game.board(line.root)
    setup = "" if record.setup is None else game.position_text(line.root)
    rights, passants = tuple(line.rights), tuple(line.passants.items())
    chessmen = Chessmen(tuple(line.sans), setup, rights, passants, line.check)
    turns = _alternating(line.first, len(line.sans))
    return Film(_board(game.name, board), _start(board.tobytes()), line.changes, turns, line.fault, chess=chessmen)


def _shogi_films(_name: str, records: list[Record]) -> list[Film | None]:
    from sakiyomi.arena.pages.frames_shogi import shogi_lines
    from sakiyomi.boards.shogi import Shogi

    return [line and _shogi_film(line) for line in shogi_lines(Shogi(), records)]


def _shogi_film(line: "frames_shogi.Line") -> Film:
    board = _board("shogi", line.cells[:81].reshape(9, 9))
    turns = _alternating(line.first, line.plies)
    shogimen = Shogimen(line.setup, line.check)
    return Film(board, _start(line.cells.tobytes()), line.changes, turns, line.fault, shogi=shogimen)


_TOGETHER: dict[str, Callable[[str, list[Record]], list[Film | None]]] = {
    "chess": _chess_films,
    "chess960": _chess_films,
    "shogi": _shogi_films,
}
"""How films are made of the games whose pieces move, many at a time."""


def _alternating(first: int, plies: int) -> str:
    return "".join(str((first + ply) % 2) for ply in range(plies))


def followed(game: Game, record: Record) -> tuple[list[str], str]:
    """The legal moves at the start of a record as the game writes them, and why there are no more."""
    position = Position(game, record.setup)
    moves: list[str] = []
    for move in record.moves:
        try:
            action = position.action(move)
        except ValueError as error:
            return moves, f"the record cannot be followed after move {len(moves)}: {error}"
        moves.append(game.move_text(position.state, action))
        position.play(action)
    return moves, ""


@lru_cache(maxsize=1024)
def _start(board: bytes) -> str:
    cells = np.frombuffer(board, np.int8)
    return _changes(np.zeros_like(cells), cells, 0)


@lru_cache(maxsize=64)
def board_of(name: str) -> Board | None:
    """What the game `name` is played on; None for one that is not known here."""
    try:
        game = make_game(name)
    except ValueError:
        return None
    return _board(game.name, Position(game).board())


def first_side(record: Record) -> int:
    """Who moves first: 0, or 1 for the second player, as some first positions have it."""
    return _first_side(record.game, record.setup) if record.setup else 0


@lru_cache(maxsize=1024)
def _first_side(name: str, setup: str) -> int:
    try:
        return Position(make_game(name), setup).turn
    except ValueError:
        return 0


def decode(film: Film) -> list[NDArray[np.int8]]:
    """The boards [Y, X] of a film: the first, and that after each move."""
    if film.shogi:
        return [cells[:81].reshape(9, 9) for cells in decode_shogi(film)]
    board = np.zeros(film.board.width * film.board.height, np.int8)
    _put(board, film.start)
    boards = [board.copy()]
    if film.chess:
        parts = re.findall(r"\((.*?)\)|(..)", film.changes)
    else:
        parts = [("", part) for part in film.changes.split(",")] if film.turns else []
    for more, plain in parts:
        if film.chess:
            _slide(board, more or plain)
        else:
            _put(board, plain)
        boards.append(board.copy())
    return [board.reshape(film.board.height, film.board.width) for board in boards]


def decode_shogi(film: Film) -> list[NDArray[np.int8]]:
    """The cells [95] of a film of shogi, board and hands, as `frames_shogi` numbers them."""
    from sakiyomi.arena.pages.frames_shogi import shogi_cells

    cells = np.zeros(95, np.int8)
    _put(cells, film.start)
    return shogi_cells(cells, film.changes)


def _put(board: NDArray[np.int8], part: str) -> None:
    """Carry out the changes of a move where pieces are put."""
    for at in range(0, len(part), 3):
        high, low, piece = (DIGITS.index(digit) for digit in part[at : at + 3])
        board[64 * high + low] = piece - 32


def _slide(board: NDArray[np.int8], part: str) -> None:
    """Carry out the changes of a move where pieces move."""
    cells = [DIGITS.index(digit) for digit in part]
    pairs = list(zip(cells[::2], cells[1::2], strict=False))
    moved = [(to, board[origin]) for origin, to in pairs if origin != to]
    board[[origin for origin, _ in pairs]] = 0
    for to, piece in moved:
        board[to] = cells[-1] - 32 if len(cells) % 2 else piece


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
        "shogi": (tuple(str(width - x) for x in range(width)), letters),
    }.get(style, (letters, upward))
    dots = sorted(y * width + x for x, y in star_points(width, height)) if style == "go" else ()
    return Board(name, style, width, height, columns, rows, tuple(dots), SIDES.get(style, ("First", "Second")))
