"""Checks of what players are set to."""

from numbers import Integral, Real

import numpy as np


def whole(what: str, value: object, unit: str = "") -> int:
    """`value` as an int, if it is a whole number of 1 or more. Raises ValueError; `what` says whose setting it is."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{what} must be a whole number of 1 or more{unit}, got {value!r}")
    return int(value)


def weight(what: str, value: float) -> float:
    """`value` as a float, if it is a finite number of 0 or more. Raises ValueError."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not 0 <= value < float("inf"):
        raise ValueError(f"{what} must be a finite number of 0 or more, got {value!r}")
    return float(value)
