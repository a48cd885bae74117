"""The tasks ``pets/cartpole``, ``pets/reacher``, ``pets/pusher``, ``pets/halfcheetah`` as Gymnasium environments.

Chua et al., "Deep reinforcement learning in a handful of trials using probabilistic dynamics models", NeurIPS 2018,
section 6, and the published program, whose observations, starts and lengths these are. Imported when one is made:
MuJoCo is an optional package.
"""

from functools import cache
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box
from numpy.typing import NDArray

from sakiyomi.envs import pets_models
from sakiyomi.envs.display import NO_OPENGL, without_display
from sakiyomi.envs.pets_rewards import REWARDS
from sakiyomi.envs.task import Task

without_display()  # MuJoCo asks how to draw when it is imported

import mujoco  # noqa: E402

Floats = NDArray[np.float64]
PICTURE = (360, 480)
"""Rows and columns of what `render` draws."""


class PetsEnv(gymnasium.Env[Any, Floats]):
    """One of the four; observations are float64 [O] and `REWARDS` tells the reward of an action that led to one.

    Actions beyond the limits are cut to them; one that is not finite raises ValueError. Episodes are truncated after
    `horizon` actions, never terminated. ``env.data`` is MuJoCo's own state.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}  # noqa: RUF012 - Gymnasium's own form
    name: ClassVar[str]
    horizon: ClassVar[int]
    frames: ClassVar[int]
    """Steps of the simulator in one of ours."""
    observed: ClassVar[int]
    """Numbers in an observation, O."""
    view: ClassVar[dict[str, Any]]
    """Where the camera of `render` stands."""
    rewards: ClassVar[tuple[float, float]] = (-np.inf, np.inf)

    def __init__(self, model: Any, render_mode: str | None = "rgb_array"):
        self.model, self.data, self.render_mode = model, mujoco.MjData(model), render_mode
        self.seconds = float(model.opt.timestep) * self.frames
        self.metadata = {**type(self).metadata, "render_fps": round(1 / self.seconds)}
        self._low, self._high = model.actuator_ctrlrange.T.astype(np.float64)
        self.action_space = Box(self._low, self._high, dtype=np.float64)
        self.observation_space = Box(-np.inf, np.inf, (self.observed,), np.float64)
        self._steps = self.horizon  # none is to be made before the first reset
        self._before = self.data.qpos.copy()
        self._seen: Floats = np.zeros(self.observed)
        self._drawing: Any = None

    def start(self) -> None:
        """Draw the beginning of an episode, with `np_random`, into `data`."""
        raise NotImplementedError

    def observe(self) -> Floats:
        """[O] what `data` shows; `self._before` holds the positions of a step ago."""
        raise NotImplementedError

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        self.start()
        mujoco.mj_forward(self.model, self.data)
        self._steps, self._before = 0, self.data.qpos.copy()
        self._seen = self.observe()
        return self._seen.copy(), {}

    def step(self, action: Floats) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Hold the action for `frames` steps of the simulator."""
        if self._steps >= self.horizon:
            raise ResetNeeded("the episode is over, or has not begun: call reset()")
        action = np.asarray(action, np.float64).reshape(self._low.shape)
        if not np.isfinite(action).all():
            raise ValueError(f"{self.name}: an action must be of finite numbers, got {action.tolist()}")
        action = np.clip(action, self._low, self._high)
        self._before = self.data.qpos.copy()
        self.data.ctrl[:] = action
        mujoco.mj_step(self.model, self.data, self.frames)
        mujoco.mj_kinematics(self.model, self.data)  # a step leaves places where the positions were before it
        mujoco.mj_comPos(self.model, self.data)
        seen, self._seen = self._seen, self.observe()
        self._steps += 1
        reward = float(REWARDS[self.name](seen, action, self._seen))
        return self._seen.copy(), reward, False, self._steps >= self.horizon, {}

    def render(self) -> NDArray[np.uint8] | None:
        """A picture of 360 rows and 480 columns. Raises ValueError where nothing draws."""
        if self.render_mode != "rgb_array":
            return None
        if obstacle := _obstacle():
            raise ValueError(f"{NO_OPENGL} ({obstacle})")
        if self._drawing is None:
            self._drawing = mujoco.Renderer(self.model, *PICTURE)
        self._drawing.update_scene(self.data, self._camera())
        return np.array(self._drawing.render())

    def _camera(self) -> Any:
        camera = mujoco.MjvCamera()
        for name, value in self.view.items():
            setattr(camera, name, value)
        return camera

    def close(self) -> None:
        """Free what drawing took."""
        if self._drawing is not None:
            self._drawing.close()
            self._drawing = None


