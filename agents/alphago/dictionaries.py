"""Dictionaries of 64-bit codes for kernels: open addressing in two flat arrays, at most half full."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.kernel import kernel

U = np.uint64
ONE, SPREAD, DOWN = U(1), U(0x9E3779B97F4A7C15), U(24)


class Dictionary(NamedTuple):
    """`slots` uint64 [2^k]: code + 1, or 0 where free; `values` int32 [2^k], what belongs to the code."""

    slots: NDArray[np.uint64]
    values: NDArray[np.int32]


def dictionary(codes: NDArray[np.uint64], values: NDArray[np.int32]) -> Dictionary:
    """A dictionary of `codes` [n], all different and below 2^64 - 1, with a value each [n]."""
    size = 1 << max(2, (2 * len(codes)).bit_length())
    made = Dictionary(np.zeros(size, np.uint64), np.zeros(size, np.int32))
    fill_dictionary(np.ascontiguousarray(codes), np.ascontiguousarray(values, np.int32), *made)
    return made


@kernel
def slot_of(slots, code):
    """Where the code stands, or the free slot where it would."""
    mask = U(slots.shape[0]) - ONE
    i = ((code * SPREAD) >> DOWN) & mask
    while slots[i] != U(0) and slots[i] != code + ONE:
        i = (i + ONE) & mask
    return i


@kernel
def find(slots, values, code):
    """The value of a code, 0 if it is not there."""
    return values[slot_of(slots, code)]


@kernel
def fill_dictionary(codes, given, slots, values):
    """Enter all codes."""
    for k in range(codes.shape[0]):
        i = slot_of(slots, codes[k])
        slots[i] = codes[k] + ONE
        values[i] = given[k]
