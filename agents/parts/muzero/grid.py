"""Numbers for actions that are vectors: each dimension has so many values, and a number's digits say which.

Replay, search and network all know actions as numbers; so, with a grid, vectors are actions like any others. There may
be far too many of them to look at one by one (11 values in each of 6 dimensions: 1,771,561), which is what
`SampledDynamics` is for.
"""

from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = TypeVar("Numbers")
MOST = 1 << 62  # actions: their numbers have 64 bits


@dataclass(frozen=True)
class Grid:
    """`bins` values in each dimension of vectors [U], evenly from `low` to `high`.

    Raises ValueError for fewer than 2 of them, bounds that are none, and more actions than numbers of 62 bits.
    """

    bins: int
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        bounds = np.array([self.low, self.high], np.float64)
        if self.bins < 2 or self.actions > MOST:
            raise ValueError(f"{self.bins} bins in each of {self.dimensions} dimensions cannot be numbered")
        if not (np.isfinite(bounds).all() and (bounds[0] < bounds[1]).all()):
            raise ValueError(f"actions need bounds to be put into bins, got {self.low} to {self.high}")

    @classmethod
    def of(cls, space: Any, bins: int) -> Self:
        """The grid for a Gymnasium Box of vectors."""
        return cls(bins, *(tuple(np.ravel(bound).astype(float).tolist()) for bound in (space.low, space.high)))

    @property
    def dimensions(self) -> int:
        """U."""
        return len(self.low)

    @property
    def actions(self) -> int:
        """How many there are."""
        return int(self.bins**self.dimensions)

    def vectors(self, numbers: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """[..., U]: what the actions `numbers` [...] are."""
        low, high = np.array(self.low), np.array(self.high)
        places = np.stack(digits(np.asarray(numbers, np.int64), self.bins, self.dimensions), axis=-1)
        return np.asarray(low + (high - low) * places / (self.bins - 1))


def digits(numbers: Numbers, bins: int, dimensions: int) -> list[Numbers]:
    """The value that each of the `dimensions` has, of whole numbers in an array or tensor of any shape."""
    return [numbers // bins**power % bins for power in range(dimensions)]
