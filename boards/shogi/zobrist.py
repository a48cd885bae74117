"""Zobrist keys (Zobrist 1970): one 64-bit number for each piece on each square, each count in each hand, and White."""

import numpy as np
from numpy.typing import NDArray

U = np.uint64

# Index of a piece's key: mail entry * 81 + square; of a hand's: (side * 8 + kind) * 32 + count.
HAND_KEYS = U(32 * 81)
_WHITE = 32 * 81 + 2 * 8 * 32


def _keys() -> NDArray[np.uint64]:
    keys = np.random.Generator(np.random.PCG64(0x5406)).integers(1, 1 << 64, size=_WHITE + 1, dtype=np.uint64)
    assert len(set(keys.tolist())) == len(keys)
    keys[int(HAND_KEYS) : _WHITE : 32] = 0  # nothing of a kind in hand
    keys.setflags(write=False)
    return keys


ZOBRIST = _keys()
WHITE_KEY = ZOBRIST[_WHITE]
"""White to move."""
