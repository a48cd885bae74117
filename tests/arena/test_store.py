"""The database of a tournament: what goes in comes out, and whatever is wrong with the file is one clear line."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sakiyomi.arena import Pairing, Played, Termination
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.arena.store import Row, Store, StoreError, is_database
from sakiyomi.sgf.record import Record

CONFIG = {"game": "tictactoe", "players": [["b", "uct:3"], ["a", "random"]], "seed": 7, "openings": ["b2 a1"]}


def row(number=1, moves=("b2", "a1"), detail="", termination=Termination.NORMAL, names=("b", "a")):
    comments = {len(moves): detail} if detail else {}
    record = Record("tictactoe", moves, None, "1-0", "line", names, {"komi": "7.5"}, comments)
    played = Played(record, termination, detail, (0.25, 1.5))
    times = ("2026-01-02T03:04:05.678+00:00", "2026-01-02T03:05:05.678+00:00")
    return Row(Pairing(number, *names, Opening(moves[:1]), (number + 1) // 2), played, *times)


words = st.text(st.characters(exclude_categories=("Cs", "Z", "C")), min_size=1, max_size=8)


@given(
    st.lists(words, max_size=20).map(tuple),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30),
    st.sampled_from(Termination),
    words,
)
@settings(max_examples=40, deadline=None)
def test_a_row_comes_back_as_it_was(moves, detail, termination, name):
    with Store.create(None, CONFIG) as store:
        stored = [row(number, moves, detail, termination, (name, "a")) for number in (3, 1)]
        for each in stored:
            store.add(each)
        assert list(store.rows()) == stored[::-1]


def test_a_file_is_reopened_with_its_configuration(tmp_path):
    path = tmp_path / "tournament.sqlite"
    with Store.create(path, CONFIG) as store:
        store.add(row())
    assert is_database(path)
    assert sorted(os.listdir(tmp_path)) == ["tournament.sqlite"]
    with Store.open(path) as store:
        assert store.config == CONFIG
        assert list(store.rows()) == [row()]


def test_no_game_is_stored_twice(tmp_path):
    with Store.create(tmp_path / "t.sqlite", CONFIG) as store:
        store.add(row())
        with pytest.raises(StoreError, match="stored already"):
            store.add(row())
        assert len(list(store.rows())) == 1


def test_others_read_while_a_tournament_writes(tmp_path):
    path = tmp_path / "t.sqlite"
    with Store.create(path, CONFIG) as writing:
        for number in (1, 2, 3):
            writing.add(row(number))
            with Store.open(path) as reading:
                assert len(list(reading.rows())) == number


def test_a_closed_file_can_be_read_from_a_medium_that_cannot_be_written(tmp_path):
    path = tmp_path / "t.sqlite"
    with Store.create(path, CONFIG) as store:
        store.add(row())
    assert path.read_bytes()[18:20] == b"\1\1"  # file format: a rollback journal, no write-ahead log
    assert os.listdir(tmp_path) == ["t.sqlite"]


def test_an_existing_file_is_never_overwritten(tmp_path):
    path = tmp_path / "t.sqlite"
    path.write_text("precious")
    with pytest.raises(StoreError, match="exists already"):
        Store.create(path, CONFIG)
    assert path.read_text() == "precious"


def test_a_missing_file(tmp_path):
    with pytest.raises(StoreError, match="no such tournament"):
        Store.open(tmp_path / "t.sqlite")
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_tournament(tmp_path):
    text = tmp_path / "text"
    text.write_text("this is no database, " * 100)
    with pytest.raises(StoreError, match=r"is damaged .*not a database"):
        Store.open(text)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE x (y)")
    connection.close()
    with pytest.raises(StoreError, match="not of a sakiyomi tournament"):
        Store.open(other)


def filled(path, games=200):
    with Store.create(path, CONFIG) as store:
        for number in range(1, games + 1):
            store.add(row(number))


def test_damage_is_told_wherever_it_is(tmp_path):
    path = tmp_path / "t.sqlite"
    filled(path)
    whole = path.read_bytes()
    pages = range(0, len(whole), 4096)
    messages = []
    for start in pages:
        path.write_bytes(whole[:start] + b"\xa5" * 1024 + whole[start + 1024 :])
        messages.append(message_of(path))
    assert all(message.startswith(str(path)) and "\n" not in message for message in messages)
    assert len(pages) > 10


def message_of(path):
    with pytest.raises(StoreError) as caught:
        read_all(path)
    return str(caught.value)


def read_all(path):
    with Store.open(path) as store:
        return store.config, list(store.rows())


@pytest.mark.parametrize("size", [0, 50, 5000])
def test_a_file_cut_short(tmp_path, size):
    path = tmp_path / "t.sqlite"
    filled(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(StoreError, match=r"damaged|not of a sakiyomi"):
        read_all(path)


def test_a_changed_configuration_is_noticed(tmp_path):
    path = tmp_path / "t.sqlite"
    filled(path, 1)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE tournament SET config = replace(config, 'uct:3', 'uct:4')")
    connection.close()
    with Store.open(path) as store, pytest.raises(StoreError, match="does not match its hash"):
        _ = store.config


@pytest.mark.parametrize(
    "change",
    [
        "tags = 5",
        "tags = '[]'",
        "first_seconds = 'soon'",
        "second_seconds = 9.0",
        "result = '0-1'",
        "moves = X'ff'",
        "moves = 'b2'",
        "number = 9",
        "termination = 'because'",
        "checksum = ''",
    ],
)
def test_a_changed_game_is_noticed(tmp_path, change):
    path = tmp_path / "t.sqlite"
    filled(path, 3)
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE games SET {change} WHERE number = 3")
    connection.close()
    number = 9 if "number" in change else 3
    assert f"{path} is damaged (game {number} does not match its checksum); restore" in message_of(path)


@pytest.mark.parametrize(
    "statement", ["DROP TABLE games", "DROP TABLE tournament", "DELETE FROM tournament", "ALTER TABLE games DROP tags"]
)
def test_missing_parts_are_damage(tmp_path, statement):
    path = tmp_path / "t.sqlite"
    filled(path, 1)
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    assert f"{path} is damaged (" in message_of(path)


def test_a_full_disk_is_told_and_what_was_stored_stays(tmp_path):
    path = tmp_path / "t.sqlite"
    store = Store.create(path, CONFIG)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill():
        for number in range(1, 10_000):
            store.add(row(number))

    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
        with pytest.raises(StoreError, match=r"t\.sqlite: cannot be written .*is the disk full\?"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    stored = len(list(store.rows()))
    store.close()
    assert 10 < stored < 10_000
    with Store.open(path) as reading:
        assert [each.pairing.number for each in reading.rows()] == list(range(1, stored + 1))


def test_no_room_to_begin_leaves_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        with pytest.raises(StoreError, match="cannot be written"):
            Store.create(tmp_path / "t.sqlite", CONFIG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert not list(tmp_path.iterdir())


def test_the_database_is_readable_by_others(tmp_path):
    """What a person with the sqlite3 program sees."""
    path = tmp_path / "t.sqlite"
    filled(path, 2)
    query = "SELECT number, first, second, result, moves FROM games ORDER BY number"
    code = f"import sqlite3; print(sqlite3.connect({str(path)!r}).execute({query!r}).fetchall())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[(1, 'b', 'a', '1-0', 'b2 a1'), (2, 'b', 'a', '1-0', 'b2 a1')]"
