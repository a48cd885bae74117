"""Zobrist keys: one 64-bit number for each thing that makes positions different (Zobrist 1970).

Squares and colours are real ones here, not the mover's. A queen has the keys of both boards that she stands on.
"""

import numpy as np
from numpy.typing import NDArray

U = np.uint64

# Index of a piece's key: (square * 2 + colour) * 8 + board, boards as in `state`: 0 pawns ... 4 kings.
_PIECES = 64 * 2 * 8
CASTLING_KEYS = U(_PIECES)  # + the rook's square
EP_KEYS = U(_PIECES + 64)  # + the square
BLACK_KEY_INDEX = _PIECES + 128


def _keys() -> NDArray[np.uint64]:
    keys = np.random.Generator(np.random.PCG64(0xC4E55)).integers(1, 1 << 64, size=_PIECES + 129, dtype=np.uint64)
    assert len(set(keys.tolist())) == len(keys)
    keys.setflags(write=False)
    return keys


ZOBRIST = _keys()
BLACK_KEY = ZOBRIST[BLACK_KEY_INDEX]
"""Black to move."""
