"""Checks of configurations: numbers within limits."""

import math
from typing import Any


def check_within(config: Any, low: float, high: float, *names: str) -> None:
    """Raises ValueError for the first of the fields `names` that is not from `low` to `high` (math.inf: no limit)."""
    for name in names:
        value = getattr(config, name)
        if not low <= value <= high:
            wanted = f"{low} or more" if high == math.inf else f"from {low} to {high}"
            raise ValueError(f"{name} must be {wanted}, got {value}")


def check_layers(config: Any, *names: str) -> None:
    """Raises ValueError for the first of the fields `names` that names no layers, or one without units."""
    for name in names:
        value = getattr(config, name)
        if not value or min(value) < 1:
            raise ValueError(f"{name} must be numbers of units, 1 or more, with commas between, got {value}")
