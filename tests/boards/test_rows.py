"""Slices of a batch on threads: all rows once, whatever the number of threads, in a forked child too."""

import multiprocessing
import threading

import numpy as np
import pytest

from sakiyomi.boards import rows
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.random import seeds


@pytest.fixture(autouse=True)
def _same_threads_after():
    before = rows._threads
    yield
    rows.set_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 99, 100, 101, 1000])
def test_every_row_once(threads, count):
    rows.set_threads(threads)
    done, slices = np.zeros(count, np.int64), []

    def entry(start, stop, out):
        slices.append((start, stop))
        out[start:stop] += 1

    rows.run(entry, count, 100, done)
    assert np.all(done == 1)
    assert len(slices) <= threads
    assert len(slices) == 1 or count > 100


def test_slices_run_at_the_same_time():
    """Each waits for the other, so one thread alone would never get through."""
    rows.set_threads(2)
    meeting = threading.Barrier(2, timeout=20)
    rows.run(lambda start, stop: meeting.wait() and None, 2, 1)
    assert not meeting.broken


def test_errors_come_back():
    rows.set_threads(2)

    def entry(start, stop):
        if stop == 4:
            raise ZeroDivisionError("row 3")

    with pytest.raises(ZeroDivisionError, match="row 3"):
        rows.run(entry, 4, 1)


def test_big_batches_give_the_same_on_any_number_of_threads():
    game, batch = ConnectFour(), 10_000
    start = seeds(np.random.default_rng(0), batch)
    found = []
    for threads in (1, 2, 3):
        rows.set_threads(threads)
        states, words = game.new(batch), start.copy()
        for column in (3, 3, 0):
            game.play(states, np.full(batch, column))
        found.append((states, game.legal(states), game.rollout(states, words), words))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def _child(queue):
    rows.set_threads(2)
    game = ConnectFour()
    queue.put(float(game.rollout(game.new(2000), seeds(np.random.default_rng(0), 2000)).sum()))


def test_forked_children_have_their_own_threads():
    """A child does not wait for threads that only its parent has."""
    rows.set_threads(2)
    game = ConnectFour()
    expected = float(game.rollout(game.new(2000), seeds(np.random.default_rng(0), 2000)).sum())
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(queue,))
    child.start()
    try:
        assert queue.get(timeout=60) == expected
    finally:
        child.join(10)


def test_settings():
    with pytest.raises(ValueError, match="0 or more, got -1"):
        rows.set_threads(-1)
    rows.set_threads(5)
    assert rows.threads() == 5
    rows.set_threads(0)
    assert rows.threads() >= 1
