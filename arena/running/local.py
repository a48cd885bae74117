"""Workers in processes of this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Pipe, wait
from typing import IO
from uuid import uuid4

from sakiyomi.arena.running.channel import Glance, Ready, Report
from sakiyomi.arena.running.limits import Limits, cores, memory_of, share
from sakiyomi.arena.running.orphans import MARK, kill_marked
from sakiyomi.arena.running.progress import Progress
from sakiyomi.arena.running.work import Job, Work

GRACE = 3.0
"""Seconds that a worker gets to close its engines before it is killed."""


class Machine:
    """This machine; see `Place`."""

    def __init__(self, limits: Limits = Limits()):  # noqa: B008 it is frozen
        self._limits = limits

    def room(self, wanted: int | None) -> int:
        """As many as are wanted; without a wish one a processor."""
        return wanted if wanted is not None else processors()

    def start(self, work: Work, slot: int, count: int, warms: bool, log: IO[bytes]) -> "LocalWorker":
        """A new process."""
        own = share(cores(), slot, count) if self._limits.pin else ()
        return LocalWorker(work, warms, log, own, self._limits.nice, self._limits.memory)

    def wait(self, channels: Sequence["LocalWorker"], seconds: float) -> list["LocalWorker"]:
        """Those of which something can be read."""
        by_connection = {channel.connection: channel for channel in channels}
        return [by_connection[found] for found in wait(list(by_connection), seconds)]  # type: ignore[index]

    def close(self) -> None:
        """Nothing is left to be closed."""


class LocalWorker:
    """The parent's end of one process; see `Channel`.

    What it prints goes to the file `log`. `memory` are the bytes that it may hold, as far as the parent looks at them.
    `variables` are added to its environment.
    """

    placed = True

    def __init__(
        self,
        work: Work,
        warms: bool,
        log: IO[bytes],
        processors: Sequence[int] = (),
        niceness: int = 0,
        memory: int | None = None,
        variables: Mapping[str, str] | None = None,
    ):
        self.connection, theirs = Pipe()
        life, self._life = os.pipe()  # the worker ends when our end closes, also by our death
        self._progress = Progress()
        handles = theirs.fileno(), life, self._progress.handle
        self._mark = uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sakiyomi.arena.running.worker", *map(str, handles)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=handles,
            start_new_session=True,
            env={**os.environ, **(variables or {}), MARK: self._mark},
        )
        theirs.close()
        os.close(life)
        self._ready = False
        self._batch = 0
        self._last = Glance()
        with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its end will be seen by `wait`
            self.connection.send((sys.path, tuple(processors), niceness))
            self.connection.send((work, warms, memory))

    def send(self, jobs: Sequence[Job]) -> None:
        """Give it jobs."""
        self._batch += 1
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send((self._batch, list(jobs)))

    def recall(self) -> None:
        """Let it forget the jobs that it has not begun."""
        self._progress.recall(self._batch)

    def receive(self) -> list[Ready | Report]:
        """What it has said. Raises EOFError."""
        said: list[Ready | Report] = []
        try:
            while not said or self.connection.poll():
                said += self.connection.recv()
        except (EOFError, OSError) as error:
            if not said:
                raise EOFError from error
        self._ready = True  # the first thing is `Ready`
        return said

    def glance(self) -> Glance:
        """What it does, or did when it ended."""
        if not self.connection.closed:
            told = self._progress
            silence = time.monotonic() - told.written
            self._last = Glance(told.number, told.side, told.moves, told.clocks, told.since, silence)
        return self._last

    def memory(self) -> int:
        """Bytes that it and its engines hold."""
        return memory_of(self.process.pid)

    def ended(self) -> str:
        """How the process, which has hung up, ended: in words."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        code = self.process.poll()
        return "it hung up" if code is None else f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """Tell the process to close its players and end."""
        if self.connection.closed:
            return
        self._progress.recall(self._batch)
        playing = self.glance().number > 0
        self.connection.close()  # enough for one that waits for its next game
        with suppress(ProcessLookupError, PermissionError):
            if not self._ready:
                os.killpg(self.process.pid, signal.SIGKILL)  # it compiles, and holds no engine that is to be closed
            elif playing:
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
            if self.process.returncode:
                kill_marked(self._mark)  # engines that do not end with their worker


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
