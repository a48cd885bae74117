"""The folder of a tournament: its database, and what is made from it for people and other programs.

    tournament.sqlite    the games; everything else can be made again from it
    games/0001 ....sgf   one record a game, written when the game ends; chess as .pgn, shogi as .csa and as .kif
    all-games.pgn        chess: all of them in one file, for other programs; of shogi all-games.csa
    standings.json       ratings, for programs
    report.html          standings, cross table and every game, for people
    workers.log          what players printed

Each file appears whole or not at all, so that a full disk leaves no half of one.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakiyomi.arena.schedules.schedule import Schedule
from sakiyomi.arena.store import Row, StoreError

if TYPE_CHECKING:
    from sakiyomi.arena.pages.figures import SprtState
    from sakiyomi.arena.rating.joint import Rating
    from sakiyomi.sgf.record import Record

RECORDS: dict[str, tuple[str, ...]] = {"chess": ("pgn",), "chess960": ("pgn",), "shogi": ("csa", "kif")}
"""The files, by their endings, in which records of a game are kept; of all games in one in the first of them. Others
are kept as SGF.
"""


_HALF = re.compile(r"\.(running\.json|standings\.json|report\.html|all-games\.[a-z]+)\.\w{8}", re.ASCII)
"""Names of the temporary files by way of which those of the folder are written."""


class Folder:
    """The folder `path`; made when first written to."""

    def __init__(self, path: Path):
        self.path = path
        self.database = path / "tournament.sqlite"
        self.games = path / "games"
        self.standings = path / "standings.json"
        self.report = path / "report.html"
        self.log = path / "workers.log"
        self.running = path / "running.json"
        self._pause = path / "pause"
        self._lock: int | None = None
        self._made: list[Path] = []

    def check(self) -> None:
        """Raises StoreError if there is no such folder and none can be made; makes nothing."""
        try:
            self.database.exists()  # raises for a name that is too long
            found = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
        except OSError as error:
            raise StoreError(f"{self.path}: this folder cannot be made ({error.strerror})") from error
        except ValueError as error:
            raise StoreError(f"{str(self.path)!r}: this folder cannot be made ({error})") from error
        if not found.is_dir():
            raise StoreError(f"{self.path}: this folder cannot be made ({found} is a file)")
        if not os.access(found, os.W_OK | os.X_OK):
            raise StoreError(f"{self.path}: nothing can be written to {found} by this user")

    def make(self, games: bool = True) -> None:
        """Make the folder, with one for records of `games` in it, and hold it for this process.

        Raises StoreError if another process holds it.
        """
        deepest = self.games if games else self.path
        self._made = [path for path in (deepest, self.path, *self.path.absolute().parents) if not path.exists()]
        try:
            deepest.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.unmake()
            raise StoreError(f"{self.path}: this folder cannot be made ({error.strerror})") from error
        try:
            self._lock = _held(self.path / ".lock")
        except BlockingIOError:
            raise StoreError(f"{self.path}: another tournament is running here") from None
        except OSError as error:
            self.unmake()
            raise StoreError(f"{self.path}: cannot be written ({error.strerror})") from error
        for leftover in self.path.glob(".*"):  # of a run that was killed while it wrote a file
            if _HALF.fullmatch(leftover.name):
                leftover.unlink(missing_ok=True)

    def unmake(self) -> None:
        """Let go of the folder, and remove what `make` made, as far as it is empty."""
        self.release()
        for path in self._made:
            with suppress(OSError):
                path.rmdir()

    def release(self) -> None:
        """Let others use the folder."""
        if self._lock is not None:
            with suppress(OSError):
                (self.path / ".lock").unlink()  # while it is held: whoever waits for this file takes a new one
            os.close(self._lock)
            self._lock = None

    @property
    def paused(self) -> bool:
        """Are no new games to be begun?"""
        return self._pause.exists()

    def pause(self) -> None:
        """Let a running tournament finish its games and begin no others. Raises StoreError where there is none."""
        if not self.database.exists():
            raise StoreError(f"{self.database}: no such tournament")
        with _clearly(self._pause):
            self._pause.touch()

    def proceed(self) -> None:
        """Let it go on. Raises StoreError where there is none."""
        if not self.database.exists():
            raise StoreError(f"{self.database}: no such tournament")
        with _clearly(self._pause):
            self._pause.unlink(missing_ok=True)

    def record_paths(self, row: Row) -> tuple[Path, ...]:
        """Where the records of a game stand."""
        names = "-".join(_file_name(name) for name in row.played.record.players)
        endings = RECORDS.get(row.played.record.game, ("sgf",))
        return tuple(self.games / f"{row.pairing.number:05d}-{names}.{ending}" for ending in endings)

    def write_record(self, row: Row, event: str) -> None:
        """Write the records of one game, with the tournament's name and the round in them."""
        from sakiyomi.sgf import save

        for path in self.record_paths(row):
            with _clearly(path):
                save(_tagged(row, event), path)

    def write_all_games(self, rows: Iterable[Row], event: str) -> None:
        """Write the records of all games of chess or shogi into one file, if there are any."""
        from sakiyomi.sgf import save

        records: dict[str, list[Record]] = {}
        for row in rows:
            if endings := RECORDS.get(row.played.record.game):
                records.setdefault(endings[0], []).append(_tagged(row, event))
        for ending, games in records.items():
            path = self.path / f"all-games.{ending}"
            with _clearly(path):
                save(games, path)

    def write_missing_records(self, rows: Iterable[Row], event: str) -> None:
        """Write the records of those games that have none, and remove what a killed run left half-written."""
        for leftover in self.games.glob(".*"):
            leftover.unlink()
        for row in rows:
            if not all(path.exists() for path in self.record_paths(row)):
                self.write_record(row, event)

    def write_standings(self, title: str, rows: list[Row], schedule: Schedule, table: "list[Rating]") -> None:
        """Write standings.json, with how a sequential test stands."""
        faults = [
            {"game": row.pairing.number, "termination": row.played.termination.value, "detail": row.played.detail}
            for row in rows
            if not row.played.termination.fair
        ]
        content = {
            "tournament": title,
            "games": len(rows),
            "planned": schedule.planned,
            "standings": [plain(asdict(rating)) for rating in table],
            "faults": faults,
        }
        self.write(self.standings, f"{json.dumps(content, indent=1, ensure_ascii=False)}\n")

    def write(self, path: Path, text: str) -> None:
        """Write a file of the folder, which appears whole or not at all. Raises StoreError."""
        from sakiyomi.sgf.writing import write_whole

        with _clearly(path):
            write_whole(path, text.encode())

    def write_report(self, title: str, rows: list[Row], planned: int, test: "SprtState | None" = None) -> None:
        """Write report.html; `planned` is how many games there will be, `test` how a sequential test stands."""
        from sakiyomi.arena.pages.report import write_report

        games, numbers = [row.played for row in rows], [row.pairing.number for row in rows]
        with _clearly(self.report):
            write_report(self.report, title, games, planned=planned, numbers=numbers, test=test)


