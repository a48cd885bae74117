"""Functions of one number that take what plants are written for: numbers, NumPy arrays, PyTorch tensors, compiled code.

So the equations of a plant are written once. Each function asks what it is given; in compiled code the compiler does,
and the answer costs nothing.
"""

import math
from typing import Any

import numpy as np
from numba.extending import overload


def sin(x: Any) -> Any:
    """The sine of a number, an array or a tensor, in radians."""
    if isinstance(x, float | int):
        return math.sin(x)
    return np.sin(x) if isinstance(x, np.ndarray | np.number) else x.sin()


def cos(x: Any) -> Any:
    """The cosine of a number, an array or a tensor, in radians."""
    if isinstance(x, float | int):
        return math.cos(x)
    return np.cos(x) if isinstance(x, np.ndarray | np.number) else x.cos()


def exp(x: Any) -> Any:
    """The exponential of a number, an array or a tensor."""
    if isinstance(x, float | int):
        return math.exp(x)
    return np.exp(x) if isinstance(x, np.ndarray | np.number) else x.exp()


def clip(x: Any, low: float, high: float) -> Any:
    """`x` cut to low..high: a number, an array or a tensor, through which a gradient of 1 passes within the bounds."""
    if isinstance(x, float | int):
        return min(max(x, low), high)
    return np.clip(x, low, high) if isinstance(x, np.ndarray | np.number) else x.clamp(low, high)


@overload(sin)
def _sin(x):  # type: ignore[no-untyped-def]
    return lambda x: math.sin(x)


@overload(cos)
def _cos(x):  # type: ignore[no-untyped-def]
    return lambda x: math.cos(x)


@overload(exp)
def _exp(x):  # type: ignore[no-untyped-def]
    return lambda x: math.exp(x)


@overload(clip)
def _clip(x, low, high):  # type: ignore[no-untyped-def]
    return lambda x, low, high: min(max(x, low), high)
