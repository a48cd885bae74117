"""`TaskTournament`: who plays which tasks, how often; plays it with workers, stores each episode, resumes.

tournament = TaskTournament(["cartpole-swingup"], ["random", "swingup"], games=20, out="first")
for standing in tournament.run():
    print(standing.name, standing.iqm)
"""

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from sakiyomi.arena.folder import Folder
from sakiyomi.arena.players import check_name
from sakiyomi.arena.running.crew import PATIENCE, Crew
from sakiyomi.arena.running.everywhere import check_crew, crew_for
from sakiyomi.arena.running.limits import Limits
from sakiyomi.arena.running.local import processors
from sakiyomi.arena.store import StoreError, utc_now
from sakiyomi.arena.tasks.config import check_task_resumed, task_config_of, task_title
from sakiyomi.arena.tasks.episodes import Episode, EpisodeBench, Episodes, run_seed
from sakiyomi.arena.tasks.players import check_task_player, parse_task_spec
from sakiyomi.arena.tasks.results import write_task_results
from sakiyomi.arena.tasks.standings import Scales, Standing, Table
from sakiyomi.arena.tasks.statistics import FINAL, LIVE
from sakiyomi.arena.tasks.store import EpisodeRow, EpisodeStore
from sakiyomi.envs.catalog import make_task
from sakiyomi.envs.task import Task

Players = Sequence[str] | Mapping[str, str]

PAUSE = 0.2
"""Seconds between two looks whether a paused tournament goes on."""


