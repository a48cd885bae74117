"""Going on and stopping, from the command line: signals, pauses, what is refused, and what a killed run leaves."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import pytest
from crews import wait_until

from sakiyomi.arena import Tournament
from sakiyomi.arena.cli import main
from sakiyomi.arena.cli_going import stop_by_signals, stopped
from sakiyomi.arena.folder import Folder
from sakiyomi.arena.running import progress
from sakiyomi.arena.running.channel import Glance
from sakiyomi.arena.running.crew import Crew
from sakiyomi.arena.running.everywhere import check_crew
from sakiyomi.arena.running.hand import Hand
from sakiyomi.arena.running.limits import Limits
from sakiyomi.arena.store import StoreError
from sakiyomi.arena.tasks.tournament import TaskTournament

HERE = Path(__file__).parent
QUICK = {"a": "python:fakes:Dice", "b": "python:fakes:Dice"}


def run(capsys, *arguments):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture
def played(tmp_path):
    """The folder of a tournament that has ended; its name has a blank and an umlaut."""
    out = tmp_path / "für uns"
    Tournament("tictactoe", QUICK, games=2, workers=0, out=out).run()
    return out


def started(*words, **settings):
    return subprocess.Popen(
        [sys.executable, "-m", "sakiyomi.arena", "tournament", *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(HERE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # the tests may run under nohup
        **settings,
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_way_of_stopping_keeps_and_shows_what_was_played(tmp_path, name):
    out = tmp_path / "two words"
    process = started("tictactoe", "a=python:fakes:Slow", "b=python:fakes:Dice", "--games", "400", "--out", out)
    wait_until(lambda: (out / "games").exists() and len(list((out / "games").glob("*.sgf"))) > 1)
    process.send_signal(getattr(signal, name))
    printed, err = process.communicate(timeout=60)
    assert (process.returncode, err.replace("getting ready ...\n", "")) == (130, "")  # said on a slow machine
    assert printed.rstrip().endswith(f"sakiyomi tournament --resume --out {shlex.quote(str(out))}")
    assert json.loads((out / "standings.json").read_text())["games"] >= 2
    assert {path.name for path in out.iterdir()} == {"games", "report.html", "standings.json", "tournament.sqlite"}


def test_what_is_ignored_stays_so(monkeypatch):
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        stop_by_signals()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_results_stand_if_a_resumed_tournament_is_stopped_before_it_has_read_its_games(played, monkeypatch):
    from sakiyomi.arena.store import Store

    contest = Tournament("tictactoe", QUICK, games=4, workers=0, out=played, resume=True)
    rows = Store.rows

    def interrupted(store):
        yield next(rows(store))
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "rows", interrupted)
    before = (played / "standings.json").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        contest.run()
    assert "stopped before another of the games had ended; to go on: " in stopped(contest, 4, "games")
    assert (played / "standings.json").read_bytes() == before


def test_stopped_before_there_was_a_folder(tmp_path):
    contest = Tournament("tictactoe", QUICK, games=4, workers=0, out=tmp_path / "out")
    assert stopped(contest, 4, "games") == "stopped before anything was written"
    assert not list(tmp_path.iterdir())


def test_who_starts_what_is_paused_is_told(played):
    Folder(played).pause()
    process = started("--resume", "--out", played, "--games", "4")
    printed = [process.stdout.readline() for _ in range(2)]
    process.terminate()
    process.communicate(timeout=60)
    assert printed[1] == f"paused: nothing begins before: sakiyomi proceed {shlex.quote(str(played))}\n"


def test_pausing_tells_a_line_that_a_shell_takes(played, capsys):
    code, out, _ = run(capsys, "pause", played)
    assert code == 0
    assert shlex.split(out)[-3:] == ["sakiyomi", "proceed", str(played)]


@pytest.mark.parametrize("command", [["pause"], ["proceed"], ["tournament", "--resume", "--recover", "--out"]])
def test_where_there_is_no_tournament_none_is_made(tmp_path, capsys, command):
    code, out, err = run(capsys, *command, tmp_path / "none")
    assert (code, out) == (2, "")
    assert err.endswith("tournament.sqlite: no such tournament\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["tournament", "tictactoe", "random", "b=random", "--scales"], "scales belong to single-player tasks"),
        (["match", "cartpole-swingup", "random", "zero"], "'cartpole-swingup' is a task"),
        (["tournament", "tictactoe", "random", "b=random", "--workers", "0", "--pin"], "pin, memory and nice"),
        (["tournament", "tictactoe", "random", "b=random", "--workers", "0", "--memory", "2G"], "pin, memory and nice"),
        (["tournament", "cartpole-swingup", "random", "--workers", "0", "--nice", "2"], "pin, memory and nice"),
        (["tournament", "tictactoe", "random", "b=random", "--workers", "5000", "--pin"], "cannot be pinned"),
        (["tournament", "tictactoe", "random", "b=random", "--ray", "nowhere"], "no address of a Ray cluster"),
        (["tournament", "tictactoe", "random", "b=random", "--ray", "auto", "--pin"], "are not pinned"),
        (["tournament", "--resume"], "--resume --out DIR"),
    ],
)
def test_what_cannot_be_is_told_in_a_line_before_anything_is_written(tmp_path, capsys, monkeypatch, words, why):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert why in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_workers_that_can_be():
    check_crew(1, Limits(pin=True))
    check_crew(None, Limits(nice=3), ray="host:6379")
    check_crew(0)


def test_tasks_may_get_scales_and_no_seed_when_they_go_on(tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    TaskTournament(["pendulum"], ["random", "zero"], games=1, workers=0, out=out).run()
    code, _, err = run(capsys, "tournament", "--resume", "--out", out, "--seed", "3")
    assert (code, err) == (2, "sakiyomi: --seed cannot change when a tournament is resumed\n")
    assert run(capsys, "tournament", "--resume", "--out", out, "--scales", "--workers", "0")[0] == 0
    assert "pendulum" in json.loads((out / "standings.json").read_text())["scales"]
    monkeypatch.chdir(out)  # a folder that is meant must be named
    code, _, err = run(capsys, "tournament", "--resume")
    assert code == 2
    assert "--resume --out DIR" in err


def test_files_half_written_by_a_killed_run_are_removed(played):
    odd = [".running.json.k2_hx81z", ".report.html.abcdefgh", ".all-games.pgn.abcdefgh", ".standings.json.abcdefgh"]
    for name in (*odd, ".mine", ".report.html"):
        (played / name).write_text("")
    Tournament.stored(played, workers=0).run()
    assert {path.name for path in played.glob(".*")} == {".mine", ".report.html"}


def test_moves_told_of_a_job_that_others_do_are_not_taken_for_those_of_its_own():
    """A worker may begin a job in the moment in which others are given it; silent in it, it has its next job still."""
    told = Glance(7, 1, ("a1", "b2"))
    lost = []
    work = SimpleNamespace(lost=lambda job, side, fault, moves: lost.append((job.number, side, tuple(moves))))
    channel = SimpleNamespace(send=lambda jobs: None, close=lambda: None, placed=True, glance=lambda: told)
    hand = Hand(channel, 0, False)
    hand.ready = True
    hand.give([SimpleNamespace(number=8)])
    with Crew(work, 1) as crew:
        crew._hands.append(hand)
        assert crew._blamed(hand, told, deque(), "stall", "no move for 3 s").job.number == 8
    assert lost == [(8, None, ())]


def test_jobs_may_be_looked_at_while_they_end():
    hand = Hand(SimpleNamespace(send=lambda jobs: None), 0, False)
    jobs = [SimpleNamespace(number=number) for number in range(1, 200)]
    faults, ended = [], threading.Event()

    def look():
        try:
            while not ended.is_set():
                hand.job_of(Glance(number=-1))
        except RuntimeError as error:
            faults.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(300):
            hand.give(jobs)
            for _ in jobs:
                hand._jobs.popleft()
    finally:
        ended.set()
        thread.join()
        sys.setswitchinterval(before)
    assert not faults


def test_what_a_worker_tells_has_its_room_from_the_beginning(tmp_path, monkeypatch):
    """No page of it can be missing later, when a full disk would end the process that writes to it."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(progress, "TemporaryFile", lambda: (tmp_path / "shared").open("w+b"))
    told = progress.Progress()
    assert os.fstat(told.handle).st_blocks * 512 >= progress.SIZE
    told.close()


