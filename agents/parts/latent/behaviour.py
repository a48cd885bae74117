"""What learning behaviour by imagination needs, whatever is optimised: where dreams begin, and what learns from them.

Dreamer (ICLR 2020, section 3 and algorithm 1) and DreamerV2 (ICLR 2021, section 2.2).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from sakiyomi.agents.parts.latent.distributions import unit_log_prob


@contextmanager
def frozen(*modules: nn.Module) -> Iterator[None]:
    """What is computed in the block passes gradients through `modules`, but none to their parameters."""
    held = [each for module in modules for each in module.parameters() if each.requires_grad]
    for parameter in held:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in held:
            parameter.requires_grad_(True)


def some_of(total: int, count: int, generator: torch.Generator) -> Tensor:
    """[min(count, total)] of the numbers below `total`, none twice and all equally likely; all in order if count is 0.

    A mean over states so chosen is an unbiased estimate of that over all.
    """
    if not 0 < count < total:
        return torch.arange(total, device=generator.device)
    return torch.randperm(total, generator=generator, device=generator.device)[:count]


def value_loss(values: Tensor, returns: Tensor, weights: Tensor) -> Tensor:
    """-mean of w_t log N(sg(G_t); v_t, 1), all [T, N]; gradients go to `values` alone."""
    return -(weights.detach() * unit_log_prob(returns.detach(), values, 0)).mean()
