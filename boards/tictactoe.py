"""Tic-tac-toe: the whole `Game` interface in one screen of NumPy. Read this before the faster games.

::

    3  0 1 2      Actions are squares, numbered from the top left; moves are a column letter and a row: "b2" is the
    2  3 4 5      centre, action 4. The first player has X. A position is written by rows from the top, "X.O/.X./..O";
    1  6 7 8      whose turn it is follows from the counts.
       a b c
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import BadNotation, Ending, States, Symmetry, one, replay_by_playing
from sakiyomi.boards.rollout import rollout_by_playing
from sakiyomi.boards.symmetry import board_symmetries

STATE = np.dtype((np.record, [("board", np.int8, 9), ("turn", np.int8), ("ply", np.int8)]))
"""`board`: 0 empty, 1 the first player's, -1 the second's, by action."""

LINES = np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6]])

# Ending and result are looked up by the board's number, in whose ternary digits 0 is an O, 2 an X.
_POWERS = 3 ** np.arange(9)
_BOARDS = np.arange(3**9)[:, None] // _POWERS % 3 - 1
_EMPTY = 3**9 // 2  # the number of the empty board
_LINED = _BOARDS[:, LINES].sum(axis=2)  # [boards, 8] sums of -3..3
_RESULT = ((_LINED == 3).any(axis=1) * 1 - (_LINED == -3).any(axis=1)).astype(np.float32)
_FULL = np.where(_BOARDS.all(axis=1), Ending.FULL_BOARD, Ending.ONGOING)
_ENDING = np.where(_RESULT != 0, Ending.LINE, _FULL).astype(np.int8)


@dataclass(frozen=True)
class TicTacToe:
    """Three in a row on a board of 3 x 3. Fulfils the `Game` protocol, which documents the methods."""

    name = "tictactoe"
    dtype = STATE
    num_actions = 9
    planes = (2, 3, 3)  # the mover's pieces, the other's
    max_plies = 9

    def new(self, batch: int) -> States:  # noqa: D102
        return np.zeros(batch, STATE)

    def legal(self, states: States) -> NDArray[np.bool_]:  # noqa: D102
        return np.asarray((states["board"] == 0) & (self.ending(states) == 0)[:, None])

    def play(self, states: States, actions: NDArray[np.integer[Any]]) -> None:  # noqa: D102
        states["board"][np.arange(len(states)), actions] = 1 - 2 * states["turn"]
        states["turn"] ^= 1
        states["ply"] += 1

    def turn(self, states: States) -> NDArray[np.int8]:  # noqa: D102
        return np.array(states["turn"])

    def ending(self, states: States) -> NDArray[np.int8]:  # noqa: D102
        return np.asarray(_ENDING[states["board"] @ _POWERS + _EMPTY])

    def result(self, states: States) -> NDArray[np.float32]:  # noqa: D102
        return np.asarray(_RESULT[states["board"] @ _POWERS + _EMPTY])

    def observe(self, states: States) -> NDArray[np.float32]:  # noqa: D102
        own = states["board"] * (1 - 2 * states["turn"])[:, None]
        return np.stack([own == 1, own == -1], axis=1).astype(np.float32).reshape(-1, *self.planes)

    def replay(self, roots: States, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> States:  # noqa: D102
        return replay_by_playing(self, roots, paths, lengths)

    def rollout(self, states: States, rng: NDArray[np.uint64]) -> NDArray[np.float32]:  # noqa: D102
        return rollout_by_playing(self, states, rng)

    def symmetries(self) -> list[Symmetry]:  # noqa: D102
        return board_symmetries(3, 3, passes=False)

    def move_text(self, state: Any, action: int) -> str:  # noqa: D102
        return f"{'abc'[action % 3]}{3 - action // 3}"

    def parse_move(self, state: Any, text: str) -> int:  # noqa: D102
        if match := re.fullmatch(r"([abc])([123])", text.strip().lower()):
            return "abc".index(match[1]) + 3 * (3 - int(match[2]))
        raise BadNotation(f"{text!r} is no move of tic-tac-toe: a column a-c and a row 1-3 are wanted, as in b2")

    def position_text(self, state: Any) -> str:  # noqa: D102
        return "/".join("".join(".XO"[piece] for piece in row) for row in self.board(state))

    def parse_position(self, text: str) -> States:  # noqa: D102
        state = self.new(1)
        if not re.fullmatch(r"[.xo]{3}/[.xo]{3}/[.xo]{3}", rows := text.strip().lower()):
            raise BadNotation(f"{text!r} is no position of tic-tac-toe: rows like 'X.O/.X./..O' are wanted")
        state["board"] = [{".": 0, "x": 1, "o": -1}[square] for square in rows.replace("/", "")]
        state["ply"] = np.count_nonzero(state["board"])
        state["turn"] = turn = state["board"].sum()
        if turn not in (0, 1) or np.any(state["board"][:, LINES].sum(axis=2) == 3 - 6 * turn):
            raise BadNotation(f"{text!r} cannot arise in tic-tac-toe: X starts, turns alternate, a line ends the game")
        return state

    def board(self, state: Any) -> NDArray[np.int8]:  # noqa: D102
        return np.array(one(state)["board"].reshape(3, 3))

    def draw(self, state: Any) -> str:  # noqa: D102
        rows = self.position_text(state).split("/")
        return "\n".join(f"{3 - y} {' '.join(row)}" for y, row in enumerate(rows)) + "\n  a b c"

    def why_illegal(self, state: Any, action: int) -> str:  # noqa: D102
        return "the square is taken"
