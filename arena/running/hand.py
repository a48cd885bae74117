"""One worker's jobs as its crew keeps count of them: which it has, and how many more it should be given."""

import time
from collections import deque
from collections.abc import Sequence

from sakiyomi.arena.running.channel import Channel, Glance, Report
from sakiyomi.arena.running.work import Done, Job
from sakiyomi.arena.store import utc_text

QUICK = 0.05
"""Seconds: who needs less for a job is given the next one before the last has come back."""
AHEAD = 0.05
"""Seconds of such work that are given ahead."""
MOST = 200
"""Jobs held at the most."""
LONG = 0.25
"""Seconds that a job may take while others could do those that wait behind it."""


class Hand:
    """A worker in place `slot` of its crew."""

    def __init__(self, channel: Channel, slot: int, warms: bool):
        self.channel, self.slot, self.warms = channel, slot, warms
        self.ready = False
        self.started = time.monotonic()
        self._jobs: deque[Job] = deque()
        self._pace: float | None = None  # seconds that its last jobs took
        self._heard = self.started

    @property
    def held(self) -> int:
        """How many jobs it has."""
        return len(self._jobs)

    @property
    def wanted(self) -> int:
        """How many more it should be given."""
        if not self.ready:
            return 0
        ahead = 1
        if self._pace is not None and self._pace < QUICK:
            ahead += min(int(AHEAD / max(self._pace, 1e-6)), MOST - 1)
        return ahead - self.held if 2 * self.held <= ahead else 0

    def give(self, jobs: Sequence[Job]) -> None:
        """Let it do these after those it has."""
        if not self._jobs:
            self._heard = time.monotonic()
        self._jobs.extend(jobs)
        self.channel.send(jobs)

    def done(self, report: Report) -> Done | None:
        """The job that has ended; None for one that others were given meanwhile."""
        self._heard = time.monotonic()
        job = next((job for job in self._jobs if job.number == report.number), None)
        if job is None:
            return None
        self._jobs.remove(job)
        return Done(job, report.outcome, utc_text(report.started), utc_text(report.ended))

    def timed(self, reports: Sequence[Report]) -> None:
        """Learn from jobs that have ended how long one takes."""
        if reports:
            self._pace = max(sum(report.ended - report.started for report in reports) / len(reports), 0.0)

    def job_of(self, glance: Glance) -> Job | None:
        """The job that it does, or does next; None if it has none. Also for a thread that shows how things stand."""
        jobs = tuple(self._jobs)  # at once: those that have ended are taken out meanwhile
        return next((job for job in jobs if job.number == glance.number), jobs[0] if jobs else None)

    def silence(self, glance: Glance) -> float:
        """Seconds since it last gave a sign of life."""
        return min(time.monotonic() - self._heard, glance.silence)

    def idle_jobs(self) -> list[Job]:
        """Those that wait behind a job which takes long, to be done by others; it forgets them."""
        waiting = list(self._jobs)[1:]
        glance = self.channel.glance()
        if not waiting or not glance.number or time.time() - glance.since < LONG:
            return []
        self._pace = time.time() - glance.since
        current = self.job_of(glance)
        self.channel.recall()
        left = [job for job in self._jobs if job is not current]
        self._jobs = deque(job for job in self._jobs if job is current)
        return left

    def drop(self) -> list[Job]:
        """All its jobs, of which it will do none."""
        jobs, self._jobs = list(self._jobs), deque()
        return jobs
