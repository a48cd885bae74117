"""A tournament as it goes on: a table that renews itself in a terminal, lines now and then anywhere else."""

import math
import time
from collections.abc import Iterable
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sakiyomi.arena.cli_going import pause_line
from sakiyomi.arena.match import Played
from sakiyomi.arena.rating.head_to_head import duel, pentanomial, trinomial
from sakiyomi.arena.rating.joint import Rating
from sakiyomi.arena.rating.printing import signed
from sakiyomi.arena.results import score_of
from sakiyomi.arena.schedules.sequential import SprtSchedule
from sakiyomi.arena.tournament import Tournament

REFRESH = 0.5
"""Seconds between two fits of the ratings for the table."""
LINE_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""
MAX_RUNNING = 8
PLAIN_WIDTH = 1000


def follow(tournament: Tournament, console: Console) -> None:
    """Play `tournament` to its end, showing on `console` how it stands."""
    view = _View(tournament)
    if not console.is_terminal:
        for played in tournament.stream():
            if line := view.line(played):
                console.print(line)
        return
    with Live(get_renderable=view.screen, console=console, refresh_per_second=4, transient=True):
        for played in tournament.stream():
            view.note(played)


def plain_console(stderr: bool = False, file: IO[str] | None = None, terminal: bool | None = None) -> Console:
    """A console that prints text as it is: no markup, no emoji for ``:100:``, and no wrapping outside a terminal."""
    console = Console(stderr=stderr, file=file, force_terminal=terminal, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console


def standings_table(ratings: Iterable[Rating], title: str = "", unrated: Iterable[str] = ()) -> Table:
    """The standings: Elo with 95 % interval, likelihood of superiority over the next, score, wins, draws, losses."""
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False
    )
    table.add_column("#", justify="right")
    table.add_column("player", overflow="ellipsis", no_wrap=True)
    for name in ("Elo", "95 % interval", "LOS", "score", "games", "won", "drawn", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    pool = 0
    for place, rating in enumerate(ratings, 1):
        if rating.pool != pool:  # ratings of players who never met, even through others, do not compare
            table.add_section()
            pool = rating.pool
        table.add_row(
            str(place),
            Text(rating.name),
            Text(f"{signed(rating.elo)}", style="bold"),
            f"{signed(rating.low)} .. {signed(rating.high)}",
            "" if math.isnan(rating.los) else f"{100 * rating.los:.1f} %",
            f"{100 * rating.score:.1f} %",
            *(str(number) for number in (rating.games, rating.wins, rating.draws, rating.losses)),
        )
    for name in unrated:
        table.add_row("", Text(name), "", "no rated game")
    return table


def test_line(tournament: Tournament) -> str:
    """How a sequential test stands, "" where there is none."""
    schedule = tournament.schedule
    if not isinstance(schedule, SprtSchedule):
        return ""
    test, (low, high) = schedule.test, schedule.test.bounds
    unit = "Elo" if test.scale == "logistic" else "normalized Elo"
    one, other = schedule.names
    line = f"LLR {schedule.llr:+.2f} of {low:.2f} .. {high:.2f} after {sum(schedule.counts)} pairs"
    line += f" [{' '.join(map(str, schedule.counts))}] of {one} against {other}"
    if schedule.verdict is None:
        return f"{line}: {test.elo0:g} or {test.elo1:g} {unit} is open"
    return f"{line}: {schedule.verdict} accepted, {test.elo1 if schedule.verdict == 'H1' else test.elo0:g} {unit}"


def duel_lines(tournament: Tournament) -> list[str]:
    """What the games of two players say of the first of them; nothing where there are more players or no games."""
    if len(tournament.names) != 2:
        return []
    one, other = tournament.names
    pairs: dict[int, list[float]] = {}
    for row in tournament.rows:
        score = score_of(row)
        if score is not None:
            pairs.setdefault(row.pairing.pair, []).append(score if row.pairing.first == one else 1 - score)
    games = trinomial([score for pair in pairs.values() for score in pair])
    if not sum(games):
        return []
    lost, drawn, won = games
    whole = pentanomial([(pair[0], pair[1]) for pair in pairs.values() if len(pair) == 2])
    found = duel(whole if sum(whole) > 1 else games)
    elo, low, high = (round(number, 1) + 0.0 for number in (found.elo, found.low, found.high))  # no "-0.0"
    lines = [
        f"{one} - {other}: +{won} ={drawn} -{lost}, {elo:+.1f} Elo, 95 % between {low:+.1f} and"
        f" {high:+.1f}, likelihood of superiority {100 * found.los:.1f} %"
    ]
    if sum(whole) > 1:
        lines.append(
            f"{sum(whole)} pairs by points 0, 1/2, 1, 3/2, 2: {', '.join(map(str, whole))};"
            f" normalized Elo {found.nelo:+.1f} +- {found.nelo_error:.1f}"
        )
    return lines


class _View:
    """What is shown, kept up to date by `note`."""

    def __init__(self, tournament: Tournament):
        self._tournament = tournament
        self._started = self._said = time.monotonic()
        self._fitted = -math.inf
        self._first: tuple[int, float] | None = None  # games stored when this run's first one ended, and when that was
        self._ratings: list[Rating] = []
        self._last = ""

    def note(self, played: Played) -> None:
        """A game has ended."""
        if self._first is None:
            self._first = len(self._tournament.rows), time.monotonic()
        self._last = _sentence(played)
        now = time.monotonic()
        if now - self._fitted > REFRESH:
            self._ratings = self._tournament.standings()
            self._fitted = time.monotonic()

    def line(self, played: Played) -> str:
        """One line of progress, "" while the last one is fresh."""
        self.note(played)
        now = time.monotonic()
        if now - self._said < LINE_EVERY and played.termination.fair:
            return ""
        self._said = now
        return f"{self._progress()}  {self._last}"

    def screen(self) -> Group:
        """The table, the games now played, and how long it will take."""
        tournament = self._tournament
        done, total = len(tournament.rows), tournament.schedule.planned
        parts: list[Table | Text | ProgressBar] = [standings_table(self._ratings, tournament.title), Text()]
        running = tournament.running
        if line := test_line(tournament):
            parts.append(Text(f"  {line}"))
        if line := pause_line(tournament.folder):
            parts.append(Text(f"  {line}"))
        elif self._first is None:
            parts.append(Text("starting workers; the first run on a machine compiles the rules, once", style="dim"))
        for pairing, plies in running[:MAX_RUNNING]:
            move = (plies + 1) // 2 if tournament.game.name in ("chess", "chess960") else plies
            parts.append(Text(f"  game {pairing.number}: {pairing.first} - {pairing.second}, move {move}", style="dim"))
        if self._last:
            parts.append(Text(f"  {self._last}", style="dim"))
        parts += [ProgressBar(total, done, width=60), Text(f"  {self._progress()}")]
        return Group(*parts)

    def _progress(self) -> str:
        done, total = len(self._tournament.rows), self._tournament.schedule.planned
        now = time.monotonic()
        left = ""
        if self._first and self._first[0] < done < total:  # what was compiled before the first game is left out
            a_game = (now - self._first[1]) / (done - self._first[0])
            left = f", about {_duration(a_game * (total - done))} left"
        return f"{done}/{total} games, {_duration(now - self._started)}{left}"


def _sentence(played: Played) -> str:
    """A game in a few words: "uct:800 - random B+R (resignation)"."""
    record = played.record
    return f"{record.players[0]} - {record.players[1]} {record.result} ({played.detail or record.ending})"


def _duration(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
