"""Acting to learn: an agent in several episodes of a task at once, and what comes of them.

::

    collector = Collector(task, controls, seed, n=4)
    collected = collector.collect(agent, decisions=400)         # or `AtRandom(controls)` of random_actions.py
    for episode in collected.episodes:                          # that ended in the meantime
        replay.add(episode)
    counters.environment_steps += collected.frames

A step of the environment is one of the simulator: where a task repeats an action, it says in ``info["frames"]`` how
often it did. Where it counts points that its rewards are made of, as Atari games do, it says in ``info["points"]`` how
many a step has won. The agent's carry goes on from call to call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.agent import Turn
from sakiyomi.agents.parts.episodes.carries import carry_tensors, restored_carry
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.sequences import Episode
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, read_json, save_tensors, write_json
from sakiyomi.envs.task import Task
from sakiyomi.envs.vector_tasks import make_vector

ACTIONS = "actions."  # begins the names of the running episodes' actions beside a carry's tensors


class Acting(Protocol):
    """What is asked of an agent to act."""

    def initial(self, batch: int, seed: int = 0) -> Any: ...  # noqa: D102
    def act(self, carry: Any, turn: Turn, explore: bool) -> tuple[NDArray[Any], Any]: ...  # noqa: D102


@dataclass
class Collected:
    """What came of acting: episodes that ended, decisions of the agent and steps of the simulator, of all rows."""

    episodes: list[Episode] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)  # of the episodes
    decisions: int = 0
    frames: int = 0


@dataclass
class _Running:
    """One row's episode as far as it has come."""

    number: int
    observations: list[NDArray[Any]]
    actions: list[NDArray[Any]] = field(default_factory=list)  # as the task takes them
    rewards: list[float] = field(default_factory=list)
    points: float | None = None  # so far, where the task counts them


