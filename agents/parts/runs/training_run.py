"""The lasting state of a training run: counters, log, chance and whatever is learnt, saved and gone on from as one.

::

    folder/agent.json, ...             the agent as last saved: what `load` of an agent reads
    folder/progress.json, ...          the log (`metrics`)
    folder/run/                        everything that goes on from here, replaced as a whole

    run = TrainingRun(folder, {"data": data, "model": model}, rng)
    run.begin(resume)
    try:
        while run.goes_on(budget):
            ...                                     # play and learn; count in run.counters
            yield run.record(figures, budget, agent)
    finally:
        run.end(agent)
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sakiyomi.agents.agent import Progress, TrainingBudget
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, DESCRIPTION
from sakiyomi.agents.parts.runs.checkpoints import read_json, settled, whole_folder, write_json
from sakiyomi.agents.parts.runs.metrics import MetricsLog

RUN, STATE = "run", "state.json"


class Part(Protocol):
    """A part of what is learnt. `path` is a name to write to, with endings of its own or as a folder."""

    def save(self, path: Path) -> None: ...  # noqa: D102
    def load(self, path: Path) -> None: ...  # noqa: D102


class Saveable(Protocol):
    """What `Agent.save` is of."""

    def save(self, folder: Path) -> None: ...  # noqa: D102


@dataclass
class Counters:
    """How far a run is; all of it goes on when the run does."""

    iterations: int = 0
    steps: int = 0  # of learning
    environment_steps: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0  # of all threads of this process


@dataclass
class TrainingRun:
    """A run in `folder`. `parts` are saved with it by their names; `rng` goes on, too, and so does `memory`: whatever
    else is to be remembered, as JSON can hold it.
    """

    folder: Path
    parts: Mapping[str, Part]
    rng: np.random.Generator
    memory: dict[str, Any] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)

    def begin(self, resume: bool) -> None:
        """Start the clock and the log; with `resume` go on from what the folder holds, if it holds anything.

        Raises ValueError for a folder that cannot be gone on from, or that holds an agent which a new run would
        replace; changes nothing then.
        """
        if self._stored(resume):
            self._load()
        self._started, self._saved = time.monotonic() - self.counters.seconds, -math.inf
        self._processor_started = time.process_time() - self.counters.processor_seconds
        self._log = MetricsLog(self.folder, resume_at=self.counters.iterations)
        self._whole = self._kept = True  # no iteration is under way; what is done is saved

    def end(self, agent: Saveable) -> None:
        """Close the log and save; what an iteration cut short has left behind is not saved, as after a kill."""
        self._log.close()
        if self._whole and not self._kept:
            self.save(agent)

    def goes_on(self, budget: TrainingBudget) -> bool:
        """Is there budget for another iteration? If so it begins, and lasts until `record`."""
        self._whole = self.spent(budget) >= 1
        return not self._whole

    def spent(self, budget: TrainingBudget) -> float:
        """The part of `budget` that is spent."""
        counters = self.counters
        processor = time.process_time() - self._processor_started
        return budget.spent(self.seconds, counters.steps, counters.environment_steps, processor)

    @property
    def seconds(self) -> float:
        """Since the run began, all its sittings together."""
        return time.monotonic() - self._started

    def record(
        self, figures: Mapping[str, float], budget: TrainingBudget, agent: Saveable, save_every: float = 0.0
    ) -> Progress:
        """End an iteration: log its figures, and save if the last time is `save_every` seconds ago."""
        counters = self.counters
        counters.iterations += 1
        counters.seconds = self.seconds
        counters.processor_seconds = time.process_time() - self._processor_started
        counted = {name: float(value) for name, value in vars(counters).items() if name != "iterations"}
        told = {name.replace("_", " "): value for name, value in counted.items()}
        spent = self.spent(budget)
        self._log.log(counters.iterations, spent, told | dict(figures))
        self._whole, self._kept = True, False
        if time.monotonic() - self._saved >= save_every or spent >= 1:
            self.save(agent)
        return Progress(counters.steps, counters.environment_steps, counters.seconds, spent, figures)

    def save(self, agent: Saveable) -> None:
        """Write the run and its `agent`, each whole or not at all."""
        with whole_folder(self.folder / RUN) as run:
            for name, part in self.parts.items():
                part.save(run / name)
            state = {"counters": vars(self.counters), "rng": self.rng.bit_generator.state, "memory": self.memory}
            write_json(run / STATE, state)
        agent.save(self.folder)
        self._saved, self._kept = time.monotonic(), True

    def _stored(self, resume: bool) -> bool:
        """Is there a run to go on from? Raises ValueError if what the folder holds is neither that nor to be replaced.

        A kill never leaves an agent alone: the run is written first.
        """
        run, agent = settled(self.folder / RUN).exists(), (self.folder / DESCRIPTION).exists()
        if not resume and (run or agent):
            raise ValueError(f"{self.folder} holds an agent already: resume its run, or begin in another folder")
        if agent and not run:
            raise ValueError(f"{self.folder} holds an agent but no longer its run ({RUN}/): begin in another folder")
        return run

    def _load(self) -> None:
        run = settled(self.folder / RUN)
        try:
            state = read_json(run / STATE)
            self.counters = Counters(**state["counters"])
            self.rng.bit_generator.state = state["rng"]
            self.memory.update(state["memory"])
            for name, part in self.parts.items():
                part.load(run / name)
        except DAMAGE as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{run} is damaged or of a run with other settings: {reason}") from error
