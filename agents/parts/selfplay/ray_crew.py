"""Self-play on a Ray cluster: `RayCrew` is a `Crew` whose games are played on all its nodes.

::

    here: shares of games, each as `LocalCrew` saves it          on the nodes: workers, which keep no games
        use(net)         one copy of the weights for all  ---->
        play(rounds)     share 0 as it stands             ---->  worker: goes on from there for so many rounds
                         share 0 afterwards, its episodes <----
                         ...

What a share becomes depends on nothing but the share, the weights and the rounds: not on who plays it, nor on when.
So what dies in the midst of a call costs time alone. Its shares are played again from where the call began, move for
move the same, by another worker or by one that takes its place; games that ended before came back with earlier calls.
"""

import time
import warnings
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.selfplay.crew import LocalCrew
from sakiyomi.agents.parts.selfplay.ray_cluster import digest_of, enter_cluster
from sakiyomi.agents.parts.selfplay.ray_worker import (
    PACKAGES,
    Lesson,
    Played,
    State,
    Worker,
    read_state,
    state_of,
    write_state,
)
from sakiyomi.agents.parts.selfplay.replay import Episode
from sakiyomi.agents.parts.selfplay.self_player import FORBIDDEN, Habits
from sakiyomi.boards.game import Game

ON_GPU = ("auto", "torch", "cuda-graphs")
"""Runtimes that compute on a GPU where there is one."""
LOOK = 1.0  # seconds between two looks at which nodes there are
PATIENCE = 60.0  # seconds without any worker until that is told
LIMIT = 5  # workers that one share, or being greeted, may cost in one call


