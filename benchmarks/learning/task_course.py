"""A course on a task: several seeds of an agent learn for so many steps, and each is measured on whole episodes.

::

    python benchmarks/learning/c7_cartpole.py                    # seeds 1 to 3, then the page of results
    python benchmarks/learning/c7_cartpole.py --seeds 2          # one of them
    python benchmarks/learning/c7_cartpole.py --set considered=2 simulations=8 --out runs/gumbel
    python benchmarks/learning/c7_cartpole.py --measure          # of what the runs hold so far

A seed is a run in a folder of its own and goes on where it was stopped. It ends after so many steps of the environment
or minutes of processor time, whichever comes first. What it has learned by then plays episodes of other seeds, as well
as it can; its weights are the last, not the best. Results are docs/results/NAME.md with plot and figures.
"""

import argparse
import json
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
import torch
from course import RESULTS, RUNS, Mark, line_of, verdict
from numpy.typing import NDArray

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.parts.muzero.acting import task_scores
from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json
from sakiyomi.agents.parts.runs.flags import overridden, settings_of, to_json
from sakiyomi.agents.parts.runs.metrics import Row, read_progress
from sakiyomi.envs.task import Task

MEASURED = "measured.json"
OTHER_SEEDS = 10_000
"""Added to a run's seed for the episodes that it is measured by."""


