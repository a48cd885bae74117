"""What an engine answers: lines that mean something told from noise, under a deadline."""

import re
import time
from collections.abc import Mapping

from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.arena.process import EngineProcess

_NODES = re.compile(r"\bnodes (\d+)", re.ASCII)
_TOO_MANY = 10, 1_000_000  # times a limit of nodes, and nodes more: an engine that goes on so far does not know it
_NOISE_LINES = 4096  # what an engine may print for one question beside its answer and ``info``


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

    def send(self, line: str, nodes: int | None = None) -> None:
        """Write one line, which limits a search to so many `nodes`."""
        self.asked = line
        self._most_nodes = _TOO_MANY[0] * nodes + _TOO_MANY[1] if nodes else 0
        self.process.send(line)

    def answer(self, deadline: float, timeout: float) -> str:
        """The next line that answers what was sent last; ``info`` and noise are passed over.

        `deadline` is one on `time.monotonic`; `timeout` is told where it was not kept.
        """
        wanted = self._answers.get(self.asked.partition(" ")[0], set())
        noise = 0
        while True:
            try:
                line = self.process.read_line(deadline).strip()
            except PlayerFault as fault:
                if fault.termination is not Termination.STALL:
                    raise
                raise self._stall(timeout) from None
            word, _, rest = line.partition(" ")
            if word in wanted:
                return line
            if word == "info":
                self._check_nodes(rest)
            else:
                noise += 1
            if noise == _NOISE_LINES:
                message = f"{self.process.program} answered {self.asked!r} with {noise} lines, the last {short(line)}"
                raise PlayerFault(Termination.PROTOCOL_ERROR, message)
            if time.monotonic() > deadline:  # it may print ``info`` for ever
                raise self._stall(timeout)

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
    return line.partition("bestmove")[2].partition(" ponder")[0].strip()
