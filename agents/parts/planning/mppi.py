"""Model-predictive path integral control: all plans drawn count, each by its return.

G. Williams et al., "Information theoretic MPC for model-based reinforcement learning", ICRA 2017, with the smoothing of
A. Nagabandi et al., "Deep dynamics models for learning dexterous manipulation", CoRL 2019, section 4.
"""

import torch
from torch import Tensor

from sakiyomi.agents.parts.planning.cem import Cost, Over, finite


def mppi(
    cost: Cost,
    mean: Tensor,
    std: Tensor,
    low: Tensor,
    high: Tensor,
    *,
    population: int,
    iterations: int,
    temperature: float,
    smoothing: float,
    generator: torch.Generator,
    over: Over = lambda: False,
) -> Tensor:
    """[B, H, U] plans that `iterations` improved from `mean` [B, H, U], within `low` and `high` [U].

    Plans are the mean and noise of deviation `std` [B, H, U], of which each step takes over `smoothing` of that before:
    n_t = smoothing n_{t-1} + sqrt(1 - smoothing^2) e_t. The new mean weights them with exp(-cost / temperature),
    the temperature being in units of the cost. Raises ValueError for a temperature that is not over 0, or smoothing
    outside [0, 1).
    """
    if not temperature > 0 or not 0 <= smoothing < 1:
        raise ValueError(f"temperature must be over 0 and smoothing in [0, 1), got {temperature} and {smoothing}")
    batch, horizon, size = mean.shape
    for _ in range(iterations):
        noise = torch.randn((batch, population, horizon, size), generator=generator, device=mean.device)
        for h in range(1, horizon):
            noise[:, :, h] = smoothing * noise[:, :, h - 1] + (1 - smoothing**2) ** 0.5 * noise[:, :, h]
        plans = (mean[:, None] + std[:, None] * noise).clamp(low, high)
        weights = torch.softmax(-finite(cost(plans)) / temperature, dim=1)
        mean = (weights[..., None, None] * plans).sum(dim=1)
        if over():
            break
    return mean
