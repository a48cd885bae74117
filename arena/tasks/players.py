"""Players of single-player tasks by a line of text: `make_task_player("swingup", task)`.

A spec is ``KIND`` or ``KIND:ARGUMENT``; ``NAME=SPEC`` gives the player a name of its own.
"""

import copy
import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np

from sakiyomi.arena.agent_specs import TASK_AGENTS, task_agent
from sakiyomi.arena.match import one_line
from sakiyomi.arena.players import check_name
from sakiyomi.envs.task import Task


class TaskPlayer(Protocol):
    """What acts in a task, one episode after another."""

    name: str

    def begin(self, task: Task, seed: int) -> None:
        """An episode of `task` begins: forget the last one. All chance comes from `seed`."""

    def act(self, observation: Any) -> Any:
        """The action for `observation`, which is the task's to change afterwards."""

    def close(self) -> None:
        """Give everything back."""


@runtime_checkable
class Rewarded(Protocol):
    """What a player may have beside, to be told the reward of each of its actions before it is asked for the next."""

    def rewarded(self, reward: float) -> None:
        """The last action brought that."""


@dataclass(frozen=True)
class TaskKind:
    """One kind of player: how its spec is written, what it is, and how it is made from its argument."""

    form: str
    about: str
    make: Callable[[str], Any]

    @property
    def name(self) -> str:
        """The word before the colon."""
        return self.form.partition(":")[0]


@dataclass(frozen=True)
class TaskSpec:
    """A spec taken apart: ``name=kind:argument``. `text` is it without the name."""

    name: str
    text: str
    kind: TaskKind
    argument: str


class RandomActions:
    """Any action of the space, as it samples them."""

    name = "random"

    def begin(self, task: Task, seed: int) -> None:
        """Sample from a copy of the action space, so that nobody else does."""
        self._space = copy.deepcopy(task.action_space)
        self._space.seed(seed % (1 << 32))

    def act(self, observation: Any) -> Any:
        """The next sample."""
        return self._space.sample()

    def close(self) -> None:
        """Nothing to give back."""


class ConstantAction:
    """Always the same action; without one, that which does nothing: all zeros, the first choice of a discrete space."""

    name = "constant"

    def __init__(self, argument: str = ""):
        self._text = argument
        try:
            self._numbers = np.array([float(part) for part in argument.split(",")]) if argument else None
        except ValueError:
            raise ValueError(f"constant:{argument}: numbers are wanted, as in constant:1 or constant:0.5,-1") from None

    def begin(self, task: Task, seed: int) -> None:
        """Raises ValueError if the task has no such action."""
        from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

        space: Any = task.action_space
        if isinstance(space, Discrete):
            number = float(space.start) if self._numbers is None else self._numbers[0]
            self._action: Any = int(number)
            fits = number == self._action and space.contains(self._action)
            fits = fits and (self._numbers is None or len(self._numbers) == 1)
        elif isinstance(space, Box | MultiBinary | MultiDiscrete):
            numbers = np.zeros(space.shape) if self._numbers is None else self._numbers
            fits = numbers.size == np.prod(space.shape)
            self._action = numbers.astype(space.dtype).reshape(space.shape) if fits else None
            fits = fits and (self._numbers is None or space.contains(self._action))
        else:
            raise ValueError(f"{task.name} has actions {space}, of which none is constant")
        if not fits:
            raise ValueError(f"{self._text!r} is no action of {task.name}, whose actions are {space}")

    def act(self, observation: Any) -> Any:
        """That action."""
        return self._action

    def close(self) -> None:
        """Nothing to give back."""


def make_task_player(spec: str) -> TaskPlayer:
    """The player that `spec` describes. Raises ValueError for an unknown kind or a bad argument."""
    parsed = parse_task_spec(spec)
    player: TaskPlayer = parsed.kind.make(parsed.argument)
    player.name = parsed.name
    return player


def parse_task_spec(spec: str) -> TaskSpec:
    """`spec` taken apart, without making the player. Raises ValueError."""
    named = re.fullmatch(r"\s*([^:@=]+?)\s*=(.*)", spec, re.DOTALL)
    text = (named[2] if named else spec).strip()
    word, _, argument = (part.strip() for part in text.partition(":"))
    kinds = {kind.name: kind for kind in TASK_KINDS}
    if word not in kinds:
        near = difflib.get_close_matches(word.lower(), kinds, 1, 0.5)
        forms = ", ".join(kind.form for kind in TASK_KINDS)
        hint = f"did you mean {kinds[near[0]].form!r}?" if near else f"there are: {forms}"
        raise ValueError(f"unknown player of tasks {text!r}; {hint}")
    kind = kinds[word]
    if not argument and kind.name in TASK_AGENTS:
        raise ValueError(f"player {text!r} is to be written {kind.form!r}, FOLDER the one that it was trained in")
    if bool(argument) != (":" in kind.form):
        raise ValueError(f"player {text!r} is to be written {kind.form!r}")
    return TaskSpec(check_name(named[1] if named else text), text, kind, argument)


def check_task_player(spec: str, tasks: list[Task]) -> TaskSpec:
    """`parse_task_spec`, and as much as can be known before playing: can it be made, does it begin these tasks?

    Raises ValueError.
    """
    parsed = parse_task_spec(spec)
    player = parsed.kind.make(parsed.argument)
    try:
        if parsed.kind.name != "python":  # what code of anybody's does is found out in a worker
            for task in tasks:
                player.begin(task, 0)
    finally:
        player.close()
    return parsed


def _swingup(argument: str) -> Any:
    from sakiyomi.arena.tasks.swingup import SwingUp

    return SwingUp()


def _learnt(kind: str, argument: str) -> Any:
    from sakiyomi.arena.tasks.seat import AgentTaskPlayer

    return AgentTaskPlayer(task_agent(kind, argument), name=f"{kind}:{argument}")


def _python(argument: str) -> Any:
    module, _, name = argument.partition(":")
    name, folder, path = name.partition(":")
    if folder:
        return _learnt(f"python:{module}:{name}", path)
    try:
        kind = getattr(import_module(module), name)
        if hasattr(kind, "initial") and hasattr(kind, "load"):
            raise ValueError("it is an agent: name the folder that it was trained in, python:MODULE:NAME:DIR")
        player = kind()
    except (Exception, SystemExit) as error:  # anybody's code
        why = one_line(str(error) or type(error).__name__)
        raise ValueError(f"player 'python:{argument}' cannot be made: {why}") from error
    missing = [method for method in ("begin", "act", "close") if not callable(getattr(player, method, None))]
    if missing:
        raise ValueError(f"player 'python:{argument}' plays no tasks: it has no method {missing[0]!r}")
    return player


TASK_KINDS = (
    TaskKind("random", "any action, as the task's action space samples them", lambda argument: RandomActions()),
    TaskKind("zero", "the action that does nothing: zeros, a discrete task's first", lambda a: ConstantAction()),
    TaskKind("noop", "the same as zero", lambda argument: ConstantAction()),
    TaskKind("constant:ACTION", "always that action: constant:1, constant:0.5,-1", ConstantAction),
    TaskKind("swingup", "energy and a regulator, for cartpole-swingup and pendulum", _swingup),
    *(
        TaskKind(f"{name}:FOLDER", f"{paper.kind} as trained there", partial(_learnt, name))
        for name, paper in TASK_AGENTS.items()
    ),
    TaskKind(
        "python:MODULE:NAME",
        "a player of yours with begin, act and close (docs/tasks.md); an agent of yours: python:MODULE:NAME:DIR",
        _python,
    ),
)
"""Every kind of player of tasks there is."""
