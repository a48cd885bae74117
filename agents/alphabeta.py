"""The alpha-beta player: D. Knuth and R. Moore, "An analysis of alpha-beta pruning", 1975.

For chess see `parts/chess_search` (the search), `parts/chess_evaluation` (what it wants) and `parts/chess_thinking`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.chess_thinking import (
    DEEPEST,
    EVER,
    ChessSearcher,
    Limits,
    moves_of,
    texts,
    thought_of,
)
from sakiyomi.agents.parts.small_games import best_action, check_small, deepen
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Game, IllegalMove
from sakiyomi.boards.player import Budget, Thought
from sakiyomi.boards.position import Position

SPREAD = 6  # centipawns: of chess moves that differ by less, any may be played

Tell = Callable[[Thought], None]


def check_game(game: Game) -> None:
    """Raise ValueError unless alpha-beta plays `game`."""
    if not isinstance(game, Chess):
        check_small(game, "alphabeta", "chess, chess960, ")


class AlphaBetaPlayer:
    """Looks `depth` plies ahead, or as far as a budget's depth says, and plays the best move, of equals a random one.

    Plays chess and Chess960 (`megabytes` for the transposition table), tic-tac-toe, Connect Four (evaluation:
    `connect4_search`) and Othello (`othello_search`). A budget of seconds makes it look 1, 2, 3... plies ahead, up to
    the depth, while there is time for the next. In chess it also keeps to a number of simulations, positions looked at,
    exactly: with the same seed and numbers, the same moves. Raises ValueError for a depth below 1 and, when it is to
    play, for any other game.
    """

    def __init__(self, depth: int = 4, *, megabytes: int = 16, name: str | None = None, seed: int | None = None):
        if depth < 1:
            raise ValueError(f"alphabeta looks at least 1 ply ahead, got depth {depth}")
        self.name = name or f"alphabeta:{depth}"
        self.depth = depth
        self._rng = np.random.default_rng(seed)
        self._searcher = ChessSearcher(megabytes)

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Take the game's random numbers from `rng`. Raises ValueError for a game that it does not play."""
        check_game(game)
        self._rng = rng
        self._searcher.forget()

    def choose(self, position: Position, budget: Budget) -> str:
        """The best move found. Raises ValueError if the game is over or not one that it plays."""
        actions = self._actions(position, None)
        if len(actions) == 1:
            return position.game.move_text(position.state, int(actions[0]))
        return self._think(position, actions, self._with_depth(budget), None, lambda thought: None)

    def think(self, position: Position, budget: Budget, *, moves: Sequence[str] | None, stop: Event, tell: Tell) -> str:
        """As `Thinker.think`. The small games are looked at to the player's depth or the budget's, never deeper."""
        actions = self._actions(position, moves)
        endless = budget == Budget() and isinstance(position.game, Chess)
        return self._think(position, actions, budget if endless else self._with_depth(budget), stop, tell)

    def close(self) -> None:
        """Nothing to give back."""

    def _with_depth(self, budget: Budget) -> Budget:
        return replace(budget, depth=budget.depth or self.depth)

    def _actions(self, position: Position, moves: Sequence[str] | None) -> NDArray[np.int64]:
        """The legal actions, or those of `moves`, in random order: the first of equals is played."""
        check_game(position.game)
        actions = position.legal_actions()
        if not len(actions):
            raise ValueError(f"no move to choose: the game is over in {position.text()}")
        if moves is not None:
            actions = np.array([position.action(move) for move in dict.fromkeys(moves)], np.int64)
            if not len(actions):
                raise IllegalMove(f"no move to choose among in {position.text()}: the list of moves is empty")
        return self._rng.permutation(actions)

    def _think(
        self, position: Position, actions: NDArray[np.int64], budget: Budget, stop: Event | None, tell: Tell
    ) -> str:
        game, root, began = position.game, position.state, time.monotonic()
        if isinstance(game, Chess):
            bonus = self._rng.integers(0, SPREAD, len(actions), endpoint=True)
            limits = Limits(budget.depth or DEEPEST, budget.simulations or EVER, budget.seconds)
            choices = moves_of(game, root, actions)
            found = self._searcher.search(
                root, choices, bonus, limits, stop, lambda f: tell(thought_of(game, root, f, time.monotonic() - began))
            )
            return next(texts(game, root, found.play))

        def tell_depth(depth: int, action: int) -> None:
            line = (game.move_text(root, action),)
            tell(Thought(line, depth=depth, seconds=time.monotonic() - began))

        if budget.seconds is None and stop is None:
            action = best_action(game, root, budget.depth or self.depth, actions)
        else:
            action = deepen(game, root, actions, budget.depth or self.depth, budget.seconds, stop, tell_depth)
        return game.move_text(root, action)
