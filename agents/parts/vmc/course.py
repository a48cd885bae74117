"""The course in which World Models learn: pictures are collected, V learns, codes are made, M learns, C is evolved.

In further rounds (Ha and Schmidhuber, NeurIPS 2018, section 5) the controller that has come about collects, and all
that was learnt is learnt further.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from sakiyomi.agents.parts.episodes.collecting import Acting, Collector
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.random_actions import AtRandom, Brownian
from sakiyomi.agents.parts.episodes.sequences import SequenceReplay
from sakiyomi.agents.parts.runs.training_run import Part
from sakiyomi.agents.parts.vmc.evolution import Evolution
from sakiyomi.agents.parts.vmc.evolving import Champion, EvolutionPlan, Evolving, World, in_dream, in_task
from sakiyomi.agents.parts.vmc.exploring import RandomNetworks
from sakiyomi.agents.parts.vmc.learning import (
    CodeShelf,
    Encoding,
    Fit,
    Remembering,
    RNNPlan,
    Seeing,
    Stage,
    Told,
    VAEPlan,
)
from sakiyomi.agents.parts.vmc.vae import Codes
from sakiyomi.agents.parts.vmc.worlds import VMC
from sakiyomi.envs.task import Task
from sakiyomi.envs.vector_tasks import make_vector

if TYPE_CHECKING:
    from gymnasium import Env

LONGEST = 10_000
"""Steps of a dream of a task without a horizon."""
STAGES = ("collecting", "seeing", "encoding", "remembering", "evolving")


@dataclass(frozen=True, kw_only=True)
class CollectPlan:
    """What is collected to learn from; defaults: CarRacing's."""

    exploring: Literal["networks", "held", "brownian"] = "networks"  # how, in the first round
    held: int = 10  # steps that "held" holds an action at most
    brownian: float = 0.3  # deviation of a step of "brownian", actions being -1 to 1
    rollouts: int = 10_000  # episodes, in each round
    steps: int | None = None  # at which episodes are cut off, besides by the task
    least_steps: int = 0  # episodes of no more are left out
    envs: int = 8  # played at a time


@dataclass(eq=False)
class Collecting:
    """`acting` plays until `frames` has `rollouts` episodes; those of no more than `least` steps are left out."""

    collector: Collector
    frames: SequenceReplay
    acting: Acting
    rollouts: int
    least: int

    def advance(self, done: int) -> Told:
        """Some episodes, as many as are played at a time."""
        collected = self.collector.collect(self.acting, episodes=self.collector.n)
        long = [episode for episode in collected.episodes if len(episode) - 1 > self.least]
        for episode in long[: self.rollouts - self.frames.episodes]:
            self.frames.add(episode)
        figures = {
            "return/collected": float(np.mean([episode.score for episode in collected.episodes])),
            "collected/steps": float(np.mean([len(episode) - 1 for episode in collected.episodes])),
            "collected/episodes": float(self.frames.episodes),
        }
        return Told(figures, self.frames.episodes >= self.rollouts, environment_steps=collected.frames)


