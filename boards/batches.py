"""How arrays must lie in memory for a kernel: one layout, so that each kernel is compiled once."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sakiyomi.boards.game import States


def ready(states: States, dtype: np.dtype[Any]) -> States:
    """`states` as a contiguous, aligned, writable array of records of `dtype`; a copy only where it is not that yet.

    Slices with a step, read-only arrays and arrays from `np.load` become what kernels were compiled for.
    """
    whole: Any = np.require(states, requirements=["C", "A", "W"])
    return whole if whole.dtype.type is np.record else whole.view(dtype)  # type: ignore[no-any-return]


def plain(array: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """`array` as a contiguous, aligned, writable array of `dtype`; a copy only where it is not that yet."""
    return np.require(array, dtype, ["C", "A", "W"])
