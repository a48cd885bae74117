"""Learning by self-play: games are played while what was learnt from the games before goes on, round by round."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sakiyomi.agents.agent import Progress, TrainingBudget
from sakiyomi.agents.parts.dual.learner import Learner
from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, save_tensors
from sakiyomi.agents.parts.runs.training_run import Counters, Part, Saveable, TrainingRun
from sakiyomi.agents.parts.selfplay.crew import Crew
from sakiyomi.agents.parts.selfplay.replay import Episode, GameReplay
from sakiyomi.boards import rows

CALIBRATION = 512  # positions by which whole-number runtimes measure their ranges
ACTIVITIES = ("select", "encode", "network", "back up")


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


class Weights:
    """A net as a part of a run."""

    def __init__(self, net: DualNet):
        self.net = net

    def save(self, path: Path) -> None:
        """Write it to `path`.safetensors."""
        save_tensors(path.with_name(f"{path.name}.safetensors"), self.net.state_dict())

    def load(self, path: Path) -> None:
        """Give it the weights that were saved."""
        self.net.load_state_dict(load_tensors(path.with_name(f"{path.name}.safetensors")))


class Campaign:
    """A training run of self-play (`TrainingRun`): learner, replay and crew; `rng` draws what is learned from.

    `nets` are further networks that are saved with it.
    """

    def __init__(
        self,
        folder: Path,
        learner: Learner,
        replay: GameReplay,
        crew: Crew,
        rng: np.random.Generator,
        nets: Mapping[str, DualNet] | None = None,
    ):
        self.learner, self.replay, self.crew, self.rng = learner, replay, crew, rng
        parts: dict[str, Part] = {"learner": learner, "replay": replay, "crew": crew}
        parts |= {name: Weights(net) for name, net in (nets or {}).items()}
        self._run = TrainingRun(folder, parts, rng, {"games": 0, "simulations": 0, "owed": 0.0})

    @property
    def counters(self) -> Counters:
        """How far the run is; `environment_steps` are plies of games that ended."""
        return self._run.counters

    @property
    def memory(self) -> dict[str, Any]:
        """What else goes on with the run: its "games", "simulations", the samples "owed" for positions that came in."""
        return self._run.memory

    def begin(self, resume: bool) -> None:
        """As `TrainingRun.begin`; if it raises, the crew is closed.

        Until `end`, rules and networks on the CPU use one thread each (`rows`, PyTorch): groups of games and the
        learner are what runs side by side. Threads that wait for each other inside every layer of a small network
        would take longer than the layer.
        """
        try:
            self._run.begin(resume)
        except ValueError:
            self.crew.close()
            raise
        self._threads = torch.get_num_threads(), rows.setting()
        torch.set_num_threads(1)
        rows.set_threads(1)

    def goes_on(self, budget: TrainingBudget) -> bool:
        """Is there budget for another iteration?"""
        return self._run.goes_on(budget)

    def record(self, figures: Mapping[str, float], budget: TrainingBudget, agent: Saveable, every: float) -> Progress:
        """As `TrainingRun.record`."""
        return self._run.record(figures, budget, agent, every)

    def end(self, agent: Saveable) -> None:
        """As `TrainingRun.end`; leaves threads as they were and closes the crew."""
        torch.set_num_threads(self._threads[0])
        rows.set_threads(self._threads[1])
        try:
            self._run.end(agent)
        finally:
            self.crew.close()

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
        with ThreadPoolExecutor(1, thread_name_prefix="learning") as pool:
            learning = pool.submit(self._learn, lessons)
            started = time.monotonic()
            episodes = self.crew.play(rounds)
            seconds = max(time.monotonic() - started, 1e-9)
            figures = learning.result()
        before = self.replay.targets_added
        for episode in episodes:
            self.replay.add(episode)
        self.memory["games"] += len(episodes)
        self.counters.environment_steps += sum(len(episode.actions) for episode in episodes)
        self.memory["owed"] += lessons.uses * (self.replay.targets_added - before)
        return figures | self._played(episodes, seconds)

    def _played(self, episodes: list[Episode], seconds: float) -> dict[str, float]:
        """Figures of self-play that took so many seconds."""
        tally, plies = self.crew.tally(), sum(len(episode.actions) for episode in episodes)
        self.memory["simulations"] += int(tally["simulations"])
        busy = sum(tally[name] for name in ACTIVITIES)
        figures = {
            "self-play/games": float(self.memory["games"]),
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
        steps = int(self.memory["owed"] // batch)
        if self.replay.targets_added < lessons.least or steps == 0:
            return {}
        torch.set_num_threads(1)  # which is by thread: this one must not begin with what another has set for a moment
        started, sums = time.monotonic(), dict[str, float]()
        for _ in range(steps):
            samples = self.replay.sample(self.rng, batch, lessons.symmetries, **self.learner.needs)
            for name, loss in self.learner.step(samples, rate(self.counters.steps)).items():
                sums[name] = sums.get(name, 0.0) + loss
            self.counters.steps += 1
        self.memory["owed"] -= steps * batch
        seconds = time.monotonic() - started
        figures = {f"loss/{name}": total / steps for name, total in sums.items()}
        return figures | {
            "learning/rate": rate(self.counters.steps),
            "learning/seconds": seconds,
            "learning/samples per second": steps * batch / max(seconds, 1e-9),
        }
