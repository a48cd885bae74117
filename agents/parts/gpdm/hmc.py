"""Hybrid Monte Carlo: samples of any density whose gradient is known.

R. Neal, "MCMC using Hamiltonian dynamics" (2011), sections 3 and 4; the rule for the step is that of J. Wang's
published code for GPDMs: so small that 60 to 95 % of the proposals are accepted.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sakiyomi.agents.parts.gpdm.kernels import Floats
from sakiyomi.agents.parts.gpdm.terms import NotDefiniteError

Slope = Callable[[Floats], tuple[float, Floats]]
"""-ln p up to a constant at a point [n], and its gradient [n]."""
ACCEPTED = (0.7, 0.9)  # where the tuning ends, so that what follows is accepted in 60 to 95 %
WINDOW = 10  # proposals after which the step is looked at


class Draws(NamedTuple):
    """Samples [S, n], the part of all proposals after the tuning that was accepted, and the step that was found."""

    points: Floats
    acceptance: float
    step: float


def leapfrog(slope: Slope, point: Floats, momentum: Floats, step: float, count: int) -> tuple[Floats, Floats, float]:
    """Point, momentum and -ln p there after `count` leapfrog steps; reversible: negate the momentum and come back."""
    momentum = momentum - 0.5 * step * slope(point)[1]
    value = np.inf
    for k in range(count):
        point = point + step * momentum
        value, gradient = slope(point)
        momentum = momentum - (0.5 if k == count - 1 else 1.0) * step * gradient
    return point, momentum, float(value)


def hmc(
    slope: Slope,
    start: Floats,
    rng: np.random.Generator,
    *,
    draws: int,
    step: float,
    leapfrogs: int,
    burn_in: int = 0,
    skip: int = 1,
    tuning: int = 30,
) -> Draws:
    """`draws` samples, every `skip`-th point of a chain from `start` [n], after `burn_in` proposals are thrown away.

    Before these the step is multiplied by 0.7 or 1.5, by less each time the direction changes, until the acceptance of
    a window is right, for at the most `tuning` windows; from then on it is fixed, so that the samples are fair.
    """
    point, value = start, slope(start)[0]

    def proposals(count: int) -> float:
        nonlocal point, value
        accepted = 0
        for _ in range(count):
            momentum = rng.standard_normal(len(point))
            before = value + 0.5 * float(momentum @ momentum)
            try:
                end, final, at_end = leapfrog(slope, point, momentum, step, leapfrogs)
            except NotDefiniteError:
                continue
            if np.log(1 - rng.random()) < before - at_end - 0.5 * float(final @ final):
                point, value, accepted = end, at_end, accepted + 1
        return accepted / count

    power, grew = 1.0, None
    for _ in range(tuning):
        rate = proposals(WINDOW)
        if ACCEPTED[0] <= rate <= ACCEPTED[1]:
            break
        grows = rate > ACCEPTED[1]
        power *= 0.5 if grew not in (None, grows) else 1.0
        step, grew = step * (1.5 if grows else 0.7) ** power, grows
    if burn_in:
        proposals(burn_in)
    points, rates = np.empty((draws, len(start))), np.empty(draws)
    for k in range(draws):
        rates[k] = proposals(skip)
        points[k] = point
    return Draws(points, float(rates.mean()), step)
