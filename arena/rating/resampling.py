"""Rating errors by doing it all again: fits to results that were drawn anew.

`simulate` draws every game from the fitted model (Ordo's way); `bootstrap.py` draws pairs of games from those played.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from sakiyomi.arena.rating.anchors import Anchor
from sakiyomi.arena.rating.estimates import ELO, Fit, Rating
from sakiyomi.arena.rating.joint import WEAK, Prior, fit, solved
from sakiyomi.arena.rating.model import Counts, DrawModel, Floats, chances, slope
from sakiyomi.arena.rating.problem import Problem
from sakiyomi.arena.rating.results import Games, Results

Progress = Callable[[int], None]
"""Hears how many samples are done."""


@dataclass(frozen=True, eq=False)
class Resampled:
    """A fit and `elos` [samples, n], the ratings in each sample, relative to what `Fit.center` says.

    `table` has the fit's ratings with the samples' standard deviations as errors and their percentiles as intervals.
    """

    fit: Fit
    elos: Floats
    level: float = 0.95

    @cached_property
    def table(self) -> list[Rating]:
        """The players pool by pool, strongest first."""
        tail = 50 * (1 - self.level)
        away = self.elos - self._own
        low, high = np.percentile(away, [tail, 100 - tail], axis=0) + self.fit.elo
        error, los = away.std(0), self.los
        order = self.fit.order
        rows = zip(self.fit.table(), order, [*order[1:], order[-1]], strict=True)
        return [
            replace(
                row,
                low=float(low[i]),
                high=float(high[i]),
                error=float(error[i]),
                los=float("nan") if i == j else float(los[i, j]),
            )
            for row, i, j in rows
        ]

    @cached_property
    def errors(self) -> Floats:
        """[n, n] standard deviations of the differences between players; NaN across pools (Ordo's error matrix)."""
        spread = np.cov(self.elos.T)
        variance = np.diag(spread)
        errors = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * spread, 0))
        return np.where(self._same, errors, np.nan)

    @cached_property
    def los(self) -> Floats:
        """[n, n] likelihood that row is stronger than column: Phi of the difference in `errors` (Ordo's CFS)."""
        lead = self.fit.elo[:, None] - self.fit.elo[None, :]
        los = ndtr(lead / np.maximum(self.errors, 1e-12))
        return np.where(self._same, los, np.nan)

    @property
    def _own(self) -> Floats:
        return _relative(self.fit, self.fit.theta)

    @property
    def _same(self) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        return np.asarray(self.fit.pool[:, None] == self.fit.pool[None, :])


def simulate(
    games: Games | Results,
    rng: np.random.Generator,
    *,
    samples: int = 1000,
    anchors: Iterable[Anchor] = (),
    draws: DrawModel = "davidson",
    prior: Prior = WEAK,
    advantage: bool | float = True,
    level: float = 0.95,
    relative_to: Literal["anchor", "pool"] = "anchor",
    progress: Progress = lambda done: None,
) -> Resampled:
    """Errors by simulation: each game of the pool is played again by the fitted model, and all is rated anew.

    The same `rng` state gives the same result. `progress` hears how many of the `samples` are done. In a pool that
    several anchors hold they stay where they are. Raises ValueError as `fit` does.
    """
    results = Results.of(games)
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
    return Resampled(whole, refits(whole, prior, _played_again(whole, results.counts, rng), samples, progress), level)


def refits(whole: Fit, prior: Prior, drawn: Iterator[Counts], samples: int, progress: Progress) -> Floats:
    """[samples, n] ratings relative to the center of `whole`, fitted to `samples` of the `drawn` counts."""
    elos = np.empty((samples, len(whole.players)))
    for sample in range(samples):
        counts = next(drawn).with_virtual_draws(prior.virtual_draws)
        _, theta, _ = solved(replace(whole.problem, counts=counts), whole.theta, whole.moorings)
        elos[sample] = _relative(whole, theta)
        progress(sample + 1)
    return elos


def _relative(whole: Fit, theta: Floats) -> Floats:
    n = len(whole.players)
    center = np.bincount(whole.pool, whole.center * theta[:n])[whole.pool]
    return np.asarray(ELO * slope(whole.model, float(theta[-1]))[0] * (theta[:n] - center))


def _played_again(whole: Fit, counts: Counts, rng: np.random.Generator) -> Iterator[Counts]:
    problem = replace(whole.problem, counts=counts)
    odds = chances(whole.model, problem.leads(whole.theta), float(whole.theta[-1]), _equal_draws(problem, whole.theta))
    games = np.rint(counts.games).astype(np.int64)
    while True:
        wins, draws, losses = rng.multinomial(games, odds).astype(np.float64).T
        yield counts._replace(wins=wins, draws=draws, losses=losses)


def _equal_draws(problem: Problem, theta: Floats) -> float:
    """The draw rate of equals with which as many draws are expected as there were; only "half-wins" lacks one."""
    counts, leads = problem.counts, problem.leads(theta)
    drawn = float(counts.draws.sum())
    if problem.model != "half-wins" or not drawn:
        return 0.0

    def surplus(rate: float) -> float:
        return float(counts.games @ chances("half-wins", leads, 0.0, rate)[:, 1]) - drawn

    return float(brentq(surplus, 1e-9, 1 - 1e-9)) if surplus(1 - 1e-9) > 0 else 1 - 1e-9
