"""Results of positions that are known before the game is over: of small games by search, of chess by tablebases."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sakiyomi.agents.perfect import Solver
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import Game
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.position import Position
from sakiyomi.boards.tictactoe import TicTacToe

KnownResults = Callable[[Position], "tuple[int | None, str] | None"]
"""Who wins a position under best play (None: nobody) and how that is known; None where it is not."""

CONNECT4_DISCS, OTHELLO_EMPTY = 24, 12
"""From so many discs on, with so few squares empty, a game is solved in a few milliseconds."""
FIFTY_MOVES = 100  # plies without capture or pawn move after which a game of chess is drawn


def check_solved(game: Game) -> None:
    """Raises ValueError for a game of which no end can be solved here."""
    if not isinstance(game, TicTacToe | ConnectFour | Othello):
        raise ValueError(f"solved: tictactoe, connect4 and othello can be solved, not {game.name}")


def solved_result(position: Position) -> tuple[int | None, str] | None:
    """The result of a small game, from where it takes only moments to solve: always at the same place of a game."""
    game, state = position.game, position.state
    empty = int(np.count_nonzero(position.board() == 0))
    if isinstance(game, ConnectFour) and 42 - empty < CONNECT4_DISCS:
        return None
    if isinstance(game, Othello) and empty > OTHELLO_EMPTY:
        return None
    score = _solver().bounded(game, state, -1, 1, 1 << 62)
    assert score is not None, "nothing limits the search"
    winner = None if score == 0 else position.turn if score > 0 else 1 - position.turn
    return winner, "the game is solved from here"


@cache
def _solver() -> Solver:
    return Solver()


class Tablebases:
    """Syzygy tablebases, through python-chess; `tables` is its `chess.syzygy.Tablebase`."""

    def __init__(self, tables: Any):
        self._tables = tables
        self._most = max(len(name) - 1 for name in tables.wdl)  # of the pieces on the board: "KQvK" has three

    @staticmethod
    def of(folders: str, game: Game) -> "Tablebases":
        """Those in `folders`, separated as in PATH. Raises ValueError if there are none, or for a game but chess."""
        if not isinstance(game, Chess):
            raise ValueError(f"tablebases: there are tablebases of chess, not of {game.name}")
        return _open(folders)

    def result(self, position: Position) -> tuple[int | None, str] | None:
        """The result, with the fifty-move rule: a win that comes too late for it is a draw.

        The tables suppose that the last move was a capture or a pawn's. Where it was not, a win is one only if they
        tell that the next such move, or mate, comes in time.
        """
        import chess

        if int(np.count_nonzero(position.board())) > self._most:
            return None
        board = chess.Board(position.text(), chess960=position.game.name == "chess960")
        if board.castling_rights:
            return None
        told = self._tables.get_wdl(board)
        if told is None:
            return None
        if abs(told) < 2:
            return None, "a draw by the tablebases"
        if board.halfmove_clock and not self._in_time(board):
            return None
        return (position.turn if told > 0 else 1 - position.turn), "won by the tablebases"

    def _in_time(self, board: Any) -> bool:
        """Does the winner make progress before fifty moves are over? Distances are known but for a ply."""
        plies = self._tables.get_dtz(board)
        return plies is not None and board.halfmove_clock + abs(plies) < FIFTY_MOVES


@cache
def _open(folders: str) -> Tablebases:
    import chess.syzygy

    tables = chess.syzygy.Tablebase()
    for folder in folders.split(os.pathsep):
        if not Path(folder).is_dir():
            raise ValueError(f"tablebases: there is no folder {folder!r}")
        tables.add_directory(folder)
    if not tables.wdl:
        raise ValueError(f"tablebases: there is no Syzygy file (such as KQvK.rtbw) in {folders!r}")
    return Tablebases(tables)
