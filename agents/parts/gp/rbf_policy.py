"""A policy of radial basis functions, and what it does to a state that is known up to a Gaussian.

    p(x) = sum_i w_i exp(-1/2 |(x - c_i) / l|^2),    control = middle + half range * (9 sin p + sin 3 p) / 8

M. Deisenroth and C. Rasmussen, "PILCO: a model-based and data-efficient approach to policy search", ICML 2011, and M.
Deisenroth, D. Fox and C. Rasmussen, PAMI 37, 2015, section 3.5: the sum is smooth, the squashing keeps controls within
their limits, and of both the moments under a Gaussian are known exactly, so that a policy is improved by the gradient
of what it is expected to cost. Float64 and differentiable in everything. Axes: N centres, D inputs, U controls.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from sakiyomi.agents.parts.gp import GP, angle_moments, next_state, with_angles
from sakiyomi.agents.parts.gp.tube import Tube
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, save_tensors


class RbfPolicy(NamedTuple):
    """The parameters. Inputs are the numbers of a state that are no angles, then sine and cosine of each angle."""

    centres: Tensor  # [N, D]
    weights: Tensor  # [N, U]
    log_lengthscales: Tensor  # [D]

    def flat(self) -> Tensor:
        """All parameters, one after the other."""
        return torch.cat([each.flatten() for each in self])

    def like(self, flat: Tensor) -> Self:
        """A policy of this one's shape with the parameters of `flat`."""
        parts = flat.split([each.numel() for each in self])
        return type(self)(*(part.view_as(each) for part, each in zip(parts, self, strict=True)))


def first_policy(inputs: Tensor, controls: int, centres: int, rng: np.random.Generator) -> RbfPolicy:
    """A policy that does next to nothing, with its centres among rows of `inputs` [N, D], drawn by `rng`."""
    chosen = torch.from_numpy(rng.choice(len(inputs), centres, replace=len(inputs) < centres))
    scales = inputs.std(0, correction=0).clamp_min(1e-3)
    jitter = torch.from_numpy(rng.normal(0, 0.1, (centres, inputs.shape[1])))
    weights = torch.from_numpy(rng.normal(0, 0.1, (centres, controls)))
    return RbfPolicy(inputs[chosen] + jitter * scales, weights, scales.log())


