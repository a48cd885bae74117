"""The exponentials of a Gaussian process, with the weights that moment matching gives them and their products.

`bump_integrals` has their integrals over a Gaussian input, `pair_integrals` those of products of two.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Bumps(NamedTuple):
    """The exponentials of a process and their weights: what every input distribution needs. Made by `bumps_of`."""

    inputs: Tensor  # [N, D]
    lengthscales: Tensor  # [E, D]
    signal: Tensor  # [E]
    rows: Tensor  # [E, K, N] weights of single bumps
    own: Tensor  # [E, N, N] symmetric weights of products of two bumps of the same output
    pair: Tensor  # [E, E] which pair two outputs are: the E pairs (a, a) come first, then those with a < b
    tight_a: Tensor  # [P, D] 1 / l_a^2 of each pair
    tight_b: Tensor  # [P, D]
    height: Tensor  # [P] log of s_a^2 s_b^2
    left: Tensor  # [P, 1, N] beta_a, but 1 for pairs (a, a), whose weights are `own`
    right: Tensor  # [P, 1, N] beta_b, likewise


def bumps_of(
    inputs: Tensor, lengthscales: Tensor, signal: Tensor, rows: Tensor, beta: Tensor, precision: Tensor
) -> Bumps:
    """The bumps of a process with weights `beta` [E, N] and inverse covariance `precision` [E, N, N]."""
    outputs = len(signal)
    diagonal, (above, beside) = torch.arange(outputs), torch.triu_indices(outputs, outputs, 1)
    a, b = torch.cat((diagonal, above)), torch.cat((diagonal, beside))
    pair = torch.empty(outputs, outputs, dtype=torch.long)
    pair[a, b] = pair[b, a] = torch.arange(len(a))
    left, right, tight = beta[a], beta[b], lengthscales**-2
    left[:outputs] = right[:outputs] = 1.0
    return Bumps(
        inputs=inputs,
        lengthscales=lengthscales,
        signal=signal,
        rows=rows,
        own=beta[:, :, None] * beta[:, None, :] - precision,
        pair=pair,
        tight_a=tight[a],
        tight_b=tight[b],
        height=2 * (signal[a].log() + signal[b].log()),
        left=left[:, None],
        right=right[:, None],
    )


def inverse_and_log_volume(covariance: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Inverse and log determinant of I + diag(scale) `covariance` diag(scale), for `scale` [..., D].

    Eigenvalues are at least 1, so this stays exact where the covariance is 0. Raises ValueError for one that is not
    positive semi-definite, beyond rounding.
    """
    scaled = covariance * (scale[..., :, None] * scale[..., None, :])
    scaled.diagonal(dim1=-2, dim2=-1).add_(1.0)
    factor, failed = torch.linalg.cholesky_ex(scaled)
    log_volume = 2 * factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    if bool(failed.any()) or not bool(torch.isfinite(log_volume).all()):
        raise ValueError("moment matching: the input's covariance must be finite and positive semi-definite")
    return torch.cholesky_inverse(factor), log_volume
