"""What a tournament of tasks leaves: standings.json and report.html, made from its episodes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sakiyomi.arena.folder import Folder, plain
from sakiyomi.arena.tasks.config import task_config_of, task_title
from sakiyomi.arena.tasks.standings import Standing, Table
from sakiyomi.arena.tasks.statistics import FINAL, LIVE, Estimate
from sakiyomi.arena.tasks.store import EpisodeRow, EpisodeStore
from sakiyomi.sgf.record import Record


def write_task_results_of(folder: Folder) -> None:
    """Write standings.json and report.html of a stored tournament again. Raises StoreError."""
    with EpisodeStore.open(folder.database) as store:
        config, rows = task_config_of(store), list(store.rows())
    write_task_results(folder, config, rows)


def write_task_results(folder: Folder, config: dict[str, Any], rows: Sequence[EpisodeRow]) -> None:
    """Write standings.json and report.html. Raises StoreError."""
    from sakiyomi.arena.tasks.report import render_tasks

    table = table_of(config, rows)
    standings = table.standings(FINAL)
    planned = _planned(config)
    content = {
        "tournament": task_title(config),
        "tasks": config["tasks"],
        "scales": config["scales"],
        "episodes": len(rows),
        "planned": planned,
        "standings": standings_json(standings),
        "returns": _returns(config, rows),
        "faults": _faults(rows),
    }
    folder.write(folder.standings, f"{json.dumps(content, indent=1, ensure_ascii=False)}\n")
    folder.write(folder.report, render_tasks(task_title(config), table, standings, rows, planned))


def task_state(folder: Folder) -> tuple[str, int, int]:
    """The title of a stored tournament, and how many episodes there are and are to be. Raises StoreError."""
    with EpisodeStore.open(folder.database, whole=False) as store:
        config = task_config_of(store)
        done = sum(1 for _ in store.rows())
    return task_title(config), done, _planned(config)


def task_page(folder: Folder, *, served: bool = False) -> str:
    """The page of a stored tournament as it stands now, with intervals that are quick to find; `served`, or as a file.

    Raises StoreError.
    """
    from sakiyomi.arena.tasks.report import render_tasks

    with EpisodeStore.open(folder.database) as store:
        config, rows = task_config_of(store), list(store.rows())
    table = table_of(config, rows)
    return render_tasks(task_title(config), table, table.standings(LIVE), rows, _planned(config), served=served)


def _planned(config: dict[str, Any]) -> int:
    return len(config["tasks"]) * len(config["players"]) * int(config["games"])


def table_of(config: dict[str, Any], rows: Sequence[EpisodeRow]) -> Table:
    """The scores of a stored tournament."""
    names = [name for name, _ in config["players"]]
    scales = {task: (low, high) for task, (low, high) in config["scales"].items()}
    return Table(rows, config["tasks"], names, scales)


def standings_json(standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """The table as JSON can say it: an interval is a list of its ends, what is not known is null."""
    found = []
    for row in standings:
        entry: dict[str, Any] = {"name": row.name}
        for key in ("iqm", "mean", "median", "gap", "better"):
            estimate: Estimate = getattr(row, key)
            entry |= plain({key: float(estimate.value)})
            entry[f"{key}_interval"] = None if entry[key] is None else [float(estimate.low), float(estimate.high)]
        entry |= {"episodes": row.episodes, "failed": row.failed, "seconds": row.seconds}
        entry["rating"] = None if row.rating is None else plain(asdict(row.rating))
        found.append(entry)
    return found


def _returns(config: dict[str, Any], rows: Sequence[EpisodeRow]) -> dict[str, dict[str, list[float | None]]]:
    """The returns by task and player, run by run; null where there is no whole episode."""
    totals = {row.episode.key: row.outcome.total for row in rows if row.outcome.whole}
    return {
        task: {
            name: [totals.get((task, name, run)) for run in range(1, config["games"] + 1)]
            for name, _ in config["players"]
        }
        for task in config["tasks"]
    }


def _faults(rows: Sequence[EpisodeRow]) -> list[dict[str, Any]]:
    return [
        {
            "task": row.episode.task,
            "player": row.episode.player,
            "run": row.episode.run,
            "termination": row.outcome.termination.value,
            "detail": row.outcome.detail,
        }
        for row in rows
        if not row.outcome.whole
    ]


def task_games(path: Path) -> Iterator[Record]:
    """For `ratings`: each two players who met the same seed in a task as the game that the better return won.

    `path` is the folder of a tournament of tasks or its database. Raises StoreError.
    """
    with EpisodeStore.open(path / "tournament.sqlite" if path.is_dir() else path) as store:
        yield from table_of(task_config_of(store), list(store.rows())).games()
