"""A tournament on disk: one SQLite file, one transaction a game, which a killed tournament resumes from.

The file is the only truth; records, standings and the report are made from it again. Write-ahead logging lets
others read while a tournament writes. What is written is the system's at once, so that ``kill -9`` loses nothing; it is
on the disk after each game, but where games end within `SYNC` seconds of each other after the last of these, so that a
power cut costs such games at the most. They are played again, the same by their seeds.
"""

import json
import math
import re
import shlex
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Self

from sakiyomi.arena.errors import Failure
from sakiyomi.arena.match import Played, Termination, one_line
from sakiyomi.arena.schedules.schedule import Opening, Pairing
from sakiyomi.sgf.record import Record

APPLICATION_ID = 0x53414B49  # "SAKI"
VERSION = 3
READABLE = (2, VERSION)
"""Formats that can be read; the second had no comments."""
SYNC = 1.0
"""Seconds between two waits for the disk: quick games are not to wait for it each."""

_TOURNAMENT = """
CREATE TABLE tournament (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    config TEXT NOT NULL,          -- JSON
    config_hash TEXT NOT NULL
);
"""

_SCHEMA = """
CREATE TABLE games (
    number INTEGER PRIMARY KEY,    -- of the schedule, from 1
    pair INTEGER NOT NULL,         -- shared by the two games of a colour-swapped pair
    first TEXT NOT NULL,           -- who moves first
    second TEXT NOT NULL,
    game TEXT NOT NULL,
    opening TEXT NOT NULL,         -- moves, separated by blanks; before them "SETUP |" if there is a setup
    moves TEXT NOT NULL,           -- all moves, those of the opening first
    result TEXT NOT NULL,
    ending TEXT NOT NULL,
    termination TEXT NOT NULL,
    detail TEXT NOT NULL,          -- what went wrong, in words
    tags TEXT NOT NULL,            -- JSON
    first_seconds REAL NOT NULL,   -- thinking time
    second_seconds REAL NOT NULL,
    started TEXT NOT NULL,         -- UTC, ISO 8601
    finished TEXT NOT NULL,
    comments TEXT NOT NULL DEFAULT '',  -- JSON, by the number of moves before each; '' in games of format 2
    checksum TEXT NOT NULL         -- SHA-256 of the other values as a JSON array, in this order, '' left out
);
"""

COLUMNS = (
    "number, pair, first, second, game, opening, moves, result, ending, termination, detail, tags, "
    "first_seconds, second_seconds, started, finished"
)
"""All but comments and checksum."""


class StoreError(Failure):
    """The file cannot be read or written, is damaged, or is not a tournament; one line says what and where."""


@dataclass(frozen=True)
class Row:
    """One finished game of a tournament; times are UTC in ISO 8601."""

    pairing: Pairing
    played: Played
    started: str
    finished: str


def utc_now() -> str:
    """The time as it stands in the store."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def utc_text(seconds: float) -> str:
    """A time in seconds since the epoch as it stands in the store."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