class TaskTournament:
    """A tournament of `players` at `tasks`: each plays `games` episodes of each task, all with the same seeds.

    `players` are specs (see `players.py`), or a mapping from names to specs. `scales` are the returns that count as 0
    and 1, by task (True: the tasks' own references); without them scores are returns as they are. `workers` are
    processes (None: one a processor; 0: this process, where `patience`, the seconds until a silent player's episode
    is ended, cannot be enforced). `pin` gives workers processors of their own, `memory` bytes to each, `nice` a lower
    priority; `ray` is the address of a Ray cluster to play on. `out` is the folder for results (None: nothing is
    written). With `resume` what `out` holds is kept and the rest is played; the tournament may then have more games,
    tasks and players after those that it had, and other scales.

    Raises ValueError for anything that cannot be played, and StoreError if `out` cannot be used.
    """

    def __init__(
        self,
        tasks: str | Sequence[str],
        players: Players,
        *,
        games: int = 10,
        seed: int = 0,
        workers: int | None = None,
        out: str | Path | None = None,
        resume: bool = False,
        patience: float = PATIENCE,
        scales: Scales | bool = False,
        pin: bool = False,
        memory: int | None = None,
        nice: int = 0,
        ray: str = "",
    ):
        _check_limits(games, seed, workers, patience)
        self.tasks = tuple([tasks] if isinstance(tasks, str) else tasks)
        found = [make_task(name) for name in self.tasks]
        self.specs = _specs(players, found)
        self.names = tuple(self.specs)
        if not self.tasks or not self.names or len(set(self.tasks)) < len(self.tasks):
            raise ValueError(f"tasks, each once, and players are wanted, got {self.tasks} and {self.names}")
        own = {task.name: task.scale for task in found} if scales is True else scales or {}
        self.scales: Scales = _checked(own, self.tasks)
        self.games, self.seed, self.patience = int(games), int(seed), patience
        self.workers = processors() if workers is None and not ray else workers
        self.limits, self.ray = Limits(pin, memory, nice), ray
        check_crew(self.workers, self.limits, ray)
        self.config: dict[str, Any] = {
            "tasks": list(self.tasks),
            "players": [[name, spec] for name, spec in self.specs.items()],
            "games": self.games,
            "seed": self.seed,
            "scales": {task: list(scale) for task, scale in self.scales.items()},
        }
        self.folder = None if out is None else Folder(Path(out))
        self._resume = resume
        if self.folder:
            self.folder.check()
            self._check_stored()
        self.rows: list[EpisodeRow] = []
        """Episodes played so far, those of earlier runs first."""
        self._crew: Crew | None = None

    @classmethod
    def stored(
        cls,
        out: str | Path,
        *,
        games: int | None = None,
        add: Sequence[str] = (),
        tasks: Sequence[str] = (),
        scales: Scales | bool | None = None,
        **settings: Any,
    ) -> "TaskTournament":
        """The tournament in the folder `out`, to be resumed as it was set up.

        It may grow to more `games`, by the players `add` (specs) and by more `tasks`, and have other `scales`;
        `settings` are how it is run: workers, patience, pin, memory, nice, ray.
        """
        with EpisodeStore.open(Folder(Path(out)).database) as store:
            config = task_config_of(store)
        stored = {task: (low, high) for task, (low, high) in config["scales"].items()}
        players = dict(config["players"])
        for text in add:
            spec = parse_task_spec(text)
            if spec.name in players:
                raise ValueError(f"{spec.name!r} plays in {out} already; name the other one otherwise: NAME={text}")
            players[spec.name] = spec.text
        return cls(
            [*config["tasks"], *tasks],
            players,
            games=config["games"] if games is None else games,
            seed=config["seed"],
            scales=stored if scales is None else scales,
            out=out,
            resume=True,
            **settings,
        )

    @property
    def title(self) -> str:
        """The tournament in a few words."""
        return task_title(self.config)

    @property
    def planned(self) -> int:
        """How many episodes there are to be."""
        return len(self.tasks) * len(self.names) * self.games

    @property
    def running(self) -> list[Episode]:
        """The episodes now played by workers."""
        return [each.job for each in self._crew.doing] if self._crew else []

    @property
    def table(self) -> Table:
        """The scores so far."""
        return Table(self.rows, self.tasks, self.names, self.scales)

    def standings(self, replicates: int = LIVE) -> list[Standing]:
        """The table so far, with intervals from so many bootstrap `replicates`."""
        return self.table.standings(replicates)

    def run(self) -> list[Standing]:
        """Play all that is left to play; the standings."""
        for _ in self.stream():
            pass
        return self.standings(FINAL)

    def stream(self) -> Iterator[EpisodeRow]:
        """Play all that is left to play, handing over each episode when it has ended and is stored."""
        with ExitStack() as stack:
            store = self._open(stack)
            for row in self._play(self._left(), stack):
                if store:
                    store.add(row)
                self.rows.append(row)
                yield row
            self.write_results()

    def write_results(self) -> None:
        """Write standings.json and report.html for the episodes played so far."""
        if self.folder:
            write_task_results(self.folder, self.config, self.rows)

    def episodes(self) -> list[Episode]:
        """All that there are to be, in the order of play: all players in a run before any in the next."""
        keys = [(task, name, run) for run in range(1, self.games + 1) for task in self.tasks for name in self.names]
        return [
            Episode(number, task, name, run, run_seed(self.seed, run))
            for number, (task, name, run) in enumerate(keys, 1)
        ]

    def _left(self) -> "_Queue":
        done = {row.episode.key for row in self.rows}
        return _Queue(episode for episode in self.episodes() if episode.key not in done)

    def _play(self, queue: "_Queue", stack: ExitStack) -> Iterator[EpisodeRow]:
        work = Episodes(self.tasks, self.specs, lean=self.limits.memory is not None)
        if self.workers == 0:
            bench = work.bench()
            stack.callback(bench.close)
            yield from self._play_here(queue, bench)
        elif len(queue):
            self._crew = stack.enter_context(self._hire(work))
            for done in self._crew.do(queue):
                yield EpisodeRow(done.job, done.outcome, done.started, done.finished)

    def _hire(self, work: Episodes) -> Crew:
        """The workers, here or on a Ray cluster."""
        given: dict[str, Any] = {"log": self.folder.log if self.folder else None, "patience": self.patience}
        given |= {"limits": self.limits, "paused": self._paused}
        return crew_for(work, self.workers, ray=self.ray, **given)

    def _play_here(self, queue: "_Queue", bench: EpisodeBench) -> Iterator[EpisodeRow]:
        while episode := queue.take():
            while self._paused():
                time.sleep(PAUSE)
            started = utc_now()
            yield EpisodeRow(episode, bench.do(episode), started, utc_now())

    def _paused(self) -> bool:
        return self.folder is not None and self.folder.paused

    def _open(self, stack: ExitStack) -> EpisodeStore | None:
        """The store, locked for this process, with the episodes of earlier runs read into `rows`."""
        if not self.folder:
            return None
        self.folder.make(games=False)
        stack.callback(self.folder.release)
        if not self.folder.database.exists():
            try:
                return stack.enter_context(EpisodeStore.create(self.folder.database, self.config))
            except StoreError:
                self.folder.unmake()
                raise
        self._check_stored()
        store = stack.enter_context(EpisodeStore.open(self.folder.database, writing=True))
        rows = []
        for row in list(store.rows()):
            if row.outcome.counts:
                rows.append(row)
            else:
                store.remove(row.episode)  # the reason may be gone by now
        self.rows = rows  # all or none, if this is interrupted
        if store.config != self.config:
            store.set_config(self.config)
        return store

    def _check_stored(self) -> None:
        """Raises ValueError if the folder holds a tournament that this one does not go on with."""
        assert self.folder is not None
        if not self.folder.database.exists():
            return
        if not self._resume:
            raise ValueError(f"{self.folder.path} holds a tournament already: resume it, or choose another folder")
        with EpisodeStore.open(self.folder.database) as store:
            check_task_resumed(self.folder.path, task_config_of(store), self.config)


