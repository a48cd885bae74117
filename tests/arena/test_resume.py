"""A tournament that was killed goes on: nothing lost, nothing played twice, the same games as without the kill."""

import os
import resource
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sakiyomi.arena import Termination, Tournament
from sakiyomi.arena.store import Store, StoreError

PLAYERS = {"slow": "python:fakes:Slow", "dice": "python:fakes:Dice", "first": "python:fakes:First"}
QUICK = PLAYERS | {"slow": "python:fakes:Dice"}
SETTINGS = {"games": 4, "openings": "random:1", "seed": 3}
SHORT = SETTINGS | {"games": 2}

SCRIPT = """
import sys
sys.path.insert(0, {fakes!r})
from sakiyomi.arena import Tournament
Tournament("tictactoe", {players!r}, workers={workers}, out=sys.argv[1], resume=True, **{settings!r}).run()
"""


def start(out, workers):
    fakes = str(Path(__file__).parent)
    script = SCRIPT.format(fakes=fakes, players=PLAYERS, settings=SHORT, workers=workers)
    return subprocess.Popen([sys.executable, "-c", script, str(out)], stderr=subprocess.PIPE, text=True)


def stored(out):
    with Store.open(out / "tournament.sqlite") as store:
        return list(store.rows())


def wait_for_games(process, out, count):
    for _ in range(1500):
        if (out / "tournament.sqlite").exists() and len(stored(out)) >= count:  # a file that exists is whole
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    pytest.fail("no games were stored")


@pytest.mark.parametrize("workers", [0, 2])
def test_kill_and_resume(tmp_path, workers):
    out = tmp_path / "killed"
    before = []
    for games in (1, 3):
        process = start(out, workers)
        wait_for_games(process, out, games)
        process.kill()
        process.communicate()
        rows = stored(out)
        assert rows[: len(before)] == before or {row.pairing.number for row in before} <= {
            r.pairing.number for r in rows
        }
        assert all(row in rows for row in before)  # nothing lost or played again, times of day included
        before = rows
    assert 3 <= len(before) < 6
    process = start(out, workers)
    assert process.wait(60) == 0
    whole = Tournament("tictactoe", PLAYERS, workers=0, out=tmp_path / "whole", **SHORT)
    whole.run()
    rows = stored(out)
    assert [row.pairing for row in rows] == list(whole.schedule.pairings({}))
    assert [row.played.record for row in rows] == [played.record for played in whole.played]
    assert len(list((out / "games").iterdir())) == 6
    assert all(row in rows for row in before)


def test_records_lost_with_the_kill_are_written_again(tmp_path):
    Tournament("tictactoe", QUICK, out=tmp_path, workers=0, games=1).run()
    lost = sorted((tmp_path / "games").iterdir())[1]
    text = lost.read_bytes()
    lost.unlink()
    (tmp_path / "report.html").unlink()
    Tournament("tictactoe", QUICK, out=tmp_path, workers=0, games=1, resume=True).run()
    assert lost.read_bytes() == text
    assert (tmp_path / "report.html").exists()


def test_an_existing_tournament_is_not_touched_without_resume(tmp_path):
    Tournament("tictactoe", QUICK, out=tmp_path, workers=0, games=1).run()
    before = stored(tmp_path)
    with pytest.raises(ValueError, match="holds a tournament already"):
        Tournament("tictactoe", QUICK, out=tmp_path, workers=0, games=1)
    assert stored(tmp_path) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 4}, "seed was 3, is now 4"),
        ({"players": {"slow": "python:fakes:Slow", "dice": "python:fakes:First"}}, "players was .*, is now slow="),
        ({"openings": ""}, "openings was 'random:1', is now"),
        ({"games": 2}, "games was 4, is now 2"),
        ({"game": "connect4"}, "game was 'tictactoe', is now 'connect4'"),
        ({"margin": 3.0}, "margin was 1.0, is now 3.0"),
    ],
)
def test_a_changed_tournament_is_refused_with_the_difference(tmp_path, change, words):
    settings = {"game": "tictactoe", "players": QUICK, "workers": 0, "out": tmp_path, **SETTINGS}
    Tournament(**settings).run()
    with pytest.raises(ValueError, match=words):
        Tournament(**settings | {"resume": True} | change)


def test_a_tournament_can_grow(tmp_path):
    short = Tournament("tictactoe", QUICK, workers=0, out=tmp_path / "a", games=2, openings="random:2", seed=1)
    short.run()
    grown = Tournament.stored(tmp_path / "a", games=4, workers=0)
    grown.run()
    whole = Tournament("tictactoe", QUICK, workers=0, games=4, openings="random:2", seed=1)
    whole.run()
    assert [played.record for played in grown.played] == [played.record for played in whole.played]
    assert [row.played for row in grown.rows[:6]] == short.played
    assert len(Tournament.stored(tmp_path / "a", workers=0).schedule.pairings({})) == 12


