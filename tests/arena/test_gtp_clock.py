"""How a GTP engine shares out its time."""

import pytest

from sakiyomi.arena.serving.gtp_clock import LAG, LEAST, SHARE, Clock


def think(share: float) -> float:
    return pytest.approx(share * SHARE - LAG)


def test_no_limit():
    assert Clock().seconds(30) is None
    assert Clock(100, 30, 0).seconds(30) is None  # overtime without stones (GTP 2, 4.2)


def test_absolute_time_is_shared_out():
    clock = Clock(60, 0, 0)
    assert clock.seconds(30) == think(2)
    clock.spend(30)
    assert clock.seconds(30) == think(1)
    clock.spend(40)
    assert clock.seconds(30) == LEAST
    assert Clock(0, 0, 0).seconds(30) == LEAST


def test_canadian_overtime():
    clock = Clock(0, 50, 5)
    assert clock.seconds(30) == think(10)
    for _ in range(4):
        clock.spend(2)
    assert clock.seconds(30) == think(42)
    clock.spend(30)
    assert clock.seconds(30) == think(10)  # the next period
    clock.tell(6, 3)
    assert clock.seconds(30) == think(2)


def test_main_time_is_not_saved_where_overtime_follows():
    clock = Clock(60, 50, 5)
    assert clock.seconds(30) == think(10)
    clock.spend(59)
    assert clock.seconds(30) == think(10)
    clock.spend(2)
    assert clock.seconds(10) == think(10)


def test_byo_yomi():
    clock = Clock(20, 10, 3, canadian=False)
    assert clock.seconds(40) == think(10)
    clock.spend(25)
    assert clock.seconds(40) == think(10)
    clock.spend(9)
    assert clock.seconds(40) == think(10)
    clock.tell(4, 1)
    assert clock.seconds(40) == think(4)
