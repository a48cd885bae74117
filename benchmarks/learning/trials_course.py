"""A course of trials: an agent that learns from few episodes, several seeds of it, against its pass marks.

::

    python benchmarks/learning/pets_pendulum.py                        # all seeds, then the page of results
    python benchmarks/learning/pets_pendulum.py --seeds 2 --trials 4   # fewer and shorter
    python benchmarks/learning/pets_pendulum.py --set planner=icem --out runs/icem
    python benchmarks/learning/pets_pendulum.py --measure              # of what the runs hold so far

A seed is a run in a folder of its own and goes on where it was stopped. Returns are those of the trials as they were
played, the first at random; intervals are Student's, of the mean over seeds. Results are docs/results/NAME.md with plot
and figures.
"""

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
import torch
from course import RESULTS, RUNS, Mark, line_of, verdict
from numpy.typing import NDArray

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.parts.runs.flags import overridden, settings_of, to_json
from sakiyomi.agents.parts.runs.metrics import Row, read_progress
from sakiyomi.envs import make_task

Returns = NDArray[np.float64]
"""[S, T] of each seed's trials."""


@dataclass
class TrialsCourse:
    """What is learned, and how returns [S, T] are measured.

    `lines` are returns to compare with in the plot, `points` those of others after so many trials: with them the axis
    of trials is logarithmic. `note` is a paragraph of the page, on what the figures are to be compared with.
    """

    name: str
    about: str
    agent: type[Any]
    task: str
    config: Any
    measure: Callable[[Returns], Iterable[Mark]]
    trials: int = 10
    seeds: int = 5
    lines: Mapping[str, float] = field(default_factory=dict)
    points: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    note: str = ""

    def main(self) -> None:
        """Run the course as its command line says."""
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument("--seeds", type=int, default=self.seeds, help="from 0 on (default %(default)s)")
        parser.add_argument("--trials", type=int, default=self.trials, help="with the first (default %(default)s)")
        parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings")
        parser.add_argument("--out", type=Path, default=RUNS / self.name, help="folder of the runs")
        parser.add_argument("--measure", action="store_true", help="measure only, without learning")
        chosen = parser.parse_args()
        torch.set_num_threads(1)  # the products are small
        self.config = overridden(self.config, chosen.set)
        folders = [chosen.out / f"seed{seed}" for seed in range(chosen.seeds)]
        if not chosen.measure:
            for seed, folder in enumerate(folders):
                self.learn(folder, seed, chosen.trials)
        runs = [rows for rows in (read_progress(folder)[: chosen.trials] for folder in folders) if rows]
        if not runs:
            parser.error(f"there are no runs in {chosen.out}")
        self.write(runs, list(self.measure(returns_of(runs))))

    def learn(self, folder: Path, seed: int, trials: int) -> None:
        """The trials of one seed that are still to be played."""
        done = len(read_progress(folder))
        if done >= trials:
            return
        budget = TrainingBudget(environment_steps=10**12)  # trials are counted here
        stages = self.agent.train(make_task(self.task), folder, budget, config=self.config, seed=seed, resume=True)
        for trial, progress in enumerate(stages, start=done + 1):
            shown = {k: v for k, v in progress.scalars.items() if k.startswith(("return/", "model/", "seconds/"))}
            figures = "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
            print(f"seed {seed}, trial {trial} of {trials}  {figures}", flush=True)
            if trial >= trials:
                stages.close()

    def write(self, runs: list[list[Row]], marks: list[Mark]) -> None:
        """The page of results, its plot and its figures."""
        returns = returns_of(runs)
        mean, half = interval(returns)
        spread = [f"{m - h:.1f} to {m + h:.1f}" if len(runs) > 1 else "" for m, h in zip(mean, half, strict=True)]
        cost = [(rows[-1]["processor seconds"] or 0.0) / len(rows) for rows in runs]
        for mark in marks:
            print(line_of(mark))
        page = [
            f"# {self.about}",
            "",
            f"`python benchmarks/learning/{self.name.replace('-', '_')}.py`: {counted(len(runs), 'seed')} of"
            f" {returns.shape[1]} trials, {np.mean(cost):.0f} s of processor time a trial on {os.cpu_count()} cores"
            f" ({platform.machine()}). The first trial is at random.",
            "",
            *([self.note, ""] if self.note else []),
            "| what | figure | bar | |",
            "| --- | --- | --- | --- |",
            *(f"| {mark.what} | {mark.figure} | {mark.bar} | {verdict(mark)} |" for mark in marks),
            "",
            f"![returns]({self.name}.png)",
            "",
            "| trial | mean return | 95 % interval | seeds |",
            "| --- | --- | --- | --- |",
            *(
                f"| {t + 1} | {mean[t]:.1f} | {spread[t]} | {' '.join(f'{each:.0f}' for each in returns[:, t])} |"
                for t in range(returns.shape[1])
            ),
            "",
            "Settings: " + " ".join(f"{key}={value}" for key, value in settings_of(self.config)) + ".",
            "",
        ]
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{self.name}.md").write_text("\n".join(page), encoding="utf-8")
        figures = {"marks": [vars(mark) for mark in marks], "runs": runs, "config": to_json(self.config)}
        (RESULTS / f"{self.name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        self.plot(returns, RESULTS / f"{self.name}.png")
        print(f"written: {RESULTS / self.name}.md")

    def plot(self, returns: Returns, path: Path) -> None:
        """Each seed's returns, their mean and its interval."""
        from matplotlib.figure import Figure

        mean, half = interval(returns)
        trials = np.arange(1, returns.shape[1] + 1)
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(trials, returns.T, color="tab:blue", alpha=0.35, linewidth=1)
        axes.plot(trials, mean, color="tab:blue", linewidth=2, label=f"mean of {counted(len(returns), 'seed')}")
        axes.fill_between(trials, mean - half, mean + half, color="tab:blue", alpha=0.15, label="95 % interval")
        for colour, (what, value) in zip(("tab:orange", "tab:green", "tab:red"), self.lines.items(), strict=False):
            axes.axhline(value, color=colour, linestyle="--", label=what)
        for marker, (what, (trial, value)) in zip("*D^", self.points.items(), strict=False):
            axes.plot(trial, value, marker, color="tab:red", markersize=9, label=what)
        axes.set(xlabel="trial", ylabel="return", title=self.about)
        if self.points:
            axes.set_xscale("log")
        else:
            axes.set_xticks(trials)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
        figure.savefig(path, dpi=120)


def returns_of(runs: list[list[Row]]) -> Returns:
    """[S, T] of as many trials as all seeds have played."""
    trials = min(map(len, runs))
    return np.array([[row["return/trial"] for row in rows[:trials]] for rows in runs], np.float64)


def interval(returns: Returns) -> tuple[Returns, Returns]:
    """[T] the mean over seeds and half of its 95 % interval, 0 for a single seed."""
    seeds = len(returns)
    mean = returns.mean(axis=0)
    if seeds < 2:
        return mean, np.zeros_like(mean)
    return mean, scipy.stats.t.ppf(0.975, seeds - 1) * returns.std(axis=0, ddof=1) / seeds**0.5


def mean_of(what: str, values: Returns, bar: float, text: str = "") -> Mark:
    """A mark for the mean of one value [S] a seed, which is to be `bar` at the least."""
    mean, half = interval(values[:, None])
    figure = f"{mean[0]:.1f} (one seed)"
    if len(values) > 1:
        figure = f"{mean[0]:.1f} ± {half[0]:.1f} ({len(values)} seeds: {' '.join(f'{each:.0f}' for each in values)})"
    return Mark(what, figure, text or f">= {bar:g}", bool(mean[0] >= bar))


def counted(number: int, what: str) -> str:
    """Such as "1 seed" and "3 seeds"."""
    return f"{number} {what}{'' if number == 1 else 's'}"
