"""DeepMind's control suite: ``dmc/cartpole-swingup`` from its state, ``dmc/cartpole-swingup@dreamer`` from pixels.

An episode is 1000 steps of the suite, in which the rewards, each in [0, 1], add up to 1000 at most; then it is cut off
(truncated). Names are ``dmc/DOMAIN-TASK``, optionally followed by @ and one of `PRESETS`.
"""

import difflib
import os
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from sakiyomi.envs.display import NO_OPENGL, without_display
from sakiyomi.envs.pixels import quantised
from sakiyomi.envs.task import Task

_LAST = 2  # dm_env.StepType.LAST
STEPS = 1000
"""Steps of an episode, except in the domain "lqr", whose episodes go on until it is solved."""

PLANET_REPEATS = {
    "cartpole-balance": 8,
    "cartpole-swingup": 8,
    "reacher-easy": 4,
    "cheetah-run": 4,
    "finger-spin": 2,
    "ball_in_cup-catch": 4,
    "walker-walk": 2,
}
"""How often PlaNet repeats an action (Hafner et al., "Learning latent dynamics for planning from pixels", ICML 2019,
section 5 and appendix; cartpole-balance from its program, which takes 6 for ball_in_cup-catch)."""


@dataclass(frozen=True, kw_only=True)
class ControlPreset:
    """What a task of the suite is for an agent: how often an action is repeated (0: as `PLANET_REPEATS` says), and the
    state, or a picture of `size` rows and columns with `bits` of colour depth.
    """

    repeat: int = 1
    size: tuple[int, int] | None = None
    bits: int = 8


PRESETS: dict[str, ControlPreset] = {
    "": ControlPreset(),
    "pixels": ControlPreset(size=(64, 64)),
    "planet": ControlPreset(repeat=0, size=(64, 64), bits=5),
    "dreamer": ControlPreset(repeat=2, size=(64, 64)),
    "proprio": ControlPreset(repeat=2),
}
"""By the name after the @: "planet" for PlaNet (2019); "dreamer" for Dreamer (Hafner et al., ICLR 2020, section 6: an
action repeat of 2 in every task) and DreamerV2, which learns from the state as in "proprio" too."""


