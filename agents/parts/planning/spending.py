"""What one decision of a planner may cost: a number of plans, or a time.

Planners improve plans in rounds; they ask after each whether it was the last. Without limits their own settings hold;
where there is a time or a flag alone, it takes the place of the number of rounds.
"""

import time
from collections.abc import Callable
from threading import Event

ROUNDS = 1000
"""Rounds where only a time or a flag ends them."""


def deadline(seconds: float | None = None, stop: Event | None = None) -> Callable[[], bool]:
    """Tells, whenever asked, whether `seconds` have passed since this call, or `stop` is set; None: never."""
    end = float("inf") if seconds is None else time.monotonic() + seconds
    return lambda: time.monotonic() >= end or (stop is not None and stop.is_set())


def rounds_of(population: int, rounds: int, simulations: int | None, open_end: bool) -> tuple[int, int]:
    """Plans a round and rounds, of which there are `simulations` plans in all at the most; None: as given.

    With an `open_end`, and no such number, there are `ROUNDS` rounds.
    """
    if simulations is None:
        return population, ROUNDS if open_end else rounds
    population = min(population, simulations)
    return population, simulations // population
