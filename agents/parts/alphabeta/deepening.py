"""Iterative deepening around a search kernel: limits of depth, nodes and time, and what it thinks meanwhile.

Used by every game that has an alpha-beta search on flat arrays (`search_nodes`); moves are its 16-bit words.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.alphabeta import nodes
from sakiyomi.agents.parts.alphabeta.nodes import INFINITE, PLIES
from sakiyomi.agents.parts.alphabeta.table import MATE, WON
from sakiyomi.agents.parts.settings import whole
from sakiyomi.boards.game import States
from sakiyomi.boards.player import Candidate, Thought

DEEPEST = 100  # plies; with one more for each check of a line still below the 256 that the table can tell
EVER = 1 << 62  # nodes, where nothing limits them
SURE = 20_000  # nodes, some milliseconds, that the first look at the moves may take whatever the clock says
WINDOW = 25  # points around the last iteration's value, within which the next one looks first
POLL = 0.005  # seconds between two looks at the clock and the stop sign

Look = Callable[[NDArray[np.uint16], NDArray[np.int64], int, int, int], int]
"""``look(moves, bonus, depth, alpha, beta)``: the value of the best of `moves` in the position that was set up, each
with its bonus; writes `plays` and `control` as `search_nodes` describes."""


@dataclass(frozen=True)
class Limits:
    """How far a search goes: plies, positions, and seconds (None: as long as it takes).

    With `mate` a forced mate in so many moves of the player is looked for as well, with nothing left out, so that it is
    found if there is one. No search goes deeper than DEEPEST or looks at more positions than EVER, whatever it is
    allowed.
    """

    depth: int = DEEPEST
    nodes: int = EVER
    seconds: float | None = None
    mate: int | None = None


@dataclass(frozen=True)
class Found:
    """What a search found: the play it expects, 16-bit moves, and its value in points (`search_table` for mates)."""

    play: list[int]
    value: int
    depth: int
    nodes: int
    complete: bool = True  # all moves were looked at to this depth


Tell = Callable[[Found], None]


class Searcher(Protocol):
    """The search of one game with its memory, kept from move to move: what a player needs of it."""

    scale: int
    """The points that make a player ten times as likely to win as to lose."""

    def forget(self) -> None:
        """Empty the transposition table, as before a new game."""
        ...

    def search(
        self,
        root: States,
        choices: Sequence[int],
        bonus: NDArray[np.int64],
        limits: Limits,
        stop: Event | None = None,
        tell: Tell = ...,
    ) -> Found:
        """The best of `choices`, one or more legal moves of `root` [1]; see `Deepening.search`."""
        ...

    def moves_of(self, root: States, actions: NDArray[np.int64]) -> list[int]:
        """Legal `actions` of `root` [1] as moves."""
        ...

    def texts(self, root: States, play: Sequence[int]) -> Iterator[str]:
        """The moves played one after the other from `root` [1], in the game's notation."""
        ...


