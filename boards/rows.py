"""Run a kernel over the rows of a batch, in slices, on several threads.

Kernels release the GIL, so plain threads scale; ``prange`` would cost ten times the compile time. Each row carries
its own random state, so the split never changes a result.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

_threads = 0  # 0: as many as the process may use
_pool: ThreadPoolExecutor | None = None
_pool_owner = 0  # process id: a forked child must not use its parent's threads


def threads() -> int:
    """How many threads a batch is spread over at the most."""
    if _threads:
        return _threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def setting() -> int:
    """What `set_threads` was called with last; 0 before."""
    return _threads


def set_threads(count: int) -> None:
    """Use at most `count` threads from now on in this process (0: as many as there are processors)."""
    global _threads
    if count < 0:
        raise ValueError(f"threads must be 0 or more, got {count}")
    _threads = count


def run(entry: Callable[..., None], rows: int, grain: int, *args: Any) -> None:
    """Call ``entry(start, stop, *args)`` on slices that cover ``range(rows)``; `grain` rows or fewer stay together."""
    parts = min(threads(), -(-rows // grain))
    if parts <= 1:
        entry(0, rows, *args)
        return
    global _pool, _pool_owner
    if _pool is None or _pool_owner != os.getpid() or _pool._max_workers < parts:
        _pool, _pool_owner = ThreadPoolExecutor(parts, thread_name_prefix="rows"), os.getpid()
    edges = [rows * part // parts for part in range(parts + 1)]
    jobs = [_pool.submit(entry, start, stop, *args) for start, stop in pairwise(edges)]
    for job in jobs:
        job.result()
