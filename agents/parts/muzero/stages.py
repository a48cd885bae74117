"""Where many episodes are played at once: a board game against oneself, or a task, each episode followed by the next.

A stage shows its rows (`frames`, `legal`, `turns`), takes an action for each (`play`), and begins an episode anew as
soon as it has ended: its last frame is then in `Played`. All chance is saved with it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.muzero.grid import Grid
from sakiyomi.agents.parts.runs.checkpoints import read_json, whole_folder, write_json
from sakiyomi.agents.parts.selfplay.standing import standing
from sakiyomi.agents.parts.strength.measuring import rules_of
from sakiyomi.boards.game import Ending, Game, States, Symmetry
from sakiyomi.envs.task import Task
from sakiyomi.envs.vector_tasks import make_vector

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Played:
    """What an action in each of B rows brought: `rewards` [B], for who acted; whether the episode was `terminated` [B]
    or only cut off (`truncated`); and the `frames` [B, ...] arrived at, of episodes that ended their last."""

    rewards: NDArray[np.float32]
    terminated: Bools
    truncated: Bools
    frames: NDArray[Any]
    steps: int  # of the simulator, all rows together

    @property
    def ended(self) -> Bools:
        """[B]."""
        return self.terminated | self.truncated


class Stage(Protocol):
    """B rows of episodes; a part of a `TrainingRun`."""

    rows: int
    actions: int
    players: int
    grid: Grid | None  # if actions are the numbers of vectors
    columns: bool  # are actions the columns of a board?
    symmetries: tuple[Symmetry, ...]  # of frames and actions alike

    @property
    def frame(self) -> tuple[int, ...]: ...  # noqa: D102 the shape of one
    @property
    def kind(self) -> np.dtype[Any]: ...  # noqa: D102 its type
    @property
    def frames(self) -> NDArray[Any]: ...  # noqa: D102 [B, ...], as it is now
    @property
    def legal(self) -> Bools | None: ...  # noqa: D102 [B, A], or None: all are
    @property
    def turns(self) -> NDArray[np.int8]: ...  # noqa: D102 [B]
    @property
    def plies(self) -> NDArray[np.int64]: ...  # noqa: D102 [B], played in the game, or steps of the episode

    def play(self, actions: NDArray[np.integer[Any]]) -> Played: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
    def save(self, path: Path) -> None: ...  # noqa: D102
    def load(self, path: Path) -> None: ...  # noqa: D102


class BoardStage:
    """`rows` games of `game`. The reward is the result, for who moved last, and 0 before.

    With `random_plies` half of the games begin after 1 to so many random moves. After `cap` plies a game counts as it
    stands (`standing`); None: as its rules say.
    """

    players = 2
    grid: Grid | None = None

    def __init__(
        self, game: Game, rows: int, rng: np.random.Generator, *, random_plies: int = 0, cap: int | None = None
    ):
        self.game, self.rows, self.rng, self.cap, self.random_plies = game, rows, rng, cap, random_plies
        self.actions, self.frame, self.kind = game.num_actions, tuple(game.planes), np.dtype(np.float32)
        self.columns, self.symmetries = plays_columns(game), tuple(game.symmetries())
        self.states: States = np.concatenate([self._start() for _ in range(rows)])

    @property
    def frames(self) -> NDArray[np.float32]:
        """[B, C, Y, X], planes as the player to move sees them."""
        return self.game.observe(self.states)

    @property
    def legal(self) -> Bools:
        """[B, A]."""
        return self.game.legal(self.states)

    @property
    def turns(self) -> NDArray[np.int8]:
        """[B], who moves."""
        return self.game.turn(self.states)

    @property
    def plies(self) -> NDArray[np.int64]:
        """[B], of the game."""
        return self.states["ply"].astype(np.int64)

    def play(self, actions: NDArray[np.integer[Any]]) -> Played:
        """Play legal `actions` [B]."""
        game, movers = self.game, self.turns
        game.play(self.states, np.asarray(actions, np.int32))
        over = game.ending(self.states) != Ending.ONGOING
        results = np.where(over, game.result(self.states), np.float32(0))
        cut = ~over & (self.plies >= (self.cap or np.inf))
        results[cut] = standing(game, self.states[cut])
        rewards = np.where(movers == 0, results, -results) + np.float32(0)  # a draw is 0, not -0
        seen = game.observe(self.states)
        for row in np.flatnonzero(over | cut):
            self.states[row : row + 1] = self._start()
        return Played(rewards.astype(np.float32), over | cut, np.zeros(self.rows, np.bool_), seen, self.rows)

    def close(self) -> None:
        """Nothing is to be closed."""

    def save(self, path: Path) -> None:
        """Write the positions and the random numbers."""
        with whole_folder(path) as folder:
            np.save(folder / "states.npy", self.states.view(np.uint8).reshape(self.rows, -1), allow_pickle=False)
            write_json(folder / "stage.json", {"game": self.game.name, "rng": self.rng.bit_generator.state})

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote. Raises ValueError for another game or number of games."""
        about, held = read_json(path / "stage.json"), np.load(path / "states.npy", allow_pickle=False)
        if about["game"] != self.game.name or held.shape != (self.rows, self.game.dtype.itemsize):
            raise ValueError(f"{path} holds {len(held)} games of {about['game']}, wanted {self.rows} {self.game.name}")
        self.states.view(np.uint8).reshape(self.rows, -1)[:] = held
        self.rng.bit_generator.state = about["rng"]

    def _start(self) -> States:
        """[1], where a game begins: at the game's own start, or after random moves that do not end it."""
        states = self.game.new(1)
        if not self.random_plies or self.rng.random() < 0.5:
            return states
        for _ in range(self.rng.integers(1, self.random_plies + 1)):
            after = states.copy()
            self.game.play(after, self.rng.choice(np.flatnonzero(self.game.legal(states)[0]), 1).astype(np.int32))
            if self.game.ending(after)[0] != Ending.ONGOING:
                break
            states = after
        return states