def table_words(megabytes: int) -> int:
    """The size of a transposition table of at most so many megabytes. Raises ValueError for less than 1."""
    whole("the table of a search", megabytes, " megabytes")
    return 1 << ((megabytes << 20) // 8).bit_length() - 1


class Deepening:
    """Looks 1, 2, 3... plies ahead with `look`; owns the arrays `plays` and `control` that it writes."""

    def __init__(self, look: Look, features: int):
        self.plays = np.zeros((PLIES + 1) * PLIES, np.uint16)
        self.control = np.zeros(16, np.int64)
        self._look, self._features = look, features

    def set_up(self, base: int) -> None:
        """Begin the search of another position; `base`: see BASE of `search_nodes`."""
        control = self.control
        age = (int(control[nodes.AGE]) + 1) % 256
        control[:] = 0
        control[nodes.AGE], control[nodes.FEATURES], control[nodes.BASE] = age, self._features, base

    def search(
        self, choices: Sequence[int], bonus: NDArray[np.int64], limits: Limits, stop: Event | None, tell: Tell
    ) -> Found:
        """The best of `choices`, one or more legal moves; `bonus` [choices].

        Looks deeper until a limit is reached, `stop` is set, or a mate is forced within the plies looked ahead. (A
        shorter one may be hidden where moves were looked at less deep or left out.) Tells what it found whenever it is
        surer of it, last what it returns.
        """
        began = time.monotonic()
        control = self.control
        order, extra = np.array(choices, np.uint16), np.array(bonus, np.int64)
        control[nodes.MOST_NODES] = min(limits.nodes, SURE)
        last = self.iterate(order, extra, 1, 0)
        control[nodes.MOST_NODES], control[nodes.STOP] = min(limits.nodes, EVER), 0
        told = False
        with self._watch(stop, None if limits.seconds is None else began + limits.seconds):
            for depth in range(1, min(limits.depth, DEEPEST) + 1):
                found = self.iterate(order, extra, depth, last.value)
                if found.complete or (found.play and found.play[0] != last.play[0]):
                    last, told = found, True
                    tell(last)
                if not found.complete or MATE - abs(last.value) <= depth:
                    break
            if limits.mate is not None and (mate := self._mate(order, min(limits.mate, DEEPEST // 2), last)):
                last, told = mate, True
                tell(last)
        if not told:
            tell(last)
        return last

    def _mate(self, order: NDArray[np.uint16], most: int, known: Found) -> Found | None:
        """The shortest mate in at most `most` moves if it is shorter than that of `known`, else None.

        A search that only asks whether there is one, that prunes nothing else, and that trusts no table filled by
        searches that did.
        """
        control = self.control
        pruning = nodes.REDUCTIONS | nodes.FUTILITY | nodes.TABLE
        control[nodes.FEATURES] = self._features & ~pruning
        found = None
        for plies in range(1, 2 * most, 2):
            if MATE - known.value <= plies or control[nodes.STOP]:
                break
            value = self._look(order, np.zeros(len(order), np.int64), plies, MATE - plies - 1, INFINITE)
            if value >= MATE - plies and control[nodes.ROOT_DONE]:
                found = Found(self._expected_play(), value, plies, int(control[nodes.NODES]))
                break
        control[nodes.FEATURES] = self._features
        return found

    def iterate(self, order: NDArray[np.uint16], bonus: NDArray[np.int64], depth: int, guess: int) -> Found:
        """Look `depth` plies ahead, first near the value `guess`; brings the best move and its bonus to the front.

        If stopped, the best of what was looked at: no play at all if that is nothing.
        """
        low, high, width = -INFINITE, INFINITE, WINDOW
        if depth >= 5 and abs(guess) < WON:
            low, high = guess - width, guess + width
        play: list[int] = []
        value = guess
        control = self.control
        while True:
            found = int(self._look(order, bonus, depth, low, high))
            stopped = bool(control[nodes.STOP])
            if control[nodes.ROOT_DONE]:
                play, value = self._expected_play(), found
                _bring_to_front(order, bonus, play[0])
            if stopped or low < found < high:
                if abs(value) < WON:
                    value -= int(bonus[0])
                return Found(play or [int(order[0])], value, depth, int(control[nodes.NODES]), not stopped)
            width *= 4
            if found <= low:
                low = found - width if width < 1000 else -INFINITE
            else:
                high = found + width if width < 1000 else INFINITE

    def _expected_play(self) -> list[int]:
        length = int(np.argmin(self.plays[:PLIES] != 0))
        return [int(move) for move in self.plays[:length]]

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
                    self.control[nodes.STOP] = 1
                    return
                ended.wait(POLL)

        watch = Thread(target=look_out, name="search clock", daemon=True)
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


def thought_of(found: Found, line: Sequence[str], scale: float, seconds: float) -> Thought:
    """`found`, its play in the game's notation being `line`, in the words of `Thinker.think`.

    `scale`: the points that make a player ten times as likely to win as to lose.
    """
    points, gap = found.value, MATE - abs(found.value)
    mated = abs(points) > WON
    moves = (gap + 1) // 2
    value = float(np.sign(points)) if mated else 2 / (1 + 10 ** (-points / scale)) - 1
    return Thought(
        line=tuple(line),
        value=value,
        centipawns=None if mated else points,
        mate=(moves if points > 0 else -moves) if mated else None,
        depth=found.depth,
        nodes=found.nodes,
        seconds=seconds,
        candidates=tuple(Candidate(move, value=value, line=tuple(line)) for move in line[:1]),
    )
