"""A worker: a process that does the jobs it is given, one after another. `crew.py` starts workers and listens.

    parent -> worker    sys.path, Work, whether to compile, then job, job, ...; the end of the connection ends it
    worker -> parent    READY, then each job's outcome; meanwhile whose turn it is and the moves, by `progress`

What a bench holds lives as long as the worker. The worker is in a session of its own: Ctrl-C in the terminal reaches
the parent alone. A second pipe, on which nothing is ever sent, tells the worker when the parent has died.
"""

import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

READY = "ready"


class Stopped(BaseException):
    """SIGTERM came: not the doing of the player whose code ran."""


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
            sys.path[:] = connection.recv()
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
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _serve(connection: "Connection[Any, Any]", memory: int) -> None:
    from sakiyomi.arena.running.progress import Progress
    from sakiyomi.boards import rows

    rows.set_threads(1)  # the processors are shared out by the number of workers
    work, warm = connection.recv(), connection.recv()
    bench, progress = work.bench(), Progress(memory)
    try:
        if warm:
            bench.warm()
        progress.begin()
        connection.send(READY)
        while True:
            job = connection.recv()
            outcome = bench.do(job, progress.turn)
            progress.begin()
            connection.send(outcome)
    finally:
        bench.close()


def _stop(number: int, frame: FrameType | None) -> None:
    """SIGTERM: leave through every ``finally``, which closes the engines and must not be stopped in its turn."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    # Under this name the classes above would be __main__'s, which the parent cannot unpickle.
    from sakiyomi.arena.running import worker

    worker.main(*map(int, sys.argv[1:]))
