"""Jobs of any kind, games, self-play, evaluation, on workers of this machine or of a Ray cluster, by one call."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sakiyomi.arena.running.crew import PATIENCE, Crew
from sakiyomi.arena.running.limits import Limits, cores, share
from sakiyomi.arena.running.work import Done, Job, Work


def crew_for(
    work: Work,
    count: int | None = None,
    log: Path | None = None,
    patience: float = PATIENCE,
    *,
    ray: str = "",
    limits: Limits = Limits(),  # noqa: B008 it is frozen
    paused: Callable[[], bool] = lambda: False,
    tick: Callable[[], None] = lambda: None,
) -> Crew:
    """A `Crew` of `count` workers: on this machine, or on the Ray cluster at the address `ray` (see `RayCrew`).

    Raises Failure if there is no such cluster or no Ray, and ValueError for limits that cannot be.
    """
    if not ray:
        return Crew(work, count, log, patience, limits=limits, paused=paused, tick=tick)
    from sakiyomi.arena.running.ray_crew import RayCrew

    return RayCrew(work, count, ray, log, patience, limits=limits, paused=paused, tick=tick)


def check_crew(count: int | None, limits: Limits = Limits(), ray: str = "") -> None:  # noqa: B008 it is frozen
    """Raises ValueError where `crew_for` would, and for limits of a `count` of 0: what plays in this process itself."""
    if ray:
        from sakiyomi.arena.running.ray_crew import check_cluster

        check_cluster(ray, limits)
    if count == 0 and ray:
        raise ValueError("workers=0 plays in this process, not on a Ray cluster")
    if count == 0 and limits != Limits():
        raise ValueError("workers=0 plays in this process; pin, memory and nice are limits of workers")
    if limits.pin and count:
        share(cores(), 0, count)


def do_all(work: Work, jobs: Iterable[Job], count: int | None = None, *, ray: str = "") -> Iterator[Done]:
    """Each of `jobs` with its outcome, in the order in which they end; see `crew_for`."""
    with crew_for(work, count, ray=ray) as crew:
        yield from crew.do(Queue(jobs))


class Queue:
    """`Jobs` that are known from the beginning, handed out in their order."""

    def __init__(self, jobs: Iterable[Job]):
        self._jobs = deque(jobs)

    def take(self) -> Job | None:
        """The next one, None if there is none."""
        return self._jobs.popleft() if self._jobs else None

    def give_back(self, job: Job) -> None:
        """It comes next."""
        self._jobs.appendleft(job)

    def __len__(self) -> int:
        """How many are left."""
        return len(self._jobs)
