"""The log of a training run: `progress.json`, scalars for TensorBoard, and a plot.

::

    folder/progress.json      one JSON array, a line an iteration: {"step": 3, "spent": 0.02, "loss/policy": 1.9, ...}
    folder/progress.png       what `metrics_plot` draws of it, if matplotlib is installed
    folder/tensorboard/       the same scalars, if tensorboard is installed: tensorboard --logdir folder

`progress.json` is valid JSON at every moment and yet grows by one write a line, over the bracket that closes it, so
that long runs do not write all that went before again and again. A writer killed within that write leaves at the most
one broken line, which `read_progress` leaves out.
"""

import json
import math
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sakiyomi.agents.parts.runs.checkpoints import write_bytes

PROGRESS, PLOT, BOARD = "progress.json", "progress.png", "tensorboard"
PLOT_EVERY = 30.0  # seconds between two plots, and
PLOT_SHARE = 0.02  # the part of the time that they may take at the most
_END = b"\n]\n"

Row = dict[str, float | None]
"""Figures by name; None for what is not finite."""


class MetricsLog:
    """Logs figures by name into `folder`, going on after step `resume_at`: what was logged beyond it is cut, 0: all.

    Without matplotlib there is no plot, without tensorboard there are no scalars for it.
    """

    def __init__(self, folder: str | Path, resume_at: int = 0):
        self.folder = Path(folder)
        self.rows = [row for row in read_progress(self.folder) if (row["step"] or 0) <= resume_at]
        write_bytes(self.folder / PROGRESS, _document(self.rows))
        self._board = _board(self.folder / BOARD, resume_at)
        self._plotted = time.monotonic()
        self._plotting = 0.0  # seconds that the last plot took

    def log(self, step: int, spent: float, figures: Mapping[str, float]) -> None:
        """Add the figures of `step`, when the part `spent` of the budget was used; the last step also draws the plot.

        A name is "group/what"; "x low" and "x high" are the ends of the interval of "x". Raises ValueError for a step
        that does not come after the last.
        """
        if self.rows and step <= (self.rows[-1]["step"] or 0):
            raise ValueError(f"step {step} is logged after step {self.rows[-1]['step']}; steps must grow")
        row = {name: _finite(value) for name, value in {"step": step, "spent": spent, **figures}.items()}
        _append(self.folder / PROGRESS, row, first=not self.rows)
        self.rows.append(row)
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()
        wait = max(PLOT_EVERY, self._plotting / PLOT_SHARE)
        if spent >= 1 or time.monotonic() - self._plotted >= wait:
            self.plot()

    def plot(self) -> None:
        """Draw `progress.png` of all rows now, if matplotlib is installed."""
        started = time.monotonic()
        try:
            from sakiyomi.agents.parts.runs.metrics_plot import plot_progress
        except ModuleNotFoundError as error:
            _missed(error, "plot", "matplotlib")
        else:
            plot_progress(self.rows, self.folder / PLOT)
        self._plotted = time.monotonic()
        self._plotting = self._plotted - started

    def close(self) -> None:
        """Draw the plot a last time and close the files."""
        if self.rows:
            self.plot()
        if self._board is not None:
            self._board.close()


def read_progress(folder: str | Path) -> list[Row]:
    """The rows of `progress.json` in `folder`, none if there is no such file; a line broken off by a kill is left out.

    Raises ValueError for a file of another kind.
    """
    path = Path(folder) / PROGRESS
    if not path.is_file():
        return []
    rows: list[Row] = []
    lines = path.read_bytes().split(b"\n")
    if lines[0] != b"[":
        raise ValueError(f"{path} is no log of training: its first line must be a bracket [")
    for number, line in enumerate(lines[1:], start=2):
        text = line.strip().rstrip(b",")
        if text in (b"", b"]"):
            continue
        try:
            rows.append(json.loads(text))
        except ValueError:
            if any(rest.strip() not in (b"", b"]") for rest in lines[number:]):
                raise ValueError(f"{path}, line {number}: no JSON") from None
    return rows


def _append(path: Path, row: Row, first: bool) -> None:
    """One write, from the bracket that closes the array on."""
    with path.open("r+b", buffering=0) as file:
        file.seek(-len(_END) + first, 2)  # of an empty array the bracket stands on a line of its own already
        file.write((b"" if first else b",\n") + json.dumps(row).encode() + _END)


def _document(rows: list[Row]) -> bytes:
    lines = b",\n".join(json.dumps(row).encode() for row in rows)
    return b"[\n" + lines + (_END if rows else _END[1:])


def _finite(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return value if isinstance(value, int) else float(value)  # NumPy's numbers are no JSON


def _missed(error: ModuleNotFoundError, what: str, *packages: str) -> None:
    """Warn that there is no `what` for want of one of `packages`; any other missing module is raised."""
    if (error.name or "").split(".")[0] not in packages:
        raise error
    warnings.warn(f'no {what} without {packages[-1]}: pip install "sakiyomi[plots]"', stacklevel=3)


def _board(folder: Path, resume_at: int) -> Any:
    """A writer for TensorBoard that hides what was written of steps after `resume_at`, or None if there is none."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        _missed(error, "scalars for TensorBoard", "torch", "tensorboard")
        return None
    return SummaryWriter(str(folder), purge_step=resume_at + 1)
