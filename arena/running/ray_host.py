"""What runs on a Ray node: a host, which holds one worker process there and tells the parent of it.

The host plays no games itself, so that it answers whatever a player does, and knows what a worker did that died. When
the host ends, for whatever reason, its worker and the worker's engines end with it.
"""

import os
import socket
import sys
from collections.abc import Sequence
from multiprocessing.connection import wait
from tempfile import TemporaryFile
from typing import NamedTuple

from sakiyomi.agents.parts.selfplay.ray_cluster import digest_of
from sakiyomi.arena.running.channel import Glance, Ready, Report
from sakiyomi.arena.running.games import NODE
from sakiyomi.arena.running.local import LocalWorker
from sakiyomi.arena.running.work import Job, Work

PACKAGES = ("arena", "boards", "sgf", "envs", "agents")


class Heard(NamedTuple):
    """What a host tells: what its worker said and does, bytes that it holds, what it printed, and how it ended (None:
    it lives).
    """

    said: list[Ready | Report]
    glance: Glance
    memory: int
    printed: bytes
    ended: str | None


class Host:
    """One worker on this node; its methods are those of `Channel`, but for `listen`.

    `source` is the `source_digest` of the parent, `path` where the parent finds modules. `memory` are the bytes that
    the worker may hold, which are measured then. Raises RuntimeError if this node has another version of the package.
    """

    def __init__(self, work: Work, warms: bool, source: str, path: Sequence[str], niceness: int, memory: int | None):
        self.node = socket.gethostname()
        if source_digest() != source:
            raise RuntimeError(f"node {self.node} has another version of sakiyomi; install the same everywhere")
        sys.path += [entry for entry in path if entry not in sys.path and os.path.isdir(entry)]
        self._log = TemporaryFile("a+b")  # noqa: SIM115 as long as this object lives
        self._told = 0
        self._weighs = memory is not None
        self._worker = LocalWorker(work, warms, self._log, (), niceness, memory, {NODE: self.node})

    def send(self, jobs: Sequence[Job]) -> None:
        """Give the worker jobs."""
        self._worker.send(jobs)

    def recall(self) -> None:
        """Let it forget the jobs that it has not begun."""
        self._worker.recall()

    def listen(self, seconds: float) -> Heard:
        """What the worker says, as soon as it says something, or nothing after that time."""
        said: list[Ready | Report] = []
        ended = None
        if wait([self._worker.connection], seconds):
            try:
                said = self._worker.receive()
            except EOFError:
                self._worker.glance()
                ended = f"{self._worker.ended()} on node {self.node}"
                self._worker.close()
        memory = self._worker.memory() if self._weighs and ended is None else 0
        return Heard(said, self._worker.glance(), memory, self._printed(), ended)

    def close(self) -> None:
        """End the worker and its engines in good order."""
        self._worker.close()

    def _printed(self) -> bytes:
        """What the worker and its players have printed since the last time."""
        new = os.pread(self._log.fileno(), 1 << 20, self._told)
        self._told += len(new)
        return new


def source_digest() -> str:
    """A digest of this package's files: the same where the same games will be played."""
    return digest_of(PACKAGES)