def _held(path: Path) -> int:
    """The file `path`, open and locked for this process until it ends, whatever ends it.

    Raises BlockingIOError if another one holds it, and OSError if it cannot be opened.
    """
    import fcntl

    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise
        if _stands(path, handle):
            return handle
        os.close(handle)  # who held the file has just removed it


def _stands(path: Path, handle: int) -> bool:
    """Is the open file still the one at `path`?"""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _tagged(row: Row, event: str) -> "Record":
    """The record of a game, with what the tournament knows of it."""
    record = row.played.record
    tags = {**record.tags, "event": event, "round": str(row.pairing.number), "date": row.finished[:10]}
    return replace(record, tags=tags)


def _file_name(name: str) -> str:
    """A player's name as part of a file's: letters and digits, at most 90 bytes, of 255 that a system allows."""
    return re.sub(r"[^\w.+]+", "_", name).strip("_").encode()[:90].decode("utf-8", "ignore")


def plain(entry: dict[str, Any]) -> dict[str, Any]:
    """`entry` as JSON can say it: NaN becomes null."""
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in entry.items()}


@contextmanager
def _clearly(path: Path) -> Iterator[None]:
    """Turn what the system says of a file into one line with what can be done."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); the games are safe in the database, so free some space"
            " and resume"
        ) from error
