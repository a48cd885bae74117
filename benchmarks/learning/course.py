"""A course: an agent learns for so many minutes, is measured against its pass marks, and leaves a page of results.

::

    python benchmarks/learning/c3_connect4.py                      # learn as long as the mark allows, then measure
    python benchmarks/learning/c3_connect4.py --minutes 5 --seed 2 # shorter, or another seed
    python benchmarks/learning/c3_connect4.py --measure            # measure what runs/c3-connect4-seed1 holds

A course that is stopped goes on from its folder when it is started again. Results are docs/results/NAME-seedS.md with
the plot and all figures beside it.
"""

import argparse
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Progress, TrainingBudget
from sakiyomi.agents.parts.runs.flags import settings_of, to_json
from sakiyomi.agents.parts.strength.contest import Choose
from sakiyomi.agents.parts.strength.measuring import chooser
from sakiyomi.boards.game import Game, States

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
RUNS = Path("runs")
TOGETHER = 512  # positions that are searched at once


@dataclass(frozen=True)
class Mark:
    """One figure against its pass mark: `passed` None where there is no bar."""

    what: str
    figure: str
    bar: str = ""
    passed: bool | None = None


@dataclass
class Course:
    """What is learned and how it is measured.

    `measure` takes the trained agent and the folder of the run. `snapshots` of the agent are kept on the way, that
    many, for marks that ask how strength grows. `runtime` is that of the network in self-play; "" where the agent has
    no choice of it.
    """

    name: str
    about: str
    agent: type[Any]
    game: Game
    config: Any
    minutes: float
    measure: Callable[[Any, Path], Iterable[Mark]]
    runtime: str = "openvino-bf16"
    snapshots: int = 0
    game_text: str = ""
    lines: list[str] = field(default_factory=list)

    def main(self) -> None:
        """Run the course as its command line says."""
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument("--minutes", type=float, default=self.minutes, help="of learning (default %(default)s)")
        parser.add_argument(
            "--processor", action="store_true", help="count minutes of all cores, for a machine that works beside"
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--out", type=Path, help="folder of the run (default runs/NAME-seedS)")
        parser.add_argument("--runtime", default=self.runtime, help="of the network in self-play (default %(default)s)")
        parser.add_argument("--measure", action="store_true", help="measure only, without learning")
        chosen = parser.parse_args()
        folder = chosen.out or RUNS / f"{self.name}-seed{chosen.seed}"
        if not chosen.measure:
            seconds = 60 * chosen.minutes
            whole = TrainingBudget(seconds=seconds)
            shared = TrainingBudget(processor_seconds=seconds * (os.cpu_count() or 1))
            self.learn(folder, shared if chosen.processor else whole, chosen.seed, chosen.runtime)
        agent = self.agent.load(folder)
        started = time.monotonic()
        marks = []
        for mark in self.measure(agent, folder):
            marks.append(mark)
            print(line_of(mark), flush=True)
        self.write(folder, chosen.seed, chosen.runtime, marks, time.monotonic() - started)

    def learn(self, folder: Path, budget: TrainingBudget, seed: int, runtime: str) -> None:
        """Learn, telling a line for each minute."""
        told = -1
        choice = {"runtime": runtime} if runtime else {}
        stages = self.agent.train(self.game, folder, budget, config=self.config, seed=seed, resume=True, **choice)
        for progress in stages:
            minute = int(progress.seconds // 60)
            if self.snapshots and progress.spent < 1:
                self.keep_snapshot(folder, progress)
            if minute > told or any(name.startswith(("score/", "gate/score")) for name in progress.scalars):
                told = minute
                print(told_as(progress), flush=True)

    def keep_snapshot(self, folder: Path, progress: Progress) -> None:
        """Copy the agent as last saved, once for each part of the budget."""
        number = int(progress.spent * (self.snapshots + 1))
        place = folder / "snapshots" / f"{number}"
        if number and not place.exists() and (folder / "agent.json").is_file():
            place.mkdir(parents=True)
            for name in ("agent.json", "weights.safetensors"):
                shutil.copy(folder / name, place / name)

    def write(self, folder: Path, seed: int, runtime: str, marks: list[Mark], seconds: float) -> None:
        """The page of results, its plot and its figures."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        name = f"{self.name}-seed{seed}"
        rows = json.loads((folder / "progress.json").read_text())
        last = rows[-1]["figures"] if rows and "figures" in rows[-1] else rows[-1]
        if (folder / "progress.png").is_file():
            shutil.copy(folder / "progress.png", RESULTS / f"{name}.png")
        log = [
            told_as_row(row) for row in rows if any(key.startswith(("score/", "gate/score")) for key in figures_of(row))
        ]
        page = [
            f"# {self.about}",
            "",
            f"`python benchmarks/learning/{self.name.replace('-', '_')}.py --seed {seed}`: {last['seconds'] / 60:.0f}"
            f" minutes of learning on {os.cpu_count()} cores ({platform.machine()}), which took"
            f" {last['processor seconds'] / 60:.0f} minutes of processor time;"
            f"{f' network in self-play by {runtime};' if runtime else ''}"
            f" {last['steps']:.0f} steps, {last['environment steps']:.0f} plies of self-play;"
            f" measured in {seconds:.0f} s.",
            "",
            "| what | figure | bar | |",
            "| --- | --- | --- | --- |",
            *(f"| {mark.what} | {mark.figure} | {mark.bar} | {verdict(mark)} |" for mark in marks),
            "",
            f"![learning curves]({name}.png)",
            "",
            "Settings: " + " ".join(f"{key}={value}" for key, value in settings_of(self.config)) + ".",
            "",
            "Strength while learning:",
            "",
            *(f"    {line}" for line in log),
            "",
        ]
        (RESULTS / f"{name}.md").write_text("\n".join(page), encoding="utf-8")
        figures = {"marks": [vars(mark) for mark in marks], "last": last, "config": to_json(self.config)}
        (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(f"written: {RESULTS / name}.md")


def figures_of(row: dict[str, Any]) -> dict[str, float]:
    """The figures of a row of progress.json."""
    figures: dict[str, float] = row.get("figures", row)
    return figures


def told_as_row(row: dict[str, Any]) -> str:
    """A row of progress.json as a line."""
    figures = figures_of(row)
    shown = {key: value for key, value in figures.items() if key.startswith(("score/", "gate/", "loss/"))}
    return f"{figures['seconds'] / 60:5.1f} min  " + shown_as(shown)


def told_as(progress: Progress) -> str:
    """Where learning stands, as a line."""
    chosen = {
        name: value
        for name, value in progress.scalars.items()
        if name.startswith(("loss/", "score/", "gate/")) or name == "self-play/simulations per second"
    }
    return f"{progress.seconds / 60:5.1f} min, {progress.steps} steps  " + shown_as(chosen)


def shown_as(figures: dict[str, float]) -> str:
    """Figures on a line, intervals in brackets after their figures."""
    parts = []
    for name, value in figures.items():
        if name.endswith((" low", " high")) or value is None:
            continue
        interval = ""
        if f"{name} low" in figures:
            interval = f" [{figures[f'{name} low']:.3f}, {figures[f'{name} high']:.3f}]"
        parts.append(f"{name} {value:.4g}{interval}")
    return "  ".join(parts)


def line_of(mark: Mark) -> str:
    """A mark as a line."""
    return f"{mark.what}: {mark.figure}" + (f"  (bar: {mark.bar}) {verdict(mark)}" if mark.bar else "")


def verdict(mark: Mark) -> str:
    """Passed or not."""
    return "" if mark.passed is None else "passed" if mark.passed else "missed"


def at_least(what: str, value: float, text: str, bar: float) -> Mark:
    """A mark that wants much."""
    return Mark(what, text, f">= {bar:.2%}", value >= bar)


def at_most(what: str, value: float, text: str, bar: float) -> Mark:
    """A mark that wants little."""
    return Mark(what, text, f"<= {bar:.2%}", value <= bar)


def searching(agent: Any, simulations: int, seed: int = 0) -> Choose:
    """The moves of `agent` after so many simulations each, any number of positions."""
    chosen = type(agent)(agent.game, agent.net, agent.config, simulations=simulations)
    return in_parts(chooser(chosen, agent.game, TOGETHER, seed))


def by_network_alone(agent: Any) -> Choose:
    """The moves that the network's policy likes best."""
    evaluate = agent.evaluators.of(TOGETHER)

    def choose(states: States) -> NDArray[np.int32]:
        logits, _ = evaluate(agent.game.observe(states))
        return np.where(agent.game.legal(states), logits, -np.inf).argmax(axis=1).astype(np.int32)

    return in_parts(choose)


def in_parts(choose: Choose, together: int = TOGETHER) -> Choose:
    """`choose`, asked for so many positions at the most at once."""

    def all_of_them(states: States) -> NDArray[np.integer[Any]]:
        parts = [choose(states[start : start + together]) for start in range(0, len(states), together)]
        return np.concatenate(parts)

    return all_of_them
