"""Moments of a Gaussian state's angles: [x, sin t_1, cos t_1, sin t_2, ...] for x ~ N(m, S), angles t_i among x.

Exact first and second moments, from E exp(i a't) = exp(i a'm - 1/2 a'S a) for the sums and differences of angles
(Deisenroth, Fox & Rasmussen 2015, appendix). The moments are exact; to take what has them for a Gaussian, as moment
matching then does, is the approximation.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def with_angles(x: Tensor, angles: Sequence[int]) -> Tensor:
    """[..., D + 2A] `x` [..., D] followed by sine and cosine of each of its columns `angles`."""
    turned = x[..., list(angles)]
    return torch.cat((x, torch.stack((turned.sin(), turned.cos()), -1).flatten(-2)), -1)


def angle_moments(mean: Tensor, covariance: Tensor, angles: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Mean [..., D + 2A] and covariance [..., D + 2A, D + 2A] of [x, sin, cos, ...], and its covariance with x.

    Args:
        mean: [..., D] of x.
        covariance: [..., D, D] of x.
        angles: A columns of x, in radians, each once.

    Returns:
        mean, covariance, and cov[x, (x, sin, cos, ...)] [..., D, D + 2A], which are the covariance's first D rows.

    Raises ValueError for columns that there are not, or that come twice.
    """
    width = mean.shape[-1]
    chosen = [int(angle) for angle in angles]
    if len(set(chosen)) < len(chosen) or any(not 0 <= angle < width for angle in chosen):
        raise ValueError(f"angles must be different columns from 0 to {width - 1}, got {chosen}")
    if not chosen:
        return mean, covariance, covariance
    centre, own = mean[..., chosen], covariance[..., chosen, :]
    spread = own[..., chosen]  # [..., A, A] of the angles
    variance = spread.diagonal(dim1=-2, dim2=-1)
    shrunk = torch.exp(-0.5 * variance)
    sine, cosine = shrunk * centre.sin(), shrunk * centre.cos()
    # d/dt of (sin, cos) in expectation: by Stein's lemma cov[x, g(t)] = cov[x, t] E g'(t).
    slope = torch.stack((cosine, -sine), -1)[..., None]  # [..., A, 2, 1]
    crossed = (slope * own[..., None, :]).flatten(-3, -2)  # [..., 2A, D] covariance of (sin, cos) with x
    total = -0.5 * (variance[..., :, None] + variance[..., None, :])
    # cos(t_i - t_j) and cos(t_i + t_j), and the sines, each less what they would be without correlation.
    apart, together = _excess(total, spread), _excess(total, -spread)
    difference = centre[..., :, None] - centre[..., None, :]
    sum_ = centre[..., :, None] + centre[..., None, :]
    cos_apart, cos_together = apart * difference.cos(), together * sum_.cos()
    sin_apart, sin_together = apart * difference.sin(), together * sum_.sin()
    rows = torch.stack(
        (
            torch.stack((cos_apart - cos_together, sin_together + sin_apart), -1),  # sin_i with (sin_j, cos_j)
            torch.stack((sin_together - sin_apart, cos_apart + cos_together), -1),  # cos_i with (sin_j, cos_j)
        ),
        -2,
    )  # [..., A, A, 2, 2]
    count = 2 * len(chosen)
    trigonometric = 0.5 * rows.transpose(-3, -2).reshape(*mean.shape[:-1], count, count)
    upper = torch.cat((covariance, crossed.mT), -1)
    lower = torch.cat((crossed, trigonometric), -1)
    means = torch.cat((mean, torch.stack((sine, cosine), -1).flatten(-2)), -1)
    return means, torch.cat((upper, lower), -2), upper


def _excess(total: Tensor, spread: Tensor) -> Tensor:
    """exp(`total`) (exp(`spread`) - 1) for total <= 0 and total + spread <= 0, exact for small and large spreads."""
    positive, negative = spread.clamp_min(0), spread.clamp_max(0)
    raised = -torch.exp(total + positive) * torch.expm1(-positive)
    return torch.where(spread >= 0, raised, total.exp() * torch.expm1(negative))
