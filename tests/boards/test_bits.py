"""Bit operations against Python's integers, at the edges where Numba's integer types go wrong."""

import numpy as np
import pytest

from sakiyomi.boards import bits
from sakiyomi.boards.random import GAMMA, below, mix, pick, seeds

WORDS = [
    0,
    1,
    2,
    3,
    1 << 31,
    1 << 32,
    1 << 62,
    1 << 63,
    (1 << 63) | 1,
    (1 << 64) - 1,
    0xAAAAAAAAAAAAAAAA,
    0x8000000100000000,
]


@pytest.mark.parametrize("word", WORDS)
def test_bits_like_python_integers(word):
    board = np.uint64(word)
    assert bits.popcount(board) == word.bit_count()
    assert bits.lsb(board) == ((word & -word).bit_length() - 1 if word else 64)
    assert bits.without_lsb(board) == word & (word - 1) % (1 << 64)
    for index in (0, 1, 31, 32, 62, 63):
        assert bits.test(board, np.uint64(index)) == bool(word >> index & 1)
        assert bits.bit(np.uint64(index)) == 1 << index


def test_results_stay_unsigned():
    """A right shift of the highest bit must not drag copies of it along."""
    top = np.uint64(1 << 63)
    assert bits.without_lsb(top | np.uint64(1)) >> 1 == 1 << 62
    assert bits.bit(np.uint64(63)) >> 62 == 2


def test_mix_is_splitmix64():
    """The first outputs for seed 1234567, as published with the reference implementation by Vigna."""
    state, words = np.uint64(1234567), []
    with np.errstate(over="ignore"):
        for _ in range(5):
            state += GAMMA
            words.append(int(mix(state)))
    assert words == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_below_covers_its_range_evenly():
    words = seeds(np.random.default_rng(0), 7000)
    counts = np.bincount([int(below(np.uint64(mix(word)), np.uint64(7))) for word in words])
    assert len(counts) == 7
    assert np.all(abs(counts - 1000) < 5 * np.sqrt(1000))


def test_pick_draws_as_kernels_do():
    rng = np.random.default_rng(1)
    legal = rng.random((200, 9)) < 0.4
    counters = seeds(rng, 200)
    before = counters.copy()
    picked = pick(legal, counters)
    with np.errstate(over="ignore"):
        assert np.all(counters == before + GAMMA)
    for row, action in enumerate(picked):
        actions = np.flatnonzero(legal[row])
        if actions.size:
            assert action == actions[int(below(np.uint64(mix(before[row])), np.uint64(actions.size)))]
        else:
            assert action == 0
