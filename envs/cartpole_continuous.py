"""``cartpole-continuous``: Gymnasium's cart-pole, pushed as strongly as one likes; a first task for model-based agents.

The task of the library mbrl-lib's lessons on PETS (Pineda et al., "MBRL-Lib", 2021): 10 newtons times an action in
[-1, 1], 200 steps, the episode terminated where the pole falls or the cart leaves its track.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box
from numpy.typing import NDArray

from sakiyomi.envs.pets_rewards import balance_reward, standing
from sakiyomi.envs.task import Task

FORCE = 10.0
"""Newtons of the action 1."""
HORIZON = 200


class ContinuousCartPole(gymnasium.Env[NDArray[Any], NDArray[Any]]):
    """Observed are x, its change, the pole's angle from upright and its change, float32 [4]; 1 for each step it stands.

    Actions beyond [-1, 1] are cut to that; one that is not finite raises ValueError.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, render_mode: str | None = "rgb_array"):
        self.render_mode = render_mode
        self._cart: Any = CartPoleEnv(render_mode=render_mode)
        self.observation_space = self._cart.observation_space
        self.action_space = Box(-1.0, 1.0, (1,), np.float32)
        self._seen: NDArray[Any] = np.zeros(4, np.float32)
        self._steps = HORIZON

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Nearly upright, each number within 0.05 of 0."""
        super().reset(seed=seed)
        self._cart.np_random = self.np_random
        self._seen, self._steps = self._cart.reset()[0], 0
        return self._seen.copy(), {}

    def step(self, action: NDArray[Any]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Push for 0.02 s."""
        if self._steps >= HORIZON:
            raise ResetNeeded("the episode is over, or has not begun: call reset()")
        push = np.asarray(action, np.float64).reshape(1)
        if not np.isfinite(push).all():
            raise ValueError(f"cartpole-continuous: an action must be a finite number, got {push.tolist()}")
        self._cart.force_mag = FORCE * float(np.clip(push[0], -1.0, 1.0))
        seen, self._seen = self._seen, self._cart.step(1)[0]  # 1 is to the right, with that force
        fallen = not standing(self._seen)
        self._steps = HORIZON if fallen else self._steps + 1
        reward = float(balance_reward(seen, push, self._seen))
        return self._seen.copy(), reward, fallen, not fallen and self._steps >= HORIZON, {}

    def render(self) -> Any:
        """Gymnasium's picture, uint8 [400, 600, 3]."""
        return self._cart.render() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Close Gymnasium's picture."""
        self._cart.close()


def continuous_cartpole_task(name: str) -> Task:
    """The task; 200, the pole standing throughout, normalises to 1."""
    env = ContinuousCartPole()
    return Task(
        name=name,
        observation_space=env.observation_space,
        action_space=env.action_space,
        horizon=HORIZON,
        reward_range=(0.0, 1.0),
        build=ContinuousCartPole,
        scale=(0.0, float(HORIZON)),
    )