class _Queue:
    """Episodes to be played; see `running.work.Jobs`."""

    def __init__(self, episodes: Iterator[Episode]):
        self._left = deque(episodes)

    def take(self) -> Episode | None:
        return self._left.popleft() if self._left else None

    def give_back(self, job: Episode) -> None:
        self._left.appendleft(job)

    def __len__(self) -> int:
        return len(self._left)


def _check_limits(games: Any, seed: Any, workers: Any, patience: Any) -> None:
    """Raises ValueError for numbers that no tournament can have."""
    for name, value, least in (
        ("games", games, 1),
        ("seed", seed, 0),
        ("workers", 0 if workers is None else workers, 0),
    ):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} must be a whole number of {least} or more, got {value!r}")
    if not isinstance(patience, int | float) or not 0 < patience < math.inf:
        raise ValueError(f"patience must be a number of seconds over 0, got {patience!r}")


def _specs(players: Players, tasks: list[Task]) -> dict[str, str]:
    """Specs by name. Raises ValueError for one that does not play these tasks, or a name used twice."""
    named = players.items() if isinstance(players, Mapping) else ((None, spec) for spec in players)
    specs: dict[str, str] = {}
    for given, text in named:
        spec = check_task_player(text, tasks)
        name = check_name(spec.name if given is None else given)
        if name in specs:
            raise ValueError(f"two players are called {name!r}; name one of them otherwise, as in other={spec.text}")
        specs[name] = spec.text
    return specs


def _checked(scales: Any, tasks: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Raises ValueError unless there are none, or pairs of returns for each of these tasks."""
    if scales and (odd := sorted(scales.keys() ^ set(tasks))):
        raise ValueError(f"scales must be given for the tasks that are played, and for all of them; see {odd[0]!r}")
    for task, scale in scales.items():
        if scale is None:
            raise ValueError(f"{task} has no references of its own: give the returns that are to be 0 and 1")
        pair = tuple(scale) if isinstance(scale, list | tuple) else ()
        if len(pair) != 2 or not all(isinstance(x, Real) and math.isfinite(x) for x in pair) or not pair[0] < pair[1]:
            raise ValueError(f"the scale of {task} must be two returns, that of 0 below that of 1, got {scale!r}")
    return {task: (float(low), float(high)) for task, (low, high) in scales.items()}
