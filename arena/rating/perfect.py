"""Players who won, or lost, every game: maximum likelihood has no rating for them, only a bound.

They are taken out, again and again until none is left (as Ordo does), the others are rated, and then they are put back
with a mark: ">" and the rating that fits if one of their wins had been a draw, "<" for losers.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.optimize import brentq

from sakiyomi.arena.rating.anchors import Anchor
from sakiyomi.arena.rating.estimates import ELO, Fit, Rating
from sakiyomi.arena.rating.joint import fit
from sakiyomi.arena.rating.model import DrawModel, Floats, Ints, chances, expected_score, slope
from sakiyomi.arena.rating.results import Games, Results

_TAIL = 0.025


def marked_ratings(
    games: Games | Results,
    *,
    anchors: Iterable[Anchor] = (),
    draws: DrawModel = "davidson",
    relative_to: Literal["anchor", "pool"] = "anchor",
) -> tuple[list[Rating], Fit]:
    """The table by maximum likelihood with perfect winners and losers marked, and the fit of the others.

    A marked player's interval ends at infinity on one side; on the other at the rating from which so many wins in a row
    have a chance of 2.5 %. Raises ValueError if nobody is left, or a group of players (not one alone) is unbeaten.
    """
    whole = Results.of(games)
    results, layers = _without_perfect(whole)
    if not results.players:
        raise ValueError(
            "every player won or lost all games against the others: there is nothing to rate without a prior"
        )
    found = fit(results, anchors=anchors, draws=draws, prior=None, relative_to=relative_to)
    elo = dict(zip(found.players, found.elo.tolist(), strict=True))
    unit = ELO * slope(draws, float(found.theta[-1]))[0]
    totals = dict(zip(whole.players, whole.totals.tolist(), strict=True))
    pools = dict(zip(found.players, found.pool.tolist(), strict=True))
    extra: list[Rating] = []
    for layer in reversed(layers):
        rows = [_bound(name, won, whole, elo, pools, found, unit) for name, won in layer]
        for row in rows:
            wins, drawn, losses = totals[row.name]
            elo[row.name], pools[row.name] = row.elo, row.pool
            extra.append(replace(row, games=wins + drawn + losses, wins=wins, draws=drawn, losses=losses))
    table = [_totalled(row, totals[row.name]) for row in found.table()]
    return sorted([*table, *extra], key=lambda row: (row.pool, -row.elo, row.name)), found


def _totalled(row: Rating, total: list[int]) -> Rating:
    wins, draws, losses = total
    games = wins + draws + losses
    return replace(row, games=games, wins=wins, draws=draws, losses=losses, score=(wins + draws / 2) / games)


def _without_perfect(results: Results) -> tuple[Results, list[list[tuple[str, bool]]]]:
    """The results among players who are not perfect, and those taken out, layer by layer, with whether they won."""
    layers: list[list[tuple[str, bool]]] = []
    while results.players:
        wins, draws, losses = results.totals.T
        perfect = (draws == 0) & ((wins == 0) | (losses == 0))
        if not perfect.any():
            break
        layers.append([(results.players[i], bool(losses[i] == 0)) for i in np.flatnonzero(perfect)])
        left = results.only(~perfect)
        if gone := set(results.players) - set(left.players) - {name for name, _ in layers[-1]}:
            raise ValueError(f"{', '.join(sorted(gone))} met only players who won or lost every game; use a prior")
        results = left
    return results, layers


def _bound(
    name: str, won: bool, whole: Results, elo: dict[str, float], pools: dict[str, int], found: Fit, unit: float
) -> Rating:
    """A marked row; opponents without a rating yet do not count."""
    me, c = whole.players.index(name), whole.counts
    other, sign = np.where(c.first == me, c.second, c.first), np.where(c.first == me, 1.0, -1.0)
    known = np.array([opponent in elo for opponent in whole.players])
    mine = ((c.first == me) | (c.second == me)) & known[other]
    if not mine.any():
        raise ValueError(f"{name} met only players who won or lost every game; use a prior")
    opponents: Ints = other[mine]
    games: Floats = c.games[mine]
    leads = -np.array([elo[whole.players[i]] for i in opponents]) / unit
    model, draw = found.model, float(found.theta[-1])
    seats: Floats = sign[mine]

    def score(rating: float) -> Floats:  # of mine, from whatever seat
        lead = seats * (rating + leads) + found.theta[-2]
        first = expected_score(model, lead, draw)
        return np.where(seats > 0, first, 1 - first)

    def clean(rating: float) -> float:  # the logarithm of the chance of nothing but wins (or losses)
        odds = chances(model, seats * (rating + leads) + found.theta[-2], draw)
        mine = np.where((seats > 0) == won, odds[:, 0], odds[:, 2])
        return float(games @ np.log(np.maximum(mine, 1e-300)))

    points = float(games.sum()) - 0.5 if won else 0.5
    low, high = float(-leads.max()) - 25, float(-leads.min()) + 25
    middle = brentq(lambda r: float(games @ score(r)) - points, low, high)
    edge = brentq(lambda r: clean(r) - math.log(_TAIL), low, high)
    figures = (edge * unit, math.inf) if won else (-math.inf, edge * unit)
    pool = pools[whole.players[int(opponents[0])]]
    return Rating(name, middle * unit, *figures, math.inf, 0, 0, 0, 0, float(won), math.nan, pool, ">" if won else "<")
