"""The workers of a tournament, seen from the parent: hands out games, hears of them, survives their deaths.

A worker whose player is silent for longer than `patience` is killed, and that player has lost. A worker that dies is
replaced and its job done again; if it dies again, the player whose turn it was has lost. Who is playing when a worker
holds more memory than it may has lost, too. All that is the same wherever the workers run: see `channel.py`.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from sakiyomi.arena.errors import Failure
from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.arena.running.channel import Glance, Place, Ready, Report
from sakiyomi.arena.running.hand import Hand
from sakiyomi.arena.running.limits import Limits
from sakiyomi.arena.running.local import Machine
from sakiyomi.arena.running.work import Done, Job, Jobs, Work

PATIENCE = 600.0
"""Seconds without a sign from a player inside a worker after which it counts as silent."""
START = 900.0
"""Seconds that a worker may take to start and to compile what it needs."""
TICK = 1.0
"""Seconds between two calls of `tick`, unless whoever is handed the outcomes takes longer."""
WEIGH = 0.25
"""Seconds between two looks at how much memory the workers hold."""


class WorkerFailure(Failure):
    """Workers cannot be started; the message holds the last line that one wrote."""


class Running(NamedTuple):
    """A job that is being done: its moves so far, what the two clocks show in seconds (None: there are none), and when
    it began, in seconds since the epoch.
    """

    job: Any
    moves: tuple[str, ...]
    clocks: tuple[float, float] | None
    since: float


class Crew:
    """`count` workers that do the jobs of one tournament; use it in a ``with``.

    What workers and their players print goes to the file `log`. `limits` hold for each worker. While `paused` says so,
    no job is handed out. `tick` is called about once a second. `place` is where the
    workers run (None: in processes of this machine); a `count` of None leaves it to that place.
    """

    def __init__(
        self,
        work: Work,
        count: int | None,
        log: Path | None = None,
        patience: float = PATIENCE,
        *,
        limits: Limits = Limits(),  # noqa: B008 it is frozen
        paused: Callable[[], bool] = lambda: False,
        tick: Callable[[], None] = lambda: None,
        place: Place | None = None,
    ):
        self._work, self._count, self._patience, self._limits = work, count, patience, limits
        self._paused, self._tick, self._ticked = paused, tick, time.monotonic()
        self._place: Place = place or Machine(limits)
        self._log: IO[bytes] = TemporaryFile("a+b") if log is None else log.open("a+b")  # noqa: SIM115
        self._log_path = log
        self._hands: list[Hand] = []
        self._failures = 0.0  # workers in a row that died before they were ready
        self._warmed = False
        self._deaths: Counter[int] = Counter()  # of workers, by the job that they did
        self._weighed = 0.0

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *error: object) -> None:
        for hand in self._hands:  # all at once, then wait for each
            hand.channel.stop()
        while self._hands:
            self._hands.pop().channel.close()
        self._place.close()
        empty = self._log.seek(0, os.SEEK_END) == 0
        self._log.close()
        if empty and self._log_path:
            self._log_path.unlink(missing_ok=True)

    @property
    def doing(self) -> list[Running]:
        """The jobs now done."""
        found = []
        for hand in tuple(self._hands):
            glance = hand.channel.glance()
            if (job := hand.job_of(glance)) is not None:
                told = glance if glance.number == job.number else Glance(since=time.time())  # it begins just now
                found.append(Running(job, told.moves, told.clocks, told.since))
        return found

    def do(self, jobs: Jobs) -> Iterator[Done]:
        """Do all of them; they come in the order in which they end, and who hands them out is to be told of each."""
        self._deaths.clear()
        while len(jobs) or any(hand.held for hand in self._hands):
            self._start(len(jobs))
            if not self._paused():
                self._hand_out(jobs)
            self._tick_now_and_then()
            channels = [hand.channel for hand in self._hands]
            spoken = self._place.wait(channels, self._pause_between_looks())
            for hand in [hand for hand in self._hands if hand.channel in spoken]:
                yield from self._hear(hand, jobs)
            yield from self._end_silent(jobs)
            yield from self._end_heavy(jobs)

    def _tick_now_and_then(self) -> None:
        if time.monotonic() - self._ticked > TICK:
            self._tick()
            self._ticked = time.monotonic()

    def _hear(self, hand: Hand, jobs: Jobs) -> Iterator[Done]:
        """What a worker has said, if it has not died."""
        try:
            said = hand.channel.receive()
        except EOFError:
            yield from self._bury(hand, jobs)
            return
        reports = [message for message in said if isinstance(message, Report)]
        if len(reports) < len(said):
            assert any(isinstance(message, Ready) for message in said), "the first thing that a worker says"
            hand.ready, self._failures = True, 0.0
            self._warmed = self._warmed or hand.warms
        hand.timed(reports)
        for report in reports:
            if (done := hand.done(report)) is not None:
                yield done

    def _start(self, jobs: int) -> None:
        """All workers start at once, but no job does before the first has compiled what no cache on disk holds."""
        room = self._place.room(self._count)
        for hand in [hand for hand in self._hands[room:] if not hand.channel.placed and not hand.held]:
            self._remove(hand)  # its processor has gone
        idle = sum(not hand.held for hand in self._hands)
        for _ in range(min(room - len(self._hands), jobs - idle)):
            slot = min(set(range(room)) - {hand.slot for hand in self._hands})
            warms = not self._warmed and not any(hand.warms for hand in self._hands)
            channel = self._place.start(self._work, slot, room, warms, self._log)
            self._hands.append(Hand(channel, slot, warms))

    def _hand_out(self, jobs: Jobs) -> None:
        """Give jobs to those who have fewest, to each its share; those that wait behind a long one go to the idle."""
        if not self._warmed:
            return
        if not len(jobs) and any(hand.ready and not hand.held for hand in self._hands):
            for hand in self._hands:
                for job in reversed(hand.idle_jobs()):
                    jobs.give_back(job)
        for hand in sorted(self._hands, key=lambda hand: hand.held):
            share_of_one = -(-len(jobs) // len(self._hands))
            taken: list[Job] = []
            while len(taken) < min(hand.wanted, share_of_one) and (job := jobs.take()) is not None:
                taken.append(job)
            if taken:
                hand.give(taken)

    def _bury(self, hand: Hand, jobs: Jobs) -> Iterator[Done]:
        """Remove a worker that died; its job is done again, once."""
        glance, how = hand.channel.glance(), hand.channel.ended()
        job = hand.job_of(glance)
        if job is None:
            self._remove(hand, how)
            return
        self._deaths[job.number] += 1
        if self._deaths[job.number] == 1:
            self._remove(hand, how, jobs)
        else:
            yield self._blamed(hand, glance, jobs, Termination.CRASH, f"its process died twice ({how})")

    def _end_silent(self, jobs: Jobs) -> Iterator[Done]:
        """Remove workers that were not heard of for too long; the player whose code ran has lost."""
        for hand in tuple(self._hands):
            if not hand.ready:
                if not hand.channel.placed and any(other.channel.placed for other in self._hands):
                    hand.started = time.monotonic()  # it waits for a processor
                if time.monotonic() - hand.started > START:
                    self._remove(hand, f"not ready after {START:g} s")
                continue
            glance = hand.channel.glance()
            if hand.held and hand.silence(glance) > self._patience and not self._place.wait([hand.channel], 0.0):
                why = f"no move for {self._patience:g} s"
                yield self._blamed(hand, glance, jobs, Termination.STALL, why)

    def _end_heavy(self, jobs: Jobs) -> Iterator[Done]:
        """Remove workers that hold too much memory; the player whose code ran has lost."""
        limit = self._limits.memory
        if limit is None or time.monotonic() - self._weighed < WEIGH:
            return
        self._weighed = time.monotonic()
        for hand in tuple(self._hands):
            glance, held = hand.channel.glance(), hand.channel.memory()
            if held <= limit:
                continue
            why = f"over the {_size(limit)} of memory that a worker may hold ({_size(held)})"
            if glance.number == 0:
                raise WorkerFailure(f"a worker between games is {why}; allow it more")
            yield self._blamed(hand, glance, jobs, Termination.CRASH, why)

    def _blamed(self, hand: Hand, glance: Glance, jobs: Jobs, termination: Termination, why: str) -> Done:
        """End the worker; its job is lost by the player whose code ran, the others are given back."""
        job = hand.job_of(glance)
        assert job is not None, "a worker without a job is not to blame"
        if glance.number != job.number:
            glance = Glance()  # it tells of another one, which is not its own any more
        now = time.time()
        outcome = self._work.lost(job, glance.side, PlayerFault(termination, why), glance.moves)
        done = hand.done(Report(job.number, outcome, glance.since or now, now))
        assert done is not None
        self._remove(hand, why, jobs)
        return done

    def _remove(self, hand: Hand, how: str = "", jobs: Jobs | None = None) -> None:
        """End a worker; another will start in its place, unless three in a row died (`how`) before they were ready."""
        hand.channel.close()
        self._hands.remove(hand)
        for job in reversed(hand.drop()):
            assert jobs is not None, "jobs are handed out to workers alone that do them"
            jobs.give_back(job)
        if how and not hand.ready:
            self._failures += 1.0 if hand.channel.placed else 0.1  # many are lost at once with their machine
            if self._failures >= 3:
                raise WorkerFailure(f"workers cannot be started ({how}): {self._last_line()}")

    def _pause_between_looks(self) -> float:
        """Seconds until the next worker may be found silent, or should be looked at again."""
        limits = [TICK / 2 if self._limits.memory is None else WEIGH]
        for hand in self._hands:
            if not hand.ready:
                limits.append(hand.started + START - time.monotonic())
            elif hand.held:
                limits.append(self._patience - hand.silence(hand.channel.glance()))
        return max(0.001, min(limits))

    def _last_line(self) -> str:
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else "it left no message"


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
