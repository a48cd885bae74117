"""A tournament on disk as it grows: read again and again, only what is new, not by the process that plays.

The store is opened for reading alone and closed after each look, so that nothing ever waits for a page. The more there
is to do, the longer are the rests: looking takes at most a fifth of a processor, and the figures at most a tenth.
"""

import math
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from threading import Lock
from typing import Any

from sakiyomi.arena.config import config_of
from sakiyomi.arena.folder import Folder
from sakiyomi.arena.match import Played, Termination
from sakiyomi.arena.pages.figures import Entry, SprtState, figures
from sakiyomi.arena.pages.film_data import Lists, with_films
from sakiyomi.arena.pages.running import begins, running_games, runs
from sakiyomi.arena.results import score_of, title_of
from sakiyomi.arena.schedules.schedule import Opening, Schedule
from sakiyomi.arena.schedules.sequential import SprtSchedule
from sakiyomi.arena.schedules.spec import parse_schedule
from sakiyomi.arena.store import Row, Store, StoreError
from sakiyomi.sgf.record import Record

LOOK = 0.4
"""Seconds between two looks at the store, at least."""
FIGURES = 1.0
"""Seconds between two fits of the ratings, at least."""
SURE = 5.0  # seconds after which the store is read even if its files seem unchanged
SHOWN = 12  # games shown while they run
_LARGEST = 2**63 - 1  # number that a store can be asked for
_RECENT = 64  # games that tell how fast others will be


@dataclass(frozen=True)
class Status:
    """How far a tournament is: `state` is "running", "paused", "stopped" or "finished"; `left` the seconds that it will
    take, if that can be told.
    """

    state: str
    done: int
    planned: int
    left: float | None = None

    @property
    def share(self) -> float:
        """The share of the games that are played."""
        return min(self.done / self.planned, 1.0) if self.planned else 1.0