class Collector:
    """`n` episodes of `task` at a time, each followed by the next; `workers` are as in `make_vector`.

    Everything by chance in an episode comes from `seed` and the episode's number. As a part of a `TrainingRun` it goes
    on in the midst of episodes as it would have: what was done in them is done again.
    """

    def __init__(self, task: Task, controls: Controls, seed: int, n: int = 1, workers: int = 0):
        self.task, self.controls, self.seed, self.n = task, controls, seed, n
        self._envs = make_vector(task if workers == 0 else task.name, n, workers, mode="disabled")
        self._kind = np.uint8 if task.observation_space.dtype == np.uint8 else np.float32
        self._running: list[_Running] = []
        self._next = 0  # number of the next episode
        self._seen: NDArray[Any] = np.zeros(0)  # what is observed now
        self._turn: Turn | None = None
        self._carry: Any = None
        self._acting = ""  # whose carry it is
        self._stored: Mapping[str, Tensor] | None = None  # a carry that was loaded, until its agent comes

    def collect(
        self, acting: Acting, *, episodes: int | None = None, decisions: int | None = None, explore: bool = True
    ) -> Collected:
        """Go on until so many episodes have ended or so many decisions were made, whatever is given.

        Raises ValueError for numbers that are not finite.
        """
        collected = Collected()
        while len(collected.episodes) < (episodes or np.inf) and collected.decisions < (decisions or np.inf):
            self._step(acting, explore, collected)
        return collected

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()

    def save(self, path: Path) -> None:
        """Write where it is: `path`.json and `path`.safetensors."""
        tensors = dict(self._stored or {}) if self._carry is None else carry_tensors(self._carry)
        for row, running in enumerate(self._running):
            if running.actions:
                tensors[f"{ACTIONS}{row}"] = torch.from_numpy(np.stack(running.actions))
        about = {"acting": self._acting, "next": self._next, "numbers": [each.number for each in self._running]}
        save_tensors(path.with_name(f"{path.name}.safetensors"), tensors)
        write_json(path.with_name(f"{path.name}.json"), about)

    def load(self, path: Path) -> None:
        """Go on where `save` was called. Raises ValueError if episodes do not repeat themselves."""
        about = read_json(path.with_name(f"{path.name}.json"))
        tensors = load_tensors(path.with_name(f"{path.name}.safetensors"))
        numbers = [int(number) for number in about["numbers"]]
        if len(numbers) not in (0, self.n):
            raise ValueError(f"{self.n} episodes at a time are wanted, {path.name}.json has {len(numbers)}")
        done = [tensors.pop(f"{ACTIONS}{row}", torch.zeros(0)).numpy() for row in range(len(numbers))]
        self._acting, self._next = about["acting"], int(about["next"])
        self._carry, self._stored = None, tensors
        if numbers:
            self._repeat(numbers, done)

    def _step(self, acting: Acting, explore: bool, collected: Collected) -> None:
        """One decision in each row."""
        if self._turn is None:
            self._running = [_Running(0, []) for _ in range(self.n)]
            self._begin(np.ones(self.n, np.bool_))
        actions, self._carry = acting.act(self._carry_of(acting), self._now, explore)
        rewards, terminated, ended, frames = self._play(actions)
        collected.decisions += self.n
        collected.frames += frames
        for row in np.flatnonzero(ended):
            running = self._running[row]
            episode = Episode.of(
                np.stack(running.observations),
                self.controls.encoded(np.stack(running.actions)),
                np.array(running.rewards),
                bool(terminated[row]),
                running.points,
            )
            collected.episodes.append(episode)
            collected.rows.append(int(row))
        self._begin(ended, rewards)

    @property
    def _now(self) -> Turn:
        assert self._turn is not None
        return self._turn

    def _carry_of(self, acting: Acting) -> Any:
        name = type(acting).__name__
        if self._carry is None and self._stored and self._acting == name:
            self._carry = restored_carry(acting.initial(self.n), self._stored)
        elif self._carry is None or self._acting != name:
            self._carry = acting.initial(self.n, self._seed_of(self._next, "agent"))
        self._acting, self._stored = name, None
        return self._carry

    def _seed_of(self, number: int, whose: str = "episode") -> int:
        return int(np.random.default_rng([self.seed, number, whose == "agent"]).integers(1 << 31))

    def _play(self, actions: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], int]:
        """Step all rows: rewards, where an episode was terminated, where it ended, and frames."""
        given = np.asarray(actions).astype(self._envs.single_action_space.dtype)
        observations, rewards, terminated, truncated, infos = self._envs.step(given)
        won = infos.get("points")
        for row, running in enumerate(self._running):
            running.observations.append(np.array(observations[row], self._kind))
            running.actions.append(given[row])
            running.rewards.append(float(rewards[row]))
            running.points = None if won is None else (running.points or 0.0) + float(won[row])
        self._seen = observations
        return rewards, terminated, terminated | truncated, int(np.sum(infos.get("frames", self.n)))

    def _begin(self, rows: NDArray[np.bool_], rewards: NDArray[Any] | None = None) -> None:
        """New episodes in `rows`, and the turn that all rows present."""
        for row in np.flatnonzero(rows):
            self._running[row] = _Running(self._next, [])
            self._next += 1
        if rows.any():
            self._reset(rows)
        got = np.zeros(self.n, np.float32) if rewards is None else np.where(rows, 0, rewards).astype(np.float32)
        self._turn = Turn(self._seen, rows.copy(), got)

    def _reset(self, rows: NDArray[np.bool_]) -> None:
        seeds = [self._seed_of(each.number) for each in self._running]
        options = {"reset_mask": rows.copy()}
        self._seen, _ = self._envs.reset(seed=seeds, options=options)  # type: ignore[arg-type]
        for row in np.flatnonzero(rows):
            self._running[row].observations = [np.array(self._seen[row], self._kind)]
            self._running[row].actions, self._running[row].rewards, self._running[row].points = [], [], None

    def _repeat(self, numbers: list[int], done: list[NDArray[Any]]) -> None:
        """Play the actions `done` in the episodes of these numbers, so that all come to where they were together."""
        self._running = [_Running(number, []) for number in numbers]
        lengths = np.array([len(actions) for actions in done])
        waits = lengths.max() - lengths  # a row idles till its time has come to begin
        idle = self.controls.decoded(np.zeros((1, self.controls.size)))[0]
        self._reset(np.ones(self.n, np.bool_))
        rewards, ended = np.zeros(self.n), np.zeros(self.n, np.bool_)
        for t in range(int(lengths.max())):
            if t and (waits == t).any() | ended.any():
                self._reset((waits == t) | ended)
            actions = [done[row][t - waits[row]] if t >= waits[row] else idle for row in range(self.n)]
            rewards, _, ended, _ = self._play(np.stack(actions))
            if (ended & (waits <= t)).any():
                raise ValueError(f"{self.task.name} does not repeat itself: an episode ended sooner than it had")
        if lengths.max() and (waits == lengths.max()).any():
            self._reset(waits == lengths.max())
        self._turn = Turn(self._seen, lengths == 0, np.where(lengths == 0, 0, rewards).astype(np.float32))


def evaluated(task: Task, controls: Controls, acting: Acting, episodes: int, seed: int) -> list[Episode]:
    """So many episodes of an agent that acts as well as it can, in order, all played at once."""
    collector = Collector(task, controls, seed, n=episodes)
    first: dict[int, Episode] = {}
    try:
        while len(first) < episodes:
            collected = collector.collect(acting, decisions=episodes, explore=False)
            for row, episode in zip(collected.rows, collected.episodes, strict=True):
                first.setdefault(row, episode)
    finally:
        collector.close()
    return [first[row] for row in range(episodes)]