@cache
def _obstacle() -> str:
    """What keeps MuJoCo from drawing in this process, "" if nothing does. Asked once: a second failure would end it."""
    try:
        mujoco.Renderer(mujoco.MjModel.from_xml_string("<mujoco/>"), 8, 8).close()
    except (ImportError, AttributeError, RuntimeError, mujoco.FatalError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


class CartPole(PetsEnv):
    """Swing a pole up from hanging; observed are x, angle, and their changes."""

    name, horizon, frames, observed = "pets/cartpole", 200, 2, 4
    view: ClassVar = {"lookat": (0.0, 0.0, 0.0), "distance": 5.6, "azimuth": 90.0, "elevation": -10.0}
    rewards = (-0.09, 1.0)

    def __init__(self, render_mode: str | None = "rgb_array"):
        super().__init__(pets_models.cartpole(), render_mode)

    def start(self) -> None:
        """Everything normal with a deviation of 0.1."""
        self.data.qpos[:] = self.np_random.normal(0.0, 0.1, 2)
        self.data.qvel[:] = self.np_random.normal(0.0, 0.1, 2)

    def observe(self) -> Floats:
        """Positions and velocities."""
        return np.concatenate([self.data.qpos, self.data.qvel])


class HalfCheetah(PetsEnv):
    """Run; observed are the forward speed of the step, all positions but the first, and all velocities."""

    name, horizon, frames, observed = "pets/halfcheetah", 1000, 5, 18
    view: ClassVar = {"distance": 4.0, "azimuth": 90.0, "elevation": -15.0}

    def __init__(self, render_mode: str | None = "rgb_array"):
        super().__init__(pets_models.half_cheetah(), render_mode)

    def start(self) -> None:
        """Standing, off by a deviation of 0.001."""
        self.data.qpos[:] = self.model.qpos0 + self.np_random.normal(0.0, 0.001, 9)
        self.data.qvel[:] = self.np_random.normal(0.0, 0.001, 9)

    def observe(self) -> Floats:
        """The speed is the way of the last step by its time."""
        speed = (self.data.qpos[:1] - self._before[:1]) / self.seconds
        return np.concatenate([speed, self.data.qpos[1:], self.data.qvel])

    def _camera(self) -> Any:
        camera = super()._camera()
        camera.lookat[:] = self.data.subtree_com[1]
        return camera


class Reacher(PetsEnv):
    """Bring the hand of an arm of seven joints to a goal; observed are its angles, the goal, and its changes."""

    name, horizon, frames, observed = "pets/reacher", 150, 2, 17
    view: ClassVar = {"lookat": (0.3, 0.0, 0.0), "distance": 2.2, "azimuth": 160.0, "elevation": -30.0}
    rewards = (-np.inf, 0.0)
    centre: ClassVar = (0.0, 0.25, 0.0)
    """Metres: where the goal is on average; it is off by a deviation of 0.1 along each axis."""

    def __init__(self, render_mode: str | None = "rgb_array"):
        super().__init__(pets_models.reacher(), render_mode)

    def start(self) -> None:
        """At rest and stretched out; the goal is drawn."""
        self.data.mocap_pos[0] = self.np_random.normal(self.centre, 0.1)

    def observe(self) -> Floats:
        """Seven angles, the goal's x, y, z, seven velocities."""
        return np.concatenate([self.data.qpos, self.data.mocap_pos[0], self.data.qvel])


class Pusher(PetsEnv):
    """Push an object to a goal; observed are angles and their changes, and the places of the tip and of the object."""

    name, horizon, frames, observed = "pets/pusher", 150, 4, 20
    view: ClassVar = {"lookat": (0.3, -0.2, -0.3), "distance": 2.2, "azimuth": 160.0, "elevation": -40.0}
    rewards = (-np.inf, 0.0)
    offset: ClassVar = (-0.25, 0.15)
    """Metres along y and x from the goal to where the object begins, on average: each with a deviation of 0.025."""

    def __init__(self, render_mode: str | None = "rgb_array"):
        super().__init__(pets_models.pusher(), render_mode)
        self._tip, self._object = (self.model.body(name).id for name in ("tips_arm", "object"))

    def start(self) -> None:
        """Stretched out and nearly at rest; the object is put somewhere."""
        self.data.qpos[7:9] = self.np_random.normal(self.offset, 0.025)
        self.data.qvel[:7] = self.np_random.uniform(-0.005, 0.005, 7)

    def observe(self) -> Floats:
        """Places are centres of mass: the tip is midway between the two fingers."""
        places = self.data.subtree_com[[self._tip, self._object]].ravel()
        return np.concatenate([self.data.qpos[:7], self.data.qvel[:7], places])


ENVS: dict[str, type[CartPole | HalfCheetah | Reacher | Pusher]] = {
    env.name: env for env in (CartPole, Reacher, Pusher, HalfCheetah)
}
"""By the names of the tasks."""


def pets_task(name: str) -> Task:
    """The task of that name. Raises ValueError if there is none."""
    if name not in ENVS:
        raise ValueError(f"unknown task {name!r}; there are: {', '.join(ENVS)}")
    env = ENVS[name]()
    return Task(
        name=name,
        observation_space=env.observation_space,
        action_space=env.action_space,
        horizon=env.horizon,
        reward_range=env.rewards,
        build=ENVS[name],
    )
