"""Cart-double-pendulum: two rods, one at the end of the other, hang from a cart and are to stand upright over 0.

Equations, constants, start, noise and cost are those of PILCO's scenario (Deisenroth, Efficient Reinforcement Learning
Using Gaussian Processes, 2010, appendix C; Deisenroth, Fox and Rasmussen, PAMI 37, 2015; the published MATLAB code).

                O          state    x [m], v [m/s], omega1, omega2 [1/s], theta1, theta2 [rad]: the inner and the outer
                 \\  theta2          rod, 0 upright, anticlockwise, counting full turns
                  O        control  force on the cart [N]
                 /  theta1 reward   1 - cost = exp(-d^2 / (2 width^2)), d the distance of the outer rod's tip from its
        --------+=+------           place above x = 0
                 x

Lagrange's equations for x, theta1 and theta2. With the cart's mass m0, the rods' m1, m2, their lengths l1, l2, and
M = m0 + m1 + m2, a = (m1/2 + m2) l1, b = m2 l2/2, d = m2 l1 l2/2, J1 = (m1/3 + m2) l1^2, J2 = m2 l2^2/3 the kinetic
energy is M v^2/2 + J1 w1^2/2 + J2 w2^2/2 - a v w1 cos1 - b v w2 cos2 + d w1 w2 cos12, the potential one
a g cos1 + b g cos2, where cos12 is that of theta1 - theta2. Hence

    [  M       -a cos1   -b cos2  ]   [ dv/dt  ]   [ u - friction v - a w1^2 sin1 - b w2^2 sin2 ]
    [ -a cos1   J1        d cos12 ] . [ dw1/dt ] = [ a g sin1 - d w2^2 sin12                    ]
    [ -b cos2   d cos12   J2      ]   [ dw2/dt ]   [ b g sin2 + d w1^2 sin12                    ]

of which the first row gives dv/dt by the other two, and Cramer's rule those.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sakiyomi.boards.kernel import kernel
from sakiyomi.envs.dynamics import Floats, Plant, Variables, numbers_of
from sakiyomi.envs.plant_kernels import advance_rows, compiled
from sakiyomi.envs.plant_maths import cos, exp, sin


@dataclass(frozen=True, kw_only=True)
class CartDoublePendulum(Plant):
    """The plant; see `dynamics.Plant`. The rods' masses are spread evenly over their lengths."""

    cart: float = 0.5  # kg
    inner: float = 0.5  # kg
    outer: float = 0.5  # kg
    inner_length: float = 0.6  # m
    outer_length: float = 0.6  # m
    friction: float = 0.1  # N s/m, of the cart
    gravity: float = 9.82  # m/s^2
    limits: tuple[float, ...] = (20.0,)  # N
    step: float = 0.05  # s
    horizon: int = 100  # steps: 5 s
    spread: tuple[float, ...] = (0.1, 0.1, 0.1, 0.1, 0.01, 0.01)
    noise: tuple[float, ...] = (0.01, 0.01, 0.01, 0.01, 0.01, 0.01)
    width: float = 0.5  # m
    stretch: float = 1.0  # of the rods in the cost, where PILCO's code has them 1 m long: 1 / 0.6
    bounds: tuple[float, ...] = (1e3, 1e3, 1e4, 1e4, 1e5, 1e5)
    names: ClassVar[tuple[str, ...]] = ("x [m]", "v [m/s]", "ω₁ [1/s]", "ω₂ [1/s]", "θ₁ [rad]", "θ₂ [rad]")
    substep: ClassVar[float] = 0.001

    def derivative(self, state: Variables, control: Variables) -> Variables:
        """The change of (x, v, omega1, omega2, theta1, theta2) in a second."""
        v, w1, w2, theta1, theta2 = state[1], state[2], state[3], state[4], state[5]
        mass = self.cart + self.inner + self.outer
        a, b = (self.inner / 2 + self.outer) * self.inner_length, self.outer * self.outer_length / 2
        j1 = (self.inner / 3 + self.outer) * self.inner_length**2
        j2, d = self.outer * self.outer_length**2 / 3, b * self.inner_length
        sin1, sin2, sin12 = sin(theta1), sin(theta2), sin(theta1 - theta2)
        a1, b2, d12 = a * cos(theta1), b * cos(theta2), d * cos(theta1 - theta2)
        push = control[0] - self.friction * v - a * w1**2 * sin1 - b * w2**2 * sin2
        turn1 = a * self.gravity * sin1 - d * w2**2 * sin12 + a1 * push / mass
        turn2 = b * self.gravity * sin2 + d * w1**2 * sin12 + b2 * push / mass
        k11, k12, k22 = j1 - a1**2 / mass, d12 - a1 * b2 / mass, j2 - b2**2 / mass
        share = k11 * k22 - k12**2
        angular1, angular2 = (k22 * turn1 - k12 * turn2) / share, (k11 * turn2 - k12 * turn1) / share
        return v, (push + a1 * angular1 + b2 * angular2) / mass, angular1, angular2, w1, w2

    def reward(self, state: Variables) -> Any:
        """1 with the tip where it is to be, near 0 with the rods hanging."""
        x, theta1, theta2 = state[0], state[4], state[5]
        l1, l2 = self.stretch * self.inner_length, self.stretch * self.outer_length
        across = x - l1 * sin(theta1) - l2 * sin(theta2)
        down = l1 * (1 - cos(theta1)) + l2 * (1 - cos(theta2))
        return exp(-(across**2 + down**2) / (2 * self.width**2))

    def energy(self, state: Variables) -> Any:
        """Joules, 0 at rest with both rods level; constant without friction and force."""
        v, w1, w2, theta1, theta2 = state[1], state[2], state[3], state[4], state[5]
        mass = self.cart + self.inner + self.outer
        a, b = (self.inner / 2 + self.outer) * self.inner_length, self.outer * self.outer_length / 2
        j1, j2 = (self.inner / 3 + self.outer) * self.inner_length**2, self.outer * self.outer_length**2 / 3
        moving = (mass * v**2 + j1 * w1**2 + j2 * w2**2) / 2 + b * self.inner_length * w1 * w2 * cos(theta1 - theta2)
        a1, b2 = a * cos(theta1), b * cos(theta2)
        return moving - v * (a1 * w1 + b2 * w2) + self.gravity * (a1 + b2)

    def start(self, rng: np.random.Generator) -> Floats:
        """Near rest, hanging."""
        return rng.normal((0.0, 0.0, 0.0, 0.0, np.pi, np.pi), self.spread)


Numbers = numbers_of(CartDoublePendulum, __name__)
_derivative, _reward = compiled(CartDoublePendulum.derivative), compiled(CartDoublePendulum.reward)


@kernel
def _advance(numbers: Any, states: Floats, controls: Floats, rewards: Floats, seconds: float, steps: int) -> None:
    advance_rows(_derivative, _reward, numbers, states, controls, rewards, seconds, steps)


CartDoublePendulum.Numbers, CartDoublePendulum.rows = Numbers, staticmethod(_advance)