def control_task(name: str) -> Task:
    """The task ``dmc/DOMAIN-TASK@PRESET``. Raises ValueError if there is none or its packages do not fit together."""
    task, _, preset_name = name.removeprefix("dmc/").partition("@")
    if preset_name not in PRESETS:
        known = ", ".join(filter(None, PRESETS))
        raise ValueError(f"unknown preset {preset_name!r} of the control suite; there are: {known}")
    preset = PRESETS[preset_name]
    repeat = preset.repeat or _planet_repeat(task)
    build = partial(ControlEnv, task, repeat=repeat, size=preset.size, bits=preset.bits)
    env = build()
    env.close()
    endless = task.startswith("lqr-")
    return Task(
        name=name,
        observation_space=env.observation_space,
        action_space=env.action_space,
        horizon=None if endless else -(-STEPS // repeat),
        reward_range=(-float("inf"), float("inf")) if endless else (0.0, float(repeat)),
        build=build,
        scale=None if endless else (0.0, float(STEPS)),
    )


def _planet_repeat(task: str) -> int:
    if task not in PLANET_REPEATS:
        raise ValueError(f"PlaNet has no action repeat for {task!r}; it has: {', '.join(PLANET_REPEATS)}")
    return PLANET_REPEATS[task]


class ControlEnv(gymnasium.Env[NDArray[Any], NDArray[Any]]):
    """`task` is as in "cartpole-swingup"; every action is repeated `repeat` times and the rewards are added.

    Observations are the suite's numbers one after the other, float32 [n], or with `size` a picture uint8
    [rows, columns, 3] with `bits` of colour depth. ``info`` has "discount", 0 where the suite ends an episode for good,
    and "frames", the suite's steps in this one. ``env.render()`` draws 240 rows of 320 pixels.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012 - Gymnasium's own form

    def __init__(
        self,
        task: str,
        *,
        repeat: int = 1,
        size: tuple[int, int] | None = None,
        bits: int = 8,
        render_mode: str | None = "rgb_array",
    ):
        self.repeat, self.size, self.bits, self.render_mode = repeat, size, bits, render_mode
        self._random = np.random.RandomState(0)  # the suite's own; a task that draws its model draws the same always
        self._env = _load(task, self._random)
        self._follows = 2 if task.startswith("quadruped-") else 0  # the camera that moves along
        self._cameras: dict[tuple[int, int], Any] = {}
        self._seeded = False
        spec = self._env.action_spec()
        low, high = np.broadcast_arrays(spec.minimum, spec.maximum, np.empty(spec.shape))[:2]
        self.action_space = Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
        if size is None:
            count = sum(int(np.prod(part.shape)) for part in self._env.observation_spec().values())
            self.observation_space = Box(-np.inf, np.inf, (count,), np.float32)
        else:
            self.observation_space = Box(0, 255, (*size, 3), np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        if seed is not None or not self._seeded:
            self._random.seed(int(self.np_random.integers(1 << 32)))
            self._seeded = True
        return self._observed(self._env.reset()), {"discount": 1.0, "frames": 0}

    def step(self, action: NDArray[Any]) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Hold `action` for `repeat` steps of the suite, or until the episode ends."""
        step, reward, frames, over = self._env.step, 0.0, 0, False
        while frames < self.repeat and not over:
            moment = step(action)
            reward += moment.reward
            over = moment.step_type == _LAST
            frames += 1
        discount = float(moment.discount)
        info = {"discount": discount, "frames": frames}
        return self._observed(moment), float(reward), over and discount == 0.0, over and discount > 0.0, info

    def _observed(self, moment: Any) -> NDArray[Any]:
        if self.size is None:
            numbers = [np.ravel(part) for part in moment.observation.values()]
            return np.concatenate(numbers, dtype=np.float32, casting="unsafe")
        picture = self._draw(*self.size)
        return picture if self.bits == 8 else quantised(picture, self.bits)

    def _draw(self, rows: int, columns: int) -> NDArray[np.uint8]:
        from dm_control.mujoco import Camera
        from mujoco import FatalError

        try:
            if (rows, columns) not in self._cameras:  # a camera costs a tenth of a picture to make
                camera = Camera(self._env.physics, rows, columns, camera_id=self._follows)
                self._cameras[rows, columns] = camera
            picture = self._cameras[rows, columns].render()
        except (ImportError, AttributeError, RuntimeError, FatalError) as error:
            raise ValueError(f"{NO_OPENGL} ({' '.join(str(error).split()) or type(error).__name__})") from error
        return np.array(picture)  # it is drawn upside down in memory of the camera's own

    def render(self) -> NDArray[np.uint8] | None:
        """A picture of the task."""
        return self._draw(240, 320) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Free the suite's memory and its window."""
        self._cameras.clear()
        self._env.close()


def _load(task: str, random: np.random.RandomState) -> Any:
    """The suite's environment. Raises ValueError if there is none, or if MuJoCo does not fit dm_control."""
    suite = _suite()
    names = [f"{domain}-{task}" for domain, task in suite.ALL_TASKS]
    if task not in names:
        near = difflib.get_close_matches(task, names, 1)
        hint = f"did you mean 'dmc/{near[0]}'?" if near else "they are called as in 'dmc/cartpole-swingup'"
        raise ValueError(f"unknown task 'dmc/{task}'; {hint}")
    domain, _, kind = task.partition("-")
    try:
        return suite.load(domain, kind, task_kwargs={"random": random})
    except AttributeError as error:
        raise ValueError(f"{_misfit()} ({error})") from error


def _suite() -> Any:
    without_display()
    try:
        from dm_control import suite
    except ModuleNotFoundError as error:
        raise ValueError(f"{_misfit()} ({error})") from error
    except (ImportError, AttributeError, RuntimeError):  # OpenGL does not begin; tasks from their state need none
        os.environ["MUJOCO_GL"] = "disabled"
        from dm_control import suite
    return suite


def _misfit() -> str:
    return (
        f"dm_control {version('dm_control')} does not work with mujoco {version('mujoco')}:"
        ' pip install "sakiyomi[control]", which brings mujoco==3.17.0'
    )
