"""Chess records as lines for the page: many games replayed side by side, with SAN, squares and what a FEN needs.

`Line.changes` holds the moves one after the other, from and to as a base 64 digit each (cells row by row from the top
left, so a8 is A). What does more stands in brackets: castling is two such pairs, taken up together and put down
together; a pair of one cell twice takes off what stands there (en passant); an odd last digit is what the piece
becomes, plus 32 (promotion).
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.arena.pages.frames import DIGITS, followed
from sakiyomi.boards.chess import Chess, fen
from sakiyomi.boards.chess.actions import PLANES, TARGET
from sakiyomi.boards.chess.state import (
    CASTLING,
    DIAGONALS,
    EP_BITS,
    HOT,
    KINGS,
    KNIGHTS,
    META,
    ORTHOGONALS,
    OWN,
    PAWNS,
    STATE,
)
from sakiyomi.boards.game import States
from sakiyomi.sgf.chess_moves import codes_of, play, start_of
from sakiyomi.sgf.pgn_columns import san_texts
from sakiyomi.sgf.record import Record

GAMES = 64  # played side by side
QUEEN = 4
_ONE = np.uint64(1)
_BACK_RANKS = np.uint64(0xFF000000000000FF)
_BOARDS = [int(board) for board in (PAWNS, KNIGHTS, DIAGONALS, ORTHOGONALS, KINGS)]
_RIGHTS = {
    sum(1 << square for square, sign in zip((7, 0, 63, 56), "KQkq", strict=True) if sign in text): text or "-"
    for text in map("".join, product(("K", ""), ("Q", ""), ("k", ""), ("q", "")))
}
"""Castling rights of standard chess by the board of the rooks that may castle."""
Numbers = NDArray[np.int64]
Words = NDArray[np.uint64]


class Line(NamedTuple):
    """A game as it was played, up to its first illegal move; `fault` says why it ends there, or is "".

    `changes` as the module says; `sans` the moves; `rights` the castling rights as a FEN has them, each with the ply
    from which they hold; `passants` the squares that a FEN names for en passant, by ply; `first` whose turn it was at
    the start, and `check` whether that player stood in check.
    """

    root: States
    sans: list[str]
    changes: str
    rights: list[tuple[int, str]]
    passants: dict[int, str]
    first: int
    check: bool
    fault: str


def chess_lines(game: Chess, records: Sequence[Record]) -> list[Line | None]:
    """The lines of records of `game`; None where the first position is none."""
    lines: list[Line | None] = [None] * len(records)
    roots = [_root(record) for record in records]
    moves: list[Sequence[str]] = [record.moves for record in records]
    faults = [""] * len(records)
    for index, root in enumerate(roots):
        if root is not None and not _readable(moves[index]):
            moves[index], faults[index] = followed(game, records[index])
    todo = [index for index, root in enumerate(roots) if root is not None]
    for first in range(0, len(todo), GAMES):
        part = todo[first : first + GAMES]
        block = _Block(game, np.concatenate([roots[index] for index in part]), [moves[index] for index in part])
        for index, line in zip(part, block.lines(), strict=True):
            if len(line.sans) < len(moves[index]):
                faults[index] = followed(game, records[index])[1]
            lines[index] = line._replace(fault=faults[index])
    return lines


def _root(record: Record) -> States | None:
    try:
        return start_of(record)
    except ValueError:
        return None


def _readable(moves: Sequence[str]) -> bool:
    """Are all moves written as UCI?"""
    try:
        codes_of(moves)
    except ValueError:
        return False
    return True


class _Block:
    """Games side by side, each up to its first illegal move.

    `hot` uint64 [N, 9] has the words that search copies of all positions of the first game, then of the second, ...;
    `turn` int64 [N] whose ply it is; `game` and `ply` int64 [N] of which game and after how many moves; `moved` bool
    [N], False for the last position of each game; `actions` int32, one for each True in `moved`.
    """

    def __init__(self, game: Chess, roots: States, moves: Sequence[Sequence[str]]):
        self.rules, self.roots = game, roots
        played = play(game, roots, [codes_of(line) for line in moves])
        self.counts = played.played.astype(np.int64)
        lines = [played.line(row) for row in range(len(moves))]
        self.actions = np.concatenate(lines)
        self.game = np.repeat(np.arange(len(lines)), self.counts + 1)
        self.ends = np.cumsum(self.counts + 1)
        self.ply = np.arange(len(self.game)) - np.repeat(self.ends - self.counts - 1, self.counts + 1)
        self.moved = self.ply < self.counts[self.game]
        self.turn = (roots["turn"].astype(np.int64)[self.game] + self.ply) % 2
        self.hot = self._play(lines)

    def _play(self, lines: Sequence[NDArray[np.int32]]) -> Words:
        states = self.roots.copy()
        words = states.view(np.uint64).reshape(len(states), -1)
        hot = np.empty((int(self.counts.max(initial=0)) + 1, len(states), int(HOT)), np.uint64)
        hot[0] = words[:, : int(HOT)]
        for ply in range(1, len(hot)):
            alive = np.flatnonzero(self.counts >= ply)
            moving = states[alive]
            self.rules.play(moving, np.array([lines[row][ply - 1] for row in alive.tolist()], np.int32))
            states[alive] = moving
            hot[ply] = words[:, : int(HOT)]
        return hot[self.ply, self.game]

    def lines(self) -> Iterator[Line]:
        """The lines of the games, without faults."""
        modes = np.full(len(self.roots), self.rules.chess960)
        sans = san_texts(self.roots, self.actions, self.counts, modes)
        changes = _changes(self.hot[self.moved], self.turn[self.moved], self.actions.astype(np.int64))
        checks = self.rules.in_check(self.roots)
        first = 0
        for row, count in enumerate(self.counts.tolist()):
            span, at = slice(first, first + count), slice(self.ends[row] - count - 1, self.ends[row])
            rights, passants = self._fen_parts(self.hot[at], self.turn[at])
            root, turn = self.roots[row : row + 1], int(self.turn[at.start])
            yield Line(root, sans[span], "".join(changes[span]), rights, passants, turn, bool(checks[row]), "")
            first += count

    def _fen_parts(self, hot: Words, turn: Numbers) -> tuple[list[tuple[int, str]], dict[int, str]]:
        """The castling rights of a game's positions where they change, and the en passant squares."""
        castling = hot[:, CASTLING]
        keys = [_real(castling, turn)]
        if self.rules.chess960:  # how a right is written depends on the other rooks
            keys += [np.where(castling == 0, castling, board) for board in _back_ranks(hot, turn)]
        changed = np.ones(len(hot), np.bool_)
        changed[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
        rights: list[tuple[int, str]] = []
        for ply in np.flatnonzero(changed).tolist():
            standard = not self.rules.chess960
            text = _RIGHTS[int(keys[0][ply])] if standard else fen.write(_row(hot[ply])).split()[2]
            if not rights or rights[-1][1] != text:
                rights.append((ply, text))
        squares = (hot[:, META] & EP_BITS).astype(np.int64) ^ 56 * turn
        passing = np.flatnonzero(hot[:, META] & EP_BITS).tolist()
        return rights, {ply: fen.square_name(int(squares[ply])) for ply in passing}


def _changes(hot: Words, turn: Numbers, actions: Numbers) -> list[str]:
    """What the page plays, a text for each of N positions and moves; see the module."""
    origin, plane = (actions // PLANES) ^ 56, actions % PLANES
    lesser = plane >= 64
    target = TARGET[64 * origin + np.where(lesser, 0, plane)].astype(np.int64)
    target[lesser] = (origin + 7 + (plane - 64) // 3)[lesser]
    pawn, king = _on(hot[:, PAWNS], origin), _on(hot[:, KINGS], origin)
    taken = _on(np.bitwise_or.reduce(hot[:, _BOARDS], axis=1), target)
    onto_rook = _on(hot[:, OWN], target)
    becomes = np.where(lesser, 1 + (plane - 64) % 3, np.where(pawn & (target >= 56), QUEEN, 0))

    flip = 56 * (1 - turn)  # from the mover's view to cells from the top left
    pairs = zip((origin ^ flip).tolist(), (target ^ flip).tolist(), strict=True)
    found = [DIGITS[a] + DIGITS[b] for a, b in pairs]
    for at in np.flatnonzero(king & (onto_rook | (np.abs(target - origin) == 2))).tolist():
        rook = int(target[at]) if onto_rook[at] else 7 * int(target[at] > origin[at])
        found[at] = _castling(int(origin[at]), rook, int(flip[at]))
    for at in np.flatnonzero(pawn & ~taken & (origin % 8 != target % 8)).tolist():
        found[at] = f"({found[at]}{2 * DIGITS[(target[at] - 8) ^ flip[at]]})"
    for at in np.flatnonzero(becomes).tolist():
        found[at] = f"({found[at]}{DIGITS[32 + (1 - 2 * turn[at]) * (1 + becomes[at])]})"
    return found


def _castling(king: int, rook: int, flip: int) -> str:
    """The two pairs of a castling move; a piece that stays where it is has none."""
    pairs = [(king, 6 if rook > king else 2), (rook, 5 if rook > king else 3)]
    text = "".join(DIGITS[origin ^ flip] + DIGITS[to ^ flip] for origin, to in pairs if origin != to)
    return text if len(text) == 2 else f"({text})"


def _on(boards: Words, squares: Numbers) -> NDArray[np.bool_]:
    """Are the squares on the boards?"""
    found: NDArray[np.bool_] = (boards >> squares.astype(np.uint64)) & _ONE == _ONE
    return found


def _real(boards: Words, turn: Numbers) -> Words:
    """Boards as White sees them."""
    return np.where(turn == 1, boards.byteswap(), boards)


def _back_ranks(hot: Words, turn: Numbers) -> list[Words]:
    """The rooks, the kings and the white pieces on the first and the last rank, as White sees them."""
    occupied = np.bitwise_or.reduce(hot[:, _BOARDS], axis=1)
    white = np.where(turn == 1, occupied & ~hot[:, OWN], hot[:, OWN])
    return [_real(board, turn) & _BACK_RANKS for board in (hot[:, ORTHOGONALS], hot[:, KINGS], white)]


def _row(hot: Words) -> States:
    """The record with these hot words and no history."""
    states: States = np.zeros(1, STATE)
    states.view(np.uint64)[: int(HOT)] = hot
    return states