class Course:
    """What a run learns, `parts`, and how far it is, `memory`: round, stage, steps done in it, and the champion.

    `make` makes V, M and C of a seed. Everything by chance comes from `seed` and the place in the course. Raises
    ValueError for a task that is not seen as square pictures of bytes, and for actions that are no `Controls`.
    """

    def __init__(
        self,
        task: Task,
        folder: Path,
        make: Callable[[int], VMC],
        *,
        collect: CollectPlan,
        vae: VAEPlan,
        rnn: RNNPlan,
        evolution: EvolutionPlan,
        rounds: int,
        seed: int,
        workers: int = 0,
        device: str = "cpu",
    ):
        self._make, self._seed, self._workers, self.rounds = make, seed, workers, rounds
        self._collect, self._vae, self._rnn, self._evolution = collect, vae, rnn, evolution
        self.memory: dict[str, Any] = {"round": 0, "stage": 0, "done": 0, "champion": {}}
        self.controls, self.brain = Controls.of(task), make(self._seed_of("weights"))
        for module in (self.brain.vae, self.brain.rnn):
            module.to(device)
        self._size = self.brain.controller.parameters
        self.memory["champion"] = vars(Champion([0.0] * self._size))
        self._task = shortened(task, collect.steps, workers)
        self.horizon = evolution.dream_steps or self._task.horizon or LONGEST
        capacity = collect.rollouts * rounds * ((self._task.horizon or LONGEST) + 1)
        shape, controls = task.observation_space.shape or (), self.controls.size
        self._frames = SequenceReplay(folder / "frames", shape, np.uint8, controls, capacity)
        self._codes = CodeShelf(folder / "codes", self.brain.vae.latent, controls, capacity)
        self._collector = Collector(self._task, self.controls, self._seed_of("episodes"), collect.envs, workers)
        self._sight = Fit(self.brain.vae, vae.rate, "V")
        self._recall = Fit(self.brain.rnn, rnn.rate, "M")
        self._search = Evolution(
            np.zeros(self._size),
            deviation=evolution.deviation,
            population=evolution.population,
            seed=self._seed_of("evolution"),
            diagonal=evolution.diagonal,
        )
        self._envs: Any = None

    @property
    def parts(self) -> Mapping[str, Part]:
        """All that a `TrainingRun` is to save."""
        return {
            "frames": self._frames,
            "codes": self._codes,
            "collector": self._collector,
            "vae": self._sight,
            "rnn": self._recall,
            "evolution": self._search,
        }

    @property
    def champion(self) -> Champion:
        """The controller that has come about so far."""
        return Champion(**self.memory["champion"])

    @property
    def finished(self) -> bool:
        """Are all rounds through?"""
        return bool(self.memory["round"] >= self.rounds)

    def advance(self, acting: Acting) -> Told:
        """The next step; where a stage is through, the next one is begun. `acting` is the agent as it is now."""
        memory, champion = self.memory, self.champion
        place = {"stage/round": memory["round"] + 1.0, "stage/number": memory["stage"] + 1.0}
        told = self._stage(acting, champion).advance(memory["done"])
        memory["done"], memory["champion"] = memory["done"] + 1, vars(champion)
        if told.finished:
            memory["stage"], memory["done"] = memory["stage"] + 1, 0
        if memory["stage"] == len(STAGES):
            memory["round"], memory["stage"] = memory["round"] + 1, 0
            if not self.finished:
                self._begin_round(champion)
        return replace(told, figures={**told.figures, **place})

    def close(self) -> None:
        """Close the environments."""
        self._collector.close()
        if self._envs is not None:
            self._envs.close()

    def _stage(self, acting: Acting, champion: Champion) -> Stage:
        name, seed = STAGES[self.memory["stage"]], self._seed_of(STAGES[self.memory["stage"]])
        if name == "collecting":
            rollouts = self._collect.rollouts * (self.memory["round"] + 1)
            chosen = acting if self.memory["round"] else self._explorer()
            return Collecting(self._collector, self._frames, chosen, rollouts, self._collect.least_steps)
        if name == "seeing":
            return Seeing(self.brain, self._sight, self._frames, self._vae, seed)
        if name == "encoding":
            return Encoding(self.brain, self._frames, self._codes)
        if name == "remembering":
            return Remembering(self.brain.rnn, self._recall, self._codes, self._rnn, seed)
        world, others = self._worlds()
        return Evolving(self._search, champion, world, self._evolution, seed, others)

    def _explorer(self) -> Acting:
        plan = self._collect
        if plan.exploring == "networks":
            return RandomNetworks(self.controls, lambda: self._make(0))
        return (
            AtRandom(self.controls, plan.held) if plan.exploring == "held" else Brownian(self.controls, plan.brownian)
        )

    def _worlds(self) -> tuple[World, dict[str, tuple[World, int]]]:
        """Where C is evolved, and where else it is evaluated."""
        plan = self._evolution
        if self._envs is None and (plan.world == "task" or plan.task_trials):
            self._envs = make_vector(
                self._task if not self._workers else self._task.name, self._collect.envs, self._workers, "disabled"
            )
        if plan.world == "task":
            return in_task(self.brain, self.controls, self._envs, self._collect.steps), {}
        dream = in_dream(
            self.brain,
            self._starts(),
            temperature=plan.temperature,
            horizon=self.horizon,
            rewards=self._task.reward_range,
        )
        if not plan.task_trials:
            return dream, {}
        return dream, {"task": (in_task(self.brain, self.controls, self._envs), plan.task_trials)}

    def _starts(self) -> Codes:
        """Of the first pictures of all episodes."""
        codes = self._codes.replay
        begins = codes.oldest + np.cumsum(codes.lengths) - codes.lengths
        stored = torch.from_numpy(codes.read(begins, 1).observations[:, 0]).float()
        device = self.brain.rnn.of_memory.device
        return Codes(stored[:, 0].to(device), stored[:, 1].to(device))

    def _begin_round(self, champion: Champion) -> None:
        """Codes are made anew, and evolution goes on from the champion, whose merits are then another world's."""
        self._codes.renew(self.memory["round"])
        self._search.restart(np.array(champion.weights), self._seed_of("evolution"))
        self.memory["champion"] = vars(Champion(champion.weights))

    def _seed_of(self, purpose: str) -> int:
        """Of this round, for that purpose."""
        letters = [ord(letter) for letter in purpose]
        return int(np.random.default_rng([self._seed, self.memory["round"], *letters]).integers(1 << 31))


def shortened(task: Task, steps: int | None, workers: int) -> Task:
    """`task`, whose episodes are cut off after `steps`. Raises ValueError if workers are to play it."""
    if steps is None:
        return task
    if workers:
        raise ValueError("workers play a task as it is: episodes are cut off (collect.steps) only without workers")
    horizon = steps if task.horizon is None else min(steps, task.horizon)

    def build() -> "Env[Any, Any]":
        from gymnasium.wrappers import TimeLimit

        return TimeLimit(task.build(), horizon)

    return replace(task, horizon=horizon, build=build, build_many=None)
