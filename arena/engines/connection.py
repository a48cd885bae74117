"""Questions and answers to a running engine of UCI (chess) or USI (shogi), which differ in little more than words."""

import time
from collections.abc import Callable, Mapping
from threading import Event

from sakiyomi.arena.engines.options import Option, option_text, parse_option
from sakiyomi.arena.engines.process import EngineProcess, not_speaking
from sakiyomi.arena.engines.talk import EngineTalk, best_move
from sakiyomi.arena.match import PlayerFault, Termination

GRACE = 10.0
"""Seconds after ``stop`` in which an engine has to say its move."""


class EngineConnection:
    """Questions and answers, one at a time, to an engine that has said ``uciok`` or ``usiok`` in `greeting` seconds.

    `protocol` is "uci" or "usi". All methods raise PlayerFault for what the engine does wrong; the caller then closes
    the connection.
    """

    def __init__(self, process: EngineProcess, protocol: str, greeting: float):
        self.process = process
        self.options: dict[str, Option] = {}
        """The engine's options by their names in small letters."""
        self._protocol = protocol
        answers = {protocol: {"id", "option", f"{protocol}ok"}, "isready": {"readyok"}, "go": {"bestmove"}}
        self._talk = EngineTalk(process, answers)
        try:
            self._greet(greeting)
        except PlayerFault as fault:
            raise not_speaking(fault, process.program, protocol.upper()) from None

    def _greet(self, timeout: float) -> None:
        """Say ``uci`` or ``usi``, and hear what options there are."""
        self._talk.send(self._protocol)
        deadline = time.monotonic() + timeout
        while not (line := self._talk.answer(deadline, timeout)).startswith(f"{self._protocol}ok"):
            if line.startswith("id"):
                continue
            try:
                option = parse_option(line)
            except ValueError as error:
                message = f"{self.process.program} answered {self._protocol!r} badly: {error}"
                raise PlayerFault(Termination.PROTOCOL_ERROR, message) from None
            self.options[option.name.lower()] = option

    def set_options(self, values: Mapping[str, bool | int | str]) -> None:
        """Set options, whose names and values `option_values` has checked."""
        for name, value in values.items():
            button = self.options[name.lower()].kind == "button"
            self._talk.send(f"setoption name {name}" + ("" if button else f" value {option_text(value)}"))

    def ready(self, timeout: float) -> None:
        """Wait until the engine is ready, which may take it its time: it reads its evaluation and its book now."""
        self._talk.send("isready")
        self._talk.answer(time.monotonic() + timeout, timeout)

    def new_game(self, timeout: float) -> None:
        """Announce a new game, and wait until the engine is ready for it."""
        if self._protocol == "usi":  # which wants the announcement behind the readiness
            self.ready(timeout)
            self._talk.send("usinewgame")
        else:
            self._talk.send("ucinewgame")
            self.ready(timeout)

    def play(
        self,
        position: str,
        go: str,
        nodes: int | None,
        timeout: float,
        hear: Callable[[str], None],
        stop: Event | None = None,
    ) -> str:
        """What the engine says to play: a move, "resign", "win" or anything else. `position` and `go` are commands.

        `hear` hears each line of ``info``. Once `stop` is set, the engine is told to say its move.
        """
        self._talk.pass_over()
        self._talk.send(position)
        self._talk.send(go, nodes)
        line = self._talk.answer(time.monotonic() + timeout, timeout, hear, stop, GRACE)
        return best_move(line)

    @property
    def asked(self) -> str:
        """The last line that was sent."""
        return self._talk.asked

    def close(self, grace: float = 1.0) -> None:
        """Tell the engine to quit and give it `grace` seconds; without any, end it at once."""
        self.process.close(farewell="quit" if grace else "", grace=grace)
