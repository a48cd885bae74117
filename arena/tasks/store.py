"""What was played, on disk: one transaction an episode, under the guarantees of `arena/store.py`."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sakiyomi.arena.match import Termination
from sakiyomi.arena.store import Database, StoreError, checksum_of, clearly, is_database
from sakiyomi.arena.tasks.episodes import Episode, Outcome

APPLICATION_ID = 0x53414B54  # "SAKT"

_SCHEMA = """
CREATE TABLE episodes (
    task TEXT NOT NULL,
    player TEXT NOT NULL,
    run INTEGER NOT NULL,          -- from 1; all players meet the same seed in a run
    seed INTEGER NOT NULL,
    total REAL NOT NULL,           -- the return: the sum of the rewards
    steps INTEGER NOT NULL,
    seconds REAL NOT NULL,         -- that the player thought
    termination TEXT NOT NULL,
    ending TEXT NOT NULL,          -- terminated, truncated, or the fault
    detail TEXT NOT NULL,          -- what went wrong, in words
    started TEXT NOT NULL,         -- UTC, ISO 8601
    finished TEXT NOT NULL,
    checksum TEXT NOT NULL,        -- SHA-256 of the other values as a JSON array, in this order
    PRIMARY KEY (task, player, run)
);
"""

_COLUMNS = "task, player, run, seed, total, steps, seconds, termination, ending, detail, started, finished"


@dataclass(frozen=True)
class EpisodeRow:
    """One finished episode; times are UTC in ISO 8601. Read back, its `number` is its place in the store."""

    episode: Episode
    outcome: Outcome
    started: str
    finished: str


class EpisodeStore(Database):
    """The episodes of one tournament; see `Database`."""

    application_id, readable = APPLICATION_ID, (1,)
    schema, what = _SCHEMA, "a sakiyomi tournament of tasks"

    def add(self, row: EpisodeRow) -> None:
        """Store one finished episode. Raises StoreError if it is stored already."""
        episode, outcome = row.episode, row.outcome
        values = (
            *(episode.task, episode.player, episode.run, episode.seed),
            *(float(outcome.total), outcome.steps, float(outcome.seconds)),
            *(outcome.termination.value, outcome.ending, outcome.detail, row.started, row.finished),
        )
        self.insert("episodes", _COLUMNS, values)

    def rows(self) -> Iterator[EpisodeRow]:
        """All episodes, in the order in which they ended."""
        with clearly(self.path):
            query = f"SELECT {_COLUMNS}, checksum FROM episodes ORDER BY rowid"
            for number, values in enumerate(self._connection.execute(query), 1):
                yield _row(number, values[:-1], values[-1])

    @property
    def count(self) -> int:
        """How many episodes are finished."""
        with clearly(self.path):
            found: int = self._connection.execute("SELECT count(*) FROM episodes").fetchone()[0]
            return found

    def remove(self, episode: Episode) -> None:
        """Forget an episode, so that it can be played."""
        with clearly(self.path):
            self._connection.execute("DELETE FROM episodes WHERE (task, player, run) = (?, ?, ?)", episode.key)


def holds_tasks(path: Path) -> bool:
    """Is `path`, a folder or a database, of a tournament of tasks (and not of games)?"""
    database = path / "tournament.sqlite" if path.is_dir() else path
    if not is_database(database):
        return False
    try:
        EpisodeStore.open(database, whole=False).close()
    except StoreError:
        return False
    return True


def _row(number: int, values: tuple[Any, ...], checksum: Any) -> EpisodeRow:
    """Raises sqlite3.DatabaseError unless the values are those that were stored."""
    if any(isinstance(value, bytes) for value in values) or checksum_of(values) != checksum:
        raise sqlite3.DatabaseError(f"episode {values[:3]!r} does not match its checksum")
    task, player, run, seed, total, steps, seconds, termination, ending, detail, started, finished = values
    outcome = Outcome(total, steps, seconds, Termination(termination), ending, detail)
    return EpisodeRow(Episode(number, task, player, run, seed), outcome, started, finished)
