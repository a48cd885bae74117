"""The shogi search as an object: its memory, how a position is laid out for it, and its moves as texts."""

from collections.abc import Iterator, Sequence
from threading import Event

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.alphabeta import shogi_search as kernels
from sakiyomi.agents.parts.alphabeta.deepening import Deepening, Found, Limits, Tell, table_words
from sakiyomi.agents.parts.alphabeta.nodes import AGE, EVERYTHING, PLIES
from sakiyomi.agents.parts.alphabeta.shogi_values import SCALE
from sakiyomi.boards.game import States
from sakiyomi.boards.shogi import Shogi, rules, usi
from sakiyomi.boards.shogi.state import HISTORY, HOT, MOST_MOVES

_ROW, _HOT = int(kernels.ROW), int(HOT)
_CLAIMS = {"none": 0, "27": kernels.RULE_27, "24": kernels.RULE_24}


class ShogiSearcher:
    """A `Searcher` with a transposition table of at most `megabytes`; moves are 15 bits, a pawn is about 100 points.

    `features` says what the search may do (`search_nodes`), for tests and measurements. Raises ValueError for less than
    1 megabyte.
    """

    scale = SCALE

    def __init__(self, game: Shogi, megabytes: int = 16, features: int = EVERYTHING):
        self.game = game
        self._table = np.zeros(table_words(megabytes), np.uint64)
        self._w = np.zeros(PLIES * _ROW, np.uint64)
        self._line = np.zeros(2 * (HISTORY + PLIES), np.uint64)
        self._moves = np.zeros(PLIES * MOST_MOVES, np.uint16)
        self._ranks = np.zeros(PLIES * MOST_MOVES, np.int32)
        self._history = np.zeros(2 * 32 * 128, np.int32)
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
        """The best of `choices`, one or more legal moves (15 bits) of `root` [1]; see `Deepening.search`."""
        self.set_up(root)
        return self.deepening.search(choices, bonus, limits, stop, tell)

    def set_up(self, root: States) -> None:
        """Lay out the position and the keys and checks of the game so far; forget what belongs to other positions."""
        self._w[:] = self._history[:] = 0
        self._w[:_HOT] = root.view(np.uint64)[:_HOT]
        played, turn = int(root["ply"][0]) - int(root["first"][0]), int(root["turn"][0])
        keys, given = self._line[: 2 * played + 2 : 2], self._line[1 : 2 * played + 2 : 2]
        keys[:] = root["keys"][0][: played + 1]
        given[:] = 0
        # The checks that a side has given running stand at every second position, backwards from the last.
        for back, side in enumerate((1 - turn, turn)):
            given[::-1][back::2][: int(root["checks"][0][side])] = 1
        self.deepening.set_up(played)
        control = self.deepening.control
        control[kernels.LEFT], control[kernels.CLAIM] = self.game.max_plies - played, _CLAIMS[self.game.declaration]

    def moves_of(self, root: States, actions: NDArray[np.int64]) -> list[int]:
        """The legal `actions` of `root` [1] as 15-bit moves."""
        squares = (usi.squares_of(int(action), int(root["turn"][0])) for action in actions)
        return [to | origin << 7 | promotes << 14 for origin, to, promotes in squares]

    def texts(self, root: States, play: Sequence[int]) -> Iterator[str]:
        """The moves (15 bits) played one after the other from `root` [1], in USI."""
        state = root.copy()
        for move in play:
            turn = int(state["turn"][0])
            action = usi.action_from(move >> 7 & 127, move & 127, bool(move >> 14), turn)
            assert action is not None, f"{move} is no move"
            yield self.game.move_text(state, action)
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
