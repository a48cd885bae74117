"""Who chooses moves: the `Player` protocol, which agents, environments and the arena share."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Protocol

import numpy as np

from sakiyomi.boards.game import Game
from sakiyomi.boards.position import Position

RESIGN = "resign"
"""What `Player.choose` returns to give up."""


@dataclass(frozen=True)
class Budget:
    """What a player may spend on one move; None leaves that to the player's own setting.

    Raises ValueError for `simulations` that are no whole number of 1 or more and `seconds` that are no number over 0.
    """

    simulations: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        count, seconds = self.simulations, self.seconds
        if count is not None and (isinstance(count, bool) or not isinstance(count, Integral) or count < 1):
            raise ValueError(f"simulations must be a whole number of 1 or more, got {count!r}")
        if seconds is not None and (
            isinstance(seconds, bool) or not isinstance(seconds, Real) or not 0 < seconds < math.inf
        ):
            raise ValueError(f"seconds must be a number over 0, got {seconds!r}")
        object.__setattr__(self, "simulations", None if count is None else int(count))
        object.__setattr__(self, "seconds", None if seconds is None else float(seconds))


class Player(Protocol):
    """Chooses moves. One object plays one game at a time; `choose` also works before any `begin`."""

    name: str

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """A new game starts; the player has side 0 (moves first) or 1. All its randomness is to come from `rng`."""
        ...

    def choose(self, position: Position, budget: Budget) -> str:
        """A legal move of `position` in the game's notation, or RESIGN. Leaves `position` as it is."""
        ...

    def close(self) -> None:
        """Give back what the player holds (a process, a connection). Called once, after the last game."""
        ...
