"""The classical yardstick for swing-up tasks: pump energy, then balance by a linear-quadratic regulator.

Far from the top the control is the one, of a few, after which the pole's energy is nearest that of standing upright
(Astrom and Furuta, Automatica 36, 2000), and the cart not far off. Where the regulator of the dynamics linearised about
the top can take over, it does. It knows the true dynamics, and plans one step ahead.
"""

from typing import Any

import numpy as np
from scipy.linalg import solve_discrete_are

from sakiyomi.envs.cartpole_swingup import CartPole
from sakiyomi.envs.catalog import PLANTS
from sakiyomi.envs.dynamics import Floats, Plant, advance, after
from sakiyomi.envs.pendulum import Pendulum
from sakiyomi.envs.task import Task

EFFORT = 3.0
"""What a control at its limit costs the regulator, beside the rewards lost."""
CATCH = 25.0
"""Rewards that the regulator may expect to lose where it takes over."""
DRIFT, SPEED = 0.2, 0.01
"""What a square metre off the middle and a square metre a second cost, beside the square of the joules lacking."""
CHOICES = 41
SUBSTEPS = 10


class SwingUp:
    """Plays cartpole-swingup and pendulum; see `players.TaskPlayer`."""

    name = "swingup"

    def __init__(self) -> None:
        self._plant: Any = None

    def begin(self, task: Task, seed: int) -> None:
        """Raises ValueError for any other task."""
        plant = PLANTS.get(task.name)
        if not isinstance(plant, CartPole | Pendulum):
            raise ValueError(f"swingup plays cartpole-swingup and pendulum, not {task.name}")
        if plant is not self._plant:
            self._plant = plant
            self._gain, self._value = regulator(plant)
            self._controls = np.linspace(-plant.limits[0], plant.limits[0], CHOICES)

    def act(self, observation: Floats) -> Floats:
        """The control [1], within the plant's limits."""
        off = _from_upright(observation)
        if off @ self._value @ off < CATCH:
            limit = self._plant.limits[0]
            return np.clip(-self._gain @ off, -limit, limit)
        return self._controls[[int(np.argmin(self._losses(observation)))]]

    def close(self) -> None:
        """Nothing to give back."""

    def _losses(self, state: Floats) -> Floats:
        """[CHOICES] how bad the state is to which each control leads: least where the regulator can take over."""
        plant = self._plant
        found = advance(plant, tuple(state.tolist()), (self._controls,), plant.step, SUBSTEPS)
        states = np.stack(np.broadcast_arrays(*found), -1)
        off = _from_upright(states)
        left = np.einsum("ni,ij,nj->n", off, self._value, off)
        cart, pole = states[:, :-2], states[:, -2:]
        rest = np.zeros(cart.shape[1])  # the energy that counts is that of the pole about its pivot
        lacking = plant.energy((*rest, *pole.T)) - plant.energy((*rest, 0.0, np.pi))
        wasted = lacking**2 + cart**2 @ np.array([DRIFT, SPEED])[: cart.shape[1]]
        return np.asarray(np.where(left < CATCH, left / CATCH - 1, wasted))


def _from_upright(states: Floats) -> Floats:
    """States [..., S] with the angle, which comes last, counted from upright, -pi..pi."""
    off = states.copy()
    off[..., -1] = off[..., -1] % (2 * np.pi) - np.pi
    return off


def regulator(plant: Plant) -> tuple[Floats, Floats]:
    """Gains [A, S] and cost-to-go [S, S] of the discrete linear-quadratic regulator about the upright position.

    A state costs what it loses of the reward, to second order.
    """
    size, top = len(plant.bounds), np.zeros(len(plant.bounds))
    top[-1] = np.pi
    h, still = 1e-4, np.zeros(len(plant.limits))
    nudges, pushes = h * np.eye(size), h * np.eye(len(still))
    a = np.stack([(after(plant, top + n, still) - after(plant, top - n, still)) / (2 * h) for n in nudges], 1)
    b = np.stack([(after(plant, top, p) - after(plant, top, -p)) / (2 * h) for p in pushes], 1)
    lost = 1e-6 * np.eye(size)
    for i, j in np.ndindex(size, size):
        corners = [top + s * nudges[i] + t * nudges[j] for s in (1, -1) for t in (1, -1)]
        pp, pm, mp, mm = (float(plant.reward(tuple(corner))) for corner in corners)
        lost[i, j] -= (pp - pm - mp + mm) / (8 * h * h)  # half the second derivative
    effort = np.diag(EFFORT / np.asarray(plant.limits) ** 2)
    value = np.asarray(solve_discrete_are(a, b, lost, effort), np.float64)
    gain = np.linalg.solve(effort + b.T @ value @ b, b.T @ value @ a)
    return np.asarray(gain, np.float64), value
