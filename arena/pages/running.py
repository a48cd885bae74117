"""The games being played, of which the process that plays a tournament tells in running.json about once a second.

It is a list of ``{"number": 7, "first": NAME, "second": NAME, "setup": TEXT or null, "moves": [...], "clocks": [12.3,
60.0] or null, "since": TIME}``: all moves so far, seconds left on the clocks, and when the game began, in ISO 8601.
"""

import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sakiyomi.arena.folder import Folder

NAME = "running.json"
FRESH = 15.0
"""Seconds after which the games that a file tells of are taken to have ended with whoever wrote it."""


def runs(folder: Folder) -> bool:
    """Is somebody playing this tournament? A file of a killed one is old."""
    return _age(folder.path / NAME) < FRESH


def begins(folder: Folder) -> bool:
    """Was its database made just now? Players are tried out before the first game is told of."""
    return _age(folder.database) < FRESH


def running_games(folder: Folder) -> list[dict[str, Any]]:
    """The games in running.json, as far as it is one."""
    path = folder.path / NAME
    if _age(path) > FRESH:
        return []
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return []  # it is just gone
    return [game for entry in found if (game := _checked(entry))] if isinstance(found, list) else []


def _checked(entry: Any) -> dict[str, Any] | None:
    try:
        moves = tuple(map(str, entry["moves"]))
        players, clocks = (str(entry["first"]), str(entry["second"])), entry.get("clocks")
        if clocks is not None:
            first, second = map(float, clocks)
            clocks = [round(first, 1), round(second, 1)]
        since = datetime.fromisoformat(str(entry["since"])).astimezone(UTC).isoformat(timespec="seconds")
        setup = entry.get("setup")
        number = int(entry["number"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    kept = setup if isinstance(setup, str) and setup else None
    return {"number": number, "players": players, "moves": moves, "clocks": clocks, "since": since, "setup": kept}


def _age(path: Path) -> float:
    """Seconds since the file was written; infinite if there is none."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return math.inf
