"""Random numbers for kernels: one uint64 state per row, so that a row's games do not depend on its neighbours.

The generator is splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
the state is a counter, so any seed is good and rows never get stuck.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards import rows
from sakiyomi.boards.kernel import kernel

U = np.uint64
GAMMA = U(0x9E3779B97F4A7C15)
_MIX1 = U(0xBF58476D1CE4E5B9)
_MIX2 = U(0x94D049BB133111EB)

_config: Any = numba.config
if _config.DISABLE_JIT:
    np.seterr(over="ignore")  # words wrap around on purpose; only NumPy's scalars warn of it


def seeds(rng: np.random.Generator, rows: int) -> NDArray[np.uint64]:
    """One fresh kernel state per row, [rows], drawn from `rng`."""
    return rng.integers(0, 1 << 64, size=rows, dtype=np.uint64)


def pick(legal: NDArray[np.bool_], rng: NDArray[np.uint64]) -> NDArray[np.int64]:
    """[B], for each row of `legal` [B, A] one of its legal actions, all alike likely; `rng` [B] moves on.

    In a row without any, action 0.
    """
    picked = np.zeros(len(legal), np.int64)
    rows.run(pick_rows, len(legal), 256, np.require(legal, np.bool_, ["C", "W"]), rng, picked)
    return picked


@kernel
def pick_rows(start, stop, legal, rng, picked):
    """Draw ``below(mix(state), count)`` among the legal actions of each row, in ascending order."""
    for i in range(start, stop):
        count = U(0)
        for a in range(legal.shape[1]):
            count += U(legal[i, a])
        skip = below(mix(rng[i]), count)
        rng[i] += GAMMA
        for a in range(legal.shape[1]):
            if legal[i, a]:
                if skip == U(0):
                    picked[i] = a
                    break
                skip -= U(1)


@kernel
def mix(state):
    """The uint64 that belongs to counter `state`; the next counter is ``state + GAMMA``."""
    z = (state ^ (state >> U(30))) * _MIX1
    z = (z ^ (z >> U(27))) * _MIX2
    return z ^ (z >> U(31))


@kernel
def below(word, n):
    """A number in 0..n-1 from the high half of the uint64 `word` (n < 2**32; bias under n / 2**32)."""
    return ((word >> U(32)) * n) >> U(32)