@dataclass
class TaskCourse:
    """What is learned, and the mean return that each seed is to reach, `bar`, over `episodes`.

    `lines` are returns to compare with in the plot, and `note` is a paragraph of the page.
    """

    name: str
    about: str
    agent: type[Any]
    task: Task
    config: Any
    bar: float
    steps: int
    minutes: float = 30
    seeds: tuple[int, ...] = (1, 2, 3)
    episodes: int = 100
    lines: dict[str, float] = field(default_factory=dict)
    note: str = ""

    def main(self) -> None:
        """Run the course as its command line says."""
        parser = argparse.ArgumentParser(description=self.about)
        seeds = " ".join(map(str, self.seeds))
        parser.add_argument("--seeds", type=int, nargs="+", default=self.seeds, help=f"(default {seeds})")
        parser.add_argument("--steps", type=int, default=self.steps, help="of the environment (default %(default)s)")
        parser.add_argument("--minutes", type=float, default=self.minutes, help="of processor time at the most")
        parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings")
        parser.add_argument("--out", type=Path, default=RUNS / self.name, help="folder of the runs")
        parser.add_argument("--measure", action="store_true", help="measure only, without learning")
        chosen = parser.parse_args()
        torch.set_num_threads(1)  # the products are small
        self.config = overridden(self.config, chosen.set)
        budget = TrainingBudget(environment_steps=chosen.steps, processor_seconds=60 * chosen.minutes)
        for seed in () if chosen.measure else chosen.seeds:
            self.learn(chosen.out / f"seed{seed}", seed, budget)
            self.write(self.runs(chosen.out))
        runs = self.runs(chosen.out)
        if not runs:
            parser.error(f"there are no runs in {chosen.out}")
        self.write(runs)

    def learn(self, folder: Path, seed: int, budget: TrainingBudget) -> None:
        """What one seed has still to learn, a line now and then; it is measured at the end."""
        stages = self.agent.train(self.task, folder, budget, config=self.config, seed=seed, resume=True)
        for progress in stages:
            if "return/evaluation" in progress.scalars:
                shown = {k: v for k, v in progress.scalars.items() if k.startswith(("return/", "loss/"))}
                figures = "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
                print(f"seed {seed}, {progress.environment_steps} steps  {figures}", flush=True)
        agent, done = self.agent.load(folder), read_progress(folder)[-1]["environment steps"]
        if not (folder / MEASURED).exists() or read_json(folder / MEASURED)["steps"] != done:
            agent.config = self.config  # how it acts when it is measured may be set anew
            scores = task_scores(agent, self.task, self.episodes, OTHER_SEEDS + seed)
            write_json(folder / MEASURED, {"steps": done, "scores": scores})

    def runs(self, out: Path) -> dict[int, tuple[list[Row], NDArray[np.float64]]]:
        """By seed, the log and the returns [episodes] of what was learned, as far as it was measured."""
        folders = {int(path.parent.name.removeprefix("seed")): path.parent for path in out.glob(f"seed*/{MEASURED}")}
        return {
            seed: (read_progress(folder), np.array(read_json(folder / MEASURED)["scores"], np.float64))
            for seed, folder in sorted(folders.items())
        }

    def write(self, runs: dict[int, tuple[list[Row], NDArray[np.float64]]]) -> None:
        """The page of results, its plot and its figures."""
        marks = [self.mark(seed, rows, scores) for seed, (rows, scores) in runs.items()]
        for mark in marks:
            print(line_of(mark), flush=True)
        page = [
            f"# {self.about}",
            "",
            f"`python benchmarks/learning/{self.name.replace('-', '_')}.py`: {self.task.name} on {os.cpu_count()} cores"
            f" ({platform.machine()}), a thread each. A seed is measured on {self.episodes} episodes, played as well as"
            " it can by the weights that it ended with.",
            "",
            *([self.note, ""] if self.note else []),
            "| what | figure | bar | |",
            "| --- | --- | --- | --- |",
            *(f"| {mark.what} | {mark.figure} | {mark.bar} | {verdict(mark)} |" for mark in marks),
            "",
            f"![returns]({self.name}.png)",
            "",
            "Settings: " + " ".join(f"{key}={value}" for key, value in settings_of(self.config)) + ".",
            "",
        ]
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{self.name}.md").write_text("\n".join(page), encoding="utf-8")
        kept = {
            seed: {"scores": scores.tolist(), "evaluations": logged(rows, "return/evaluation"), "last": rows[-1]}
            for seed, (rows, scores) in runs.items()
        }
        figures = {"marks": [vars(mark) for mark in marks], "runs": kept, "config": to_json(self.config)}
        (RESULTS / f"{self.name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        self.plot(runs, RESULTS / f"{self.name}.png")
        print(f"written: {RESULTS / self.name}.md", flush=True)

    def mark(self, seed: int, rows: list[Row], scores: NDArray[np.float64]) -> Mark:
        """One seed against the bar, with what it cost."""
        half = scipy.stats.t.ppf(0.975, len(scores) - 1) * scores.std(ddof=1) / len(scores) ** 0.5
        steps, spent = rows[-1]["environment steps"] or 0.0, rows[-1]["processor seconds"] or 0.0
        what = f"mean return, seed {seed}: {steps:,.0f} steps, {spent / 60:.1f} minutes of processor time"
        figure = f"{scores.mean():.4g} ± {half:.2g} (least {scores.min():g}, {len(scores)} episodes)"
        return Mark(what, figure, f">= {self.bar:g}", bool(scores.mean() >= self.bar))

    def plot(self, runs: dict[int, tuple[list[Row], NDArray[np.float64]]], path: Path) -> None:
        """Returns while learning: of evaluations, and thin those of the episodes that were learned from."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        for number, (seed, (rows, scores)) in enumerate(runs.items()):
            colour = f"C{number}"
            axes.plot(*zip(*logged(rows, "return/mean"), strict=True), color=colour, linewidth=0.6, alpha=0.4)
            if known := logged(rows, "return/evaluation"):
                axes.plot(*zip(*known, strict=True), "o-", color=colour, markersize=3, label=f"seed {seed}")
            axes.plot(rows[-1]["environment steps"], scores.mean(), "*", color=colour, markersize=11)
        axes.axhline(self.bar, color="black", linestyle="--", linewidth=0.8, label="bar")
        for colour, (what, value) in zip(("tab:gray", "tab:brown"), self.lines.items(), strict=False):
            axes.axhline(value, color=colour, linestyle=":", label=what)
        axes.set(xlabel="steps of the environment", ylabel="return", title=self.about)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
        figure.savefig(path, dpi=120)


def logged(rows: list[Row], name: str) -> list[tuple[float, float]]:
    """Steps of the environment and the figure of that name, where there is one."""
    found = ((row["environment steps"], row.get(name)) for row in rows)
    return [(float(steps or 0.0), float(figure)) for steps, figure in found if figure is not None]
