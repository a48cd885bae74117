"""Processes that a dead worker has left behind, known by a mark that all it started have inherited (Linux)."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

MARK = "SAKIYOMI_WORKER"
"""The variable of the environment that holds the mark."""
PROC = Path("/proc")
SECOND_LOOK = 0.2  # seconds after the first


def marked(mark: str) -> list[int]:
    """The processes with that mark; none where the system does not tell."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for path in PROC.glob("[0-9]*/environ"):
        with suppress(OSError):  # it has just ended, or belongs to somebody else
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def kill_marked(mark: str) -> None:
    """Kill every process with that mark but this one.

    A program that is just being started shows no environment for a moment: so the second look.
    """
    for pause in (0.0, SECOND_LOOK):
        time.sleep(pause)
        for pid in marked(mark):
            if pid != os.getpid():
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