class Database:
    """One tournament in the file `path`; close it after use, or use it in a ``with``.

    `create` makes a new file, `open` opens one. All methods raise StoreError. What the tournament consists of, and how
    its tables are laid out, is up to the subclasses.
    """

    application_id: ClassVar[int]
    readable: ClassVar[tuple[int, ...]]
    """The formats that can be read; the last of them is written."""
    schema: ClassVar[str]
    what: ClassVar[str]
    """It in words, for who opens something else."""

    def __init__(self, path: Path, connection: sqlite3.Connection, writing: bool = False):
        self.path = path
        self._connection = connection
        self._writing = writing
        self._synced = -math.inf

    @classmethod
    def create(cls, path: Path | None, config: Mapping[str, Any]) -> Self:
        """A new tournament with this configuration (JSON values); in memory if `path` is None.

        Raises StoreError if the file exists.
        """
        if path is None:
            connection = sqlite3.connect(":memory:", isolation_level=None)
            cls._lay_out(connection, config)
            return cls(Path(":memory:"), connection)
        if path.exists():
            raise StoreError(f"{path} exists already")
        # Made under another name: killed at any moment, it leaves a whole tournament or none.
        unborn = path.with_name(f".{path.name}.new")
        try:
            unborn.unlink(missing_ok=True)
            with clearly(path):
                connection = sqlite3.connect(unborn, isolation_level=None)
                try:
                    cls._lay_out(connection, config)
                finally:
                    connection.close()
            unborn.replace(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
        finally:
            for leftover in unborn, unborn.with_name(f"{unborn.name}-journal"):
                leftover.unlink(missing_ok=True)
        return cls.open(path, writing=True)

    @classmethod
    def open(cls, path: Path, writing: bool = False, whole: bool = True) -> Self:
        """An existing tournament, checked for damage.

        Not `whole`: who looks again and again has only what is read checked, for that takes no longer as games are
        added.
        """
        if not path.is_file():
            raise StoreError(f"{path}: no such tournament")
        with clearly(path):
            uri = f"{path.resolve().as_uri()}?mode={'rw' if writing else 'ro'}"
            connection = sqlite3.connect(uri, uri=True, timeout=30.0, isolation_level=None)
            try:
                cls._check(connection, path, whole)
                if writing:
                    cls._renew(connection)
                    connection.execute("PRAGMA journal_mode = WAL")
                    connection.execute("PRAGMA synchronous = NORMAL")  # the disk is waited for at checkpoints alone
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, writing)

    @property
    def config(self) -> dict[str, Any]:
        """What the tournament was created with."""
        with clearly(self.path):
            found = self._connection.execute("SELECT config, config_hash FROM tournament").fetchone()
            if found is None or not isinstance(found[0], str):
                raise sqlite3.DatabaseError("the configuration is missing")
            if not sealed(*found):
                raise sqlite3.DatabaseError("the configuration does not match its hash")
            config = json.loads(found[0])
            if not isinstance(config, dict):
                raise sqlite3.DatabaseError("the configuration is no table of settings")
            return config

    def set_config(self, config: Mapping[str, Any]) -> None:
        """Replace the configuration: the same tournament, made longer."""
        text = _canonical(config)
        with clearly(self.path):
            self._connection.execute("UPDATE tournament SET config = ?, config_hash = ?", (text, _hash(text)))

    def insert(self, table: str, columns: str, values: tuple[Any, ...]) -> None:
        """Store one row with its checksum; it outlives this process when this returns, and is on disk (see above).

        Raises StoreError if it is stored already.
        """
        with clearly(self.path):
            marks = ", ".join("?" * (len(values) + 1))
            sealed = (*values, checksum_of(values))
            self._connection.execute(f"INSERT INTO {table} ({columns}, checksum) VALUES ({marks})", sealed)
            if self._writing and time.monotonic() - self._synced > SYNC:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._synced = time.monotonic()

    def close(self) -> None:
        """Close the file, in one piece and in a mode that can be read from a medium that cannot be written."""
        if self._writing:
            with suppress(sqlite3.Error):  # a reader is in the way, or the disk is full: the next writer does it
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @classmethod
    def _check(cls, connection: sqlite3.Connection, path: Path, whole: bool) -> None:
        """Raises StoreError unless this is a tournament of this kind, and, if `whole`, a sound one from end to end."""
        (kind,) = connection.execute("PRAGMA application_id").fetchone()
        if kind != cls.application_id:
            raise StoreError(f"{path} is a database, but not of {cls.what}")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in cls.readable:
            raise StoreError(f"{path} has format {version}; this sakiyomi reads format {cls.readable[-1]}")
        if not whole:
            return
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)

    @classmethod
    def _renew(cls, connection: sqlite3.Connection) -> None:
        """Bring a store of an older format, where there are such, to the newest, in one transaction."""

    @classmethod
    def _lay_out(cls, connection: sqlite3.Connection, config: Mapping[str, Any]) -> None:
        """Make the tables of a new tournament, in one transaction."""
        text = _canonical(config)
        connection.execute("BEGIN IMMEDIATE")
        for statement in filter(str.strip, (_TOURNAMENT + cls.schema).split(";\n")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {cls.application_id}")
        connection.execute(f"PRAGMA user_version = {cls.readable[-1]}")
        connection.execute("INSERT INTO tournament VALUES (1, ?, ?)", (text, _hash(text)))
        connection.execute("COMMIT")


class Store(Database):
    """The games of one tournament; see `Database`."""

    application_id, readable = APPLICATION_ID, READABLE
    schema, what = _SCHEMA, "a sakiyomi tournament"

    def __init__(self, path: Path, connection: sqlite3.Connection, writing: bool = False):
        super().__init__(path, connection, writing)
        with clearly(path):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        comments = "comments" if version == VERSION else "''"
        self._select = f"SELECT {COLUMNS}, {comments}, checksum FROM games"

    @classmethod
    def _renew(cls, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            connection.execute("ALTER TABLE games ADD COLUMN comments TEXT NOT NULL DEFAULT ''")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")

    def add(self, row: Row) -> None:
        """Store one finished game, safe from the end of this process when this returns, and on disk (see above).

        Raises StoreError if its number is stored already.
        """
        pairing, played, record = row.pairing, row.played, row.played.record
        values = (
            pairing.number,
            pairing.pair,
            pairing.first,
            pairing.second,
            record.game,
            pairing.opening.text,
            " ".join(record.moves),
            record.result,
            record.ending,
            played.termination.value,
            played.detail,
            json.dumps(dict(record.tags), ensure_ascii=False),
            *map(float, played.seconds),
            row.started,
            row.finished,
            json.dumps(dict(record.comments), ensure_ascii=False),
        )
        self.insert("games", f"{COLUMNS}, comments", values)

    def rows(self) -> Iterator[Row]:
        """All games, by number."""
        with clearly(self.path):
            for values in self._connection.execute(f"{self._select} ORDER BY number"):
                yield row_of(values[:-1], values[-1])

    def row(self, number: int) -> Row | None:
        """The game with that number, None if it is not finished."""
        with clearly(self.path):
            query = f"{self._select} WHERE number = ?"
            values = self._connection.execute(query, (number,)).fetchone()
            return None if values is None else row_of(values[:-1], values[-1])

    def finished(self, after: int = 0) -> dict[int, str]:
        """When each game with a number over `after` was finished (UTC, ISO 8601), by number."""
        with clearly(self.path):
            query = "SELECT number, finished FROM games WHERE number > ? ORDER BY number"
            return dict(self._connection.execute(query, (after,)).fetchall())

    @property
    def count(self) -> int:
        """How many games are finished."""
        with clearly(self.path):
            found: int = self._connection.execute("SELECT count(*) FROM games").fetchone()[0]
            return found

    def remove(self, number: int) -> None:
        """Forget a game, so that it can be played."""
        with clearly(self.path):
            self._connection.execute("DELETE FROM games WHERE number = ?", (number,))


def is_database(path: Path) -> bool:
    """Does the file begin as SQLite's files do?"""
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def checksum_of(values: tuple[Any, ...]) -> str:
    """That of a row: SHA-256 of its values as a JSON array."""
    """Of all values of a game, its comments last, which old games have not."""
    return _hash(json.dumps(values if values[-1] else values[:-1], ensure_ascii=False))


def row_of(values: tuple[Any, ...], checksum: Any) -> Row:
    """The game with these values: those of `COLUMNS`, then the comments.

    Raises sqlite3.DatabaseError unless they are those that were stored.
    """
    if any(isinstance(value, bytes) for value in values) or checksum_of(values) != checksum:
        raise sqlite3.DatabaseError(f"game {values[0]!r} does not match its checksum")
    number, pair, first, second, game, opening, moves, result, ending, termination, detail, tags = values[:12]
    first_seconds, second_seconds, started, finished, comments = values[12:]
    all_moves, start = tuple(moves.split()), Opening.parse(opening)
    record = Record(
        game=game,
        moves=all_moves,
        setup=start.setup,
        result=result,
        ending=ending,
        players=(first, second),
        tags=json.loads(tags),
        comments=_comments(comments) if comments else {len(all_moves): detail} if detail else {},
    )
    played = Played(record, Termination(termination), detail, (first_seconds, second_seconds))
    return Row(Pairing(number, first, second, start, pair), played, started, finished)


def _comments(text: str) -> dict[int, str]:
    return {int(ply): comment for ply, comment in json.loads(text).items()}


def sealed(text: str, checksum: str) -> bool:
    """Is the configuration `text` what was stored?"""
    return _hash(text) == checksum


def _canonical(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, ensure_ascii=False)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@contextmanager
def clearly(path: Path) -> Iterator[None]:
    """Turn what SQLite says into one line with the file's name and what can be done."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise StoreError(f"{path}: this game is stored already ({error})") from error
    except sqlite3.OperationalError as error:
        if re.search("no such (table|column)|not decode", str(error)):
            raise _damaged(path, error) from error
        if "full" in str(error) or "disk I/O" in str(error):
            raise StoreError(
                f"{path}: cannot be written ({error}); is the disk full? Free some space and resume"
            ) from error
        if "locked" in str(error):
            raise StoreError(f"{path}: another program holds it ({error}); wait for it or end it") from error
        raise StoreError(f"{path}: {error}") from error
    except (sqlite3.DatabaseError, json.JSONDecodeError, ValueError, TypeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path} is damaged ({one_line(str(error))}); restore a copy, or keep the games that can"
        f" still be read: sakiyomi tournament --resume --recover --out {shlex.quote(str(path.parent))}"
    )