def test_a_full_disk_is_told_when_a_worker_starts(tmp_path, monkeypatch):
    class Full:
        closed = False

        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self):
            Full.closed = True

    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(progress, "TemporaryFile", Full)
    with pytest.raises(OSError, match="No space left"):
        progress.Progress()
    assert Full.closed


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("clocks = {a = 300}", "clocks: a = 300: a time control"),
        ("if_installed = [['a']]", "if_installed names ['a']"),
    ],
)
def test_values_of_the_wrong_kind_within_tables(tmp_path, capsys, line, words):
    path = tmp_path / "t.toml"
    path.write_text(f'game = "tictactoe"\n{line}\n[players]\na = "random"\nb = "random"\n')
    code, _, err = run(capsys, "tournament", path)
    assert (code, err.count("\n")) == (2, 1)
    assert words in err


@pytest.mark.parametrize("tasks", ["[]", "[1]"])
def test_tasks_that_are_none(tmp_path, capsys, tasks):
    path = tmp_path / "t.toml"
    path.write_text(f'tasks = {tasks}\nplayers = ["random"]\n')
    code, _, err = run(capsys, "tournament", path)
    assert code == 2
    assert f"tasks = {tasks}: a list of single-player tasks' names is wanted" in err


def test_a_folder_without_a_tournament_does_not_go_on(tmp_path):
    with pytest.raises(StoreError, match="no such tournament"):
        Folder(tmp_path).proceed()
