"""Cart-pole swing-up: a pole hangs from a cart; forces on the cart are to swing it up and keep it there, at 0.

Equations, constants, start, noise and cost are those of PILCO (Deisenroth and Rasmussen, ICML 2011, and the scenario of
its published MATLAB code), which GP-MPC (Kamthe and Deisenroth, AISTATS 2018) took over.

            O  theta = pi        state    x [m], v [m/s], omega [1/s], theta [rad], which counts full turns
            |                    control  force on the cart [N]
     -------+=====+-------       reward   1 - cost = exp(-d^2 / (2 width^2)), d the distance of the pole's tip from
            |  x                          where it is to be, upright over x = 0
            O  theta = 0
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sakiyomi.boards.kernel import kernel
from sakiyomi.envs.dynamics import Floats, Plant, Variables, numbers_of
from sakiyomi.envs.plant_kernels import advance_rows, compiled
from sakiyomi.envs.plant_maths import cos, exp, sin


@dataclass(frozen=True, kw_only=True)
class CartPole(Plant):
    """The plant; see `dynamics.Plant`."""

    cart: float = 0.5  # kg
    pole: float = 0.5  # kg, spread evenly over its length
    length: float = 0.5  # m
    friction: float = 0.1  # N s/m, of the cart
    gravity: float = 9.82  # m/s^2
    limits: tuple[float, ...] = (10.0,)  # N
    step: float = 0.1  # s
    horizon: int = 40  # steps: 4 s
    spread: tuple[float, ...] = (0.1, 0.1, 0.1, 0.1)
    noise: tuple[float, ...] = (0.01, 0.01, 0.01, 0.01)
    width: float = 0.25  # m
    bounds: tuple[float, ...] = (1e3, 1e3, 1e3, 1e4)
    names: ClassVar[tuple[str, ...]] = ("x [m]", "v [m/s]", "ω [1/s]", "θ [rad]")

    def derivative(self, state: Variables, control: Variables) -> Variables:
        """The change of (x, v, omega, theta) in a second."""
        v, omega, theta = state[1], state[2], state[3]
        m, length, total = self.pole, self.length, self.cart + self.pole
        sine, cosine = sin(theta), cos(theta)
        force, swing = control[0] - self.friction * v, m * length * omega**2 * sine
        share = 4 * total - 3 * m * cosine**2
        linear = (2 * swing + 3 * m * self.gravity * sine * cosine + 4 * force) / share
        angular = -(3 * swing * cosine + 6 * total * self.gravity * sine + 6 * force * cosine) / (length * share)
        return v, linear, angular, omega

    def reward(self, state: Variables) -> Any:
        """1 with the tip where it is to be, near 0 with the pole hanging."""
        x, theta = state[0], state[3]
        across, down = x + self.length * sin(theta), self.length * (1 + cos(theta))
        return exp(-(across**2 + down**2) / (2 * self.width**2))

    def energy(self, state: Variables) -> Any:
        """Joules, 0 at rest with the pole level; constant without friction and force."""
        v, omega, theta = state[1], state[2], state[3]
        m, length = self.pole, self.length
        moving = (self.cart + m) * v**2 / 2 + m * length * v * omega * cos(theta) / 2 + m * length**2 * omega**2 / 6
        return moving - m * self.gravity * length * cos(theta) / 2

    def start(self, rng: np.random.Generator) -> Floats:
        """Near rest, hanging."""
        return rng.normal(0.0, self.spread)


Numbers = numbers_of(CartPole, __name__)
_derivative, _reward = compiled(CartPole.derivative), compiled(CartPole.reward)


@kernel
def _advance(numbers: Any, states: Floats, controls: Floats, rewards: Floats, seconds: float, steps: int) -> None:
    advance_rows(_derivative, _reward, numbers, states, controls, rewards, seconds, steps)


CartPole.Numbers, CartPole.rows = Numbers, staticmethod(_advance)
