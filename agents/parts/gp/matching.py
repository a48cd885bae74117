"""Moment matching: mean and covariance of a Gaussian process's outputs when its input is itself Gaussian, exactly.

For x ~ N(m, S) the outputs f_a(x) have

    mean         M_a  = E f_a
    covariance   C_ab = cov[f_a, f_b], the uncertainty about f_a itself included where a = b, noise not
    V_a with     cov[x, f_a] = S V_a, which is the derivative of M_a with respect to m

in closed form for squared-exponential kernels (Girard et al. 2003; Deisenroth & Rasmussen 2011, §2.2), and as well with
a linear part, whose products with the exponentials are derivatives of the same integrals. `bump_integrals` has these
integrals with their analytic derivatives; the little that is left is here, and autograd goes through it.
"""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from sakiyomi.agents.parts.gp.bump_integrals import integrals
from sakiyomi.agents.parts.gp.bumps import Bumps, bumps_of
from sakiyomi.agents.parts.gp.kernels import float64
from sakiyomi.agents.parts.gp.regression import GP


class _Prepared(NamedTuple):
    """What a process needs for every input distribution."""

    bumps: Bumps
    slopes: Tensor  # [E, D] of the linear part of the mean
    unexplained: Tensor  # [E, D, D] w^2 - w^2 X' (K + n^2 I)^-1 X w^2: what the rows do not tell about the slopes


_PREPARED: WeakKeyDictionary[GP, _Prepared] = WeakKeyDictionary()  # of processes in use, which never change


def _prepared(gp: GP) -> _Prepared:
    if gp in _PREPARED:
        return _PREPARED[gp]
    rows, slopes = gp.beta[:, None], torch.zeros_like(gp.kernel.lengthscales)
    unexplained = torch.zeros(gp.outputs, 1, 1, dtype=torch.float64)
    if gp.kernel.linear is not None:
        strength = gp.kernel.linear.square()
        slopes = strength * (gp.beta @ gp.inputs)
        blends = (strength[:, None] * gp.inputs).mT @ gp.precision  # w^2 X' (K + n^2 I)^-1  [E, D, N]
        unexplained = torch.diag_embed(strength) - blends @ (gp.inputs * strength[:, None])
        rows = torch.cat((rows, blends), 1)
    bumps = bumps_of(gp.inputs, gp.kernel.lengthscales, gp.kernel.signal, rows, gp.beta, gp.precision)
    return _PREPARED.setdefault(gp, _Prepared(bumps, slopes, unexplained))


def moments(gp: GP, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """M [..., E], C [..., E, E] and V [..., D, E] for inputs N(`mean` [..., D], `covariance` [..., D, D]).

    Leading axes are those of candidates, all worked on at once. Float64 (others are promoted). Differentiable once in
    both arguments, the gradient with respect to the covariance being the symmetric one. Add `gp.noise`^2 to the
    diagonal of C for the covariance of noisy observations.

    Raises ValueError for shapes that do not fit, NaN, and a covariance that is not positive semi-definite.
    """
    mean, covariance = float64(mean), float64(covariance)
    width = gp.inputs.shape[1]
    if mean.shape[-1:] != (width,) or covariance.shape != (*mean.shape, width):
        raise ValueError(
            f"moments: mean [..., {width}] and covariance [..., {width}, {width}] are wanted,"
            f" got {tuple(mean.shape)} and {tuple(covariance.shape)}"
        )
    if not bool(torch.isfinite(mean).all()):
        raise ValueError(f"moments: the input's mean must be finite, got {mean.tolist()}")
    leading = mean.shape[:-1]
    m, S = mean.reshape(-1, width), covariance.reshape(-1, width, width)
    bumps, slopes, unexplained = _prepared(gp)
    J, Y, L = integrals(m, S, bumps)
    M, V = J[..., 0], Y[..., 0, :].mT
    C = L[:, bumps.pair.flatten()].view(-1, *bumps.pair.shape) - M[:, :, None] * M[:, None, :]
    variance = gp.kernel.signal.square()
    if gp.kernel.linear is not None:
        pulled = slopes @ S  # [B, E, D]
        mixed = pulled @ V
        C = C + pulled @ slopes.mT + mixed + mixed.mT
        variance = variance + _linear_variance(m, S, J[..., 1:], Y[..., 1:, :], unexplained)
        M, V = M + m @ slopes.mT, V + slopes.mT
    C = C + torch.diag_embed(variance.expand_as(M))
    return (M + gp.mean).view(*leading, -1), C.view(*leading, *C.shape[1:]), V.view(*leading, width, -1)


def _linear_variance(m: Tensor, S: Tensor, J: Tensor, Y: Tensor, unexplained: Tensor) -> Tensor:
    """[B, E] what the linear part of the kernel adds to the expected variance of f_a.

    That is the expectation of k(x, x) - k(x, X) (K + n^2 I)^-1 k(X, x) in the terms with w^2 x_i, by
    E s_i(x) x = q_i m + S dq_i/dm. `J` [B, E, D] and `Y` [B, E, D, D] have the weights w^2 X' (K + n^2 I)^-1.
    """
    second = S + m[:, :, None] * m[:, None, :]  # E x x'
    crossed = (J * m[:, None, :]).sum(-1) + (Y * S[:, None]).sum((-1, -2))
    return (second[:, None] * unexplained).sum((-1, -2)) - 2 * crossed
