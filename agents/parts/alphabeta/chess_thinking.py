"""The chess search as an object: its memory, how a position is laid out for it, and its moves as texts."""

from collections.abc import Iterator, Sequence
from threading import Event

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.alphabeta import chess_search as kernels
from sakiyomi.agents.parts.alphabeta.deepening import Deepening, Found, Limits, Tell, table_words
from sakiyomi.agents.parts.alphabeta.nodes import AGE, EVERYTHING, PLIES
from sakiyomi.boards.chess import Chess, notation, rules
from sakiyomi.boards.chess.state import HISTORY, HOT, MOST_MOVES
from sakiyomi.boards.game import States

_ROW, _HOT = int(kernels.ROW), int(HOT)


class ChessSearcher:
    """A `Searcher` with a transposition table of at most `megabytes`; moves are 16 bits, points centipawns.

    `features` says what the search may do (`search_nodes`), for tests and measurements. Raises ValueError for less than
    1 megabyte.
    """

    scale = 400

    def __init__(self, game: Chess, megabytes: int = 16, features: int = EVERYTHING):
        self.game = game
        self._table = np.zeros(table_words(megabytes), np.uint64)
        self._w = np.zeros(PLIES * _ROW, np.uint64)
        self._line = np.zeros(HISTORY + PLIES, np.uint64)
        self._moves = np.zeros(PLIES * MOST_MOVES, np.uint16)
        self._ranks = np.zeros(PLIES * MOST_MOVES, np.int32)
        self._history = np.zeros(2 * 4096, np.int32)
        self.deepening = Deepening(self._look, features)

    def forget(self) -> None:
        """Empty the table, as before a new game."""
        self._table = np.zeros(len(self._table), np.uint64)
        self.deepening.control[AGE] = 0

    def search(
        self,
        root: States,
        choices: Sequence[int],
        bonus: NDArray[np.int64],
        limits: Limits,
        stop: Event | None = None,
        tell: Tell = lambda found: None,
    ) -> Found:
        """The best of `choices`, one or more legal moves (16 bits) of `root` [1]; see `Deepening.search`."""
        self.set_up(root)
        return self.deepening.search(choices, bonus, limits, stop, tell)

    def set_up(self, root: States) -> None:
        """Lay out the position and the keys of the game so far; forget what belongs to other positions."""
        self._w[:] = self._history[:] = 0
        self._w[:_HOT] = root.view(np.uint64)[:_HOT]
        clock, since = int(root["halfmove"][0]), int(root["since"][0])
        keys = root["keys"][0][since : clock + 1]
        if not len(keys):  # a clock beyond what a game reaches
            keys = root["key"]
        self._line[: len(keys)] = keys
        self.deepening.set_up(len(keys) - 1)

    def moves_of(self, root: States, actions: NDArray[np.int64]) -> list[int]:
        """The legal `actions` of `root` [1] as 16-bit moves."""
        moves = {notation.action_of(move, self.game.chess960): move for move in notation.moves(root)}
        return [moves[int(action)] for action in actions]

    def texts(self, root: States, play: Sequence[int]) -> Iterator[str]:
        """The moves (16 bits) played one after the other from `root` [1], in UCI."""
        state = root.copy()
        for move in play:
            yield self.game.move_text(state, notation.action_of(move, self.game.chess960))
            rules.make_rows(0, 1, state.view(np.uint64), np.array([move], np.uint16))

    def _look(self, order: NDArray[np.uint16], bonus: NDArray[np.int64], depth: int, low: int, high: int) -> int:
        found = kernels.search_root(
            self._w,
            self._line,
            self._moves,
            self._ranks,
            self._history,
            self.deepening.plays,
            self._table,
            self.deepening.control,
            order,
            bonus,
            depth,
            low,
            high,
        )
        return int(found)
