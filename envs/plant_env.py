"""A plant as a Gymnasium environment. Imported when one is made: Gymnasium is an optional package."""

from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box

from sakiyomi.envs.dynamics import Floats, Plant, step_rows
from sakiyomi.envs.plant_pictures import Pictures, pictures
from sakiyomi.envs.task import Task

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

PIXELS = 64
"""Rows and columns of what a task from pixels shows."""


class PlantEnv(gymnasium.Env[Any, Floats]):
    """Observes the state with the noise of its measurement, float64, or with `pixels` a picture, uint8 [P, P, 3].

    Controls beyond the limits are cut to them. ``info["state"]`` is the state itself. Episodes are truncated after
    `plant.horizon` steps, never terminated. `render` draws 400 x 400 pixels. ``metadata["observed"]`` names the numbers
    that are observed.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 as Gymnasium has it

    def __init__(self, plant: Plant, pixels: int | None = None, render_mode: str | None = "rgb_array"):
        self.plant, self.pixels, self.render_mode = plant, pixels, render_mode
        self.metadata = {**type(self).metadata, "render_fps": round(1 / plant.step)}
        if pixels is None:
            self.metadata["observed"] = plant.names
        self.observation_space, self.action_space = spaces_of(plant, pixels)
        self._state = np.zeros(len(plant.bounds))
        self._errors: Floats | None = None
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As the plant starts; ``options={"state": ...}`` starts from a state of one's own."""
        super().reset(seed=seed)
        self._steps = 0
        self._state, self._errors = self.plant.start(self.np_random), self.plant.errors(self.np_random)
        if options and "state" in options:
            self._state = np.array(options["state"], np.float64).reshape(self._state.shape)
        return self._observed(), {"state": self._state.copy()}

    def step(self, action: Floats) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Hold the control for `plant.step` seconds; the reward is for the state then reached."""
        if self._steps >= self.plant.horizon:
            raise ResetNeeded("the episode is over: call reset()")
        control = np.asarray(action, np.float64).reshape(self.action_space.shape)
        self._state, reward = step_rows(self.plant, self._state, control)
        self._steps += 1
        return self._observed(), float(reward), False, self._steps >= self.plant.horizon, {"state": self._state.copy()}

    def render(self) -> Pictures | None:
        """uint8 [400, 400, 3] of the state."""
        return pictures(self.plant, self._state[None])[0] if self.render_mode == "rgb_array" else None

    def _observed(self) -> Any:
        if self.pixels is not None:
            return pictures(self.plant, self._state[None], self.pixels)[0]
        return self._state.copy() if self._errors is None else self._state + self._errors[self._steps]


def spaces_of(plant: Plant, pixels: int | None) -> tuple[Any, Any]:
    """What is observed of a plant, and what controls it."""
    bounds, limits = np.array(plant.bounds), np.array(plant.limits)
    seen = Box(-bounds, bounds, dtype=np.float64) if pixels is None else Box(0, 255, (pixels, pixels, 3), np.uint8)
    return seen, Box(-limits, limits, dtype=np.float64)


def plant_task(name: str, plant: Plant, pixels: int | None = None) -> Task:
    """The task that `plant` sets. Returns lie in 0..horizon, and are normalised by that."""
    observation_space, action_space = spaces_of(plant, pixels)
    return Task(
        name=name,
        observation_space=observation_space,
        action_space=action_space,
        horizon=plant.horizon,
        reward_range=(0.0, 1.0),
        build=partial(PlantEnv, plant, pixels),
        scale=(0.0, float(plant.horizon)),
        build_many=partial(_many, plant, pixels),
        rules=plant,
    )


def _many(plant: Plant, pixels: int | None, n: int, mode: str) -> "VectorEnv[Any, Any, Any]":
    from sakiyomi.envs.plant_batch import PlantBatch

    return PlantBatch(plant, n, pixels, mode)
