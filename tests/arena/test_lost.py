"""Nothing is lost: what is killed, filled up, cut off or torn costs no stored game, and in the end every game is there.

Each test tells the number of games before and after. A damaged database stands in test_recovery.py, the nodes of a
cluster in test_ray.py, what outlives whom in test_resume.py.
"""

import ast
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from crews import alive, descendants, wait_until

from sakiyomi.arena import Termination, Tournament
from sakiyomi.arena import store as stores
from sakiyomi.arena.store import Store, StoreError

HERE = Path(__file__).parent
ARENA = HERE.parents[1] / "arena"
QUICK = {"a": "python:fakes:Dice", "b": "python:fakes:Dice"}
SLOW = {"a": "python:fakes:Slow", "b": "python:fakes:Dice"}


def stored(out):
    with Store.open(out / "tournament.sqlite") as store:
        return {row.pairing.number: row for row in store.rows()}


def records(out):
    return sorted(int(path.name[:5]) for path in (out / "games").iterdir())


def started(out, players, games, workers):
    """A tournament in a process of its own."""
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
        "from sakiyomi.arena import Tournament\n"
        f"t = Tournament('tictactoe', {players!r}, games={games}, workers={workers}, out={str(out)!r}, resume=True)\n"
        "t.run()\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


def test_workers_killed(tmp_path):
    """24 games before, 24 after, though a worker is killed after each fourth."""
    tournament = Tournament("tictactoe", SLOW, games=24, workers=2, out=tmp_path / "out", seed=1)
    kills = 0
    for count, _ in enumerate(tournament.stream(), 1):
        if count % 4 == 0 and count < 20:
            workers = [pid for pid in descendants(os.getpid()) if alive(pid)]
            os.kill(workers[kills % len(workers)], signal.SIGKILL)
            kills += 1
    assert kills == 4
    assert sorted(stored(tmp_path / "out")) == records(tmp_path / "out") == list(range(1, 25))
    whole = Tournament("tictactoe", SLOW, games=24, workers=0, seed=1)
    whole.run()
    assert [played.record for played in tournament.played] == [played.record for played in whole.played]


@pytest.mark.parametrize("workers", [0, 1])
def test_the_parent_killed_among_quick_games(tmp_path, workers):
    """3,000 games before, 3,000 after; what was stored at each of two kills is still there, as it was."""
    out, games = tmp_path / "out", 3000
    before = {}
    for kill in range(2):
        process = started(out, QUICK, games, workers)
        enough = len(before) + 150 * (kill + 1)
        wait_until(lambda: process.poll() is not None or count(out) >= enough)  # noqa: B023 it is used up at once
        assert process.poll() is None, process.stderr.read()
        process.kill()
        process.communicate()
        after = stored(out)
        assert enough <= len(after) < games
        assert before.items() <= after.items()
        before = after
    process = started(out, QUICK, games, workers)
    assert process.wait(120) == 0, process.stderr.read()
    after = stored(out)
    assert sorted(after) == records(out) == list(range(1, games + 1))
    assert before.items() <= after.items()


def count(out):
    try:
        with Store.open(out / "tournament.sqlite", whole=False) as store:
            return store.count
    except StoreError:  # it is not there yet
        return 0


def test_an_engine_killed(tmp_path):
    """6 games before, 6 after; the one in which the engine was killed is lost by it, the others are played."""
    fake = shlex.join([sys.executable, "-S", str(HERE / "fake_engine.py"), "good"])
    players = {"engine": f"gtp:{fake}", "b": "python:fakes:Slow"}
    tournament = Tournament("go-5x5", players, games=6, workers=1, out=tmp_path / "out")

    def kill():
        wait_until(lambda: engines(), 60)
        time.sleep(0.1)
        for pid in engines():
            os.kill(pid, signal.SIGKILL)

    def engines():
        return [pid for pid in descendants(os.getpid()) if b"fake_engine.py" in command(pid)]

    stream, killer = tournament.stream(), threading.Thread(target=kill)
    next(stream)
    killer.start()
    rest = list(stream)
    killer.join()
    assert len(rest) == 5
    assert sorted(stored(tmp_path / "out")) == list(range(1, 7))
    ends = Counter(played.termination for played in tournament.played)
    assert ends[Termination.CRASH] == 1
    (crash,) = [played for played in tournament.played if played.termination is Termination.CRASH]
    assert "was killed by SIGKILL" in crash.detail
    assert ends[Termination.NORMAL] + ends[Termination.MOVE_LIMIT] == 5


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 300 kB, and what makes it larger."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True)
    if not made or made.returncode:
        pytest.skip("no disk can be mounted by this user")
    yield disk, lambda: subprocess.run([mount, "-o", "remount,size=50m", disk], check=True)
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_full_disk(small_disk, workers):
    """400 games before; the disk is full after some; those stay, and 400 games after."""
    disk, enlarge = small_disk
    out = disk / "out"
    tournament = Tournament("tictactoe", QUICK, games=400, workers=workers, out=out, seed=2)
    with pytest.raises(StoreError, match="cannot be written"):
        tournament.run()
    told, before = tournament.rows, stored(out)
    assert 10 < len(before) < 400
    assert {row.pairing.number for row in told} <= set(before)
    assert all(path.stat().st_size for path in (out / "games").iterdir()), "no half of a record"
    enlarge()
    again = Tournament.stored(out, workers=workers)
    assert len(list(again.stream())) == 400 - len(before)
    after = stored(out)
    assert sorted(after) == records(out) == list(range(1, 401))
    assert before.items() <= after.items()


