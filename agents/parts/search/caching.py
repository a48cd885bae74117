"""Network outputs kept for positions that are met again."""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.search.models import Evaluate
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import U, mix

WAYS = 8  # places next to each other among which an entry may lie


class CachedEvaluate:
    """An `Evaluate` that asks `evaluate` only for observations it does not remember, and for equal ones once.

    It pays where different moves lead to the same observation, as searches of neighbouring plies and games do that
    share openings: tic-tac-toe, Connect Four, Othello, games whose planes hold the board alone. With planes of history
    (Go's, chess's, shogi's) an observation hardly ever comes back but for the root's own subtree: there, leave it out.

    Observations are told apart by 128 bits of hash over all their bytes. There is room for `entries`; a new one takes
    the place of the one asked for longest ago among eight. Call `clear` when the network changes.
    """

    def __init__(self, evaluate: Evaluate, actions: int, entries: int = 1 << 16):
        """Raises ValueError for no entries."""
        if entries < 1:
            raise ValueError(f"a cache has room for 1 entry or more, got {entries}")
        rows = WAYS * -(-entries // WAYS)
        self.evaluate = evaluate
        self.asked = self.hits = 0
        """Observations asked for, and those of them that the network did not have to see."""
        self._clock = 0
        self._keys = np.zeros((rows, 2), np.uint64)
        self._used = np.zeros(rows, np.int64)  # when last asked for; 0: empty
        self._logits = np.zeros((rows, actions), np.float32)
        self._values = np.zeros(rows, np.float32)

    def clear(self) -> None:
        """Forget everything."""
        self._used[:] = 0
        self._clock = 0

    def __call__(self, observations: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `Evaluate`: logits [n, A] and values [n], in arrays of the caller's own."""
        n = len(observations)
        words = np.ascontiguousarray(observations, np.float32).reshape(n, -1).view(np.uint32)
        keys, places = np.empty((n, 2), np.uint64), np.empty(n, np.int64)
        self._clock += 1
        hash_rows(words, keys)
        find(keys, self._keys, self._used, self._clock, places)
        known = places >= 0
        logits, values = np.empty((n, self._logits.shape[1]), np.float32), np.empty(n, np.float32)
        logits[known], values[known] = self._logits[places[known]], self._values[places[known]]
        unknown = np.flatnonzero(~known)
        self.asked += n
        self.hits += n
        if len(unknown):
            _, first, like = np.unique(keys[unknown], axis=0, return_index=True, return_inverse=True)
            fresh = unknown[np.sort(first)]
            order = np.argsort(np.argsort(first))[like.reshape(-1)]  # of each unknown one, its place in `fresh`
            new_logits, new_values = self.evaluate(observations if len(fresh) == n else observations[fresh])
            logits[unknown], values[unknown] = np.asarray(new_logits)[order], np.asarray(new_values)[order]
            keep(keys, fresh, logits, values, self._keys, self._used, self._clock, self._logits, self._values)
            self.hits -= len(fresh)
        return logits, values


@kernel
def hash_rows(words: NDArray[np.uint32], keys: NDArray[np.uint64]) -> None:
    """Write 128 bits of hash [n, 2] of the uint32 `words` [n, W]: two chains of the same mixer from unlike starts."""
    for i in range(words.shape[0]):
        low, high = U(0x243F6A8885A308D3), U(0x13198A2E03707344)
        for j in range(words.shape[1]):
            word = U(words[i, j])
            low = mix(low ^ word)
            high = mix(high + word * U(0x9E3779B97F4A7C15))
        keys[i, 0], keys[i, 1] = low, high


@kernel
def find(
    keys: NDArray[np.uint64],
    kept: NDArray[np.uint64],
    used: NDArray[np.int64],
    clock: int,
    places: NDArray[np.int64],
) -> None:
    """Write where the `keys` [n, 2] lie among the `kept` ones, -1 where nowhere, and note that they were asked for."""
    buckets = U(kept.shape[0] // WAYS)
    for i in range(keys.shape[0]):
        first = int(keys[i, 0] % buckets) * WAYS
        places[i] = -1
        for place in range(first, first + WAYS):
            if used[place] > 0 and kept[place, 0] == keys[i, 0] and kept[place, 1] == keys[i, 1]:
                places[i] = place
                used[place] = clock
                break


@kernel
def keep(
    keys: NDArray[np.uint64],
    rows: NDArray[np.int64],
    logits: NDArray[np.float32],
    values: NDArray[np.float32],
    kept: NDArray[np.uint64],
    used: NDArray[np.int64],
    clock: int,
    kept_logits: NDArray[np.float32],
    kept_values: NDArray[np.float32],
) -> None:
    """Remember `logits` [n, A] and `values` [n] of the `rows` [m], in place of what was asked for longest ago."""
    buckets = U(kept.shape[0] // WAYS)
    for k in range(rows.shape[0]):
        i = rows[k]
        first = int(keys[i, 0] % buckets) * WAYS
        oldest = first
        for place in range(first + 1, first + WAYS):
            if used[place] < used[oldest]:
                oldest = place
        kept[oldest, 0], kept[oldest, 1] = keys[i, 0], keys[i, 1]
        used[oldest] = clock
        kept_logits[oldest, :] = logits[i, :]
        kept_values[oldest] = values[i]
