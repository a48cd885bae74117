"""What a worker may take of its machine: processors, memory; engines made anew, kept, and left behind."""

import os
import re
import shlex
import sys
import threading
import time
from pathlib import Path

import pytest
from crews import Queue, alive, descendants, games, numbers, wait_until

from sakiyomi.arena import Conditions, Pairing, Termination
from sakiyomi.arena.running.crew import Crew, WorkerFailure
from sakiyomi.arena.running.games import Games
from sakiyomi.arena.running.limits import Limits, cores, memory_of, share
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.boards.catalog import make_game

FAKE = Path(__file__).with_name("fake_engine.py")


def test_processors_are_shared_out_by_cores():
    four = [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert [share(four, slot, 2) for slot in range(2)] == [(0, 4, 1, 5), (2, 6, 3, 7)]
    assert [share(four, slot, 4) for slot in range(4)] == four
    assert [share(four, slot, 6) for slot in range(6)] == [(0,), (1,), (2,), (3,), (4,), (5,)]
    assert [share(four, slot, 3) for slot in range(3)] == [(0, 4), (1, 5), (2, 6)]
    with pytest.raises(ValueError, match="9 workers cannot be pinned to 8 processors: take fewer"):
        share(four, 0, 9)


def test_cores_are_read_from_the_system(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3, 9})
    for number, siblings in enumerate(("0,2", "1,3", "0,2", "1,3")):
        folder = tmp_path / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{siblings}\n")
    assert cores(tmp_path) == [(0, 2), (1, 3), (9,)]


@pytest.mark.parametrize("limits", [{"memory": 0}, {"nice": -1}, {"nice": 20}])
def test_limits_that_cannot_be(limits):
    with pytest.raises(ValueError, match="must be"):
        Limits(**limits)


class Told:
    """Resigns, and says on standard output on which processors it runs, and how nice it is."""

    name = "told"

    def begin(self, game, side, rng):
        import subprocess

        code = "import os; print('on', sorted(os.sched_getaffinity(0)), os.nice(0), flush=True)"
        subprocess.run([sys.executable, "-S", "-c", code], check=True)

    def choose(self, position, budget):
        return position.legal_moves()[0]

    def close(self):
        pass


def test_workers_and_what_they_start_keep_to_their_processors(tmp_path):
    mine = os.sched_getaffinity(0)
    log = tmp_path / "log"
    count = min(len(mine), 2)
    with Crew(games("python:test_limits:Told"), count, log, limits=Limits(pin=True, nice=3)) as crew:
        list(crew.do(Queue(6)))
        assert os.sched_getaffinity(0) == mine, "the parent is left alone"
    said = set(re.findall(r"on \[[\d, ]*\] \d+", log.read_text()))
    assert said
    assert said <= {f"on {sorted(share(cores(), slot, count))} {os.nice(0) + 3}" for slot in range(count)}


class Hog:
    """Takes 30 MB more at each move."""

    name = "hog"

    def __init__(self):
        self.held = []

    def begin(self, game, side, rng):
        self.held.clear()

    def choose(self, position, budget):
        self.held.append(bytearray(os.urandom(1 << 20) * 30))
        time.sleep(0.15)
        return position.legal_moves()[0]

    def close(self):
        pass


def test_who_takes_too_much_memory_loses(usual_memory):
    limit = usual_memory + 80_000_000
    queue = Queue(2)
    queue.todo[1] = Pairing(2, "b", "a", Opening(), 1)
    with Crew(games("python:test_limits:Hog", lean=True), 1, limits=Limits(memory=limit)) as crew:
        done = sorted(crew.do(queue), key=lambda each: each.job.number)
    assert [each.outcome.record.result for each in done] == ["0-1", "1-0"]
    for each in done:
        assert each.outcome.termination is Termination.CRASH
        assert each.outcome.detail.startswith(f"a: over the {limit / 2**20:.0f} MiB of memory that a worker may hold (")


class Grab:
    """Takes 200 MB at its first move, at once."""

    name = "grab"
    size = 200_000_000

    def __init__(self):
        self.held = b""

    def begin(self, game, side, rng):
        pass

    def choose(self, position, budget):
        self.held = self.held or b"x" * self.size
        return position.legal_moves()[0]

    def close(self):
        pass


