"""Episodes on disk: what comes back, and what damage is noticed."""

import sqlite3

import pytest

from sakiyomi.arena.match import Termination
from sakiyomi.arena.store import Store, StoreError
from sakiyomi.arena.tasks.config import task_config_of
from sakiyomi.arena.tasks.episodes import Episode, Outcome
from sakiyomi.arena.tasks.store import EpisodeRow, EpisodeStore, holds_tasks

pytest.importorskip("gymnasium")

CONFIG = {"tasks": ["pendulum"], "players": [["zero", "zero"]], "games": 2, "seed": 0, "scales": {}}
WHOLE = Outcome(-0.1, 40, 0.25, Termination.NORMAL, "truncated")
FAILED = Outcome(3.0, 7, 0.5, Termination.CRASH, "crash", "zero: ValueError: née")
ROWS = [
    EpisodeRow(Episode(1, "pendulum", "zero", 1, 77), WHOLE, "2026-01-01T00:00:00.000+00:00", "2026-01-01T00:00:01"),
    EpisodeRow(Episode(2, "pendulum", "zero", 2, 78), FAILED, "2026-01-01T00:00:01.000+00:00", "2026-01-01T00:00:02"),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "tournament.sqlite"
    with EpisodeStore.create(path, CONFIG) as store:
        for row in ROWS:
            store.add(row)
    return path


def test_rows_come_back_as_they_were(path):
    with EpisodeStore.open(path) as store:
        assert list(store.rows()) == ROWS
        assert store.count == 2
        assert task_config_of(store) == CONFIG


def test_nothing_is_stored_twice(path):
    with EpisodeStore.open(path, writing=True) as store:
        with pytest.raises(StoreError, match="stored already"):
            store.add(ROWS[0])
        store.remove(ROWS[0].episode)
        assert list(store.rows()) == ROWS[1:]
        store.add(ROWS[0])
        assert store.count == 2


@pytest.mark.parametrize("column", ["total = 9", "seed = 1", "detail = 'none'", "termination = 'normal'"])
def test_a_changed_value_is_noticed(path, column):
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE episodes SET {column} WHERE run = 2")
    connection.close()
    with EpisodeStore.open(path) as store, pytest.raises(StoreError, match="does not match its checksum"):
        list(store.rows())


@pytest.mark.parametrize(
    "change", [{"tasks": 3}, {"players": [["a"]]}, {"seed": None}, {"games": "2"}, {"scales": {"pendulum": [0]}}]
)
def test_a_configuration_of_another_shape_is_damage(path, change):
    with EpisodeStore.open(path, writing=True) as store:
        store.set_config(CONFIG | change)
        with pytest.raises(StoreError, match=r"is damaged .its configuration has no proper"):
            task_config_of(store)


def test_games_and_tasks_are_told_apart(path, tmp_path):
    with pytest.raises(StoreError, match="not of a sakiyomi tournament"):
        Store.open(path)
    games = tmp_path / "games.sqlite"
    Store.create(games, {}).close()
    with pytest.raises(StoreError, match="not of a sakiyomi tournament of tasks"):
        EpisodeStore.open(games)
    assert holds_tasks(path)
    assert holds_tasks(tmp_path)
    assert not holds_tasks(games)
    assert not holds_tasks(tmp_path / "nothing")
