"""The workers of a tournament, seen from the parent: hands out games, hears of them, survives their deaths.

A worker whose player is silent for longer than `patience` is killed, and that player has lost. A worker that dies is
replaced and its game played again; if it dies again, the player whose turn it was has lost.
"""

import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from sakiyomi.arena.errors import Failure
from sakiyomi.arena.match import Played, PlayerFault, Termination, lost_game
from sakiyomi.arena.running.progress import Progress
from sakiyomi.arena.running.worker import READY, Job, Setup
from sakiyomi.arena.schedules.schedule import Agenda, Pairing
from sakiyomi.arena.store import Row, utc_now

PATIENCE = 600.0
"""Seconds without a sign from a player inside a worker after which it counts as silent."""
START = 900.0
"""Seconds that a worker may take to start and to compile what it needs."""
GRACE = 3.0
"""Seconds that a worker gets to close its engines before it is killed."""
QUICK = 0.05
"""Seconds: who plays games faster is given the next one before the last has come back."""


class WorkerFailure(Failure):
    """Workers cannot be started; the message holds the last line that one wrote."""


class _Worker:
    """One process, what it plays, and when it was last heard of."""

    def __init__(self, setup: Setup, log: IO[bytes]):
        self.connection, theirs = Pipe()
        life, self._life = os.pipe()  # the worker ends when our end closes, also by our death
        self._progress = Progress()
        handles = theirs.fileno(), life, self._progress.handle
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sakiyomi.arena.running.worker", *map(str, handles)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=handles,
            start_new_session=True,
        )
        theirs.close()
        os.close(life)
        self.ready = False
        self.warms = setup.warm is not None
        self._given: deque[Pairing] = deque()
        self._started = ""  # when its game began, for the store
        self._quick = False
        self._heard = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its end will be seen by `wait`
            self.connection.send(sys.path)
            self.connection.send(setup)

    @property
    def pairing(self) -> Pairing | None:
        """The game that it plays."""
        return self._given[0] if self._given else None

    @property
    def held(self) -> int:
        """How many games it has been given."""
        return len(self._given)

    @property
    def wants(self) -> bool:
        """Should it be given a game?"""
        return self.ready and self.held <= self._quick

    def give(self, pairing: Pairing, seed: int) -> None:
        if not self._given:
            self._started, self._heard = utc_now(), time.monotonic()
        self._given.append(pairing)
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(Job(pairing.first, pairing.second, pairing.opening, seed))

    @property
    def moves(self) -> tuple[str, ...]:
        """The moves of its game so far."""
        return self._progress.moves

    def last_words(self) -> tuple[int | None, tuple[str, ...]]:
        """Whose code ran when the process was last heard of, and the moves until then. To be asked before `close`."""
        return self._progress.side, self._progress.moves

    def heard(self) -> float:
        """When it last gave a sign of life, by `time.monotonic`."""
        return max(self._heard, self._progress.written)

    def finished(self, played: Played) -> Row:
        """Its game has ended: with it, its times, and the next one begins."""
        ended, now = utc_now(), time.monotonic()
        row = Row(self._given.popleft(), played, self._started, ended)
        self._quick = now - self._heard < QUICK
        self._started, self._heard = ended, now
        return row

    def unplayed(self) -> list[Pairing]:
        """The games that it was given and has not begun."""
        return list(self._given)[1:]

    def ended(self) -> str:
        """How the process, which has hung up, ended: in words."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        code = self.process.poll()
        self.close()
        return "it hung up" if code is None else f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """Tell the process to close its players and end."""
        if self.connection.closed:
            return
        self.connection.close()  # enough for one that waits for its next game
        with suppress(ProcessLookupError, PermissionError):
            if not self.ready:
                os.killpg(self.process.pid, signal.SIGKILL)  # it compiles, and holds no engine that is to be closed
            elif self.pairing is not None:
                self.process.terminate()

    def close(self) -> None:
        """End the process, by force if it does not end itself."""
        self.stop()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._life >= 0:
            os.close(self._life)
            self._life = -1
            self._progress.close()


class Crew:
    """`count` workers that play games of one tournament; use it in a ``with``. `setup.warm` must not be None.

    What workers and their players print goes to the file `log`. `seeds` gives the seed of a game by its number.
    """

    def __init__(self, setup: Setup, count: int, seeds: Any, log: Path | None = None, patience: float = PATIENCE):
        self._setup, self._count, self._seeds, self._patience = setup, count, seeds, patience
        self._log: IO[bytes] = TemporaryFile("a+b") if log is None else log.open("a+b")  # noqa: SIM115
        self._log_path = log
        self._workers: list[_Worker] = []
        self._failures = 0  # workers in a row that died before they were ready
        self._warmed = False

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:  # all at once, then wait for each
            worker.stop()
        while self._workers:
            self._workers.pop().close()
        empty = self._log.seek(0, os.SEEK_END) == 0
        self._log.close()
        if empty and self._log_path:
            self._log_path.unlink(missing_ok=True)

    @property
    def running(self) -> list[tuple[Pairing, int]]:
        """The games now played, and how many moves each has."""
        return [(worker.pairing, len(worker.moves)) for worker in tuple(self._workers) if worker.pairing]

    def play(self, agenda: Agenda) -> Iterator[Row]:
        """Play all of it; games come in the order in which they end, and `agenda` is to be told of each."""
        deaths: Counter[int] = Counter()
        while len(agenda) or any(worker.pairing for worker in self._workers):
            self._start(len(agenda))
            self._hand_out(agenda)
            for connection in wait([worker.connection for worker in self._workers], self._next_deadline()):
                worker = next(w for w in self._workers if w.connection is connection)
                try:
                    message = worker.connection.recv()
                except (EOFError, OSError):
                    yield from self._bury(worker, agenda, deaths)
                    continue
                if isinstance(message, Played) and worker.pairing:
                    yield worker.finished(message)
                elif message == READY:
                    worker.ready, self._failures = True, 0
                    self._warmed = self._warmed or worker.warms
            yield from self._end_silent(agenda)

    def _hand_out(self, agenda: Agenda) -> None:
        """Give games to those who have none, then to those who will soon have none."""
        for held in (0, 1):
            for worker in self._workers:
                if self._warmed and worker.wants and worker.held == held and (pairing := agenda.take()):
                    worker.give(pairing, self._seeds(pairing.number))

    def _start(self, games: int) -> None:
        """All workers start at once, but no game does before the first has compiled what no cache on disk holds."""
        idle = sum(worker.pairing is None for worker in self._workers)
        for _ in range(min(self._count - len(self._workers), games - idle)):
            setup = self._setup if not self._workers else replace(self._setup, warm=None)
            self._workers.append(_Worker(setup, self._log))

    def _bury(self, worker: _Worker, agenda: Agenda, deaths: "Counter[int]") -> Iterator[Row]:
        """Replace a worker that died; its game is played again, once."""
        last_words, how = worker.last_words(), worker.ended()
        self._replace(worker, how, agenda)
        if (pairing := worker.pairing) is not None:
            deaths[pairing.number] += 1
            if deaths[pairing.number] == 1:
                agenda.give_back(pairing)
            else:
                yield self._blamed(worker, pairing, last_words, Termination.CRASH, f"its process died twice ({how})")

    def _end_silent(self, agenda: Agenda) -> Iterator[Row]:
        """Replace workers that were not heard of for too long; the player whose code ran has lost."""
        now = time.monotonic()
        for worker in [w for w in self._workers if self._deadline(w) < now]:
            last_words = worker.last_words()
            worker.close()
            self._replace(worker, f"not ready after {START:g} s", agenda)
            if worker.pairing is not None:
                why = f"no move for {self._patience:g} s"
                yield self._blamed(worker, worker.pairing, last_words, Termination.STALL, why)

    def _blamed(
        self,
        worker: _Worker,
        pairing: Pairing,
        last_words: tuple[int | None, tuple[str, ...]],
        termination: Termination,
        why: str,
    ) -> Row:
        """The game lost by the player whose code ran; without a result if none did."""
        side, played = last_words
        fault = PlayerFault(termination if side is not None else Termination.INTERRUPTED, why)
        names, moves = (pairing.first, pairing.second), played or pairing.opening.moves
        lost = lost_game(self._setup.game, names, moves, side or 0, fault, setup=pairing.opening.setup)
        return worker.finished(lost)

    def _replace(self, worker: _Worker, how: str, agenda: Agenda) -> None:
        """Start another in place of one that is gone, unless three in a row never got ready."""
        for pairing in reversed(worker.unplayed()):
            agenda.give_back(pairing)
        if not worker.ready:
            self._failures += 1
            if self._failures == 3:
                raise WorkerFailure(f"workers cannot be started ({how}): {self._last_line()}")
        warm = None if self._warmed or not worker.warms else self._setup.warm
        self._workers[self._workers.index(worker)] = _Worker(replace(self._setup, warm=warm), self._log)

    def _next_deadline(self) -> float:
        """Seconds until the next worker may be found silent, one second at the most."""
        now = time.monotonic()
        return max(0.0, min(1.0, *(self._deadline(worker) - now for worker in self._workers)))

    def _deadline(self, worker: _Worker) -> float:
        """When the worker will have been silent for too long; never, if it has nothing to do."""
        if not worker.ready:
            return worker.heard() + START
        return worker.heard() + self._patience if worker.pairing else math.inf

    def _last_line(self) -> str:
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else "it left no message"
