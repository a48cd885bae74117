"""How arrays must lie in memory for a kernel: one layout, so that each kernel is compiled once.

Kernels check no bounds, so what a caller got wrong by shape is refused here, once a batch.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sakiyomi.boards.game import States


def ready(states: States, dtype: np.dtype[Any]) -> States:
    """`states` as a contiguous, aligned, writable array of records of `dtype`; a copy only where it is not that yet.

    Slices with a step, read-only arrays and arrays from `np.load` become what kernels were compiled for. Raises
    ValueError for anything but a batch of this game's records.
    """
    if states.ndim != 1 or (states.dtype is not dtype and states.dtype != dtype):
        raise ValueError(
            f"a batch of this game's positions is wanted, [B] records of {dtype.itemsize} bytes;"
            f" got shape {states.shape} of {states.dtype.itemsize} bytes each"
        )
    whole: Any = np.require(states, requirements=["C", "A", "W"])
    return whole if whole.dtype.type is np.record else whole.view(dtype)  # type: ignore[no-any-return]


def plain(array: NDArray[Any], dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """`array` as a contiguous, aligned, writable array of `dtype`; a copy only where it is not that yet.

    Raises ValueError unless it has `shape`, where None stands for any length, and TypeError for floats as integers.
    """
    whole = np.asarray(array)
    if len(whole.shape) != len(shape) or any(n not in (None, m) for n, m in zip(shape, whole.shape, strict=True)):
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"an array of shape [{wanted}] is wanted, got {list(whole.shape)}")
    if whole.dtype.kind not in "iub":
        raise TypeError(f"whole numbers are wanted, got {whole.dtype}")
    return np.require(whole, dtype, ["C", "A", "W"])


def counters(rng: NDArray[np.uint64], batch: int) -> NDArray[np.uint64]:
    """`rng` as a kernel moves it on: the array itself, so that the caller sees it move.

    Raises ValueError unless it is a writable uint64 [batch].
    """
    if rng.dtype != np.uint64 or rng.shape != (batch,) or not (rng.flags.c_contiguous and rng.flags.writeable):
        raise ValueError(
            f"rng must be a contiguous, writable uint64 [{batch}], as random.seeds() makes it;"
            f" got {rng.dtype} {list(rng.shape)}"
        )
    return rng
