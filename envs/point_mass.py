"""Point mass: a ball in a box is to be pushed to a goal and to stay there. The least of all tasks with two controls.

A double integrator in the plane with some friction. The walls are cushions: what presses into one is pushed back with
the square of the depth, so that the ball bounces, nothing jumps, and energy is kept but for the friction.

     +-----------+     state    vx, vy [m/s], x, y [m] of the ball's middle, goal's x, y [m]
     |  o     x  |     control  force along x and y [N]
     |           |     reward   exp(-d^2 / (2 width^2)), d the distance of the ball from the goal
     +-----------+

    mass dv/dt = u - friction v - cushion e |e|      e: how far the ball's rim is beyond the wall, along x and y
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sakiyomi.boards.kernel import kernel
from sakiyomi.envs.dynamics import Floats, Plant, Variables, numbers_of
from sakiyomi.envs.plant_kernels import advance_rows, compiled
from sakiyomi.envs.plant_maths import clip, exp


@dataclass(frozen=True, kw_only=True)
class PointMass(Plant):
    """The plant; see `dynamics.Plant`."""

    mass: float = 1.0  # kg
    radius: float = 0.15  # m, of the ball
    half: float = 1.0  # m, from the middle of the box to its walls
    friction: float = 0.5  # N s/m
    cushion: float = 1e4  # N/m^2
    limits: tuple[float, ...] = (2.0, 2.0)  # N
    step: float = 0.1  # s
    horizon: int = 50  # steps: 5 s
    noise: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    width: float = 0.3  # m; so large is the goal drawn
    bounds: tuple[float, ...] = (20.0, 20.0, 3.0, 3.0, 1.0, 1.0)
    names: ClassVar[tuple[str, ...]] = ("vx [m/s]", "vy [m/s]", "x [m]", "y [m]", "goal x [m]", "goal y [m]")
    substep: ClassVar[float] = 0.001

    def derivative(self, state: Variables, control: Variables) -> Variables:
        """The change of (vx, vy, x, y, goal's x, y) in a second."""
        vx, vy, x, y = state[0], state[1], state[2], state[3]
        room = self.half - self.radius
        ex, ey = x - clip(x, -room, room), y - clip(y, -room, room)
        fx = control[0] - self.friction * vx - self.cushion * ex * abs(ex)
        fy = control[1] - self.friction * vy - self.cushion * ey * abs(ey)
        still = 0.0 * vx
        return fx / self.mass, fy / self.mass, vx, vy, still, still

    def reward(self, state: Variables) -> Any:
        """1 with the ball on the goal."""
        across, along = state[2] - state[4], state[3] - state[5]
        return exp(-(across**2 + along**2) / (2 * self.width**2))

    def energy(self, state: Variables) -> Any:
        """Joules, the pressed cushions' among them; constant without friction and force."""
        vx, vy, x, y = state[0], state[1], state[2], state[3]
        room = self.half - self.radius
        ex, ey = abs(x - clip(x, -room, room)), abs(y - clip(y, -room, room))
        return self.mass * (vx**2 + vy**2) / 2 + self.cushion * (ex**3 + ey**3) / 3

    def start(self, rng: np.random.Generator) -> Floats:
        """At rest, ball and goal anywhere off the walls."""
        room = self.half - 2 * self.radius
        return np.concatenate([np.zeros(2), rng.uniform(-room, room, 4)])


Numbers = numbers_of(PointMass, __name__)
_derivative, _reward = compiled(PointMass.derivative), compiled(PointMass.reward)


@kernel
def _advance(numbers: Any, states: Floats, controls: Floats, rewards: Floats, seconds: float, steps: int) -> None:
    advance_rows(_derivative, _reward, numbers, states, controls, rewards, seconds, steps)


PointMass.Numbers, PointMass.rows = Numbers, staticmethod(_advance)
