"""Rating intervals by a bootstrap over pairs of games.

Two games from one opening with the seats swapped are not independent: an opening that is lost for one side gives one
win each. Errors from the likelihood take every game for itself and come out too wide (or, where an opening suits one
player, too narrow). Drawing whole pairs anew respects whatever the games of a pair have in common.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from sakiyomi.arena.match import Played
from sakiyomi.arena.rating.anchors import Anchor
from sakiyomi.arena.rating.joint import WEAK, Prior, Rating, fit
from sakiyomi.arena.rating.model import Counts, DrawModel
from sakiyomi.arena.rating.resampling import Progress, Resampled, refits
from sakiyomi.arena.rating.results import Outcome, Results
from sakiyomi.sgf.record import Record


def bootstrap_ratings(
    pairs: Iterable[Sequence[Record | Played | Outcome]],
    rng: np.random.Generator,
    *,
    samples: int = 500,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    draws: DrawModel = "davidson",
    prior: Prior = WEAK,
    level: float = 0.95,
) -> list[Rating]:
    """`ratings.ratings`, with errors and intervals from `samples` fits to pairs drawn anew with replacement.

    `pairs` are the groups that are drawn whole: mostly two games from one opening. A player who meets no pair in a
    sample keeps the prior's mean there. Raises ValueError as `fit` does.
    """
    anchors = [] if anchor is None else [Anchor(anchor, anchor_elo)]
    return bootstrap(pairs, rng, samples=samples, anchors=anchors, draws=draws, prior=prior, level=level).table


def bootstrap(
    pairs: Iterable[Sequence[Record | Played | Outcome]],
    rng: np.random.Generator,
    *,
    samples: int = 500,
    anchors: Iterable[Anchor] = (),
    draws: DrawModel = "davidson",
    prior: Prior = WEAK,
    advantage: bool | float = True,
    level: float = 0.95,
    relative_to: Literal["anchor", "pool"] = "anchor",
    progress: Progress = lambda done: None,
) -> Resampled:
    """`bootstrap_ratings` with everything that the samples tell; `progress` hears how many are done."""
    pairs = [list(pair) for pair in pairs]
    results = Results.of(game for pair in pairs for game in pair)
    whole = fit(
        results,
        anchors=anchors,
        draws=draws,
        prior=prior,
        advantage=advantage,
        intervals="normal",
        level=level,
        relative_to=relative_to,
    )
    return Resampled(whole, refits(whole, prior, _drawn(pairs, results, rng), samples, progress), level)


def _drawn(
    pairs: Sequence[Sequence[Record | Played | Outcome]], results: Results, rng: np.random.Generator
) -> Iterator[Counts]:
    shares = _shares(pairs, results)
    while True:
        times = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)))
        wins, drawn, losses = (shares.T @ times).reshape(3, -1)
        yield results.counts._replace(wins=wins, draws=drawn, losses=losses)


def _shares(pairs: Sequence[Sequence[Record | Played | Outcome]], results: Results) -> csr_array:
    """[pairs, 3 * P]: how many wins, draws and losses each pair adds to each entry of the counts."""
    names, counts = results
    entries = len(counts.first)
    column = {
        (names[i], names[j]): k
        for k, (i, j) in enumerate(zip(counts.first.tolist(), counts.second.tolist(), strict=True))
    }
    rows, columns, values = [], [], []
    for number, pair in enumerate(pairs):
        who, own = Results.of(pair)
        for i, j, *outcomes in zip(*own[1:], strict=True):
            for kind, games in enumerate(outcomes):
                rows.append(number)
                columns.append(kind * entries + column[who[i], who[j]])
                values.append(float(games))
    return csr_array((values, (rows, columns)), shape=(len(pairs), 3 * entries))
