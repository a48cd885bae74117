"""The alpha-beta player: D. Knuth and R. Moore, "An analysis of alpha-beta pruning", 1975.

For chess see `parts/chess_search` (the search), `parts/chess_evaluation` (what it wants) and `parts/chess_thinking`;
the same for shogi; `parts/deepening` and `parts/search_nodes` for what the two have in common.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.alphabeta.chess_thinking import ChessSearcher
from sakiyomi.agents.parts.alphabeta.deepening import DEEPEST, EVER, Found, Limits, Searcher, thought_of
from sakiyomi.agents.parts.alphabeta.shogi_thinking import ShogiSearcher
from sakiyomi.agents.parts.alphabeta.small_games import best_action, check_small, deepen
from sakiyomi.agents.parts.choices import allowed_actions
from sakiyomi.agents.parts.settings import whole
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.player import DECLARE, Budget, Candidate, Thought
from sakiyomi.boards.position import Position
from sakiyomi.boards.shogi import Shogi

SPREAD = 0.015  # of a game's `Searcher.scale`, 6 centipawns at chess: of moves that differ by less, any may be played

Tell = Callable[[Thought], None]


def check_game(game: Game) -> None:
    """Raise ValueError unless alpha-beta plays `game`."""
    if not isinstance(game, Chess | Shogi):
        check_small(game, "alphabeta", "chess, chess960, shogi, ")


class AlphaBetaPlayer:
    """Looks `depth` plies ahead, or as far as a budget's depth says, and plays the best move, of equals a random one.

    Plays chess and Chess960, shogi (`megabytes` for the transposition table), tic-tac-toe, Connect Four (evaluation:
    `connect4_search`) and Othello (`othello_search`). A budget of seconds makes it look 1, 2, 3... plies ahead, up to
    the depth, while there is time for the next. In chess and shogi it also keeps to a number of simulations, positions
    looked at, exactly: with the same seed and numbers, the same moves. Declares the entering king as soon as that wins,
    or draws and is better than playing on. Raises ValueError for settings out of range and, when it is to play, for any
    other game.
    """

    def __init__(self, depth: int = 4, *, megabytes: int = 16, name: str | None = None, seed: int | None = None):
        self.depth = whole("the depth of alphabeta", depth, " plies")
        self.name = name or f"alphabeta:{depth}"
        self._rng = np.random.default_rng(seed)
        self.megabytes = whole("the table of alphabeta", megabytes, " megabytes")
        """Of the transposition table; a change makes a new one."""
        self._searchers: dict[str, Searcher] = {}
        self._thought: Thought | None = None
        self._found: tuple[Searcher, States, Found, float] | None = None  # the last iteration, not yet put into words

    @property
    def thought(self) -> Thought | None:
        """What the last iteration of the last choice found; None where there was nothing to choose, or a declaration.

        Of the small games only the depth and the move are known.
        """
        if self._thought is None and self._found is not None:
            self._thought = _in_words(*self._found)
        return self._thought

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Take the game's random numbers from `rng`. Raises ValueError for a game that it does not play."""
        check_game(game)
        self._rng = rng
        self._thought = self._found = None
        for searcher in self._searchers.values():
            searcher.forget()

    def choose(self, position: Position, budget: Budget) -> str:
        """The best move found, or DECLARE. Raises ValueError if the game is over or not one that it plays."""
        actions = self._actions(position, None)
        self._thought = self._found = None
        declared = _declared(position)
        if declared == 1:
            return DECLARE
        if len(actions) == 1 and not declared:
            return position.game.move_text(position.state, int(actions[0]))
        move, value = self._think(position, actions, self._with_depth(budget), None, None)
        return DECLARE if declared and value < 0 else move

    def think(self, position: Position, budget: Budget, *, moves: Sequence[str] | None, stop: Event, tell: Tell) -> str:
        """As `Thinker.think`. The small games are looked at to the player's depth or the budget's, never deeper.

        A declaration is no move among `moves`. Raises ValueError as `choose` does and if `moves` is empty, IllegalMove
        or BadNotation for what `moves` holds.
        """
        actions = self._actions(position, moves)
        self._thought = self._found = None
        declared = 0 if moves is not None else _declared(position)
        if declared == 1:
            return DECLARE
        endless = budget == Budget() and isinstance(position.game, Chess | Shogi)
        limits = budget if endless else self._with_depth(budget)
        move, value = self._think(position, actions, limits, stop, tell)
        return DECLARE if declared and value < 0 else move

    def close(self) -> None:
        """Nothing to give back."""

    def _with_depth(self, budget: Budget) -> Budget:
        return replace(budget, depth=min(budget.depth or self.depth, DEEPEST))

    def _actions(self, position: Position, moves: Sequence[str] | None) -> NDArray[np.int64]:
        """The legal actions, or those of `moves`, in random order: the first of equals is played."""
        check_game(position.game)
        return self._rng.permutation(allowed_actions(position, moves))

    def _think(
        self, position: Position, actions: NDArray[np.int64], budget: Budget, stop: Event | None, tell: Tell | None
    ) -> tuple[str, int]:
        """The move, and what it is worth where that is known."""
        game, root, began = position.game, position.state, time.monotonic()
        if isinstance(game, Chess | Shogi):
            return self._search(position, actions, budget, stop, tell)

        def tell_depth(depth: int, action: int) -> None:
            move = game.move_text(root, action)
            seconds = time.monotonic() - began
            self._thought = Thought((move,), depth=depth, seconds=seconds, candidates=(Candidate(move, line=(move,)),))
            if tell is not None:
                tell(self._thought)

        depth = budget.depth or self.depth
        if budget.seconds is None and stop is None:
            action = best_action(game, root, depth, actions)
            tell_depth(depth, action)
        else:
            action = deepen(game, root, actions, depth, budget.seconds, stop, tell_depth)
        return game.move_text(root, action), 0

    def _search(
        self, position: Position, actions: NDArray[np.int64], budget: Budget, stop: Event | None, tell: Tell | None
    ) -> tuple[str, int]:
        """The move and its value in points, in a game with a `Searcher`."""
        root, began, searcher = position.state, time.monotonic(), self._searcher(position.game)
        bonus = self._rng.integers(0, int(SPREAD * searcher.scale), len(actions), endpoint=True)
        before = root.copy()  # what is found may be asked for when the game has gone on
        limits = Limits(budget.depth or DEEPEST, budget.simulations or EVER, budget.seconds, budget.mate)

        def tell_found(found: Found) -> None:
            self._found = (searcher, before, found, time.monotonic() - began)
            if tell is not None:
                tell(_in_words(*self._found))

        found = searcher.search(root, searcher.moves_of(root, actions), bonus, limits, stop, tell_found)
        return next(iter(searcher.texts(root, found.play))), found.value

    def _searcher(self, game: Game) -> Searcher:
        """The searcher of `game`, made when first wanted."""
        key = f"{game!r} {self.megabytes}"
        if key not in self._searchers:
            self._searchers = {key: _new_searcher(game, self.megabytes)}
        return self._searchers[key]


def _in_words(searcher: Searcher, root: States, found: Found, seconds: float) -> Thought:
    """What was `found` in `root` [1]."""
    return thought_of(found, tuple(searcher.texts(root, found.play)), searcher.scale, seconds)


def _new_searcher(game: Game, megabytes: int) -> Searcher:
    if isinstance(game, Chess):
        return ChessSearcher(game, megabytes)
    assert isinstance(game, Shogi), game
    return ShogiSearcher(game, megabytes)


def _declared(position: Position) -> int:
    """What declaring the entering king would make of the game: 1 a win, 2 a draw, 0 nothing."""
    game = position.game
    return int(game.declarations(position.state)[0]) if isinstance(game, Shogi) else 0
