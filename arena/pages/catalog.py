"""The tournaments that a server shows: a folder's own, or those in the folders within it."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sakiyomi.arena.config import config_of
from sakiyomi.arena.folder import Folder
from sakiyomi.arena.pages.running import FRESH, begins, runs
from sakiyomi.arena.pages.watch import Status, Watched, database_stamp
from sakiyomi.arena.results import title_of
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.arena.schedules.spec import parse_schedule
from sakiyomi.arena.store import Store, StoreError
from sakiyomi.arena.tasks.results import task_state
from sakiyomi.arena.tasks.store import holds_tasks


@dataclass(frozen=True)
class Card:
    """What the list of tournaments says of one: the folder's name, the game and the players, how far it is, who has
    won ("" if that is not known), and what is wrong with it, if anything.
    """

    name: str
    title: str
    status: Status | None
    leader: str
    trouble: str
    written: float
    unit: str = "game"  # of which it is so many


class Catalog:
    """The tournaments in `folder`. Only what `names` finds there is ever opened, whatever an address says."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._watched: dict[Path, Watched] = {}
        self._cards: dict[Path, tuple[Any, Card]] = {}

    def names(self) -> dict[str, Path]:
        """The folders of tournaments, by name."""
        if _holds(self.folder):
            return {self.folder.resolve().name or "tournament": self.folder}
        try:
            found = [path for path in self.folder.iterdir() if _holds(path)]
        except OSError:
            return {}
        return {path.name: path for path in sorted(found)}

    @property
    def alone(self) -> str | None:
        """The name of the tournament, if the folder is one itself."""
        return next(iter(self.names())) if _holds(self.folder) else None

    def get(self, name: str) -> Watched | None:
        """The tournament with that name."""
        path = self.names().get(name)
        if path is None:
            return None
        if path not in self._watched:
            self._watched[path] = Watched(path)
        return self._watched[path]

    def tasks(self, name: str) -> Folder | None:
        """The tournament with that name, if it is one of single-player tasks."""
        path = self.names().get(name)
        return Folder(path) if path is not None and holds_tasks(path) else None

    def cards(self) -> list[Card]:
        """All tournaments, in short: those that are being played first, then the latest."""
        cards = [self._card(name, path) for name, path in self.names().items()]
        return sorted(cards, key=lambda card: (card.status is None or card.status.state != "running", -card.written))

    def _card(self, name: str, path: Path) -> Card:
        folder = Folder(path)
        stamp = (database_stamp(folder), runs(folder), folder.paused, begins(folder))
        kept = self._cards.get(path)
        if kept is None or kept[0] != stamp:
            kept = self._cards[path] = stamp, _card(name, folder, stamp[1])
        return kept[1]


def _card(name: str, folder: Folder, running: bool) -> Card:
    """Read a few figures of the store; it is the tournament's own page that reads the games."""
    if holds_tasks(folder.database):
        return _task_card(name, folder)
    results = _results(folder)
    written = 0.0 if running else _written(folder)  # those that are played stand still
    try:
        with Store.open(folder.database, whole=False) as store:
            config, done = config_of(store), store.count
        names = [name for name, _ in config["players"]]
        final = results.get("games") == done and isinstance(results.get("planned"), int)
        schedule = parse_schedule(config["schedule"]).make(names, config["games"], (Opening(),), config["stages"])
        planned = results["planned"] if final else schedule.planned
    except (StoreError, ValueError) as error:
        return Card(name, name, None, "", str(error), written)
    going = "paused" if folder.paused else "running"
    running = running or (not done and begins(folder))
    state = "finished" if done >= planned else going if running else "stopped"
    leader = results["leader"] if final else ""
    return Card(name, title_of(config["game"], names), Status(state, done, planned), leader, "", written)


def _task_card(name: str, folder: Folder) -> Card:
    written = _written(folder)
    try:
        title, done, planned = task_state(folder)
    except StoreError as error:
        return Card(name, name, None, "", str(error), written)
    state = "finished" if done >= planned else "running" if time.time() - written < FRESH else "stopped"
    leader = _results(folder).get("leader", "") if done >= planned else ""
    return Card(name, title, Status(state, done, planned), leader, "", written, "episode")


def _results(folder: Folder) -> dict[str, Any]:
    """What standings.json says, with the "leader"; nothing if there is none."""
    try:
        found: Any = json.loads(folder.standings.read_text("utf-8"))
        standings = found["standings"]
        return {**found, "leader": str(standings[0]["name"]) if standings else ""}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _holds(path: Path) -> bool:
    try:
        return Folder(path).database.is_file()
    except OSError:
        return False


def _written(folder: Folder) -> float:
    try:
        return folder.database.stat().st_mtime
    except OSError:
        return 0.0
