"""Pendulum swing-up: a rod hangs from an axle whose motor is too weak to lift it at once; it is to stand upright.

Equations, constants and cost are those of PILCO's pendulum (Deisenroth and Rasmussen, ICML 2011, and its published
MATLAB code): the distance of the tip from its highest point, saturated.

    state    omega [1/s], theta [rad], 0 hanging, which counts full turns
    control  torque [N m]
    reward   1 - cost = exp(-d^2 / (2 width^2)), d the distance of the tip from its highest point
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sakiyomi.boards.kernel import kernel
from sakiyomi.envs.dynamics import Floats, Plant, Variables, numbers_of
from sakiyomi.envs.plant_kernels import advance_rows, compiled
from sakiyomi.envs.plant_maths import cos, exp, sin


@dataclass(frozen=True, kw_only=True)
class Pendulum(Plant):
    """The plant; see `dynamics.Plant`."""

    mass: float = 1.0  # kg, spread evenly over its length
    length: float = 1.0  # m
    friction: float = 0.01  # N m s
    gravity: float = 9.82  # m/s^2
    limits: tuple[float, ...] = (2.5,)  # N m; the rod held level weighs 4.9
    step: float = 0.1  # s
    horizon: int = 40  # steps: 4 s
    spread: tuple[float, ...] = (0.1, 0.1)
    noise: tuple[float, ...] = (0.1, 0.01)
    width: float = 0.5  # m
    bounds: tuple[float, ...] = (1e3, 1e4)
    names: ClassVar[tuple[str, ...]] = ("ω [1/s]", "θ [rad]")

    def derivative(self, state: Variables, control: Variables) -> Variables:
        """The change of (omega, theta) in a second."""
        omega, theta = state[0], state[1]
        m, length = self.mass, self.length
        torque = control[0] - self.friction * omega - m * self.gravity * length * sin(theta) / 2
        return torque / (m * length**2 / 3), omega

    def reward(self, state: Variables) -> Any:
        """1 upright, near 0 hanging."""
        theta = state[1]
        across, down = self.length * sin(theta), self.length * (1 + cos(theta))
        return exp(-(across**2 + down**2) / (2 * self.width**2))

    def energy(self, state: Variables) -> Any:
        """Joules, 0 at rest with the rod level; constant without friction and torque."""
        omega, theta = state[0], state[1]
        m, length = self.mass, self.length
        return m * length**2 * omega**2 / 6 - m * self.gravity * length * cos(theta) / 2

    def start(self, rng: np.random.Generator) -> Floats:
        """Near rest, hanging."""
        return rng.normal(0.0, self.spread)


Numbers = numbers_of(Pendulum, __name__)
_derivative, _reward = compiled(Pendulum.derivative), compiled(Pendulum.reward)


@kernel
def _advance(numbers: Any, states: Floats, controls: Floats, rewards: Floats, seconds: float, steps: int) -> None:
    advance_rows(_derivative, _reward, numbers, states, controls, rewards, seconds, steps)


Pendulum.Numbers, Pendulum.rows = Numbers, staticmethod(_advance)
