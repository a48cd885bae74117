"""Elo ratings of a pool of players: one joint fit of all games, with draws, the first player's advantage, and errors.

`ratings(records)` gives the table; `fit(records)` everything else. Both are pure functions of the games, in any order.
The mathematics is in `model.py`; docs/ratings.md explains the choices.

All Elo figures are *expected-score Elo*: a small lead of x Elo means an expected score of 1 / (1 + 10^(-x/400)). The
models' own parameters are on a wider scale when draws are common; they are multiplied by the models' slope at equality.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from sakiyomi.arena.match import Played
from sakiyomi.arena.rating.intervals import profile_interval, profile_superiority
from sakiyomi.arena.rating.model import (
    MODELS,
    Counts,
    DrawModel,
    Floats,
    Ints,
    NoMaximum,
    Problem,
    bradley_terry,
    draw_rate,
    expected_score,
    maximise,
    no_draws,
    slope,
    unbeaten,
)
from sakiyomi.sgf.record import Record

ELO = 400 / math.log(10)
"""Elo in a nat."""
PROFILED = 30
"""Fits of more players get normal intervals, which are quick and, with many games, the same."""


@dataclass(frozen=True)
class Prior:
    """What is believed of strengths before any game; `None` in its place means maximum likelihood.

    `sigma` is the standard deviation, in Elo of the model's own scale, of a strength about its pool's mean and of the
    first player's advantage: 1000 is weak, yet keeps players who won or lost every game finite. `virtual_draws` adds
    that many draws to the average player, spread over its opponents, as BayesElo does (its default is 2). `draw_games`
    counts pseudo-games between equals, half of them drawn.
    """

    sigma: float = 1000.0
    virtual_draws: float = 0.0
    draw_games: float = 1.0

    def __post_init__(self) -> None:
        if not (self.sigma > 0 and self.virtual_draws >= 0 and self.draw_games >= 0):
            raise ValueError(f"a prior needs sigma > 0, virtual_draws >= 0 and draw_games >= 0, got {self}")


WEAK = Prior()


@dataclass(frozen=True)
class Rating:
    """A player's place in the table. `elo` lies in `low`..`high` with 95 % confidence; `error` is its standard error.

    `score` is the share of the points won (0..1). `los` is the likelihood of superiority over the next player in the
    table, NaN for the last of a pool. Players in different `pool`s have not met, even by way of others: their figures
    do not compare.
    """

    name: str
    elo: float
    low: float
    high: float
    error: float
    games: int
    wins: int
    draws: int
    losses: int
    score: float
    los: float
    pool: int


@dataclass(frozen=True)
class Estimate:
    """A figure in Elo with its standard error and 95 % interval."""

    elo: float
    error: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Fit:
    """A joint fit of n players, in the order of `players`.

    Per player [n]: `elo`, `error` (standard error), `low`, `high` (95 % interval), all relative to the anchor or,
    without one in its pool, to the pool's mean weighted by `center` (how much the games tell of each player; the shares
    of a pool add up to 1); `totals` [n, 3] wins, draws, losses; `pool` the number of its connected pool, the largest
    first. `covariance` [n, n] is that of `elo`; `los` [n, n] the likelihood that row is stronger than column;
    `expected` [n, n] the score that row can expect against column, seats swapped evenly (NaN across pools).

    `advantage` is what moving first is worth; `draws` the draw rate of equals; `draw` the model's draw parameter:
    Davidson's nu, Rao-Kupper's e in Elo. `parameters` [n + 2] (strengths, advantage, draw parameter) and
    `parameter_covariance` are in Elo of the model's own scale, for comparison with other programs; the entry for
    Davidson's draws is ln nu.
    """

    players: tuple[str, ...]
    elo: Floats
    error: Floats
    low: Floats
    high: Floats
    totals: Ints
    pool: Ints
    center: Floats
    covariance: Floats
    los: Floats
    expected: Floats
    advantage: Estimate
    draws: float
    draw: float
    log_likelihood: float
    parameters: Floats
    parameter_covariance: Floats
    model: DrawModel

    @property
    def connected(self) -> bool:
        """Are all players joined by chains of games, so that all ratings compare?"""
        return bool((self.pool == 0).all())

    def table(self) -> list[Rating]:
        """The players pool by pool, strongest first."""
        order = sorted(range(len(self.players)), key=lambda i: (self.pool[i], -self.elo[i], self.players[i]))
        return [self._row(i, j) for i, j in zip(order, [*order[1:], None], strict=True)]

    def _row(self, i: int, following: int | None) -> Rating:
        wins, draws, losses = (int(x) for x in self.totals[i])
        games = wins + draws + losses
        los = float("nan") if following is None else float(self.los[i, following])
        elo, low, high, error = (float(x[i]) for x in (self.elo, self.low, self.high, self.error))
        score, pool = (wins + draws / 2) / games, int(self.pool[i])
        return Rating(self.players[i], elo, low, high, error, games, wins, draws, losses, score, los, pool)


def ratings(
    games: Iterable[Record | Played],
    *,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    draws: DrawModel = "davidson",
    prior: Prior | None = WEAK,
) -> list[Rating]:
    """The table of ratings, strongest first (pool by pool where not all players are joined by games); see `fit`.

    Empty where no game is rated.
    """
    games = list(games)
    if not count(games)[0]:
        return []
    return fit(games, anchor=anchor, anchor_elo=anchor_elo, draws=draws, prior=prior).table()


def fit(
    games: Iterable[Record | Played],
    *,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    draws: DrawModel = "davidson",
    prior: Prior | None = WEAK,
    advantage: bool = True,
    intervals: Literal["auto", "normal", "profile"] = "auto",
    level: float = 0.95,
) -> Fit:
    """Fit all strengths, the first player's advantage and the draw parameter at once.

    Unrated games (`Played.rated` false, results such as "*") and games of a player against itself are left out.
    `anchor` is the player whose rating is `anchor_elo`; without one the weighted mean of a pool is 0 (`Fit.center`).
    The anchor moves all ratings of its pool by one amount and changes no difference. `prior` None is maximum
    likelihood. `advantage` False fixes the advantage of moving first at 0. `intervals`: "profile" likelihood (lopsided
    where the results are; the time grows with the fifth power of the players), "normal" (elo +- 1.96 errors), or
    "auto": profile for up to 30 players.

    Raises ValueError if there is no rated game, the anchor has none, or maximum likelihood has no finite answer.
    """
    names, counts = count(games)
    _check(names, counts, anchor, draws)
    problem = problem_of(names, counts, draws, prior, advantage)
    theta, covariance = _solve(problem, start_of(problem), names)
    center = _center(problem, theta, names, anchor)
    frame = relative_to(center, problem.pools)
    n, (scale, bend) = len(names), slope(draws, float(theta[-1]))
    relative = frame @ theta[:n]
    jacobian = ELO * np.hstack([scale * frame, np.zeros((n, 1)), bend * relative[:, None]])
    elo_covariance = jacobian @ covariance @ jacobian.T
    elo, error = ELO * scale * relative, np.sqrt(np.maximum(np.diag(elo_covariance), 0))
    z = float(ndtri((1 + level) / 2))
    profiled = intervals == "profile" or (intervals == "auto" and n <= PROFILED)
    below, above = _reach(problem, theta, covariance, frame, z, profiled)
    shift = np.where(problem.pools == problem.pools[names.index(anchor)], anchor_elo, 0.0) if anchor else np.zeros(n)
    wide, units = np.eye(n + 2), np.full(n + 2, ELO)
    wide[:n, :n] = frame
    if draws == "davidson":
        units[-1] = 1.0
    return Fit(
        players=names,
        elo=elo + shift,
        error=error,
        low=elo + shift - below * error,
        high=elo + shift + above * error,
        totals=_totals(counts),
        pool=problem.pools,
        center=center,
        covariance=elo_covariance,
        los=_superiority(problem, theta, covariance, profiled),
        expected=_expected(problem, theta),
        advantage=_advantage(theta, covariance, scale, bend, z),
        draws=draw_rate(draws, float(theta[-1]))[0],
        draw=math.exp(theta[-1]) if draws == "davidson" else ELO * float(theta[-1]),
        log_likelihood=float(problem.terms(_leads(theta, counts), float(theta[-1]), counts).value.sum()),
        parameters=units * np.concatenate([relative, theta[n:]]),
        parameter_covariance=np.outer(units, units) * (wide @ covariance @ wide.T),
        model=draws,
    )


def count(games: Iterable[Record | Played]) -> tuple[tuple[str, ...], Counts]:
    """The players by name, and their rated results added up by pair and seating."""
    seen: Counter[tuple[str, str, float]] = Counter()
    for game in games:
        score, players = _score(game), (game.record if isinstance(game, Played) else game).players
        if score is not None and players[0] != players[1]:
            seen[*players, score] += 1
    pairs = sorted({(first, second) for first, second, _ in seen})
    names = tuple(sorted({name for pair in pairs for name in pair}))
    number = {name: i for i, name in enumerate(names)}
    results = [np.array([seen[*pair, score] for pair in pairs], float) for score in (1.0, 0.5, 0.0)]
    first, second = (np.array([number[pair[seat]] for pair in pairs], np.int64) for seat in (0, 1))
    return names, Counts(len(names), first, second, *results)


def _score(game: Record | Played) -> float | None:
    """What the first player made of a rated game, None for an unrated one."""
    if isinstance(game, Played):
        return game.record.score if game.rated else None
    return game.score


def _check(names: Sequence[str], counts: Counts, anchor: str | None, draws: DrawModel) -> None:
    if draws not in MODELS:
        raise ValueError(f"unknown model of draws {draws!r}; there are: {', '.join(MODELS)}")
    if not counts.games.sum() > 0:
        raise ValueError("no rated game between two players: there is nothing to rate")
    if anchor is not None and anchor not in names:
        raise ValueError(f"anchor {anchor!r} has no rated game; players that have: {', '.join(names)}")


def problem_of(names: Sequence[str], counts: Counts, draws: DrawModel, prior: Prior | None, advantage: bool) -> Problem:
    """The likelihood and prior to be maximised. Without a draw the draw parameter is fixed at "never"."""
    pools = _largest_first(counts.pools())
    if prior is None:
        if (stuck := unbeaten(counts)) is not None:
            raise NoMaximum(
                f"no finite maximum-likelihood ratings: {', '.join(names[i] for i in stuck)} neither lost to nor drew "
                "with the other players of the pool; use a prior"
            )
        prior = Prior(sigma=math.inf, draw_games=0)
    counts = counts.with_virtual_draws(prior.virtual_draws)
    drawn = draws != "half-wins" and bool(counts.draws.any())
    return Problem(
        counts,
        MODELS[draws] if drawn else bradley_terry,
        draws,
        prior.sigma / ELO,
        prior.draw_games,
        np.array([True] * len(names) + [advantage, drawn]),
        pools,
    )


def _largest_first(pools: Ints) -> Ints:
    """Pool numbers in the order of size."""
    labels, sizes = np.unique(pools, return_counts=True)
    rank = np.empty(len(labels), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(labels))
    return np.asarray(rank[pools])


def start_of(problem: Problem) -> Floats:
    """Equal strengths, no advantage, and the draw parameter that gives equals the draw rate seen."""
    theta = np.zeros(problem.counts.players + 2)
    theta[-1] = no_draws(problem.model)
    if problem.free[-1]:
        rate = float(np.clip(problem.counts.draws.sum() / problem.counts.games.sum(), 0.01, 0.9))
        theta[-1] = math.log(2 * rate / (1 - rate)) if problem.model == "davidson" else 2 * math.atanh(rate)
    return theta


def _solve(problem: Problem, start: Floats, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Strengths with mean 0 in every pool, advantage and draw parameter at the maximum, and their covariance."""
    theta, _, covariance = maximise(problem, start)
    n = len(names)
    theta[:n] -= (np.bincount(problem.pools, theta[:n]) / np.bincount(problem.pools))[problem.pools]
    return theta, covariance


