"""Stores of the format before the comments of moves were kept."""

import json
import sqlite3
from hashlib import sha256

import pytest

from sakiyomi.arena import Pairing, Played, Termination
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.arena.store import COLUMNS, Row, Store
from sakiyomi.sgf import Record


def row(number, comments, detail=""):
    record = Record("tictactoe", ("a1", "b2"), None, "1-0", "resignation", ("a", "b"), {}, comments)
    played = Played(record, Termination.RESIGNATION, detail, (0.5, 0.25))
    return Row(Pairing(number, "a", "b", Opening(), 1), played, "2026-01-01T00:00:00", "2026-01-01T00:00:01")


@pytest.fixture
def old(tmp_path):
    """A store of format 2 with one game."""
    path = tmp_path / "old.sqlite"
    with Store.create(path, {"games": 1}) as store:
        store.add(row(1, {2: "b: gave up"}, "b: gave up"))
    with sqlite3.connect(path) as database:
        values = database.execute(f"SELECT {COLUMNS} FROM games").fetchone()
        checksum = sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()
        database.execute("UPDATE games SET checksum = ?", (checksum,))
        database.execute("ALTER TABLE games DROP COLUMN comments")
        database.execute("PRAGMA user_version = 2")
    return path


def test_an_old_store_is_read_as_it_is(old):
    with Store.open(old) as store:
        assert list(store.rows()) == [row(1, {2: "b: gave up"}, "b: gave up")]
    with sqlite3.connect(old) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)


def test_writing_renews_it(old):
    with Store.open(old, writing=True) as store:
        store.add(row(2, {1: "[%emt 0:00:00.500]"}))
    with Store.open(old) as store:
        first, second = store.rows()
    assert first.played.record.comments == {2: "b: gave up"}
    assert second.played.record.comments == {1: "[%emt 0:00:00.500]"}


def test_a_changed_comment_is_damage(tmp_path):
    path = tmp_path / "new.sqlite"
    with Store.create(path, {}) as store:
        store.add(row(1, {1: "[%clk 0:01:00.000]"}))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE games SET comments = replace(comments, '1:00', '2:00')")
    with Store.open(path) as store, pytest.raises(Exception, match="checksum"):
        list(store.rows())
