"""Where the rating plots have their marks, as percentages of their width and height."""

import math
from collections.abc import MutableMapping, Sequence
from typing import Any

from sakiyomi.arena.match import Played
from sakiyomi.arena.pages.words import elo_text
from sakiyomi.arena.rating.joint import Rating, fit

MARGIN = 400.0
"""Elo that the rating plot shows beyond the best and the worst; longer intervals are cut there and get an arrow."""

LINES = 8
"""Players whose ratings are followed over the games: the best."""
_GROWTH = 1.2  # games from one point of such a line to the next; the first points are the least sure
_LEAST = 10


def plot(table: Sequence[Rating]) -> dict[str, Any] | None:
    """Ratings with their intervals, and ticks at round figures."""
    if not table:
        return None
    lowest, highest = min(row.elo for row in table) - MARGIN, max(row.elo for row in table) + MARGIN
    low = max(min(row.low for row in table), lowest)
    high = min(max(row.high for row in table), highest)
    room = 0.04 * (high - low) or 50.0
    low, high = low - room, high + room

    def at(elo: float) -> float:
        return round(100 * (min(max(elo, low), high) - low) / (high - low), 2)

    return {
        "ticks": [(at(tick), elo_text(tick), tick == 0) for tick in ticks(low, high)],
        "rows": [
            {
                "rating": row,
                "low": at(row.low),
                "elo": at(row.elo),
                "high": at(row.high),
                "cut_low": row.low < low,
                "cut_high": row.high > high,
            }
            for row in table
        ],
    }


def ticks(low: float, high: float) -> list[int]:
    """At most about five round figures between two ratings."""
    step = next(
        (step for step in (5, 10, 20, 25, 50, 100, 200, 250, 500) if (high - low) / step <= 5),
        1000 * math.ceil((high - low) / 5000),
    )
    return [step * tick for tick in range(math.ceil(low / step), math.floor(high / step) + 1)]


def history(
    games: Sequence[Played], table: Sequence[Rating], fits: MutableMapping[int, dict[str, float]]
) -> dict[str, Any] | None:
    """The ratings of the best players after so many games; None for few games, or players who never met.

    `fits` keeps what was found after the first n games, for the next time with more of them.
    """
    if any(row.pool for row in table) or len(games) < 2 * _LEAST or not table:
        return None
    counts = sorted({round(_LEAST * _GROWTH**k) for k in range(int(math.log(len(games) / _LEAST, _GROWTH)) + 1)})
    for count in counts:
        if count not in fits:
            fits[count] = _elos(games[:count])
    last = {row.name: row.elo for row in table}
    points = [*((count, fits[count]) for count in counts if count < len(games)), (len(games), last)]
    names = [row.name for row in table][:LINES]
    seen = [elos[name] for _, elos in points for name in names if name in elos]
    room = 0.06 * (max(seen) - min(seen)) or 10.0
    low, high = min(seen) - room, max(seen) + room
    first = points[0][0]

    def at(count: int, elo: float) -> str:
        x, y = (count - first) / (len(games) - first), (high - elo) / (high - low)
        return f"{100 * x:.1f} {100 * y:.1f}"

    return {
        "first": first,
        "last": len(games),
        "levels": [
            (round(100 * (high - tick) / (high - low), 1), elo_text(tick), tick == 0) for tick in ticks(low, high)
        ],
        "lines": [
            {"name": name, "hue": hue, "path": "M" + "L".join(at(n, elos[name]) for n, elos in points if name in elos)}
            for hue, name in enumerate(names, 1)
        ],
    }


def _elos(games: Sequence[Played]) -> dict[str, float]:
    """Ratings without their intervals, which take the longest."""
    try:
        found = fit(games, intervals="normal")
    except ValueError:
        return {}  # no rated game yet
    return dict(zip(found.players, map(float, found.elo), strict=True)) if found.connected else {}
