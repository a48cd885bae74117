"""Reacher: an arm of two rods lies on a table, with a motor in each joint; its tip is to reach a goal and stay there.

The task of Gymnasium's Reacher and of PETS (Chua et al., NeurIPS 2018: squared distance of the hand from a goal that is
drawn for each episode), in a plane, with rods and motors of our own and with the cost saturated as PILCO's.

               goal   state    omega1, omega2 [1/s], theta1, theta2 [rad]: upper and lower arm, anticlockwise from the x
          tip O  x             axis, counting full turns; goal's x, y [m]
             /        control  torques of shoulder and elbow [N m]; the elbow's turns the lower arm one way and the
       -----O                  upper arm the other
      O shoulder at 0 reward   exp(-d^2 / (2 width^2)), d the distance of the tip from the goal

There is no gravity. With the arms' masses m1, m2 and lengths l1, l2, J1 = (m1/3 + m2) l1^2, J2 = m2 l2^2/3,
d = m2 l1 l2/2 the kinetic energy is J1 w1^2/2 + J2 w2^2/2 + d w1 w2 cos(theta1 - theta2), and Lagrange's equations are

    J1 dw1/dt + d cos12 dw2/dt = t1 - t2 - d sin12 w2^2       t1 = u1 - friction w1
    d cos12 dw1/dt + J2 dw2/dt = t2 + d sin12 w1^2            t2 = u2 - friction (w2 - w1)
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sakiyomi.boards.kernel import kernel
from sakiyomi.envs.dynamics import Floats, Plant, Variables, numbers_of
from sakiyomi.envs.plant_kernels import advance_rows, compiled
from sakiyomi.envs.plant_maths import cos, exp, sin


@dataclass(frozen=True, kw_only=True)
class Reacher(Plant):
    """The plant; see `dynamics.Plant`. The arms' masses are spread evenly over their lengths."""

    upper: float = 0.5  # kg
    lower: float = 0.5  # kg
    upper_length: float = 0.5  # m
    lower_length: float = 0.5  # m
    friction: float = 0.1  # N m s, of each joint
    limits: tuple[float, ...] = (0.6, 0.3)  # N m
    step: float = 0.05  # s
    horizon: int = 100  # steps: 5 s
    nearest: float = 0.2  # m, from the shoulder to the goal
    farthest: float = 0.9  # m
    noise: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    width: float = 0.15  # m
    bounds: tuple[float, ...] = (1e3, 1e3, 1e4, 1e4, 1.0, 1.0)
    names: ClassVar[tuple[str, ...]] = ("ω₁ [1/s]", "ω₂ [1/s]", "θ₁ [rad]", "θ₂ [rad]", "goal x [m]", "goal y [m]")

    def derivative(self, state: Variables, control: Variables) -> Variables:
        """The change of (omega1, omega2, theta1, theta2, goal's x, y) in a second."""
        w1, w2, apart = state[0], state[1], state[2] - state[3]
        j1 = (self.upper / 3 + self.lower) * self.upper_length**2
        j2, d = self.lower * self.lower_length**2 / 3, self.lower * self.upper_length * self.lower_length / 2
        dsin, dcos = d * sin(apart), d * cos(apart)
        elbow = control[1] - self.friction * (w2 - w1)
        turn1 = control[0] - self.friction * w1 - elbow - dsin * w2**2
        turn2 = elbow + dsin * w1**2
        share = j1 * j2 - dcos**2
        still = 0.0 * w1
        return (j2 * turn1 - dcos * turn2) / share, (j1 * turn2 - dcos * turn1) / share, w1, w2, still, still

    def reward(self, state: Variables) -> Any:
        """1 with the tip on the goal."""
        theta1, theta2 = state[2], state[3]
        across = self.upper_length * cos(theta1) + self.lower_length * cos(theta2) - state[4]
        along = self.upper_length * sin(theta1) + self.lower_length * sin(theta2) - state[5]
        return exp(-(across**2 + along**2) / (2 * self.width**2))

    def energy(self, state: Variables) -> Any:
        """Joules, all of them kinetic; constant without friction and torque."""
        w1, w2, apart = state[0], state[1], state[2] - state[3]
        j1 = (self.upper / 3 + self.lower) * self.upper_length**2
        j2, d = self.lower * self.lower_length**2 / 3, self.lower * self.upper_length * self.lower_length / 2
        return (j1 * w1**2 + j2 * w2**2) / 2 + d * w1 * w2 * cos(apart)

    def start(self, rng: np.random.Generator) -> Floats:
        """At rest, the arms and the goal anywhere."""
        theta1, theta2, direction = rng.uniform(-np.pi, np.pi, 3)
        distance = np.sqrt(rng.uniform(self.nearest**2, self.farthest**2))  # even over the area
        goal = distance * np.cos(direction), distance * np.sin(direction)
        return np.array([0.0, 0.0, theta1, theta2, *goal])


Numbers = numbers_of(Reacher, __name__)
_derivative, _reward = compiled(Reacher.derivative), compiled(Reacher.reward)


@kernel
def _advance(numbers: Any, states: Floats, controls: Floats, rewards: Floats, seconds: float, steps: int) -> None:
    advance_rows(_derivative, _reward, numbers, states, controls, rewards, seconds, steps)


Reacher.Numbers, Reacher.rows = Numbers, staticmethod(_advance)
