"""What the commands `tournament`, `ratings` and `report` do where single-player tasks are played."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakiyomi.arena.cli_going import pause_line, stopped

if TYPE_CHECKING:
    from rich.console import Console

    from sakiyomi.arena.tasks.tournament import TaskTournament


def task_names(text: str | Sequence[str]) -> list[str]:
    """The tasks that ``tasks`` or the first argument of a tournament names ("a" or "a,b"); none if it is a game.

    Raises ValueError if tasks and games are mixed.
    """
    from sakiyomi.envs.catalog import is_task

    names = [name.strip() for name in text.split(",") if name.strip()] if isinstance(text, str) else list(text)
    tasks = [name for name in names if is_task(name)]
    if tasks and len(tasks) < len(names):
        odd = next(name for name in names if name not in tasks)
        raise ValueError(f"{odd!r} is no single-player task; one tournament plays a game or tasks")
    return tasks


def run_tasks(
    names: Sequence[str],
    players: Sequence[str],
    *,
    games: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    out: str | None = None,
    resume: bool = False,
    patience: float | None = None,
    scales: Mapping[str, tuple[float, float]] | bool = False,
    as_json: bool = False,
    **running: Any,
) -> None:
    """Play `games` (10) episodes of each task of `names` with each of `players` (specs), and show how they stand.

    Options that are None stand for the defaults of `TaskTournament`, as do those of `running` (pin, memory, ray).
    `out` is made after the tasks and the time if it is None. `scales` are the returns that count as 0 and 1, by task
    (a TOML file's table ``[scales]``), True the tasks' own. Raises ValueError or arena.errors.Failure.
    """
    from sakiyomi.arena.tasks.tournament import TaskTournament

    if not players:
        raise ValueError(f"players are wanted, as in: sakiyomi tournament {','.join(names)} random zero")
    given = {"games": games, "seed": seed, "workers": workers, "patience": patience} | running
    folder = out or f"tournaments/{'-'.join(names).replace('/', '-')[:80]}-{time.strftime('%Y%m%d-%H%M%S')}"
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    _run(TaskTournament(names, players, out=folder, resume=resume, scales=scales, **options), as_json)


def resume_tasks(
    out: str,
    *,
    games: int | None = None,
    add: Sequence[str] = (),
    tasks: Sequence[str] = (),
    workers: int | None = None,
    patience: float | None = None,
    seed: int | None = None,
    as_json: bool = False,
    **running: Any,
) -> None:
    """Go on with the tournament in `out` (``--resume --out DIR`` alone), grown to more `games`, players, or tasks.

    Raises ValueError for a `seed`: there is one already.
    """
    from sakiyomi.arena.tasks.tournament import TaskTournament

    if seed is not None:
        raise ValueError("--seed cannot change when a tournament is resumed")
    given = {"patience": patience, "workers": workers} | running
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    _run(TaskTournament.stored(out, games=games, add=add, tasks=tasks, **options), as_json)


def is_task_folder(path: Path) -> bool:
    """Is `path`, a folder or its database, what a tournament of tasks has left?"""
    from sakiyomi.arena.tasks.store import holds_tasks

    return holds_tasks(path)


def report_tasks(folder: Path) -> None:
    """Write report.html and standings.json of a tournament of tasks again."""
    from sakiyomi.arena.folder import Folder
    from sakiyomi.arena.tasks.results import write_task_results_of

    write_task_results_of(Folder(folder))
    print(Folder(folder).report)


def list_tasks() -> list[tuple[str, str]]:
    """For `list tasks`: names and what they are, or how to install what is missing."""
    from sakiyomi.envs.catalog import TASKS

    return [(task.form, task.about if task.installed else f"{task.about}; needs {task.install}") for task in TASKS]


def list_task_players() -> list[tuple[str, str]]:
    """For `list players`: the players of tasks."""
    from sakiyomi.arena.tasks.players import TASK_KINDS

    return [(kind.form, kind.about) for kind in TASK_KINDS]


def _run(contest: "TaskTournament", as_json: bool) -> None:
    """Play, show, and leave everything in order when interrupted."""
    from sakiyomi.arena.live import plain_console
    from sakiyomi.arena.tasks.live import follow_tasks

    console = plain_console(stderr=as_json)
    folder = contest.folder
    assert folder is not None, "the command line always has a folder"
    console.print(f"{contest.title}: {contest.planned} episodes, in {folder.path}")
    if line := pause_line(folder):
        console.print(line)
    try:
        follow_tasks(contest, console)
    except KeyboardInterrupt:
        console.print(stopped(contest, contest.planned, "episodes"))
        raise
    _print_standings(contest, as_json)
    _print_remarks(contest, console)
    console.print(f"report: {folder.report}")


def _print_standings(contest: "TaskTournament", as_json: bool) -> None:
    from sakiyomi.arena.live import plain_console
    from sakiyomi.arena.tasks.live import task_table
    from sakiyomi.arena.tasks.results import standings_json
    from sakiyomi.arena.tasks.statistics import FINAL

    standings = contest.standings(FINAL)
    if as_json:
        print(json.dumps(standings_json(standings), indent=1, ensure_ascii=False))
        return
    present = {row.name for row in standings}
    absent = [name for name in contest.names if name not in present]
    console = plain_console()
    console.print(task_table(standings, absent=absent, width=console.width))


def _print_remarks(contest: "TaskTournament", console: "Console") -> None:
    """What the figures mean, and how many episodes failed, with the first of each kind."""
    if len(contest.tasks) > 1 and not contest.table.normalised:
        console.print("returns of different tasks are compared as they are; scales would make them comparable")
    kinds: dict[tuple[str, str], list[str]] = {}
    for row in contest.rows:
        if not row.outcome.whole:
            kinds.setdefault((row.outcome.ending, row.episode.player), []).append(row.outcome.detail)
    for (ending, _), details in kinds.items():
        console.print(f"{len(details)} x {ending}: {details[0]}")
