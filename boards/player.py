"""Who chooses moves: the `Player` protocol, which agents, environments and the arena share."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sakiyomi.boards.game import Game
from sakiyomi.boards.position import Position

RESIGN = "resign"
"""What `Player.choose` returns to give up."""


@dataclass(frozen=True)
class Budget:
    """What a player may spend on one move; None leaves that to the player's own setting."""

    simulations: int | None = None
    seconds: float | None = None


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
