"""The plot of a training run: a small panel for each group of figures, over the time in which they came about."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sakiyomi.agents.parts.runs.checkpoints import write_bytes

FEW = 40  # points, up to which each is marked
ENDS = (" low", " high")  # what the ends of a figure's interval are called


def plot_progress(rows: Sequence[dict[str, float | None]], path: str | Path) -> None:
    """Draw `rows`, figures by name with "step" and, if possible, "seconds", and write the PNG at once.

    Panels: losses; scores with their intervals; returns; errors of the model; throughput; batch fill; where the time
    goes; the gate. Only those that have figures are drawn.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: np.array([_number(row.get(name)) for row in rows]) for name in names}
    x, label = _time(columns)
    panels = [(title, drawing, chosen) for title, drawing, chosen in _panels(names) if chosen]
    across, down = min(2, max(1, len(panels))), max(1, -(-len(panels) // 2))
    figure = Figure(figsize=(6 * across, 3.2 * down), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (title, drawing, chosen) in enumerate(panels):
        axes = figure.add_subplot(down, across, number + 1)
        drawing(axes, x, columns, chosen)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel(label, fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="best", framealpha=0.6)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_bytes(path, picture.getvalue())


def _panels(names: list[str]) -> list[tuple[str, Any, list[str]]]:
    """Title, how it is drawn, and the figures that belong there."""
    kept = [name for name in names if not name.endswith(ENDS)]
    return [
        ("loss", _lines, [name for name in kept if name.startswith("loss/")]),
        ("score against each opponent, 95 % interval", _scores, [name for name in kept if name.startswith("score/")]),
        ("return", _lines, [name for name in kept if name.startswith("return/")]),
        ("the model's errors", _logarithmic, [name for name in kept if name.startswith("model/")]),
        ("throughput", _logarithmic, [name for name in kept if name.endswith("per second")]),
        ("fill of the network's batches", _parts, [name for name in kept if name.endswith("batch fill")]),
        ("where the time goes", _stacked, [name for name in kept if name.startswith("share/")]),
        ("gate", _parts, [name for name in kept if name in ("gate/score", "gate/low", "gate/high")]),
    ]


def _time(columns: dict[str, NDArray[np.float64]]) -> tuple[NDArray[np.float64], str]:
    seconds = columns.get("seconds")
    if seconds is None or not np.isfinite(seconds).all():
        return columns.get("step", np.zeros(0)), "step"
    if seconds.max(initial=0) < 2 * 3600:
        return seconds / 60, "minutes"
    return seconds / 3600, "hours"


def _lines(axes: Any, x: NDArray[np.float64], columns: dict[str, NDArray[np.float64]], names: list[str]) -> None:
    for name in names:
        there = np.isfinite(columns[name])
        marker = "." if there.sum() <= FEW else None
        axes.plot(x[there], columns[name][there], label=name.split("/", 1)[-1], linewidth=1.2, marker=marker)


def _logarithmic(axes: Any, x: NDArray[np.float64], columns: dict[str, NDArray[np.float64]], names: list[str]) -> None:
    _lines(axes, x, columns, names)
    axes.set_yscale("symlog")  # as the logarithm, but a moment without any is no hole


def _parts(axes: Any, x: NDArray[np.float64], columns: dict[str, NDArray[np.float64]], names: list[str]) -> None:
    _lines(axes, x, columns, names)
    axes.set_ylim(-0.02, 1.02)


def _scores(axes: Any, x: NDArray[np.float64], columns: dict[str, NDArray[np.float64]], names: list[str]) -> None:
    _parts(axes, x, columns, names)
    for line, name in zip(list(axes.get_lines()), names, strict=True):
        low, high = (columns.get(name + end) for end in ENDS)
        if low is not None and high is not None:
            there = np.isfinite(columns[name]) & np.isfinite(low) & np.isfinite(high)
            axes.fill_between(x[there], low[there], high[there], color=line.get_color(), alpha=0.18, linewidth=0)


def _stacked(axes: Any, x: NDArray[np.float64], columns: dict[str, NDArray[np.float64]], names: list[str]) -> None:
    values = np.nan_to_num(np.stack([columns[name] for name in names]))
    axes.stackplot(x, values, labels=[name.split("/", 1)[-1] for name in names], alpha=0.8)
    axes.set_ylim(0, 1)


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
