"""An outside program as lines in and lines out, under deadlines: it may crash, hang or flood, its caller never does.

Two threads drain its output and its messages; what it prints is bounded in length and number, so a program that
floods is held back by its own pipe. It runs in a process group of its own, which is killed as a whole.
"""

import contextlib
import os
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
from queue import Empty, Full, Queue
from typing import IO

from sakiyomi.arena.match import PlayerFault, Termination

MAX_LINE = 1 << 16
"""Bytes in one line of output; a longer one is no answer in any protocol."""
MAX_WAITING = 256
"""Lines kept that nobody has read yet; then the program has to wait."""
STDERR_LINES = 20
GAME_FOLDERS = ("/usr/games", "/usr/local/games")
"""Where Debian puts engines; often not on the PATH of root or of a build machine."""
NONSENSE = 10.0
"""Seconds for a program that has only printed what its protocol does not know to greet us all the same."""

_RUNNING: set[int] = set()  # process groups of the engines that run
_END = b"\n"  # in the queue: no more output (a real line holds no newline)
_FLOOD = b"\n\n"  # in the queue: a line longer than MAX_LINE


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
        self._lines: Queue[bytes] = Queue(MAX_WAITING)
        self._tail: deque[bytes] = deque(maxlen=STDERR_LINES)
        self._closing = threading.Event()
        # The threads hold no reference to this object: forgetting it kills the engine too.
        self._threads = (
            threading.Thread(target=_read_lines, args=(stdout, self._lines, self._closing), daemon=True),
            threading.Thread(target=_keep_tail, args=(stderr, self._tail), daemon=True),
        )
        for thread in self._threads:
            thread.start()
        _RUNNING.add(self._process.pid)
        self._finalizer = weakref.finalize(self, _kill, self._process, self._closing)

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
        while True:
            left = deadline - time.monotonic()
            try:
                line = self._lines.get(timeout=min(max(left, 0.0), 0.5))
            except Empty:
                if self._process.poll() is not None and self._lines.empty():
                    raise self._crash() from None  # a child of the engine may still hold the pipe open
                if left <= 0:
                    raise PlayerFault(Termination.STALL, f"{self.program} gave no answer in time") from None
                continue
            if line is _END:
                raise self._crash()
            if line is _FLOOD:
                message = f"{self.program} printed over {MAX_LINE} bytes without a line end"
                raise PlayerFault(Termination.PROTOCOL_ERROR, message)
            return line.decode("utf-8", "replace").rstrip("\r")

    def last_message(self) -> str:
        """The last line on its standard error that is not blank, shortened; empty if there is none."""
        lines = [line.decode("utf-8", "replace").strip() for line in tuple(self._tail)]
        said = [line for line in lines if line]
        return said[-1][:200] if said else ""

    def close(self, farewell: str = "", grace: float = 1.0) -> None:
        """End the engine: say `farewell`, close its input, give it `grace` seconds, then kill its process group."""
        self._closing.set()
        assert self._stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it may have ended, or been closed before
            if farewell:
                self._stdin.write(farewell.encode() + b"\n")
            self._stdin.close()
        if grace > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self._finalizer()
        for thread, pipe in zip(self._threads, (self._process.stdout, self._process.stderr), strict=True):
            thread.join(1.0)
            if pipe is not None and not thread.is_alive():  # else a process that left the group holds the other end
                pipe.close()

    def _crash(self) -> PlayerFault:
        """The fault of an engine whose output or input has ended, with the reason as far as the system tells it."""
        try:
            code = self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            how = "closed its output and did not end"
        else:
            how = f"exited with code {code}" if code >= 0 else f"was killed by {_signal_name(-code)}"
            self._threads[1].join(0.5)  # its last words may still be in the pipe
        said = self.last_message()
        return PlayerFault(Termination.CRASH, f"{self.program} {how}" + (f"; it last said: {said}" if said else ""))


def not_speaking(fault: PlayerFault, program: str, protocol: str) -> PlayerFault:
    """The `fault` of a program that has not answered the greeting: it may be no engine at all."""
    what = str(fault).removeprefix(f"{program} ")
    return PlayerFault(fault.termination, f"{program} does not speak {protocol}: it {what}")


def _read_lines(pipe: IO[bytes], lines: "Queue[bytes]", closing: threading.Event) -> None:
    """Cut the output into lines and queue them, until it ends, floods, or the engine is being closed."""
    rest = b""
    while not closing.is_set():
        try:
            chunk = os.read(pipe.fileno(), MAX_LINE)
        except (OSError, ValueError):
            chunk = b""
        *whole, rest = (rest + chunk).split(b"\n")
        if not chunk and rest:
            whole.append(rest)
        for line in whole:
            if not _put(lines, line if len(line) <= MAX_LINE else _FLOOD, closing):
                return
        if not chunk or len(rest) > MAX_LINE:
            _put(lines, _FLOOD if chunk else _END, closing)
            return


def _put(lines: "Queue[bytes]", line: bytes, closing: threading.Event) -> bool:
    """Queue one line, waiting for room; False once the engine is being closed."""
    while not closing.is_set():
        try:
            lines.put(line, timeout=0.2)
        except Full:
            continue
        return True
    return False


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


def _kill(process: "subprocess.Popen[bytes]", closing: threading.Event) -> None:
    """Kill the engine and whatever it started, and collect it."""
    closing.set()
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
