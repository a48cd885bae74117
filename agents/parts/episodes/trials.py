"""Learning by trials: an episode at random, then episodes by the agent, all of which are kept and learned from.

::

    trials = Trials(task, folder, seed, parts={"model": model})
    trials.begin(resume)
    try:
        while trials.goes_on(budget):
            rollout = trials.play(agent if trials.data else None)      # None: random actions
            ...                                                        # learn from trials.data
            yield trials.record(figures, budget, agent)
    finally:
        trials.end(agent)
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from sakiyomi.agents.agent import Progress, TrainingBudget
from sakiyomi.agents.parts.episodes.rollouts import (
    Acting,
    Floats,
    Rollout,
    Transitions,
    at_random,
    box_of,
    by_agent,
    play,
)
from sakiyomi.agents.parts.runs.training_run import Counters, Part, Saveable, TrainingRun
from sakiyomi.envs.task import Task


class Trials:
    """A training run (`TrainingRun`) on `task` with all that was seen in it, `data`.

    Everything by chance in a trial, in the environment and in the agent, comes from `seed` and the trial's number, so
    that a run that is resumed goes on as it would have. Raises ValueError for a task whose actions or observations are
    no vectors.
    """

    def __init__(self, task: Task, folder: Path, seed: int, parts: Mapping[str, Part]):
        box_of(task)
        self.task, self.seed, self.data = task, seed, Transitions()
        self._run = TrainingRun(folder, {"data": self.data, **parts}, np.random.default_rng(seed))
        self._env = task.make()

    @property
    def counters(self) -> Counters:
        """How far the run is; a trial counts as a step of learning."""
        return self._run.counters

    @property
    def rng(self) -> np.random.Generator:
        """What learning draws from."""
        return self._run.rng

    def begin(self, resume: bool) -> None:
        """As `TrainingRun.begin`."""
        self._run.begin(resume)

    def goes_on(self, budget: TrainingBudget) -> bool:
        """Is there budget for another trial?"""
        return self._run.goes_on(budget)

    def seeds(self) -> tuple[int, int]:
        """Of this trial: the environment's and the agent's."""
        drawn = np.random.default_rng([self.seed, len(self.data.rollouts)]).integers(1 << 31, size=2)
        return int(drawn[0]), int(drawn[1])

    def play(
        self, agent: Acting | None, explore: bool = True, over: Callable[[Floats], bool] = lambda observation: False
    ) -> Rollout:
        """A trial by `agent`, or with random actions if it is None, added to `data`; `over` may end it early.

        Raises ValueError for numbers that are none; `data` is then as before.
        """
        environment, acting = self.seeds()
        choose = at_random(self.task, acting) if agent is None else by_agent(agent, acting, explore)
        rollout = play(self._env, choose, environment, over)
        self.data.add(rollout)
        self.counters.environment_steps += len(rollout)
        return rollout

    def record(self, figures: Mapping[str, float], budget: TrainingBudget, agent: Saveable) -> Progress:
        """End a trial: log its figures and save everything."""
        self.counters.steps += 1
        return self._run.record(figures, budget, agent)

    def end(self, agent: Saveable) -> None:
        """Close all there is."""
        self._env.close()
        self._run.end(agent)
