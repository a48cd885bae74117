"""CMA-ES: it climbs, goes on as it would have, and tells of its mean."""

import sys

import numpy as np
import pytest

from sakiyomi.agents.parts.vmc.evolution import Evolution

GOAL = np.array([0.5, -0.3, 0.2])


def fitness(candidates):
    return -((candidates - GOAL) ** 2 * [1.0, 10.0, 3.0]).sum(axis=1)


def begin(seed=1, **more):
    pytest.importorskip("cmaes")
    return Evolution(np.zeros(3), deviation=0.1, population=8, seed=seed, **more)


def go(search, generations):
    for _ in range(generations):
        candidates = search.ask()
        search.tell(candidates, fitness(candidates))


@pytest.mark.parametrize("diagonal", [False, True])
def test_it_climbs(diagonal):
    search = begin(diagonal=diagonal)
    go(search, 50)
    assert search.generation == 50
    assert search.mean == pytest.approx(GOAL, abs=0.02)


def test_candidates_stay_until_they_are_told():
    search = begin()
    first = search.ask()
    assert (search.ask() == first).all()
    assert first.shape == (8, 3)
    search.tell(first, fitness(first))
    assert not np.isin(search.ask(), first).any()
    assert (begin().ask() == first).all()
    assert not (begin(seed=2).ask() == first).any()


@pytest.mark.parametrize("diagonal", [False, True])
def test_a_search_that_was_saved_goes_on_as_it_would_have(tmp_path, diagonal):
    whole, parts = begin(diagonal=diagonal), begin(diagonal=diagonal)
    go(whole, 12)
    go(parts, 5)
    parts.save(tmp_path / "search")
    other = begin(seed=7, diagonal=diagonal)
    other.load(tmp_path / "search")
    go(other, 7)
    assert (other.mean == whole.mean).all()
    assert (other.ask() == whole.ask()).all()
    small = Evolution(np.zeros(2), deviation=0.1, population=8, seed=1, diagonal=diagonal)
    with pytest.raises(ValueError, match="searches for 3 numbers, wanted are 2"):
        small.load(tmp_path / "search")


def test_it_begins_anew_elsewhere():
    search = begin()
    go(search, 3)
    search.restart(np.ones(3), seed=4)
    assert search.generation == 0
    assert search.mean.tolist() == [1.0, 1.0, 1.0]
    assert search.ask() == pytest.approx(1.0, abs=0.6)


def test_the_mean_is_better_than_the_luckiest():
    """Under noise the best candidate is mostly the luckiest one."""
    search, chance = begin(), np.random.default_rng(0)
    for _ in range(60):
        candidates = search.ask()
        noisy = fitness(candidates) + 0.3 * chance.standard_normal(8)
        luckiest = candidates[noisy.argmax()]
        search.tell(candidates, noisy)
    assert fitness(search.mean[None]) > fitness(luckiest[None])


def test_errors():
    search = begin()
    candidates, wrong = search.ask(), np.zeros(8)
    wrong[5] = np.nan
    with pytest.raises(ValueError, match="generation 0: the fitness of candidate 5 is nan"):
        search.tell(candidates, wrong)
    for settings in ({"population": 1, "deviation": 0.1}, {"population": 8, "deviation": 0.0}):
        with pytest.raises(ValueError, match="population must be 2 or more, deviation over 0"):
            Evolution(np.zeros(3), seed=1, **settings)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(ModuleNotFoundError, match="CMA-ES needs the package cmaes: pip install"):
        Evolution(np.zeros(3), deviation=0.1, population=8, seed=1)
