"""What an engine answers: lines that mean something told from noise, under a deadline."""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event

from sakiyomi.arena.engines.process import MAX_WAITING, NONSENSE, EngineProcess
from sakiyomi.arena.match import PlayerFault, Termination, one_line

_NODES = re.compile(r"\bnodes (\d+)", re.ASCII)
_TOO_MANY = 10, 1_000_000  # times a limit of nodes, and nodes more: an engine that goes on so far does not know it
_NOISE_LINES = 4096  # what an engine may print for one question beside its answer and ``info``
_GLANCE = 0.01  # seconds between two looks at whether an engine is to stop
_WORDS, _LETTERS = 5, 300  # lines that are kept of what an engine says in words, and what is told of them


class EngineTalk:
    """Lines to and from a running engine of UCI or USI.

    `answers` tells by the first word of a question with which words the lines begin that answer it. All methods raise
    PlayerFault for what the engine does wrong.
    """

    def __init__(self, process: EngineProcess, answers: Mapping[str, set[str]]):
        self.process = process
        self.asked = ""
        """The last line that was sent."""
        self._answers = answers
        self._most_nodes = 0
        self._greeted = False  # has it ever answered?
        self._words: deque[str] = deque(maxlen=_WORDS)  # ``info string`` and noise since the last line that was sent

    def send(self, line: str, nodes: int | None = None) -> None:
        """Write one line, which limits a search to so many `nodes`."""
        self.asked = line
        self._most_nodes = _TOO_MANY[0] * nodes + _TOO_MANY[1] if nodes else 0
        self._words.clear()
        try:
            self.process.send(line)
        except PlayerFault as fault:
            with suppress(PlayerFault):  # it says why it ended in lines that nobody has read yet
                for _ in range(MAX_WAITING):
                    self._heed(self.process.read_line(time.monotonic()).strip())
            raise self._in_its_words(fault) from None

    def pass_over(self) -> None:
        """Pass over what the engine has printed since its last answer, such as a second ``bestmove``: nobody asked."""
        for _ in range(_NOISE_LINES):
            line = self._line(time.monotonic())
            if line is None:
                return
            self._heed(line)

    def answer(
        self,
        deadline: float,
        timeout: float,
        hear: Callable[[str], None] | None = None,
        stop: Event | None = None,
        grace: float = 0.0,
    ) -> str:
        """The next line that answers what was sent last; `hear` hears ``info``, noise is passed over.

        `deadline` is one on `time.monotonic`; `timeout` is told where it was not kept. Once `stop` is set, the engine
        is sent ``stop``, and has `grace` seconds more. A program that has never answered, but printed something else,
        has no more time than `NONSENSE` from there.
        """
        wanted = self._answers.get(self.asked.partition(" ")[0], set())
        noise, until = 0, deadline
        while True:
            if stop is not None and stop.is_set():
                self.process.send("stop")
                stop, timeout = None, grace
                until = deadline = min(deadline, time.monotonic() + grace)
            line = self._line(until if stop is None else min(until, time.monotonic() + _GLANCE))
            if line is None:
                if time.monotonic() < until:
                    continue
                raise self._stall(timeout) if until == deadline else self._nonsense()
            if wanted.intersection(line.split(maxsplit=1)[:1]):
                self._greeted = True
                return line
            if self._heed(line):
                if hear is not None:
                    hear(line)
            else:
                noise += 1
                if line and not self._greeted:
                    until = min(deadline, time.monotonic() + NONSENSE)
            if noise == _NOISE_LINES:
                message = f"{self.process.program} answered {self.asked!r} with {noise} lines, the last {short(line)}"
                raise PlayerFault(Termination.PROTOCOL_ERROR, message)
            if time.monotonic() > deadline:  # it may print ``info`` for ever
                raise self._stall(timeout)

    def _line(self, until: float) -> str | None:
        try:
            line = self.process.next_line(until)
        except PlayerFault as fault:
            raise self._in_its_words(fault) from None
        return None if line is None else line.strip()

    def _heed(self, line: str) -> bool:
        """Take notice of a line that is no answer; is it one of ``info``?"""
        words = line.split(maxsplit=2)
        told = words[:1] == ["info"]
        if told:
            self._check_nodes(line)
            line = words[-1] if words[1:2] == ["string"] else ""
        if line:
            self._words.append(line)
        return told

    def _in_its_words(self, fault: PlayerFault) -> PlayerFault:
        """The fault of an engine that has ended, with what it said before."""
        if fault.termination is not Termination.CRASH or not self._words:
            return fault
        return PlayerFault(fault.termination, f"{fault}; it printed: {one_line(' / '.join(self._words), _LETTERS)}")

    def _nonsense(self) -> PlayerFault:
        answer = f"{short(self._words[-1])} and no {self.asked}ok in {NONSENSE:g} s"
        return PlayerFault(Termination.PROTOCOL_ERROR, f"{self.process.program} answered {self.asked!r} with {answer}")

    def _check_nodes(self, info: str) -> None:
        """Engines that do not know ``go nodes`` would search for ever: GNU Chess, Toga II."""
        if self._most_nodes and (found := _NODES.search(info)) and int(found[1]) > self._most_nodes:
            message = f"{self.process.program} does not heed {self.asked!r}: {found[1]} nodes by now; limit its depth"
            raise PlayerFault(Termination.PROTOCOL_ERROR, message)

    def _stall(self, timeout: float) -> PlayerFault:
        message = f"{self.process.program} gave no answer to {self.asked!r} in {timeout:g} s"
        return PlayerFault(Termination.STALL, message)


def short(text: str) -> str:
    """A text of the engine's as it may stand in a message: quoted, one line, not too long."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def best_move(line: str) -> str:
    """What stands behind ``bestmove``, without the reply to be pondered on."""
    words = line.split()[1:]
    return " ".join(words[: words.index("ponder")] if "ponder" in words else words)
