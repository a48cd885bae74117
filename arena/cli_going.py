"""What the commands that play have in common: how they are stopped, and what they say while one waits."""

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, Protocol

import typer

if TYPE_CHECKING:
    from sakiyomi.arena.folder import Folder


class Contest(Protocol):
    """A tournament of games or of tasks."""

    rows: list[Any]
    folder: "Folder | None"

    def write_results(self) -> None:
        """Write what is made from the rows."""


def stop_by_signals() -> None:
    """Let the end of the terminal and a polite kill stop a command as Ctrl-C does, unless they are ignored (nohup)."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows knows no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Say what takes so long, if it does."""
    timer = Timer(2.0, typer.echo, [f"{what} ..."], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def pause_line(folder: "Folder | None") -> str:
    """That no game will begin, and what can be done; "" where there is no pause."""
    if folder is None or not folder.paused:
        return ""
    return f"paused: nothing begins before: sakiyomi proceed {quoted(folder.path)}"


def stopped(contest: Contest, planned: int, what: str) -> str:
    """After Ctrl-C: write the results of what was played; a line that tells how to go on."""
    folder = contest.folder
    assert folder is not None, "the command line always has a folder"
    if not folder.database.exists():
        return "stopped before anything was written"
    how = f"to go on: sakiyomi tournament --resume --out {quoted(folder.path)}"
    if not contest.rows:  # none was played, or those of earlier runs were still being read: their results stand
        return f"stopped before another of the {what} had ended; {how}"
    with patience("writing the results"):
        contest.write_results()
    return f"stopped after {len(contest.rows)} of {planned} {what}, all kept; {how}"


def quoted(path: Path) -> str:
    """The path as a shell takes it."""
    return shlex.quote(str(path))
