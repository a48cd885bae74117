"""``key-door-5x5``: fetch a key, open a door, fall into no pit; a small grid for agents that learn a model.

::

    . . o . D     actions  0 up, 1 right, 2 down, 3 left; against the border, or the door without the key, one stays
    . A . . .     reward   -0.02 a step, +1 for the door, -1 for a pit; both end the episode
    . o . . .     shown    planes [5, 5, 5]: agent A, key K on the ground, door D, pits o, and 1 everywhere with the key
    . . . o .
    K . . . .

Every episode has another layout, which can be solved. `least_steps` is what the best play takes, so that a return has
an exact reference.
"""

from collections import deque
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from sakiyomi.envs.task import Task

SIZE, PITS, HORIZON = 5, 3, 40
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
A_STEP, A_DOOR, A_PIT = -0.02, 1.0, -1.0
"""Rewards."""
Cell = tuple[int, int]


class Layout(NamedTuple):
    """Where everything is: rows and columns."""

    agent: Cell
    key: Cell
    door: Cell
    pits: frozenset[Cell]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Layout":
        """One that can be solved."""
        while True:
            cells = [divmod(int(cell), SIZE) for cell in rng.choice(SIZE * SIZE, 3 + PITS, replace=False)]
            layout = cls(cells[0], cells[1], cells[2], frozenset(cells[3:]))
            if least_steps(layout) is not None:
                return layout


class KeyDoor(gymnasium.Env[NDArray[np.float32], int]):
    """The environment; see the module."""

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self) -> None:
        self.observation_space = Box(0.0, 1.0, (5, SIZE, SIZE), np.float32)
        self.action_space = Discrete(len(MOVES))  # type: ignore[assignment]
        self.layout: Layout | None = None
        self._agent, self._held, self._steps = (0, 0), False, HORIZON

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Another layout."""
        super().reset(seed=seed)
        self.layout = Layout.drawn(self.np_random)
        self._agent, self._held, self._steps = self.layout.agent, False, 0
        return self._seen(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Go one cell."""
        if self.layout is None or self._steps >= HORIZON:
            raise ResetNeeded("the episode is over, or has not begun: call reset()")
        self._agent = after(self.layout, self._agent, self._held, int(action))
        self._held |= self._agent == self.layout.key
        opened, fallen = self._agent == self.layout.door, self._agent in self.layout.pits
        self._steps = HORIZON if opened or fallen else self._steps + 1
        reward = A_STEP + A_DOOR * opened + A_PIT * fallen
        return self._seen(), reward, opened or fallen, not (opened or fallen) and self._steps >= HORIZON, {}

    def _seen(self) -> NDArray[np.float32]:
        layout, planes = self.layout, np.zeros((5, SIZE, SIZE), np.float32)
        assert layout is not None
        planes[0][self._agent] = planes[2][layout.door] = 1
        planes[1][layout.key] = not self._held
        for pit in layout.pits:
            planes[3][pit] = 1
        planes[4] = self._held
        return planes


def after(layout: Layout, at: Cell, held: bool, action: int) -> Cell:
    """Where one who is `at` a cell, and has `held` the key or not, goes by `action`."""
    down, right = MOVES[action]
    to = (at[0] + down, at[1] + right)
    if not (0 <= to[0] < SIZE and 0 <= to[1] < SIZE) or (to == layout.door and not held):
        return at
    return to


def least_steps(layout: Layout) -> int | None:
    """Steps from the start by way of the key to the door, past the pits; None if there is no way."""
    start = (layout.agent, False)
    known, queue = {start: 0}, deque([start])
    while queue:
        at, held = queue.popleft()
        for action in range(len(MOVES)):
            to = after(layout, at, held, action)
            state = (to, held or to == layout.key)
            if to == layout.door:
                return known[at, held] + 1
            if to not in layout.pits and state not in known:
                known[state] = known[at, held] + 1
                queue.append(state)
    return None


def best_return(layout: Layout) -> float:
    """The greatest return. Raises ValueError for a layout that cannot be solved."""
    steps = least_steps(layout)
    if steps is None:
        raise ValueError(f"there is no way from the agent over the key to the door in {layout}")
    return A_DOOR + A_STEP * steps


def key_door_task() -> Task:
    """The task."""
    env = KeyDoor()
    low, high = A_STEP + A_PIT, A_STEP + A_DOOR
    return Task("key-door-5x5", env.observation_space, env.action_space, HORIZON, (low, high), KeyDoor)
