"""The command `ratings`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sakiyomi.sgf.record import Record


def ratings(
    paths: Annotated[
        list[Path], typer.Argument(help="tournament folders, databases, game records, folders of records")
    ],
    anchor: Annotated[str | None, typer.Option(metavar="PLAYER", help="whose rating is fixed")] = None,
    elo: Annotated[float, typer.Option(help="the rating of the anchor")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Rate the players of any games: tournaments of ours, game records of anybody's.

    Example: sakiyomi ratings first second/tournament.sqlite games.sgf --anchor random
    """
    from sakiyomi.arena.rating.joint import ratings as rate

    found = [game for path in paths for game in _games(path)]
    table = rate(found, anchor=anchor, anchor_elo=elo)
    if not table:
        raise ValueError(f"no rated game in {', '.join(map(str, paths))} ({len(found)} games read)")
    from sakiyomi.arena.cli_tournament import print_standings

    print_standings(table, as_json)


def _games(path: Path) -> "Iterator[Record | Any]":
    """The games in a tournament's folder or database, or in any records."""
    from sakiyomi.arena.folder import Folder
    from sakiyomi.arena.store import Store, is_database

    database = Folder(path).database if path.is_dir() else path
    if is_database(database) or (database.suffix == ".sqlite" and database.exists()):
        with Store.open(database) as store:
            yield from (row.played for row in store.rows())
        return
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder")
    from sakiyomi.sgf import Collection

    collection = Collection(path)
    yield from collection
    for failure in collection.failures:
        typer.echo(f"left out: {failure}", err=True)
