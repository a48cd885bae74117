"""Elo ratings of a pool of players: one joint fit of all games, with draws, the first player's advantage, and errors.

`ratings(games)` gives the table; `fit(games)` everything else. Both are pure functions of the games, in any order.
The mathematics is in `model.py` and `problem.py`; docs/ratings.md explains the choices.

All Elo figures are *expected-score Elo*: a small lead of x Elo means an expected score of 1 / (1 + 10^(-x/400)). The
models' own parameters are on a wider scale when draws are common; they are multiplied by the models' slope at equality.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import ndtri

from sakiyomi.arena.rating.anchors import Anchor, Moorings, moor
from sakiyomi.arena.rating.curvature import Curvature
from sakiyomi.arena.rating.estimates import ELO, Estimate, Fit, Rating, advantage_of, draw_figures, spread
from sakiyomi.arena.rating.intervals import profile_interval
from sakiyomi.arena.rating.model import (
    MODELS,
    DrawModel,
    Floats,
    Ints,
    NoMaximum,
    bradley_terry,
    no_draws,
    slope,
    unbeaten,
)
from sakiyomi.arena.rating.problem import Bordered, Problem, maximise
from sakiyomi.arena.rating.results import Games, Results

__all__ = ["ELO", "PROFILED", "WEAK", "Anchor", "Estimate", "Fit", "Prior", "Rating", "Results", "fit", "ratings"]

PROFILED = 30
"""Fits of more players get normal intervals, which are quick and, with many games, the same."""


@dataclass(frozen=True)
class Prior:
    """What is believed of strengths before any game; `None` in its place means maximum likelihood.

    `sigma` is the standard deviation, in Elo of the model's own scale, of a strength about its pool's mean and of the
    first player's advantage: 1000 is weak, yet keeps players who won or lost every game finite; infinity is no such
    belief. `virtual_draws` adds that many draws to the average player, spread over its opponents, as BayesElo does (its
    default is 2). `draw_games` counts pseudo-games between equals, half of them drawn.
    """

    sigma: float = 1000.0
    virtual_draws: float = 0.0
    draw_games: float = 1.0

    def __post_init__(self) -> None:
        if not (self.sigma > 0 and self.virtual_draws >= 0 and self.draw_games >= 0):
            raise ValueError(f"a prior needs sigma > 0, virtual_draws >= 0 and draw_games >= 0, got {self}")


WEAK = Prior()
BAYESELO = Prior(sigma=math.inf, virtual_draws=2.0, draw_games=0.0)
"""BayesElo's prior and no other."""


def ratings(
    games: Games | Results,
    *,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    anchors: Iterable[Anchor] = (),
    draws: DrawModel = "davidson",
    prior: Prior | None = WEAK,
) -> list[Rating]:
    """The table of ratings, strongest first (pool by pool where not all players are joined by games); see `fit`.

    Empty where no game is rated.
    """
    results = Results.of(games)
    if not results.players:
        return []
    return fit(results, anchor=anchor, anchor_elo=anchor_elo, anchors=anchors, draws=draws, prior=prior).table()


