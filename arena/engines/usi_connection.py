"""Questions and answers to a running shogi engine, in the Universal Shogi Interface."""

import time
from collections.abc import Mapping

from sakiyomi.arena.engines.options import Option, option_text, parse_option
from sakiyomi.arena.engines.process import EngineProcess, not_speaking
from sakiyomi.arena.engines.talk import EngineTalk, best_move
from sakiyomi.arena.match import PlayerFault, Termination

_ANSWERS = {"usi": {"id", "option", "usiok"}, "isready": {"readyok"}, "go": {"bestmove"}}


class UsiConnection:
    """Questions and answers, one at a time, to an engine that has said ``usiok`` in `greeting` seconds.

    All methods raise PlayerFault for what the engine does wrong; the caller then closes the connection.
    """

    def __init__(self, process: EngineProcess, greeting: float):
        self.process = process
        self.options: dict[str, Option] = {}
        """The engine's options by their names in small letters."""
        self._talk = EngineTalk(process, _ANSWERS)
        try:
            self._greet(greeting)
        except PlayerFault as fault:
            raise not_speaking(fault, process.program, "USI") from None

    def _greet(self, timeout: float) -> None:
        """Say ``usi``, and hear what options there are."""
        self._talk.send("usi")
        deadline = time.monotonic() + timeout
        while not (line := self._talk.answer(deadline, timeout)).startswith("usiok"):
            if line.startswith("id"):
                continue
            try:
                option = parse_option(line)
            except ValueError as error:
                message = f"{self.process.program} answered 'usi' badly: {error}"
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
        """Announce a new game, once the engine is ready for it."""
        self.ready(timeout)
        self._talk.send("usinewgame")

    def play(self, position: str, go: str, nodes: int | None, timeout: float) -> str:
        """What the engine says to play: a move, "resign", "win" or anything else. `position` and `go` are commands."""
        self._talk.send(position)
        self._talk.send(go, nodes)
        return best_move(self._talk.answer(time.monotonic() + timeout, timeout))

    @property
    def asked(self) -> str:
        """The last line that was sent."""
        return self._talk.asked

    def close(self, grace: float = 1.0) -> None:
        """Tell the engine to quit and give it `grace` seconds; without any, end it at once."""
        self.process.close(farewell="quit" if grace else "", grace=grace)
