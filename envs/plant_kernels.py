"""Compiled steps of plants: many rows under controls held constant, each by itself.

A row gives the same bits alone, in a batch, and whichever rows stand beside it: no row is computed together with
others, as vector units do.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np


def compiled(function: Callable[..., Any]) -> Any:
    """`function` for the use of a kernel, which is cached with it; its `self` may be a plant's `Plant.numbers`."""
    return numba.njit(nogil=True, error_model="numpy")(function)


# Copied into its callers: a kernel that hands functions to another cannot be cached.
@numba.njit(nogil=True, error_model="numpy", inline="always")
def advance_rows(derivative, reward, numbers, states, controls, rewards, seconds, steps):  # type: ignore[no-untyped-def]
    """Move `states` [N, S] on by `seconds` in `steps` steps of the Runge-Kutta method, and give `rewards` [N].

    `controls` [N, A] are held. It does what `dynamics.advance` does.
    """
    count, size = states.shape
    h = seconds / steps
    at, change = np.empty(size), np.empty(size)
    for i in range(count):
        state, control = states[i], controls[i]
        for _ in range(steps):
            slope = derivative(numbers, state, control)
            for j in range(size):
                change[j] = slope[j]
                at[j] = state[j] + h / 2 * slope[j]
            for stage in range(2):
                slope = derivative(numbers, at, control)
                for j in range(size):
                    change[j] += 2 * slope[j]
                    at[j] = state[j] + (h / 2 if stage == 0 else h) * slope[j]
            slope = derivative(numbers, at, control)
            for j in range(size):
                state[j] += h / 6 * (change[j] + slope[j])
        rewards[i] = reward(numbers, state)
