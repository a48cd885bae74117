"""Connect Four on 7 columns by 6 rows (Milton Bradley 1974): the facade over `connect4_rules`.

Actions are columns, 0 on the left. Moves are written "1" to "7", the usual notation of solvers; a column letter, "d",
and a square, "d3", are understood too. A position is written by rows from the top, "......./......./......./
......./...X.../..OX...", X for the first player; whose turn it is follows from the counts.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import connect4_rules as rules
from sakiyomi.boards import rows
from sakiyomi.boards.batches import counters, plain, ready
from sakiyomi.boards.bits import ONE
from sakiyomi.boards.connect4_rules import HEIGHT, STATE, WIDTH
from sakiyomi.boards.game import BadNotation, States, Symmetry, one
from sakiyomi.boards.symmetry import identity, mirror

GRAIN = 4096  # rows that one thread does sooner than a second could start
ROLLOUT_GRAIN = 128
_SQUARES = np.array([[7 * x + y for x in range(WIDTH)] for y in reversed(range(HEIGHT))], np.uint64)  # bit by [Y, X]
_ROWS = re.compile("/".join([rf"[.xo]{{{WIDTH}}}"] * HEIGHT))


@dataclass(frozen=True)
class ConnectFour:
    """Four in a row, discs fall to the bottom. Fulfils the `Game` protocol, which documents the methods."""

    name = "connect4"
    dtype = STATE
    num_actions = WIDTH
    planes = (2, HEIGHT, WIDTH)  # the mover's discs, the other's
    max_plies = WIDTH * HEIGHT

    def new(self, batch: int) -> States:  # noqa: D102
        return np.zeros(batch, STATE)

    def legal(self, states: States) -> NDArray[np.bool_]:  # noqa: D102
        out = np.empty((len(states), WIDTH), np.bool_)
        rows.run(rules.legal_all, len(states), GRAIN, ready(states, STATE), out)
        return out

    def play(self, states: States, actions: NDArray[np.integer[Any]]) -> None:  # noqa: D102
        whole = ready(states, STATE)
        rows.run(rules.play_all, len(whole), GRAIN, whole, plain(actions, np.int32, (len(whole),)))
        if whole is not states:
            states[...] = whole

    def turn(self, states: States) -> NDArray[np.int8]:  # noqa: D102
        return states["turn"].astype(np.int8)

    def ending(self, states: States) -> NDArray[np.int8]:  # noqa: D102
        out = np.empty(len(states), np.int8)
        rows.run(rules.ending_all, len(states), GRAIN, ready(states, STATE), out)
        return out

    def result(self, states: States) -> NDArray[np.float32]:  # noqa: D102
        out = np.empty(len(states), np.int8)
        rows.run(rules.result_all, len(states), GRAIN, ready(states, STATE), out)
        return out.astype(np.float32)

    def observe(self, states: States) -> NDArray[np.float32]:  # noqa: D102
        first, second = states["stones"][:, 0], states["stones"][:, 1]
        own = np.where(states["turn"] == 0, first, second)
        return np.stack([_unpack(own), _unpack(own ^ first ^ second)], axis=1).astype(np.float32)

    def replay(self, roots: States, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> States:  # noqa: D102
        states = ready(roots.copy(), STATE)
        steps = (plain(paths, np.int32, (len(states), None)), plain(lengths, np.int32, (len(states),)))
        rows.run(rules.replay_all, len(states), GRAIN, states, *steps)
        return states

    def rollout(self, states: States, rng: NDArray[np.uint64]) -> NDArray[np.float32]:  # noqa: D102
        out = np.empty(len(states), np.int8)
        rows.run(rules.rollout_all, len(states), ROLLOUT_GRAIN, ready(states, STATE), counters(rng, len(states)), out)
        return out.astype(np.float32)

    def symmetries(self) -> list[Symmetry]:  # noqa: D102
        columns = np.arange(WIDTH, dtype=np.int32)
        return [Symmetry("identity", identity, columns), Symmetry("mirror", mirror, columns[::-1].copy())]

    def move_text(self, state: Any, action: int) -> str:  # noqa: D102
        return str(action + 1)

    def parse_move(self, state: Any, text: str) -> int:  # noqa: D102
        match = re.fullmatch(r"([1-7])|([a-g])([1-6])?", text.strip().lower())
        if not match:
            raise BadNotation(f"{text!r} is no move of Connect Four: a column 1-7 is wanted (or a-g, as in d or d3)")
        column = int(match[1]) - 1 if match[1] else "abcdefg".index(match[2])
        height = int(np.count_nonzero(self.board(state)[:, column]))
        if match[3] and height < HEIGHT and int(match[3]) != height + 1:
            raise BadNotation(f"{text!r} names the wrong row: a disc in column {match[2]} falls to row {height + 1}")
        return column

    def position_text(self, state: Any) -> str:  # noqa: D102
        return "/".join("".join(".XO"[disc] for disc in row) for row in self.board(state))

    def parse_position(self, text: str) -> States:  # noqa: D102
        squares = text.strip().lower()
        if not _ROWS.fullmatch(squares):
            raise BadNotation(f"{text!r} is no position of Connect Four: six rows of seven of '.XO', split by '/'")
        board = np.array([[".xo".index(disc) for disc in row] for row in squares.split("/")])
        if np.any((board[:-1] != 0) & (board[1:] == 0)):
            raise BadNotation(f"{text!r} cannot arise in Connect Four: a disc stands on an empty square")
        state = self.new(1)
        state["stones"] = [np.bitwise_or.reduce(ONE << _SQUARES[board == disc]) for disc in (1, 2)]
        state["ply"] = np.count_nonzero(board)
        state["turn"] = turn = np.count_nonzero(board == 1) - np.count_nonzero(board == 2)
        if turn not in (0, 1):
            raise BadNotation(f"{text!r} cannot arise in Connect Four: X starts and turns alternate")
        if rules.has_four(state["stones"][0, turn]):
            raise BadNotation(f"{text!r} cannot arise in Connect Four: the game had ended before the last move")
        return state

    def board(self, state: Any) -> NDArray[np.int8]:  # noqa: D102
        stones = one(state)["stones"]
        return np.asarray(_unpack(stones[:, 0])[0] - _unpack(stones[:, 1])[0])

    def draw(self, state: Any) -> str:  # noqa: D102
        lines = [" ".join(row) for row in self.position_text(state).split("/")]
        return "\n".join([*lines, " ".join("1234567")])

    def why_illegal(self, state: Any, action: int) -> str:  # noqa: D102
        return "the column is full"


def _unpack(boards: NDArray[np.uint64]) -> NDArray[np.int8]:
    """Bitboards [B] as int8 [B, Y, X] of 0 and 1."""
    return np.asarray((boards[:, None, None] >> _SQUARES) & ONE, np.int8)
