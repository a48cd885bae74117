"""A course of episodes: an agent with a world model learns a task, several seeds of it, against its pass marks.

::

    python benchmarks/learning/dreamerv2_cartpole.py                        # all seeds, then the page of results
    python benchmarks/learning/dreamerv2_cartpole.py --seeds 2 --steps 5000 # fewer and shorter
    python benchmarks/learning/dreamerv2_cartpole.py --set batch=32 --out runs/wide
    python benchmarks/learning/dreamerv2_cartpole.py --variant balance=0.5  # a comparison, which has its own runs
    python benchmarks/learning/dreamerv2_cartpole.py --measure              # of what the runs hold so far

A seed is a run in a folder of its own and goes on where it was stopped. Returns are those of the episodes as they were
played to learn, the first at random, and intervals Student's, of the mean over seeds. How well the model foretells is
measured in random episodes that no run has learned from, the same for all. Results are docs/results/NAME.md with plot,
figures, and what the agent of the best seed imagines.
"""

import argparse
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from course import RESULTS, RUNS, Mark, line_of, verdict
from imagined import imagined
from numpy.typing import NDArray
from trials_course import interval, mean_of

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.parts.episodes.collecting import evaluated
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.random_actions import AtRandom
from sakiyomi.agents.parts.episodes.sequences import SequenceReplay
from sakiyomi.agents.parts.latent.observing import shown_by
from sakiyomi.agents.parts.runs.flags import overridden, settings_of, to_json
from sakiyomi.agents.parts.runs.metrics import Row, read_progress
from sakiyomi.envs import make_task
from sakiyomi.envs.task import Task

LAST = 10
"""Episodes of a run by which it is judged."""
FRESH = 10
"""Episodes that the agent plays when it has learnt, as well as it can."""
HELD_OUT = 20
"""Random episodes in which models are measured."""


@dataclass(frozen=True)
class Run:
    """What one seed has lived through: returns [N] of its episodes, and the environment's steps [N] at their ends."""

    folder: Path
    returns: NDArray[np.float64]
    steps: NDArray[np.float64]
    rows: list[Row]
    fresh: float = 0.0  # mean score of fresh episodes
    errors: Mapping[str, float] = field(default_factory=dict)  # the model's, in held-out episodes

    @property
    def last(self) -> float:
        """The mean of the last episodes."""
        return float(self.returns[-LAST:].mean())


