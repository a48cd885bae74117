"""The workers of a tournament, seen from the parent: hands out games, hears of them, survives their deaths.

A worker whose player is silent for longer than `patience` is killed, and that player has lost. A worker that dies is
replaced and its job done again; if it dies again, the player whose turn it was has lost.
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
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from sakiyomi.arena.errors import Failure
from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.arena.running.progress import Progress
from sakiyomi.arena.running.work import Done, Job, Jobs, Work
from sakiyomi.arena.running.worker import READY
from sakiyomi.arena.store import utc_now

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

    def __init__(self, work: Work, warms: bool, log: IO[bytes]):
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
        self.warms = warms
        self._given: deque[Job] = deque()
        self._started = ""  # when its game began, for the store
        self._quick = False
        self._heard = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its end will be seen by `wait`
            self.connection.send(sys.path)
            self.connection.send(work)
            self.connection.send(warms)

    @property
    def job(self) -> Job | None:
        """What it does."""
        return self._given[0] if self._given else None

    @property
    def held(self) -> int:
        """How many jobs it has been given."""
        return len(self._given)

    @property
    def wants(self) -> bool:
        """Should it be given a job?"""
        return self.ready and self.held <= self._quick

    def give(self, job: Job) -> None:
        if not self._given:
            self._started, self._heard = utc_now(), time.monotonic()
        self._given.append(job)
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(job)

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

    def finished(self, outcome: Any) -> Done:
        """Its job has ended: with it, its times, and the next one begins."""
        ended, now = utc_now(), time.monotonic()
        done = Done(self._given.popleft(), outcome, self._started, ended)
        self._quick = now - self._heard < QUICK
        self._started, self._heard = ended, now
        return done

    def waiting(self) -> list[Job]:
        """The jobs that it was given and has not begun."""
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
            elif self.job is not None:
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
    """`count` workers that do the jobs of one tournament; use it in a ``with``.

    What workers and their players print goes to the file `log`.
    """

    def __init__(self, work: Work, count: int, log: Path | None = None, patience: float = PATIENCE):
        self._work, self._count, self._patience = work, count, patience
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
    def running(self) -> list[tuple[Any, tuple[str, ...]]]:
        """The jobs now done, and the moves of each so far."""
        return [(worker.job, worker.moves) for worker in tuple(self._workers) if worker.job]

    def do(self, jobs: Jobs) -> Iterator[Done]:
        """Do all of them; they come in the order in which they end, and who hands them out is to be told of each."""
        deaths: Counter[int] = Counter()
        while len(jobs) or any(worker.job for worker in self._workers):
            self._start(len(jobs))
            self._hand_out(jobs)
            for connection in wait([worker.connection for worker in self._workers], self._next_deadline()):
                worker = next(w for w in self._workers if w.connection is connection)
                try:
                    message = worker.connection.recv()
                except (EOFError, OSError):
                    yield from self._bury(worker, jobs, deaths)
                    continue
                if not worker.ready:
                    assert message == READY, "the first thing that a worker says"
                    worker.ready, self._failures = True, 0
                    self._warmed = self._warmed or worker.warms
                else:
                    yield worker.finished(message)
            yield from self._end_silent(jobs)

    def _hand_out(self, jobs: Jobs) -> None:
        """Give jobs to those who have none, then to those who will soon have none."""
        for held in (0, 1):
            for worker in self._workers:
                if self._warmed and worker.wants and worker.held == held and (job := jobs.take()):
                    worker.give(job)

    def _start(self, jobs: int) -> None:
        """All workers start at once, but no job does before the first has compiled what no cache on disk holds."""
        idle = sum(worker.job is None for worker in self._workers)
        for _ in range(min(self._count - len(self._workers), jobs - idle)):
            self._workers.append(_Worker(self._work, not self._workers, self._log))

    def _bury(self, worker: _Worker, jobs: Jobs, deaths: "Counter[int]") -> Iterator[Done]:
        """Replace a worker that died; its job is done again, once."""
        last_words, how = worker.last_words(), worker.ended()
        self._replace(worker, how, jobs)
        if (job := worker.job) is not None:
            deaths[job.number] += 1
            if deaths[job.number] == 1:
                jobs.give_back(job)
            else:
                yield self._blamed(worker, job, last_words, Termination.CRASH, f"its process died twice ({how})")

    def _end_silent(self, jobs: Jobs) -> Iterator[Done]:
        """Replace workers that were not heard of for too long; the player whose code ran has lost."""
        now = time.monotonic()
        for worker in [w for w in self._workers if self._deadline(w) < now]:
            last_words = worker.last_words()
            worker.close()
            self._replace(worker, f"not ready after {START:g} s", jobs)
            if worker.job is not None:
                why = f"no move for {self._patience:g} s"
                yield self._blamed(worker, worker.job, last_words, Termination.STALL, why)

    def _blamed(
        self,
        worker: _Worker,
        job: Job,
        last_words: tuple[int | None, tuple[str, ...]],
        termination: Termination,
        why: str,
    ) -> Done:
        """The job lost by the player whose code ran."""
        side, moves = last_words
        return worker.finished(self._work.lost(job, side, PlayerFault(termination, why), moves))

    def _replace(self, worker: _Worker, how: str, jobs: Jobs) -> None:
        """Start another in place of one that is gone, unless three in a row never got ready."""
        for job in reversed(worker.waiting()):
            jobs.give_back(job)
        if not worker.ready:
            self._failures += 1
            if self._failures == 3:
                raise WorkerFailure(f"workers cannot be started ({how}): {self._last_line()}")
        warms = worker.warms and not self._warmed
        self._workers[self._workers.index(worker)] = _Worker(self._work, warms, self._log)

    def _next_deadline(self) -> float:
        """Seconds until the next worker may be found silent, one second at the most."""
        now = time.monotonic()
        return max(0.0, min(1.0, *(self._deadline(worker) - now for worker in self._workers)))

    def _deadline(self, worker: _Worker) -> float:
        """When the worker will have been silent for too long; never, if it has nothing to do."""
        if not worker.ready:
            return worker.heard() + START
        return worker.heard() + self._patience if worker.job else math.inf

    def _last_line(self) -> str:
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else "it left no message"
