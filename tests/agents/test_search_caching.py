"""The evaluation cache changes nothing but the number of evaluations."""

import numpy as np
import pytest

from sakiyomi.agents.parts.search import RulesModel, Search
from sakiyomi.agents.parts.search.caching import WAYS, CachedEvaluate, hash_rows
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.tictactoe import TicTacToe


class Counted:
    """An evaluation by a hash of the observation, row by row the same in any batch, which counts what it sees."""

    def __init__(self, game, seed=0):
        rng = np.random.default_rng(seed)
        self.weights = rng.normal(size=(int(np.prod(game.planes)), game.num_actions + 1))
        self.batches = []

    def __call__(self, observations):
        self.batches.append(len(observations))
        flat = observations.reshape(len(observations), -1)
        outputs = np.stack([np.sin((row[:, None] * self.weights).sum(0) + 1) for row in flat])
        return outputs[:, :-1].astype(np.float32), outputs[:, -1].astype(np.float32)


@pytest.mark.parametrize("make", [TicTacToe, ConnectFour], ids=["tictactoe", "connect four"])
@pytest.mark.parametrize("entries", [16, 1 << 12])
def test_searches_are_equal_with_and_without(make, entries):
    """A cache that is much too small forgets, and is still right."""
    game = make()
    found = []
    plain, counted = Counted(game), Counted(game)
    cached = CachedEvaluate(counted, game.num_actions, entries)
    for evaluate in (plain, cached):
        search = Search(RulesModel(game, evaluate, 6), 6, 200, rng=np.random.default_rng(0))
        found.append(search.run(200))
    assert np.array_equal(found[0].visits, found[1].visits)
    assert np.array_equal(found[0].values, found[1].values)
    assert cached.asked == sum(plain.batches)
    assert cached.asked - cached.hits == sum(counted.batches)
    assert cached.hits > 0.3 * cached.asked  # six like searches, and transpositions


def test_equal_observations_of_a_batch_are_evaluated_once():
    game = TicTacToe()
    counted = Counted(game)
    cached = CachedEvaluate(counted, 9)
    rng = np.random.default_rng(0)
    distinct = rng.integers(0, 2, (5, *game.planes)).astype(np.float32)
    batch = distinct[[3, 1, 3, 0, 1, 4, 2, 3]]
    logits, values = cached(batch)
    assert counted.batches == [5]
    wanted = Counted(game)(batch)
    assert np.array_equal(logits, wanted[0])
    assert np.array_equal(values, wanted[1])
    again = cached(batch[::-1])
    assert counted.batches == [5]
    assert np.array_equal(again[0], logits[::-1])
    assert (cached.asked, cached.hits) == (16, 11)


def test_what_is_returned_may_be_written_to():
    game = TicTacToe()
    cached = CachedEvaluate(Counted(game), 9)
    batch = game.observe(game.new(1))
    first = cached(batch)[0].copy()
    cached(batch)[0][:] = 7
    assert np.array_equal(cached(batch)[0], first)


def test_a_cleared_cache_asks_the_new_network():
    game = TicTacToe()
    cached = CachedEvaluate(Counted(game), 9)
    batch = np.ones((1, *game.planes), np.float32)
    old = cached(batch)[1]
    cached.evaluate = Counted(game, seed=1)
    assert np.array_equal(cached(batch)[1], old)
    cached.clear()
    assert np.array_equal(cached(batch)[1], Counted(game, seed=1)(batch)[1])
    assert cached(batch)[1] != old


def test_a_full_cache_forgets_what_was_asked_for_longest_ago():
    """One bucket: of as many entries as it has ways, the one not asked for again gives way."""
    game = TicTacToe()
    counted = Counted(game)
    cached = CachedEvaluate(counted, 9, entries=WAYS)
    rows = np.random.default_rng(0).normal(size=(WAYS + 1, 1, *game.planes)).astype(np.float32)
    for row in rows[:WAYS]:
        cached(row)
    for i in range(WAYS):
        if i != 2:
            cached(rows[i])
    assert sum(counted.batches) == WAYS
    cached(rows[WAYS])  # takes the place of 2
    for i in range(WAYS):
        cached(rows[i]) if i != 2 else None
    assert sum(counted.batches) == WAYS + 1
    cached(rows[2])
    assert sum(counted.batches) == WAYS + 2


def test_hashes_tell_observations_apart():
    """Half the bits of both words change with any one bit; order and place count."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 1 << 32, (1, 20), np.uint32)
    changed = np.repeat(words, 20 * 32 + 1, axis=0)
    for bit in range(20 * 32):
        changed[bit + 1, bit // 32] ^= np.uint32(1 << bit % 32)
    keys = np.empty((len(changed), 2), np.uint64)
    hash_rows(changed, keys)
    assert len(np.unique(keys[:, 0])) == len(np.unique(keys[:, 1])) == len(changed)
    flips = np.bitwise_count(keys[1:] ^ keys[0])
    assert np.abs(flips.mean(0) - 32).max() < 1
    assert flips.min() > 10
    same = keys.copy()
    hash_rows(changed, keys)
    assert np.array_equal(same, keys)


def test_no_room_is_refused():
    with pytest.raises(ValueError, match="1 entry or more, got 0"):
        CachedEvaluate(Counted(TicTacToe()), 9, entries=0)
