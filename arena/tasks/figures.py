"""The figures of a tournament of tasks as its page shows them: where marks stand, in percent of a drawing's size."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sakiyomi.arena.pages.plot import plot
from sakiyomi.arena.pages.words import clock
from sakiyomi.arena.tasks import statistics
from sakiyomi.arena.tasks.standings import Standing, Table
from sakiyomi.arena.tasks.statistics import LIVE, Counts, Floats, Scores
from sakiyomi.arena.tasks.store import EpisodeRow
from sakiyomi.arena.tasks.words import figure

DOTS = 300
"""Episodes drawn as dots in one row; of more, these many, evenly by rank."""
CURVES = 8
"""Players whose performance profiles are drawn: the best."""
POINTS = 121
"""Thresholds of a performance profile."""
FAULTS = 200


def task_figures(
    table: Table, standings: Sequence[Standing], rows: Sequence[EpisodeRow], planned: int
) -> dict[str, Any]:
    """What tasks.html shows."""
    names = [row.name for row in standings]
    faults = sorted(
        (row for row in rows if not row.outcome.whole), key=lambda row: (row.episode.player, row.episode.run)
    )
    ratings = [row.rating for row in standings if row.rating is not None]
    return {
        "facts": _facts(table, rows, planned),
        "share": len(rows) / planned if planned and len(rows) < planned else None,
        "standings": standings,
        "normalised": table.normalised,
        "several": len(table.tasks) > 1,
        "strips": [_strip(table, task, names) for task in table.tasks],
        "profile": _profile(table, names[:CURVES]),
        "left_out": names[CURVES:],
        "matrix": _matrix(table, names),
        "ratings": plot(sorted(ratings, key=lambda rating: (rating.pool, -rating.elo))),
        "faults": faults[:FAULTS],
        "more_faults": len(faults) - FAULTS,
        "dots": DOTS,
    }


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most so many round figures between two values."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
    return [step * n for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _facts(table: Table, rows: Sequence[EpisodeRow], planned: int) -> list[tuple[str, str]]:
    """The (label, figure) pairs under the title."""
    players = {row.episode.player for row in rows}
    failed = sum(not row.outcome.whole for row in rows)
    return [
        ("Players", f"{len(players)}"),
        ("Tasks", ", ".join(table.tasks) if len(table.tasks) <= 2 else f"{len(table.tasks)}"),
        ("Episodes", f"{len(rows)}" if len(rows) == planned else f"{len(rows)} of {planned}"),
        ("Steps", f"{sum(row.outcome.steps for row in rows):,}"),
        ("Thinking time", clock(sum(row.outcome.seconds for row in rows))),
        ("Failed episodes", f"{failed}" if failed else "none"),
        ("Scores", "normalised returns" if table.normalised else "returns"),
    ]


def _axis(values: Floats) -> tuple[float, float, Callable[[float], float]]:
    """The range that shows `values` with some room, and where in it, in percent, a value stands."""
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    low, high = low - room, high + room
    return low, high, lambda value: round(100 * (value - low) / (high - low), 2)


def _strip(table: Table, task: str, names: Sequence[str]) -> dict[str, Any]:
    """The episodes of one task: a row of dots for each player, with its IQM and interval there."""
    found = [(name, table.task_scores(name, task), table.ranked(name, [task])) for name in names]
    played = [(name, scores, ranked[0]) for name, scores, ranked in found if len(scores)]
    low, high, at = _axis(np.concatenate([scores for _, scores, _ in played]))
    rows = []
    for name, scores, ranked in played:
        middle = statistics.bootstrap(statistics.iqm, [scores], replicates=LIVE)
        order = np.sort(ranked[np.isfinite(ranked)])
        shown = order if len(order) <= DOTS else order[np.linspace(0, len(order) - 1, DOTS).round().astype(int)]
        rows.append(
            {
                "name": name,
                "dots": [(at(score), round(20 + 14 * (_golden(i) - 0.5), 1)) for i, score in enumerate(shown.tolist())],
                "failed": int((~np.isfinite(ranked)).sum()),
                "episodes": len(ranked),
                "iqm": figure(float(middle.value)),
                "low": at(float(middle.low)),
                "value": at(float(middle.value)),
                "width": round(at(float(middle.high)) - at(float(middle.low)), 2),
                "interval": f"{figure(float(middle.low))} to {figure(float(middle.high))}",
            }
        )
    return {"task": task, "rows": rows, "ticks": [(at(tick), _tick(tick)) for tick in ticks(low, high)]}


def _profile(table: Table, names: Sequence[str]) -> dict[str, Any] | None:
    """Performance profiles with pointwise 95 % bands, as points of polygons in a square of 100."""
    scores = {name: table.scores(name) for name in names}
    pooled = [s for found in scores.values() for s in found]
    if not pooled:
        return None
    low, high, at = _axis(np.concatenate(pooled))
    taus = np.linspace(low, high, POINTS)

    def shares(found: Scores, counts: Counts | None = None) -> Floats:
        return statistics.profile(found, taus, counts)

    curves = []
    for number, (name, found) in enumerate(scores.items(), 1):
        band = statistics.bootstrap(shares, found, replicates=LIVE)
        edge = [*zip(taus, band.high, strict=True), *zip(taus[::-1], band.low[::-1], strict=True)]
        curves.append(
            {
                "name": name,
                "hue": number,
                "line": _points(zip(taus, band.value, strict=True), at),
                "band": _points(edge, at),
            }
        )
    return {"curves": curves, "ticks": [(at(tick), _tick(tick)) for tick in ticks(low, high)]}


def _matrix(table: Table, names: Sequence[str]) -> list[list[dict[str, Any] | None]]:
    """How likely the player of the row beats that of the column."""
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            value, low, high = table.improvement(one, other, LIVE)
            if not math.isnan(value):
                cells[one, other] = _cell(value, low, high)
                cells[other, one] = _cell(1 - value, 1 - high, 1 - low)
    return [[cells.get((one, other)) for other in names] for one in names]


def _cell(value: float, low: float, high: float) -> dict[str, Any]:
    lead = abs(value - 0.5)
    side = "won" if value > 0.5 else "lost" if value < 0.5 else "even"
    return {"value": value, "low": low, "high": high, "side": side, "strength": round(2 * lead * 0.6, 3)}


def _points(pairs: Any, at: Callable[[float], float]) -> str:
    return " ".join(f"{at(float(x)):g},{round(100 * (1 - float(y)), 2):g}" for x, y in pairs)


def _golden(i: int) -> float:
    """0..1, evenly spread for any run of whole numbers: so dots are moved off one line."""
    return (i * 0.6180339887498949) % 1.0


def _tick(value: float) -> str:
    return f"{value + 0.0:.6g}".replace("-", "\N{MINUS SIGN}")
