"""The lasting state of learning by self-play: learner, replay, crew and counters, saved and gone on from as one.

::

    folder/agent.json, weights.safetensors     the agent by its latest weights: what `load` of an agent reads
    folder/run/                                everything that goes on from here, replaced as a whole
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from sakiyomi.agents.agent import Progress, TrainingBudget
from sakiyomi.agents.parts.checkpoints import (
    load_tensors,
    read_json,
    save_tensors,
    settled,
    whole_folder,
    write_json,
)
from sakiyomi.agents.parts.crew import Crew
from sakiyomi.agents.parts.dual_files import DAMAGE, DESCRIPTION
from sakiyomi.agents.parts.learner import Learner
from sakiyomi.agents.parts.metrics import MetricsLog
from sakiyomi.agents.parts.nets import DualNet
from sakiyomi.agents.parts.replay import Episode, GameReplay
from sakiyomi.boards import rows

CALIBRATION = 512  # positions by which whole-number runtimes measure their ranges
RUN, STATE = "run", "state.json"
ACTIVITIES = ("select", "encode", "network", "back up")


class Saveable(Protocol):
    """What `Agent.save` is of."""

    def save(self, folder: Path) -> None: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """How a run learns from what it has played; explicit numbers, since each paper has its own.

    For each new position with a policy target `uses` samples are drawn, in batches of `batch`, once there are `least`
    such positions; with `symmetries` each is turned at random. The learning rate is the first of `rates` until
    ``rate_steps[0]``, then the second, and so on.
    """

    uses: float
    batch: int
    rates: tuple[float, ...]
    rate_steps: tuple[int, ...]
    least: int
    symmetries: bool

    def rate(self, step: int) -> float:
        """The learning rate at `step`."""
        return self.rates[sum(step >= at for at in self.rate_steps)]


@dataclass
class Counters:
    """How far a run is; all of it goes on when the run does."""

    iterations: int = 0
    steps: int = 0
    plies: int = 0  # of self-play games that ended
    games: int = 0
    simulations: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0  # of all its threads, self-play on other machines left out
    owed: float = 0.0  # samples that are still to be drawn for positions that came in


@dataclass
class Campaign:
    """What a run of self-play learning holds; `rng` draws what is learned from.

    `nets` are further networks that are saved with it, `numbers` and `lists` further figures.
    """

    folder: Path
    learner: Learner
    replay: GameReplay
    crew: Crew
    rng: np.random.Generator
    nets: dict[str, DualNet] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    lists: dict[str, list[float]] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)

    def begin(self, resume: bool) -> None:
        """Start the clock and the log; with `resume` go on from the run that the folder holds, if it holds anything.

        Until `end`, rules and networks on the CPU use one thread each (`rows`, PyTorch): groups of games and the
        learner are what runs side by side. Threads that wait for each other inside every layer of a small network
        would take longer than the layer. Raises ValueError for a folder that cannot be gone on from, or that holds an
        agent which a new run would replace; changes nothing then, but closes the crew.
        """
        try:
            if self._stored(resume):
                self._load()
        except ValueError:
            self.crew.close()
            raise
        self._started, self._saved = time.monotonic() - self.counters.seconds, -math.inf
        self._processor_started = time.process_time() - self.counters.processor_seconds
        self._log = MetricsLog(self.folder, resume_at=self.counters.iterations)
        self._whole = True  # no iteration is under way
        self._threads = torch.get_num_threads(), rows.setting()
        torch.set_num_threads(1)
        rows.set_threads(1)

    def end(self, agent: Saveable) -> None:
        """Leave threads as they were, save, and close the crew; what an iteration cut short has left is not saved, as
        after a kill."""
        torch.set_num_threads(self._threads[0])
        rows.set_threads(self._threads[1])
        self._log.close()
        try:
            if self._whole:
                self.save(agent)
        finally:
            self.crew.close()

    def spent(self, budget: TrainingBudget) -> float:
        """The part of `budget` that is spent."""
        return budget.spent(self.seconds, self.counters.steps, self.counters.plies)

    @property
    def seconds(self) -> float:
        """Since the run began, all its sittings together."""
        return time.monotonic() - self._started

    def due(self, every: int) -> bool:
        """Is this the last of `every` iterations?"""
        return (self.counters.iterations + 1) % every == 0

    def calibration(self) -> NDArray[np.float32] | None:
        """Real observations [n, C, Y, X], the same ones for the same iteration; None while there are none."""
        if self.replay.targets_added == 0:
            return None
        chance = np.random.default_rng(self.counters.iterations)
        return self.replay.sample(chance, CALIBRATION).observations

    def play_and_learn(self, rounds: int, lessons: Lessons) -> dict[str, float]:
        """Self-play for so many rounds of the search and, meanwhile, learning from the games before; figures of both.

        The two share the cores, and neither sees what the other does until both are done: the same in every run. The
        new games then go into the replay, and samples are owed for their positions.
        """
        self._whole = False
        with ThreadPoolExecutor(1, thread_name_prefix="learning") as pool:
            learning = pool.submit(self._learn, lessons)
            started = time.monotonic()
            episodes = self.crew.play(rounds)
            seconds = max(time.monotonic() - started, 1e-9)
            figures = learning.result()
        before, counters = self.replay.targets_added, self.counters
        for episode in episodes:
            self.replay.add(episode)
        counters.games += len(episodes)
        counters.plies += sum(len(episode.actions) for episode in episodes)
        counters.owed += lessons.uses * (self.replay.targets_added - before)
        return figures | self._played(episodes, seconds)

    def _played(self, episodes: list[Episode], seconds: float) -> dict[str, float]:
        """Figures of self-play that took so many seconds."""
        tally, plies = self.crew.tally(), sum(len(episode.actions) for episode in episodes)
        self.counters.simulations += int(tally["simulations"])
        busy = sum(tally[name] for name in ACTIVITIES)
        figures = {
            "self-play/games": float(self.counters.games),
            "self-play/seconds": seconds,
            "self-play/simulations per second": tally["simulations"] / seconds,
            "self-play/plies per second": plies / seconds,
            "self-play/batch fill": tally["evaluated"] / max(tally["asked"], 1),
        }
        if episodes:
            figures["self-play/plies a game"] = plies / len(episodes)
            figures["self-play/first player's score"] = float(np.mean([(each.result + 1) / 2 for each in episodes]))
        return figures | {f"share/{name}": tally[name] / max(busy, 1e-9) for name in ACTIVITIES}

    def _learn(self, lessons: Lessons) -> dict[str, float]:
        """Draw the samples owed; returns the mean losses, nothing while there are too few positions."""
        batch, rate = lessons.batch, lessons.rate
        steps = int(self.counters.owed // batch)
        if self.replay.targets_added < lessons.least or steps == 0:
            return {}
        torch.set_num_threads(1)  # which is by thread: this one must not begin with what another has set for a moment
        started, sums = time.monotonic(), dict[str, float]()
        for _ in range(steps):
            samples = self.replay.sample(self.rng, batch, lessons.symmetries, **self.learner.needs)
            for name, loss in self.learner.step(samples, rate(self.counters.steps)).items():
                sums[name] = sums.get(name, 0.0) + loss
            self.counters.steps += 1
        self.counters.owed -= steps * batch
        seconds = time.monotonic() - started
        figures = {f"loss/{name}": total / steps for name, total in sums.items()}
        return figures | {
            "learning/rate": rate(self.counters.steps),
            "learning/seconds": seconds,
            "learning/samples per second": steps * batch / max(seconds, 1e-9),
        }

    def record(self, figures: dict[str, float], budget: TrainingBudget, agent: Saveable, save_every: float) -> Progress:
        """End an iteration: log its figures, and save if that is due."""
        counters = self.counters
        counters.iterations += 1
        counters.seconds = self.seconds
        counters.processor_seconds = time.process_time() - self._processor_started
        spent = self.spent(budget)
        self._log.log(counters.iterations, spent, self._progress(figures))
        self._whole = True
        if time.monotonic() - self._saved >= save_every:
            self.save(agent)
        return Progress(counters.steps, counters.plies, counters.seconds, spent, figures)

    def save(self, agent: Saveable) -> None:
        """Write the run and its `agent`, each whole or not at all."""
        with whole_folder(self.folder / RUN) as run:
            self.learner.save(run / "learner")
            self.replay.save(run / "replay")
            self.crew.save(run / "crew")
            for name, net in self.nets.items():
                save_tensors(run / f"{name}.safetensors", net.state_dict())
            state = {"counters": vars(self.counters), "rng": self.rng.bit_generator.state}
            write_json(run / STATE, state | {"numbers": self.numbers, "lists": self.lists})
        agent.save(self.folder)
        self._saved = time.monotonic()

    def _progress(self, figures: dict[str, float]) -> dict[str, float]:
        counters = self.counters
        return {
            "steps": float(counters.steps),
            "plies": float(counters.plies),
            "seconds": counters.seconds,
            "processor seconds": counters.processor_seconds,
            **figures,
        }

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
        run = self.folder / RUN
        try:
            state = read_json(run / STATE)
            self.counters = Counters(**state["counters"])
            self.rng.bit_generator.state = state["rng"]
            self.numbers.update(state["numbers"])
            for name, figures in state["lists"].items():
                self.lists.setdefault(name, [])[:] = figures
            for name, net in self.nets.items():
                net.load_state_dict(load_tensors(run / f"{name}.safetensors"))
            self.learner.load(run / "learner", self.counters.steps)
            self.replay.load(run / "replay")
            self.crew.load(run / "crew")
        except DAMAGE as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{run} is damaged or of a run with other settings: {reason}") from error
