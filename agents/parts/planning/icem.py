"""The improved cross-entropy method: correlated noise, fewer and fewer plans, and good ones kept.

C. Pinneri et al., "Sample-efficient cross-entropy method for real-time planning", CoRL 2020. Departure: the mean of the
elites is returned, as by `cem`, where the paper executes the best plan.
"""

import torch
from torch import Tensor

from sakiyomi.agents.parts.planning.cem import Cost, Over, cheapest, check_elites


def icem(
    cost: Cost,
    mean: Tensor,
    std: Tensor,
    low: Tensor,
    high: Tensor,
    *,
    population: int,
    elites: int,
    iterations: int,
    exponent: float,
    decay: float,
    kept: Tensor | None,
    keep_share: float = 0.3,
    keep: float = 0.1,
    generator: torch.Generator,
    over: Over = lambda: False,
) -> tuple[Tensor, Tensor]:
    """Plans [B, H, U] begun at `mean` and `std` [B, H, U], within `low` and `high` [U], and elites [B, k, H, U].

    The noise of a plan has a power spectrum of frequency^-`exponent` (`coloured_noise`). Iteration i draws `population`
    / `decay`^i plans, but 2 `elites` at the least; `keep_share` of the elites join the next iteration, and `kept`
    [B, k, H, U], those of the last step moved on, the first; the mean itself joins the last. Mean and deviation keep
    `keep` of what they were. Raises ValueError for more elites than plans, or none, and a decay under 1.
    """
    check_elites(population, elites)
    if decay < 1:
        raise ValueError(f"decay must be 1 or more, got {decay}")
    count = max(1, round(keep_share * elites))
    for i in range(iterations):
        number = max(2 * elites, int(population / decay**i))
        shape = (mean.shape[0], number, mean.shape[2], mean.shape[1])
        noise = coloured_noise(exponent, shape, generator, mean.device)
        plans = (mean[:, None] + std[:, None] * noise.transpose(2, 3)).clamp(low, high)
        joining = [] if kept is None else [kept]
        if i == iterations - 1:
            joining.append(mean[:, None])
        plans = torch.cat([plans, *joining], dim=1)
        best = cheapest(plans, cost(plans), elites)
        mean = keep * mean + (1 - keep) * best.mean(dim=1)
        std = keep * std + (1 - keep) * best.std(dim=1, correction=0)
        kept = best[:, :count]
        if over():
            break
    assert kept is not None
    return mean, kept


def coloured_noise(
    exponent: float, shape: tuple[int, ...], generator: torch.Generator, device: torch.device | str | None = None
) -> Tensor:
    """Normal noise of variance 1 whose last axis has a power spectrum of frequency^-exponent; 0 is white.

    Timmer and Koenig, "On generating power law noise", 1995; the lowest frequency stands for 0, too.
    """
    steps = shape[-1]
    frequency = torch.fft.rfftfreq(steps, device=device)
    frequency[0] = 1 / steps
    size = frequency ** (-exponent / 2)
    parts = torch.randn((2, *shape[:-1], len(frequency)), generator=generator, device=device)
    real, imaginary = parts * size
    imaginary[..., 0] = 0  # what has no phase is real, and has the power of both parts
    real[..., 0] *= 2**0.5
    if steps % 2 == 0 and steps > 1:
        imaginary[..., -1] = 0
        real[..., -1] *= 2**0.5
    power = 2 * (size[0] ** 2 + size[1:].square().sum() * 2 - (size[-1] ** 2 if steps % 2 == 0 and steps > 1 else 0))
    return torch.fft.irfft(torch.complex(real, imaginary), n=steps) * steps / power.sqrt()
