"""`Motion`: frames of named channels, and what is done to them before a model learns from them."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Motion:
    """`frames` [T, C] of the channels called `names`; NaN is a value that is missing. `seconds` between two frames.

    Raises ValueError for names that do not fit the frames.
    """

    frames: Floats
    names: tuple[str, ...]
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.frames.ndim != 2 or self.frames.shape[1] != len(self.names):
            raise ValueError(f"{len(self.names)} names for frames of the shape {list(self.frames.shape)}")

    def every(self, stride: int) -> Self:
        """Every `stride`-th frame, from the first on."""
        seconds = None if self.seconds is None else self.seconds * stride
        return replace(self, frames=self.frames[::stride], seconds=seconds)

    def unwrapped(self, turn: float = 360.0) -> Self:
        """The same angles without jumps of a whole `turn`; missing values are left out of account."""
        frames = self.frames.copy()
        for column in frames.T:
            there = ~np.isnan(column)
            column[there] = np.unwrap(column[there], period=turn)
        return replace(self, frames=frames)

    def with_velocities(self, names: tuple[str, ...]) -> Self:
        """The channels `names` replaced by their change till the next frame, which the last frame repeats.

        So a place becomes a speed, which recurs from stride to stride. Raises ValueError for a name that is not there
        and for fewer than two frames.
        """
        if unknown := [name for name in names if name not in self.names]:
            raise ValueError(f"no channel {unknown[0]!r}; there are: {', '.join(self.names)}")
        if len(self.frames) < 2:
            raise ValueError("velocities need at least two frames")
        columns = [self.names.index(name) for name in names]
        frames = self.frames.copy()
        change = np.diff(self.frames[:, columns], axis=0)
        frames[:, columns] = np.concatenate([change, change[-1:]])
        return replace(self, frames=frames)

    def without(self, names: tuple[str, ...]) -> Self:
        """Without the channels `names`. Raises ValueError for a name that is not there."""
        if unknown := [name for name in names if name not in self.names]:
            raise ValueError(f"no channel {unknown[0]!r}; there are: {', '.join(self.names)}")
        kept = [k for k, name in enumerate(self.names) if name not in names]
        return replace(self, frames=self.frames[:, kept], names=tuple(self.names[k] for k in kept))
