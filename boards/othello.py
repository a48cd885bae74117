"""Othello on 8x8 or 6x6: the facade over `othello_rules`.

Rules: World Othello Federation. Black (X) moves first; a side without a move passes, which is an action of its own and
legal only then; the game ends when neither side can move. Squares are written "d3", column a on the left and row 1 at
the top, and the pass "pass". A position is written by rows from the top and the side to move::

    ......../......../......../...OX.../...XO.../......../......../........ X
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import othello_rules as rules
from sakiyomi.boards import rows
from sakiyomi.boards.batches import counters, plain, ready
from sakiyomi.boards.bits import ONE
from sakiyomi.boards.game import BadNotation, States, Symmetry, one
from sakiyomi.boards.othello_rules import STATE
from sakiyomi.boards.symmetry import antitranspose, board_symmetry, identity, rotate180, transpose

GRAIN = 1024  # rows that one thread does sooner than a second could start
ROLLOUT_GRAIN = 16
COLUMNS = "abcdefgh"


@dataclass(frozen=True)
class Othello:
    """Othello on `size` x `size` squares, 6 or 8. Fulfils the `Game` protocol, which documents the methods."""

    size: int = 8

    def __post_init__(self) -> None:
        if self.size not in (6, 8):
            raise ValueError(f"Othello is played here on 6x6 or 8x8, got size {self.size}")

    @property
    def name(self) -> str:
        """ "othello" (8x8) or "othello-6x6"."""
        return "othello" if self.size == 8 else "othello-6x6"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one position."""
        return STATE

    @property
    def num_actions(self) -> int:
        """The squares, row by row from the top, and the pass."""
        return self.size**2 + 1

    @property
    def planes(self) -> tuple[int, int, int]:
        """The mover's discs, the other's."""
        return 2, self.size, self.size

    @property
    def max_plies(self) -> int:
        """Every empty square filled, with a pass between each two."""
        return 2 * (self.size**2 - 4) - 1

    def new(self, batch: int) -> States:  # noqa: D102
        states = np.zeros(batch, STATE)
        low, high = self.size // 2 - 1, self.size // 2
        squares = self._squares()
        states["discs"][:, 0] = (ONE << squares[low, high]) | (ONE << squares[high, low])
        states["discs"][:, 1] = (ONE << squares[low, low]) | (ONE << squares[high, high])
        return states

    def legal(self, states: States) -> NDArray[np.bool_]:  # noqa: D102
        out = np.empty((len(states), self.num_actions), np.bool_)
        rows.run(rules.legal_all, len(states), GRAIN, ready(states, STATE), self.size, out)
        return out

    def play(self, states: States, actions: NDArray[np.integer[Any]]) -> None:  # noqa: D102
        whole = ready(states, STATE)
        rows.run(rules.play_all, len(whole), GRAIN, whole, self.size, plain(actions, np.int32, (len(whole),)))
        if whole is not states:
            states[...] = whole

    def turn(self, states: States) -> NDArray[np.int8]:  # noqa: D102
        return states["turn"].astype(np.int8)

    def ending(self, states: States) -> NDArray[np.int8]:  # noqa: D102
        out = np.empty(len(states), np.int8)
        rows.run(rules.ending_all, len(states), GRAIN, ready(states, STATE), self.size, out)
        return out

    def result(self, states: States) -> NDArray[np.float32]:  # noqa: D102
        out = np.empty(len(states), np.int8)
        rows.run(rules.result_all, len(states), GRAIN, ready(states, STATE), self.size, out)
        return out.astype(np.float32)

    def observe(self, states: States) -> NDArray[np.float32]:  # noqa: D102
        first, second = states["discs"][:, 0], states["discs"][:, 1]
        own = np.where(states["turn"] == 0, first, second)
        return np.stack([self._unpack(own), self._unpack(own ^ first ^ second)], axis=1).astype(np.float32)

    def replay(self, roots: States, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> States:  # noqa: D102
        states = ready(roots.copy(), STATE)
        steps = (plain(paths, np.int32, (len(states), None)), plain(lengths, np.int32, (len(states),)))
        rows.run(rules.replay_all, len(states), GRAIN, states, self.size, *steps)
        return states

    def rollout(self, states: States, rng: NDArray[np.uint64]) -> NDArray[np.float32]:  # noqa: D102
        out = np.empty(len(states), np.int8)
        rows.run(
            rules.rollout_all,
            len(states),
            ROLLOUT_GRAIN,
            ready(states, STATE),
            self.size,
            counters(rng, len(states)),
            out,
        )
        return out.astype(np.float32)

    def symmetries(self) -> list[Symmetry]:
        """The four that map the starting position to itself; the others would exchange the colours."""
        transforms = (identity, rotate180, transpose, antitranspose)
        return [board_symmetry(transform, self.size, self.size, passes=True) for transform in transforms]

    def move_text(self, state: Any, action: int) -> str:  # noqa: D102
        y, x = divmod(action, self.size)
        return "pass" if y == self.size else f"{COLUMNS[x]}{y + 1}"

    def parse_move(self, state: Any, text: str) -> int:  # noqa: D102
        move = text.strip().lower()
        if move == "pass":
            return self.size**2
        last = COLUMNS[self.size - 1]
        if not re.fullmatch(rf"[a-{last}][1-{self.size}]", move):
            raise BadNotation(
                f"{text!r} is no move of {self.name}: a column a-{last} and a row 1-{self.size} from the top "
                "are wanted, as in d3, or 'pass'"
            )
        return COLUMNS.index(move[0]) + self.size * (int(move[1]) - 1)

    def position_text(self, state: Any) -> str:  # noqa: D102
        board = "/".join("".join(".XO"[disc] for disc in row) for row in self.board(state))
        return f"{board} {'XO'[int(one(state)['turn'][0])]}"

    def parse_position(self, text: str) -> States:  # noqa: D102
        match = re.fullmatch(r"([.xo/]+) ([xo])", text.strip().lower())
        lines = match[1].split("/") if match else []
        if match is None or [len(line) for line in lines] != [self.size] * self.size:
            raise BadNotation(
                f"{text!r} is no position of {self.name}: {self.size} rows of {self.size} of '.XO', split by '/', "
                "a space and the side to move, X or O, are wanted"
            )
        board = np.array([[".xo".index(disc) for disc in line] for line in lines])
        state = self.new(1)
        state["discs"] = [np.bitwise_or.reduce(ONE << self._squares()[board == disc]) for disc in (1, 2)]
        state["turn"] = turn = "xo".index(match[2])
        plies = max(int(np.count_nonzero(board)) - 4, 0)
        state["ply"] = plies + (plies + turn) % 2  # the fewest plies that fit: where the parity is odd, one was a pass
        return state

    def board(self, state: Any) -> NDArray[np.int8]:  # noqa: D102
        discs = one(state)["discs"]
        return np.asarray(self._unpack(discs[:, 0])[0] - self._unpack(discs[:, 1])[0])

    def draw(self, state: Any) -> str:  # noqa: D102
        board, turn = self.position_text(state).split()
        lines = [f"{y + 1} {' '.join(row)}" for y, row in enumerate(board.split("/"))]
        return "\n".join([f"  {' '.join(COLUMNS[: self.size])}", *lines, f"{turn} to move"])

    def why_illegal(self, state: Any, action: int) -> str:  # noqa: D102
        if action == self.size**2:
            return "a side that can move may not pass"
        y, x = divmod(action, self.size)
        return "the square is taken" if self.board(state)[y, x] else "no disc would be turned over"

    def _squares(self) -> NDArray[np.uint64]:
        """Bit numbers by [Y, X]."""
        return np.arange(64, dtype=np.uint64).reshape(8, 8)[: self.size, : self.size]

    def _unpack(self, boards: NDArray[np.uint64]) -> NDArray[np.int8]:
        """Bitboards [B] as int8 [B, Y, X] of 0 and 1."""
        return np.asarray((boards[:, None, None] >> self._squares()) & ONE, np.int8)
