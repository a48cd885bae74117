"""Double pendulum: two rods, one at the end of the other, hang from an axle; two weak motors are to stand them upright.

Equations, constants, start, noise and cost are those of PILCO's scenario (Deisenroth, Efficient Reinforcement Learning
Using Gaussian Processes, 2010, section 3.5 and appendix C; the published MATLAB code), which GP-MPC (Kamthe and
Deisenroth, AISTATS 2018) took over. The latter tells of rods of 1 m, the code has half of that.

           O       state    omega1, omega2 [1/s], theta1, theta2 [rad]: the inner and the outer rod, 0 upright,
            \\ theta2       anticlockwise, counting full turns, each by itself
             O     control  torques [N m]: each turns its own rod, without the other's feeling it
            / theta1
           +       reward   1 - cost = exp(-d^2 / (2 width^2)), d the distance of the outer rod's tip from its highest
                            place

Lagrange's equations for theta1 and theta2. With the rods' masses m1, m2, their lengths l1, l2, and a = (m1/2 + m2) l1,
b = m2 l2/2, d = m2 l1 l2/2, J1 = (m1/3 + m2) l1^2, J2 = m2 l2^2/3 the kinetic energy is
J1 w1^2/2 + J2 w2^2/2 + d w1 w2 cos12, the potential one a g cos1 + b g cos2, where cos12 is that of theta1 - theta2.
Hence

    [ J1        d cos12 ]   [ dw1/dt ]   [ u1 - friction w1 + a g sin1 - d w2^2 sin12 ]
    [ d cos12   J2      ] . [ dw2/dt ] = [ u2 - friction w2 + b g sin2 + d w1^2 sin12 ]
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sakiyomi.boards.kernel import kernel
from sakiyomi.envs.dynamics import Floats, Plant, Variables, numbers_of
from sakiyomi.envs.plant_kernels import advance_rows, compiled
from sakiyomi.envs.plant_maths import cos, exp, sin


@dataclass(frozen=True, kw_only=True)
class DoublePendulum(Plant):
    """The plant; see `dynamics.Plant`. The rods' masses are spread evenly over their lengths."""

    inner: float = 0.5  # kg
    outer: float = 0.5  # kg
    inner_length: float = 0.5  # m
    outer_length: float = 0.5  # m
    friction: float = 0.0  # N m s, of each rod
    gravity: float = 9.82  # m/s^2
    limits: tuple[float, ...] = (2.0, 2.0)  # N m; the inner rod held level takes 3.7
    step: float = 0.1  # s
    horizon: int = 30  # steps: 3 s
    spread: tuple[float, ...] = (0.1, 0.1, 0.01, 0.01)
    noise: tuple[float, ...] = (0.01, 0.01, 0.01, 0.01)
    width: float = 0.5  # m
    bounds: tuple[float, ...] = (1e4, 1e4, 1e5, 1e5)
    names: ClassVar[tuple[str, ...]] = ("ω₁ [1/s]", "ω₂ [1/s]", "θ₁ [rad]", "θ₂ [rad]")
    substep: ClassVar[float] = 0.001

    def derivative(self, state: Variables, control: Variables) -> Variables:
        """The change of (omega1, omega2, theta1, theta2) in a second."""
        w1, w2, theta1, theta2 = state[0], state[1], state[2], state[3]
        a, b = (self.inner / 2 + self.outer) * self.inner_length, self.outer * self.outer_length / 2
        j1, j2 = (self.inner / 3 + self.outer) * self.inner_length**2, self.outer * self.outer_length**2 / 3
        d, sin12 = b * self.inner_length, sin(theta1 - theta2)
        d12 = d * cos(theta1 - theta2)
        turn1 = control[0] - self.friction * w1 + a * self.gravity * sin(theta1) - d * w2**2 * sin12
        turn2 = control[1] - self.friction * w2 + b * self.gravity * sin(theta2) + d * w1**2 * sin12
        share = j1 * j2 - d12**2
        return (j2 * turn1 - d12 * turn2) / share, (j1 * turn2 - d12 * turn1) / share, w1, w2

    def reward(self, state: Variables) -> Any:
        """1 upright, near 0 hanging."""
        theta1, theta2 = state[2], state[3]
        across = self.inner_length * sin(theta1) + self.outer_length * sin(theta2)
        down = self.inner_length * (1 - cos(theta1)) + self.outer_length * (1 - cos(theta2))
        return exp(-(across**2 + down**2) / (2 * self.width**2))

    def energy(self, state: Variables) -> Any:
        """Joules, 0 at rest with both rods level; constant without friction and torques."""
        w1, w2, theta1, theta2 = state[0], state[1], state[2], state[3]
        a, b = (self.inner / 2 + self.outer) * self.inner_length, self.outer * self.outer_length / 2
        j1, j2 = (self.inner / 3 + self.outer) * self.inner_length**2, self.outer * self.outer_length**2 / 3
        moving = (j1 * w1**2 + j2 * w2**2) / 2 + b * self.inner_length * w1 * w2 * cos(theta1 - theta2)
        return moving + self.gravity * (a * cos(theta1) + b * cos(theta2))

    def start(self, rng: np.random.Generator) -> Floats:
        """Near rest, hanging."""
        return rng.normal((0.0, 0.0, np.pi, np.pi), self.spread)


Numbers = numbers_of(DoublePendulum, __name__)
_derivative, _reward = compiled(DoublePendulum.derivative), compiled(DoublePendulum.reward)


@kernel
def _advance(numbers: Any, states: Floats, controls: Floats, rewards: Floats, seconds: float, steps: int) -> None:
    advance_rows(_derivative, _reward, numbers, states, controls, rewards, seconds, steps)


DoublePendulum.Numbers, DoublePendulum.rows = Numbers, staticmethod(_advance)
