"""A Swiss tournament: in each round players meet others with about as many points whom they have met least."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from sakiyomi.arena.schedules.schedule import Opening, Pairing, Scores, check_field

_STEPS = 20_000  # of looking for a round without another meeting, before one is allowed


@dataclass
class Swiss:
    """`rounds` rounds in which each two paired players play `games` games, colours swapped, from one opening a pair.

    Players are ranked by points, then by the points of their opponents (Buchholz), then by their place among `names`,
    which should be by expected strength. In the first round the upper half meets the lower half; later the highest
    meets the highest whom it has met least, and so on. With an odd number of players the lowest of those with the
    fewest free rounds has one and gets the points of a win. A round begins when the one before it has ended; what had
    no result (an engine that could not start) counts as a draw. Round k starts from ``openings[k % len(openings)]``,
    from one more for each two games of a meeting.

    Raises ValueError for what no field of players can be, and for rounds or games below 1.
    """

    names: tuple[str, ...]
    rounds: int
    games: int = 2
    openings: Sequence[Opening] = (Opening(),)
    _made: list[Pairing] = field(default_factory=list, init=False, repr=False)
    _all: tuple[Pairing, ...] = field(default=(), init=False, repr=False)
    _points: defaultdict[str, float] = field(default_factory=partial(defaultdict, float), init=False, repr=False)
    _met: Counter[frozenset[str]] = field(default_factory=Counter, init=False, repr=False)
    _free: Counter[str] = field(default_factory=Counter, init=False, repr=False)
    _round: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        check_field(self.names, self.games, self.openings)
        if self.rounds < 1:
            raise ValueError(f"a Swiss tournament has 1 or more rounds, got {self.rounds}")

    @property
    def planned(self) -> int:
        """How many games there are in all rounds."""
        return self.rounds * self.games * (len(self.names) // 2)

    def pairings(self, scores: Scores) -> Sequence[Pairing]:
        """The rounds that can be paired: all that `scores` hold whole, and the one after them."""
        while self._round < self.rounds and all(game.number in scores for game in self._made[-self._a_round :]):
            self._count(self._made[-self._a_round :] if self._round else [], scores)
            self._pair()
            self._all = tuple(self._made)
        return self._all

    @property
    def _a_round(self) -> int:
        return self.games * (len(self.names) // 2)

    def _count(self, played: Sequence[Pairing], scores: Scores) -> None:
        for game in played:
            score = scores[game.number]
            points = 0.5 if score is None else score
            self._points[game.first] += points
            self._points[game.second] += 1 - points

    def _pair(self) -> None:
        """Add the next round."""
        order = self._ranking()
        if len(order) % 2:
            free = min(reversed(order), key=lambda name: self._free[name])
            self._free[free] += 1
            self._points[free] += self.games
            order.remove(free)
        half = len(order) // 2
        meetings = list(zip(order[:half], order[half:], strict=True)) if self._round == 0 else self._meetings(order)
        pairs_a_meeting = -(-self.games // 2)
        for place, (one, other) in enumerate(meetings):
            self._met[frozenset((one, other))] += 1
            a, b = (one, other) if (place + self._round) % 2 == 0 else (other, one)
            for game in range(self.games):
                line = (self._round * pairs_a_meeting + game // 2) % len(self.openings)
                first, second = (a, b) if game % 2 == 0 else (b, a)
                pair = ((self._round * half) + place) * pairs_a_meeting + game // 2 + 1
                self._made.append(Pairing(len(self._made) + 1, first, second, self.openings[line], pair))
        self._round += 1

    def _ranking(self) -> list[str]:
        buchholz: defaultdict[str, float] = defaultdict(float)
        for pair, times in self._met.items():
            one, other = pair
            buchholz[one] += times * self._points[other]
            buchholz[other] += times * self._points[one]
        place = {name: i for i, name in enumerate(self.names)}
        return sorted(self.names, key=lambda name: (-self._points[name], -buchholz[name], place[name]))

    def _meetings(self, order: Sequence[str]) -> list[tuple[str, str]]:
        """Everyone once, nobody with somebody met more often than is needed."""
        allowed = 0
        while (found := _matching(order, self._met, allowed)) is None:
            allowed += 1
        return found


def _matching(order: Sequence[str], met: Counter[frozenset[str]], allowed: int) -> list[tuple[str, str]] | None:
    """Pairs of all in `order` who have met at most `allowed` times, each as high as can be; None if none is found."""
    found: list[tuple[str, str]] = []
    left = list(order)
    tried: list[tuple[list[str], int]] = []  # for each pair found: who was left before it, and the next candidate
    candidate = 1
    for _ in range(_STEPS):
        if not left:
            return found
        while candidate < len(left) and met[frozenset((left[0], left[candidate]))] > allowed:
            candidate += 1
        if candidate < len(left):
            found.append((left[0], left[candidate]))
            tried.append((left, candidate + 1))
            left, candidate = [*left[1:candidate], *left[candidate + 1 :]], 1
        elif tried:
            left, candidate = tried.pop()
            found.pop()
        else:
            return None
    return None