def fit(
    games: Games | Results,
    *,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    anchors: Iterable[Anchor] = (),
    draws: DrawModel = "davidson",
    prior: Prior | None = WEAK,
    advantage: bool | float = True,
    draw: float | None = None,
    intervals: Literal["auto", "normal", "profile"] = "auto",
    level: float = 0.95,
    relative_to: Literal["anchor", "pool"] = "anchor",
) -> Fit:
    """Fit all strengths, the first player's advantage and the draw parameter at once.

    `games` are records, games as the arena played them, tuples (first, second, score), or `Results`. `anchor` is the
    player whose rating is `anchor_elo`; without one the weighted mean of a pool is 0 (`Fit.center`). One anchor moves
    all ratings of its pool by one amount and changes no difference; `anchors` may be several, and loose (`Anchor`).
    `prior` None is maximum likelihood.

    `advantage` False fixes the advantage of moving first at 0, a number at so much Elo; `draw` fixes the draw parameter
    (Davidson's nu, Rao-Kupper's e in Elo); both in the model's own scale. `intervals`: "profile" likelihood (lopsided
    where the results are; the time grows with the fourth power of the players), "normal" (elo +- 1.96 errors), or
    "auto": profile for up to 30 players. `relative_to` "pool" gives errors relative to the pool's mean although there
    is an anchor.

    Raises ValueError if there is no rated game, an anchor has none, or maximum likelihood has no finite answer.
    """
    results = Results.of(games)
    _check(results, draws)
    names, counts = results
    given = [*([] if anchor is None else [Anchor(anchor, anchor_elo)]), *anchors]
    pools = largest_first(counts.pools())
    moorings = moor(given, names, pools)
    problem = problem_of(results, draws, prior, advantage, draw, moorings)
    problem, theta, curvature = solved(problem, start_of(problem, advantage, draw), moorings)
    bordered, told = Bordered(curvature), _told(problem, theta)
    zero = _center(told, pools, moorings)
    center = zero if relative_to == "anchor" else _center(told, pools, None)
    n, (scale, _) = len(names), slope(draws, float(theta[-1]))
    relative = theta[:n] - np.bincount(pools, zero * theta[:n])[pools]
    variance, elo_variance = spread(theta, center, pools, bordered, draws)
    elo = np.where(moorings.exact, moorings.elo, ELO * scale * relative) + moorings.level
    error = np.sqrt(elo_variance)
    z = float(ndtri((1 + level) / 2))
    profiled = intervals == "profile" or (intervals == "auto" and n <= PROFILED)
    below, above = _reach(problem, theta, center, np.sqrt(variance), z, profiled)
    equal_draws, draw_parameter = draw_figures(draws, float(theta[-1]))
    return Fit(
        players=names,
        elo=elo,
        error=error,
        low=elo - below * error,
        high=elo + above * error,
        totals=results.totals,
        pool=pools,
        center=center,
        advantage=advantage_of(theta, bordered, draws, z),
        draws=equal_draws,
        draw=draw_parameter,
        log_likelihood=float(replace(problem, counts=counts).terms_at(theta).value.sum()),
        parameters=np.concatenate([ELO * relative, [ELO * theta[n], theta[-1] * (1 if draws == "davidson" else ELO)]]),
        model=draws,
        accuracy=bordered.solver.accuracy,
        theta=theta,
        problem=problem,
        bordered=bordered,
        profiled=profiled,
        moorings=moorings,
    )


def _check(results: Results, draws: DrawModel) -> None:
    if draws not in MODELS:
        raise ValueError(f"unknown model of draws {draws!r}; there are: {', '.join(MODELS)}")
    if not results.games:
        raise ValueError("no rated game between two players: there is nothing to rate")


def problem_of(
    results: Results,
    draws: DrawModel = "davidson",
    prior: Prior | None = WEAK,
    advantage: bool | float = True,
    draw: float | None = None,
    moorings: Moorings | None = None,
) -> Problem:
    """The likelihood and prior to be maximised. Without a draw the draw parameter is fixed at "never".

    Raises NoMaximum, with the names of the unbeaten, where maximum likelihood has no finite answer.
    """
    names, counts = results
    pools = largest_first(counts.pools())
    moorings = moorings or moor((), names, pools)
    prior = prior or Prior(sigma=math.inf, draw_games=0)
    if math.isinf(prior.sigma) and not prior.virtual_draws and (stuck := unbeaten(counts)) is not None:
        raise NoMaximum(
            f"no finite maximum-likelihood ratings: {', '.join(names[i] for i in stuck[:20])} neither lost to nor drew "
            "with the other players of the pool; use a prior"
        )
    counts = counts.with_virtual_draws(prior.virtual_draws)
    drawn = draws != "half-wins" and (bool(counts.draws.any()) or draw is not None)
    weight = np.full(len(names) + 1, (ELO / prior.sigma) ** 2)
    return Problem(
        counts,
        MODELS[draws] if drawn else bradley_terry,
        draws,
        weight,
        np.zeros(len(names) + 1),
        prior.draw_games,
        np.concatenate([~(moorings.exact & moorings.held), [advantage is True, drawn and draw is None]]),
        pools,
        moorings.held,
    )


def largest_first(pools: Ints) -> Ints:
    """Pool numbers in the order of size."""
    labels, sizes = np.unique(pools, return_counts=True)
    rank = np.empty(len(labels), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(labels))
    return np.asarray(rank[pools])


