"""Runs of GP-MPC that are compared: some variants, some seeds, each until it has solved the task or had its trials.

Trials are counted with the random one, as in the paper. Every trial becomes a line of runs/NAME/trials.jsonl at once;
started again, it goes on with the runs that are not done. Results are docs/results/NAME.md and NAME.json, or lie in
the folder given.
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
    """Variants of GP-MPC on one task, by name; `stop` ends a run with the trial that solves the task."""

    name: str
    about: str
    task: Task
    variants: Mapping[str, Config]
    trials: int = 5
    seeds: int = 10
    stop: bool = True

    def main(self) -> None:
        """Run what the command line says."""
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument("--seeds", type=int, default=self.seeds, help="from 0 on (default %(default)s)")
        parser.add_argument("--trials", type=int, default=self.trials, help="the random one included")
        parser.add_argument("--variants", nargs="*", choices=list(self.variants), default=list(self.variants))
        parser.add_argument("--out", type=Path, help="folder of the runs and the page (default runs/NAME)")
        parser.add_argument("--quick", action="store_true", help="two seeds, three trials, fewer iterations")
        chosen = parser.parse_args()
        torch.set_num_threads(1)  # the matrices are small
        seeds, trials = (2, 3) if chosen.quick else (chosen.seeds, chosen.trials)
        log = (chosen.out or Path("runs") / self.name) / ("quick.jsonl" if chosen.quick else "trials.jsonl")
        log.parent.mkdir(parents=True, exist_ok=True)
        for seed in range(seeds):
            for variant in chosen.variants:
                config = self.variants[variant]
                if chosen.quick:
                    config = replace(config, iterations=4, first_starts=1, fits=1)
                if not ended(rows_of(log), variant, seed, trials, self.stop):
                    self.run(variant, config, seed, trials, log)
        page = self.page(rows_of(log), trials)
        print(page)
        results = chosen.out or (log.parent if chosen.quick else RESULTS)
        results.mkdir(parents=True, exist_ok=True)
        (results / f"{self.name}.md").write_text(page, encoding="utf-8")
        (results / f"{self.name}.json").write_text(json.dumps(rows_of(log), indent=1) + "\n", encoding="utf-8")

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
        names = [name for name in self.variants if any(row["variant"] == name for row in rows)]
        lines = [
            f"# {self.about}",
            "",
            f"`python benchmarks/learning/{self.name.replace('-', '_')}.py` on one core ({platform.machine()},"
            f" {os.cpu_count()} cores shared). Trials are counted with the random one.",
            "",
            f"| variant | seeds | solved within {trials} | trials until then | ended at a wall | CPU-s a trial |",
            "| --- | --- | --- | --- | --- | --- |",
            *(self.line(name, [row for row in rows if row["variant"] == name]) for name in names),
            "",
            *(
                f"`{name}`: " + " ".join(f"{key}={value}" for key, value in settings_of(self.variants[name])) + "\n"
                for name in names
            ),
        ]
        return "\n".join(lines)

    def line(self, name: str, rows: list[Row]) -> str:
        """A variant's row of the table."""
        seeds = sorted({row["seed"] for row in rows})
        firsts = [min((r["trial"] for r in rows if r["seed"] == s and r["trial/solved"]), default=None) for s in seeds]
        done = sorted(first for first in firsts if first is not None)
        by_agent = [row for row in rows if row["trial"] > 1]
        walled = [row["trial/outside"] for row in by_agent if "trial/outside" in row]
        wall = f"{int(sum(walled))} of {len(walled)} trials" if walled else ""
        cost = np.mean([row["processor seconds"] for row in by_agent]) if by_agent else float("nan")
        until = f"{np.median(done):g} (median), {done[-1]} (most)" if done else ""
        return f"| {name} | {len(seeds)} | {len(done)} of {len(seeds)} | {until} | {wall} | {cost:.0f} |"


def rows_of(log: Path) -> list[Row]:
    """All trials so far."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def ended(rows: list[Row], variant: str, seed: int, trials: int, stop: bool) -> bool:
    """Is that run over?"""
    mine = [row for row in rows if (row["variant"], row["seed"]) == (variant, seed)]
    return any(row["trial"] >= trials or (stop and row["trial/solved"]) for row in mine)


def told(row: Row) -> str:
    """A trial as a line."""
    shown = ("return/trial", "trial/solved", "trial/nearest", "trial/last", "trial/outside", "processor seconds")
    figures = "  ".join(f"{key} {row[key]:.3g}" for key in shown if key in row)
    return f"{row['variant']} seed {row['seed']} trial {row['trial']}  {figures}"
