"""What a fit tells: the table, and all else that follows from the maximum and the curvature there."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from sakiyomi.arena.rating.anchors import Moorings
from sakiyomi.arena.rating.intervals import profile_superiority
from sakiyomi.arena.rating.model import DrawModel, Floats, Ints, draw_rate, expected_score, slope
from sakiyomi.arena.rating.problem import Bordered, Problem

ELO = 400 / math.log(10)
"""Elo in a nat."""


@dataclass(frozen=True)
class Rating:
    """A player's place in the table. `elo` lies in `low`..`high` with 95 % confidence; `error` is its standard error.

    `score` is the share of the points won (0..1). `los` is the likelihood of superiority over the next player in the
    table, NaN for the last of a pool. Players in different `pool`s have not met, even by way of others: their figures
    do not compare. `mark` is ">" or "<" for a player who won, or lost, every game and of whom only a bound is known.
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
    mark: str = ""


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

    Per player [n]: `elo`, `error` (standard error), `low`, `high` (95 % interval); `totals` [n, 3] wins, draws, losses;
    `pool` the number of its connected pool, the largest first. Errors and intervals are relative to the point that
    `center` weighs out: the anchor or, without one in its pool, the mean weighted by how much the games tell of each
    player (the shares of a pool add up to 1); in a pool that several anchors hold, they are absolute (no shares).

    Made when asked for, of 8 n^2 bytes each: `covariance` [n, n] is that of `elo`; `los` [n, n] the likelihood that row
    is stronger than column; `expected` [n, n] the score that row can expect against column, seats swapped evenly (NaN
    across pools).

    `advantage` is what moving first is worth; `draws` the draw rate of equals; `draw` the model's draw parameter:
    Davidson's nu, Rao-Kupper's e in Elo. `parameters` [n + 2] (strengths, advantage, draw parameter) and
    `parameter_covariance` are in Elo of the model's own scale, for comparison with other programs; the entry for
    Davidson's draws is ln nu. `accuracy` is the largest relative standard error of a variance: 0 where matrices are
    inverted exactly, less than 0.01 in large pools without structure.
    """

    players: tuple[str, ...]
    elo: Floats
    error: Floats
    low: Floats
    high: Floats
    totals: Ints
    pool: Ints
    center: Floats
    advantage: Estimate
    draws: float
    draw: float
    log_likelihood: float
    parameters: Floats
    model: DrawModel
    accuracy: float
    theta: Floats
    problem: Problem
    bordered: Bordered
    profiled: bool
    moorings: Moorings

    @property
    def connected(self) -> bool:
        """Are all players joined by chains of games, so that all ratings compare?"""
        return bool((self.pool == 0).all())

    @property
    def order(self) -> list[int]:
        """The players pool by pool, strongest first."""
        return sorted(range(len(self.players)), key=lambda i: (self.pool[i], -self.elo[i], self.players[i]))

    def table(self) -> list[Rating]:
        """The players pool by pool, strongest first."""
        order = np.array(self.order)
        los = np.full(len(order), np.nan)
        los[:-1] = self._neighbours
        return [self._row(i, x) for i, x in zip(order.tolist(), los.tolist(), strict=True)]

    def _row(self, i: int, los: float) -> Rating:
        wins, draws, losses = (int(x) for x in self.totals[i])
        games = wins + draws + losses
        elo, low, high, error = (float(x[i]) for x in (self.elo, self.low, self.high, self.error))
        score, pool = (wins + draws / 2) / games, int(self.pool[i])
        return Rating(self.players[i], elo, low, high, error, games, wins, draws, losses, score, los, pool)

    @cached_property
    def _neighbours(self) -> Floats:
        """[n - 1] LOS of each player over the next in the table, NaN at a pool's end."""
        order = np.array(self.order)
        return self.superiority(order[:-1], order[1:])

    def superiority(self, stronger: Ints, weaker: Ints) -> Floats:
        """[k] likelihood that the first of each two players is the stronger one; NaN across pools.

        Phi of the difference in standard errors or, profiled, of the root of the likelihood ratio.
        """
        strengths = self.theta[:-2]
        los = ndtr((strengths[stronger] - strengths[weaker]) / np.sqrt(np.maximum(self.gaps(stronger, weaker), 1e-300)))
        for k, (i, j) in enumerate(zip(stronger, weaker, strict=True)) if self.profiled else ():
            if self.pool[i] == self.pool[j] and i != j:
                los[k] = profile_superiority(self.problem, self.theta, int(i), int(j))
        return np.where(self.pool[stronger] == self.pool[weaker], los, np.nan)

    def gaps(self, i: Ints, j: Ints) -> Floats:
        """[k] variances, in nats, of the differences of strength of players i and j."""
        diagonal, entries = self.bordered.variances(i, j)
        lean = self.bordered.lean[i] - self.bordered.lean[j]
        return np.asarray(diagonal[i] + diagonal[j] - 2 * entries + ((lean @ self.bordered.rest) * lean).sum(1))

    @cached_property
    def los(self) -> Floats:
        """[n, n] likelihood that row is stronger than column: 0.5 on the diagonal, NaN across pools."""
        n = len(self.players)
        i, j = np.triu_indices(n, 1)
        los = np.full((n, n), 0.5)
        if self.profiled:
            los[i, j] = self.superiority(i, j)
        else:
            strengths, spread = self.theta[:-2], self._strength_covariance
            variance = np.diag(spread)
            square = variance[:, None] + variance[None, :] - 2 * spread
            lead = strengths[:, None] - strengths[None, :]
            los = np.asarray(ndtr(lead / np.sqrt(np.maximum(square, 1e-300))))
            los[range(n), range(n)] = 0.5
            los[self.pool[:, None] != self.pool[None, :]] = np.nan
        los[j, i] = 1 - los[i, j]
        return los

    def expected_score(self, player: int, other: int) -> float:
        """What one player can expect against the other over two games with seats swapped; NaN across pools."""
        if self.pool[player] != self.pool[other]:
            return math.nan
        gap, advantage = self.theta[player] - self.theta[other], self.theta[-2]
        first, second = expected_score(self.model, np.array([gap + advantage, advantage - gap]), float(self.theta[-1]))
        return float(first + 1 - second) / 2

    @cached_property
    def expected(self) -> Floats:
        """[n, n] expected score of row against column over two games with seats swapped; NaN across pools."""
        lead = self.theta[:-2, None] - self.theta[None, :-2] + self.theta[-2]
        as_first = expected_score(self.model, lead, float(self.theta[-1]))
        expected = np.asarray((as_first + 1 - as_first.T) / 2, np.float64)
        expected[self.pool[:, None] != self.pool[None, :]] = np.nan
        return expected

    @cached_property
    def _strength_covariance(self) -> Floats:
        """[n, n], in nats; in pools that no anchors hold only contrasts mean anything."""
        lean = self.bordered.lean
        return self.bordered.strengths(np.eye(len(self.players))) + lean @ self.bordered.rest @ lean.T

    @cached_property
    def _relative(self) -> tuple[Floats, Floats]:
        """Strengths less their pool's center [n], and the covariance [n + 2, n + 2] of all parameters then."""
        n = len(self.players)
        same = self.pool[:, None] == self.pool[None, :]
        frame = np.eye(n) - np.where(same, self.center[None, :], 0.0)
        joint = np.zeros((n + 2, n + 2))
        joint[:n, :n] = frame @ self._strength_covariance @ frame.T
        joint[:n, n:] = -frame @ self.bordered.lean @ self.bordered.rest
        joint[n:, :n], joint[n:, n:] = joint[:n, n:].T, self.bordered.rest
        return frame @ self.theta[:n], joint

    @cached_property
    def covariance(self) -> Floats:
        """[n, n] that of `elo`."""
        n, (scale, bend) = len(self.players), slope(self.model, float(self.theta[-1]))
        relative, joint = self._relative
        jacobian = ELO * np.hstack([scale * np.eye(n), np.zeros((n, 1)), bend * relative[:, None]])
        return np.asarray(jacobian @ joint @ jacobian.T)

    @cached_property
    def parameter_covariance(self) -> Floats:
        """[n + 2, n + 2] that of `parameters`."""
        units = np.full(len(self.theta), ELO)
        if self.model == "davidson":
            units[-1] = 1.0
        return np.asarray(np.outer(units, units) * self._relative[1])


