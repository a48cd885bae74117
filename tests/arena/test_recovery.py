"""Damaged databases: every game that is still whole comes back, no other does, and the rest is played again."""

import random
import shutil

import pytest
from fakes import Dice

from sakiyomi.arena import Pairing, Played, Termination, Tournament
from sakiyomi.arena.recovery import recover, salvage
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.arena.store import Row, Store, StoreError
from sakiyomi.arena.tasks.store import EpisodeStore
from sakiyomi.sgf.record import Record

PAGE = 4096
CONFIG = {"game": "tictactoe", "players": [["b", "uct:3"], ["a", "random"]], "openings": ["b2 a1"] * 900}


def row(number, moves=9):
    text = tuple(f"m{ply}" for ply in range(moves))
    record = Record("tictactoe", text, None, "1-0", "line", ("b", "a"), {"komi": "7.5"}, {1: "who knows?"})
    played = Played(record, Termination.NORMAL, "", (0.0, 1.5))
    times = ("2026-01-02T03:04:05.678+00:00", "2026-01-02T03:05:05.678+00:00")
    return Row(Pairing(number, "b", "a", Opening(text[:1]), (number + 1) // 2), played, *times)


def filled(path, games=300, long=(7, 150)):
    """A store whose settings and long games need several pages each."""
    rows = {number: row(number, 4000 if number in long else 9) for number in range(1, games + 1)}
    with Store.create(path, CONFIG) as store:
        for each in rows.values():
            store.add(each)
    return rows


def test_all_games_of_a_sound_file_are_found(tmp_path):
    rows = filled(tmp_path / "t.sqlite")
    assert salvage(tmp_path / "t.sqlite") == (CONFIG, rows)


def test_games_that_are_in_the_log_alone_are_found(tmp_path):
    path = tmp_path / "t.sqlite"
    rows = filled(path, 50)
    with Store.open(path, writing=True) as store:
        for number in range(51, 120):
            rows[number] = row(number)
            store.add(rows[number])
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{tmp_path / 'copy'}{ending}")
    assert salvage(tmp_path / "copy") == (CONFIG, rows)


@pytest.mark.parametrize("damage", ["last page", "cut short", "a page in the middle", "the first page"])
def test_what_is_readable_is_kept(tmp_path, damage):
    path = tmp_path / "tournament.sqlite"
    rows = filled(path)
    data = path.read_bytes()
    count = len(data) // PAGE
    page = {"a page in the middle": count // 2, "the first page": 0}.get(damage, count - 1)
    whole = data[: page * PAGE]
    path.write_bytes(whole + b"" if damage == "cut short" else whole + b"\xa5" * PAGE + data[(page + 1) * PAGE :])
    broken = path.read_bytes()
    with pytest.raises(StoreError, match=r"damaged|not of a sakiyomi"), Store.open(path) as store:
        list(store.rows())
    done = recover(path)
    with Store.open(path) as store:
        kept = {each.pairing.number: each for each in store.rows()}
        assert store.config == CONFIG
    assert done.damaged.read_bytes() == broken
    assert done.kept == len(kept)
    # A page holds 17 such games at the most.
    assert len(rows) - 17 <= len(kept) < len(rows) + (damage == "the first page")
    assert all(rows[number] == each for number, each in kept.items())


def test_no_damage_brings_a_wrong_game(tmp_path):
    """Bytes changed anywhere cost the games that they belong to, and never change one."""
    path = tmp_path / "t.sqlite"
    rows = filled(path, 60)
    whole = path.read_bytes()
    rng = random.Random(1)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 10, 300))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        path.write_bytes(data)
        config, found = salvage(path)
        assert config in (CONFIG, None)
        assert all(rows[number] == each for number, each in found.items())


def test_lost_settings_are_told_and_nothing_is_changed(tmp_path):
    path = tmp_path / "t.sqlite"
    filled(path, 20)
    path.write_bytes(path.read_bytes().replace(b"uct:3", b"uct:4"))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="settings of the tournament cannot be read"):
        recover(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.sqlite"]


def test_tasks_are_left_as_they_are(tmp_path):
    path = tmp_path / "t.sqlite"
    EpisodeStore.create(path, {"tasks": ["cartpole-swingup"]}).close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="games alone can be recovered, and this is a tournament of tasks"):
        recover(path)
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="no such tournament"):
        recover(tmp_path / "other.sqlite")


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path):
    path = tmp_path / "t.sqlite"
    filled(path, 5, ())
    assert [recover(path).damaged.name for _ in range(3)] == [f"t.sqlite.damaged{end}" for end in ("", "-2", "-3")]
    with Store.open(path) as store:
        assert len(list(store.rows())) == 5


def test_a_tournament_goes_on_after_the_last_page_was_damaged(tmp_path):
    """60 games before; those of one page, and no others, are played again; 60 games after, the same ones."""
    players = {"a": Dice(), "b": Dice(), "c": Dice()}
    settings = {"games": 20, "seed": 5, "out": tmp_path / "out"}
    Tournament("tictactoe", players, **settings).run()
    path = tmp_path / "out" / "tournament.sqlite"
    with Store.open(path) as store:
        before = list(store.rows())
    assert len(before) == 60
    data = path.read_bytes()
    path.write_bytes(data[:-PAGE] + bytes(PAGE))
    with pytest.raises(StoreError, match="damaged"):
        Tournament("tictactoe", players, resume=True, **settings).run()
    done = recover(path)
    assert 40 <= done.kept < 60
    assert done.kept + done.lost == 60
    again = Tournament("tictactoe", players, resume=True, **settings)
    assert len(list(again.stream())) == done.lost
    with Store.open(path) as store:
        after = list(store.rows())
    assert [each.played.record for each in after] == [each.played.record for each in before]
    assert sum(one == other for one, other in zip(before, after, strict=True)) == done.kept
