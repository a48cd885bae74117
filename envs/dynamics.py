"""Exact dynamics: plants given by ordinary differential equations, integrated so finely that the error is noise.

A plant is a frozen dataclass of physical constants with the methods below. The control is held constant over a step
(zero-order hold), as a digital controller holds it. All methods take numbers as well as arrays of any one shape, so one
plant serves a single episode and a batch.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Variables = tuple[Any, ...]
"""The variables of a state, each a number or an array."""

SUBSTEP = 0.0025
"""Seconds of one step of the Runge-Kutta method, at most."""


class Plant(Protocol):
    """What moves, and what is wanted of it; S state variables, A controls."""

    @property
    def step(self) -> float:
        """Seconds between two controls."""

    @property
    def horizon(self) -> int:
        """Controls in an episode."""

    @property
    def limits(self) -> tuple[float, ...]:
        """[A] the largest size of each control."""

    @property
    def bounds(self) -> tuple[float, ...]:
        """[S] sizes that no state variable reaches within an episode."""

    @property
    def spread(self) -> tuple[float, ...]:
        """[S] standard deviations of the state at the start, about rest at 0."""

    @property
    def noise(self) -> tuple[float, ...]:
        """[S] standard deviations of what is measured about what is."""

    def derivative(self, state: Variables, control: Variables) -> Variables:
        """The change of each state variable in a second."""

    def reward(self, state: Variables) -> Any:
        """0..1 for being in that state at the end of a step."""


def advance(plant: Plant, state: Variables, control: Variables, seconds: float, steps: int) -> Variables:
    """The state after `seconds` under a constant control, by `steps` steps of the classical Runge-Kutta method."""
    h = seconds / steps
    for _ in range(steps):
        k1 = plant.derivative(state, control)
        k2 = plant.derivative(_moved(state, k1, h / 2), control)
        k3 = plant.derivative(_moved(state, k2, h / 2), control)
        k4 = plant.derivative(_moved(state, k3, h), control)
        state = tuple(s + h / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True))
    return state


def after(plant: Plant, states: Floats, controls: Floats) -> Floats:
    """[..., S] the states one control step after `states` [..., S] under `controls` [..., A], limited to what the plant
    can do.
    """
    limits = np.asarray(plant.limits)
    held = np.clip(controls, -limits, limits)
    substeps = max(1, round(plant.step / SUBSTEP))
    variables, control = (_variables(array) for array in (states, held))
    return np.stack(advance(plant, variables, control, plant.step, substeps), axis=-1)


def _variables(array: Floats) -> Variables:
    """The columns of an array; plain numbers if it is one row, which are quicker."""
    return tuple(array.tolist()) if array.ndim == 1 else tuple(np.moveaxis(array, -1, 0))


def _moved(state: Variables, change: Variables, by: float) -> Variables:
    return tuple(s + by * c for s, c in zip(state, change, strict=True))
