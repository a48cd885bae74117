"""The moves of chess records, many games at once: UCI texts -> actions, legality checked; actions -> SAN, endings.

Games may go on after a draw by rule (bare kings, seventy-five moves, fivefold repetition), as real ones do.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.batches import ready
from sakiyomi.boards.chess import Chess, notation
from sakiyomi.boards.chess.state import STATE
from sakiyomi.boards.game import BadNotation, IllegalMove, States
from sakiyomi.sgf.pgn_tree import PgnTree
from sakiyomi.sgf.record import Record
from sakiyomi.sgf.uci_replay import final_rows, uci_rows

GAMES = {"chess": Chess(), "chess960": Chess(chess960=True)}

_GRAIN = 16  # games that one thread takes at least
_SQUARES = [file + rank for rank in "12345678" for file in "abcdefgh"]
_CODES = {a + b: i | j << 6 for i, a in enumerate(_SQUARES) for j, b in enumerate(_SQUARES)}
_CODES |= {
    _SQUARES[i] + _SQUARES[j] + piece: i | j << 6 | number << 12
    for number, piece in enumerate("nbrq", 1)
    for start, last in ((48, 56), (8, 0))
    for i in range(start, start + 8)
    for j in range(last, last + 8)
    if abs(i % 8 - j % 8) <= 1
}


class Played(NamedTuple):
    """Games played side by side: `starts` the first positions [B]; `firsts` int64 [B + 1], where each one's moves
    begin in `actions` int32 [M]; `played` int32 [B], how many of them are legal.
    """

    starts: States
    firsts: NDArray[np.int64]
    actions: NDArray[np.int32]
    played: NDArray[np.int32]

    def line(self, row: int) -> NDArray[np.int32]:
        """The legal actions of one game."""
        first = int(self.firsts[row])
        return self.actions[first : first + int(self.played[row])]


def game_of(record: Record) -> Chess:
    """`Chess()` or `Chess(chess960=True)`. Raises ValueError for a record of another game."""
    try:
        return GAMES[record.game]
    except KeyError:
        raise ValueError(f"a record of chess or chess960 is wanted, not of {record.game}") from None


def start_of(record: Record) -> States:
    """[1], the first position, read-only. Raises BadNotation if `setup` is none."""
    return _start(record.setup, record.game == "chess960")


@lru_cache(maxsize=2048)
def _start(setup: str | None, chess960: bool) -> States:
    game = Chess(chess960=chess960)
    state = game.new(1) if setup is None else game.parse_position(setup)
    state.setflags(write=False)
    return state


def codes_of(moves: Sequence[str]) -> NDArray[np.uint16]:
    """UCI codes. Raises BadNotation for a text that is no move."""
    try:
        return np.array([_CODES[move] for move in moves], np.uint16)
    except KeyError:
        odd = next(move for move in moves if move not in _CODES)
        raise BadNotation(f"{odd!r} is no move: UCI such as e2e4 or e7e8q is wanted") from None


def known_legal(record: Record) -> bool:
    """Is the main line one that was read from a PGN file, as it was?"""
    tree = record.tree
    mine = (record.moves, record.setup, record.game)
    return isinstance(tree, PgnTree) and mine == (tree.moves, tree.setup, tree.game_name)


def actions_of(record: Record) -> NDArray[np.int32]:
    """The actions of the moves up to the first that is illegal.

    Raises BadNotation for a move or a setup that is none.
    """
    if known_legal(record):
        actions: NDArray[np.int32] = record.tree.actions
        return actions
    return play_records(game_of(record), [record]).line(0)


def action_after_end(game: Chess, state: States, move: str) -> int:
    """The action of a move that is legal but for the draw by rule before it. Raises IllegalMove for another."""
    action = game.parse_move(state, move)
    if action not in [notation.action_of(legal, game.chess960) for legal in notation.moves(state)]:
        raise IllegalMove(f"illegal move {move} in {game.position_text(state)}: {game.why_illegal(state, action)}")
    return action


def play(game: Chess, starts: States, lines: Sequence[NDArray[np.uint16]]) -> Played:
    """Play games of one kind from their first positions [B]."""
    firsts = np.zeros(len(lines) + 1, np.int64)
    np.cumsum([len(line) for line in lines], out=firsts[1:])
    codes = np.concatenate(lines) if lines else np.zeros(0, np.uint16)
    actions, played = np.zeros(len(codes), np.int32), np.zeros(len(lines), np.int32)
    rows.run(uci_rows, len(lines), _GRAIN, _words(starts), game.chess960, firsts, codes, actions, played)
    return Played(starts, firsts, actions, played)


def play_records(game: Chess, records: Sequence[Record]) -> Played:
    """Play records of one kind. Raises BadNotation for a move or a setup that is none."""
    starts = np.concatenate([start_of(record) for record in records]) if records else game.new(0)
    return play(game, starts, [codes_of(record.moves) for record in records])


def endings(
    starts: States,
    chess960: NDArray[np.bool_],
    firsts: NDArray[np.int64],
    actions: NDArray[np.int32],
    drawn: NDArray[np.bool_],
) -> NDArray[np.int8]:
    """[B], how each game of legal actions ended, as its last position tells: codes of `Ending`.

    `drawn` [B] are the games whose result is a draw: for them a draw that could be claimed counts, too.
    """
    found = np.zeros(len(starts), np.int8)
    rows.run(final_rows, len(starts), _GRAIN, _words(starts), chess960, firsts, actions, drawn, found)
    return found


def _words(starts: States) -> NDArray[np.uint64]:
    return ready(starts, STATE).view(np.uint64)
