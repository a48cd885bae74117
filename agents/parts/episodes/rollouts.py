"""Episodes of control as they were played: what agents that learn a model of the dynamics learn from.

::

    step          t        0        1             T-1        T
    observations           o_0      o_1           o_{T-1}    o_T
    actions                a_0      a_1           a_{T-1}           a_t leads from o_t to o_{t+1}
    rewards                r_0      r_1           r_{T-1}           r_t is that of arriving at o_{t+1}
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Turn
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, save_tensors
from sakiyomi.envs.task import Task

if TYPE_CHECKING:
    from gymnasium import Env

Floats = NDArray[np.float64]
Choose = Callable[[Turn], NDArray[Any]]
"""The action for a turn of one episode: a vector [1, U], or the number of a choice [1]."""


@dataclass(frozen=True, eq=False)
class Rollout:
    """One episode of T steps: `observations` [T + 1, O], `actions` [T, U] or, of choices, [T], and `rewards` [T].

    `terminated` is True where the task itself ended it, rather than a time limit. Raises ValueError for arrays that do
    not fit, and for numbers that are none, with the place.
    """

    observations: Floats
    actions: NDArray[Any]
    rewards: Floats
    terminated: bool = False

    def __post_init__(self) -> None:
        steps = len(self.actions)
        if steps == 0:
            raise ValueError("an episode has one step at least, got none")
        for name, array, length, dimensions in (
            ("observations", self.observations, steps + 1, (2,)),
            ("actions", self.actions, steps, (1, 2)),
            ("rewards", self.rewards, steps, (1,)),
        ):
            if array.ndim not in dimensions or len(array) != length:
                raise ValueError(f"{name} of {steps} steps must be [{length}, ...], got shape {array.shape}")
            wrong = np.argwhere(~np.isfinite(array))
            if len(wrong):
                at = ", ".join(map(str, wrong[0]))
                raise ValueError(f"{name}[{at}] is {array[tuple(wrong[0])]}: an episode must be of finite numbers")

    def __len__(self) -> int:
        return len(self.actions)

    @property
    def score(self) -> float:
        """The return: the sum of the rewards."""
        return float(self.rewards.sum())

    def returns(self, discount: float) -> Floats:
        """[T + 1]: what was still to come of this episode, discounted by `discount` a step; 0 at its end."""
        still = [0.0]
        for reward in self.rewards[::-1].tolist():
            still.append(reward + discount * still[-1])
        return np.array(still[::-1])


class Transitions:
    """Rollouts one after the other, and their N steps together."""

    def __init__(self, rollouts: Sequence[Rollout] = ()):
        self.rollouts: list[Rollout] = []
        for rollout in rollouts:
            self.add(rollout)

    def add(self, rollout: Rollout) -> None:
        """Append an episode. Raises ValueError for one whose observations or actions are of other sizes."""
        if self.rollouts:
            first = self.rollouts[0]
            for name in ("observations", "actions"):
                have, got = (getattr(each, name).shape[1:] for each in (first, rollout))
                if have != got:
                    raise ValueError(f"{name} have the shape {have}, got an episode where it is {got}")
        self.rollouts.append(rollout)

    def __len__(self) -> int:
        return sum(map(len, self.rollouts))

    def __iter__(self) -> Iterator[Rollout]:
        return iter(self.rollouts)

    @property
    def observations(self) -> Floats:
        """[N, O] before each step."""
        return np.concatenate([each.observations[:-1] for each in self.rollouts])

    @property
    def next_observations(self) -> Floats:
        """[N, O] after each step."""
        return np.concatenate([each.observations[1:] for each in self.rollouts])

    @property
    def actions(self) -> NDArray[Any]:
        """[N, U], or [N] choices."""
        return np.concatenate([each.actions for each in self.rollouts])

    @property
    def rewards(self) -> Floats:
        """[N]."""
        return np.concatenate([each.rewards for each in self.rollouts])

    def save(self, path: Path) -> None:
        """Write all of it to `path`.safetensors."""
        import torch

        arrays: dict[str, NDArray[Any]] = {
            "lengths": np.array([len(each) for each in self.rollouts], np.int64),
            "terminated": np.array([each.terminated for each in self.rollouts], np.bool_),
        }
        if self.rollouts:
            arrays["observations"] = np.concatenate([each.observations for each in self.rollouts])
            arrays |= {"actions": self.actions, "rewards": self.rewards}
        save_tensors(path.with_name(f"{path.name}.safetensors"), {k: torch.from_numpy(v) for k, v in arrays.items()})

    def load(self, path: Path) -> None:
        """Hold what `save` wrote, and nothing else."""
        arrays = {k: v.numpy() for k, v in load_tensors(path.with_name(f"{path.name}.safetensors")).items()}
        self.rollouts = []
        step = row = 0
        for length, terminated in zip(arrays["lengths"], arrays["terminated"], strict=True):
            seen = arrays["observations"][row : row + length + 1]
            steps = slice(step, step + int(length))
            self.add(Rollout(seen, arrays["actions"][steps], arrays["rewards"][steps], bool(terminated)))
            step, row = step + int(length), row + int(length) + 1


class Acting(Protocol):
    """What is asked of an agent in an episode."""

    def initial(self, batch: int, seed: int = 0) -> Any: ...  # noqa: D102
    def act(self, carry: Any, turn: Turn, explore: bool) -> tuple[NDArray[Any], Any]: ...  # noqa: D102


def by_agent(agent: Acting, seed: int, explore: bool) -> Choose:
    """The actions of `agent` in one episode from its start; its carry is kept from step to step."""
    carry = agent.initial(1, seed)

    def choose(turn: Turn) -> NDArray[Any]:
        nonlocal carry
        actions, carry = agent.act(carry, turn, explore)
        return actions

    return choose


def at_random(task: Task, seed: int) -> Choose:
    """Actions drawn evenly from the box of those allowed. Raises ValueError for a task whose actions are no box."""
    low, high = box_of(task)
    rng = np.random.default_rng(seed)
    return lambda turn: rng.uniform(low, high)[None]


def play(
    env: "Env[Any, Any]", choose: Choose, seed: int, over: Callable[[Floats], bool] = lambda observation: False
) -> Rollout:
    """One episode of `env`, whose chance comes from `seed`; it also ends once `over` says so of an observation [O].

    Raises ValueError for observations that are no vectors, and for numbers that are none.
    """
    first, _ = env.reset(seed=seed)
    seen, actions, rewards = [_vector(first)], list[NDArray[Any]](), list[float]()
    reward, terminated, truncated = 0.0, False, False
    while not (terminated or truncated):
        turn = Turn(seen[-1][None], np.array([not actions]), np.array([reward], np.float32))
        action = np.asarray(np.asarray(choose(turn))[0])
        following, step_reward, terminated, truncated, _ = env.step(action.astype(env.action_space.dtype))
        reward = float(step_reward)
        seen.append(_vector(following))
        actions.append(action if action.ndim == 0 else action.astype(np.float64))
        rewards.append(reward)
        truncated = truncated or over(seen[-1])
    return Rollout(np.stack(seen), np.stack(actions), np.array(rewards), terminated)


def box_of(task: Task) -> tuple[Floats, Floats]:
    """The least and the greatest action of `task`, [U] each, and certainty that it is one of vectors and controls.

    Raises ValueError for a task with discrete or unlimited actions, or whose observations are no vectors.
    """
    from gymnasium.spaces import Box

    space, seen = task.action_space, task.observation_space
    if not isinstance(space, Box) or len(space.shape) != 1:
        raise ValueError(f"{task.name} has actions {space}; wanted is a task with vectors of real numbers for actions")
    if not isinstance(seen, Box) or len(seen.shape) != 1:
        raise ValueError(f"{task.name} shows {seen}; wanted is a task that shows vectors of real numbers")
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    if not np.isfinite([low, high]).all():
        raise ValueError(f"{task.name} has actions without limits, {space}; a planner needs a least and a greatest one")
    return low, high


def figures_of(rollout: Rollout) -> Mapping[str, float]:
    """What a log says of an episode."""
    return {"return/trial": rollout.score, "trial/steps": float(len(rollout))}


def _vector(observation: Any) -> Floats:
    vector = np.array(observation, np.float64)
    if vector.ndim != 1:
        raise ValueError(f"observations must be vectors, got shape {vector.shape}")
    return vector
