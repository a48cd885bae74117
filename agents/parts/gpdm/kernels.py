"""The kernel of a GPDM and the gradients that flow back through it.

J. Wang, D. Fleet and A. Hertzmann, "Gaussian Process Dynamical Models for Human Motion", IEEE PAMI 30(2), 2008,
equations 8 and 15. Both of its processes have bumps (a squared exponential), the dynamics a linear part beside them;
each group of inputs may have weights of its own.

A `pull` takes the gradient of a number with respect to a kernel's matrix back to the gradients with respect to the
points and the kernel's parameters. Everything is float64.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def bumps(a: Floats, b: Floats, widths: Floats) -> Floats:
    """[A, B] exp(-½ sum_d widths_d (a_d - b_d)²) for points [A, Z] and [B, Z] and inverse squared widths [Z]."""
    scaled = a * widths
    squares = (scaled * a).sum(1)[:, None] + (b * b * widths).sum(1) - 2 * (scaled @ b.T)
    result: Floats = np.exp(-0.5 * np.maximum(squares, 0.0))
    return result


def pull_bumps(weights: Floats, a: Floats, b: Floats, widths: Floats) -> tuple[Floats, Floats]:
    """Gradients with respect to `a` [A, Z], `b` being constant, and to `widths` [Z].

    `weights` [A, B] are the gradients with respect to the bumps, each times its bump.
    """
    rows, columns, crossed = weights.sum(1), weights.sum(0), weights @ b
    to_widths = -0.5 * (rows @ (a * a) + columns @ (b * b) - 2 * (a * crossed).sum(0))
    return -widths * (rows[:, None] * a - crossed), to_widths


@dataclass(frozen=True, eq=False)
class Kernel:
    """k(a, b) = sum_d linear_d a_d b_d + variance exp(-½ sum_d widths_d (a_d - b_d)²), and noise of 1/precision.

    `alpha` [2 G + 2] holds `linear` and `widths` of the G groups, variance and precision: the paper's α₁, α₂, α₃ and α₄
    where G is 1. Input d belongs to group ``groups[d]``.
    """

    alpha: Floats
    groups: Whole

    @cached_property
    def linear(self) -> Floats:
        """[Z] the weights of the linear part."""
        return self.alpha[self.groups]

    @cached_property
    def widths(self) -> Floats:
        """[Z] the inverse squared widths of the bumps."""
        return self.alpha[self._sides + self.groups]

    @property
    def variance(self) -> float:
        """Of the bumps."""
        return float(self.alpha[-2])

    @property
    def noise(self) -> float:
        """The variance of a step beyond what the kernel explains."""
        return float(1 / self.alpha[-1])

    def slopes(self, at: Floats, points: Floats, weights: Floats) -> Floats:
        """[K, Z] the slopes, at one point [Z], of the functions ``between(at, points) @ weights``, weights [P, K]."""
        near = self.variance * bumps(at[None], points, self.widths)[0]
        rows = self.linear * points - near[:, None] * self.widths * (at - points)
        result: Floats = weights.T @ rows
        return result

    @property
    def _sides(self) -> int:
        return (len(self.alpha) - 2) // 2

    def between(self, a: Floats, b: Floats) -> Floats:
        """[A, B], without noise."""
        return (a * self.linear) @ b.T + self.variance * bumps(a, b, self.widths)

    def variances(self, a: Floats) -> Floats:
        """[A] of k(a, a), without noise."""
        result: Floats = (a * a) @ self.linear + self.variance
        return result

    def pull(self, gradient: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """From the gradient [A, B] with respect to `between`: those to `a`, `b` being constant, and to ln `alpha`."""
        crossed = gradient @ b
        weights = gradient * (self.variance * bumps(a, b, self.widths))
        to_a, to_widths = pull_bumps(weights, a, b, self.widths)
        to_alpha = np.zeros_like(self.alpha)
        np.add.at(to_alpha, self.groups, self.linear * (a * crossed).sum(0))
        np.add.at(to_alpha, self._sides + self.groups, self.widths * to_widths)
        to_alpha[-2] = weights.sum()
        return to_a + self.linear * crossed, to_alpha
