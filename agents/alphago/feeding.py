"""Batches to learn from, made ahead by another thread while the network learns.

Batch k comes from a generator of its own, seeded by (seed, k): a run that goes on from step k sees what it would have
seen, however far ahead batches had been made.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import numpy as np

from sakiyomi.agents.alphago.records import Batch, GameRecords


def make_batch(records: GameRecords, n: int, planes: int, seed: int, step: int) -> Batch:
    """Batch number `step` of the sequence that `seed` names: `n` positions drawn with equal chances, each turned."""
    return records.batch(records.draw(np.random.default_rng((seed, step)), n), planes)


def batches(records: GameRecords, n: int, planes: int, seed: int, start: int = 0, ahead: int = 2) -> Iterator[Batch]:
    """Batches number `start`, `start` + 1, ... without end, `ahead` of them made while one is in use.

    Closing the iterator stops the thread that makes them. Raises ValueError for records with nothing to learn from.
    """
    if n < 1 or ahead < 1:
        raise ValueError(f"batches of 1 or more positions are made 1 or more ahead, got {n} and {ahead}")
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as maker:
        waiting: deque[Future[Batch]] = deque()
        try:
            for step in count(start):
                waiting.append(maker.submit(make_batch, records, n, planes, seed, step))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
