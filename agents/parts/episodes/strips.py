"""A prediction of pictures as one picture: frames side by side, and below them rewards and what states are worth.

::

    plot_strip(open_loop(agent, task), "imagined.png")
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from sakiyomi.agents.parts.episodes.videos import CHARTED, Frames, OpenLoop
from sakiyomi.agents.parts.runs.checkpoints import write_bytes

SEEN = 2
"""Frames that are shown of the context, the last ones."""
CAME, IMAGINED = "black", "tab:orange"
"""The colours of what came and of what was imagined."""


def plot_strip(loop: OpenLoop, path: str | Path, shown: int = 7) -> None:
    """Draw what came, what was imagined and the difference, and write the PNG at once.

    Of the prediction `shown` steps are drawn, from the first to the last; step 0 is the last of the context. Below are
    the `CHARTED` numbers as they were imagined, with their sampled futures, and the rewards that came.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seen, ahead = loop.context[-SEEN:], len(loop.truth)
    later = np.unique(np.linspace(0, ahead - 1, min(shown, ahead)).round().astype(int))
    steps = [*range(1 - len(seen), 1), *(1 + later)]
    rows: dict[str, list[Frames | None]] = {
        "came": [*seen, *loop.truth[later]],
        "imagined": [*seen, *loop.predicted[later]],
        "difference": [*(None for _ in seen), *loop.error[later]],
    }
    charts = [name for name in CHARTED if name in loop.numbers]
    figure = Figure(figsize=(1.1 * len(steps), 3.6 + 1.3 * len(charts)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(rows) + len(charts), len(steps))
    for row, (words, frames) in enumerate(rows.items()):
        panels = [figure.add_subplot(grid[row, column]) for column in range(len(steps))]
        panels[0].set_ylabel(words, fontsize=8)
        for axes, frame, step in zip(panels, frames, steps, strict=True):
            _draw_frame(axes, frame, IMAGINED if words == "imagined" and step > 0 else CAME)
            if row == 0:
                axes.set_title(f"{step:+d}" if step else "0", fontsize=8)
    for row, name in enumerate(charts, len(rows)):
        _draw_chart(figure.add_subplot(grid[row, :]), loop, name)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_bytes(path, picture.getvalue())


def _draw_frame(axes: Any, frame: Frames | None, colour: str) -> None:
    """A frame with a border, or an empty place."""
    axes.set(xticks=[], yticks=[])
    if frame is None:
        axes.spines[:].set_visible(False)
        return
    axes.imshow(frame)
    axes.spines[:].set(color=colour, linewidth=1.5)


def _draw_chart(axes: Any, loop: OpenLoop, name: str) -> None:
    """What was imagined of a number from step 1 on, and of rewards what came."""
    at, begin = 1 + np.arange(len(loop.truth)), 1 - len(loop.context)
    if name in loop.paths:
        axes.plot(at, loop.paths[name].T, color=IMAGINED, alpha=0.25, linewidth=0.6)
    axes.plot(at, loop.numbers[name], color=IMAGINED, linewidth=1.6)
    if name == "reward":
        came = loop.rewards[1:]  # nothing is paid at the reset
        axes.plot(begin + 1 + np.arange(len(came)), came, color=CAME, linewidth=1.2)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_xlim(begin, at[-1])
    axes.set_ylabel(name, fontsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
