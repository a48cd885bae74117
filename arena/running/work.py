"""What workers do, whatever it is: jobs that a `Work` describes, carried out one after another on a `Bench`."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sakiyomi.arena.match import PlayerFault
from sakiyomi.arena.playing import OnTurn


class Job(Protocol):
    """One game, or one episode; can be pickled."""

    @property
    def number(self) -> int:
        """Its place in the schedule, from 1."""


class Bench(Protocol):
    """Carries out jobs in a worker, and holds what lives from one to the next: players, engines, environments."""

    def warm(self) -> None:
        """Compile what all jobs need."""

    def do(self, job: Any, on_turn: OnTurn) -> Any:
        """The outcome of a job. Never raises for what a player does."""

    def close(self) -> None:
        """Give everything back."""


class Work(Protocol):
    """All that jobs of one tournament share; sent to each worker, which makes a bench of it."""

    def bench(self) -> Bench:
        """What carries out the jobs."""

    def lost(self, job: Any, side: int | None, fault: PlayerFault, moves: Sequence[str]) -> Any:
        """The outcome of a job that ended its worker or was never heard of again, while the code of `side` ran (None:
        nobody's) after `moves`.
        """


class Jobs(Protocol):
    """What is left to do."""

    def take(self) -> Any:
        """The next job, None if there is none now."""

    def give_back(self, job: Any) -> None:
        """It could not be done after all: it comes next."""

    def __len__(self) -> int:
        """How many jobs can be taken now."""


class Done(NamedTuple):
    """A job with its outcome; times are UTC in ISO 8601."""

    job: Any
    outcome: Any
    started: str
    finished: str
