"""Many episodes of a plant at once, stepped by compiled code: `PlantBatch`, a vector environment of Gymnasium.

Row i with seed s plays bit for bit what a `PlantEnv` with the same seed plays, for each row has a generator of its own
and is integrated by itself.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from sakiyomi.envs.dynamics import Floats, Plant, step_rows
from sakiyomi.envs.plant_env import spaces_of
from sakiyomi.envs.plant_pictures import pictures

Bools = NDArray[np.bool_]
Info = dict[str, Any]


class PlantBatch(VectorEnv[Any, Floats, NDArray[Any]]):
    """`num_envs` episodes; see `plant_env.PlantEnv` for what is observed.

    `mode` is Gymnasium's `AutoresetMode`: "NextStep" (the step after an episode's last ignores the action, and begins
    the next one), "SameStep" (``info["final_obs"]`` has the last observations) or "Disabled"
    (``reset(options={"reset_mask": bool [n]})``). Arrays that are returned are never written to again.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        plant: Plant,
        num_envs: int = 1,
        pixels: int | None = None,
        mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = "rgb_array",
    ):
        self.plant, self.num_envs, self.pixels, self.render_mode = plant, num_envs, pixels, render_mode
        self.autoreset_mode = AutoresetMode(mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space, self.single_action_space = spaces_of(plant, pixels)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._states = np.zeros((num_envs, len(plant.bounds)))
        self._steps = np.zeros(num_envs, np.int64)
        self._ended = np.zeros(num_envs, np.bool_)
        size = (num_envs, plant.horizon + 1, len(plant.bounds)) if any(plant.noise) else (0,)
        self._errors, self._every = np.zeros(size), np.arange(num_envs)
        self._generators: list[np.random.Generator] = []

    @property
    def states(self) -> Floats:
        """[n, S], a copy of the true states."""
        return self._states.copy()

    def reset(self, *, seed: int | Sequence[int | None] | None = None, options: Info | None = None) -> tuple[Any, Info]:
        """Begin all episodes, or those of ``options["reset_mask"]``: row i with `seed` + i, or the i-th of a list.

        ``options["state"]``, [n, S] or [S], are states to begin in.
        """
        options = options or {}
        rows = np.array(options.get("reset_mask", np.ones(self.num_envs, np.bool_)), np.bool_)
        if rows.shape != (self.num_envs,) or not (self._generators or rows.all()):
            raise ValueError(f"reset_mask must be bool [{self.num_envs}], and the first reset is of all episodes")
        self._seed(seed, rows)
        self._begin(rows)
        if "state" in options:
            self._states[rows] = np.broadcast_to(options["state"], self._states.shape)[rows]
        return self._observe(), {"state": self.states, "_state": rows.copy()}

    def step(self, actions: Floats) -> tuple[Any, Floats, Bools, Bools, Info]:
        """Hold the controls [n, A] for `plant.step` seconds."""
        if not self._generators:
            raise ResetNeeded("call reset() before step()")
        beginning = self._ended.copy()
        if self.autoreset_mode is AutoresetMode.DISABLED and beginning.any():
            over = np.flatnonzero(beginning).tolist()
            raise ResetNeeded(f'episodes {over} are over: reset(options={{"reset_mask": ...}})')
        controls = np.asarray(actions, np.float64).reshape(self.action_space.shape)
        self._states, rewards = step_rows(self.plant, self._states, controls)
        self._steps += 1
        if beginning.any():
            self._begin(beginning)
            rewards[beginning] = 0.0
        self._ended = self._steps >= self.plant.horizon
        truncated = self._ended.copy()
        seen, info = self._observe(), {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and truncated.any():
            info = self._final(seen)
            self._begin(truncated)
            seen[truncated] = self._observe()[truncated]
        info |= {"state": self.states, "_state": np.ones(self.num_envs, np.bool_)}
        return seen, rewards, np.zeros(self.num_envs, np.bool_), truncated, info

    def render(self) -> tuple[Any, ...] | None:
        """A picture, uint8 [400, 400, 3], of each."""
        return tuple(pictures(self.plant, self._states)) if self.render_mode == "rgb_array" else None

    def _seed(self, seed: int | Sequence[int | None] | None, rows: Bools) -> None:
        if seed is None and self._generators:
            return
        if seed is None or isinstance(seed, int | np.integer):
            seeds: list[int | None] = [None if seed is None else int(seed) + i for i in range(self.num_envs)]
        else:
            seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.num_envs} episodes")
        if not self._generators:
            self._generators = [np_random(each)[0] for each in seeds]
            return
        for row in np.flatnonzero(rows):
            if seeds[row] is not None:
                self._generators[row] = np_random(seeds[row])[0]

    def _begin(self, rows: Bools) -> None:
        for row in np.flatnonzero(rows):
            self._states[row] = self.plant.start(self._generators[row])
            errors = self.plant.errors(self._generators[row])
            if errors is not None:
                self._errors[row] = errors
        self._steps[rows] = 0
        self._ended[rows] = False

    def _observe(self) -> Any:
        if self.pixels is not None:
            return pictures(self.plant, self._states, self.pixels)
        return self._states + self._errors[self._every, self._steps] if self._errors.size else self._states.copy()

    def _final(self, seen: Any) -> Info:
        """The last observations and states of episodes that have ended, in Gymnasium's form."""
        last = np.full(self.num_envs, None, object)
        for row in np.flatnonzero(self._ended):
            last[row] = seen[row].copy()
        ended, states = self._ended.copy(), np.where(self._ended[:, None], self._states, 0.0)
        return {
            "final_obs": last,
            "_final_obs": ended,
            "final_info": {"state": states, "_state": ended.copy()},
            "_final_info": ended.copy(),
        }