def improved(policy: RbfPolicy, cost: Callable[[RbfPolicy], Tensor], iterations: int) -> RbfPolicy:
    """The cheapest policy by `cost`, a scalar, that so many iterations of L-BFGS find from `policy`."""
    best: tuple[float, NDArray[Any]] = (np.inf, policy.flat().numpy())

    def value_and_slope(flat: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        nonlocal best
        parameters = torch.from_numpy(flat.copy()).requires_grad_()
        value = cost(policy.like(parameters))
        (slope,) = torch.autograd.grad(value, parameters)
        if value.item() < best[0]:
            best = value.item(), flat.copy()
        return value.item(), slope.numpy()

    minimize(value_and_slope, best[1], jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    return policy.like(torch.from_numpy(best[1]))


def control_of(policy: RbfPolicy, states: Tensor, angles: Sequence[int], low: Tensor, high: Tensor) -> Tensor:
    """[..., U] what `policy` does in `states` [..., O], between `low` [U] and `high` [U]."""
    inputs = with_angles(states, angles)[..., _kept(states.shape[-1], angles)]
    offsets = (inputs[..., None, :] - policy.centres) / policy.log_lengthscales.exp()
    wish = torch.exp(-0.5 * offsets.square().sum(-1)) @ policy.weights
    return (low + high) / 2 + (high - low) / 2 * (9 * wish.sin() + (3 * wish).sin()) / 8


def sum_moments(policy: RbfPolicy, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean [U] and covariance [U, U] of p(x), and V [D, U] with cov[x, p] = S V, for x ~ N(`mean` [D], `covariance`).

    With a, b centres less the mean and S the covariance, all in lengthscales, the bumps' products have the expectations
    exp(-|a - b|^2 / 4 - c' (I + 2 S)^-1 c) |I + 2 S|^-1/2 around their centres c = (a + b) / 2.
    """
    scales = policy.log_lengthscales.exp()
    spread = covariance / scales[:, None] / scales
    unit = torch.eye(len(scales), dtype=torch.float64)
    offsets = (policy.centres - mean) / scales
    pulled = torch.linalg.solve(unit + spread, offsets.mT).mT
    bumps = torch.exp(-0.5 * (offsets * pulled).sum(-1) - 0.5 * torch.logdet(unit + spread))
    weighted = bumps[:, None] * policy.weights
    wide = unit + 2 * spread
    half, apart = offsets / 2, offsets[:, None] - offsets
    centres = half[:, None] + half
    farther = (centres * torch.linalg.solve(wide, centres.flatten(0, 1).mT).mT.view_as(centres)).sum(-1)
    products = torch.exp(-0.25 * apart.square().sum(-1) - farther - 0.5 * torch.logdet(wide))
    expected = weighted.sum(0)
    second = policy.weights.mT @ products @ policy.weights
    return expected, second - expected[:, None] * expected, (pulled / scales).mT @ weighted


def squashed_moments(mean: Tensor, covariance: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean [U] and covariance [U, U] of the controls for p ~ N(`mean`, `covariance`), and their expected slopes [U]."""
    count = len(mean)
    unit = torch.eye(count, dtype=torch.float64)
    thrice = torch.cat((unit, 3 * unit))  # (p, 3 p)
    full, spread, _ = angle_moments(thrice @ mean, thrice @ covariance @ thrice.mT, range(2 * count))
    sines = torch.arange(2 * count, 6 * count, 2)
    mix, half = torch.cat((9 * unit, unit), 1) / 8, (high - low) / 2
    cosines = full[sines + 1]
    slopes = half * (9 * cosines[:count] + 3 * cosines[count:]) / 8
    outer = half[:, None] * half
    return (low + high) / 2 + half * (mix @ full[sines]), outer * (mix @ spread[sines][:, sines] @ mix.mT), slopes


def followed(
    gp: GP,
    policy: RbfPolicy,
    mean: Tensor,
    covariance: Tensor,
    steps: int,
    angles: Sequence[int],
    low: Tensor,
    high: Tensor,
) -> Tube:
    """The tube of the states that follow when `policy` acts for `steps` steps from `mean` [O] and `covariance`."""
    kept = _kept(len(mean), angles)
    means, covariances = [], []
    for _ in range(steps):
        full_mean, full, _ = angle_moments(mean, covariance, angles)
        wish, doubt, pull = sum_moments(policy, full_mean[kept], full[kept][:, kept])
        control, spread, slopes = squashed_moments(wish, doubt, low, high)
        mean, covariance = next_state(
            gp,
            mean,
            covariance,
            control,
            angles=angles,
            control_covariance=spread,
            cross_covariance=full[:, kept] @ pull * slopes,
        )
        means.append(mean)
        covariances.append(covariance)
    return Tube(torch.stack(means), torch.stack(covariances))


class KeptPolicy:
    """The policy as a part of a training run, if there is one: what the next is improved from."""

    def __init__(self) -> None:
        self.policy: RbfPolicy | None = None

    def save(self, path: Path) -> None:
        """Write it to `path`.safetensors."""
        save_tensors(path.with_name(f"{path.name}.safetensors"), self.policy._asdict() if self.policy else {})

    def load(self, path: Path) -> None:
        """Hold what `save` wrote."""
        tensors = load_tensors(path.with_name(f"{path.name}.safetensors"))
        self.policy = RbfPolicy(**tensors) if tensors else None


def _kept(width: int, angles: Sequence[int]) -> list[int]:
    """Columns of [x, sin, cos, ...] without the angles themselves."""
    return [column for column in range(width + 2 * len(angles)) if column not in set(angles)]
