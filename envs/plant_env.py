"""A plant as a Gymnasium environment. Imported when one is made: Gymnasium is an optional package."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box

from sakiyomi.envs.dynamics import Floats, Plant, after
from sakiyomi.envs.task import Task


class PlantEnv(gymnasium.Env[Floats, Floats]):
    """Observes the state with the noise of its measurement, float64; controls beyond the limits are cut to them.

    `info["state"]` is the state itself. Episodes are truncated after `plant.horizon` steps, never terminated.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 as Gymnasium has it

    def __init__(self, plant: Plant):
        self.plant = plant
        bounds, limits = np.array(plant.bounds), np.array(plant.limits)
        self.observation_space = Box(-bounds, bounds, dtype=np.float64)
        self.action_space = Box(-limits, limits, dtype=np.float64)
        self._state = np.zeros(len(bounds))
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Near rest, hanging; ``options={"state": ...}`` starts from a state of one's own."""
        super().reset(seed=seed)
        self._steps = 0
        self._state = self.np_random.normal(0.0, self.plant.spread)
        if options and "state" in options:
            self._state = np.array(options["state"], np.float64).reshape(self._state.shape)
        return self._observed(), {"state": self._state.copy()}

    def step(self, action: Floats) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Hold the control for `plant.step` seconds; the reward is for the state then reached."""
        control = np.asarray(action, np.float64).reshape(self.action_space.shape)
        self._state = after(self.plant, self._state, control)
        self._steps += 1
        reward = float(self.plant.reward(tuple(self._state.tolist())))
        return self._observed(), reward, False, self._steps >= self.plant.horizon, {"state": self._state.copy()}

    def _observed(self) -> Floats:
        return self._state + self.np_random.normal(0.0, self.plant.noise)


def plant_task(name: str, plant: Plant) -> Task:
    """The task that `plant` sets. Returns lie in 0..horizon, and are normalised by that."""
    env = PlantEnv(plant)
    return Task(
        name=name,
        observation_space=env.observation_space,
        action_space=env.action_space,
        horizon=plant.horizon,
        reward_range=(0.0, 1.0),
        build=lambda: PlantEnv(plant),
        scale=(0.0, float(plant.horizon)),
    )
