"""Results counted: from games, from plain tuples, from columns or from counts, always the same `Results`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sakiyomi.arena.match import Played
from sakiyomi.arena.rating.model import Counts, Ints
from sakiyomi.sgf.record import Record

Outcome = tuple[str, str, float]
"""The first player, the second, and what the first one made of the game: 1, 1/2 or 0."""
Games = Iterable[Record | Played | Outcome]


class Results(NamedTuple):
    """Players by name, in alphabetical order, and their results added up by pair and seating.

    Make it once with `of`, `of_columns` or `of_counts` to rate the same games in several ways.
    """

    players: tuple[str, ...]
    counts: Counts

    @classmethod
    def of(cls, games: "Games | Results") -> "Results":
        """From records, games as the arena played them, or tuples (first, second, score of the first).

        Unrated games (`Played.rated` false, results such as "*", a score of None) and games of a player against itself
        are left out. Raises ValueError for a score that is none.
        """
        if isinstance(games, Results):
            return games
        number: dict[str, int] = {}
        first: list[int] = []
        second: list[int] = []
        scores: list[float] = []
        for game in games:
            a, b, score = game if isinstance(game, tuple) else _outcome(game)
            if score is not None and a != b:
                first.append(number.setdefault(a, len(number)))
                second.append(number.setdefault(b, len(number)))
                scores.append(score)
        return _added(list(number), np.array(first, np.int64), np.array(second, np.int64), np.array(scores), None)

    @classmethod
    def of_columns(
        cls,
        first: Sequence[str] | NDArray[np.str_] | Ints,
        second: Sequence[str] | NDArray[np.str_] | Ints,
        scores: ArrayLike,
        players: Sequence[str] | None = None,
    ) -> "Results":
        """From columns [G]: the first players, the second ones, and the scores of the first (1, 1/2, 0).

        The players are names or, where `players` names them, numbers that count from 0. Raises ValueError for columns
        that do not fit together.
        """
        a, b, points = np.asarray(first), np.asarray(second), np.asarray(scores, np.float64)
        if not (a.shape == b.shape == points.shape and a.ndim == 1):
            raise ValueError(f"wanted: three columns of equal length, got {a.shape}, {b.shape} and {points.shape}")
        if players is None:
            named, numbers = np.unique(np.concatenate([a, b]), return_inverse=True)
            players, a, b = [str(name) for name in named], numbers[: len(a)], numbers[len(a) :]
        elif len(a) and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= len(players)):
            raise ValueError(f"player numbers must lie in 0..{len(players) - 1}")
        apart = a != b
        return _added(list(players), a[apart].astype(np.int64), b[apart].astype(np.int64), points[apart], None)

    @classmethod
    def of_counts(cls, counts: Mapping[Outcome, float]) -> "Results":
        """From how many games there are of each (first, second, score)."""
        kept = {key: games for key, games in counts.items() if key[0] != key[1] and games}
        number = {
            name: i for i, name in enumerate(dict.fromkeys(name for one, other, _ in kept for name in (one, other)))
        }
        first = np.array([number[one] for one, _, _ in kept], np.int64)
        second = np.array([number[other] for _, other, _ in kept], np.int64)
        scores, games = np.array([key[2] for key in kept]), np.array(list(kept.values()), np.float64)
        return _added(list(number), first, second, scores, games)

    @property
    def games(self) -> int:
        """How many are rated."""
        return round(float(self.counts.games.sum()))

    @property
    def totals(self) -> Ints:
        """[n, 3] wins, draws and losses of each player from both seats."""
        c, n = self.counts, self.counts.players
        columns = [
            np.bincount(c.first, mine, n) + np.bincount(c.second, theirs, n)
            for mine, theirs in ((c.wins, c.losses), (c.draws, c.draws), (c.losses, c.wins))
        ]
        return np.asarray(np.rint(np.stack(columns, 1)), np.int64)

    def only(self, kept: NDArray[np.bool_]) -> "Results":
        """The games between players whom the mask `kept` [n] has."""
        c = self.counts
        rows = kept[c.first] & kept[c.second]
        present = np.zeros(c.players, np.bool_)
        present[c.first[rows]] = present[c.second[rows]] = True
        place = np.cumsum(present) - 1
        counts = Counts(
            int(present.sum()),
            place[c.first[rows]],
            place[c.second[rows]],
            c.wins[rows],
            c.draws[rows],
            c.losses[rows],
        )
        return Results(tuple(name for name, there in zip(self.players, present, strict=True) if there), counts)


def _outcome(game: Record | Played) -> tuple[str, str, float | None]:
    if isinstance(game, Played):
        return *game.record.players, game.record.score if game.rated else None
    return *game.players, game.score


def _added(
    names: Sequence[str], first: Ints, second: Ints, scores: NDArray[np.float64], games: NDArray[np.float64] | None
) -> Results:
    """Add up games (or entries of so many `games`) by pair and seating; players without any are left out."""
    if len(wrong := np.flatnonzero(~np.isin(scores, (0.0, 0.5, 1.0)))):
        raise ValueError(f"a score is 1, 1/2 or 0, got {scores[wrong[0]]:g}")
    present = np.zeros(len(names), np.bool_)
    present[first] = present[second] = True
    outcome = np.rint(2 * scores).astype(np.int64)
    order = sorted(np.flatnonzero(present).tolist(), key=names.__getitem__)
    n, place = len(order), np.zeros(len(names), np.int64)
    place[order] = np.arange(n)
    pairs, entry = np.unique(place[first] * n + place[second], return_inverse=True)
    weight = np.ones(len(scores)) if games is None else games
    wins, draws, losses = (
        np.asarray(np.bincount(entry, (outcome == which) * weight, len(pairs)), np.float64) for which in (2, 1, 0)
    )
    counts = Counts(n, pairs // max(n, 1), pairs % max(n, 1), wins, draws, losses)
    return Results(tuple(names[i] for i in order), counts)
