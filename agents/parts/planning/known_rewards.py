"""Rewards that are known functions of what is observed, by task. PETS (Chua et al. 2018) plans by such.

They take tensors, observations [..., O], actions [..., U] and next observations [..., O], and give rewards [...]; the
leading dimensions broadcast. A test holds each to the rewards of its environment.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from sakiyomi.envs.dynamics import Plant
from sakiyomi.envs.pets_rewards import REWARDS as PETS_REWARDS
from sakiyomi.envs.task import Task
from sakiyomi.envs.torch_dynamics import torch_reward

Reward = Callable[[Tensor, Tensor, Tensor], Tensor]


def known_reward(task: Task) -> Reward | None:
    """The reward of `task`, None if it is not known, or not from what is observed.

    A plant of our own is rewarded for the state reached; where that is measured with noise, the true reward is that of
    the state without it.
    """
    if isinstance(task.rules, Plant):
        shows_state = task.observation_space.shape == (len(task.rules.bounds),)
        return partial(_of_plant, task.rules) if shows_state else None
    return REWARDS.get(task.name)


def _of_plant(plant: Plant, observations: Tensor, actions: Tensor, following: Tensor) -> Tensor:
    return torch_reward(plant, following)


def pendulum(observations: Tensor, actions: Tensor, following: Tensor) -> Tensor:
    """Of Gymnasium's Pendulum-v1, whose observation is cos, sin and speed: that before the step counts."""
    angle = torch.atan2(observations[..., 1], observations[..., 0])
    torque = actions[..., 0].clamp(-2, 2)
    return -(angle**2 + 0.1 * observations[..., 2] ** 2 + 0.001 * torque**2)


def mountain_car(observations: Tensor, actions: Tensor, following: Tensor) -> Tensor:
    """Of Gymnasium's MountainCarContinuous-v0: 100 for the goal, at 0.45 and not going back, less the work."""
    there = (following[..., 0] >= 0.45) & (following[..., 1] >= 0)
    return 100.0 * there - 0.1 * actions[..., 0] ** 2


def inverted_pendulum(observations: Tensor, actions: Tensor, following: Tensor) -> Tensor:
    """Of Gymnasium's InvertedPendulum-v5: 1 while the pole leans by 0.2 at the most; the step that ends it gives 0."""
    return (following[..., 1].abs() <= 0.2).to(following.dtype).expand(_shape(observations, actions, following))


REWARDS: dict[str, Reward] = {
    **PETS_REWARDS,
    "gym/Pendulum-v1": pendulum,
    "gym/MountainCarContinuous-v0": mountain_car,
    "gym/InvertedPendulum-v5": inverted_pendulum,
}


def _shape(*tensors: Tensor) -> torch.Size:
    return torch.broadcast_shapes(*(each.shape[:-1] for each in tensors))
