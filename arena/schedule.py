"""Who meets whom, with which opening: pure functions of the names, the number of games and the openings.

A tournament resumes by playing the pairings of its schedule that its store does not hold, so a schedule never depends
on results, time or the number of workers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np


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


def round_robin(
    names: Sequence[str], games_per_pair: int, openings: Sequence[Sequence[str] | Opening] = ((),)
) -> tuple[Pairing, ...]:
    """Everyone against everyone, `games_per_pair` games for each two players.

    All meet once, with both colours, before any meet again, so that standings make sense early; round k (from 0)
    starts from ``openings[k % len(openings)]`` for everybody. An odd number of games leaves a last round in which each
    two meet once, first moves shared out as evenly as can be. More games for each pair only add games at the end
    (from an even number on). Raises ValueError for fewer than two players, a name used twice, or no games.
    """
    if len(names) < 2:
        raise ValueError(f"a tournament needs at least two players, got {len(names)}")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ValueError(f"two players are called {twice[0]!r}; give one another name: NAME={twice[0]}")
    if games_per_pair < 1:
        raise ValueError(f"games for each pair must be 1 or more, got {games_per_pair}")
    lines = [Opening.of(line) for line in openings]
    if not lines:
        raise ValueError("openings must hold at least one opening; the empty one () is the ordinary start")
    meetings = list(_meetings(len(names)))
    pairings: list[Pairing] = []
    pair = 0
    for round_number in range(-(-games_per_pair // 2)):
        opening = lines[round_number % len(lines)]
        single = 2 * round_number + 1 == games_per_pair
        for a, b in meetings:
            pair += 1
            for first, second in [(a, b)] if single else [(a, b), (b, a)]:
                pairings.append(Pairing(len(pairings) + 1, names[first], names[second], opening, pair))
    return tuple(pairings)


def _meetings(players: int) -> Iterator[tuple[int, int]]:
    """Each two of `players` once, by the circle method: consecutive meetings are of different players.

    Player 0 stays, the others turn by one seat a round; seat i meets seat n-1-i. Of two players whose numbers sum to
    an odd number the lower moves first, otherwise the higher: nobody gets more than one first move too many.
    """
    seats = players + players % 2
    circle = list(range(1, seats))
    for _ in range(seats - 1):
        row = [0, *circle]
        for seat in range(seats // 2):
            low, high = sorted((row[seat], row[seats - 1 - seat]))
            if high < players:  # else the empty seat of an odd field: no game
                yield (low, high) if (low + high) % 2 else (high, low)
        circle = [circle[-1], *circle[:-1]]


def game_seed(seed: int, number: int) -> int:
    """The seed of game `number`, from nothing but the tournament's seed and that number (63 bits)."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> np.uint64(1))
