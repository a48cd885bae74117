"""What the benchmarks share: CPU time, the best of interleaved rounds, and a table of ratios."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass
class Measured:
    """One line of a benchmark: `rate` units a second (the best round), for us or for a peer."""

    what: str
    who: str
    rate: float
    unit: str


def best_rates(jobs: dict[str, Callable[[], float]], rounds: int = 7) -> dict[str, float]:
    """Units a CPU second of each job, the best of `rounds` rounds in which all take turns.

    A job does its work once and returns how many units that was; one that measures itself (a program of its own)
    returns a negative rate.
    """
    rates = dict.fromkeys(jobs, 0.0)
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.process_time()
            units = job()
            rate = -units if units < 0 else units / (time.process_time() - start)
            rates[name] = max(rates[name], rate)
    return rates


def show(title: str, unit: str, rates: dict[str, float], bars: dict[str, str] | None = None) -> None:
    """Print the rates, each as a ratio to ours (the first)."""
    ours = next(iter(rates.values()))
    table = Table(title=title, title_justify="left", caption=(bars or {}).get("note"), caption_justify="left")
    table.add_column("")
    table.add_column(unit, justify="right")
    table.add_column("sakiyomi is", justify="right")
    for i, (name, rate) in enumerate(rates.items()):
        table.add_row(name, f"{rate:,.0f}", "" if i == 0 else f"{ours / rate:.2f} x")
    Console().print(table)
