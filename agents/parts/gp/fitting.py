"""Hyper-parameters of a Gaussian process by its marginal likelihood, penalised as in PILCO, from several starts.

For each output the function minimised is

    -log p(y | X) + sum_d (log(l_d / std x_d) / log 100)^30 + (log(s / n) / log 1000)^30

(Deisenroth & Rasmussen 2011 and their published code): lengthscales stay within a hundred standard deviations of their
inputs, the ratio of signal to noise below a thousand. Gradients are analytic, the optimiser is SciPy's L-BFGS-B.

Departure: the ratio of signal to noise is bounded by 1000 as well as penalised, and the noise from below, so that a
covariance matrix can always be factored.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import Bounds, minimize
from torch import Tensor

from sakiyomi.agents.parts.gp.kernels import Kernel
from sakiyomi.agents.parts.gp.regression import GP, checked_rows

Array = NDArray[np.float64]

STEEPNESS = 30  # the power of the penalties
FARTHEST = math.log(100.0)  # of a lengthscale from its input's standard deviation, in logs
CLEAREST = math.log(1000.0)  # signal to noise, in logs
FIRST_CLARITY = math.log(10.0)  # signal to noise at the first start
QUIETEST = math.log(1e-4)  # noise beside the targets' standard deviation, in logs
LOUDEST = math.log(10.0)
FAILED = 1e20  # the function's value where the matrix cannot be factored


class Problem(NamedTuple):
    """The rows of one output, and the scales that its hyper-parameters are compared with."""

    inputs: Array  # [N, D], centred unless there is a linear part
    targets: Array  # [N]
    input_scales: Array  # [D]
    target_scale: float
    linear: bool


def fit(
    inputs: Tensor,
    targets: Tensor,
    *,
    linear: bool = False,
    starts: int = 3,
    rng: np.random.Generator | None = None,
    warm: GP | None = None,
    mean: Tensor | None = None,
    iterations: int = 300,
) -> GP:
    """The process of `inputs` [N, D] and `targets` [N, E] with the most likely hyper-parameters found.

    Args:
        inputs: rows, of any floating type.
        targets: what the rows led to, of each of E outputs, which are fitted one by one.
        linear: whether the kernel has a linear part beside the squared exponential.
        starts: of the optimiser for each output: the hyper-parameters of `warm` if it is given, then PILCO's first
            guess (standard deviations of inputs and targets, a tenth for the noise), then random ones around that.
        rng: source of the random starts, by default one seeded with 0.
        warm: a process fitted before, with as many inputs and outputs.
        mean: [E] prior means, 0 by default.
        iterations: of the optimiser, at most, for each start.

    Returns:
        the process conditioned on all rows.

    Raises ValueError for shapes that do not fit, NaN, fewer than two rows, or `starts` below 1. Constant inputs and
    outputs, and repeated rows, are fine.
    """
    x, y = checked_rows(inputs, targets)
    rows, outputs = y.shape
    if rows < 2 or starts < 1:
        raise ValueError(f"fit: at least 2 rows and 1 start are needed, got {rows} and {starts}")
    if warm is not None and warm.kernel.lengthscales.shape != (outputs, x.shape[1]):
        raise ValueError(
            f"fit: warm has {warm.outputs} outputs of {warm.inputs.shape[1]} inputs, the rows {outputs} of {x.shape[1]}"
        )
    rng = np.random.default_rng(0) if rng is None else rng
    centre = torch.zeros(outputs, dtype=torch.float64) if mean is None else torch.as_tensor(mean, dtype=torch.float64)
    residual = y - centre
    scales = _input_scales(x.numpy())
    best = []
    for output in range(outputs):
        values = np.ascontiguousarray(residual[:, output].numpy())
        problem = Problem(x.numpy() - (0.0 if linear else x.numpy().mean(0)), values, scales, _scale(values), linear)
        best.append(_best(problem, _starts(problem, starts, rng, warm, output), iterations))
    found = np.stack(best)
    width = x.shape[1]
    kernel = Kernel(
        lengthscales=torch.from_numpy(np.exp(found[:, :width])),
        signal=torch.from_numpy(np.exp(found[:, width] + found[:, width + 1])),
        linear=torch.from_numpy(np.exp(found[:, width + 2 :])) if linear else None,
    )
    return GP.of(x, y, kernel, torch.from_numpy(np.exp(found[:, width])), centre)


def objective(parameters: Array, problem: Problem) -> tuple[float, Array]:
    """The penalised negative log marginal likelihood and its gradient.

    `parameters` are logs: D lengthscales, the noise, signal to noise, and D linear standard deviations if there is a
    linear part.
    """
    x, y = problem.inputs, problem.targets
    rows, width = x.shape
    lengths, noise, clarity = parameters[:width], parameters[width], parameters[width + 1]
    scaled = x / np.exp(lengths)
    norms = np.einsum("nd,nd->n", scaled, scaled)
    squared = norms[:, None] + norms[None, :] - 2 * scaled @ scaled.T
    bumps = np.exp(2 * (noise + clarity) - 0.5 * np.maximum(squared, 0))
    strength = np.exp(2 * parameters[width + 2 :])
    covariance = bumps + (x * strength) @ x.T if problem.linear else bumps.copy()
    covariance[np.diag_indices(rows)] += math.exp(2 * noise)
    factor, failed = lapack.dpotrf(covariance, lower=1, overwrite_a=0)
    if failed:
        return FAILED, np.zeros_like(parameters)
    beta, _ = lapack.dpotrs(factor, y, lower=1)
    half, _ = lapack.dpotri(factor, lower=1, overwrite_c=0)
    inverse = half + np.tril(half, -1).T
    value = 0.5 * y @ beta + np.log(np.diag(factor)).sum() + 0.5 * rows * math.log(2 * math.pi)
    # d value = 1/2 tr(pull dK), pull = K^-1 - beta beta'.
    pull = inverse - np.outer(beta, beta)
    drawn = pull * bumps
    sums = drawn.sum(0)
    by_lengths = sums @ scaled**2 - np.einsum("nd,nd->d", scaled, drawn @ scaled)
    by_clarity = sums.sum()
    by_noise = by_clarity + math.exp(2 * noise) * np.trace(pull)
    by_linear = strength * np.einsum("nd,nd->d", x, pull @ x) if problem.linear else np.zeros(0)
    gradient = np.concatenate((by_lengths, [by_noise, by_clarity], by_linear))
    return _penalised(float(value), gradient, parameters, problem)


def _penalised(value: float, gradient: Array, parameters: Array, problem: Problem) -> tuple[float, Array]:
    width = len(problem.input_scales)
    strayed = (parameters[:width] - np.log(problem.input_scales)) / FARTHEST
    clear = parameters[width + 1] / CLEAREST
    gradient[:width] += STEEPNESS / FARTHEST * strayed ** (STEEPNESS - 1)
    gradient[width + 1] += STEEPNESS / CLEAREST * clear ** (STEEPNESS - 1)
    return float(value + (strayed**STEEPNESS).sum() + clear**STEEPNESS), gradient


def _best(problem: Problem, starts: list[Array], iterations: int) -> Array:
    """The parameters with the smallest objective that the optimiser reaches from `starts`."""
    bounds = _bounds(problem)
    reached: list[tuple[float, Array]] = []
    for start in starts:
        clipped = np.clip(start, bounds.lb, bounds.ub)
        result = minimize(
            objective, clipped, (problem,), "L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": iterations}
        )
        reached.append((float(result.fun), result.x))
    return min(reached, key=lambda pair: pair[0])[1]


def _bounds(problem: Problem) -> Bounds:
    scales, size = np.log(problem.input_scales), math.log(problem.target_scale)
    lengths = np.stack((scales - 1.5 * FARTHEST, scales + 1.5 * FARTHEST), 1)
    others = [[size + QUIETEST, size + LOUDEST], [-CLEAREST, CLEAREST]]
    slopes = np.stack((size - scales - 1.5 * FARTHEST, size - scales + FARTHEST), 1)
    both = np.concatenate((lengths, others, slopes if problem.linear else np.zeros((0, 2))))
    return Bounds(both[:, 0], both[:, 1])


def _starts(problem: Problem, count: int, rng: np.random.Generator, warm: GP | None, output: int) -> list[Array]:
    scales, size = np.log(problem.input_scales), math.log(problem.target_scale)
    slopes = size - scales if problem.linear else np.zeros(0)
    first = np.concatenate((scales, [size - FIRST_CLARITY, FIRST_CLARITY], slopes))
    starts = [] if warm is None else [_parameters(warm, output, first)]
    starts.append(first)
    while len(starts) < count:
        moved = first.copy()
        moved[: len(scales)] += rng.normal(0.5, 1.0, len(scales))
        noise = rng.uniform(math.log(1e-3), math.log(0.5))
        moved[len(scales) : len(scales) + 2] = size + noise, -noise
        moved[len(scales) + 2 :] += rng.normal(-1.0, 1.0, len(slopes))
        starts.append(moved)
    return starts[:count]


def _parameters(gp: GP, output: int, default: Array) -> Array:
    """The parameters of one output of a process; a linear part that it lacks is taken from `default`."""
    width = gp.inputs.shape[1]
    parameters = default.copy()
    noise = math.log(float(gp.noise[output]))
    parameters[:width] = gp.kernel.lengthscales[output].log().numpy()
    parameters[width : width + 2] = noise, math.log(float(gp.kernel.signal[output])) - noise
    if gp.kernel.linear is not None and len(default) > width + 2:
        parameters[width + 2 :] = gp.kernel.linear[output].clamp_min(1e-300).log().numpy()
    return parameters


def _input_scales(x: Array) -> Array:
    """[D] standard deviations; 1 for an input that never changed, of which nothing is known."""
    spread = x.std(0)
    return np.where(spread > 1e-10 * np.abs(x).max(0), spread, 1.0)


def _scale(y: Array) -> float:
    """Standard deviation of targets; their size if they never changed, and a trifle if all are 0."""
    spread, size = float(y.std()), float(np.sqrt(np.mean(y**2)))
    if spread > 1e-6 * size:
        return spread
    return size if size > 0 else 1e-6
