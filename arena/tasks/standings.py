"""How the players of tasks stand: aggregates of their scores, who beats whom, and ratings from paired seeds.

All are pure functions of the episodes played. A score is a return, or a normalised one where the tournament gives a
task's `scales`: (return - low) / (high - low).

An episode that a player broke off by its own fault is the worst there is: in the aggregates it scores as the worst
whole episode that anybody played in that task; against any whole episode it loses; two such are equal. An episode that
nobody is to blame for does not count at all.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sakiyomi.arena.rating.joint import Rating, fit
from sakiyomi.arena.tasks import statistics
from sakiyomi.arena.tasks.statistics import Counts, Estimate, Floats, Scores
from sakiyomi.arena.tasks.store import EpisodeRow
from sakiyomi.sgf.record import Record

Scales = Mapping[str, tuple[float, float]]
"""The returns that are to be 0 and 1, by task."""


@dataclass(frozen=True)
class Standing:
    """A player's place in the table. `better` is the probability of improvement over the next one, nan for the last.

    Of `iqm`, `mean`, `median`, `gap` (optimality gap; nan unless scores are normalised) and `better` there are 95 %
    bootstrap intervals. `rating` is from paired seeds, None where there is nobody to compare with. `episodes` count,
    `failed` of them by the player's fault; `seconds` is the mean thinking time of an episode.
    """

    name: str
    iqm: Estimate
    mean: Estimate
    median: Estimate
    gap: Estimate
    better: Estimate
    rating: Rating | None
    episodes: int
    failed: int
    seconds: float


class Table:
    """The scores of a tournament by player and task; `players` are those with any, in the order given."""

    def __init__(
        self, rows: Iterable[EpisodeRow], tasks: Sequence[str], players: Sequence[str], scales: Scales | None = None
    ):
        self.rows = [row for row in rows if row.outcome.counts]
        self.scales = dict(scales or {})
        self._runs: dict[tuple[str, str], dict[int, float]] = {}  # -inf where the player failed
        for row in self.rows:
            episode = row.episode
            low, high = self.scales.get(episode.task, (0.0, 1.0))
            score = (row.outcome.total - low) / (high - low) if row.outcome.whole else -math.inf
            self._runs.setdefault((episode.player, episode.task), {})[episode.run] = score
        self.tasks = [task for task in tasks if any((name, task) in self._runs for name in players)]
        self.players = [name for name in players if any((name, task) in self._runs for task in self.tasks)]
        self._worst = {task: self._worst_of(task) for task in self.tasks}

    @property
    def normalised(self) -> bool:
        """Have all tasks a scale, so that 1 means the same in all?"""
        return bool(self.tasks) and all(task in self.scales for task in self.tasks)

    def ranked(self, name: str, tasks: Sequence[str] | None = None) -> Scores:
        """The scores of a player in each of `tasks` (all it has played), -inf where it failed: for comparisons."""
        found = [self._runs.get((name, task), {}) for task in (self.tasks if tasks is None else tasks)]
        return [np.array([runs[run] for run in sorted(runs)]) for runs in found if runs]

    def scores(self, name: str) -> Scores:
        """The scores of a player in each task that it has played, the worst of the task where it failed."""
        played = [task for task in self.tasks if (name, task) in self._runs]
        return [np.maximum(s, self._worst[task]) for s, task in zip(self.ranked(name), played, strict=True)]

    def task_scores(self, name: str, task: str) -> Floats:
        """The scores of a player in one task, by run; see `scores`."""
        found = self.ranked(name, [task])
        return np.maximum(found[0], self._worst[task]) if found else np.array([])

    def improvement(self, name: str, other: str, replicates: int) -> Estimate:
        """The probability that `name` beats `other` in a task that both have played; nan if there is none."""
        both = [task for task in self.tasks if (name, task) in self._runs and (other, task) in self._runs]
        if not both:
            return Estimate(math.nan, math.nan, math.nan)
        samples = self.ranked(name, both), self.ranked(other, both)
        count = statistics.enough(replicates, *samples)
        return Estimate(*map(float, statistics.bootstrap(statistics.improvement, *samples, replicates=count)))

    def pairs(self) -> Counter[tuple[str, str, float]]:
        """How often each player beat (1), drew with (1/2) or lost to (0) each other one in the same run of a task."""
        found: Counter[tuple[str, str, float]] = Counter()
        for one, other in combinations(sorted(self.players), 2):
            for task in self.tasks:
                mine, theirs = (self._runs.get((name, task), {}) for name in (one, other))
                for run in mine.keys() & theirs.keys():
                    found[one, other, (1 + np.sign(_difference(mine[run], theirs[run]))) / 2] += 1
        return found

    def ratings(self) -> list[Rating]:
        """Elo from the pairs: each player against each other with the same seed is one game, without any first move."""
        games = self.games()
        return fit(games, advantage=False).table() if games else []

    def games(self) -> list[Record]:
        """The pairs as games of the two players."""
        found: list[Record] = []
        for (one, other, score), count in self.pairs().items():
            found += count * [Record("task", result=_RESULTS[score], players=(one, other))]
        return found

    def standings(self, replicates: int = statistics.FINAL) -> list[Standing]:
        """The table, by interquartile mean, best first."""
        ratings = {rating.name: rating for rating in self.ratings()}
        aggregates = {name: self._aggregates(name, replicates) for name in self.players}
        order = sorted(self.players, key=lambda name: -aggregates[name][0].value)
        found = []
        for place, name in enumerate(order, 1):
            mine = [row.outcome for row in self.rows if row.episode.player == name]
            better = self.improvement(name, order[place], replicates) if place < len(order) else _NONE
            failed, seconds = sum(not each.whole for each in mine), float(np.mean([each.seconds for each in mine]))
            found.append(Standing(name, *aggregates[name], better, ratings.get(name), len(mine), failed, seconds))
        return found

    def _aggregates(self, name: str, replicates: int) -> tuple[Estimate, Estimate, Estimate, Estimate]:
        """IQM, mean, median, optimality gap."""
        scores = self.scores(name)
        count = statistics.enough(replicates, scores)
        found = statistics.bootstrap(_all_aggregates, scores, replicates=count)
        one, two, three, gap = (Estimate(*(float(column[i]) for column in found)) for i in range(4))
        return one, two, three, gap if self.normalised else _NONE

    def _worst_of(self, task: str) -> float:
        """The least score of a whole episode in that task; 0 if there is none."""
        scores = [score for (_, where), runs in self._runs.items() if where == task for score in runs.values()]
        return min((score for score in scores if math.isfinite(score)), default=0.0)


_RESULTS = {1.0: "1-0", 0.5: "1/2-1/2", 0.0: "0-1"}
_NONE = Estimate(math.nan, math.nan, math.nan)


def _all_aggregates(scores: Scores, counts: Counts | None = None) -> Floats:
    """[..., 4]"""
    parts = (statistics.iqm, statistics.mean, statistics.median, statistics.optimality_gap)
    return np.stack([part(scores, counts) for part in parts], axis=-1)


def _difference(one: float, other: float) -> float:
    return 0.0 if one == other else one - other  # also for two failures, which are both -inf
