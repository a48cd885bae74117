"""Time management of engines: whole games against the clock, simulated."""

import random

import pytest

from sakiyomi.boards.clock import LEAST, Clock, seconds_of

OVERHEAD = 0.02


def left_after(moves, start, increment=0.0, control=0, lag=0.008, seed=0):
    """The smallest amount left on a clock of `start` seconds, `control` moves to each time control (0: none).

    Every move costs what the clock grants, and a lag of `lag` seconds on the average, now and then five times as much.
    """
    rng, left, least = random.Random(seed), start, start
    for ply in range(moves):
        to_go = control - ply % control if control else None
        left -= Clock(left, increment, to_go).seconds(OVERHEAD)
        left -= lag * (5 if rng.random() < 0.02 else rng.uniform(0.5, 1.4))
        least = min(least, left)
        left += increment
        if to_go == 1:
            left += start
    return least


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("start", "increment", "control", "moves"),
    [
        (1, 0.01, 0, 400),
        (0.3, 0.01, 0, 400),
        (1, 0.1, 0, 400),
        (10, 0.1, 0, 400),
        (5, 0, 0, 100),
        (60, 0, 0, 200),
        (900, 10, 0, 400),
        (1, 0, 20, 200),
        (5, 0, 40, 200),
        (300, 2, 40, 200),
        (1, 0.1, 1, 200),
    ],
)
def test_no_game_is_lost_on_time(start, increment, control, moves, seed):
    assert left_after(moves, start, increment, control, seed=seed) > 0


@pytest.mark.parametrize(("start", "increment"), [(1, 0.01), (10, 0.1), (180, 2)])
def test_with_increments_a_reserve_is_kept(start, increment):
    assert left_after(400, start, increment) > 5 * increment


def test_the_time_is_used():
    """Of five minutes with three seconds a move two thirds are spent after 40 moves, with control at 40 nearly all."""
    for control, most in ((0, 100), (40, 4)):
        left = 300.0
        for move in range(40):
            left -= Clock(left, 3, control - move if control else None).seconds(0.02)
            left += 3 if move < 39 else 0
        assert 0 < left < most


def test_some_of_the_clock_is_always_kept():
    assert Clock(10, 60, 2).seconds(0.02) == 8
    assert Clock(10, 60, 1).seconds(0.02) == 9.5
    assert Clock(10, 60).seconds(0.02) == 8
    assert Clock(0.1, 0, 1).seconds(0.02) == pytest.approx(0.08)


@pytest.mark.parametrize("left", [-3.0, 0.0, 0.0005])
def test_a_clock_that_is_down_leaves_the_least(left):
    for to_go in (None, 1, 9):
        assert Clock(left, 0.0, to_go).seconds(0.02) == LEAST


def test_an_overhead_set_too_high_does_not_paralyse():
    assert Clock(60).seconds(5) == 0.2
    assert Clock(60, 0, 1).seconds(90) == 6
    assert seconds_of(0.01, 0.02) == 0.005
    assert seconds_of(1, 0.02) == 0.98
    assert seconds_of(0, 0.02) == LEAST
