"""Runs of GP-MPC that are compared: some variants, some seeds, each until it has solved the task or had its trials.

Trials are counted with the random one, as in the paper. Every trial becomes a line of runs/NAME/trials.jsonl at once;
started again, it goes on with the runs that are not done. Results are docs/results/NAME.md, NAME.png and NAME.json,
or lie in the folder given; `--measure` draws them anew from the trials in that JSON.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.gp_mpc import GPMPC, Config
from sakiyomi.agents.parts.runs.flags import settings_of
from sakiyomi.envs.task import Task

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
Row = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Variants of GP-MPC on one task, by name; `stop` ends a run with the trial that solves the task.

    `note` is a paragraph of the page, on what the figures are to be compared with.
    """

    name: str
    about: str
    task: Task
    variants: Mapping[str, Config]
    trials: int = 5
    seeds: int = 10
    stop: bool = True
    note: str = ""

    def main(self) -> None:
        """Run what the command line says."""
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument("--seeds", type=int, default=self.seeds, help="from 0 on (default %(default)s)")
        parser.add_argument(
            "--trials", type=int, default=self.trials, help="the random one included (default %(default)s)"
        )
        parser.add_argument("--variants", nargs="*", choices=list(self.variants), default=list(self.variants))
        parser.add_argument("--out", type=Path, help="folder of the runs and the page (default runs/NAME)")
        parser.add_argument("--quick", action="store_true", help="two seeds, three trials, fewer iterations")
        parser.add_argument("--measure", action="store_true", help="measure only, without learning")
        chosen = parser.parse_args()
        torch.set_num_threads(1)  # the matrices are small
        seeds, trials = (2, 3) if chosen.quick else (chosen.seeds, chosen.trials)
        log = (chosen.out or Path("runs") / self.name) / ("quick.jsonl" if chosen.quick else "trials.jsonl")
        results = chosen.out or (log.parent if chosen.quick else RESULTS)
        if chosen.measure:
            kept = results / f"{self.name}.json"
            if not kept.is_file():
                parser.error(f"there are no trials in {kept}")
            self.write(json.loads(kept.read_text(encoding="utf-8")), trials, results)
            return
        log.parent.mkdir(parents=True, exist_ok=True)
        for seed in range(seeds):
            for variant in chosen.variants:
                config = self.variants[variant]
                if chosen.quick:
                    config = replace(config, iterations=4, first_starts=1, fits=1)
                if not ended(rows_of(log), variant, seed, trials, self.stop):
                    self.run(variant, config, seed, trials, log)
        self.write(rows_of(log), trials, results)

    def write(self, rows: list[Row], trials: int, folder: Path) -> None:
        """The page of results, its plot and its figures."""
        page = self.page(rows, trials)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.md").write_text(page, encoding="utf-8")
        (folder / f"{self.name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        self.plot(rows, trials, folder / f"{self.name}.png")
        print(page)

    def run(self, variant: str, config: Config, seed: int, trials: int, log: Path) -> None:
        """One run from its beginning; what is logged of an earlier one that was cut short goes."""
        others = [row for row in rows_of(log) if (row["variant"], row["seed"]) != (variant, seed)]
        log.write_text("".join(json.dumps(row) + "\n" for row in others), encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            before = time.process_time()
            budget = TrainingBudget(steps=trials)
            for progress in GPMPC.train(self.task, Path(folder), budget, config=config, seed=seed):
                row: Row = {"variant": variant, "seed": seed, "trial": progress.steps, **progress.scalars}
                row["processor seconds"] = time.process_time() - before
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print(told(row), flush=True)
                if self.stop and row["trial/solved"]:
                    break
                before = time.process_time()

    def page(self, rows: list[Row], trials: int) -> str:
        """The results as Markdown."""
        names = self.present(rows)
        lines = [
            f"# {self.about}",
            "",
            f"`python benchmarks/learning/{self.name.replace('-', '_')}.py` on one core ({platform.machine()},"
            f" {os.cpu_count()} cores shared). Trials are counted with the random one.",
            "",
            *([self.note, ""] if self.note else []),
            f"| variant | seeds | solved within {trials} | trials until then | ended at a wall | CPU-s a trial |",
            "| --- | --- | --- | --- | --- | --- |",
            *(self.line(name, [row for row in rows if row["variant"] == name]) for name in names),
            "",
            f"![solved after so many trials]({self.name}.png)",
            "",
            *(
                f"`{name}`: " + " ".join(f"{key}={value}" for key, value in settings_of(self.variants[name])) + "\n"
                for name in names
            ),
        ]
        return "\n".join(lines)

    def line(self, name: str, rows: list[Row]) -> str:
        """A variant's row of the table."""
        firsts = solved_at(rows)
        done = sorted(first for first in firsts if first is not None)
        by_agent = [row for row in rows if row["trial"] > 1]
        walled = [row["trial/outside"] for row in by_agent if "trial/outside" in row]
        wall = f"{int(sum(walled))} of {len(walled)} trials" if walled else ""
        cost = np.mean([row["processor seconds"] for row in by_agent]) if by_agent else float("nan")
        until = f"{np.median(done):g} (median), {done[-1]} (most)" if done else ""
        return f"| {name} | {len(firsts)} | {len(done)} of {len(firsts)} | {until} | {wall} | {cost:.0f} |"

    def present(self, rows: list[Row]) -> list[str]:
        """The variants that there are trials of."""
        return [name for name in self.variants if any(row["variant"] == name for row in rows)]

    def plot(self, rows: list[Row], trials: int, path: Path) -> None:
        """The part of the seeds that have solved the task after so many trials, by variant."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 3.5), layout="constrained")
        axes = figure.add_subplot()
        counts = np.arange(1, trials + 1)
        for number, name in enumerate(self.present(rows)):
            firsts = solved_at([row for row in rows if row["variant"] == name])
            part = [np.mean([first is not None and first <= count for first in firsts]) for count in counts]
            shift = 0.01 * number  # so that none hides another
            axes.step(counts, np.array(part) + shift, where="mid", marker="o", label=f"{name} ({len(firsts)} seeds)")
        axes.set(xlabel="trials, the first at random", ylabel="seeds that solved it", title=self.about)
        axes.set(xticks=counts, ylim=(-0.03, 1.06), yticks=np.linspace(0, 1, 6))
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small", loc="upper left")
        figure.savefig(path, dpi=110)


def rows_of(log: Path) -> list[Row]:
    """All trials so far."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def solved_at(rows: list[Row]) -> list[int | None]:
    """The trial that first solved the task, for each seed in `rows` of one variant."""
    seeds = sorted({row["seed"] for row in rows})
    return [min((r["trial"] for r in rows if r["seed"] == s and r["trial/solved"]), default=None) for s in seeds]


def ended(rows: list[Row], variant: str, seed: int, trials: int, stop: bool) -> bool:
    """Is that run over?"""
    mine = [row for row in rows if (row["variant"], row["seed"]) == (variant, seed)]
    return any(row["trial"] >= trials or (stop and row["trial/solved"]) for row in mine)


def told(row: Row) -> str:
    """A trial as a line."""
    shown = ("return/trial", "trial/solved", "trial/nearest", "trial/last", "trial/outside", "processor seconds")
    figures = "  ".join(f"{key} {row[key]:.3g}" for key in shown if key in row)
    return f"{row['variant']} seed {row['seed']} trial {row['trial']}  {figures}"
