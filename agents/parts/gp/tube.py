"""A tube: the states to come as a Gaussian process foretells them for given controls, a mean and a covariance a step.

Moment matching makes the pair of both a deterministic state (S. Kamthe and M. Deisenroth, AISTATS 2018, section 3.1).
What is wanted of a tube is how near a point that moves with the state comes to its goal, and by how much the states
keep to walls. All float64 and differentiable. Axes: H steps, O numbers of a state, U controls, W widths of the cost.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.parts.gp import GP, angle_moments, next_mean, next_state, saturating_cost

Wall = tuple[int, float | None, float | None]
"""Which number of a state is to stay between a least and a greatest value; None: no such limit."""
LEAST = 1e-24  # variance


class Tube(NamedTuple):
    """The states after each control."""

    means: Tensor  # [H, O]
    covariances: Tensor  # [H, O, O]

    def deviations(self, which: int) -> Tensor:
        """[H] standard deviations of one number of the state."""
        return self.covariances[:, which, which].clamp_min(LEAST).sqrt()


def foretold(
    gp: GP, mean: Tensor, covariance: Tensor, controls: Tensor, angles: Sequence[int] = (), *, certain: bool = False
) -> Tube:
    """The tube that begins in `mean` [O] and `covariance` [O, O] and follows `controls` [H, U].

    `gp` and `angles` are as `next_state` has them. With `certain` only means are propagated and covariances are 0.
    """
    means, covariances = [], []
    covariance = torch.zeros_like(covariance) if certain else covariance
    for control in controls:
        if certain:
            mean = next_mean(gp, mean, control, angles=angles)
        else:
            mean, covariance = next_state(gp, mean, covariance, control, angles=angles)
        means.append(mean)
        covariances.append(covariance)
    return Tube(torch.stack(means), torch.stack(covariances))


def costs_of(tube: Tube, angles: Sequence[int], tip: Tensor, goal: Tensor, widths: Sequence[float]) -> Tensor:
    """[W, H] the expected saturating costs 1 - exp(-distance^2 / 2 width^2) of a point's distance from its goal.

    The point is `tip` [K, O + 2A] times [state, sine and cosine of each of its A `angles`], the goal `goal` [K].
    """
    state, spread, _ = angle_moments(tube.means, tube.covariances, angles)
    point, doubt, unit = state @ tip.mT, tip @ spread @ tip.mT, torch.eye(len(goal), dtype=torch.float64)
    return torch.stack([saturating_cost(point, doubt, goal, unit / width**2)[0] for width in widths])


def margins(tube: Tube, walls: Sequence[Wall], confidence: float | None) -> Tensor:
    """[C] by how much each state keeps to each wall, below 0 where it does not.

    With a `confidence` p the probability of being inside is to be p: exactly so for a wall on one side, for walls on
    both at the least, by Bonferroni's inequality. Without, the expected state is to be inside.
    """
    rooms = []
    for which, low, high in walls:
        both = low is not None and high is not None
        room = torch.zeros_like(tube.means[:, which])
        if confidence is not None:
            room = NormalDist().inv_cdf(1 - (1 - confidence) / (1 + both)) * tube.deviations(which)
        rooms += [] if low is None else [tube.means[:, which] - room - low]
        rooms += [] if high is None else [high - tube.means[:, which] - room]
    return torch.cat(rooms)


def satisfied(tube: Tube, walls: Sequence[Wall]) -> Tensor:
    """[H] the probability that a state keeps to all walls, those of different numbers taken as independent."""
    sure = torch.ones_like(tube.means[:, 0])
    for which, low, high in walls:
        mean, deviation = tube.means[:, which], tube.deviations(which)
        above = torch.ones_like(sure) if high is None else torch.special.ndtr((high - mean) / deviation)
        below = torch.zeros_like(sure) if low is None else torch.special.ndtr((low - mean) / deviation)
        sure = sure * (above - below)
    return sure


def outside(state: Sequence[float] | NDArray[np.float64], walls: Sequence[Wall]) -> bool:
    """Is a state [O] beyond one of `walls`?"""
    return any(
        (low is not None and state[which] < low) or (high is not None and state[which] > high)
        for which, low, high in walls
    )
