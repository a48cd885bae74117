"""Episodes as work for the arena's workers: one player, one task, one seed. See `running/work.py`."""

import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from sakiyomi.arena.match import PlayerFault, Termination, one_line
from sakiyomi.arena.playing import OnTurn
from sakiyomi.arena.tasks.players import Rewarded, TaskPlayer, make_task_player
from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.task import Task

STEP_LIMIT = 1_000_000
"""Steps after which an episode of a task without a horizon is cut off."""


@dataclass(frozen=True)
class Episode:
    """One to be played. `number` counts from 1 in the order of play; all players meet the same `seed` in a run."""

    number: int = field(compare=False)
    task: str
    player: str
    run: int
    seed: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What it is, whatever else there is to play."""
        return self.task, self.player, self.run


@dataclass(frozen=True)
class Outcome:
    """What became of an episode: what was won, its steps, and the seconds that the player thought.

    `total` is the sum of the rewards, or of the points where the task counts them, as Atari games do in
    ``info["points"]`` whatever agents are rewarded with. `ending` is "terminated" (by the task), "truncated" (cut off
    at its horizon), or the fault. After a fault `total` is what had been won until then, and `detail` says what went
    wrong.
    """

    total: float
    steps: int
    seconds: float
    termination: Termination
    ending: str
    detail: str = ""

    @property
    def whole(self) -> bool:
        """Was it played to its end?"""
        return self.termination is Termination.NORMAL

    @property
    def counts(self) -> bool:
        """Does it say anything of the player? It does if it was whole, or broken off by the player's fault."""
        return self.termination.rated


def run_seed(seed: int, run: int) -> int:
    """The seed of the environments in that run: from nothing but the tournament's seed and the run (31 bits)."""
    return int(np.random.SeedSequence([seed, run]).generate_state(1)[0] >> 1)


