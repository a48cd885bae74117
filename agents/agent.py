"""What every agent offers: the `Agent` protocol. Nobody inherits from it; a class that has these methods is an agent.

An agent acts in many episodes at once, a row of the batch each, and remembers nothing between calls: what it must know
of the running episodes (a search tree, a latent state, a plan to go on from) is the *carry*, which comes in with each
call and goes out with its result::

    carry = agent.initial(batch)
    while ...:
        actions, carry = agent.act(carry, turn, explore=False)     # `Turn`: what the agent is shown
        imagined = agent.foresee(carry, turn)                      # `Foresight`: what it looked at to decide so

    for progress in MyAgent.train(task, folder, TrainingBudget(seconds=1800), config=config):
        print(progress.steps, progress.scalars)                    # `Progress`

One interface serves board games, where the rules are known and a `Turn` holds the positions themselves, and tasks,
where it holds observations. docs/agents.md adds an agent of one's own in ten minutes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Game, States
from sakiyomi.boards.player import Budget, Candidate, Thought
from sakiyomi.envs.task import Task

Carry = TypeVar("Carry")
Observations = NDArray[Any] | Mapping[str, NDArray[Any]]
"""[B, ...], or several such arrays by name."""
Actions = NDArray[Any]
"""Integers [B], numbers of actions, or real vectors [B, U]. In a board game RESIGN gives the game up."""
RESIGN = -2
"""The action that is no move but gives up, as in `sakiyomi.envs.BoardBatch`."""


@dataclass(frozen=True, eq=False)
class Turn:
    """What B episodes show an agent before it acts.

    `observation` [B, ...] may be overwritten by the environment afterwards. `reward` [B] is that of arriving here, 0 at
    an episode's beginning, which `is_first` [B] marks: there the row of the carry counts for nothing. `legal` [B, A]
    is True where an action may be chosen (fewer than the rules allow where somebody asks which of some moves is best);
    None where all may.

    In board games `game` and `states` [B] are the rules and the positions; both are None elsewhere. `budget` is what
    this one decision may cost, for each row; without limits the agent's own settings hold. `stop`, if there is one, is
    to be looked at now and then: once it is set, the agent decides by what it has, and till then a budget without
    limits is none at all. `tell` takes what the agent foresees so far for row 0, as often as it likes; an agent may
    ignore both.
    """

    observation: Observations
    is_first: NDArray[np.bool_]
    reward: NDArray[np.float32]
    legal: NDArray[np.bool_] | None = None
    states: States | None = None
    game: Game | None = None
    budget: Budget = Budget()  # noqa: RUF009 it is frozen
    stop: Event | None = None
    tell: "Callable[[Foresight], None] | None" = None

    @classmethod
    def of_game(
        cls,
        game: Game,
        states: States,
        is_first: NDArray[np.bool_] | None = None,
        **others: Any,
    ) -> Self:
        """The turn that positions [B] of `game` present, none of them over; `is_first` is True everywhere if None."""
        n = len(states)
        first = np.ones(n, np.bool_) if is_first is None else is_first
        given = {"reward": np.zeros(n, np.float32), "legal": game.legal(states)} | others
        return cls(game.observe(states), first, states=states, game=game, **given)


@dataclass(frozen=True, eq=False)
class Predicted:
    """A quantity as a model predicts it: row h is what it will be h + 1 steps on, after ``Foresight.plan[h]``.

    `mean` is [H, ...] (a number, a vector or a picture a step). How sure the model is, as far as it can tell: `std`
    [H, ...], or `covariance` [H, D, D] of vectors; `samples` [P, H, ...] are P futures drawn from it, those of one
    network of an ensemble next to each other.
    """

    mean: NDArray[Any]
    std: NDArray[Any] | None = None
    covariance: NDArray[Any] | None = None
    samples: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class Foresight:
    """What an agent looks at before it acts, for one row of a batch; None or empty is what it has not.

    `value` is the return that it expects from here; in board games the result, -1 to 1, as the player to move sees it.

    What it may do, the best first: `actions` [K] or [K, U], and of each `visits` [K] (how often a search looked there),
    `values` [K] (the return expected after it, NaN where unknown), `priors` [K] (how likely the agent held it before it
    looked ahead), and in `lines` the actions expected from here on, itself the first ([L] or [L, U]; there may be
    fewer lines than actions).

    What will be if it does what it likes best: `future` holds, by name, what its model predicts along ``lines[0]``:
    "observation" (frames are [H, height, width, channels], uint8 or 0 to 1), "state", "reward", "value", "continue"
    (the probability that the episode goes on), "satisfied" (that a constraint holds).

    `simulations` are the futures that it looked at, and `depth` the most steps that one of them went.
    """

    value: float | None = None
    actions: Actions | None = None
    visits: NDArray[Any] | None = None
    values: NDArray[Any] | None = None
    priors: NDArray[Any] | None = None
    lines: tuple[Actions, ...] = ()
    future: Mapping[str, Predicted] = field(default_factory=dict)
    simulations: int = 0
    depth: int = 0

    @property
    def plan(self) -> Actions | None:
        """[H] or [H, U], the actions that it means to take, or None."""
        return self.lines[0] if self.lines else None

    def thought(self, game: Game, state: States, seconds: float = 0.0) -> Thought:
        """The same in moves, for a position `state` [1] of `game` about which it was thought for so many seconds."""
        actions = [] if self.actions is None else [int(action) for action in self.actions]
        lines = [np.asarray(line, np.int32) for line in self.lines[: len(actions)]]
        lines += [np.array([action], np.int32) for action in actions[len(lines) :]]
        candidates = []
        for k, line in enumerate(lines):
            moves = _moves(game, state, line)
            visits = None if self.visits is None else int(self.visits[k])
            candidates.append(
                Candidate(moves[0], visits, _number(self.values, k), _number(self.priors, k), tuple(moves))
            )
        expected = candidates[0].line if candidates else ()
        return Thought(
            expected,
            self.value,
            depth=self.depth,
            nodes=self.simulations,
            seconds=seconds,
            candidates=tuple(candidates),
        )


@dataclass(frozen=True)
class TrainingBudget:
    """How long an agent is to train, all runs that it was resumed in together; training ends at the first limit.

    `seconds` of wall-clock time, `steps` of learning (updates of the network, or what else the agent counts as one),
    `environment_steps` (plies of self-play; frames, actions repeated counted each), `processor_seconds` of all its
    threads together, for a machine that does other work beside. No limit: until it is stopped. Raises ValueError for
    limits that are not over 0.
    """

    seconds: float | None = None
    steps: int | None = None
    environment_steps: int | None = None
    processor_seconds: float | None = None

    def __post_init__(self) -> None:
        for name, limit in vars(self).items():
            if limit is not None and not 0 < limit < float("inf"):
                raise ValueError(f"{name} to train must be over 0, got {limit!r}")

    def spent(self, seconds: float, steps: int, environment_steps: int, processor_seconds: float = 0.0) -> float:
        """The part of the budget that is spent: 0 at the start, 1 or more when training is to end."""
        used = (
            (seconds, self.seconds),
            (steps, self.steps),
            (environment_steps, self.environment_steps),
            (processor_seconds, self.processor_seconds),
        )
        return max((have / limit for have, limit in used if limit is not None), default=0.0)


@dataclass(frozen=True)
class Progress:
    """How far a training run has come, all runs that it was resumed in together.

    `spent` is the part of the budget that is used, 0 to 1. `scalars` are figures by name, a slash between a group and
    what it is: "loss/policy", "score/uct:100", "return/mean". The ends of an interval are "score/uct:100 low" and
    "score/uct:100 high".
    """

    steps: int
    environment_steps: int
    seconds: float
    spent: float
    scalars: Mapping[str, float] = field(default_factory=dict)


class Agent(Protocol[Carry]):
    """Acts in environments and games, says what it foresees, and learns."""

    presets: ClassVar[Mapping[str, Any]]
    """Configurations by name, all frozen dataclasses of one kind. One that is called as a task is meant for it; the
    first is for all others."""

    @property
    def config(self) -> Any:
        """The configuration that it was made with: a frozen dataclass."""
        ...

    @property
    def task(self) -> str:
        """The name of the task or game that it has learnt: "go-9x9"."""
        ...

    def initial(self, batch: int, seed: int = 0) -> Carry:
        """What it remembers as `batch` episodes begin. All its chance in them comes from `seed`."""
        ...

    def act(self, carry: Carry, turn: Turn, explore: bool) -> tuple[Actions, Carry]:
        """An action for each row, legal ones or RESIGN, and what it then remembers; `carry` is not to be used again.

        With `explore` it acts as it does to learn, else as well as it can.
        """
        ...

    def foresee(self, carry: Carry, turn: Turn, row: int = 0) -> Foresight:
        """What it looked at in one row to act as it did, where `carry` is what `act` returned for this `turn`."""
        ...

    def save(self, folder: Path) -> None:
        """Write all that `load` needs into `folder`: numbers as safetensors or .npy, the rest as JSON."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The agent that `save` or `train` left in `folder`.

        A class may take settings beside it, by keyword (``runtime="torch"``); player specs can name them. Raises
        ValueError if `folder` holds no such agent.
        """
        ...

    @classmethod
    def train(
        cls,
        task: Task | Game,
        folder: Path,
        budget: TrainingBudget,
        *,
        config: Any,
        seed: int = 0,
        resume: bool = False,
    ) -> Iterator[Progress]:
        """Learn `task` (a board game is given as its rules), telling now and then how far it is.

        Closing the iterator saves what has been learnt; `resume` goes on from what the folder holds, after a kill from
        what was last saved. `load` reads the folder at any time after the first `Progress`. A class may take settings
        beside these, by keyword with a default: ``runtime`` and ``ray`` are options of `sakiyomi train`. Raises
        ValueError for a task that such an agent cannot learn.
        """
        ...


def _moves(game: Game, state: States, line: NDArray[np.int32]) -> list[str]:
    """The line in notation, from the position `state` [1]."""
    at, moves = state.copy(), []
    for action in line:
        moves.append(game.move_text(at, int(action)))
        game.play(at, np.array([action], np.int32))
    return moves


def _number(figures: NDArray[Any] | None, k: int) -> float | None:
    if figures is None or np.isnan(figures[k]):
        return None
    return float(figures[k])