def test_a_stored_tournament_needs_no_more_than_its_folder(tmp_path):
    openings = tmp_path / "openings.txt"
    openings.write_text("b2 a1  # the centre\n\na1 b2\n")
    first = Tournament("tictactoe", QUICK, workers=0, out=tmp_path / "a", games=4, openings=str(openings))
    next(stream := first.stream())
    stream.close()
    assert len(stored(tmp_path / "a")) == 1
    openings.unlink()
    again = Tournament.stored(tmp_path / "a", workers=0)
    assert again.schedule.pairings({}) == first.schedule.pairings({})
    again.run()
    assert len(stored(tmp_path / "a")) == 12


@pytest.mark.parametrize("change", [{"players": 3}, {"players": [["a"]]}, {"seed": None}])
def test_a_configuration_of_another_shape_is_damage(tmp_path, change):
    Tournament("tictactoe", QUICK, workers=0, out=tmp_path, games=1).run()
    with Store.open(tmp_path / "tournament.sqlite", writing=True) as store:
        store.set_config(store.config | change)
    with pytest.raises(StoreError, match=r"is damaged .its configuration has no proper"):
        Tournament.stored(tmp_path)


def test_games_that_could_not_start_are_tried_again(tmp_path, monkeypatch):
    players = {"good": "python:fakes:First", "sulker": "python:fakes:Sulker"}
    Tournament("tictactoe", players, workers=0, out=tmp_path, games=2).run()
    assert {row.played.termination for row in stored(tmp_path)} == {Termination.COULD_NOT_START}
    import fakes

    monkeypatch.delattr(fakes.Sulker, "begin")
    Tournament("tictactoe", players, workers=0, out=tmp_path, games=2, resume=True).run()
    assert {row.played.termination for row in stored(tmp_path)} == {Termination.NORMAL}


def test_two_cannot_play_in_one_folder(tmp_path):
    first = Tournament("tictactoe", QUICK, workers=0, out=tmp_path, games=2)
    stream = first.stream()
    next(stream)
    with pytest.raises(StoreError, match="another tournament is running here"):
        Tournament("tictactoe", QUICK, workers=0, out=tmp_path, games=2, resume=True).run()
    stream.close()
    Tournament("tictactoe", QUICK, workers=0, out=tmp_path, games=2, resume=True).run()
    assert len(stored(tmp_path)) == 6


def test_interrupting_keeps_the_games_and_ends_the_workers(tmp_path):
    process = start(tmp_path / "out", 2)
    wait_for_games(process, tmp_path / "out", 1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    assert len(children) == 2
    assert not any(alive(int(child)) for child in children)
    assert 1 <= len(stored(tmp_path / "out")) < 6


def test_workers_end_when_their_parent_is_killed(tmp_path):
    process = start(tmp_path / "out", 2)
    wait_for_games(process, tmp_path / "out", 1)
    children = [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    process.kill()
    process.communicate()
    for _ in range(200):
        if not any(alive(child) for child in children):
            return
        time.sleep(0.05)
    pytest.fail("workers outlived their tournament")


@pytest.mark.parametrize("spec", ["python:fakes:Looper", "python:fakes:Sleeper", "python:test_limits:Stuck", "engine"])
def test_nothing_outlives_a_killed_tournament(tmp_path, spec):
    """Whatever a player does at that moment, its worker ends, and so does its engine."""
    fake = Path(__file__).with_name("fake_engine.py")
    log = tmp_path / "log"
    hanging = f"gtp:{shlex.quote(sys.executable)} -S {shlex.quote(str(fake))} hang --at 1 --log {shlex.quote(str(log))}"
    players = {"a": hanging if spec == "engine" else spec, "b": "random"}
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from sakiyomi.arena import Tournament\n"
        "tournament = Tournament('go-2x2', " + repr(players) + ", games=1, workers=1)\n"
        "import threading, time\n"
        "threading.Thread(target=tournament.run, daemon=True).start()\n"
        "while not tournament.running: time.sleep(0.01)\n"
        "time.sleep(1.0)\n"
        "print('playing', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "playing\n"
    family = descendants(process.pid)
    assert len(family) == (2 if spec == "engine" or "Stuck" in spec else 1)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 3
    while any(map(alive, family)):
        assert time.monotonic() < deadline, "a worker or engine outlived its tournament"
        time.sleep(0.05)


def descendants(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_full_disk_ends_the_tournament_in_good_order(tmp_path):
    out = tmp_path / "out"
    tournament = Tournament("tictactoe", QUICK, workers=0, out=out, games=100)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
        with pytest.raises(StoreError, match="cannot be written"):
            tournament.run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    count = len(stored(out))
    assert 10 < count < 300
    assert not (out / "report.html").exists()
    assert not [name for name in os.listdir(out / "games") if name.startswith(".")]
    again = Tournament.stored(out, workers=0)
    again.run()
    assert len(again.rows) == 300
