"""The alpha-beta player for the small games: D. Knuth and R. Moore, "An analysis of alpha-beta pruning", 1975."""

import time

import numpy as np

from sakiyomi.agents.parts.small_games import best_action, check_small
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position

GROWTH = 4  # a search one ply deeper is reckoned to take so many times as long


class AlphaBetaPlayer:
    """Looks `depth` plies ahead and plays the best move, of equals a random one.

    Plays tic-tac-toe, Connect Four (evaluation: `connect4_search`) and Othello (`othello_search`). A budget of seconds
    makes it look 1, 2, 3... plies ahead, up to `depth`, while there is time for the next. Raises ValueError for a depth
    below 1 and, when it is to play, for any other game.
    """

    def __init__(self, depth: int = 4, *, name: str | None = None, seed: int | None = None):
        if depth < 1:
            raise ValueError(f"alphabeta looks at least 1 ply ahead, got depth {depth}")
        self.name = name or f"alphabeta:{depth}"
        self.depth = depth
        self._rng = np.random.default_rng(seed)

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Take the game's random numbers from `rng`. Raises ValueError for a game that it does not play."""
        check_small(game, "alphabeta")
        self._rng = rng

    def choose(self, position: Position, budget: Budget) -> str:
        """The best move found. Raises ValueError if the game is over or not one of the small games."""
        game, root = position.game, position.state
        check_small(game, "alphabeta")
        actions = self._rng.permutation(position.legal_actions())  # the first of equals is played
        if not len(actions):
            raise ValueError(f"no move to choose: the game is over in {position.text()}")
        start = time.monotonic()
        depth = self.depth if budget.seconds is None else 1
        action = best_action(game, root, depth, actions)
        while depth < self.depth:
            if (time.monotonic() - start) * GROWTH > (budget.seconds or 0):
                break
            depth += 1
            action = best_action(game, root, depth, actions)
        return game.move_text(root, action)

    def close(self) -> None:
        """Nothing to give back."""
