"""The terms of a GPDM's -ln posterior, each with its exact gradients.

Wang, Fleet and Hertzmann 2008: `observation_term` is -ln p(Y | X, θ, w) (equation 9), `dynamics_term` -ln p(X | α)
(equations 12 to 14) without the first points, `conditioned_term` the same of further steps given those learnt from.
θ is (inverse squared width, precision of the noise); the scales w take the place of a variance. A third number in θ is
the weight of a linear part, which the paper has not: with it observations go on beyond the data.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve
from scipy.linalg.lapack import dpotrf, dpotri

from sakiyomi.agents.parts.gpdm.kernels import Floats, Kernel

LN_2PI = float(np.log(2 * np.pi))


class Observed(NamedTuple):
    """A value, and its gradients with respect to the latents [N, q] and to ln θ."""

    value: float
    to_x: Floats
    to_theta: Floats


class Moved(NamedTuple):
    """A value, and its gradients with respect to inputs [M, Z], outputs [M, q] and ln α [2 G + 2]."""

    value: float
    to_inputs: Floats
    to_outputs: Floats
    to_alpha: Floats


class NotDefiniteError(ValueError):
    """A kernel's matrix cannot be factored."""


def factor(matrix: Floats, what: str) -> Floats:
    """The lower Cholesky factor; with up to 1e-4 of the diagonal's mean added if it is only just not definite.

    Raises NotDefiniteError, which names `what`, for a matrix that is not positive definite even so, or has NaN.
    """
    if not np.isfinite(matrix).all():
        raise NotDefiniteError(
            f"{what} has entries that are not finite: the latents or the hyper-parameters have run away"
        )
    jitter, scale = 0.0, float(np.trace(matrix)) / max(1, len(matrix))
    while jitter <= 1e-4:
        lower, info = dpotrf(matrix + jitter * scale * np.eye(len(matrix)) if jitter else matrix, lower=1, clean=1)
        if info == 0:
            result: Floats = lower
            return result
        jitter = max(1e-12, 10 * jitter)
    raise NotDefiniteError(f"{what} of {len(matrix)} points is not positive definite: raise the noise")


def inverse(lower: Floats) -> Floats:
    """The inverse of a matrix, from its lower Cholesky factor."""
    half: Floats = dpotri(lower, lower=1)[0]
    return half + np.tril(half, -1).T


def observation_kernel(theta: Floats, latents: int) -> Kernel:
    """Of θ [2] or [3] and so many latent dimensions."""
    linear = theta[2] if len(theta) > 2 else 0.0
    return Kernel(np.array([linear, theta[0], 1.0, theta[1]]), np.zeros(latents, np.int64))


def observation_factor(x: Floats, theta: Floats) -> Floats:
    """The lower Cholesky factor of K_Y, noise included, of latents [N, q]."""
    kernel = observation_kernel(theta, x.shape[1])
    return factor(kernel.between(x, x) + kernel.noise * np.eye(len(x)), "the kernel of the observations")


def observation_term(x: Floats, y: Floats, scales: Floats, theta: Floats) -> Observed:
    """-ln p(y | x) of rows `y` [N, D] about their mean, at latents `x` [N, q], with scales [D] and θ."""
    (n, dims), kernel, lower = y.shape, observation_kernel(theta, x.shape[1]), observation_factor(x, theta)
    scaled = y * scales
    solved, inverted = cho_solve((lower, True), scaled, check_finite=False), inverse(lower)
    value = -n * np.log(scales).sum() + 0.5 * n * dims * LN_2PI + dims * np.log(np.diag(lower)).sum()
    value += 0.5 * (scaled * solved).sum()
    gradient = 0.5 * (dims * inverted - solved @ solved.T)
    to_x, to_kernel = kernel.pull(gradient, x, x)
    to_theta = np.array([to_kernel[1], -kernel.noise * np.trace(gradient), to_kernel[0]])
    return Observed(float(value), 2 * to_x, to_theta[: len(theta)])


def observation_squares(x: Floats, y: Floats, theta: Floats) -> Floats:
    """[D] y_dᵀ K_Y⁻¹ y_d."""
    result: Floats = (y * cho_solve((observation_factor(x, theta), True), y, check_finite=False)).sum(0)
    return result


def best_scales(x: Floats, y: Floats, theta: Floats, spread: float) -> Floats:
    """[D] the scales w that maximise the posterior, a half-normal prior of variance `spread`² included: closed form."""
    squares = observation_squares(x, y, theta)
    result: Floats = np.sqrt(len(y) / (squares + 1 / spread**2))
    return result


def dynamics_term(kernel: Kernel, inputs: Floats, outputs: Floats) -> Moved:
    """-ln p(outputs | inputs) of steps [M, Z] to [M, q]."""
    m, q = outputs.shape
    if not m:
        return Moved(0.0, np.zeros_like(inputs), np.zeros_like(outputs), np.zeros_like(kernel.alpha))
    matrix = kernel.between(inputs, inputs) + kernel.noise * np.eye(m)
    lower = factor(matrix, "the kernel of the dynamics")
    solved, inverted = cho_solve((lower, True), outputs, check_finite=False), inverse(lower)
    value = 0.5 * m * q * LN_2PI + q * np.log(np.diag(lower)).sum() + 0.5 * (outputs * solved).sum()
    gradient = 0.5 * (q * inverted - solved @ solved.T)
    to_inputs, to_alpha = kernel.pull(gradient, inputs, inputs)
    to_alpha[-1] = -kernel.noise * np.trace(gradient)
    return Moved(float(value), 2 * to_inputs, solved, to_alpha)


class Learnt(NamedTuple):
    """Steps that the dynamics were learnt from: inputs [M, Z], outputs [M, q], Cholesky factor and K⁻¹ outputs."""

    inputs: Floats
    outputs: Floats
    lower: Floats
    solved: Floats


def learn(kernel: Kernel, inputs: Floats, outputs: Floats) -> Learnt:
    """What prediction needs of the steps learnt from."""
    matrix = kernel.between(inputs, inputs) + kernel.noise * np.eye(len(inputs))
    lower = factor(matrix, "the kernel of the dynamics")
    return Learnt(inputs, outputs, lower, cho_solve((lower, True), outputs, check_finite=False))


def conditioned_term(kernel: Kernel, learnt: Learnt, inputs: Floats, outputs: Floats) -> tuple[float, Floats, Floats]:
    """-ln p(outputs | inputs, what is learnt), all steps together; its gradients to `inputs` and to `outputs`."""
    t, q = outputs.shape
    crossed = kernel.between(inputs, learnt.inputs)
    reach = cho_solve((learnt.lower, True), crossed.T, check_finite=False)
    matrix = kernel.between(inputs, inputs) - crossed @ reach + kernel.noise * np.eye(t)
    lower = factor(0.5 * (matrix + matrix.T), "the kernel of the path")
    surprise = outputs - crossed @ learnt.solved
    solved = cho_solve((lower, True), surprise, check_finite=False)
    value = 0.5 * t * q * LN_2PI + q * np.log(np.diag(lower)).sum() + 0.5 * (surprise * solved).sum()
    gradient = 0.5 * (q * inverse(lower) - solved @ solved.T)
    to_crossed = -2 * gradient @ reach.T - solved @ learnt.solved.T
    to_inputs = 2 * kernel.pull(gradient, inputs, inputs)[0] + kernel.pull(to_crossed, inputs, learnt.inputs)[0]
    return float(value), to_inputs, solved
