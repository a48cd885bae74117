"""Many episodes of a task, each with a seed and an actor of its own, as many at a time as there are environments."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

Act = Callable[[Any, NDArray[np.int64], NDArray[np.bool_]], NDArray[Any]]
"""Observations [n, ...], the number of the episode in each row [n] and whether it begins there [n], to actions [n]."""


def tried(
    envs: "VectorEnv[Any, Any, Any]", seeds: Sequence[int], act: Act, limit: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The returns and the lengths of the episodes with `seeds` [J], each cut off after `limit` steps.

    `envs` is a vector of mode "disabled"; a row that is done begins the next episode at once. Rows that have none left
    idle on: what is asked for them is the action of an episode that is not counted.
    """
    episodes, n = len(seeds), envs.num_envs
    returns, lengths = np.zeros(episodes), np.zeros(episodes, np.int64)
    numbers, waiting, done = np.arange(n), n, 0
    totals, steps, begins = np.zeros(n), np.zeros(n, np.int64), np.ones(n, np.bool_)
    each = np.array(seeds)
    seen, _ = envs.reset(seed=each[numbers % episodes].tolist())
    while done < episodes:
        actions = act(seen, numbers % episodes, begins)
        seen, rewards, terminated, truncated, _ = envs.step(actions.astype(envs.single_action_space.dtype))
        totals += rewards
        steps += 1
        begins = terminated | truncated | (steps >= (limit or np.inf))
        for row in np.flatnonzero(begins):
            if numbers[row] < episodes:
                returns[numbers[row]], lengths[numbers[row]] = totals[row], steps[row]
                done += 1
            numbers[row], waiting = waiting, waiting + 1
            totals[row], steps[row] = 0.0, 0
        if begins.any():
            again = each[numbers % episodes].tolist()
            seen, _ = envs.reset(seed=again, options={"reset_mask": begins.copy()})
    return returns, lengths