def start_of(problem: Problem, advantage: bool | float = True, draw: float | None = None) -> Floats:
    """Equal strengths, no advantage, and the draw parameter that gives equals the draw rate seen."""
    theta = np.zeros(problem.counts.players + 2)
    theta[-2] = 0.0 if isinstance(advantage, bool) else advantage / ELO
    theta[-1] = no_draws(problem.model)
    davidson = problem.model == "davidson"
    if problem.free[-1]:
        rate = float(np.clip(problem.counts.draws.sum() / problem.counts.games.sum(), 0.01, 0.9))
        theta[-1] = math.log(2 * rate / (1 - rate)) if davidson else 2 * math.atanh(rate)
    elif draw is not None and problem.model != "half-wins":
        if draw <= 0:
            raise ValueError(f"a draw parameter is above 0, got {draw}")
        theta[-1] = math.log(draw) if davidson else draw / ELO
    return theta


def solved(problem: Problem, theta: Floats, moorings: Moorings) -> tuple[Problem, Floats, Curvature]:
    """The problem with its anchors in place, its maximum, and the curvature there.

    Anchors are given in expected-score Elo, whose scale follows from the draw parameter: where several hold a pool they
    are placed anew until the scale stays.
    """
    while True:
        scale = slope(problem.model, float(theta[-1]))[0]
        problem, theta = _placed(problem, theta, moorings, ELO * scale)
        theta, here = maximise(problem, theta)
        if not moorings.held.any() or abs(slope(problem.model, float(theta[-1]))[0] - scale) < 1e-10:
            return problem, theta, here.curvature


def _placed(problem: Problem, theta: Floats, moorings: Moorings, unit: float) -> tuple[Problem, Floats]:
    """The anchors of pools that they hold, put where they belong at `unit` Elo a nat."""
    n, held = len(theta) - 2, moorings.held
    if not held.any():
        return problem, theta
    loose = held & moorings.loose
    pull = np.where(loose, (unit / np.where(loose, moorings.sigma, 1.0)) ** 2, 0.0)
    belief = problem.precision[n]
    precision, target = np.append(pull + belief, belief), np.zeros(n + 1)
    target[:n] = pull * moorings.elo / unit / np.maximum(pull + belief, 1e-300)
    strengths = np.where(held & moorings.exact, moorings.elo / unit, theta[:n])
    return replace(problem, precision=precision, target=target), np.concatenate([strengths, theta[n:]])


def _told(problem: Problem, theta: Floats) -> Floats:
    """[n] how much the games tell of each player's strength (Fisher information)."""
    counts, curve = problem.counts, problem.terms_at(theta).lead_lead
    told = sum(np.bincount(player, curve, counts.players) for player in (counts.first, counts.second))
    return np.maximum(told, 1e-12)


def _center(told: Floats, pools: Ints, moorings: Moorings | None) -> Floats:
    """[n] the share of each player in the zero of its pool, adding up to 1 in every pool that anchors do not hold.

    A lone anchor's is 1. Without an anchor the shares go by what is `told`: a player who lost every game, whose rating
    hardly anything bounds from below, would else blur the zero, and with it the intervals of all others.
    """
    if moorings is not None:
        anchored = np.bincount(pools, moorings.lone.astype(float))[pools] > 0
        told = np.where(anchored, moorings.lone, told)
    shares = told / np.bincount(pools, told)[pools]
    return np.asarray(shares if moorings is None else np.where(moorings.held, 0.0, shares), np.float64)


def _reach(
    problem: Problem, theta: Floats, center: Floats, errors: Floats, z: float, profiled: bool
) -> tuple[Floats, Floats]:
    """[n] how many standard errors the interval of each player reaches down and up; z where it is not profiled.

    The profile is that of the strength on the model's own scale, where the problem is concave; counted in standard
    errors it holds for expected-score Elo too, up to the (small) error of the slope.
    """
    n = len(center)
    below, above = np.full(n, z), np.full(n, z)
    for i in np.flatnonzero(errors > 1e-9) if profiled else ():
        contrast = np.where(problem.pools == problem.pools[i], -center, 0.0)
        contrast[i] += 1
        contrast *= problem.free[:n]
        low, high = profile_interval(problem, theta, contrast, float(errors[i]), z)
        middle = contrast @ theta[:n]
        below[i], above[i] = (middle - low) / errors[i], (high - middle) / errors[i]
    return below, above
