"""Integrals of a Gaussian process's exponentials over a Gaussian input, with their analytic derivatives.

Write s_ai(x) = s_a^2 exp(-1/2 |x - x_i|^2 / l_a^2) for the bump of output a at row i, and x ~ N(m, S). Then

    q_ai   = E s_ai(x) = s_a^2 |S / l_a^2 + I|^-1/2 exp(-1/2 v_i' W_a v_i),   v_i = x_i - m,  W_a = (S + diag l_a^2)^-1
    Q_abij = E s_ai(x) s_bj(x)

are what moment matching needs, summed over rows with the process's weights:

    J_ak = sum_i rows_aki q_ai,   Y_ak = dJ_ak/dm,
    L_ab = sum_ij weight_abij Q_abij,   weight_abij = beta_ai beta_bj - [a = b] (K_a + n_a^2 I)^-1_ij.

L and its derivatives are got in one pass (see `pair_integrals`), which the forward computation keeps, so that the
backward one is left with small matrices. Derivatives by S are half the second ones by m (the heat equation).

Axes: B batch, E outputs, P pairs of outputs (a <= b), K rows of weights, N rows of data, D inputs.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from sakiyomi.agents.parts.gp.bumps import Bumps, inverse_and_log_volume
from sakiyomi.agents.parts.gp.pair_integrals import products


def integrals(mean: Tensor, covariance: Tensor, bumps: Bumps) -> tuple[Tensor, Tensor, Tensor]:
    """J [B, E, K], Y [B, E, K, D] and L [B, P] for inputs N(`mean` [B, D], `covariance` [B, D, D]).

    Differentiable once in mean and covariance; the gradient with respect to a covariance is symmetric. Raises
    ValueError for a covariance that is far from positive semi-definite, and for NaN.
    """
    result: tuple[Tensor, Tensor, Tensor] = _Integrals.apply(mean, covariance, bumps)
    return result


class _Integrals(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mean: Tensor, covariance: Tensor, bumps: Bumps) -> tuple[Tensor, Tensor, Tensor]:
        slopes_wanted = any(ctx.needs_input_grad[:2])
        offsets = bumps.inputs - mean[:, None, :]
        single = _single(offsets, covariance, bumps)
        L, L_by_mean, L_by_covariance = products(offsets, covariance, bumps, slopes_wanted)
        ctx.save_for_backward(*single, L_by_mean, L_by_covariance)
        return single.J, single.Y, L.mT

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, by_J: Tensor, by_Y: Tensor, by_L: Tensor) -> tuple[Tensor, Tensor, None]:
        *single, L_by_mean, L_by_covariance = ctx.saved_tensors
        by_mean, by_covariance = _single_backward(_Single(*single), by_J, by_Y)
        by_mean = by_mean + (by_L.mT[..., None] * L_by_mean).sum(0)
        by_covariance = by_covariance + (by_L.mT[..., None, None] * L_by_covariance).sum(0)
        return by_mean, by_covariance, None


class _Single(NamedTuple):
    u: Tensor  # [B, E, K, N] rows times q
    h: Tensor  # [B, E, N, D] W v
    W: Tensor  # [B, E, D, D]
    J: Tensor  # [B, E, K]
    Y: Tensor  # [B, E, K, D]


def _single(offsets: Tensor, covariance: Tensor, bumps: Bumps) -> _Single:
    scales = bumps.lengthscales
    inverse, log_volume = inverse_and_log_volume(covariance[:, None], scales.reciprocal())
    W = inverse / (scales[:, :, None] * scales[:, None, :])
    h = offsets[:, None] @ W
    distance = (offsets[:, None] * h) @ torch.ones(offsets.shape[-1], dtype=offsets.dtype)
    exponent = -0.5 * (distance + log_volume[..., None]) + 2 * bumps.signal.log()[:, None]
    u = bumps.rows * exponent.exp()[:, :, None, :]
    return _Single(u, h, W, u.sum(-1), u @ h)


def _single_backward(single: _Single, by_J: Tensor, by_Y: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients with respect to mean [B, D] and covariance [B, D, D] from those with respect to J and Y.

    dJ/dm = Y, dY/dm = H = sum_i u_i (h_i h_i' - W), and both derivatives by S are half the next one by m.
    """
    u, h, W, J, Y = single
    pulled = by_Y @ W  # [B, E, K, D]
    along = by_Y @ h.mT  # [B, E, K, N] the component of h in the direction of the gradient
    steep = u * along
    by_mean = (by_J[..., None] * Y).sum((1, 2)) + (steep @ h).sum((1, 2)) - (J[..., None] * pulled).sum((1, 2))
    weight = (u * by_J[..., None] + steep).sum(2)  # [B, E, N]
    level = (by_J * J + (Y * by_Y).sum(-1)).sum(-1)  # [B, E]
    twisted = pulled.mT @ Y
    third = (weight[..., None] * h).mT @ h - level[..., None, None] * W - twisted - twisted.mT
    return by_mean, 0.5 * third.sum(1)