class RayCrew:
    """A `Crew` on the Ray cluster at `address` (see `enter_cluster`), in `shares` shares of the games.

    Each share is a `LocalCrew` of `games` games in `groups` groups: a cluster plays more games at once than one
    machine, not smaller batches. A worker plays a share on one processor for each group (fewer, where no node has as
    many), and on a GPU of its own if the cluster has any and `runtime` computes there. There are as many shares as such
    workers fit on the cluster, if `shares` is None; with more shares than workers these play several in turn.

    Equal seeds and numbers of shares give equal games on equal processors, and a single share the games of `LocalCrew`.
    Raises ModuleNotFoundError without Ray, ConnectionError if there is no such cluster or it cannot do the work.
    """

    def __init__(
        self,
        game: Game,
        habits: Habits,
        *,
        games: int,
        groups: int,
        seed: int,
        runtime: str = "auto",
        random_symmetry: bool = False,
        address: str = "auto",
        shares: int | None = None,
    ):
        self._make = partial(
            LocalCrew, game, habits, games=games, groups=groups, runtime=runtime, random_symmetry=random_symmetry
        )
        self._source = digest_of(PACKAGES)
        self._ray, self._own = enter_cluster(address)
        nodes = self._nodes()
        self._gpus = runtime in ON_GPU and any(node.get("GPU", 0) >= 1 for node in nodes)
        self._cores, room = places(nodes, groups, self._gpus)
        self._worker = self._ray.remote(
            num_cpus=self._cores, num_gpus=int(self._gpus), max_restarts=0, max_task_retries=0
        )(Worker)
        self._states: list[State] = []
        for share in range(max(room, 1) if shares is None else shares):
            self._states.append(state_of(self._make(seed=[seed, share] if share else seed)))
        self._idle: list[Any] = []
        # by what they will answer: the worker and its share, None while it is only greeted
        self._doing: dict[Any, tuple[Any, int | None]] = {}
        self._lesson: Any = None
        self._tally: dict[str, float] = {}
        self._lowest: list[float] = []
        self.lost = 0
        """Workers that died so far."""

    @property
    def shares(self) -> int:
        """Into how many the games are divided."""
        return len(self._states)

    def use(self, net: DualNet, calibration: NDArray[np.float32] | None, resign_below: float = FORBIDDEN) -> None:
        """As `Crew.use`; the weights are sent to each node once."""
        weights = {name: tensor.detach().cpu().numpy() for name, tensor in net.state_dict().items()}
        self._lesson = self._ray.put(Lesson(net.settings(), weights, calibration, resign_below))

    def play(self, rounds: int) -> list[Episode]:
        """As `Crew.play`: the games of the shares in turn, once all have come back.

        Raises what a worker raised, and ConnectionError for a share of which all workers die.
        """
        if self._lesson is None:
            raise RuntimeError("a crew is given a net by `use` before it plays")
        try:
            played = self._play_all(rounds)
        except BaseException:
            self._dismiss()  # nobody waits for what they would answer
            raise
        self._states = [each.state for each in played]
        for each in played:
            self._lowest += each.lowest
            for name, value in each.tally.items():
                self._tally[name] = self._tally.get(name, 0.0) + value
        return [_own(episode) for each in played for episode in each.episodes]

    def tally(self) -> dict[str, float]:
        """As `Crew.tally`, the sums of all shares: seconds add up to more than went by."""
        since, self._tally = self._tally, {}
        return since

    def lowest(self) -> list[float]:
        """As `Crew.lowest`."""
        found, self._lowest = self._lowest, []
        return found

    def save(self, folder: Path) -> None:
        """As `Crew.save`: the first share as `LocalCrew` would, which can go on from it, the others beside it."""
        for share, state in enumerate(self._states):
            write_state(state, _place(folder, share))

    def load(self, folder: Path) -> None:
        """As `Crew.load`. Shares beyond those saved begin anew; there are never fewer than were saved."""
        share = 0
        while (place := _place(folder, share)).is_dir():
            self._states[share : share + 1] = [read_state(place)]
            share += 1

    def close(self) -> None:
        """As `Crew.close`: leave the cluster, and end it if it was started here."""
        self._dismiss()
        if self._own:
            self._ray.shutdown()

    def _play_all(self, rounds: int) -> list[Played]:
        waiting, played, losses = deque(range(self.shares)), dict[int, Played](), Counter[int | None]()
        self._busy, self._told = time.monotonic(), False
        while len(played) < self.shares:
            self._hire()
            while waiting and self._idle:
                worker, share = self._idle.pop(), waiting.popleft()
                self._doing[worker.play.remote(self._states[share], self._lesson, rounds)] = worker, share
            self._tell_if_alone()
            for worker, which, found in self._answers():
                if not isinstance(found, Exception):
                    self._idle.append(worker)
                    if which is not None:
                        played[which] = found
                    continue
                self._bury(worker, which, found)
                losses[which] += 1
                _check_losses(losses[which], found)
                if which is not None:
                    waiting.appendleft(which)
        return [played[share] for share in range(self.shares)]

    def _hire(self) -> None:
        """Have a worker for each share, or as many as the cluster, as it is now, has room for."""
        _, room = places(self._nodes(), self._cores, self._gpus)
        for _ in range(len(self._idle) + len(self._doing), min(self.shares, room)):
            worker = self._worker.remote(self._make)
            self._doing[worker.greet.remote(self._source)] = worker, None

    def _answers(self) -> list[tuple[Any, int | None, Any]]:
        """What workers have answered within a second: who, of which share (None: greetings), and what, or how it died.

        Raises what a worker raised.
        """
        if not self._doing:
            time.sleep(LOOK)
            return []
        told = []
        for answer in self._ray.wait(list(self._doing), timeout=LOOK)[0]:
            worker, share = self._doing.pop(answer)
            try:
                told.append((worker, share, self._ray.get(answer)))
            except self._ray.exceptions.RayTaskError as error:
                raise error.cause from error
            except self._ray.exceptions.RayError as error:
                told.append((worker, share, error))
        return told

    def _bury(self, worker: Any, share: int | None, error: Exception) -> None:
        """Count a worker that was lost. Raises ConnectionError if it could not even be made, as no other could be."""
        self._end(worker)  # if it is merely out of reach
        self.lost += 1
        text = str(error)
        if share is None and ("No module named 'sakiyomi" in text or "failed to be imported" in text):
            raise ConnectionError("a node of the Ray cluster has no sakiyomi: install the same version on each")
        if share is None and "creation task" in text:
            last = text.strip().splitlines()[-1]
            raise ConnectionError(f"no worker can be started on the Ray cluster: {last}")

    def _tell_if_alone(self) -> None:
        """Warn, once a call, if nobody has been playing for a while."""
        now = time.monotonic()
        if any(share is not None for _, share in self._doing.values()):
            self._busy = now
        elif now - self._busy > PATIENCE and not self._told:
            self._told = True
            warnings.warn(f"no node of the Ray cluster has {self._cores} free processors; waiting", stacklevel=4)

    def _dismiss(self) -> None:
        for worker in [*self._idle, *(worker for worker, _ in self._doing.values())]:
            self._end(worker)
        self._idle, self._doing = [], {}

    def _end(self, worker: Any) -> None:
        with suppress(self._ray.exceptions.RayError):  # it is gone already, or its cluster is
            self._ray.kill(worker)

    def _nodes(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]


def places(nodes: Sequence[Mapping[str, float]], cores: int, gpus: bool) -> tuple[int, int]:
    """(processors of a worker, `cores` or as many as a node has, and workers that there is room for) on `nodes`, whose
    resources are "CPU" and "GPU"; with `gpus` each worker has one."""
    each = [(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in nodes]
    most = [cpus // count if gpus else cpus for cpus, count in each if count or not gpus]
    cores = max(1, min(cores, max(most, default=1)))
    return cores, sum(min(cpus // cores, count) if gpus else cpus // cores for cpus, count in each)


def _place(folder: Path, share: int) -> Path:
    return folder / f"share-{share}" if share else folder


def _check_losses(count: int, error: Exception) -> None:
    if count >= LIMIT:
        why = " ".join(str(error).split())[:200]
        raise ConnectionError(f"{count} workers on the Ray cluster died of the same task; have nodes memory? ({why})")


def _own(episode: Episode) -> Episode:
    """A copy that can be written to, and leaves Ray's memory."""
    arrays: dict[str, Any] = {name: part.copy() for name, part in vars(episode).items() if isinstance(part, np.ndarray)}
    return replace(episode, **arrays)
