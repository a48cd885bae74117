"""Aggregates over runs and tasks, with stratified bootstrap intervals: pure functions of scores.

Definitions are those of Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice"
(NeurIPS 2021), and of rliable, the package that came with it; the tests hold these functions to its figures.

Scores are one array per task, of that task's runs; rliable's matrix [runs, tasks] is ``list(matrix.T)``. Tasks may have
different numbers of runs, as they have while a tournament goes on.

A bootstrap replicate is told by how often it holds each run. So all functions take `counts` [B, n] for each task's n
runs, and give B values; without counts each run counts once, and there is one value.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Scores = Sequence[Floats]
Counts = Sequence[Floats]

LIVE, FINAL = 2_000, 50_000
"""Bootstrap replicates of a table that is soon out of date, and of one that stays."""
DRAWS = 100_000_000
"""Runs drawn for one interval by those who take `enough` replicates: seconds."""
CHUNK = 1 << 18
"""Counts held in memory at once."""


class Estimate(NamedTuple):
    """A figure, or an array of them, with the ends of its interval."""

    value: Any
    low: Any
    high: Any


def mean(scores: Scores, counts: Counts | None = None) -> Floats:
    """The mean over tasks of the mean over runs."""
    return np.asarray(_task_means(scores, counts).mean(-1))


def median(scores: Scores, counts: Counts | None = None) -> Floats:
    """The median over tasks of the mean over runs."""
    return np.asarray(np.median(_task_means(scores, counts), axis=-1))


def iqm(scores: Scores, counts: Counts | None = None) -> Floats:
    """The interquartile mean: that of the middle half of all runs of all tasks.

    A quarter of the runs, rounded down, is left out at either end.
    """
    pooled = np.concatenate(scores)
    order = np.argsort(pooled, kind="stable")
    reached = np.cumsum(np.concatenate(_counts(scores, counts), axis=-1)[..., order], axis=-1)
    cut = len(pooled) // 4
    kept = np.diff(np.clip(reached, cut, len(pooled) - cut), prepend=cut, axis=-1)
    return np.asarray(kept @ pooled[order] / (len(pooled) - 2 * cut))


def optimality_gap(scores: Scores, counts: Counts | None = None, *, optimum: float = 1.0) -> Floats:
    """By how much runs miss `optimum` on the average, those beyond it counting as there."""
    lacking = sum(c @ np.minimum(s, optimum) for s, c in zip(scores, _counts(scores, counts), strict=True))
    return np.asarray(optimum - lacking / _runs(scores))


def profile(scores: Scores, thresholds: ArrayLike, counts: Counts | None = None) -> Floats:
    """[..., T] the share of all runs of all tasks with a score over each of T thresholds: the performance profile."""
    taus = np.asarray(thresholds, np.float64)
    over = sum(c @ (s[:, None] > taus) for s, c in zip(scores, _counts(scores, counts), strict=True))
    return np.asarray(over / _runs(scores))


def improvement(
    scores: Scores, others: Scores, counts: Counts | None = None, other_counts: Counts | None = None
) -> Floats:
    """The probability of improvement: that a run of `scores` beats one of `others` in a task drawn at random.

    In each task it is the Mann-Whitney statistic over the number of pairs, in which equal scores are half a win.
    Raises ValueError unless both have the same tasks.
    """
    if len(scores) != len(others):
        raise ValueError(f"both must have the same tasks, got {len(scores)} and {len(others)}")
    found = [
        _beaten(x, y, cx, cy) / (len(x) * len(y))
        for x, y, cx, cy in zip(scores, others, _counts(scores, counts), _counts(others, other_counts), strict=True)
    ]
    return np.asarray(np.mean(found, axis=0))


def bootstrap(
    statistic: Callable[..., Floats], *samples: Scores, replicates: int = FINAL, seed: int = 0, level: float = 0.95
) -> Estimate:
    """The statistic of `samples` with percentile intervals, by drawing the runs of each task, of each sample, anew.

    It is called as ``statistic(*samples)`` and ``statistic(*samples, *counts)``. The same seed gives the same interval.
    """
    rng = np.random.default_rng(seed)
    size = sum(_runs(scores) for scores in samples)
    pieces = []
    for start in range(0, replicates, max(1, CHUNK // size)):
        count = min(max(1, CHUNK // size), replicates - start)
        drawn = [[resampled(len(runs), count, rng) for runs in scores] for scores in samples]
        pieces.append(statistic(*samples, *drawn))
    tails = [100 * (1 - level) / 2, 100 * (1 + level) / 2]
    low, high = np.percentile(np.concatenate(pieces), tails, axis=0)
    return Estimate(statistic(*samples), low, high)


def enough(replicates: int, *samples: Scores) -> int:
    """So many replicates, or as many as `DRAWS` allows where there are very many runs; `LIVE` at least, if so many."""
    return min(replicates, max(LIVE, DRAWS // sum(map(_runs, samples))))


def resampled(runs: int, replicates: int, rng: np.random.Generator) -> Floats:
    """[replicates, runs] how often each of the runs is in each replicate of as many, drawn with replacement."""
    drawn = rng.integers(0, runs, (replicates, runs)) + runs * np.arange(replicates)[:, None]
    counted = np.bincount(drawn.ravel(), minlength=replicates * runs)
    return counted.reshape(replicates, runs).astype(np.float64)


def _beaten(x: Floats, y: Floats, counts_x: Floats, counts_y: Floats) -> Floats:
    """[...] how many pairs x wins, equal ones counting half."""
    order = np.argsort(y, kind="stable")
    below = np.cumsum(counts_y[..., order], axis=-1)
    below = np.concatenate([np.zeros((*below.shape[:-1], 1)), below], axis=-1)
    left, right = (np.searchsorted(y[order], x, side) for side in ("left", "right"))
    return np.asarray((counts_x * (below[..., left] + below[..., right])).sum(-1) / 2)


def _task_means(scores: Scores, counts: Counts | None) -> Floats:
    """[..., tasks]"""
    means = [c @ s / len(s) for s, c in zip(scores, _counts(scores, counts), strict=True)]
    return np.stack(means, axis=-1)


def _counts(scores: Scores, counts: Counts | None) -> Counts:
    return [np.ones(len(runs)) for runs in scores] if counts is None else counts


def _runs(scores: Scores) -> int:
    return sum(len(runs) for runs in scores)