def player_seed(episode: Episode) -> int:
    """The player's own seed, unlike that of the environment and of other players (63 bits)."""
    digest = sha256(f"{episode.seed}\n{episode.task}\n{episode.player}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@dataclass(frozen=True)
class Episodes:
    """What all episodes of a tournament share: its tasks, and the specs of its players by their names.

    With `lean` a worker holds no player but the one that plays, so that memory tells of that one.
    """

    tasks: tuple[str, ...]
    specs: Mapping[str, str]
    lean: bool = False

    def bench(self) -> "EpisodeBench":
        """The tasks, and players and environments, each made when first needed and kept."""
        return EpisodeBench({name: make_task(name) for name in self.tasks}, self.specs, self.lean)

    def lost(self, job: Episode, side: int | None, fault: PlayerFault, moves: Sequence[str]) -> Outcome:
        """The episode broken off by its player; not counted if the player's code did not run."""
        termination = fault.termination if side is not None else Termination.INTERRUPTED
        return Outcome(0.0, 0, 0.0, termination, termination.value, str(fault))


class EpisodeBench:
    """Carries out episodes; see `running.work.Bench`."""

    def __init__(self, tasks: Mapping[str, Task], specs: Mapping[str, str], lean: bool = False):
        self._tasks, self._specs, self._lean = tasks, specs, lean
        self._players: dict[str, TaskPlayer] = {}
        self._envs: dict[str, Any] = {}

    def warm(self) -> None:
        """Nothing is compiled."""

    def do(self, job: Episode, on_turn: OnTurn = lambda side, moves, clocks: None) -> Outcome:
        """Play one episode; never raises for what a player does."""
        playing = _Playing(on_turn)
        try:
            env = self._environment(job.task)
            try:
                playing.play(job, self._tasks[job.task], env, self._seat(job.player, playing))
                ending, fault = playing.ending, None
            except PlayerFault as error:
                ending, fault = error.termination.value, error
        except Exception as error:  # not the player's doing
            traceback.print_exc()
            why = one_line(f"the task failed: {type(error).__name__}: {error}")
            ending, fault = Termination.INTERRUPTED.value, PlayerFault(Termination.INTERRUPTED, why)
        if fault is not None:
            self._drop(job)
        termination = fault.termination if fault else Termination.NORMAL
        detail = f"{job.player}: {fault}" if fault else ""
        return Outcome(playing.total, playing.steps, playing.seconds, termination, ending, detail)

    def close(self) -> None:
        """Close all players and environments."""
        for table in self._players, self._envs:
            for name in tuple(table):
                _close(table, name)

    def _environment(self, name: str) -> Any:
        if name not in self._envs:
            self._envs[name] = self._tasks[name].make()
        return self._envs[name]

    def _seat(self, name: str, playing: "_Playing") -> TaskPlayer:
        for other in [other for other in self._players if self._lean and other != name]:
            _close(self._players, other)
        if name not in self._players:
            try:
                self._players[name] = playing.ask(make_task_player, self._specs[name])
            except PlayerFault as fault:
                raise PlayerFault(Termination.COULD_NOT_START, str(fault)) from fault
        return self._players[name]

    def _drop(self, job: Episode) -> None:
        """Make both anew after a fault: who knows what state they are in."""
        _close(self._players, job.player)
        _close(self._envs, job.task)


class _Playing:
    """One episode while it goes on."""

    def __init__(self, on_turn: OnTurn):
        self._on_turn = on_turn
        self.total, self.steps, self.seconds, self.ending = 0.0, 0, 0.0, ""

    def play(self, job: Episode, task: Task, env: Any, player: TaskPlayer) -> None:
        """To its end. Raises PlayerFault."""
        env.action_space.seed(job.seed)
        observation, _ = env.reset(seed=job.seed)
        self.ask(player.begin, task, player_seed(job))
        while True:
            action = checked_action(task, self.ask(player.act, observation))
            observation, reward, terminated, truncated, info = env.step(action)
            if not math.isfinite(reward):
                raise ValueError(f"{task.name} gave the reward {reward}")
            self.total += float(info.get("points", reward))
            self.steps += 1
            if isinstance(player, Rewarded):
                self.ask(player.rewarded, float(reward))
            if terminated or truncated or self.steps >= (task.horizon or STEP_LIMIT):
                self.ending = "terminated" if terminated else "truncated"
                return

    def ask(self, method: Callable[..., Any], *args: Any) -> Any:
        """Call into a player. Raises PlayerFault: its own, or a crash if it raises anything else."""
        self._on_turn(0, (), None)
        started = time.perf_counter()
        try:
            return method(*args)
        except PlayerFault as fault:
            raise PlayerFault(fault.termination, one_line(str(fault))) from fault
        except (Exception, SystemExit) as error:
            raise PlayerFault(Termination.CRASH, one_line(f"{type(error).__name__}: {error}")) from error
        finally:
            self.seconds += time.perf_counter() - started
            self._on_turn(-1, (), None)  # nobody's: the task's own code


def checked_action(task: Task, action: Any) -> Any:
    """`action` as the task takes it: vectors in the space's type and cut to its bounds.

    Raises PlayerFault if it is none.
    """
    from gymnasium.spaces import Box, Discrete

    space: Any = task.action_space
    if isinstance(space, Box):
        try:
            vector = np.asarray(action, np.float64)
        except (ValueError, TypeError):
            vector = np.array([np.nan])
        if vector.shape == space.shape and np.isfinite(vector).all():
            return np.clip(vector, space.low, space.high).astype(space.dtype)
    elif isinstance(space, Discrete):
        if isinstance(action, int | np.integer | np.ndarray) and np.ndim(action) == 0 and space.contains(int(action)):
            return int(action)
    elif space.contains(action):
        return action
    raise PlayerFault(Termination.ILLEGAL_MOVE, one_line(f"{action!r} is no action of {task.name}: {space}", 300))


def _close(table: dict[str, Any], name: str) -> None:
    if name in table:
        with suppress(Exception, SystemExit):  # what is faulty when it is closed changes no result
            table.pop(name).close()
