"""A tournament of tasks as it goes on: a table that renews itself in a terminal, lines now and then anywhere else."""

import math
import time
from collections.abc import Callable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sakiyomi.arena.cli_going import pause_line
from sakiyomi.arena.tasks.episodes import Episode
from sakiyomi.arena.tasks.standings import Standing
from sakiyomi.arena.tasks.store import EpisodeRow
from sakiyomi.arena.tasks.tournament import TaskTournament
from sakiyomi.arena.tasks.words import figure

REFRESH = 1.0
"""Seconds between two tables, or ten times what the last one took."""
LINE_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""
MAX_RUNNING = 8
WIDE = 100
"""Columns of text that a terminal must have for all columns of the table."""


def follow_tasks(tournament: TaskTournament, console: Console) -> None:
    """Play `tournament` to its end, showing on `console` how it stands."""
    view = _View(tournament, console.width)
    if not console.is_terminal:
        for row in tournament.stream():
            if line := view.line(row):
                console.print(line)
        return
    with Live(get_renderable=view.screen, console=console, refresh_per_second=4, transient=True):
        for row in tournament.stream():
            view.note(row)


def task_table(standings: Sequence[Standing], title: str = "", absent: Sequence[str] = (), width: int = WIDE) -> Table:
    """The standings: IQM with its interval, mean, Elo from paired seeds with its interval, and how likely an episode is
    better than one of the next player (probability of improvement).

    The mean is left out where there are fewer than `WIDE` columns of text, failures where there are none.
    """
    table = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("player", overflow="fold", min_width=8)  # the one that gives way
    shown: list[tuple[str, bool, Callable[[Standing], str | Text]]] = [
        ("IQM", True, lambda row: Text(figure(row.iqm.value), style="bold")),
        ("95 %", True, lambda row: f"{figure(row.iqm.low)}..{figure(row.iqm.high)}"),
        ("mean", width >= WIDE, lambda row: figure(row.mean.value)),
        ("Elo", True, lambda row: f"{row.rating.elo:+.0f}" if row.rating else ""),
        ("95 %", True, lambda row: f"{row.rating.low:+.0f}..{row.rating.high:+.0f}" if row.rating else ""),
        ("better", True, lambda row: "" if math.isnan(row.better.value) else f"{100 * row.better.value:.1f} %"),
        ("played", True, lambda row: str(row.episodes)),
        ("failed", any(row.failed for row in standings), lambda row: str(row.failed)),
    ]
    columns = [(name, cell) for name, there, cell in shown if there]
    for name, _ in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for place, row in enumerate(standings, 1):
        table.add_row(str(place), Text(row.name), *(cell(row) for _, cell in columns))
    for name in absent:
        table.add_row("", Text(name), "", "no episode")
    return table


class _View:
    """What is shown, kept up to date by `note`."""

    def __init__(self, tournament: TaskTournament, width: int):
        self._tournament, self._width = tournament, width
        self._started = self._said = time.monotonic()
        self._next = -math.inf  # when the table is to be made again
        self._first: tuple[int, float] | None = None  # episodes stored when this run's first one ended, and when
        self._standings: list[Standing] = []
        self._last = ""

    def note(self, row: EpisodeRow) -> None:
        """An episode has ended."""
        if self._first is None:
            self._first = len(self._tournament.rows), time.monotonic()
        self._last = _sentence(row)
        if (now := time.monotonic()) > self._next:
            self._standings = self._tournament.standings()
            self._next = time.monotonic() + max(REFRESH, 10 * (time.monotonic() - now))

    def line(self, row: EpisodeRow) -> str:
        """One line of progress, "" while the last one is fresh."""
        if self._first is None:
            self._first = len(self._tournament.rows), time.monotonic()
        self._last = _sentence(row)
        now = time.monotonic()
        if now - self._said < LINE_EVERY and row.outcome.whole:
            return ""
        self._said = now
        return f"{self._progress()}  {self._last}"

    def screen(self) -> Group:
        """The table, the episodes now played, and how long it will take."""
        tournament = self._tournament
        table = task_table(self._standings, tournament.title, width=self._width)
        parts: list[Table | Text | ProgressBar] = [table, Text()]
        if line := pause_line(tournament.folder):
            parts.append(Text(f"  {line}"))
        for episode in tournament.running[:MAX_RUNNING]:
            parts.append(Text(f"  {_named(episode)}", style="dim"))
        if self._last:
            parts.append(Text(f"  {self._last}", style="dim"))
        parts += [ProgressBar(tournament.planned, len(tournament.rows), width=60), Text(f"  {self._progress()}")]
        return Group(*parts)

    def _progress(self) -> str:
        done, total = len(self._tournament.rows), self._tournament.planned
        now, left = time.monotonic(), ""
        if self._first and self._first[0] < done < total:
            one = (now - self._first[1]) / (done - self._first[0])
            left = f", about {_duration(one * (total - done))} left"
        return f"{done}/{total} episodes, {_duration(now - self._started)}{left}"


def _named(episode: Episode) -> str:
    return f"{episode.player} in {episode.task}, run {episode.run}"


def _sentence(row: EpisodeRow) -> str:
    """An episode in a few words."""
    if row.outcome.detail:
        return f"{_named(row.episode)}: {row.outcome.ending} ({row.outcome.detail})"
    return f"{_named(row.episode)}: return {figure(row.outcome.total)} in {row.outcome.steps} steps"


def _duration(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
