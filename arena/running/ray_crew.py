"""Workers on the nodes of a Ray cluster: `RayCrew` is a `Crew` whose workers run there.

A node that dies takes its workers along; their jobs are done again elsewhere, by the rules of every crew.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from sakiyomi.agents.parts.selfplay.ray_cluster import check_address, enter_cluster
from sakiyomi.arena.errors import Failure
from sakiyomi.arena.match import one_line
from sakiyomi.arena.running.channel import Glance, Ready, Report
from sakiyomi.arena.running.crew import PATIENCE, Crew
from sakiyomi.arena.running.limits import Limits
from sakiyomi.arena.running.ray_host import Heard, Host, source_digest
from sakiyomi.arena.running.work import Job, Work

LISTEN = 0.5
"""Seconds after which a host answers even if its worker has said nothing."""
GRACE = 5.0
"""Seconds that hosts get to close their workers' engines."""
_COUNTED = 1.0  # seconds for which the number of processors in the cluster is remembered


class RayCrew(Crew):
    """A `Crew` of `count` workers (None: one a processor of the cluster) on the Ray cluster at `address`.

    `address` is "auto" (the cluster that runs on this machine), "HOST:PORT", or "local" (one is started here, for as
    long as the crew lives). Where this process uses Ray already, its cluster is taken. Nodes need the same version of
    the package, and the programs and modules of the players. Raises Failure if there is no such cluster, and ValueError
    for pinned workers: Ray shares out the processors.
    """

    def __init__(
        self,
        work: Work,
        count: int | None = None,
        address: str = "auto",
        log: Path | None = None,
        patience: float = PATIENCE,
        *,
        limits: Limits = Limits(),  # noqa: B008 it is frozen
        paused: Callable[[], bool] = lambda: False,
        tick: Callable[[], None] = lambda: None,
    ):
        place = Cluster(address, limits)
        super().__init__(work, count, log, patience, limits=limits, paused=paused, tick=tick, place=place)


def check_cluster(address: str, limits: Limits) -> None:
    """Raises ValueError for what can be no address of a cluster, and for limits that do not hold on one."""
    check_address(address)
    if limits.pin:
        raise ValueError("workers on a Ray cluster are not pinned to processors; leave the pin out")


class Cluster:
    """The Ray cluster at `address`; see `Place`."""

    def __init__(self, address: str, limits: Limits):
        check_cluster(address, limits)
        self._limits, self._source = limits, source_digest()
        try:
            self._ray, self._own = enter_cluster(address)
        except (ModuleNotFoundError, ConnectionError) as error:
            raise Failure(str(error)) from None
        self._host = self._ray.remote(
            num_cpus=1, max_restarts=0, max_task_retries=0, concurrency_groups={"hear": 1, "tell": 1}
        )(Host)
        self._processors, self._counted = 0, 0.0

    def room(self, wanted: int | None) -> int:
        """As many as are wanted and have a processor of the nodes that live."""
        if not self._counted or time.monotonic() - self._counted > _COUNTED:
            self._processors = max(1, int(self._ray.cluster_resources().get("CPU", 0)))
            self._counted = time.monotonic()
        return self._processors if wanted is None else min(wanted, self._processors)

    def start(self, work: Work, slot: int, count: int, warms: bool, log: IO[bytes]) -> "RayWorker":
        """A new host, on the node that Ray chooses."""
        path = [os.path.abspath(entry) for entry in sys.path]
        host = self._host.remote(work, warms, self._source, path, self._limits.nice, self._limits.memory)
        return RayWorker(self._ray, host, log)

    def wait(self, channels: Sequence["RayWorker"], seconds: float) -> list["RayWorker"]:
        """Those whose hosts have answered."""
        by_answer = {channel.answer: channel for channel in channels}
        answers = list(by_answer)
        if not answers:
            time.sleep(min(seconds, LISTEN))
        elif self._ray.wait(answers, num_returns=1, timeout=seconds)[0]:
            done, _ = self._ray.wait(answers, num_returns=len(answers), timeout=0)
            return [by_answer[answer] for answer in done]
        return []

    def close(self) -> None:
        """Leave the cluster, and end it if it was started here."""
        if self._own:
            self._ray.shutdown()


class RayWorker:
    """The parent's end of one worker on a node; see `Channel`."""

    def __init__(self, ray: Any, host: Any, log: IO[bytes]):
        self._ray, self._host, self._log = ray, host, log
        self.placed = False
        self._last = Heard([], Glance(), 0, b"", None)
        self._closing: Any = None
        self._how = ""
        self.answer = self._listen()

    def send(self, jobs: Sequence[Job]) -> None:
        """Give it jobs."""
        self._tell("send", list(jobs))

    def recall(self) -> None:
        """Let it forget the jobs that it has not begun."""
        self._tell("recall")

    def receive(self) -> list[Ready | Report]:
        """What it has said. Raises EOFError if it is gone, and Failure if its node cannot do this work."""
        try:
            heard: Heard = self._ray.get(self.answer)
        except self._ray.exceptions.RayError as error:
            self.placed = False
            self._how = why_lost(error)
            raise EOFError from error
        self._last, self.placed = heard, True
        self._log.write(heard.printed)
        self._log.flush()
        if heard.ended is not None:
            self._how = heard.ended
            raise EOFError
        self.answer = self._listen()
        return heard.said

    def glance(self) -> Glance:
        """What it did when its host last told."""
        return self._last.glance

    def memory(self) -> int:
        """Bytes that it and its engines held then."""
        return self._last.memory

    def ended(self) -> str:
        """How it ended: in words."""
        return self._how

    def stop(self) -> None:
        """Let the host close its worker."""
        if self._closing is None:
            self._closing = self._tell("close")

    def close(self) -> None:
        """End the host, by force if it does not end in time."""
        self.stop()
        if self.placed:
            self._ray.wait([self._closing], timeout=GRACE)
        self._ray.kill(self._host)

    def _listen(self) -> Any:
        return self._host.listen.options(concurrency_group="hear").remote(LISTEN)

    def _tell(self, method: str, *args: Any) -> Any:
        return getattr(self._host, method).options(concurrency_group="tell").remote(*args)


def why_lost(error: Exception) -> str:
    """How a host was lost. Raises Failure where it could not even be made, as no other could be."""
    text = str(error)
    if found := re.search(r"RuntimeError: (node .* has another version of sakiyomi; .*)", text):
        raise Failure(found[1].strip()) from None
    if "No module named 'sakiyomi" in text or "failed to be imported" in text:
        raise Failure("a node of the Ray cluster has no sakiyomi: install the same version on each") from None
    if "creation task" in text:
        raise Failure(
            f"no worker can be started on the Ray cluster: {one_line(text.strip().splitlines()[-1])}"
        ) from None
    return "its Ray node or process died"
