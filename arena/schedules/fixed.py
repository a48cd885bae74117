"""Schedules that no result changes: round robin, gauntlet, ladder; and how they grow."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sakiyomi.arena.schedules.schedule import Opening, Pairing, Scores, check_field

Meetings = Iterable[tuple[int, int]]
"""Who meets whom, by their places among the players; in each the first moves first in the first game."""


@dataclass(frozen=True)
class Fixed:
    """A schedule whose games are all known."""

    games: tuple[Pairing, ...]

    @property
    def planned(self) -> int:
        """How many games there are."""
        return len(self.games)

    def pairings(self, scores: Scores) -> Sequence[Pairing]:
        """All of them."""
        return self.games


def round_robin(
    names: Sequence[str], games_per_pair: int, openings: Sequence[Sequence[str] | Opening] = ((),)
) -> tuple[Pairing, ...]:
    """Everyone against everyone, `games_per_pair` games for each two players.

    All meet once, with both colours, before any meet again, so that standings make sense early; round k (from 0)
    starts from ``openings[k % len(openings)]`` for everybody. An odd number of games leaves a last round in which each
    two meet once, first moves shared out as evenly as can be. Raises ValueError for fewer than two players, a name
    used twice, or no games.
    """
    return _rounds(names, games_per_pair, openings, _circle(len(names)))


def gauntlet(
    names: Sequence[str], games_per_pair: int, openings: Sequence[Sequence[str] | Opening] = ((),), challengers: int = 1
) -> tuple[Pairing, ...]:
    """The first `challengers` players against all the others, who do not meet; otherwise as `round_robin`.

    Raises ValueError, too, unless there are challengers and others.
    """
    if not 1 <= challengers < len(names):
        raise ValueError(f"a gauntlet of {len(names)} players has 1 to {len(names) - 1} challengers, got {challengers}")
    others = range(challengers, len(names))
    meetings = [(one, other) if (one + other) % 2 else (other, one) for other in others for one in range(challengers)]
    return _rounds(names, games_per_pair, openings, meetings)


def ladder(
    names: Sequence[str], games_per_pair: int, openings: Sequence[Sequence[str] | Opening] = ((),), reach: int = 3
) -> tuple[Pairing, ...]:
    """Each player against the `reach` before it: for checkpoints of a training run, in the order of their making.

    A new checkpoint so costs the same however many there are, and its games still join it to all earlier ones.
    """
    if reach < 1:
        raise ValueError(f"in a ladder each player meets 1 or more before it, got {reach}")
    meetings = [
        (low, high) if (low + high) % 2 else (high, low)
        for high in range(len(names))
        for low in range(max(0, high - reach), high)
    ]
    return _rounds(names, games_per_pair, openings, meetings)


def grown(stages: Iterable[Sequence[Pairing]]) -> tuple[Pairing, ...]:
    """The games of all `stages`, each a schedule that the one before it has grown to, every game once.

    Games keep the numbers that they had when they were first planned; what a stage adds comes after them.
    """
    games: list[Pairing] = []
    pairs = 0  # made so far
    for stage in stages:
        free: dict[tuple[str, str, Opening], list[int]] = {}
        for game in reversed(games):
            free.setdefault((game.first, game.second, game.opening), []).append(game.pair)
        matched = [found.pop() if (found := free.get((g.first, g.second, g.opening))) else None for g in stage]
        place = {game.pair: pair for game, pair in zip(stage, matched, strict=True) if pair is not None}
        for game, pair in zip(stage, matched, strict=True):
            if pair is not None:
                continue
            if game.pair not in place:
                pairs += 1
                place[game.pair] = pairs
            games.append(Pairing(len(games) + 1, game.first, game.second, game.opening, place[game.pair]))
    return tuple(games)


def _rounds(
    names: Sequence[str], games: int, openings: Sequence[Sequence[str] | Opening], meetings: Meetings
) -> tuple[Pairing, ...]:
    lines = [Opening.of(line) for line in openings]
    check_field(names, games, lines)
    meetings = list(meetings)
    pairings: list[Pairing] = []
    pair = 0
    for round_number in range(-(-games // 2)):
        opening = lines[round_number % len(lines)]
        single = 2 * round_number + 1 == games
        for a, b in meetings:
            pair += 1
            for first, second in [(a, b)] if single else [(a, b), (b, a)]:
                pairings.append(Pairing(len(pairings) + 1, names[first], names[second], opening, pair))
    return tuple(pairings)


def _circle(players: int) -> Iterator[tuple[int, int]]:
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