@dataclass
class LatentCourse:
    """What is learned for so many `steps` of the environment. The last episodes of a run are to reach `bar`; `lines`
    are returns to compare with in the plot, and `variants` settings that the course compares with, and the figure that
    is to be better without them: "return", or one of the model's, as "model/error 15 ahead".
    """

    name: str
    about: str
    agent: type[Any]
    task: str
    config: Any
    steps: int
    bar: float
    seeds: int = 3
    lines: Mapping[str, float] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)

    def main(self) -> None:
        """Run the course as its command line says."""
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument("--seeds", type=int, default=self.seeds, help="from 0 on (default %(default)s)")
        parser.add_argument("--steps", type=int, default=self.steps, help="of the environment (default %(default)s)")
        parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings")
        parser.add_argument("--variant", choices=self.variants, help="learn one of the comparisons instead")
        parser.add_argument("--out", type=Path, default=RUNS / self.name, help="folder of the runs")
        parser.add_argument("--measure", action="store_true", help="measure only, without learning")
        chosen = parser.parse_args()
        if chosen.seeds < 1:
            parser.error("at least one seed is to be learned")
        torch.set_num_threads(1)  # the products are small
        self.config = overridden(self.config, chosen.set)
        if not chosen.measure:
            config = overridden(self.config, chosen.variant.split()) if chosen.variant else self.config
            for seed in range(chosen.seeds):
                self.learn(self.folder(chosen.out, chosen.variant) / f"seed{seed}", config, seed, chosen.steps)
        runs = {each: self.lived(self.folder(chosen.out, each)) for each in ("", *self.variants)}
        if not runs[""]:
            parser.error(f"there are no runs in {chosen.out}")
        self.write({variant: found for variant, found in runs.items() if found})

    def folder(self, out: Path, variant: str | None) -> Path:
        """Where the runs of a variant are."""
        return out / variant.replace(" ", "-") if variant else out

    def learn(self, folder: Path, config: Any, seed: int, steps: int) -> None:
        """What one seed has still to learn."""
        budget = TrainingBudget(environment_steps=steps)
        for progress in self.agent.train(make_task(self.task), folder, budget, config=config, seed=seed, resume=True):
            shown = {k: v for k, v in progress.scalars.items() if k.startswith(("return/", "model/", "dream/"))}
            figures = "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
            print(f"seed {seed}, step {progress.environment_steps} of {steps}  {figures}", flush=True)

    def lived(self, out: Path) -> list[Run]:
        """What the runs in `out` hold, seed by seed."""
        folders = sorted(each for each in out.glob("seed*") if (each / "agent.json").is_file())
        return [self.run_of(folder) for folder in folders]

    def run_of(self, folder: Path) -> Run:
        """What one run holds, how its agent does in fresh episodes, and its model in held-out ones."""
        task, rows = make_task(self.task), read_progress(folder)
        controls, (shape, kind) = Controls.of(task), shown_by(task)
        replay = SequenceReplay(folder / "episodes", shape, kind, controls.size, self.config.capacity)
        replay.load(folder / "run" / "episodes")
        returns, ends = [], []
        for number in range(replay.episodes):
            rewards = replay.episode(number).rewards
            returns.append(float(rewards.sum(dtype=np.float64)))
            ends.append((ends[-1] if ends else 0) + rewards.size - 1)
        agent = self.agent.load(folder)
        fresh = [episode.score for episode in evaluated(task, controls, agent, FRESH, 1000)]
        told = [agent.errors(each.rows) for each in evaluated(task, controls, AtRandom(controls), HELD_OUT, 2000)]
        errors = {name: float(np.mean([each[name] for each in told if name in each])) for each in told for name in each}
        return Run(
            folder, np.array(returns), np.array(ends) * frames_a_decision(task), rows, float(np.mean(fresh)), errors
        )

    def marks(self, runs: Mapping[str, list[Run]]) -> Iterator[Mark]:
        """Figures beside their bars."""
        own = runs[""]
        last, fresh = (np.array([getattr(run, name) for run in own]) for name in ("last", "fresh"))
        yield mean_of(f"mean return of the last {LAST} episodes", last, self.bar)
        yield mean_of(f"mean return of {FRESH} fresh episodes, without exploring", fresh, self.bar)
        for variant, figure in self.variants.items():
            if variant in runs:
                pairs = zip(own, runs[variant], strict=False)
                here, there = np.array([[figure_of(run, figure) for run in pair] for pair in pairs]).T
                text = f"{here.mean():.4g}, with {variant} {there.mean():.4g} ({seeds_of(own[: len(here)])})"
                better = here.mean() > there.mean() if figure == "return" else here.mean() < there.mean()
                yield Mark(f"{figure} against {variant}", text, "better without", bool(better))

    def write(self, runs: Mapping[str, list[Run]]) -> None:
        """The page of results, its plot and its figures."""
        marks, own = list(self.marks(runs)), runs[""]
        RESULTS.mkdir(parents=True, exist_ok=True)
        best = self.agent.load(max(own, key=lambda run: run.fresh).folder)
        steps = min(run.steps[-1] for run in own)
        for mark in marks:
            print(line_of(mark))
        cost = [(run.rows[-1]["processor seconds"] or 0.0) / 60 for run in own]
        episodes = sum(len(run.returns) for run in own) / len(own)
        page = [
            f"# {self.about}",
            "",
            f"`python benchmarks/learning/{self.name.replace('-', '_')}.py`: {seeds_of(own)} of"
            f" {steps:.0f} steps of the environment ({episodes:.0f} episodes, the first at random),"
            f" {np.mean(cost):.0f} min of processor time a seed on {os.cpu_count()} cores ({platform.machine()}).",
            "",
            "| what | figure | bar | |",
            "| --- | --- | --- | --- |",
            *(f"| {mark.what} | {mark.figure} | {mark.bar} | {verdict(mark)} |" for mark in marks),
            "",
            f"![returns]({self.name}.png)",
            "",
            *imagined(best, make_task(self.task), RESULTS / f"{self.name}-imagined"),
            "",
            *self.table(own),
            "",
            *self.foretold(own),
            "Settings: " + " ".join(f"{key}={value}" for key, value in settings_of(self.config)) + ".",
            "",
        ]
        (RESULTS / f"{self.name}.md").write_text("\n".join(page), encoding="utf-8")
        told = {variant or "own": [each.rows for each in found] for variant, found in runs.items()}
        figures = {"marks": [vars(mark) for mark in marks], "runs": told, "config": to_json(self.config)}
        (RESULTS / f"{self.name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        self.plot(runs, RESULTS / f"{self.name}.png")
        print(f"written: {RESULTS / self.name}.md")

    def table(self, runs: list[Run], rows: int = 10) -> Iterator[str]:
        """Mean returns along the way, of the last episodes before each point."""
        yield "| steps | mean return | 95 % interval | seeds |"
        yield "| --- | --- | --- | --- |"
        for step in np.linspace(0, min(run.steps[-1] for run in runs), rows + 1)[1:]:
            values = np.array([smooth(run, step) for run in runs])
            mean, half = interval(values[:, None])
            each = " ".join(f"{value:.0f}" for value in values)
            yield f"| {step:.0f} | {mean[0]:.1f} | {mean[0] - half[0]:.1f} to {mean[0] + half[0]:.1f} | {each} |"

    def foretold(self, runs: list[Run]) -> Iterator[str]:
        """How well models foretell, if they show what they expect."""
        means = [f"{name} {np.mean([run.errors[name] for run in runs]):.3g}" for name in runs[0].errors]
        if means:
            yield f"In {HELD_OUT} random episodes: {', '.join(means)}."
            yield ""

    def plot(self, runs: Mapping[str, list[Run]], path: Path) -> None:
        """Each seed's episodes, and for each variant the mean over seeds and its interval."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        for colour, (variant, found) in zip(("tab:blue", "tab:purple", "tab:brown"), runs.items(), strict=False):
            at = np.linspace(min(run.steps[0] for run in found), min(run.steps[-1] for run in found), 60)
            values = np.array([[smooth(run, step) for step in at] for run in found])
            mean, half = interval(values)
            label = f"{variant or 'the agent'}, mean of {seeds_of(found)}"
            axes.plot(at, mean, color=colour, linewidth=2, label=label)
            axes.fill_between(at, mean - half, mean + half, color=colour, alpha=0.15)
            for run in found if not variant else ():
                axes.plot(run.steps, run.returns, ".", color=colour, alpha=0.25, markersize=3)
        for colour, (what, value) in zip(("tab:orange", "tab:green", "tab:red"), self.lines.items(), strict=False):
            axes.axhline(value, color=colour, linestyle="--", label=what)
        axes.set(xlabel="steps of the environment", ylabel="return of an episode", title=self.about)
        axes.legend(fontsize="small")
        figure.savefig(path, dpi=120)


def seeds_of(runs: list[Run]) -> str:
    """How many."""
    return "1 seed" if len(runs) == 1 else f"{len(runs)} seeds"


def frames_a_decision(task: Task) -> int:
    """How many steps of the simulator a decision takes."""
    env = task.make(seed=0)
    info = env.step(env.action_space.sample())[-1]
    env.close()
    return int(info.get("frames", 1))


def smooth(run: Run, step: float) -> float:
    """The mean return of the last episodes that had ended by `step`; of the first where none had."""
    ended = max(1, int(np.searchsorted(run.steps, step, side="right")))
    return float(run.returns[max(0, ended - LAST) : ended].mean())


def figure_of(run: Run, figure: str) -> float:
    """A figure of a run by name, as in `LatentCourse.variants`."""
    return run.last if figure == "return" else run.errors[figure]
