"""Expected costs of a Gaussian state, in closed form: the saturating cost of PILCO, and a quadratic one.

    saturating  c(x) = 1 - exp(-1/2 (x - t)' T (x - t)),  T = Q / width^2
    quadratic   c(x) = (x - t)' Q (x - t)

(Deisenroth & Rasmussen 2011, §2.2; Deisenroth 2010, §3.7.1). The saturating cost is 0 at the target and 1 far away, so
that a spread-out state far away is better than a sure one there: exploration by the cost itself.
"""

import torch
from torch import Tensor

from sakiyomi.agents.parts.gp.kernels import float64


def saturating_cost(
    mean: Tensor, covariance: Tensor, target: Tensor, precision: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Expectation [...] and variance [...] of the saturating cost, and its covariance with x [..., D].

    Args:
        mean: [..., D] of x.
        covariance: [..., D, D] of x.
        target: [D] where the cost is 0.
        precision: [D, D] T, symmetric and positive semi-definite.

    All float64, batched and differentiable.
    """
    mean, covariance = float64(mean), float64(covariance)
    offset, precision = mean - float64(target), float64(precision)
    expected, pulled = _expected_exponential(offset, covariance, precision)
    twice, _ = _expected_exponential(offset, covariance, 2 * precision)
    together = (covariance @ pulled[..., None])[..., 0] * expected[..., None]
    # Both nearly 1 at the target, where their difference is rounding.
    return 1 - expected, (twice - expected.square()).clamp_min(0), together


def quadratic_cost(mean: Tensor, covariance: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """[...] expectation of (x - t)' Q (x - t), Q = `weight` [D, D], for x ~ N(`mean` [..., D], `covariance`)."""
    offset, weight = float64(mean) - float64(target), float64(weight)
    return ((offset @ weight) * offset).sum(-1) + (weight.mT * float64(covariance)).sum((-1, -2))


def _expected_exponential(offset: Tensor, covariance: Tensor, precision: Tensor) -> tuple[Tensor, Tensor]:
    """E exp(-1/2 x' T x) [...] and T (I + S T)^-1 m [..., D] for x ~ N(m, S)."""
    turned = torch.eye(offset.shape[-1], dtype=offset.dtype) + covariance @ precision
    pulled = (precision @ torch.linalg.solve(turned, offset[..., None]))[..., 0]
    volume = torch.linalg.slogdet(turned).logabsdet
    return torch.exp(-0.5 * (volume + (offset * pulled).sum(-1))), pulled