def spread(theta: Floats, center: Floats, pools: Ints, bordered: Bordered, model: DrawModel) -> tuple[Floats, Floats]:
    """[n] variances of strengths less their pool's center, in nats, and [n] those of `Fit.elo`, in Elo squared."""
    n = len(center)
    none = np.zeros(0, np.int64)
    diagonal, _ = bordered.variances(none, none)
    weighed = bordered.strengths(center[:, None])[:, 0]
    inner = diagonal - 2 * weighed + np.bincount(pools, center * weighed)[pools]
    lean = bordered.lean - np.stack([np.bincount(pools, center * column)[pools] for column in bordered.lean.T], 1)
    variance = np.where(center == 1, 0.0, inner + ((lean @ bordered.rest) * lean).sum(1))
    relative = theta[:n] - np.bincount(pools, center * theta[:n])[pools]
    scale, bend = slope(model, float(theta[-1]))
    mixed, other = -(lean @ bordered.rest)[:, 1], float(bordered.rest[1, 1])
    elo = ELO**2 * (scale**2 * variance + 2 * scale * bend * relative * mixed + (bend * relative) ** 2 * other)
    return np.maximum(variance, 0), np.maximum(elo, 0)


def advantage_of(theta: Floats, bordered: Bordered, model: DrawModel, z: float) -> Estimate:
    """The advantage of moving first in expected-score Elo, by the delta method."""
    scale, bend = slope(model, float(theta[-1]))
    jacobian = ELO * np.array([scale, bend * theta[-2]])
    error = math.sqrt(max(float(jacobian @ bordered.rest @ jacobian), 0.0))
    elo = ELO * scale * float(theta[-2])
    return Estimate(elo, error, elo - z * error, elo + z * error)


def draw_figures(model: DrawModel, draw: float) -> tuple[float, float]:
    """`Fit.draws` and `Fit.draw`."""
    return draw_rate(model, draw)[0], math.exp(draw) if model == "davidson" else ELO * draw
