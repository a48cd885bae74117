"""Pictures for agents: exact area averaging, the crop and the depth of colour that a paper feeds its network.

`AreaResize` is what OpenCV calls INTER_AREA and needs no OpenCV: every pixel of the result is the mean of the rectangle
of the source that it covers, pixels on its border counting by their covered part. For a source of S pixels on an axis
and a result of D, the covered parts are multiples of 1/D, so all is done in integers and rounded once, a half to the
even number.
"""

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from sakiyomi.boards.kernel import kernel

if TYPE_CHECKING:
    from gymnasium import Env

Image = NDArray[np.uint8]
SHIFT = 52


class AreaResize:
    """Shrinks pictures of one shape to another by averaging; `resize(image)` gives a new array.

    `source` is (rows, columns) or (rows, columns, channels), `size` the (rows, columns) of the result, at most those
    of the source. Raises ValueError if it would have to enlarge.
    """

    def __init__(self, source: tuple[int, ...], size: tuple[int, int]):
        rows, columns = source[:2]
        if not 0 < size[0] <= rows or not 0 < size[1] <= columns:
            raise ValueError(f"a picture of {rows}x{columns} averages to a smaller size, not to {size[0]}x{size[1]}")
        if rows * columns >= 1 << 22:
            raise ValueError(f"a picture of {rows}x{columns} is too large: wanted are fewer than {1 << 22} pixels")
        self.source, self.size = tuple(source), size
        self._channels = source[2] if len(source) == 3 else 1
        self._shape = (*size, *source[2:])
        self._down, self._across = _cover(rows, size[0]), _cover(columns, size[1])
        self._sums = np.zeros(columns * self._channels, dtype=np.int32)

    def __call__(self, image: Image) -> Image:
        """The picture [rows, columns(, channels)] of this size."""
        if image.shape != self.source:
            raise ValueError(f"a picture of shape {image.shape}, wanted {self.source}")
        result = np.empty(self._shape, dtype=np.uint8)
        source = np.ascontiguousarray(image).reshape(self.source[0], -1)
        if not source.flags.writeable:  # one kernel, one signature
            source = source.copy()
        area_average(source, self._channels, *self._down, *self._across, self._sums, result.reshape(self.size[0], -1))
        return result


def _cover(source: int, size: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Which of `source` pixels each of `size` covers: the first [size], and 1/size parts of each [size, k]."""
    first = np.arange(size) * source // size
    pixels = first[:, None] + np.arange(-(-source // size) + 1)
    left = np.maximum(pixels * size, np.arange(size)[:, None] * source)
    right = np.minimum((pixels + 1) * size, np.arange(1, size + 1)[:, None] * source)
    parts = np.where(pixels < source, np.maximum(right - left, 0), 0)
    assert (parts.sum(axis=1) == source).all(), "every pixel of the result covers source/size pixels"
    return first.astype(np.int32), np.ascontiguousarray(parts, dtype=np.int32)


@kernel
def area_average(image, channels, first_row, row_parts, first_column, column_parts, sums, result):  # type: ignore[no-untyped-def]
    """Average `image` [rows, columns * channels] into `result` [less rows, less columns * channels].

    `sums` int32 [columns * channels] is room for one row of the result before its columns are averaged.
    """
    rows, width = image.shape
    columns = width // channels
    total = rows * columns
    inverse = (1 << SHIFT) // total + 1  # rounded up: exact quotients for fewer than 2^22 pixels
    for y in range(result.shape[0]):
        sums[:] = 0
        for k in range(row_parts.shape[1]):
            part = row_parts[y, k]
            if part > 0:
                row = image[first_row[y] + k]
                for x in range(width):
                    sums[x] += part * np.int32(row[x])
        for x in range(first_column.shape[0]):
            start = first_column[x] * channels
            for channel in range(channels):
                whole = 0
                for k in range(column_parts.shape[1]):
                    part = column_parts[x, k]
                    if part > 0:
                        whole += part * sums[start + k * channels + channel]
                mean = (whole * inverse) >> SHIFT
                beyond = 2 * (whole - mean * total) - total  # above the half, on it or below
                result[y, x * channels + channel] = mean + ((beyond + (mean & 1)) > 0)


def quantised(image: Image, bits: int = 5) -> Image:
    """The picture with its lowest bits cleared, so that `bits` remain of 8 (PlaNet, section "Preprocessing": 5).

    PlaNet's network sees ``quantised(x) / 256 - 0.5 + U(0, 1) / 32``; the noise is the agent's, drawn anew whenever it
    looks at the picture.
    """
    return image & np.uint8(256 - (1 << (8 - bits)))


class Pixels(gymnasium.ObservationWrapper[Image, Any, Image], RecordConstructorArgs):
    """Pictures cut to their first `rows` rows, averaged to `size` and left with `bits` of 8."""

    def __init__(self, env: "Env[Image, Any]", size: tuple[int, int], rows: int | None = None, bits: int = 8):
        RecordConstructorArgs.__init__(self, size=size, rows=rows, bits=bits)
        gymnasium.ObservationWrapper.__init__(self, env)
        space = env.observation_space
        if not isinstance(space, Box) or space.dtype != np.uint8 or len(space.shape) not in (2, 3):
            raise ValueError(f"pictures of uint8 are wanted, not observations {space}")
        self._rows, self._bits = rows or space.shape[0], bits
        self._resize = AreaResize((self._rows, *space.shape[1:]), size)
        self.observation_space = Box(0, 255, (*size, *space.shape[2:]), np.uint8)

    def observation(self, observation: Image) -> Image:
        """The picture as the agent sees it."""
        small = self._resize(observation[: self._rows])
        return small if self._bits == 8 else quantised(small, self._bits)
