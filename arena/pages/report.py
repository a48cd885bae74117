"""One self-contained HTML page about a tournament: standings, cross table, ratings, and every game on a drawn board.

The page (report.html, .css and the .js beside this file) is filled here with text, figures and the games; it needs no
rules, no network and no other file. What a user named is escaped by Jinja in the page and as JSON in the data. The page
of a tournament as it is played (`live.py`) is the same one.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from sakiyomi.arena.match import Played
from sakiyomi.arena.pages.figures import Entry, SprtState, figures
from sakiyomi.arena.pages.film_data import to_json, with_films
from sakiyomi.arena.pages.templates import page
from sakiyomi.arena.pages.words import clock, elo_text, likelihood, percent, signed

__all__ = ["clock", "elo_text", "likelihood", "percent", "render", "signed", "write_report"]

SCRIPTS = tuple(
    f"report{part}.js" for part in ("_board", "_moving", "_pieces", "_chess", "_kanji", "_shogi", "_games", "", "_list")
)
"""The page's scripts, in the order in which they build on each other."""


def write_report(
    path: Path,
    title: str,
    games: Sequence[Played],
    *,
    subtitle: str = "",
    planned: int | None = None,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    numbers: Sequence[int] | None = None,
    test: SprtState | None = None,
) -> None:
    """Write the page about `games`, in the order of their numbers, to `path`; what stood there stays until it is whole.

    `planned` is the number of games that the tournament is to have. `anchor` is the player rated `anchor_elo`.
    `numbers` are those of the games (1, 2, ... if None), `test` how a sequential test stands.
    """
    text = render(
        title,
        games,
        subtitle=subtitle,
        planned=planned,
        anchor=anchor,
        anchor_elo=anchor_elo,
        numbers=numbers,
        test=test,
    )
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def render(
    title: str,
    games: Sequence[Played],
    *,
    subtitle: str = "",
    planned: int | None = None,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    numbers: Sequence[int] | None = None,
    test: SprtState | None = None,
) -> str:
    """The page as text; see `write_report`."""
    numbers = range(1, len(games) + 1) if numbers is None else numbers
    entries = [Entry.of(number, game) for number, game in zip(numbers, games, strict=True)]
    shown = figures(entries, planned=planned, anchor=anchor, anchor_elo=anchor_elo, test=test)
    players = [*(row.rating.name for row in shown["table"]), *shown["unrated"]]
    data = to_json(with_films(entries, games, players))
    return page("report.html", title=title, subtitle=subtitle, data=data, scripts=SCRIPTS, live=None, **shown)