class TaskStage:
    """`rows` episodes of `task`; `workers` as in `make_vector`. Actions are the task's own, or the numbers of a `grid`
    for those that are vectors.

    Everything by chance in an episode comes from `seed` and the episode's number; what is loaded goes on in the midst
    of episodes, as what was done in them is done again. Where an observation is a dict with "screens" [S, ...], the
    latest of these is the frame. Raises ValueError for a task with other observations.
    """

    players = 1
    columns = False
    symmetries: tuple[Symmetry, ...] = ()
    legal: Bools | None = None

    def __init__(self, task: Task, rows: int, seed: int, workers: int = 0, grid: Grid | None = None):
        self.task, self.rows, self.seed, self.grid = task, rows, seed, grid
        self.actions = grid.actions if grid else int(getattr(task.action_space, "n", 0))
        self._idle: Any = 0 if grid or task.discrete else np.zeros(task.action_space.shape or ()).tolist()
        self._envs = make_vector(task if workers == 0 else task.name, rows, workers, mode="disabled")
        space: Any = task.observation_space
        screens = getattr(space, "spaces", {}).get("screens")
        self._key = None if screens is None else "screens"
        shape, kind = (space.shape, space.dtype) if screens is None else (screens.shape[1:], screens.dtype)
        if shape is None or kind is None:
            raise ValueError(f"{task.name} shows neither an array nor screens")
        self.frame: tuple[int, ...] = tuple(shape)
        self.kind = np.dtype(np.uint8 if kind == np.uint8 else np.float32)
        self.turns = np.zeros(rows, np.int8)
        self._next = 0
        self._numbers = np.zeros(rows, np.int64)  # of the episodes
        self._seeds = [0] * rows  # that they began with
        self._done: list[list[Any]] = [[] for _ in range(rows)]  # actions in them
        self.frames = np.zeros((rows, *self.frame), self.kind)
        self._begin(np.ones(rows, np.bool_))

    @property
    def plies(self) -> NDArray[np.int64]:
        """[B], steps of the episodes."""
        return np.array([len(actions) for actions in self._done])

    def play(self, actions: NDArray[Any]) -> Played:
        """Do `actions` [B] (or vectors [B, U]). Raises ValueError for rewards that are not finite."""
        seen, rewards, terminated, truncated, infos = self._step(np.asarray(actions))
        if not np.isfinite(rewards).all():
            raise ValueError(f"{self.task.name} gave a reward that is not finite: {rewards}")
        self.frames = self._frames_of(seen)
        arrived = self.frames
        if (terminated | truncated).any():
            self._begin(terminated | truncated)
        frames = int(np.sum(infos.get("frames", self.rows)))
        return Played(rewards.astype(np.float32), terminated, truncated & ~terminated, arrived, frames)

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()

    def save(self, path: Path) -> None:
        """Write which episodes there are, and what was done in them."""
        about = {"task": self.task.name, "next": self._next, "numbers": self._numbers.tolist(), "done": self._done}
        write_json(path.with_name(f"{path.name}.json"), about)

    def load(self, path: Path) -> None:
        """Go on where `save` was called. Raises ValueError for another task, and if episodes do not repeat."""
        about = read_json(path.with_name(f"{path.name}.json"))
        if about["task"] != self.task.name or len(about["numbers"]) != self.rows:
            there = f"{len(about['numbers'])} episodes of {about['task']}"
            raise ValueError(f"{path.name}.json holds {there}, {self.rows} of {self.task.name} are wanted")
        self._next = int(about["next"])
        self._repeat(np.array(about["numbers"], np.int64), about["done"])

    def _step(self, actions: NDArray[Any]) -> Any:
        for row, action in enumerate(actions.tolist()):
            self._done[row].append(action)
        done = self.grid.vectors(actions) if self.grid else actions
        return self._envs.step(done.astype(self._envs.single_action_space.dtype))

    def _begin(self, rows: Bools) -> None:
        """New episodes in `rows`."""
        count = int(rows.sum())
        self._numbers[rows] = np.arange(self._next, self._next + count)
        self._next += count
        self._reset(rows)

    def _reset(self, rows: Bools) -> None:
        """Bring `rows` to the beginning of their episodes."""
        for row in np.flatnonzero(rows):
            self._seeds[row] = int(np.random.default_rng([self.seed, int(self._numbers[row])]).integers(1 << 31))
        options = {"reset_mask": rows.copy()}
        seen, _ = self._envs.reset(seed=list(self._seeds), options=options)  # type: ignore[arg-type]
        frames = self.frames.copy()  # what was returned must not change
        frames[rows] = self._frames_of(seen)[rows]
        self.frames = frames
        for row in np.flatnonzero(rows):
            self._done[row] = []

    def _frames_of(self, seen: Any) -> NDArray[Any]:
        """[B, ...], a copy."""
        return np.array(seen if self._key is None else seen[self._key][:, -1], self.kind)

    def _repeat(self, numbers: NDArray[np.int64], done: list[list[int]]) -> None:
        """Do again what was `done` in the episodes of these numbers, so that all come to where they were together."""
        self._numbers[:] = numbers
        lengths = np.array([len(actions) for actions in done])
        waits = lengths.max() - lengths  # a row idles till its time has come to begin
        self._reset(np.ones(self.rows, np.bool_))
        ended = np.zeros(self.rows, np.bool_)
        for t in range(int(lengths.max())):
            if t and ((waits == t) | ended).any():
                self._reset((waits == t) | ended)
            now = [done[row][t - waits[row]] if t >= waits[row] else self._idle for row in range(self.rows)]
            seen, _, terminated, truncated, _ = self._step(np.array(now))
            self.frames, ended = self._frames_of(seen), terminated | truncated
            if (ended & (waits <= t)).any():
                raise ValueError(f"{self.task.name} does not repeat itself: an episode ended sooner than it had")
        late = waits == lengths.max()
        if lengths.max() and late.any():
            self._reset(late)


