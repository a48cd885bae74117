"""Shapes as coverage masks, float32 [size, size] from 0 to 1, made with NumPy alone and kept.

Coordinates run from 0 to 1, x to the right, y down. Edges are smooth because each pixel is the mean of 4 x 4 samples.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FINE = 4  # samples a pixel, each way
Mask = NDArray[np.float32]
Fine = NDArray[np.bool_]
Points = Sequence[tuple[float, float]]


def grid(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of the samples, [1, size * FINE] and [size * FINE, 1]."""
    at = (np.arange(size * FINE) + 0.5) / (size * FINE)
    return at[None, :], at[:, None]


def mean(fine: Fine) -> Mask:
    """The coverage of pixels from that of samples."""
    size = len(fine) // FINE
    covered: Mask = fine.reshape(size, FINE, size, FINE).mean(axis=(1, 3), dtype=np.float32)
    return covered


def disc(size: int, x: float, y: float, radius: float, flat: float = 1.0) -> Fine:
    """A disc, or with `flat` an ellipse whose height is that part of its width."""
    across, down = grid(size)
    inside: Fine = (across - x) ** 2 + ((down - y) / flat) ** 2 <= radius**2
    return inside


def polygon(size: int, points: Points, smooth: int = 0) -> Fine:
    """The inside of a polygon; `smooth` times its corners are cut (Chaikin's curve)."""
    corners = np.array(points)
    for _ in range(smooth):
        after = np.roll(corners, -1, axis=0)
        corners = np.stack([0.75 * corners + 0.25 * after, 0.25 * corners + 0.75 * after], axis=1).reshape(-1, 2)
    across, down = grid(size)
    inside = np.zeros((size * FINE, size * FINE), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 <= down) != (y1 <= down)) & (across < x0 + (down - y0) * (x1 - x0) / (y1 - y0))
    return inside


def line(size: int, points: Points, width: float) -> Fine:
    """A line through the points with round ends."""
    across, down = grid(size)
    inside = np.zeros((size * FINE, size * FINE), np.bool_)
    for (x0, y0), (x1, y1) in pairwise(points):
        along = (across - x0) * (x1 - x0) + (down - y0) * (y1 - y0)
        part = np.clip(along / max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-12), 0, 1)
        inside |= (across - x0 - part * (x1 - x0)) ** 2 + (down - y0 - part * (y1 - y0)) ** 2 <= (width / 2) ** 2
    return inside


def grown(fine: Fine, by: int) -> Fine:
    """The shape and all samples within `by` of it."""
    wide = np.pad(fine, by)
    found = np.zeros_like(fine)
    rows, columns = fine.shape
    for dy in range(-by, by + 1):
        reach = int((by * by - dy * dy) ** 0.5)
        row = wide[by + dy : by + dy + rows]
        sums = np.cumsum(np.pad(row, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
        found |= sums[:, by + reach + 1 : by + reach + 1 + columns] > sums[:, by - reach : by - reach + columns]
    return found


# Letters as lines on a grid of 4 x 6, "xy xy xy" for each line.
LETTERS = {
    "A": "06 20 46|14 34",
    "B": "00 06 36 45 44 33 03|00 30 41 42 33",
    "C": "41 30 10 01 05 16 36 45",
    "D": "00 06 26 45 41 20 00",
    "E": "40 00 06 46|03 33",
    "F": "40 00 06|03 33",
    "G": "41 30 10 01 05 16 36 45 43 23",
    "H": "00 06|40 46|03 43",
    "I": "20 26|10 30|16 36",
    "J": "40 45 36 16 05",
    "K": "00 06|40 03 46",
    "L": "00 06 46",
    "M": "06 00 23 40 46",
    "N": "06 00 46 40",
    "O": "10 30 41 45 36 16 05 01 10",
    "P": "06 00 30 41 42 33 03",
    "Q": "10 30 41 45 36 16 05 01 10|24 46",
    "R": "06 00 30 41 42 33 03|23 46",
    "S": "41 30 10 01 02 13 33 44 45 36 16 05",
    "T": "00 40|20 26",
    "U": "00 05 16 36 45 40",
    "V": "00 26 40",
    "W": "00 16 23 36 40",
    "X": "00 46|40 06",
    "Y": "00 23 40|23 26",
    "Z": "00 40 06 46",
    "0": "10 30 41 45 36 16 05 01 10",
    "1": "01 20 26|06 46",
    "2": "01 10 30 41 42 06 46",
    "3": "01 10 30 41 42 33 13|33 44 45 36 16 05",
    "4": "36 30 04 44",
    "5": "40 00 03 33 44 45 36 16 05",
    "6": "41 30 10 01 05 16 36 45 44 33 03",
    "7": "00 40 16",
    "8": "13 33 42 41 30 10 01 02 13 04 05 16 36 45 44 33",
    "9": "43 13 02 01 10 30 41 45 36 16 05",
    "+": "21 25|03 43",
}


@cache
def text(size: int, words: str, height: float, weight: float = 0.13) -> Mask:
    """`words` in the middle of a square, `height` high, their lines `weight` of that wide; smaller if too long."""
    advance, width = 5.6, 4.0 + 5.6 * (len(words) - 1)
    unit = min(height / 6, 0.94 / width)
    left, top = 0.5 - unit * width / 2, 0.5 - unit * 3
    fine = np.zeros((size * FINE, size * FINE), np.bool_)
    for place, letter in enumerate(words.upper()):
        for stroke in LETTERS[letter].split("|"):
            points = [(left + unit * (advance * place + int(p[0])), top + unit * int(p[1])) for p in stroke.split()]
            fine |= line(size, points, 6 * unit * weight)
    return mean(fine)
