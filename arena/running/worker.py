"""A worker: a process that does the jobs it is given, one after another. `local.py` starts workers and listens.

    parent -> worker    sys.path, its processors, its niceness; Work, whether to compile, the memory that it may hold;
                        then (batch, jobs), (batch, jobs), ...; the end of the connection ends it
    worker -> parent    Ready, then lists of Reports; meanwhile which job, whose turn and the moves, by `progress`

What a bench holds lives as long as the worker. The worker is in a session of its own: Ctrl-C in the terminal reaches
the parent alone. A second pipe, on which nothing is ever sent, tells the worker when the parent has died.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from types import FrameType
from typing import TYPE_CHECKING, Any

from sakiyomi.arena.running.channel import Ready, Report
from sakiyomi.arena.running.limits import wait_while_heavy
from sakiyomi.arena.running.orphans import MARK, kill_marked

if TYPE_CHECKING:
    from sakiyomi.arena.playing import OnTurn
    from sakiyomi.arena.running.progress import Progress

GATHER = 0.02
"""Seconds within which outcomes of quick jobs go to the parent together."""


class Stopped(BaseException):
    """SIGTERM came: not the doing of the player whose code ran."""


class Outbox:
    """Reports on their way to the parent: none waits for longer than `GATHER`, whatever the next job does."""

    def __init__(self, connection: "Connection[Any, Any]"):
        self._connection = connection
        self._reports: list[Report] = []
        self._lock = threading.Lock()
        self._waiting = threading.Event()
        self._sent = 0.0
        threading.Thread(target=self._late, daemon=True).start()

    def put(self, report: Report) -> None:
        """Tell of a job that has ended, now or together with those that end soon."""
        with self._lock:
            self._reports.append(report)
        if time.monotonic() - self._sent > GATHER:
            self.flush()
        else:
            self._waiting.set()

    def flush(self) -> None:
        """Tell of all jobs that have ended."""
        with self._lock:
            self._waiting.clear()
            reports, self._reports = self._reports, []
            self._sent = time.monotonic()
            if reports:
                self._connection.send(reports)

    def _late(self) -> None:
        with suppress(OSError):  # the parent has hung up, which the main thread will see
            while True:
                self._waiting.wait()
                time.sleep(GATHER)
                self.flush()


def main(handle: int, life: int, memory: int) -> None:
    """Serve the parent at the other end of file descriptor `handle` until it hangs up.

    `memory` is that of the file shared for `Progress`, `life` the reading end of a pipe that nobody but the parent can
    write to: it ends when the parent has died.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, args=(life,), daemon=True).start()
    connection: Connection[Any, Any] = Connection(handle)
    try:
        signal.signal(signal.SIGTERM, _stop)
        with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone or wants no more
            sys.path[:], processors, niceness = connection.recv()
            if processors:
                os.sched_setaffinity(0, processors)
            if niceness:
                os.nice(niceness)
            _serve(connection, memory)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # nothing is left to be stopped
    except Stopped:
        sys.exit(128 + signal.SIGTERM)


def _die_with_parent(life: int) -> None:
    """End the worker, its engines and whatever its players started once the parent is dead, whatever a player does."""
    while os.read(life, 1):
        pass
    if process := sys.modules.get("sakiyomi.arena.engines.process"):
        process.kill_engines()
    if mark := os.environ.get(MARK):
        kill_marked(mark)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _serve(connection: "Connection[Any, Any]", memory: int) -> None:
    from sakiyomi.arena.running.progress import Progress
    from sakiyomi.boards import rows

    rows.set_threads(1)  # the processors are shared out by the number of workers
    work, warm, limit = connection.recv()
    bench, progress = work.bench(), Progress(memory)
    turn: OnTurn = progress.turn if limit is None else partial(_weighed_turn, limit, progress)
    try:
        if warm:
            bench.warm()
        connection.send([Ready()])
        outbox = Outbox(connection)
        while True:
            if not connection.poll():
                outbox.flush()  # nothing is left to be done
            batch, jobs = connection.recv()
            for job in jobs:
                if batch <= progress.recalled:
                    break
                started = time.time()
                progress.begin(job.number)
                outcome = bench.do(job, turn)
                if limit is not None:
                    wait_while_heavy(limit)
                progress.end()
                outbox.put(Report(job.number, outcome, started, time.time()))
    finally:
        bench.close()


def _weighed_turn(
    limit: int, progress: "Progress", side: int, moves: Sequence[str], clocks: tuple[float, float] | None = None
) -> None:
    """Tell whose code runs next, once it is clear that whose code ran has not taken too much memory."""
    wait_while_heavy(limit)
    progress.turn(side, moves, clocks)


def _stop(number: int, frame: FrameType | None) -> None:
    """SIGTERM: leave through every ``finally``, which closes the engines and must not be stopped in its turn."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    # Under this name the classes above would be __main__'s, which the parent cannot unpickle.
    from sakiyomi.arena.running import worker

    worker.main(*map(int, sys.argv[1:]))