def _center(problem: Problem, theta: Floats, names: Sequence[str], anchor: str | None) -> Floats:
    """[n] the share of each player in the zero of its pool, adding up to 1 in every pool.

    The anchor's is 1. Without an anchor the shares go by how much the games tell of each player's strength (Fisher
    information): a player who lost every game, whose rating hardly anything bounds from below, would else blur the
    zero, and with it the intervals of all others.
    """
    counts, pools = problem.counts, problem.pools
    terms = problem.terms(_leads(theta, counts), float(theta[-1]), counts)
    told = sum(np.bincount(player, terms.lead_lead, counts.players) for player in (counts.first, counts.second))
    told = np.maximum(told, 1e-12)
    if anchor is not None:
        held = np.arange(counts.players) == names.index(anchor)
        told = np.where(pools == pools[held], held, told)
    return np.asarray(told / np.bincount(pools, told)[pools], np.float64)


def relative_to(center: Floats, pools: Ints) -> Floats:
    """[n, n] that turns strengths into strengths relative to the zero of the pool; see `Fit.center`."""
    same = pools[:, None] == pools[None, :]
    return np.asarray(np.eye(len(pools)) - np.where(same, center[None, :], 0.0))


def _reach(
    problem: Problem, theta: Floats, covariance: Floats, frame: Floats, z: float, profiled: bool
) -> tuple[Floats, Floats]:
    """[n] how many standard errors the interval of each player reaches down and up; z where it is not profiled.

    The profile is that of the strength on the model's own scale, where the problem is concave; counted in standard
    errors it holds for expected-score Elo too, up to the (small) error of the slope.
    """
    n = len(frame)
    below, above = np.full(n, z), np.full(n, z)
    errors = np.sqrt(np.maximum(np.diag(frame @ covariance[:n, :n] @ frame.T), 0))
    for i in np.flatnonzero(errors > 1e-9) if profiled else ():
        low, high = profile_interval(problem, theta, frame[i], float(errors[i]), z)
        middle = frame[i] @ theta[:n]
        below[i], above[i] = (middle - low) / errors[i], (high - middle) / errors[i]
    return below, above


