"""The cross-entropy method: a plan is improved by drawing plans about it and moving to the best of them.

B problems are solved at once. Two flavours are in use, and they are not the same with other numbers:

                PETS (Chua et al. 2018, published code)           PlaNet (Hafner et al. 2019, section 3, algorithm 2)
    start       the last mean, `shifted`; variance (u - l)^2/16   mean 0, deviation 1, at each step of the environment
    samples     normal, cut at 2 deviations, which are made so    normal, put into the box
                small that the box is not left (`truncated`)
    refit       mean and variance move by 1 - `keep` of the way   become the elites'
                to the elites'; keep 0.1
    ends        or when all variances are under `least`, 0.001    after `iterations`

Either gives the mean, not the best plan seen: of many guesses with noise the best is the luckiest.
"""

from collections.abc import Callable
from math import erf, sqrt

import torch
from torch import Tensor

Cost = Callable[[Tensor], Tensor]
"""Plans [B, n, H, U] to costs [B, n]."""
Over = Callable[[], bool]
"""Asked after each iteration: is it to be the last?"""
WORST = 1e6
"""The cost of a plan whose cost is not finite, or the largest that is, if that is more."""
WITHIN = 2.0
"""Deviations at which truncated samples are cut."""


def cem(
    cost: Cost,
    mean: Tensor,
    std: Tensor,
    low: Tensor,
    high: Tensor,
    *,
    population: int,
    elites: int,
    iterations: int,
    generator: torch.Generator,
    keep: float = 0.1,
    least: float = 1e-3,
    truncated: bool = True,
    over: Over = lambda: False,
) -> Tensor:
    """[B, H, U] the mean of the elites in the end, begun at `mean` and `std` [B, H, U], within `low` and `high` [U].

    The defaults are those of PETS; PlaNet has ``keep=0, least=0, truncated=False``. All tensors and the `generator` are
    on one device. Raises ValueError for more elites than plans, or none.
    """
    check_elites(population, elites)
    variance = std**2
    for _ in range(iterations):
        active = variance.amax(dim=(1, 2)) > least
        if not bool(active.any()):
            break
        if truncated:
            spread = torch.minimum(variance, torch.minimum((mean - low) / WITHIN, (high - mean) / WITHIN) ** 2).sqrt()
            noise = truncated_normal(_many(mean, population), generator, mean.device)
            plans = mean[:, None] + spread[:, None] * noise
            plans = plans.clamp(low, high)  # the sum may be rounded to the outside
        else:
            noise = torch.randn(_many(mean, population), generator=generator, device=mean.device)
            plans = (mean[:, None] + variance.sqrt()[:, None] * noise).clamp(low, high)
        best = cheapest(plans, cost(plans), elites)
        going = active[:, None, None]
        mean = torch.where(going, keep * mean + (1 - keep) * best.mean(dim=1), mean)
        variance = torch.where(going, keep * variance + (1 - keep) * best.var(dim=1, correction=0), variance)
        if over():
            break
    return mean


def random_shooting(
    cost: Cost, low: Tensor, high: Tensor, shape: tuple[int, int, int], *, population: int, generator: torch.Generator
) -> Tensor:
    """[B, H, U] = `shape`: the cheapest of plans drawn evenly from the box `low` to `high` [U]."""
    batch, horizon, size = shape
    drawn = torch.rand((batch, population, horizon, size), generator=generator, device=low.device)
    plans = low + (high - low) * drawn
    return cheapest(plans, cost(plans), 1)[:, 0]


def shifted(mean: Tensor, last: Tensor) -> Tensor:
    """A plan [B, H, U] one step later, with `last` [U] at its end."""
    return torch.cat([mean[:, 1:], last.expand_as(mean[:, :1])], dim=1)


def cheapest(plans: Tensor, costs: Tensor, count: int) -> Tensor:
    """[B, count, H, U] those of `plans` [B, n, H, U] that cost least, the best first; NaN costs most."""
    chosen = finite(costs).topk(count, dim=1, largest=False).indices
    return plans.gather(1, chosen[..., None, None].expand(-1, -1, *plans.shape[2:]))


def finite(costs: Tensor) -> Tensor:
    """`costs` [B, n] with `WORST`, or what more the dearest of the others costs, for what is not finite."""
    fine = torch.isfinite(costs)
    dearest = torch.where(fine, costs, WORST).amax(dim=1, keepdim=True).clamp_min(WORST)
    return torch.where(fine, costs, dearest)


def truncated_normal(
    shape: tuple[int, ...], generator: torch.Generator, device: torch.device | str | None = None
) -> Tensor:
    """Draws from the standard normal within `WITHIN` of 0, by the inverse of its distribution function."""
    drawn = torch.rand(shape, generator=generator, device=device)
    return drawn.mul_(2).sub_(1).mul_(erf(WITHIN / sqrt(2))).erfinv_().mul_(sqrt(2))


def check_elites(population: int, elites: int) -> None:
    """Raises ValueError for more elites than plans, or none."""
    if not 1 <= elites <= population:
        raise ValueError(f"elites must be from 1 to the population, {population}; got {elites}")


def _many(mean: Tensor, population: int) -> tuple[int, ...]:
    return (mean.shape[0], population, *mean.shape[1:])
