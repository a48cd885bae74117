"""Iterative deepening around the chess search: limits of depth, nodes and time, and what it thinks meanwhile."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts import chess_search as kernels
from sakiyomi.agents.parts.chess_search import INFINITE, PLIES
from sakiyomi.agents.parts.chess_table import MATE, WON
from sakiyomi.boards.chess import Chess, notation, rules
from sakiyomi.boards.chess.state import HISTORY, HOT, MOST_MOVES
from sakiyomi.boards.game import States
from sakiyomi.boards.player import Thought

DEEPEST = 100  # plies
EVER = 1 << 62  # nodes, where nothing limits them
SURE = 20_000  # nodes, some milliseconds, that the first look at the moves may take whatever the clock says
WINDOW = 25  # centipawns around the last iteration's value, within which the next one looks first
POLL = 0.005  # seconds between two looks at the clock and the stop sign
_ROW, _HOT = int(kernels.ROW), int(HOT)


@dataclass(frozen=True)
class Limits:
    """How far a search goes: plies, positions, and seconds (None: as long as it takes)."""

    depth: int = DEEPEST
    nodes: int = EVER
    seconds: float | None = None


@dataclass(frozen=True)
class Found:
    """What a search found: the play it expects, 16-bit moves, and its value in centipawns (`chess_table` for mates)."""

    play: list[int]
    value: int
    depth: int
    nodes: int
    complete: bool = True  # all moves were looked at to this depth


class ChessSearcher:
    """A search's memory, kept from move to move: a transposition table of at most `megabytes`, and the workspace.

    `features` says what the search may do (`chess_search`), for tests and measurements. Raises ValueError for less than
    1 megabyte.
    """

    def __init__(self, megabytes: int = 16, features: int = kernels.EVERYTHING):
        if megabytes < 1:
            raise ValueError(f"the table needs at least 1 megabyte, got {megabytes}")
        self.features = features
        self._size = 1 << ((megabytes << 20) // 8).bit_length() - 1
        self._w = np.zeros(PLIES * _ROW, np.uint64)
        self._line = np.zeros(HISTORY + PLIES, np.uint64)
        self._moves = np.zeros(PLIES * MOST_MOVES, np.uint16)
        self._ranks = np.zeros(PLIES * MOST_MOVES, np.int32)
        self._history = np.zeros(2 * 4096, np.int32)
        self._plays = np.zeros((PLIES + 1) * PLIES, np.uint16)
        self._control = np.zeros(16, np.int64)
        self.forget()

    def forget(self) -> None:
        """Empty the table, as before a new game."""
        self._table = np.zeros(self._size, np.uint64)
        self._control[kernels.AGE] = 0

    def search(
        self,
        root: States,
        choices: Sequence[int],
        bonus: NDArray[np.int64],
        limits: Limits,
        stop: Event | None = None,
        tell: Callable[[Found], None] = lambda found: None,
    ) -> Found:
        """The best of `choices`, one or more legal moves (16 bits) of `root` [1]; `bonus` [choices] as in the search.

        Looks 1, 2, 3... plies ahead until a limit is reached, `stop` is set, or a forced mate is found that no deeper
        search can better. Tells what it found whenever it is surer of it, last what it returns.
        """
        began = time.monotonic()
        order, extra = np.array(choices, np.uint16), np.array(bonus, np.int64)
        self._set_up(root)
        self._control[kernels.MOST_NODES] = min(limits.nodes, SURE)
        last = self._iterate(order, extra, 1, 0)
        self._control[kernels.MOST_NODES], self._control[kernels.STOP] = limits.nodes, 0
        if not last.complete:
            tell(last)
        with self._watch(stop, None if limits.seconds is None else began + limits.seconds):
            for depth in range(1, limits.depth + 1):
                found = self._iterate(order, extra, depth, last.value)
                if found.complete or (found.play and found.play[0] != last.play[0]):
                    last = found
                    tell(last)
                if not found.complete or MATE - abs(last.value) <= depth:
                    break
        return last

    def _set_up(self, root: States) -> None:
        """Lay out the position and the keys of the game so far; forget what belongs to other positions."""
        self._w[:] = self._history[:] = 0
        self._w[:_HOT] = root.view(np.uint64)[:_HOT]
        clock, since = int(root["halfmove"][0]), int(root["since"][0])
        keys = root["keys"][0][since : clock + 1]
        if not len(keys):  # a clock beyond what a game reaches
            keys = root["key"]
        self._line[: len(keys)] = keys
        age = (int(self._control[kernels.AGE]) + 1) % 256
        self._control[:] = 0
        self._control[kernels.AGE], self._control[kernels.FEATURES] = age, self.features
        self._control[kernels.BASE] = len(keys) - 1

    def _iterate(self, order: NDArray[np.uint16], bonus: NDArray[np.int64], depth: int, guess: int) -> Found:
        """Look `depth` plies ahead, first near the value `guess`; brings the best move and its bonus to the front.

        If stopped, the best of what was looked at: no play at all if that is nothing.
        """
        low, high, width = -INFINITE, INFINITE, WINDOW
        if depth >= 5 and abs(guess) < WON:
            low, high = guess - width, guess + width
        play: list[int] = []
        value = guess
        control = self._control
        while True:
            found = int(
                kernels.search_root(
                    self._w,
                    self._line,
                    self._moves,
                    self._ranks,
                    self._history,
                    self._plays,
                    self._table,
                    control,
                    order,
                    bonus,
                    depth,
                    low,
                    high,
                )
            )
            stopped = bool(control[kernels.STOP])
            if control[kernels.ROOT_DONE]:
                play, value = self._expected_play(), found
                _bring_to_front(order, bonus, play[0])
            if stopped or low < found < high:
                if abs(value) < WON:
                    value -= int(bonus[0])
                return Found(play or [int(order[0])], value, depth, int(control[kernels.NODES]), not stopped)
            width *= 4
            if found <= low:
                low = found - width if width < 1000 else -INFINITE
            else:
                high = found + width if width < 1000 else INFINITE

    def _expected_play(self) -> list[int]:
        length = int(np.argmin(self._plays[:PLIES] != 0))
        return [int(move) for move in self._plays[:length]]

    @contextmanager
    def _watch(self, stop: Event | None, deadline: float | None) -> Iterator[None]:
        """Stop the search when `stop` is set or the `deadline` on the monotonic clock is over."""
        if stop is None and deadline is None:
            yield
            return
        ended = Event()

        def look_out() -> None:
            while not ended.is_set():
                if (stop and stop.is_set()) or (deadline is not None and time.monotonic() >= deadline):
                    self._control[kernels.STOP] = 1
                    return
                ended.wait(POLL)

        watch = Thread(target=look_out, name="chess clock", daemon=True)
        watch.start()
        try:
            yield
        finally:
            ended.set()
            watch.join()


def _bring_to_front(order: NDArray[np.uint16], bonus: NDArray[np.int64], move: int) -> None:
    at = int(np.flatnonzero(order == move)[0])
    order[: at + 1] = np.roll(order[: at + 1], 1)
    bonus[: at + 1] = np.roll(bonus[: at + 1], 1)


def thought_of(game: Chess, root: States, found: Found, seconds: float) -> Thought:
    """`found` in the words of `Thinker.think`."""
    value, gap = found.value, MATE - abs(found.value)
    mated = abs(value) > WON
    moves = (gap + 1) // 2
    return Thought(
        line=tuple(texts(game, root, found.play)),
        value=float(np.sign(value)) if mated else 2 / (1 + 10 ** (-value / 400)) - 1,
        centipawns=None if mated else value,
        mate=(moves if value > 0 else -moves) if mated else None,
        depth=found.depth,
        nodes=found.nodes,
        seconds=seconds,
    )


def moves_of(game: Chess, root: States, actions: NDArray[np.int64]) -> list[int]:
    """The legal `actions` of `root` [1] as 16-bit moves."""
    moves = {notation.action_of(move, game.chess960): move for move in notation.moves(root)}
    return [moves[int(action)] for action in actions]


def texts(game: Chess, root: States, play: Sequence[int]) -> Iterator[str]:
    """The moves (16 bits) played one after the other from `root` [1], in the game's notation."""
    state = root.copy()
    for move in play:
        yield game.move_text(state, notation.action_of(move, game.chess960))
        rules.make_rows(0, 1, state.view(np.uint64), np.array([move], np.uint16))
