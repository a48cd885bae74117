"""`AgentTaskPlayer`: an agent as a player of tasks."""

from typing import Any

import numpy as np

from sakiyomi.agents.agent import Agent, Foresight, Turn
from sakiyomi.envs.task import Task


class AgentTaskPlayer:
    """`agent` in episodes of the task that it has learnt, one at a time, acting as well as it can; a `TaskPlayer`."""

    def __init__(self, agent: Agent[Any], *, name: str = "agent"):
        self.agent, self.name = agent, name
        self._carry: Any = None
        self._turn: Turn | None = None  # what it last acted in
        self._first, self._reward = True, 0.0

    def begin(self, task: Task, seed: int) -> None:
        """As `TaskPlayer.begin`. Raises ValueError for another task than the agent has learnt."""
        if task.name != self.agent.task:
            raise ValueError(f"{self.name} has learnt {self.agent.task}, not {task.name}")
        self._carry, self._turn = self.agent.initial(1, seed), None
        self._first, self._reward = True, 0.0

    def act(self, observation: Any) -> Any:
        """As `TaskPlayer.act`."""
        shown = (
            {name: np.array(part)[None] for name, part in observation.items()}
            if isinstance(observation, dict)
            else np.array(observation)[None]
        )
        self._turn = Turn(shown, np.array([self._first]), np.array([self._reward], np.float32))
        actions, self._carry = self.agent.act(self._carry, self._turn, explore=False)
        self._first = False
        return actions[0]

    def rewarded(self, reward: float) -> None:
        """As `Rewarded.rewarded`."""
        self._reward = reward

    def foresee(self) -> Foresight | None:
        """What the agent looked at when it last acted; None before it did."""
        return None if self._turn is None else self.agent.foresee(self._carry, self._turn)

    def close(self) -> None:
        """Nothing to give back."""
