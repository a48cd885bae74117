"""Exact dynamics: plants given by ordinary differential equations, integrated so finely that the error is noise.

A plant is a frozen dataclass of physical constants that derives from `Plant`. The control is held constant over a step
(zero-order hold), as a digital controller holds it. The equations are written once, in methods that take numbers, NumPy
arrays and PyTorch tensors of any one shape, and that the compiler takes too: so one plant serves a single episode, a
batch, and gradients (`torch_dynamics`).
"""

from collections import namedtuple
from dataclasses import fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Variables = Any
"""The variables of a state, or the controls: a sequence whose elements are numbers, arrays or tensors."""


class Plant:
    """What moves, and what is wanted of it; S state variables, A controls.

    A plant sets what stands here as fields of a dataclass, and `derivative`, `reward`, `energy` and `start`. These use
    `plant_maths` and take state and control by index, so that they can be compiled; of `self` they use numbers alone.
    """

    step: float
    """Seconds between two controls."""
    horizon: int
    """Controls in an episode."""
    limits: tuple[float, ...]
    """[A] the largest size of each control."""
    bounds: tuple[float, ...]
    """[S] sizes that no state variable reaches within an episode."""
    noise: tuple[float, ...]
    """[S] standard deviations of what is measured about what is."""
    names: ClassVar[tuple[str, ...]] = ()
    """[S] what the state variables are called in plots, with their units; none: by their numbers."""
    substep: ClassVar[float] = 0.0025
    """Seconds of one step of the Runge-Kutta method, about."""
    Numbers: ClassVar[Any] = None
    """What `numbers_of` gives for the plant's class, and below that, compiled, `plant_kernels.advance_rows`."""
    rows: ClassVar[Any] = None

    def __init_subclass__(cls) -> None:
        if {"derivative", "reward"} & cls.__dict__.keys():
            cls.rows = None  # what is compiled of the class above would not be this one's

    def derivative(self, state: Variables, control: Variables) -> Variables:
        """The change of each state variable in a second."""
        raise NotImplementedError

    def reward(self, state: Variables) -> Any:
        """0..1 for being in that state at the end of a step."""
        raise NotImplementedError

    def energy(self, state: Variables) -> Any:
        """Joules; constant without friction and control."""
        raise NotImplementedError

    def start(self, rng: np.random.Generator) -> Floats:
        """[S] a state to begin an episode in."""
        raise NotImplementedError

    @cached_property
    def numbers(self) -> Any:
        """The fields that are numbers, by their names: what stands for `self` in compiled code."""
        return self.Numbers(*(float(getattr(self, name)) for name in self.Numbers._fields))

    @property
    def substeps(self) -> int:
        """Steps of the integrator in a control step."""
        return max(1, round(self.step / self.substep))

    def errors(self, rng: np.random.Generator) -> Floats | None:
        """[horizon + 1, S] what the measurements of an episode are off by, from its start on; None if by nothing."""
        return rng.normal(0.0, self.noise, (self.horizon + 1, len(self.noise))) if any(self.noise) else None


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
    can do. A row gives the same bits in any batch, if the plant has compiled `rows`.
    """
    return step_rows(plant, states, controls)[0]


def step_rows(plant: Plant, states: Floats, controls: Floats) -> tuple[Floats, Floats]:
    """`after`, and the rewards [...] for it. Raises ValueError for shapes that do not fit."""
    limits, sizes = np.asarray(plant.limits), (len(plant.bounds), len(plant.limits))
    if (*np.shape(states)[-1:], *np.shape(controls)[-1:]) != sizes:
        got = f"{list(np.shape(states))} and {list(np.shape(controls))}"
        raise ValueError(f"{type(plant).__name__} has a state of {sizes[0]} numbers and {sizes[1]} controls, got {got}")
    if (batch := np.shape(states)[:-1]) != np.shape(controls)[:-1]:
        batch = np.broadcast_shapes(batch, np.shape(controls)[:-1])
        states, controls = np.broadcast_to(states, (*batch, sizes[0])), np.broadcast_to(controls, (*batch, sizes[1]))
    held = np.ascontiguousarray(np.clip(controls, -limits, limits).reshape(-1, len(limits)), np.float64)
    moved = np.array(states, np.float64, order="C").reshape(-1, sizes[0])
    if plant.rows is None:
        variables = advance(plant, tuple(moved.T), tuple(held.T), plant.step, plant.substeps)
        moved, rewards = np.stack(variables, axis=-1), np.asarray(plant.reward(variables), np.float64)
    else:
        rewards = np.empty(len(moved))
        plant.rows(plant.numbers, moved, held, rewards, float(plant.step), plant.substeps)
    return moved.reshape(*batch, sizes[0]), rewards.reshape(batch)


def numbers_of(kind: Any, module: str) -> Any:
    """A named tuple of the fields of a plant's class that are numbers; to be called `Numbers` in its `module`."""
    return namedtuple(
        "Numbers", [field.name for field in fields(kind) if field.type in (float, "float")], module=module
    )


def _moved(state: Variables, change: Variables, by: float) -> Variables:
    return tuple(s + by * c for s, c in zip(state, change, strict=True))
