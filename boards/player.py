"""Who chooses moves: the `Player` protocol, which agents, environments and the arena share; a `Thinker` shows more."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from threading import Event
from typing import Protocol

import numpy as np

from sakiyomi.boards.clock import Clock
from sakiyomi.boards.game import Game
from sakiyomi.boards.position import Position

RESIGN = "resign"
"""What `Player.choose` returns to give up."""
DECLARE = "win"
"""What `Player.choose` returns, in a game with `declarations` (shogi), to declare the entering king."""


@dataclass(frozen=True)
class Budget:
    """What a player may spend on one move; None leaves that to the player's own setting.

    `simulations` are the positions that it may look at (an engine's nodes), `depth` the plies that it may look ahead.
    `mate` asks those who can tell for a forced mate in so many moves of their own, beyond what they else look for.
    `clocks` are those of the game, the first player's first, where it is played on clocks: players who manage their
    time themselves go by them, all others by `seconds`, which then are a share of the clock.
    Raises ValueError for counts that are no whole number of 1 or more and `seconds` that are no number over 0.
    """

    simulations: int | None = None
    seconds: float | None = None
    depth: int | None = None
    mate: int | None = None
    clocks: tuple[Clock, Clock] | None = None

    def __post_init__(self) -> None:
        seconds = self.seconds
        for name in ("simulations", "depth", "mate"):
            count = getattr(self, name)
            if count is not None and (isinstance(count, bool) or not isinstance(count, Integral) or count < 1):
                raise ValueError(f"{name} must be a whole number of 1 or more, got {count!r}")
            object.__setattr__(self, name, None if count is None else int(count))
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, Real) or not 0 < seconds <= sys.float_info.max
        ):
            raise ValueError(f"seconds must be a number over 0, got {seconds!r}")
        object.__setattr__(self, "seconds", None if seconds is None else float(seconds))


class Player(Protocol):
    """Chooses moves. One object plays one game at a time; `choose` also works before any `begin`."""

    name: str

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """A new game starts; the player has side 0 (moves first) or 1. All its randomness is to come from `rng`."""
        ...

    def choose(self, position: Position, budget: Budget) -> str:
        """A legal move of `position` in the game's notation, RESIGN or DECLARE. Leaves `position` as it is."""
        ...

    def close(self) -> None:
        """Give back what the player holds (a process, a connection). Called once, after the last game."""
        ...


@dataclass(frozen=True)
class Candidate:
    """A move that a player considered: how often it looked there, what it expects of it (-1 to 1, as the player to
    move sees it), how likely it held the move before it searched (0 to 1), and the play that it expects after it.

    None where the player has no such figure.
    """

    move: str
    visits: int | None = None
    value: float | None = None
    prior: float | None = None
    line: tuple[str, ...] = ()


@dataclass(frozen=True)
class Thought:
    """What a player thinks of a position at some moment of its search, as the player to move sees it.

    `line` is the play that it expects, the move that it would choose first; `value` the expected result, -1 to 1, or
    None; `centipawns` and `mate` (in so many moves, negative: the player is mated) are chess programs' scales, None
    where the player has none; `depth` the plies looked ahead; `nodes` the positions looked at; `seconds` since `think`.
    `candidates` are the moves considered, the best first, as far as the player can tell.
    """

    line: tuple[str, ...]
    value: float | None = None
    centipawns: int | None = None
    mate: int | None = None
    depth: int = 0
    nodes: int = 0
    seconds: float = 0.0
    candidates: tuple[Candidate, ...] = ()


class Thoughtful(Player, Protocol):
    """A player that can be asked afterwards what it thought."""

    @property
    def thought(self) -> Thought | None:
        """What it thought of the position when it last chose; None if it played without thinking."""
        ...


class Thinker(Player, Protocol):
    """A player that can be watched while it thinks, told which moves to consider, and stopped."""

    def think(
        self,
        position: Position,
        budget: Budget,
        *,
        moves: Sequence[str] | None,
        stop: Event,
        tell: Callable[[Thought], None],
    ) -> str:
        """`choose` among `moves` (None: all), telling each new thought, until `budget` is spent or `stop` is set.

        A budget without any limit is no limit at all: the search goes on until `stop` is set or nothing is left to
        search. Always returns a move, however early it is stopped.
        """
        ...
