"""A GPDM that has been learnt: what it makes of latent points, and where it expects them to go.

Wang, Fleet and Hertzmann 2008, equations 23 to 26.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve

from sakiyomi.agents.parts.gpdm.kernels import Floats, Kernel, Whole
from sakiyomi.agents.parts.gpdm.motions import Motions
from sakiyomi.agents.parts.gpdm.posterior import Posterior, State
from sakiyomi.agents.parts.gpdm.terms import LN_2PI, Learnt, learn, observation_factor, observation_kernel
from sakiyomi.agents.parts.gpdm.transitions import Dynamics, Transitions


@dataclass(frozen=True, eq=False)
class Model:
    """The motions learnt from (only their complete rows), and the `state` that was found for them."""

    motions: Motions
    form: Dynamics
    state: State
    weight: float = 1.0

    @property
    def x(self) -> Floats:
        """[N, q] the latents of the complete rows."""
        return self.state.x

    @cached_property
    def groups(self) -> Whole:
        """[Z] the group of kernel weights of each input of the dynamics."""
        controls = self.motions.controls
        return self.form.groups(self.x.shape[1], 0 if controls is None else controls.shape[1])

    @cached_property
    def kernel(self) -> Kernel:
        """Of the dynamics."""
        return Kernel(self.state.alpha, self.groups)

    @cached_property
    def transitions(self) -> Transitions:
        """The steps learnt from."""
        return Transitions.within(self.form, self.motions.lengths, self.motions.controls)

    @cached_property
    def posterior(self) -> Posterior:
        """What was maximised."""
        return Posterior(self.motions.y, self.transitions, self.groups, self.weight)

    @cached_property
    def learnt(self) -> Learnt:
        """The steps, ready for prediction."""
        return learn(self.kernel, self.transitions.inputs(self.x), self.transitions.outputs(self.x))

    @property
    def radius(self) -> float:
        """Of the latents learnt from, about their mean."""
        return float(np.sqrt(((self.x - self.x.mean(0)) ** 2).sum(1).max()))

    def step(self, last: Floats, before: Floats, controls: Floats | None = None) -> tuple[Floats, Floats]:
        """The means [B, q] and variances [B] (of each coordinate) of the points after `last` [B, q], noise included."""
        inputs = self.form.input(last, before, controls)
        crossed = self.kernel.between(inputs, self.learnt.inputs)
        means = crossed @ self.learnt.solved + (last if self.form.difference else 0)
        explained = (crossed.T * cho_solve((self.learnt.lower, True), crossed.T, check_finite=False)).sum(0)
        return means, self.kernel.variances(inputs) + self.kernel.noise - explained

    def observation(self, x: Floats) -> tuple[Floats, Floats]:
        """What is observed at latents `x` [T, q]: means [T, D] and standard deviations [T, D], noise included."""
        means, variances = self.pose(x)
        return self.motions.whole(means), self.motions.whole_deviations(np.sqrt(variances))

    def pose(self, x: Floats) -> tuple[Floats, Floats]:
        """The same as ``motions.y`` has it: means [T, K] and variances [T, K]."""
        near, scales = self.near(x), self.state.scales
        return near @ self.pose_weights / scales, self._unscaled(x, near)[0][:, None] / scales**2

    def pose_term(self, x: Floats, y: Floats) -> tuple[float, Floats]:
        """-ln p of rows `y` [T, K] (as ``motions.y``, NaN where unseen) given latents `x` [T, q], each row by itself.

        Also its gradient [T, q].
        """
        seen = ~np.isnan(y)
        near, scales = self.near(x), self.state.scales
        variances, reach = self._unscaled(x, near)
        apart = np.where(seen, y * scales - near @ self.pose_weights, 0.0)
        squares, count = (apart**2).sum(1), seen.sum(1)
        value = 0.5 * (squares / variances + count * (np.log(variances) + LN_2PI)).sum() - (seen @ np.log(scales)).sum()
        to_variances = 0.5 * (count - squares / variances) / variances
        to_near = -(apart / variances[:, None]) @ self.pose_weights.T - 2 * to_variances[:, None] * reach
        to_x = self.pose_kernel.pull(to_near, x, self.x)[0]
        # The variance also depends on x by k(x, x), of which the bumps are constant.
        return float(value), to_x + 2 * to_variances[:, None] * self.pose_kernel.linear * x

    @cached_property
    def pose_kernel(self) -> Kernel:
        """Of the observations, before the scales divide them."""
        return observation_kernel(self.state.theta, self.x.shape[1])

    def near(self, x: Floats) -> Floats:
        """[T, N] the observation kernel between `x` [T, q] and the latents learnt from."""
        return self.pose_kernel.between(x, self.x)

    def _unscaled(self, x: Floats, near: Floats) -> tuple[Floats, Floats]:
        """Variances [T] before the scales divide them, and K_Y⁻¹ `near` [T, N]."""
        reach: Floats = cho_solve((self.pose_lower, True), near.T, check_finite=False).T
        return self.pose_kernel.variances(x) + self.pose_kernel.noise - (near * reach).sum(1), reach

    @cached_property
    def pose_lower(self) -> Floats:
        """The Cholesky factor of K_Y."""
        return observation_factor(self.x, self.state.theta)

    @cached_property
    def pose_weights(self) -> Floats:
        """[N, K] K_Y⁻¹ of the scaled rows."""
        result: Floats = cho_solve((self.pose_lower, True), self.motions.y * self.state.scales, check_finite=False)
        return result