class Ponderous(Grab):
    """Takes nothing but time."""

    size = 1

    def choose(self, position, budget):
        time.sleep(0.3)
        return super().choose(position, budget)


def test_who_took_the_memory_loses_and_not_who_thinks_while_it_is_found(usual_memory):
    with Crew(
        games("python:test_limits:Grab", "python:test_limits:Ponderous"), 1, limits=Limits(memory=usual_memory + 10**8)
    ) as crew:
        (done,) = crew.do(Queue(1))
    assert (done.outcome.record.result, done.outcome.termination) == ("0-1", Termination.CRASH)
    assert done.outcome.detail.startswith("a: over the ")


@pytest.fixture(scope="module")
def usual_memory():
    """Bytes that a worker holds which plays."""
    with Crew(games(), 1) as crew:
        next(stream := crew.do(Queue(300)))
        usual = crew._hands[0].channel.memory()
        list(stream)
    return usual


def test_a_worker_that_is_too_big_before_it_plays_is_nobodys_fault():
    with (
        Crew(games(), 1, limits=Limits(memory=1_000_000)) as crew,
        pytest.raises(WorkerFailure, match="over the 1 MiB"),
    ):
        list(crew.do(Queue(20_000)))


def test_memory_of_a_process_and_what_it_started():
    import subprocess

    code = "import sys; x = bytearray(b'x' * 50_000_000); print('ready', flush=True); sys.stdin.read()"
    shell = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"]
    process = subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    assert 50_000_000 < memory_of(process.pid) < 150_000_000
    process.communicate("")
    assert memory_of(process.pid) == 0


def engine(*words):
    return f"gtp:{shlex.quote(sys.executable)} -S {shlex.quote(str(FAKE))} {shlex.join(words)}"


def go_games(**settings):
    log = settings.pop("log")
    players = {"a": engine("good", "--log", str(log)), "b": "random"}
    return Games(make_game("go-2x2"), players, Conditions(), **settings)


@pytest.mark.parametrize(("restart", "starts"), [(False, 1), (True, 6)])
def test_engines_live_from_game_to_game_or_are_made_anew(tmp_path, restart, starts):
    log = tmp_path / "log"
    with Crew(go_games(log=log, restart=restart), 1) as crew:
        done = list(crew.do(Queue(6)))
    assert [each.outcome.termination for each in done] == [Termination.NORMAL] * 6
    assert log.read_text().count("list_commands") == starts


def test_a_lean_worker_keeps_the_engines_of_its_game_alone(tmp_path):
    log = tmp_path / "log"
    work = go_games(log=log, lean=True)
    bench = Games(work.game, {**work.specs, "c": "random"}, Conditions(), lean=True).bench()
    for number, names in enumerate([("a", "b"), ("b", "c"), ("c", "a")], 1):
        assert bench.do(Pairing(number, *names, Opening(), 1)).termination is Termination.NORMAL
        assert set(bench._players) == set(names)
    bench.close()
    assert log.read_text().count("list_commands") == 2


class Deaf:
    """Starts a program that neither reads nor ends."""

    name = "deaf"
    program = None

    def begin(self, game, side, rng):
        import subprocess

        self.program = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)

    def choose(self, position, budget):
        time.sleep(0.05 if self.program.poll() is None else 0)
        return position.legal_moves()[0]

    def close(self):
        if self.program is not None:
            self.program.kill()
            self.program.wait()


class Stuck(Deaf):
    """Starts that program, and never answers."""

    def choose(self, position, budget):
        time.sleep(600)


def test_engines_that_do_not_end_with_their_worker_are_ended(tmp_path):
    family = []

    def kill():
        worker = crew._hands[0].channel
        wait_until(lambda: len(descendants(worker.process.pid)) == 1)
        family.extend([worker.process.pid, *descendants(worker.process.pid)])
        worker.process.kill()

    with Crew(games("python:test_limits:Deaf", restart=True), 1) as crew:
        stream, queue = crew.do(Queue(8)), []
        queue.append(next(stream))
        killer = threading.Thread(target=kill)
        killer.start()
        queue += stream
        killer.join()
        assert numbers(queue) == list(range(1, 9))
        assert len(family) == 2
        wait_until(lambda: not any(map(alive, family)))
