"""An agent of tasks for tests, by spec `python:task_agents:Pushing:FOLDER`."""

from dataclasses import dataclass

import numpy as np

from sakiyomi.agents.agent import Foresight, Predicted
from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json


@dataclass(frozen=True)
class Config:
    push: float = 1.0


class Pushing:
    """Pushes as it was told to when it was saved, harder with each reward; says what it was shown."""

    presets = {"usual": Config()}  # noqa: RUF012

    def __init__(self, config, task, scale=1.0):
        self.config, self.task, self.scale, self.shown = config, task, scale, []

    def initial(self, batch, seed=0):
        return np.zeros(batch)

    def act(self, carry, turn, explore):
        assert not explore
        assert len(carry) == len(turn.is_first) == 1
        assert isinstance(turn.observation, np.ndarray)
        self.shown.append((bool(turn.is_first[0]), float(turn.reward[0])))
        carry = carry + turn.reward
        return np.array([[self.scale * self.config.push]]), carry

    def foresee(self, carry, turn, row=0):
        return Foresight(value=float(carry[row]), future={"state": Predicted(np.tile(turn.observation[row], (3, 1)))})

    def save(self, folder):
        write_json(folder / "pushing.json", {"push": self.config.push, "task": self.task})

    @classmethod
    def load(cls, folder, *, scale: float = 1.0):
        try:
            stored = read_json(folder / "pushing.json")
        except FileNotFoundError:
            raise ValueError(f"{folder} holds no agent") from None
        return cls(Config(stored["push"]), stored["task"], scale)

    @classmethod
    def train(cls, task, folder, budget, *, config, seed=0, resume=False):
        raise NotImplementedError
