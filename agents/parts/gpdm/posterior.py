"""The -ln posterior of a GPDM in all its unknowns: latents, ln θ and ln α, for given scales.

Wang, Fleet and Hertzmann 2008, equation 19; the balanced GPDM's weight on the dynamics is that of R. Urtasun, D. Fleet
and P. Fua, "3D People Tracking with Gaussian Process Dynamical Models", CVPR 2006.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.gpdm.kernels import Floats, Kernel, Whole
from sakiyomi.agents.parts.gpdm.terms import LN_2PI, dynamics_term, observation_term
from sakiyomi.agents.parts.gpdm.transitions import Transitions


class State(NamedTuple):
    """The unknowns: latents [N, q], θ [2] or [3], α [2 G + 2] and scales [D]."""

    x: Floats
    theta: Floats
    alpha: Floats
    scales: Floats


class Slope(NamedTuple):
    """The -ln posterior, and its gradients with respect to x [N, q], ln θ and ln α [2 G + 2]."""

    value: float
    to_x: Floats
    to_theta: Floats
    to_alpha: Floats


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is given: rows `y` [N, D] about their mean, and the steps that the dynamics explain.

    `weight` multiplies ln p(X | α): 1, or D / q in a balanced GPDM. Without `transitions` every latent point is N(0, I)
    by itself, which is a GPLVM. Weights of α that are 0 stay so, and with `fixed` all of α. `spread` is κ of the
    scales' half-normal prior.
    """

    y: Floats
    transitions: Transitions | None
    groups: Whole
    weight: float = 1.0
    fixed: bool = False
    spread: float = 1e3

    def learns(self, alpha: Floats) -> NDArray[np.bool_]:
        """[2 G + 2] which of α are unknowns."""
        return (alpha > 0) & (self.transitions is not None) & (not self.fixed)

    def slope(self, state: State) -> Slope:
        """The value at `state`, with its gradients."""
        x, theta, alpha, scales = state
        seen = observation_term(x, self.y, scales, theta)
        half_normal = 0.5 * (scales**2).sum() / self.spread**2 + 0.5 * len(scales) * np.log(
            0.5 * np.pi * self.spread**2
        )
        value = seen.value + np.log(theta).sum() + half_normal
        to_x, to_theta, to_alpha = seen.to_x, seen.to_theta + 1, np.zeros_like(alpha)
        if self.transitions is None:
            return Slope(float(value + 0.5 * (x**2).sum() + 0.5 * x.size * LN_2PI), to_x + x, to_theta, to_alpha)
        path, used = self.transitions, self.learns(alpha)
        moved = dynamics_term(Kernel(alpha, self.groups), path.inputs(x), path.outputs(x))
        first, to_first = path.starting(x)
        value += self.weight * (moved.value + first) + np.log(alpha[used]).sum()
        to_x = to_x + self.weight * (path.pull(moved.to_inputs, moved.to_outputs, len(x)) + to_first)
        return Slope(float(value), to_x, to_theta, np.where(used, self.weight * moved.to_alpha + 1, 0.0))
