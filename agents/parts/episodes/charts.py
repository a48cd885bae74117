"""Small charts of numbers over time, as pixels: for the frames of films."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
BACK, NOW = (24, 24, 28), (70, 70, 80)
"""The colours (RGB) of the ground and of the upright line at the present."""
MARGIN = 3  # pixels above and below


@dataclass(frozen=True, eq=False)
class Line:
    """Numbers [N], the first of them of step `begin`."""

    values: NDArray[np.float64]
    colour: Colour
    begin: int = 0


def chart(
    lines: Sequence[Line], steps: int, limits: tuple[float, float], size: tuple[int, int], *, now: int
) -> NDArray[np.uint8]:
    """uint8 [rows, columns, 3] for `size`: the `lines`, the first below all others, over the steps 0 to `steps` - 1.

    The least of `limits` is at the bottom, the greatest at the top; an upright line marks the step `now`.
    """
    rows, columns = size
    picture = np.empty((rows, columns, 3), np.uint8)
    picture[:] = BACK
    across = (columns - 1) / max(1, steps - 1)
    picture[:, round(now * across)] = NOW
    for line in lines:
        at = (line.begin + np.arange(len(line.values))) * across
        height = _rows_of(line.values, limits, rows)
        if not len(at):
            continue
        pixels = np.arange(round(at[0]), round(at[-1]) + 1)
        tops = np.interp(pixels, at, height).round().astype(int)
        for pixel, one, other in zip(pixels, tops, np.append(tops[1:], tops[-1:]), strict=True):
            picture[min(one, other) : max(one, other) + 1, pixel] = line.colour
    return picture


def _rows_of(values: NDArray[np.float64], limits: tuple[float, float], rows: int) -> NDArray[np.float64]:
    low, high = limits
    part = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return MARGIN + (1 - part) * (rows - 1 - 2 * MARGIN)
