"""What is maximised: the likelihood of the results with priors and anchors; and its maximum by Newton's method."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sakiyomi.arena.rating.curvature import Curvature, Pattern, Solver
from sakiyomi.arena.rating.model import Counts, DrawModel, Floats, Ints, NoMaximum, Terms, draw_rate

LIMIT = 30.0
"""Nats (5200 Elo): a strength beyond it means that the maximum is at infinity."""


SETTLED = 1e-6
"""Nats: a step of Newton's so short leaves an error of about its square."""


class Evaluation(NamedTuple):
    """Log-posterior, its gradient [n + 2], and minus its Hessian."""

    value: float
    gradient: Floats
    curvature: Curvature


@dataclass(frozen=True, eq=False)
class Problem:
    """A log-posterior to be maximised over theta = (strengths [n], first-player advantage, draw parameter), in nats.

    `precision` [n + 1] and `target` [n + 1] are those of Gaussian priors on the strengths and the advantage;
    `draw_prior` counts pseudo-games between equals, half of them drawn (0 for none). `free` [n + 2] tells which entries
    are fitted; the others stay as they start. `pools` [n] are the connected pools, `held` [n] tells whether anchors
    hold the level of a player's pool.
    """

    counts: Counts
    terms: Callable[[Floats, float, Counts], Terms]
    model: DrawModel
    precision: Floats
    target: Floats
    draw_prior: float
    free: NDArray[np.bool_]
    pools: Ints
    held: NDArray[np.bool_]

    @cached_property
    def pattern(self) -> Pattern:
        """Who met whom."""
        return Pattern(self.counts)

    def leads(self, theta: Floats) -> Floats:
        """[P], the first player's lead in each entry of the counts."""
        return np.asarray(theta[self.counts.first] - theta[self.counts.second] + theta[-2], np.float64)

    def terms_at(self, theta: Floats) -> Terms:
        """What each entry of the counts adds to the log-likelihood and its derivatives."""
        return self.terms(self.leads(theta), float(theta[-1]), self.counts)

    def evaluate(self, theta: Floats) -> Evaluation:
        """Log-posterior, gradient and minus the Hessian at `theta`."""
        n, c, t = self.counts.players, self.counts, self.terms_at(theta)

        def by_player(figures: Floats, sign: float = -1.0) -> Floats:
            return np.bincount(c.first, figures, n) + sign * np.bincount(c.second, figures, n)

        gradient = np.concatenate([by_player(t.lead), [t.lead.sum(), t.draw.sum()]])
        border = np.stack([by_player(t.lead_lead), by_player(t.lead_draw)], 1)
        mixed = t.lead_draw.sum()
        corner = np.array([[t.lead_lead.sum(), mixed], [mixed, t.draw_draw.sum()]])
        beyond = theta[: n + 1] - self.target
        gradient[: n + 1] -= self.precision * beyond
        corner[0, 0] += self.precision[n]
        value = float(t.value.sum()) - float(self.precision @ beyond**2) / 2
        extra, gain, curve = self._draw_prior(float(theta[-1]))
        gradient[-1] += gain
        corner[1, 1] += curve
        diagonal = by_player(t.lead_lead, 1.0) + self.precision[:n]
        return Evaluation(
            value + extra,
            gradient,
            Curvature(diagonal, self.pattern, t.lead_lead, border, corner, self.free, self.pools, self.held),
        )

    def _draw_prior(self, draw: float) -> tuple[float, float, float]:
        """The log-prior of the draw parameter, its derivative, and minus its second one."""
        half = self.draw_prior / 2
        if not half or not self.free[-1]:
            return 0.0, 0.0, 0.0
        if self.model == "davidson":  # half (ln d0 + ln(1 - d0)), d0 the logistic function of v - ln 2
            rate = draw_rate(self.model, draw)[0]
            value = float(draw + np.log(2) - 2 * np.logaddexp(draw, np.log(2)))
            return half * value, half * (1 - 2 * rate), half * 2 * rate * (1 - rate)
        lost, tail = float(expit(-draw)), float(np.exp(-draw))  # half (ln tanh(e/2) + ln 2 sigma(-e))
        value = float(np.log(np.tanh(draw / 2)) + np.log(2) - np.logaddexp(0, draw))
        gain = 2 * tail / (1 - tail**2) - (1 - lost)
        curve = 2 * tail * (1 + tail**2) / (1 - tail**2) ** 2 + lost * (1 - lost)
        return half * value, half * gain, half * curve

    def climb(self, theta: Floats, step: Floats, here: Evaluation) -> tuple[Floats, Evaluation, float]:
        """`theta` after as much of `step` as does not lead down, what is found there, and the length of the way."""
        length = float(np.abs(step).max())
        while length > 1e-12:
            trial = theta + step
            if self.model != "rao-kupper" or not self.free[-1] or trial[-1] > 0:
                there = self.evaluate(trial)
                if there.value >= here.value - 1e-12 * abs(here.value):
                    return trial, there, length
            step, length = step / 2, length / 2
        return theta, here, 0.0

    def levelled(self, theta: Floats) -> Floats:
        """`theta` with the mean of every pool 0 that no anchors hold."""
        n = self.counts.players
        means = (np.bincount(self.pools, theta[:n]) / np.bincount(self.pools))[self.pools]
        return np.concatenate([theta[:n] - np.where(self.held, 0.0, means), theta[n:]])


