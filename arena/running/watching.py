"""The file running.json of a tournament's folder: the games now played, for those who watch from other processes."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sakiyomi.arena.running.crew import Running
from sakiyomi.arena.store import utc_text


def running_entries(running: Iterable[Running]) -> list[dict[str, Any]]:
    """Games now played, as JSON can say them.

    Each has ``number``, ``first``, ``second``, ``setup`` (None: the ordinary start), ``moves`` (those of the opening
    until one of the players is asked), ``clocks`` (two numbers of seconds, or None) and ``since`` (UTC, ISO 8601).
    """
    return [
        {
            "number": each.job.number,
            "first": each.job.first,
            "second": each.job.second,
            "setup": each.job.opening.setup,
            "moves": list(each.moves or each.job.opening.moves),
            "clocks": None if each.clocks is None else list(each.clocks),
            "since": utc_text(each.since),
        }
        for each in running
    ]


def write_running(path: Path, entries: list[dict[str, Any]]) -> None:
    """Write the file `path`, whole; to be repeated while games are played, as an old file counts for nothing.

    What is told to onlookers ends no tournament: a full disk leaves the file as it was.
    """
    from sakiyomi.sgf.writing import write_whole

    with suppress(OSError):
        write_whole(path, json.dumps(entries).encode())


def remove_running(path: Path) -> None:
    """No game is played any more."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
