"""Rating intervals by a bootstrap over pairs of games.

Two games from one opening with the seats swapped are not independent: an opening that is lost for one side gives one
win each. Errors from the likelihood take every game for itself and come out too wide (or, where an opening suits one
player, too narrow). Drawing whole pairs anew respects whatever the games of a pair have in common.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from sakiyomi.arena.match import Played
from sakiyomi.arena.rating.joint import ELO, WEAK, Prior, Rating, count, fit, problem_of, relative_to, start_of
from sakiyomi.arena.rating.model import Counts, DrawModel, maximise, slope
from sakiyomi.sgf.record import Record


def bootstrap_ratings(
    pairs: Iterable[Sequence[Record | Played]],
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
    pairs = [list(pair) for pair in pairs]
    games = [game for pair in pairs for game in pair]
    whole = fit(games, anchor=anchor, anchor_elo=anchor_elo, draws=draws, prior=prior, intervals="normal")
    names, counts = count(games)
    shares, frame = _shares(pairs, names, counts), relative_to(whole.center, whole.pool)
    elos = np.empty((samples, len(names)))
    for sample in range(samples):
        times = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)))
        wins, drawn, losses = (shares.T @ times).reshape(3, -1)
        redrawn = counts._replace(wins=wins, draws=drawn, losses=losses)
        problem = replace(problem_of(names, redrawn, draws, prior, True), pools=whole.pool)
        theta, _, _ = maximise(problem, start_of(problem))
        elos[sample] = ELO * slope(draws, float(theta[-1]))[0] * (frame @ theta[:-2])
    if anchor is not None:
        elos[:, whole.pool == whole.pool[names.index(anchor)]] += anchor_elo
    tail = 50 * (1 - level)
    low, high = np.percentile(elos, [tail, 100 - tail], axis=0)
    error = elos.std(0)
    place = {name: i for i, name in enumerate(names)}
    return [
        replace(row, low=float(low[i]), high=float(high[i]), error=float(error[i]))
        for row in whole.table()
        for i in [place[row.name]]
    ]


def _shares(pairs: Sequence[Sequence[Record | Played]], names: tuple[str, ...], counts: Counts) -> csr_array:
    """[pairs, 3 * P]: how many wins, draws and losses each pair adds to each entry of `counts`."""
    entries = len(counts.first)
    column = {(names[i], names[j]): k for k, (i, j) in enumerate(zip(counts.first, counts.second, strict=True))}
    rows, columns, values = [], [], []
    for number, pair in enumerate(pairs):
        who, own = count(pair)
        for i, j, *results in zip(*own[1:], strict=True):
            for kind, games in enumerate(results):
                rows.append(number)
                columns.append(kind * entries + column[who[i], who[j]])
                values.append(float(games))
    return csr_array((values, (rows, columns)), shape=(len(pairs), 3 * entries))