class Bordered:
    """Minus the Hessian, eliminated: strengths by a `Solver`, then the two other parameters.

    With K the strengths' part, B the border and C the corner: Z = K^-1 B, and S = C - B' Z is left for the advantage
    and the draw parameter. Raises NoMaximum if S is singular.
    """

    def __init__(self, curvature: Curvature, solver: Solver | None = None):
        n = len(curvature.diagonal)
        self.solver = solver or curvature.solver()
        self._free, rest = curvature.free[:n], curvature.free[n:]
        border = curvature.border * self._free[:, None] * rest
        self.lean: Floats = self.strengths(border)
        left = curvature.corner - border.T @ self.lean
        kept = np.flatnonzero(rest)
        small = left[np.ix_(kept, kept)]
        if len(kept) and np.linalg.eigvalsh(small).min() <= 1e-11 * np.diag(curvature.corner)[kept].max():
            raise NoMaximum("the results cannot tell strength from the advantage of moving first; use a prior")
        self.rest: Floats = np.zeros((2, 2))  # S^-1: the covariance of advantage and draw parameter
        self.rest[np.ix_(kept, kept)] = np.linalg.inv(small)

    def strengths(self, columns: Floats) -> Floats:
        """K^-1 times `columns` [n, k], 0 for players who are not fitted."""
        free = self._free[:, None]
        return np.asarray(self.solver.solve(columns * free) * free)

    def solve(self, gradient: Floats) -> Floats:
        """Newton's step."""
        inner = self.strengths(gradient[:-2, None])[:, 0]
        outer = self.rest @ (gradient[-2:] - self.lean.T @ gradient[:-2])
        return np.concatenate([inner - self.lean @ outer, outer])

    def variances(self, i: Ints, j: Ints) -> tuple[Floats, Floats]:
        """See `Solver`; 0 for players who are not fitted."""
        diagonal, entries = self.solver.variances(i, j)
        return diagonal * self._free, entries * self._free[i] * self._free[j]


def maximise(problem: Problem, start: Floats) -> tuple[Floats, Evaluation]:
    """The maximum near `start`, and what is found there. Raises NoMaximum if there is none."""
    theta, here = start, problem.evaluate(start)
    for _ in range(200):
        step = Bordered(here.curvature).solve(here.gradient)
        theta, here, length = problem.climb(theta, problem.levelled(step), here)
        if np.abs(theta[problem.free]).max() > LIMIT:
            raise NoMaximum("the results put no bound on the ratings; use a prior")
        if length < SETTLED:
            break
    return problem.levelled(theta), here
