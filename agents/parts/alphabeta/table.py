"""The transposition table of a search: what earlier visits of a position found.

``table`` is uint64 [4 * buckets], the number of buckets a power of two. Two pairs (key, entry) share a bucket: the
first is kept for its depth, the second always replaced. An entry is the best move at bits 0..15, the depth at 16..23,
the bound at 24..25, the value + 32768 at 32..47, and the age, the number of the search that wrote it, at 48..55.
Values of mates are counted from the position, not from the root (A. Zobrist, 1970; D. Slate and L. Atkin, 1977).
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.kernel import kernel

MATE = 32_000
WON = MATE - 1000  # values beyond are forced mates
EXACT, LOWER, UPPER = U(1), U(2), U(3)  # bounds
MOVE_BITS = U(0xFFFF)
_TWO, _THREE = U(2), U(3)
_BIAS = 1 << 15


@kernel
def probe(table, key):
    """The entry of `key`, or 0."""
    bucket = (key & (U(len(table) >> 2) - ONE)) << 2
    if table[bucket] == key:
        return table[bucket + ONE]
    if table[bucket + _TWO] == key:
        return table[bucket + _THREE]
    return ZERO


@kernel
def store(table, key, move, depth, bound, value, ply, age):
    """Enter a position; mates are counted from it, not from the root."""
    if value > WON:
        value += np.int64(ply)
    elif value < -WON:
        value -= np.int64(ply)
    entry = move | (U(depth) << 16) | (bound << 24) | (U(value + _BIAS) << 32) | (age << 48)
    bucket = (key & (U(len(table) >> 2) - ONE)) << 2
    old = table[bucket + ONE]
    if table[bucket] != key and (old >> 48) == age and depth < depth_of(old):
        bucket += _TWO
    table[bucket] = key
    table[bucket + ONE] = entry


@kernel
def depth_of(entry):
    """The depth (int64) of a table entry."""
    return np.int64((entry >> 16) & U(0xFF))


@kernel
def value_of(entry, ply):
    """The value (int64) of a table entry as seen from the root, `ply` plies above it."""
    value = np.int64((entry >> 32) & MOVE_BITS) - _BIAS
    if value > WON:
        value -= np.int64(ply)
    elif value < -WON:
        value += np.int64(ply)
    return value


@kernel
def bound_of(entry):
    """EXACT, LOWER or UPPER."""
    return (entry >> 24) & _THREE
