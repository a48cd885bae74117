"""Two players, until a sequential test knows enough: see `sprt`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sakiyomi.arena.rating.head_to_head import pentanomial
from sakiyomi.arena.rating.sequential import Sprt
from sakiyomi.arena.schedules.schedule import Opening, Pairing, Scores, check_field


@dataclass
class SprtSchedule:
    """Colour-swapped pairs of the first of `names` against the second until `test` ends, `games` games at the most.

    The test looks at whole pairs in the order of their numbers, each as it was played, and ends after the first at
    which a bound is reached; so its verdict does not depend on how many games were played at once. Games begun after
    that one are kept, but do not count. Pairs without a result (an engine that could not start) are left out. Raises
    ValueError unless there are two players and an even number of games.
    """

    names: tuple[str, ...]
    test: Sprt
    games: int
    openings: Sequence[Opening] = (Opening(),)
    counts: list[int] = field(default_factory=lambda: [0] * 5, init=False)
    """Pairs by the first player's points in them: 0, 1/2, 1, 3/2, 2."""
    verdict: str | None = field(default=None, init=False)
    """"H0", "H1", or None while the test goes on."""
    _all: tuple[Pairing, ...] = field(default=(), init=False, repr=False)
    _looked: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        check_field(self.names, self.games, self.openings)
        if len(self.names) != 2:
            raise ValueError(f"a sequential test is of one player against one other, got {len(self.names)} players")
        if self.games % 2:
            raise ValueError(f"a sequential test plays pairs of games: an even number is wanted, got {self.games}")
        one, other = self.names
        self._all = tuple(
            Pairing(2 * pair + game + 1, *(((one, other), (other, one))[game]), self._opening(pair), pair + 1)
            for pair in range(self.games // 2)
            for game in (0, 1)
        )

    def _opening(self, pair: int) -> Opening:
        return self.openings[pair % len(self.openings)]

    @property
    def planned(self) -> int:
        """How many games there are if the test does not end sooner."""
        return len(self._all)

    @property
    def llr(self) -> float:
        """The log-likelihood ratio of the pairs that count."""
        return self.test.llr(self.counts)

    def pairings(self, scores: Scores) -> Sequence[Pairing]:
        """All games until the test has ended, then those that it needed."""
        while self.verdict is None and self._looked < len(self._all):
            number = self._looked + 1
            if number not in scores or number + 1 not in scores:
                break
            self._looked += 2
            first, second = scores[number], scores[number + 1]
            if first is None or second is None:
                continue
            self.counts[pentanomial([(first, 1 - second)]).index(1)] += 1
            self.verdict = self.test.verdict(self.counts)
            if self.verdict is not None:
                self._all = self._all[: self._looked]
        return self._all
