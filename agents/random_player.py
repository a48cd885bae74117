"""The random player: the weakest yardstick, and a fast test of everything around a game."""

import numpy as np

from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position


class RandomPlayer:
    """Plays each legal move, a pass included, with the same probability."""

    def __init__(self, *, name: str = "random", seed: int | None = None):
        self.name = name
        self._rng = np.random.default_rng(seed)

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Take the game's random numbers from `rng`."""
        self._rng = rng

    def choose(self, position: Position, budget: Budget) -> str:
        """A legal move. Raises ValueError if the game is over."""
        actions = position.legal_actions()
        if not len(actions):
            raise ValueError(f"no move to choose: the game is over in {position.text()}")
        return position.game.move_text(position.state, int(self._rng.choice(actions)))

    def close(self) -> None:
        """Nothing to give back."""
