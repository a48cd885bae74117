"""Agents for tests, by spec `python:fake_agents:NAME:FOLDER` once `tests/arena` is on sys.path (see `conftest.py`)."""

import time
import warnings
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from sakiyomi.agents.agent import RESIGN, Foresight, Progress
from sakiyomi.agents.parts.runs.checkpoints import read_json, write_json
from sakiyomi.agents.parts.runs.flags import from_json, to_json


@dataclass(frozen=True)
class Head:
    width: int = 16


@dataclass(frozen=True)
class Config:
    pause: float = 0.0  # seconds a step
    head: Head = Head()


class Scripted:
    """Plays the last action allowed, and keeps in its carry how often it was asked and the turns that it saw."""

    presets: ClassVar = {"usual": Config(), "tictactoe": Config(head=Head(4)), "slow": Config(pause=0.02)}
    task = "tictactoe"

    def __init__(self, config=None, answer=None, steps=0, colour="red"):
        self.config = config or Config()
        self.answer, self.steps, self.colour = answer, steps, colour

    def initial(self, batch, seed=0):
        return {"seed": seed, "turns": ()}

    def act(self, carry, turn, explore):
        assert explore is False
        assert turn.legal.shape == (len(turn.states), turn.game.num_actions)
        if turn.stop is not None and turn.budget.simulations is None:
            while not turn.stop.is_set():
                turn.tell(self.foresee(carry, turn))
        actions = np.array([np.flatnonzero(row)[-1] for row in turn.legal])
        if self.answer is not None:
            actions[:] = self.answer
        return actions, replace_turns(carry, turn)

    def foresee(self, carry, turn, row=0):
        actions = np.flatnonzero(turn.legal[row])[::-1]
        lines = (actions[:3],)  # with alternating turns any order of empty squares can be played
        visits, values = np.arange(len(actions))[::-1] + 1, np.linspace(0.5, -0.5, len(actions))
        values[-1] = np.nan
        return Foresight(0.25, actions, visits, values, visits / visits.sum(), lines, simulations=40, depth=3)

    def save(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "scripted.json", {"steps": self.steps, "config": to_json(self.config)})

    @classmethod
    def load(cls, folder, *, colour: str = "red", size: int = 3):
        if not (folder / "scripted.json").is_file():
            raise ValueError(f"{folder} holds no Scripted agent")
        stored = read_json(folder / "scripted.json")
        return cls(from_json(Config, stored["config"]), steps=stored["steps"], colour=colour)

    @classmethod
    def train(cls, task, folder, budget, *, config, seed=0, resume=False, runtime="auto"):
        agent = cls.load(folder) if resume else cls(config)
        try:
            while (spent := budget.spent(0.5 * agent.steps, agent.steps, 10 * agent.steps)) < 1:
                time.sleep(config.pause)
                agent.steps += 1
                figures = {"loss/policy": 1 / agent.steps, "width": config.head.width, "seed": seed}
                yield Progress(agent.steps, 10 * agent.steps, 0.5 * agent.steps, spent, figures)
        finally:
            agent.save(folder)


class Resigner(Scripted):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.answer = RESIGN


class Blind(Scripted):
    """Foresees nothing."""

    def foresee(self, carry, turn, row=0):
        return Foresight()


class Picky(Scripted):
    """Refuses every configuration when it begins to learn."""

    @classmethod
    def train(cls, task, folder, budget, *, config, seed=0, resume=False):
        raise ValueError(f"a width of {config.head.width} will not do")
        yield


class Warner(Scripted):
    """Warns at each step; one step of the environment is too few to learn from."""

    @classmethod
    def train(cls, task, folder, budget, *, config, seed=0, resume=False):
        for step in range(0 if budget.environment_steps else 1, 1 + (budget.steps or 0)):
            warnings.warn("no curves today", stacklevel=1)
            yield Progress(step, 1, 0.5, 1.0, {})


class NoAgent:
    presets: ClassVar = {}

    def act(self, carry, turn, explore): ...


def replace_turns(carry, turn):
    return carry | {"turns": (*carry["turns"], replace(turn, states=turn.states.copy()))}