def plays_columns(game: Game) -> bool:
    """Does each action put a piece into the column of the board that has its number, as in Connect Four?"""
    width = game.planes[-1]
    states = game.new(width)
    if game.num_actions != width or not game.legal(states).all():
        return False
    empty = game.board(states[:1])
    game.play(states, np.arange(width, dtype=np.int32))
    changed = [np.flatnonzero((game.board(state) != empty).any(axis=0)).tolist() for state in states]
    return changed == [[column] for column in range(width)]


def stage_of(
    task: Task | Game, rows: int, seed: int, *, random_plies: int = 0, cap: int | None = None, bins: int = 0
) -> BoardStage | TaskStage:
    """Where `task` is played by one who learns it; actions that are vectors have so many `bins` in each dimension.

    Raises ValueError for a task that cannot be played so.
    """
    game = game_of(task)
    if game is not None:
        return BoardStage(game, rows, np.random.default_rng([seed, 1]), random_plies=random_plies, cap=cap)
    assert isinstance(task, Task)
    if not task.discrete and not (task.continuous and bins):
        raise ValueError(f"actions of {task.name} are no choices: of vectors, action_bins have to be set")
    return TaskStage(task, rows, seed, grid=None if task.discrete else Grid.of(task.action_space, bins))


def game_of(task: Task | Game) -> Game | None:
    """The rules, if `task` is a board game."""
    return None if isinstance(task, Task) and task.players == 1 else rules_of(task)
