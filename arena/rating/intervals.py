"""Profile-likelihood intervals and likelihoods of superiority.

The normal interval, estimate +- 1.96 standard errors, takes the log-likelihood for a parabola. It is none where a
player won or lost nearly every game: the results bound such a rating well on one side and hardly on the other.
"""

import math

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr

from sakiyomi.arena.rating.model import Floats
from sakiyomi.arena.rating.problem import Problem


def profile_interval(problem: Problem, theta: Floats, contrast: Floats, error: float, z: float) -> tuple[float, float]:
    """The values of ``contrast @ strengths`` where the best log-posterior is z^2 / 2 under its maximum, low and high.

    `theta` is the maximum and `error` the contrast's standard error there (nats); `contrast` [players] sums to 0 in
    every pool. (Venzon and Moolgavkar, Applied Statistics 37, 1988, give the theory.)
    """
    peak, point = problem.evaluate(theta).value, float(contrast @ theta[:-2])
    low, high = (point + sign * _distance(problem, theta, sign * contrast, peak, error, z) for sign in (-1, 1))
    return low, high


def profile_superiority(problem: Problem, theta: Floats, stronger: int, weaker: int) -> float:
    """Likelihood that one player is stronger than the other: Phi of the signed root of the likelihood ratio.

    The ratio sets the maximum `theta` against the best that equal strengths of the two can do.
    """
    contrast = np.zeros(len(theta) - 2)
    contrast[stronger], contrast[weaker] = 1.0, -1.0
    lead = float(contrast @ theta[:-2])
    drop = problem.evaluate(theta).value - _best(problem, theta, contrast, -lead)[1]
    return float(ndtr(math.copysign(math.sqrt(max(2 * drop, 0.0)), lead)))


def _distance(problem: Problem, theta: Floats, contrast: Floats, peak: float, error: float, z: float) -> float:
    """How far the contrast may grow. The root of twice the drop is nearly linear in it: a few secant steps do."""
    inner, inner_root = 0.0, 0.0  # distance from the maximum, and sqrt(2 * drop) there
    outer = z * error
    for _ in range(40):
        theta, value = _best(problem, theta, contrast, outer - inner)
        root = math.sqrt(max(2 * (peak - value), 0.0))
        if abs(root - z) < 1e-4:
            break
        pace = (outer - inner) / (root - inner_root) if root != inner_root else error
        following = min(max(outer + (z - root) * pace, outer / 3), outer * 3)
        inner, inner_root, outer = outer, root, following
    return outer


def _best(problem: Problem, theta: Floats, contrast: Floats, shift: float) -> tuple[Floats, float]:
    """The maximum of the log-posterior among the theta whose contrast is `shift` more than this one's."""
    n, free = len(contrast), np.flatnonzero(problem.free)
    theta = theta.copy()
    theta[:n] += contrast * (shift / (contrast @ contrast))
    along = np.concatenate([contrast, [0.0, 0.0]])[free]
    here = problem.evaluate(theta)
    for _ in range(100):
        factor = cho_factor(here.curvature.dense()[np.ix_(free, free)], lower=True)
        climb, turn = cho_solve(factor, np.stack([here.gradient[free], along], 1)).T
        step = np.zeros_like(theta)
        step[free] = climb - turn * (along @ climb) / (along @ turn)  # keeps the contrast
        theta, here, length = problem.climb(theta, step, here)
        if length < 1e-7:
            break
    return theta, here.value
