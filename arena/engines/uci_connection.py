"""Questions and answers between python-chess and a running chess engine.

python-chess speaks UCI (`chess.engine.UciProtocol`); the engine runs as an `EngineProcess`, which bounds what it
prints and kills whatever it started. `UciConnection` joins the two, and allows each answer its time.
"""

import asyncio
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import chess
from chess.engine import EngineError, Limit, Option, UciProtocol

from sakiyomi.arena.engines.process import EngineProcess, not_speaking
from sakiyomi.arena.engines.talk import EngineTalk, best_move
from sakiyomi.arena.match import PlayerFault, Termination

T = TypeVar("T")

_ANSWERS = {"uci": {"id", "option", "uciok"}, "isready": {"readyok"}, "go": {"bestmove"}}


class UciConnection:
    """Questions and answers, one at a time, to an engine that has said ``uciok`` in `greeting` seconds.

    It has been ready `timeout` seconds later at most. All methods raise PlayerFault for what the engine does wrong; the
    caller then closes the connection.
    """

    def __init__(self, process: EngineProcess, greeting: float, timeout: float):
        self.process = process
        self._talk = EngineTalk(process, _ANSWERS)
        self._pipe = _Pipe(self._talk)
        self._loop = asyncio.new_event_loop()  # python-chess's futures need one; it runs while a question is asked
        weakref.finalize(self, self._loop.close)
        self._bestmove = ""
        self.protocol = self._run(self._connected())
        try:
            self.ask(self.protocol.initialize, greeting)
        except PlayerFault as fault:
            raise not_speaking(fault, process.program, "UCI") from None
        except EngineError as error:
            raise PlayerFault(Termination.PROTOCOL_ERROR, f"{process.program} answered 'uci' badly: {error}") from None
        self.ask(self.protocol.ping, timeout)
        self.protocol.first_game = False  # a new game is announced by `new_game`, while no clock runs

    @property
    def options(self) -> Mapping[str, Option]:
        """The engine's options; their names are found in any case."""
        return self.protocol.options

    def configure(self, options: Mapping[str, Any], timeout: float) -> None:
        """Set options, whose names and values `option_values` has checked."""
        self.ask(lambda: self.protocol.configure(options), timeout)
        self.ask(self.protocol.ping, timeout)

    def new_game(self, timeout: float) -> None:
        """Announce a new game, and wait until the engine is ready for it."""
        self.protocol.send_line("ucinewgame")
        self.ask(self.protocol.ping, timeout)

    def play(self, board: chess.Board, limit: Limit, timeout: float) -> str:
        """The engine's move; what is none, or cannot be played, stands there as the engine wrote it."""
        self._bestmove = ""
        self._pipe.nodes = limit.nodes
        try:
            move = self.ask(lambda: self.protocol.play(board, limit), timeout).move
        except EngineError:
            move = None
        return board.uci(move) if move else self._bestmove

    def ask(self, question: Callable[[], Coroutine[Any, Any, T]], timeout: float) -> T:
        """The result of one of python-chess's commands, for which the engine has `timeout` seconds."""
        return self._run(self._answer(question, timeout))

    @property
    def asked(self) -> str:
        """The last line that was sent."""
        return self._talk.asked

    def close(self, grace: float = 1.0) -> None:
        """Tell the engine to quit and give it `grace` seconds; without any, end it at once."""
        self._pipe.closed = True
        self.process.close(farewell="quit" if grace else "", grace=grace)
        self._loop.close()

    async def _connected(self) -> UciProtocol:
        protocol = UciProtocol()
        protocol.connection_made(self._pipe)  # type: ignore[arg-type]
        return protocol

    async def _answer(self, question: Callable[[], Coroutine[Any, Any, T]], timeout: float) -> T:
        deadline = time.monotonic() + timeout
        asked = asyncio.ensure_future(question())
        try:
            await asyncio.sleep(0)  # lets it be sent
            while not asked.done():
                self.protocol.pipe_data_received(1, self._line(deadline, timeout).encode() + b"\n")
                await asyncio.sleep(0)  # lets it be understood
        except BaseException:
            self._pipe.closed = True
            asked.cancel()
            await asyncio.wait([asked])
            raise
        return asked.result()

    def _line(self, deadline: float, timeout: float) -> str:
        """The next line that answers what was asked, a move without the reply to be pondered on."""
        line = self._talk.answer(deadline, timeout)
        if line.startswith("bestmove"):
            self._bestmove = best_move(line)
            return f"bestmove {self._bestmove}"
        return line

    def _run(self, asking: Coroutine[Any, Any, T]) -> T:
        """Run the private loop; in a thread of its own where this thread runs another, as in a notebook."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._loop.run_until_complete(asking)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._loop.run_until_complete, asking).result()


class _Pipe:
    """What python-chess takes for asyncio's transport: it writes to the engine's process."""

    def __init__(self, talk: EngineTalk):
        self._talk = talk
        self.nodes: int | None = None  # to which the search that is asked for is limited
        self.closed = False

    def get_pipe_transport(self, fd: int) -> "_Pipe":
        return self

    def get_pid(self) -> int:
        return self._talk.process.pid

    def write(self, data: bytes) -> None:
        if not self.closed:
            self._talk.send(data.decode().removesuffix("\n"), self.nodes)
