"""Engine processes: found, read under deadlines, bounded, and gone as a whole when closed."""

import collections
import os
import shlex
import sys
import threading
import time
from pathlib import Path

import pytest

from sakiyomi.arena.engines.process import MAX_LINE, EngineProcess, find_program
from sakiyomi.arena.match import PlayerFault, Termination

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PYTHON = shlex.quote(sys.executable)


def run(code: str) -> EngineProcess:
    return EngineProcess(f"{PYTHON} -u -c {shlex.quote(code)}")


def soon(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


def gone(pid: int) -> bool:
    """Has the process ended (or is it a zombie that its new parent has yet to collect)?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def fault_of(engine: EngineProcess, deadline: float) -> PlayerFault:
    with pytest.raises(PlayerFault) as caught:
        collections.deque(iter(lambda: engine.read_line(deadline), None), maxlen=0)
    return caught.value


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("'gnugo", "badly quoted"),
        ("no-such-engine --mode gtp", "'no-such-engine' not found: not on PATH"),
        ("/no/such/engine", "'/no/such/engine' not found: there is no such file"),
        ("/etc", "'/etc' not found"),
        ("./plain-file", "may be run"),
    ],
)
def test_a_wrong_command_is_explained(command, complaint, tmp_path, monkeypatch):
    (tmp_path / "plain-file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=complaint):
        find_program(command)


def test_a_file_of_another_machine_could_not_start(tmp_path):
    program = tmp_path / "engine"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    with pytest.raises(PlayerFault, match="could not be started: Exec format error") as caught:
        EngineProcess(str(program))
    assert caught.value.termination is Termination.COULD_NOT_START


def test_programs_are_found_among_the_games(tmp_path, monkeypatch):
    program = tmp_path / "some-engine"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr("sakiyomi.arena.engines.process.GAME_FOLDERS", (str(tmp_path),))
    monkeypatch.setenv("PATH", "/usr/bin")
    assert find_program("some-engine --seed '1 2'") == [str(program), "--seed", "1 2"]


def test_lines_come_and_go():
    engine = run("import sys\nfor line in sys.stdin: print(line.strip()[::-1])")
    try:
        for word in ("abc", "", "日本", "x" * 3000):
            engine.send(word)
            assert engine.read_line(soon()) == word[::-1]
    finally:
        engine.close()


def test_the_last_line_may_lack_its_end():
    engine = run("import sys; sys.stdout.write('one\\r\\ntwo')")
    assert [engine.read_line(soon()), engine.read_line(soon())] == ["one", "two"]
    assert fault_of(engine, soon()).termination is Termination.CRASH
    engine.close()


def test_bytes_that_are_not_text_do_no_harm():
    engine = run("import os; os.write(1, b'D\\xff\\x004\\n')")
    assert engine.read_line(soon()) == "D\ufffd\x004"
    engine.close()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit('no weights found')", "exited with code 1; it last said: no weights found"),
        ("import os; os._exit(0)", "exited with code 0"),
        ("import os; os.kill(os.getpid(), 11)", "was killed by SIGSEGV"),
        ("import os, time; os.close(1); time.sleep(60)", "closed its output and did not end"),
    ],
)
def test_an_end_is_a_crash_with_its_reason(code, message):
    engine = run(code)
    fault = fault_of(engine, soon())
    assert fault.termination is Termination.CRASH
    assert message in str(fault)
    engine.close()
    assert gone(engine.pid)


def test_an_ended_engine_is_noticed_though_its_child_holds_the_pipe():
    engine = run("import subprocess, os; subprocess.Popen(['sleep', '60']); os._exit(7)")
    assert "exited with code 7" in str(fault_of(engine, soon()))
    engine.close()


def test_sending_to_an_ended_engine_is_a_crash():
    engine = run("raise SystemExit(5)")
    engine._process.wait(20)
    with pytest.raises(PlayerFault, match="exited with code 5") as caught:
        engine.send("genmove b")
    assert caught.value.termination is Termination.CRASH
    engine.close()


def test_silence_ends_at_the_deadline():
    engine = run("import time; time.sleep(60)")
    started = time.monotonic()
    fault = fault_of(engine, started + 0.3)
    assert fault.termination is Termination.STALL
    assert 0.3 <= time.monotonic() - started < 5
    engine.close(grace=0)


def test_an_engine_that_does_not_read_is_a_stall_not_a_hang():
    engine = run("import time; time.sleep(60)")
    with pytest.raises(PlayerFault, match="does not read") as caught:
        list(map(engine.send, ["x" * 1000] * 1000))
    assert caught.value.termination is Termination.STALL
    engine.close(grace=0)


def test_a_line_without_end_is_a_fault():
    engine = run("import os\nwhile True: os.write(1, b'x' * 65536)")
    fault = fault_of(engine, soon())
    assert fault.termination is Termination.PROTOCOL_ERROR
    assert f"over {MAX_LINE} bytes" in str(fault)
    engine.close(grace=0)


def test_a_flood_of_lines_waits_in_the_pipe():
    engine = run("import os\nwhile True: os.write(1, b'line\\n' * 1000)")
    assert engine.read_line(soon()) == "line"
    assert len(engine._lines) * len("line\n") <= MAX_LINE
    engine.close(grace=0)
    assert gone(engine.pid)


def test_standard_error_is_drained_and_its_tail_kept():
    engine = run(
        "import sys\nfor i in range(20000): print('thinking', i, file=sys.stderr)\n"
        "print('done'); sys.stderr.write('bye')"
    )
    assert engine.read_line(soon()) == "done"
    assert "it last said: bye" in str(fault_of(engine, soon()))
    engine.close()


def test_closing_ends_children_too():
    engine = run("import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)\ninput()")
    child = int(engine.read_line(soon()))
    assert not gone(child)
    engine.close()
    deadline = soon()
    while not gone(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone(child)
    assert gone(engine.pid)


def test_closing_says_farewell(tmp_path):
    engine = run(f"open({str(tmp_path / 'heard')!r}, 'w').write(input())")
    engine.close(farewell="quit", grace=20)
    assert (tmp_path / "heard").read_text() == "quit"


def test_closing_insists():
    engine = run("import time\ntime.sleep(600)")
    started = time.monotonic()
    engine.close(farewell="quit", grace=0.2)
    assert time.monotonic() - started < 5
    assert gone(engine.pid)


def test_closing_twice_is_allowed():
    engine = run("input()")
    engine.close()
    engine.close()
    assert gone(engine.pid)


def test_a_forgotten_engine_is_killed():
    engine = run("import time; time.sleep(600)")
    pid = engine.pid
    del engine
    deadline = soon()
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone(pid)


def test_nothing_is_left_open():
    def one() -> None:
        engine = run("print(input())")
        engine.send("x")
        engine.read_line(soon())
        engine.close()

    one()
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(3):
        one()
    assert len(os.listdir("/proc/self/fd")) == files
    assert threading.active_count() == threads
