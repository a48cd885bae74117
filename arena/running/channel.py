"""What a crew needs to know of its workers, wherever they run: a `Place` starts them, a `Channel` leads to each."""

from collections.abc import Sequence
from typing import IO, Any, NamedTuple, Protocol

from sakiyomi.arena.running.work import Job, Work


class Report(NamedTuple):
    """The outcome of job `number`, with the times when it began and ended, in seconds since the epoch."""

    number: int
    outcome: Any
    started: float
    ended: float


class Glance(NamedTuple):
    """What a worker does at a moment.

    `number` is that of its job, 0 between jobs; `side` whose code runs (None: nobody's) after `moves`; `clocks` what
    the two clocks show; `since` when the job began, in seconds since the epoch; `silence` the seconds since it last
    called into a player.
    """

    number: int = 0
    side: int | None = None
    moves: tuple[str, ...] = ()
    clocks: tuple[float, float] | None = None
    since: float = 0.0
    silence: float = 0.0


class Ready(NamedTuple):
    """The first thing that a worker says."""


class Channel(Protocol):
    """The way to one worker."""

    def send(self, jobs: Sequence[Job]) -> None:
        """Give it jobs, to be done after those it has. A worker that is gone takes none, which `receive` tells."""

    def recall(self) -> None:
        """Let it forget the jobs that it has not begun."""

    def receive(self) -> list[Ready | Report]:
        """What it has said, after `Place.wait` has named it. Raises EOFError if it is gone."""

    @property
    def placed(self) -> bool:
        """Has it a processor to run on?"""

    def glance(self) -> Glance:
        """What it does, or did when it was last heard of. To be asked before `close`."""

    def memory(self) -> int:
        """Bytes that it and its engines hold."""

    def ended(self) -> str:
        """How the worker, which is gone, ended: in words."""

    def stop(self) -> None:
        """Tell it to close its players and end; `close` waits for that."""

    def close(self) -> None:
        """End it, by force if it does not end itself."""


class Place(Protocol):
    """Where workers run."""

    def room(self, wanted: int | None) -> int:
        """How many workers there may be now: `wanted`, if any number is, or as many as there are processors."""

    def start(self, work: Work, slot: int, count: int, warms: bool, log: IO[bytes]) -> Channel:
        """Start the worker in place `slot` of `count`; one that `warms` compiles what all need."""

    def wait(self, channels: Sequence[Any], seconds: float) -> list[Any]:
        """Those that have something to say or are gone; none after that many seconds."""

    def close(self) -> None:
        """No more workers will be started."""
