"""What a set of rules must provide: the `Game` protocol, the `Ending` codes and the two errors of the checked layer.

Read `tictactoe.py` next: it is the whole interface in one screen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

States = np.ndarray[tuple[int], np.dtype[Any]]
"""[B] records of `Game.dtype`; one record is one position with the history that its rules need."""


class Ending(IntEnum):
    """Why a game is over by its rules; each game uses the members it needs."""

    ONGOING = 0
    LINE = 1  # tic-tac-toe, Connect Four: so many in a row
    FULL_BOARD = 2  # no empty square is left
    NO_MOVES = 3  # Othello: neither side can move
    TWO_PASSES = 4
    MOVE_LIMIT = 5  # max_plies were played
    CHECKMATE = 6
    STALEMATE = 7
    INSUFFICIENT_MATERIAL = 8
    REPETITION = 9
    PERPETUAL_CHECK = 10
    FIFTY_MOVES = 11
    SEVENTYFIVE_MOVES = 12
    DECLARATION = 13

    @property
    def text(self) -> str:
        """The name as words: "two passes"."""
        return self.name.lower().replace("_", " ")


class IllegalMove(ValueError):
    """A move that the rules forbid; the message holds the move, the position and the rule broken."""


class BadNotation(ValueError):
    """A text that names no move or no position; the message holds the text and what was expected."""


@dataclass(frozen=True)
class Symmetry:
    """One symmetry of the board, as it acts on planes and on actions.

    `planes` maps [..., Y, X] to the transformed array; `actions` is int32 [A], the new number of each action. With g
    the symmetry, ``observe(g(s)) == planes(observe(s))`` and ``legal(g(s))[:, actions] == legal(s)``.
    """

    name: str
    planes: Callable[[NDArray[Any]], NDArray[Any]]
    actions: NDArray[np.int32]


class Game(Protocol):
    """The rules of a two-player, zero-sum game of perfect information. Static: holds no position.

    Batched methods trust their caller: playing an illegal action, or after the end, is undefined; `Position` checks.
    `dtype` has at least the integer fields ``ply`` (plies played) and ``turn`` (0 or 1: whose ply it is). Methods that
    take one `state` accept a record or a batch of one.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 "go-9x9", "chess"
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102 of one position
    @property
    def num_actions(self) -> int: ...  # noqa: D102 A
    @property
    def planes(self) -> tuple[int, int, int]: ...  # noqa: D102 C, Y, X of observe()
    @property
    def max_plies(self) -> int: ...  # noqa: D102

    def new(self, batch: int) -> States:
        """`batch` starting positions."""
        ...

    def legal(self, states: States) -> NDArray[np.bool_]:
        """[B, A], True where the action may be played; no action is legal once the game has ended."""
        ...

    def play(self, states: States, actions: NDArray[np.integer[Any]]) -> None:
        """Play actions [B] in place."""
        ...

    def turn(self, states: States) -> NDArray[np.int8]:
        """[B], 0 or 1: whose ply it is."""
        ...

    def ending(self, states: States) -> NDArray[np.int8]:
        """[B] of `Ending` codes."""
        ...

    def result(self, states: States) -> NDArray[np.float32]:
        """[B], +1, 0 or -1 for the first player; 0 while the game goes on."""
        ...

    def observe(self, states: States) -> NDArray[np.float32]:
        """[B, C, Y, X] as the player to move sees it."""
        ...

    def replay(self, roots: States, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> States:
        """Copies of `roots` [B] after the first ``lengths[i]`` actions of ``paths[i]`` ([B, D])."""
        ...

    def rollout(self, states: States, rng: NDArray[np.uint64]) -> NDArray[np.float32]:
        """[B] results of random play to the end; `states` stay as they are, `rng` [B] moves on (`random.seeds`)."""
        ...

    def symmetries(self) -> list[Symmetry]:
        """The symmetries of board and rules, the identity first."""
        ...

    def move_text(self, state: Any, action: int) -> str:
        """The action in the game's notation."""
        ...

    def parse_move(self, state: Any, text: str) -> int:
        """The action that `text` names. Raises BadNotation; says nothing of legality."""
        ...

    def position_text(self, state: Any) -> str:
        """One line that `parse_position` reads back, without the history."""
        ...

    def parse_position(self, text: str) -> States:
        """[1]. Raises BadNotation."""
        ...

    def board(self, state: Any) -> NDArray[np.int8]:
        """[Y, X], row 0 at the top as printed: 0 empty, positive the first player's pieces, negative the second's."""
        ...

    def draw(self, state: Any) -> str:
        """The board as text for people, with coordinates."""
        ...

    def why_illegal(self, state: Any, action: int) -> str:
        """The rule that forbids `action`, in words, for an action that `legal` refuses."""
        ...


def one(state: Any) -> States:
    """`state`, a record or a batch of one, as a batch of one."""
    states: States = np.atleast_1d(state)
    if states.shape != (1,):
        raise ValueError(f"one position is wanted, got an array of shape {states.shape}")
    return states


def replay_by_playing(game: Game, roots: States, paths: NDArray[np.int32], lengths: NDArray[np.int32]) -> States:
    """`Game.replay` for games without a kernel of their own for it."""
    states = roots.copy()
    for depth in range(int(lengths.max(initial=0))):
        rows = np.flatnonzero(lengths > depth)
        moved = states[rows]
        game.play(moved, paths[rows, depth])
        states[rows] = moved
    return states