class Watched:
    """The tournament in `path`, as far as it has been read; its methods may be called by several threads.

    `arrived` are its games in the order in which they were read, a game that was played again standing there twice;
    `rows` the same for the page's script, `lists` what they name by places. `mark` begins every event's name: it is
    another after the server, or the tournament, has begun anew. `trouble` says why the store cannot be read, or is "".
    """

    def __init__(self, path: Path):
        self.path = path
        self.folder = Folder(path)
        self.title = path.name
        self._look = Rests(LOOK, 4)
        self._fit = Rests(FIGURES, 9)
        self._lock = Lock()
        self._fitting = Lock()
        self._begin()

    def _begin(self) -> None:
        """Know nothing yet."""
        self.mark = secrets.token_hex(4)
        self.game = ""
        self.trouble = ""
        self.arrived: list[Entry] = []
        self.rows: list[list[Any]] = []
        self.lists = Lists()
        self._finished: dict[int, str] = {}
        self._settled = 0  # up to this number all games are known, and will not be played again
        self._entries: dict[int, Entry] = {}
        self._scores: dict[int, float | None] = {}
        self._config: dict[str, Any] = {}
        self._schedule: Schedule | None = None
        self._seen: tuple[Any, ...] = ()
        self._fits: dict[int, dict[str, float]] = {}
        self._figures: tuple[int, dict[str, Any]] = (-1, figures([]))

    def refresh(self) -> None:
        """Read what is new, unless this was done just now."""
        with self._lock:
            if self._look.due:
                with self._look:
                    self._read()

    def _read(self) -> None:
        seen = (*database_stamp(self.folder), time.monotonic() // SURE)
        if seen == self._seen:
            return
        try:
            with Store.open(self.folder.database, whole=not self._seen) as store:
                last = self._settled
                finished = store.finished(last - 1)
                if last and finished.get(last) != self._finished[last]:  # another tournament took this one's place
                    self._begin()
                    finished = store.finished()
                self._configure(config_of(store))
                new = [number for number, when in finished.items() if self._finished.get(number) != when]
                for number in new:
                    row = store.row(number)
                    if row is not None:
                        self._add(row)
        except (StoreError, ValueError) as error:
            self.trouble = str(error)
        else:
            self.trouble = ""
            self._seen = seen
            self._settle()

    def _configure(self, config: dict[str, Any]) -> None:
        if config == self._config:
            return
        names = [name for name, _ in config["players"]]
        self.title, self.game = title_of(config["game"], names), config["game"]
        self.lists.players += [name for name in names if name not in self.lists.players]
        self._config, self._schedule = config, None

    def _add(self, row: Row) -> None:
        number = row.pairing.number
        entry = Entry.of(number, row.played)
        if number in self._entries:
            self._schedule = None  # it has counted the game that this one replaces
            self._fits.clear()
        self._entries[number], self._finished[number] = entry, row.finished
        self._scores[number] = score_of(row)
        self.rows.append(self.lists.row(entry))
        self.arrived.append(entry)

    def _settle(self) -> None:
        while (entry := self._entries.get(self._settled + 1)) and entry.played.termination.rated:
            self._settled += 1

    @property
    def status(self) -> Status:
        """How far the tournament is."""
        with self._lock:
            schedule, done = self._scheduled(), len(self._entries)
            planned = schedule.planned if schedule else done
            if done >= planned and schedule:
                return Status("finished", done, planned)
            if not (runs(self.folder) or (not done and begins(self.folder))):
                return Status("stopped", done, planned)
            if self.folder.paused:
                return Status("paused", done, planned)
            gap = pace(sorted(self._finished.values())[-_RECENT:])
            most = isinstance(schedule, SprtSchedule)  # which ends sooner, nobody knows when
            return Status("running", done, planned, None if gap is None or most else gap * (planned - done))

    def _scheduled(self) -> Schedule | None:
        if self._schedule is None and self._config:
            names = [name for name, _ in self._config["players"]]
            form = parse_schedule(self._config["schedule"])
            self._schedule = form.make(names, self._config["games"], (Opening(),), self._config["stages"])
        if self._schedule is not None:
            self._schedule.pairings(self._scores)
        return self._schedule

    def figures(self) -> tuple[int, dict[str, Any]]:
        """What `figures` finds in all games read, with a number that changes when it does; not always the newest."""
        with self._fitting:
            if self._figures[0] != len(self.arrived) and (self._figures[0] <= 0 or self._fit.due):
                with self._lock:
                    entries = [self._entries[number] for number in sorted(self._entries)]
                    version, schedule = len(self.arrived), self._scheduled()
                    planned = schedule.planned if schedule else None
                    test = _test_state(schedule)
                    order = [entry for entry in self.arrived if self._entries[entry.number] is entry]
                with self._fit:
                    shown = figures(entries, planned=planned, test=test, order=order, fits=self._fits)
                    self._figures = version, shown
            return self._figures

    def data(self) -> tuple[int, dict[str, Any]]:
        """All games for the page's script, and how many have arrived."""
        with self._lock:
            latest = {entry.number: row for entry, row in zip(self.arrived, self.rows, strict=True)}
            numbers = sorted(latest)
            return len(self.arrived), self.lists.data(numbers, [latest[number] for number in numbers])

    def news(self, known: int, most: int) -> tuple[int, dict[str, Any]]:
        """At most `most` games that have arrived after the first `known`, and how many are then known."""
        with self._lock:
            part = slice(known, known + most)
            numbers = [entry.number for entry in self.arrived[part]]
            return known + len(numbers), self.lists.data(numbers, self.rows[part])

    def entries(self) -> list[Entry]:
        """The games that have been read, by number."""
        with self._lock:
            return [self._entries[number] for number in sorted(self._entries)]

    def film(self, number: int) -> dict[str, Any] | None:
        """One game with its film. Raises StoreError."""
        row = self.row(number)
        if row is None:
            return None
        return with_films([Entry.of(number, row.played)], [row.played], self.lists.players)

    def row(self, number: int) -> Row | None:
        """One game as it is stored. Raises StoreError."""
        if number > _LARGEST:
            return None
        with Store.open(self.folder.database, whole=False) as store:
            return store.row(number)

    def all_rows(self) -> list[Row]:
        """All games as they are stored. Raises StoreError."""
        with Store.open(self.folder.database) as store:
            return list(store.rows())

    def running(self) -> dict[str, Any]:
        """The games being played, as `Lists.data` has them, with `clocks` and `since` for each."""
        found = [entry for entry in running_games(self.folder) if entry["number"] not in self._finished][:SHOWN]
        games = []
        for entry in found:
            record = Record(self.game, entry["moves"], entry["setup"], players=entry["players"])
            games.append(Played(record, Termination.INTERRUPTED))
        entries = [Entry.of(entry["number"], game) for entry, game in zip(found, games, strict=True)]
        more = {key: [entry[key] for entry in found] for key in ("clocks", "since")}
        return with_films(entries, games, self.lists.players) | more


class Rests:
    """Keeps a task to `least` seconds from its end to its next beginning, or `times` as long as it took."""

    def __init__(self, least: float, times: float):
        self._least, self._times = least, times
        self._began = self._next = -math.inf

    @property
    def due(self) -> bool:
        """Has it rested long enough?"""
        return time.monotonic() >= self._next

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *error: object) -> None:
        now = time.monotonic()
        self._next = now + max(self._least, self._times * (now - self._began))


def pace(finished: list[str]) -> float | None:
    """Seconds from game to game, of games that were finished at these times; a pause among them does not count."""
    times = [datetime.fromisoformat(when).timestamp() for when in finished]
    gaps = [after - before for before, after in pairwise(times)]
    if not gaps:
        return None
    most = max(60.0, 20 * median(gaps))
    while gaps and max(gaps) > most:
        gaps = gaps[gaps.index(max(gaps)) + 1 :]
    return sum(gaps) / len(gaps) if gaps else None


def _test_state(schedule: Schedule | None) -> SprtState | None:
    if not isinstance(schedule, SprtSchedule):
        return None
    one, other = schedule.names
    return SprtState(schedule.test, one, other, tuple(schedule.counts), schedule.verdict)


def database_stamp(folder: Folder) -> tuple[tuple[int, int] | None, ...]:
    """Changes when the store is written to."""
    return tuple(map(_stamp, (folder.database, folder.database.with_name(f"{folder.database.name}-wal"))))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
