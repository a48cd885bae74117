"""What a tournament leaves: standings, records and the report, written from its games."""

from collections.abc import Sequence

from sakiyomi.arena.config import config_of
from sakiyomi.arena.folder import Folder
from sakiyomi.arena.schedules.schedule import Opening, Schedule
from sakiyomi.arena.schedules.sequential import SprtSchedule
from sakiyomi.arena.schedules.spec import parse_schedule
from sakiyomi.arena.store import Row, Store


def score_of(row: Row) -> float | None:
    """The points of the first player; None for a game that tells nothing of the players."""
    return row.played.record.score if row.played.rated else None


def write_results_of(folder: Folder) -> None:
    """Write standings.json and report.html of a stored tournament again. Raises StoreError."""
    with Store.open(folder.database) as store:
        config, rows = config_of(store), list(store.rows())
    names = [name for name, _ in config["players"]]
    form = parse_schedule(config["schedule"])
    schedule = form.make(names, config["games"], (Opening(),), config["stages"])
    schedule.pairings({row.pairing.number: score_of(row) for row in rows})
    write_results(folder, title_of(config["game"], names), rows, schedule)


def write_results(folder: Folder, title: str, rows: list[Row], schedule: Schedule) -> None:
    """Write standings.json, report.html and, of chess and shogi, all games in one file. Raises StoreError."""
    from sakiyomi.arena.pages.figures import SprtState
    from sakiyomi.arena.rating.joint import ratings

    rows = sorted(rows, key=lambda row: row.pairing.number)
    folder.write_all_games(rows, title)
    test = None
    if isinstance(schedule, SprtSchedule):
        one, other = schedule.names
        test = SprtState(schedule.test, one, other, tuple(schedule.counts), schedule.verdict)
    folder.write_standings(title, rows, schedule, ratings([row.played for row in rows]))
    folder.write_report(title, rows, schedule.planned, test)


def title_of(game: str, names: Sequence[str]) -> str:
    """A tournament in a few words."""
    return f"{game}: {', '.join(names)}"
