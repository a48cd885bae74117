"""An outside program as lines in and lines out, under deadlines: it may crash, hang or flood, its caller never does.

Its output is read by whoever waits for it, without a thread between, as a change of threads costs more than a quick
engine's move; a program that floods is held back by its own pipe, and its lines are bounded in length. A thread drains
its messages. It runs in a process group of its own, which is killed as a whole.
"""

import contextlib
import math
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from pathlib import Path
from typing import IO

from sakiyomi.arena.match import PlayerFault, Termination

MAX_LINE = 1 << 16
"""Bytes in one line of output; a longer one is no answer in any protocol."""
MAX_WAITING = 256
"""Lines of a program that has ended which are looked through for the reason."""
STDERR_LINES = 20
GAME_FOLDERS = ("/usr/games", "/usr/local/games")
"""Where Debian puts engines; often not on the PATH of root or of a build machine."""
NONSENSE = 10.0
"""Seconds for a program that has only printed what its protocol does not know to greet us all the same."""

_RUNNING: set[int] = set()  # process groups of the engines that run
_GLANCE = 0.5  # seconds between two looks at whether a program that says nothing still runs


def find_program(command: str) -> list[str]:
    """`command` split as a shell would, its program found on PATH, beside this Python or among the games.

    Raises ValueError if the command is empty, badly quoted, or names no program that can be run.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"engine command {command!r} is badly quoted: {error}") from None
    if not words:
        raise ValueError("the engine command is empty; an example: gnugo --mode gtp --level 1")
    name = str(Path(words[0]).expanduser()) if words[0].startswith("~") else words[0]
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent), *GAME_FOLDERS])
    found = shutil.which(name, path=places)
    if found is None:
        where = "there is no such file that may be run" if os.sep in name else f"not on PATH nor in {GAME_FOLDERS[0]}"
        raise ValueError(f"engine program {name!r} not found: {where}")
    return [found, *words[1:]]


class EngineProcess:
    """A running engine. Times are deadlines on `time.monotonic`.

    Raises ValueError where `find_program` does, and PlayerFault (could not start) if the system refuses to run it.
    All methods raise PlayerFault for what the engine does wrong; the caller then calls `close`.
    """

    def __init__(self, command: str):
        words = find_program(command)
        self.program = Path(words[0]).name
        try:
            self._process = subprocess.Popen(
                words,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            message = f"{words[0]} could not be started: {error.strerror or error}"
            raise PlayerFault(Termination.COULD_NOT_START, message) from None
        self._stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert self._stdin is not None
        assert stdout is not None
        assert stderr is not None
        os.set_blocking(self._stdin.fileno(), False)  # an engine that does not read its input must not stop us
        self._stdout = stdout
        self._poll = select.poll()
        self._poll.register(stdout.fileno(), select.POLLIN)
        self._lines: deque[bytes] = deque()  # whole lines that nobody has asked for yet
        self._rest = b""  # and the beginning of the next
        self._ended = False  # there is no more output
        self._tail: deque[bytes] = deque(maxlen=STDERR_LINES)
        # The thread holds no reference to this object: forgetting it kills the engine too.
        self._listener = threading.Thread(target=_keep_tail, args=(stderr, self._tail), daemon=True)
        self._listener.start()
        _RUNNING.add(self._process.pid)
        self._finalizer = weakref.finalize(self, _kill, self._process)

    @property
    def pid(self) -> int:
        """The engine's process id, also that of its process group."""
        return self._process.pid

    def send(self, line: str) -> None:
        """Write one line. An engine whose input is full has stalled."""
        assert self._stdin is not None
        data = line.encode() + b"\n"
        try:
            written = self._stdin.write(data)
        except (BrokenPipeError, ConnectionResetError):
            raise self._crash() from None
        if written != len(data):  # a pipe takes a short line whole or, when full, not at all
            raise PlayerFault(Termination.STALL, f"{self.program} does not read its input")

    def read_line(self, deadline: float) -> str:
        """The next line of output without its line end; bytes that are not UTF-8 become U+FFFD."""
        line = self.next_line(deadline)
        if line is None:
            raise PlayerFault(Termination.STALL, f"{self.program} gave no answer in time")
        return line

    def next_line(self, deadline: float) -> str | None:
        """`read_line`, but None if the `deadline` comes first."""
        while not self._lines:
            if self._ended:
                raise self._crash()
            if len(self._rest) > MAX_LINE:
                raise self._flood()
            left = deadline - time.monotonic()
            if self._poll.poll(math.ceil(min(max(left, 0.0), _GLANCE) * 1000)):
                self._read()
            elif self._process.poll() is not None:  # a child of the engine may still hold the pipe open
                self._ended = True
            elif left <= 0:
                return None
        line = self._lines.popleft()
        if len(line) > MAX_LINE:
            raise self._flood()
        return line.decode("utf-8", "replace").rstrip("\r")

    def _read(self) -> None:
        """Cut into lines what there is to read."""
        try:
            chunk = self._stdout.read(MAX_LINE)
        except (OSError, ValueError):  # closed meanwhile
            chunk = b""
        self._ended = not chunk
        *whole, rest = (self._rest + chunk).split(b"\n")
        if self._ended and rest:
            whole.append(rest)
            rest = b""
        self._lines.extend(whole)
        self._rest = rest

    def last_message(self) -> str:
        """The last line on its standard error that is not blank, shortened; empty if there is none."""
        lines = [line.decode("utf-8", "replace").strip() for line in tuple(self._tail)]
        said = [line for line in lines if line]
        return said[-1][:200] if said else ""

    def close(self, farewell: str = "", grace: float = 1.0) -> None:
        """End the engine: say `farewell`, close its input, give it `grace` seconds, then kill its process group."""
        assert self._stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it may have ended, or been closed before
            if farewell:
                self._stdin.write(farewell.encode() + b"\n")
            self._stdin.close()
        if grace > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self._finalizer()
        self._listener.join(1.0)
        self._lines.clear()
        self._rest, self._ended = b"", True
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None and not (pipe is self._process.stderr and self._listener.is_alive()):
                pipe.close()  # messages stay open where a process that left the group holds the other end

    def _flood(self) -> PlayerFault:
        message = f"{self.program} printed over {MAX_LINE} bytes without a line end"
        return PlayerFault(Termination.PROTOCOL_ERROR, message)

    def _crash(self) -> PlayerFault:
        """The fault of an engine whose output or input has ended, with the reason as far as the system tells it."""
        try:
            code = self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            how = "closed its output and did not end"
        else:
            how = f"exited with code {code}" if code >= 0 else f"was killed by {_signal_name(-code)}"
            self._listener.join(0.5)  # its last words may still be in the pipe
        said = self.last_message()
        return PlayerFault(Termination.CRASH, f"{self.program} {how}" + (f"; it last said: {said}" if said else ""))


def not_speaking(fault: PlayerFault, program: str, protocol: str) -> PlayerFault:
    """The `fault` of a program that has not answered the greeting: it may be no engine at all."""
    what = str(fault).removeprefix(f"{program} ")
    return PlayerFault(fault.termination, f"{program} does not speak {protocol}: it {what}")


def _keep_tail(pipe: IO[bytes], tail: "deque[bytes]") -> None:
    """Drain standard error, keeping the last lines, each cut to a bounded length."""
    rest = b""
    while chunk := _read_chunk(pipe):
        *whole, rest = (rest + chunk).split(b"\n")
        tail.extend(line[:1000] for line in whole)
        rest = rest[:1000]
    tail.append(rest)


def _read_chunk(pipe: IO[bytes]) -> bytes:
    try:
        return os.read(pipe.fileno(), 1 << 14)
    except (OSError, ValueError):
        return b""


def kill_engines() -> None:
    """Kill every engine of this process at once, with whatever it started; for a process that is about to end."""
    for group in tuple(_RUNNING):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the engine and whatever it started, and collect it."""
    _RUNNING.discard(process.pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5.0)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