def test_two_arenas_on_one_store(tmp_path):
    """While the first plays 20 games the second is refused with a clear line and changes nothing; 20 games after."""
    out = tmp_path / "out"
    first = Tournament("tictactoe", QUICK, games=20, workers=0, out=out)
    stream = first.stream()
    for _ in range(7):
        next(stream)
    before = contents(out)
    words = [sys.executable, "-m", "sakiyomi.arena", "tournament", "--resume", "--out", str(out)]
    second = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(HERE)})
    assert second.returncode != 0
    assert second.stderr.strip().endswith(f"{out}: another tournament is running here")
    assert second.stderr.count("\n") == 1
    assert contents(out) == before
    assert len(stored(out)) == 7
    list(stream)
    assert sorted(stored(out)) == list(range(1, 21))


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm")}


SECTOR = 512
HEADER = 32  # bytes of the log's


def torn(old, new, rng):
    """A file as a power cut may leave it: of each sector what was last waited for, or what was written since."""
    length = rng.choice((len(old), len(new), rng.randint(len(old), max(len(old), len(new)))))
    result = bytearray()
    for at in range(0, length, SECTOR):
        kept = old[at : at + SECTOR].ljust(SECTOR, b"\0")
        result += rng.choice((kept, new[at : at + SECTOR].ljust(SECTOR, b"\0")))
    return bytes(result[:length])


def test_a_power_cut_at_any_moment(tmp_path, monkeypatch):
    """Whatever of the last writes reached the disk: the games up to the last wait for it are there, and as they were;
    the rest is played again, 40 games before and after. The log is torn in most of these cuts.
    """
    out, rng = tmp_path / "out", random.Random(4)
    files = out / "tournament.sqlite", out / "tournament.sqlite-wal"
    synced = {"at": None, "files": None, "games": 0}
    opened = []
    add = Store.add

    def noting(store, row):
        add(store, row)
        if store._synced != synced["at"]:
            synced.update(at=store._synced, files=[path.read_bytes() for path in files], games=len(opened) + 1)
        opened.append(row)

    monkeypatch.setattr(Store, "add", noting)
    monkeypatch.setattr(stores, "SYNC", -1.0)
    tournament = Tournament("tictactoe", QUICK, games=40, workers=0, out=out, seed=1)
    cuts = []
    for number, _ in enumerate(tournament.stream(), 1):
        monkeypatch.setattr(stores, "SYNC", rng.choice((-1.0, 1e9, 1e9)))  # wait for the disk at the next one, or not
        if number % 2 == 0:
            now = [path.read_bytes() for path in files]
            left = [torn(old, new, rng) for old, new in zip(synced["files"], now, strict=True)]
            left[1] = now[1][:HEADER] + left[1][HEADER:]  # SQLite waits for it before it uses the log again
            cuts.append((synced["games"], number, left))
    monkeypatch.undo()
    whole = stored(out)
    assert len(whole) == 40
    kept = []
    for safe, finished, left in cuts:
        copy = tmp_path / f"cut{finished}"
        (copy / "games").mkdir(parents=True)
        for path, data in zip(files, left, strict=True):
            (copy / path.name).write_bytes(data)
        found = stored(copy)
        assert safe <= len(found) <= finished
        assert found.items() <= whole.items()
        kept.append((safe, len(found), finished))
    assert any(games < finished for _, games, finished in kept), "some cuts did cost games"
    again = Tournament.stored(tmp_path / f"cut{cuts[1][1]}", workers=0)
    assert len(list(again.stream())) == 40 - kept[1][1]
    assert {n: row.played.record for n, row in stored(again.folder.path).items()} == {
        n: row.played.record for n, row in whole.items()
    }


def calls(tree):
    """Each call in a file: its name, the names of its arguments that are given by name, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}, node.lineno


@pytest.mark.parametrize("path", sorted(ARENA.rglob("*.py")), ids=lambda path: str(path.relative_to(ARENA)))
def test_no_stored_data_is_code_and_no_shell_is_ever_started(path):
    never = {"os.system", "os.popen", "eval", "exec", "subprocess.getoutput", "subprocess.getstatusoutput"}
    loads = {f"{module}.{name}" for module in ("pickle", "marshal", "shelve", "dill") for name in ("load", "loads")}
    for name, words, line in calls(ast.parse(path.read_text())):
        assert name not in never | loads | {"shelve.open", "pickle.Unpickler"}, f"{path}:{line}"
        assert words.get("shell", "False") == "False", f"{path}:{line}: a shell"
        assert words.get("allow_pickle", "False") == "False", f"{path}:{line}: pickled data"


@pytest.mark.parametrize("spec", ["gtp:true; touch {0}", "gtp:true $(touch {0})", "uci:true && touch {0}@nodes=1"])
def test_a_shells_signs_in_a_command_mean_nothing(tmp_path, spec):
    made = tmp_path / "made"
    with pytest.raises(ValueError, match=r"does not speak|not found"):
        Tournament("chess" if spec.startswith("uci") else "go-5x5", ["random", spec.format(made)])
    assert not made.exists()