def _leads(theta: Floats, counts: Counts) -> Floats:
    return np.asarray(theta[counts.first] - theta[counts.second] + theta[-2], np.float64)


def _totals(counts: Counts) -> Ints:
    """[n, 3] wins, draws and losses of each player from both seats."""
    n = counts.players
    seats = ((counts.first, counts.wins, counts.losses), (counts.second, counts.losses, counts.wins))
    columns = [
        sum(np.bincount(player, won, n) for player, won, _ in seats),
        sum(np.bincount(player, counts.draws, n) for player, _, _ in seats),
        sum(np.bincount(player, lost, n) for player, _, lost in seats),
    ]
    return np.asarray(np.rint(np.stack(columns, 1)), np.int64)


def _superiority(problem: Problem, theta: Floats, covariance: Floats, profiled: bool) -> Floats:
    """[n, n] likelihood that row is stronger than column: 0.5 on the diagonal, NaN across pools.

    Phi of the difference in standard errors or, profiled, of the root of the likelihood ratio.
    """
    n, strengths, variance = len(theta) - 2, theta[:-2], np.diag(covariance)[:-2]
    square = variance[:, None] + variance[None, :] - 2 * covariance[:-2, :-2]
    lead = strengths[:, None] - strengths[None, :]
    los: Floats = ndtr(lead / np.sqrt(np.maximum(square, 1e-300)))
    same = problem.pools[:, None] == problem.pools[None, :]
    for i, j in zip(*np.nonzero(np.triu(same, 1)), strict=True) if profiled else ():
        los[i, j] = profile_superiority(problem, theta, i, j)
        los[j, i] = 1 - los[i, j]
    los[range(n), range(n)] = 0.5
    los[~same] = np.nan
    return los


def _expected(problem: Problem, theta: Floats) -> Floats:
    """[n, n] expected score of row against column over two games with seats swapped; NaN across pools."""
    lead = theta[:-2, None] - theta[None, :-2] + theta[-2]
    as_first = expected_score(problem.model, lead, float(theta[-1]))
    expected = np.asarray((as_first + 1 - as_first.T) / 2, np.float64)
    expected[problem.pools[:, None] != problem.pools[None, :]] = np.nan
    return expected


def _advantage(theta: Floats, covariance: Floats, scale: float, bend: float, z: float) -> Estimate:
    """The advantage of moving first in expected-score Elo, by the delta method."""
    jacobian = ELO * np.array([scale, bend * theta[-2]])
    error = math.sqrt(max(float(jacobian @ covariance[-2:, -2:] @ jacobian), 0.0))
    elo = ELO * scale * float(theta[-2])
    return Estimate(elo, error, elo - z * error, elo + z * error)
