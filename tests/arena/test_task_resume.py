"""A tournament of tasks that was killed goes on: nothing lost, nothing played twice, the same episodes as without."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sakiyomi.arena.tasks.store import EpisodeStore
from sakiyomi.arena.tasks.tournament import TaskTournament

pytest.importorskip("gymnasium")

PLAYERS = {"slow": "python:task_fakes:Slow", "push": "constant:1"}
SETTINGS = {"games": 8, "seed": 3}
SCRIPT = """
import sys
sys.path.insert(0, {fakes!r})
from sakiyomi.arena.tasks.tournament import TaskTournament
TaskTournament("pendulum", {players!r}, workers={workers}, out=sys.argv[1], resume=True, **{settings!r}).run()
"""


def start(out, workers):
    script = SCRIPT.format(fakes=str(Path(__file__).parent), players=PLAYERS, settings=SETTINGS, workers=workers)
    return subprocess.Popen([sys.executable, "-c", script, str(out)], stderr=subprocess.PIPE, text=True)


def stored(out):
    with EpisodeStore.open(out / "tournament.sqlite") as store:
        return list(store.rows())


def wait_for_episodes(process, out, count):
    for _ in range(1500):
        if (out / "tournament.sqlite").exists() and len(stored(out)) >= count:  # a file that exists is whole
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    pytest.fail("no episodes were stored")


@pytest.fixture(scope="module")
def whole():
    tournament = TaskTournament("pendulum", PLAYERS, workers=0, **SETTINGS)
    tournament.run()
    return sorted((row.episode.key, replace(row.outcome, seconds=0.0)) for row in tournament.rows)


def keys(rows):
    return sorted((row.episode.key, replace(row.outcome, seconds=0.0)) for row in rows)


@pytest.mark.parametrize("workers", [0, 2])
def test_kill_the_parent_and_resume(tmp_path, workers, whole):
    before = []
    for episodes in (2, 5) if workers == 0 else (4,):
        process = start(tmp_path, workers)
        wait_for_episodes(process, tmp_path, episodes)
        process.kill()
        process.communicate()
        rows = stored(tmp_path)
        assert rows[: len(before)] == before  # nothing lost or played again, times of day included
        before = rows
    assert 4 <= len(before) < 16
    process = start(tmp_path, workers)
    assert process.wait(60) == 0, process.stderr.read()
    rows = stored(tmp_path)
    assert rows[: len(before)] == before
    assert len(rows) == 16
    assert keys(rows) == whole


def children(process):
    """The processes that it has started and that live."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def test_kill_a_worker(tmp_path, whole):
    process = start(tmp_path, 2)
    wait_for_episodes(process, tmp_path, 2)
    before = stored(tmp_path)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    assert process.wait(60) == 0, process.stderr.read()
    rows = stored(tmp_path)
    assert rows[: len(before)] == before
    assert len(rows) == 16
    assert keys(rows) == whole  # its episode was played again, and nobody has failed
