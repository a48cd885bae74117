"""Tic-tac-toe solved: the value of each of its 5,478 positions, and search to a limited depth by the same rule.

Scores are for the player to move: 0 is a draw, a win with n squares left empty at the end counts n + 1, and a loss the
winner's score negated.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import States
from sakiyomi.boards.tictactoe import LINES

Board = tuple[int, ...]  # by square: 1 the mover's, -1 the other's, 0 empty


@cache
def score(board: Board, depth: int = 9) -> int:
    """The score for the player to move, looking `depth` plies ahead; 0 for what lies beyond."""
    if any(all(board[square] == -1 for square in line) for line in LINES.tolist()):
        return -(board.count(0) + 1)
    if depth == 0 or 0 not in board:
        return 0
    return max(-score(after(board, square), depth - 1) for square in range(9) if board[square] == 0)


def after(board: Board, square: int) -> Board:
    """The board once the player to move has taken `square`, seen by the next."""
    return tuple(-1 if number == square else -piece for number, piece in enumerate(board))


def movers_board(root: States) -> Board:
    """The board of `root` [1] as the player to move sees it."""
    return tuple((root["board"][0] * (1 - 2 * int(root["turn"][0]))).tolist())


def look_ahead(root: States, depth: int, actions: NDArray[np.int64]) -> int:
    """The best of the legal `actions` in `root` [1], looking `depth` plies ahead; the first of equals."""
    board = movers_board(root)
    return int(max(actions, key=lambda square: -score(after(board, int(square)), depth - 1)))
