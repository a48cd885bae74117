"""The processes of a learnt GPDM as differentiable PyTorch functions, float64, to plan by."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from torch import Tensor

from sakiyomi.agents.parts.gpdm.kernels import Floats, Kernel
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.terms import inverse
from sakiyomi.agents.parts.gpdm.transitions import Dynamics


class Process(NamedTuple):
    """A Gaussian process given what it learnt from."""

    points: Tensor  # [P, Z]
    weights: Tensor  # [P, K]
    inverse: Tensor  # [P, P] of the kernel's matrix, noise included
    linear: Tensor  # [Z]
    widths: Tensor  # [Z]
    variance: float
    noise: float

    @classmethod
    def of(cls, kernel: Kernel, points: Floats, weights: Floats, lower: Floats) -> Self:
        """That of mean ``kernel.between(x, points) @ weights``, and of a Cholesky factor."""
        arrays = (points, weights, inverse(lower), kernel.linear, kernel.widths)
        given, weighed, inverted, linear, widths = (torch.from_numpy(array) for array in arrays)
        return cls(given, weighed, inverted, linear, widths, kernel.variance, kernel.noise)

    def near(self, x: Tensor) -> Tensor:
        """[..., P] the kernel between `x` [..., Z] and the points."""
        scaled = x * self.widths
        squares = (scaled * x).sum(-1, keepdim=True) + (self.points**2 @ self.widths) - 2 * scaled @ self.points.mT
        return self.variance * (-0.5 * squares.clamp_min(0)).exp() + (x * self.linear) @ self.points.mT

    def mean(self, x: Tensor) -> Tensor:
        """[..., K] at `x` [..., Z]."""
        return self.near(x) @ self.weights

    def mean_and_deviation(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[..., K] and [..., 1] at `x` [..., Z], noise included."""
        near = self.near(x)
        explained = (near @ self.inverse * near).sum(-1, keepdim=True)
        variance = self.variance + (x * x * self.linear).sum(-1, keepdim=True) + self.noise - explained
        return near @ self.weights, variance.clamp_min(self.noise).sqrt()


@dataclass(frozen=True)
class Processes:
    """Both of a model: `steps` are its dynamics, `poses` what is seen about `centre` [D]."""

    form: Dynamics
    steps: Process
    poses: Process
    centre: Tensor

    @classmethod
    def of(cls, model: Model) -> Self:
        """Those of `model`."""
        weights = model.motions.whole_deviations(model.pose_weights / model.state.scales)
        return cls(
            model.form,
            Process.of(model.kernel, model.learnt.inputs, model.learnt.solved, model.learnt.lower),
            Process.of(model.pose_kernel, model.x, weights, model.pose_lower),
            torch.from_numpy(model.motions.mean),
        )

    def seen(self, x: Tensor) -> Tensor:
        """[..., D] what is expected to be observed at `x` [..., q]."""
        return self.poses.mean(x) + self.centre

    def path(self, last: Tensor, before: Tensor, controls: Tensor, noise: Tensor | None = None) -> Tensor:
        """[H, ..., q] the points after `last` [..., q], `before` it being those, under `controls` [H, ..., U].

        Each is the mean of the step from the last; with `noise` [H, ..., q], so many standard deviations beside it.
        """
        points = []
        for t, control in enumerate(controls):
            parts = [last, last - before if self.form.velocity else before][: self.form.order]
            moved, deviation = self.steps.mean_and_deviation(torch.cat([*parts, control], dim=-1))
            if self.form.difference:
                moved = moved + last
            last, before = moved if noise is None else moved + deviation * noise[t], last
            points.append(last)
        return torch.stack(points)

    def futures(self, mean: Tensor, covariance: Tensor, controls: Tensor, noise: Tensor | None) -> Tensor:
        """[1 + H, P, q] points from a belief (`filtering`) on, under `controls` [H, U], the first where it is now.

        `noise` [1 + H, P, order q] is standard normal: of where the P particles begin, and of their steps. Without it
        there is one, of the means.
        """
        places, q = mean[None], self.steps.weights.shape[1]
        if noise is not None:
            lower = torch.linalg.cholesky(covariance + 1e-9 * torch.eye(len(mean), dtype=mean.dtype))
            places = places + noise[0] @ lower.mT
        done = controls[:, None].expand(-1, len(places), -1)
        path = self.path(places[:, :q], places[:, -q:], done, None if noise is None else noise[1:, :, :q])
        return torch.cat([places[None, :, :q], path])
