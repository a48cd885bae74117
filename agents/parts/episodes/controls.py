"""Actions as a model sees them: from -1 to 1 for each control, or 1 for the choice taken and 0 for the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sakiyomi.envs.task import Task

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Controls:
    """What a task is controlled by: `choices` actions of which one is taken, or vectors between `low` and `high`."""

    choices: int = 0
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @classmethod
    def of(cls, task: "Task") -> Self:
        """Those of `task`. Raises ValueError for one with neither choices nor vectors within limits."""
        from gymnasium.spaces import Box, Discrete

        space = task.action_space
        if isinstance(space, Discrete) and space.start == 0:
            return cls(choices=int(space.n))
        if isinstance(space, Box) and len(space.shape) == 1 and np.isfinite([space.low, space.high]).all():
            return cls(low=tuple(space.low.astype(float).tolist()), high=tuple(space.high.astype(float).tolist()))
        raise ValueError(f"{task.name} has actions {space}; wanted are choices 0, 1, ... or vectors within limits")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """What `to_json` gave `values` for."""
        return cls(int(values["choices"]), tuple(map(float, values["low"])), tuple(map(float, values["high"])))

    def to_json(self) -> dict[str, Any]:
        """As what JSON can hold."""
        return {"choices": self.choices, "low": list(self.low), "high": list(self.high)}

    @property
    def discrete(self) -> bool:
        """Is one of several actions taken?"""
        return self.choices > 0

    @property
    def size(self) -> int:
        """The numbers of an action as a model sees it, U."""
        return self.choices or len(self.low)

    def encoded(self, actions: NDArray[Any]) -> Floats:
        """[B, U] as a model sees actions [B] or [B, U] of the task."""
        if self.discrete:
            return np.asarray(np.eye(self.choices, dtype=np.float32)[actions])
        low, high = np.array(self.low), np.array(self.high)
        return np.asarray(2 * (np.asarray(actions, np.float64) - low) / (high - low) - 1, np.float32)

    def decoded(self, vectors: NDArray[Any]) -> NDArray[Any]:
        """Actions [B] or [B, U] of the task, for [B, U]: the largest number's, or within the limits."""
        if self.discrete:
            return np.asarray(vectors.argmax(axis=-1))
        low, high = np.array(self.low), np.array(self.high)
        return np.asarray(np.clip(low + (vectors.astype(np.float64) + 1) / 2 * (high - low), low, high))
