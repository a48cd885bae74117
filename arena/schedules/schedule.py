"""What a schedule is: the games that there are to be, from the results so far and nothing else.

A tournament resumes by playing the pairings of its schedule that its store does not hold, so a schedule never depends
on time or on the number of workers. Those that ignore the results, too, are in `fixed`; see also
`swiss` and `sequential`; `spec` makes each from a line of text.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Scores = Mapping[int, float | None]
"""The first player's points (0, 1/2, 1; None: no result) in the games played so far, by the games' numbers."""


@dataclass(frozen=True)
class Opening:
    """Moves played before the players are asked, from the position `setup` (None: the game's ordinary start)."""

    moves: tuple[str, ...] = ()
    setup: str | None = None

    @classmethod
    def of(cls, line: "Opening | Iterable[str]") -> "Opening":
        """`line` itself, or the opening with these moves."""
        return line if isinstance(line, Opening) else cls(tuple(line))

    @classmethod
    def parse(cls, text: str) -> "Opening":
        """What `text` gave."""
        setup, bar, moves = text.rpartition(" |")
        return cls(tuple(moves.split()), setup if bar else None)

    @property
    def text(self) -> str:
        """One line: the moves, after "SETUP |" if there is a setup."""
        moves = " ".join(self.moves)
        return moves if self.setup is None else f"{self.setup} | {moves}".rstrip()


@dataclass(frozen=True)
class Pairing:
    """One game to be played.

    `number` counts from 1; `first` moves first; `opening` holds the moves played before the players are asked; the two
    games of one colour-swapped pair share `pair` (counted from 1) and the opening.
    """

    number: int
    first: str
    second: str
    opening: Opening
    pair: int


class Schedule(Protocol):
    """Who meets whom."""

    @property
    def planned(self) -> int:
        """How many games there can be at the most."""

    def pairings(self, scores: Scores) -> Sequence[Pairing]:
        """The games that there are to be as far as `scores` settle it, those already played among them, by number.

        Returns the same object while nothing has changed.
        """


class Agenda:
    """What is left of a schedule: hands out each game once, and hears of each result."""

    def __init__(self, schedule: Schedule, scores: Scores):
        self._schedule = schedule
        self._scores = dict(scores)
        self._given = set(scores)
        self._known: Sequence[Pairing] = ()
        self._todo: deque[Pairing] = deque()
        self._look()

    def take(self) -> Pairing | None:
        """The next game, None if there is none until the result of another is known."""
        if not self._todo:
            return None
        pairing = self._todo.popleft()
        self._given.add(pairing.number)
        return pairing

    def give_back(self, pairing: Pairing) -> None:
        """It could not be played after all: it comes next."""
        self._given.discard(pairing.number)
        self._todo.appendleft(pairing)

    def note(self, number: int, score: float | None) -> None:
        """Game `number` has ended; the first player has scored that."""
        self._scores[number] = score
        self._look()

    def __len__(self) -> int:
        """How many games can be taken now."""
        return len(self._todo)

    def _look(self) -> None:
        known = self._schedule.pairings(self._scores)
        if known is not self._known:
            self._known = known
            self._todo = deque(pairing for pairing in known if pairing.number not in self._given)


def check_field(names: Sequence[str], games: int, openings: Sequence[Opening]) -> None:
    """Raises ValueError for fewer than two players, a name used twice, no games, or no openings."""
    if len(names) < 2:
        raise ValueError(f"a tournament needs at least two players, got {len(names)}")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ValueError(f"two players are called {twice[0]!r}; give one another name: NAME={twice[0]}")
    if games < 1:
        raise ValueError(f"games for each pair must be 1 or more, got {games}")
    if not openings:
        raise ValueError("openings must hold at least one opening; the empty one () is the ordinary start")


def game_seed(seed: int, number: int) -> int:
    """The seed of game `number`, from nothing but the tournament's seed and that number (63 bits)."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> np.uint64(1))
