"""Ratings as tables for people, and as JSON and CSV for programs."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import numpy as np

from sakiyomi.arena.rating.estimates import Fit, Rating
from sakiyomi.arena.rating.model import Floats
from sakiyomi.arena.rating.results import Results

SHOWN = 30
"""Players whose matrices are printed in a table; JSON has all."""
WIDEST = 40
"""Characters of a name that are printed."""


def plain(value: Any) -> Any:
    """`value` as JSON can say it: NaN and infinity are null."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def rating_tables(rows: Sequence[Rating]) -> Iterator[str]:
    """A table for each pool, with a title that says who compares if there are several."""
    header = ["#", "player", "Elo", "95 % interval", "error", "LOS", "score", "games", "won", "drawn", "lost"]
    pools = [list(group) for _, group in groupby(rows, key=lambda row: row.pool)]
    before = 0
    for number, group in enumerate(pools, 1):
        title = f"Pool {number} of {len(pools)}: {_players(len(group))} who met nobody of another pool"
        cells = []
        for place, row in enumerate(group, before + 1):
            figures = (
                f"{row.mark}{signed(row.elo)}",
                f"{_elo(row.low)} .. {_elo(row.high)}",
                f"{row.error:.0f}" if math.isfinite(row.error) else "",
                _percent(row.los),
                _percent(row.score),
            )
            cells.append([str(place), row.name, *figures, *map(str, (row.games, row.wins, row.draws, row.losses))])
        before += len(group)
        yield text_table(title if len(pools) > 1 else "", header, cells)


def matrix_table(title: str, found: Fit, matrix: Floats) -> str:
    """A matrix in per cent, players strongest first, at most `SHOWN`."""
    order = found.order[:SHOWN]
    title = title if len(order) == len(found.players) else f"{title} (the first {SHOWN} players)"
    rows = [
        [str(place), found.players[i], *("" if i == j else _percent(float(matrix[i, j]), "") for j in order)]
        for place, i in enumerate(order, 1)
    ]
    return text_table(title, ["#", "player", *(str(place) for place in range(1, len(order) + 1))], rows)


def opponents(name: str, results: Results, found: Fit) -> list[dict[str, Any]]:
    """What `name` made against each opponent, and what the fit expects; strongest first.

    Raises ValueError for a player without a rated game.
    """
    if name not in results.players:
        raise ValueError(f"{name!r} has no rated game")
    me, c = results.players.index(name), results.counts
    entries: dict[int, list[float]] = {}
    for i, j, *tally in zip(*(column.tolist() for column in c[1:]), strict=True):
        if me in (i, j):
            row = entries.setdefault(j if i == me else i, [0.0, 0.0, 0.0])
            for k, count in enumerate(tally if i == me else tally[::-1]):
                row[k] += count
    place = {player: i for i, player in enumerate(found.players)}
    own, order = place.get(name), found.order
    rank = {found.players[i]: k for k, i in enumerate(order)}
    rows = []
    for other in sorted(entries, key=lambda k: rank.get(results.players[k], len(order))):
        wins, draws, losses = entries[other]
        games, opponent = wins + draws + losses, results.players[other]
        known = own is not None and opponent in place
        expected = float(found.expected_score(own, place[opponent])) if known and own is not None else math.nan
        los = float(found.superiority(np.array([own]), np.array([place[opponent]]))[0]) if known else math.nan
        elo = float(found.elo[place[opponent]]) if known else math.nan
        rows.append(
            {
                "name": opponent,
                "elo": elo,
                "games": round(games),
                "wins": round(wins),
                "draws": round(draws),
                "losses": round(losses),
                "score": (wins + draws / 2) / games,
                "expected": expected,
                "los": los,
            }
        )
    return rows


def opponents_table(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """`opponents` for people."""
    header = ["", "opponent", "Elo", "games", "won", "drawn", "lost", "score", "expected", "LOS"]
    cells = [
        [
            "",
            row["name"],
            _elo(row["elo"]),
            *(str(row[key]) for key in ("games", "wins", "draws", "losses")),
            *(_percent(row[key]) for key in ("score", "expected", "los")),
        ]
        for row in rows
    ]
    return text_table(f"{name} against", header, cells)


def text_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text as wide as they must be: the second one, names, to the left, the others to the right.

    Names count by the cells that they take in a terminal; there may be ten thousand rows.
    """
    from rich.cells import cell_len, set_cell_size

    names = [name if len(name) <= WIDEST else f"{name[: WIDEST - 1]}..." for name in (row[1] for row in rows)]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    widths[1] = max(map(cell_len, [header[1], *names]))

    def line(cells: Sequence[str], name: str) -> str:
        right = (cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True))
        return "   ".join([cells[0].rjust(widths[0]), set_cell_size(name, widths[1]), *right]).rstrip()

    lines = [line(header, header[1])]
    lines.append("-" * (sum(widths) + 3 * len(widths) - 3))
    lines += [line(row, name) for row, name in zip(rows, names, strict=True)]
    return "\n".join([title, *lines] if title else lines)


def csv_text(rows: Sequence[Rating]) -> str:
    """The table as comma-separated values, a header first; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rank", *asdict(rows[0])] if rows else ["rank"])
    for place, row in enumerate(rows, 1):
        writer.writerow([place, *("" if plain(value) is None else value for value in asdict(row).values())])
    return text.getvalue()


def lead_line(found: Fit) -> str:
    """What moving first is worth, and how often equals draw."""
    lead = found.advantage
    draws = f"; equals draw {100 * found.draws:.1f} % of games" if found.draws else ""
    return f"moving first is worth {signed(lead.elo)} Elo ({signed(lead.low)} .. {signed(lead.high)}){draws}"


def pool_lines(rows: Sequence[Rating]) -> list[str]:
    """What to know of pools that never met; empty for one pool."""
    pools = [len(list(group)) for _, group in groupby(rows, key=lambda row: row.pool)]
    if len(pools) < 2:
        return []
    sizes = ", ".join(map(str, pools[:10])) + (", ..." if len(pools) > 10 else "")
    return [
        f"{len(pools)} pools ({sizes} players) that no chain of games joins: each has a zero of its own, and figures of"
        " different pools do not compare"
    ]


def _players(count: int) -> str:
    return "1 player" if count == 1 else f"{count} players"


def _elo(elo: float) -> str:
    return signed(elo) if math.isfinite(elo) else {math.inf: "...", -math.inf: "..."}.get(elo, "")


def _percent(share: float, sign: str = " %") -> str:
    return "" if math.isnan(share) else f"{100 * share:.1f}{sign}"


def signed(elo: float) -> str:
    """A rating in whole points with its sign: "+12", "-3", "+0", "+inf"."""
    return f"{round(elo):+d}" if math.isfinite(elo) else f"{elo:+}"
