"""What a worker and the engines that it starts may take of their machine: processors, memory, priority."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROCESSORS = Path("/sys/devices/system/cpu")
PROC = Path("/proc")
_LOOK = 0.05  # seconds
_COUNTED = (b"RssAnon:", b"RssShmem:", b"VmSwap:")


@dataclass(frozen=True)
class Limits:
    """`pin`: each worker and its engines have processors of their own. `memory`: bytes that each worker may hold with
    its engines; who is playing when it holds more has lost. `nice` is added to the workers' niceness (Unix).

    Raises ValueError for a limit that cannot be.
    """

    pin: bool = False
    memory: int | None = None
    nice: int = 0

    def __post_init__(self) -> None:
        if self.memory is not None and self.memory <= 0:
            raise ValueError(f"the memory of a worker must be over 0 bytes, got {self.memory}")
        if not 0 <= self.nice <= 19:
            raise ValueError(f"nice must be 0 to 19, got {self.nice}")
        if self.memory is not None and not (PROC / "self/status").exists():
            raise ValueError(f"a worker's memory can be limited only where there is {PROC} (Linux)")
        if self.pin and not hasattr(os, "sched_setaffinity"):
            raise ValueError("workers can be pinned to processors only on Linux")


def cores(processors: Path = PROCESSORS) -> list[tuple[int, ...]]:
    """The processors that this process may use, those of one physical core together."""
    found: dict[str, list[int]] = {}
    for number in sorted(os.sched_getaffinity(0)):
        try:
            siblings = (processors / f"cpu{number}" / "topology" / "thread_siblings_list").read_text().strip()
        except OSError:  # the system does not tell: a core of its own
            siblings = str(number)
        found.setdefault(siblings, []).append(number)
    return [tuple(core) for core in found.values()]


def share(cores: Sequence[tuple[int, ...]], slot: int, count: int) -> tuple[int, ...]:
    """The processors of worker `slot` of `count`: whole cores while there are enough, else one processor.

    Processors of different cores are given out before a second one of any core. Raises ValueError if there are more
    workers than processors.
    """
    if count <= len(cores):
        each = len(cores) // count
        return tuple(number for core in cores[slot * each : (slot + 1) * each] for number in core)
    longest = max(len(core) for core in cores)
    ordered = [core[turn] for turn in range(longest) for core in cores if turn < len(core)]
    if count > len(ordered):
        raise ValueError(f"{count} workers cannot be pinned to {len(ordered)} processors: take fewer, or do not pin")
    return (ordered[slot],)


def memory_of(pid: int, proc: Path = PROC) -> int:
    """Bytes that process `pid` and all it has started hold for themselves, in memory or swapped out.

    Files that are mapped, such as tablebases, are not counted: the system can take their memory back.
    """
    total = 0
    for process in _family(pid, proc):
        try:
            lines = (proc / str(process) / "status").read_bytes().splitlines()
        except OSError:  # it has just ended
            continue
        total += sum(1024 * int(line.split()[1]) for line in lines if line.startswith(_COUNTED))
    return total


def wait_while_heavy(limit: int) -> None:
    """In a worker, after a player's code has run: wait as long as this process and its engines hold more than `limit`.

    The parent, which looks now and then, so finds it while the player to blame is still the one whose code ran.
    """
    while memory_of(os.getpid()) > limit:
        time.sleep(_LOOK)


def _family(pid: int, proc: Path) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for process in found:
        for tasks in (proc / str(process) / "task").glob("*/children"):
            try:
                found += map(int, tasks.read_text().split())
            except OSError:  # the thread has just ended
                continue
    return found
