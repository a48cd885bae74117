"""Chess engines as players: the controller's side of the Universal Chess Interface (Kahlen and Meyer-Kahlen 2006).

`UciPlayer` keeps an engine in step with any position and asks for moves over a `UciConnection`.
"""

import re
from collections.abc import Mapping
from typing import Any

import chess
from chess.engine import EngineError, Limit, Option

from sakiyomi.arena.engines.player import EnginePlayer, taken_back
from sakiyomi.arena.engines.process import EngineProcess
from sakiyomi.arena.engines.spec import Limits, unknown_option
from sakiyomi.arena.engines.uci_connection import UciConnection
from sakiyomi.arena.engines.uci_spec import UCI_SYNTAX
from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.boards.game import Game
from sakiyomi.boards.position import Position

_MOVE = re.compile(r"[a-h][1-8][a-h][1-8][a-z]?", re.ASCII | re.IGNORECASE)
_LONG = 700  # moves sent with a position: a line of 4096 bytes, which a pipe takes whole
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class UciPlayer(EnginePlayer[UciConnection]):
    """A UCI engine as a `Player` of chess and Chess960; see `EnginePlayer`."""

    def check(self, game: Game) -> None:
        """As `EnginePlayer.check`; Chess960 needs an option of the engine's."""
        super().check(game)
        if game.name == "chess960" and "UCI_Chess960" not in self.started().options:
            self.kill()
            message = f"{self.program} does not play Chess960: it has no option UCI_Chess960"
            raise PlayerFault(Termination.COULD_NOT_START, message)

    def check_game(self, game: Game) -> None:  # noqa: D102
        check_game(game)

    def connect(self, process: EngineProcess) -> UciConnection:  # noqa: D102
        engine = UciConnection(process, self.start_timeout, self.move_timeout)
        if self.options:
            engine.configure(option_values(self.program, engine.options, self.options), self.move_timeout)
        return engine

    def forget(self) -> None:  # noqa: D102
        self._known: tuple[str, tuple[int, ...], bytes] = ("", (), b"")  # game, actions and state that `_board` shows
        self._board = chess.Board()

    def follow(self, position: Position) -> chess.Board:
        """`position` as python-chess's board."""
        game, actions = position.game, position.actions
        name, known, state = self._known
        before, moves = taken_back(position, len(actions) - len(known))
        if (name, known, state) != (game.name, actions[: len(known)], before.state.tobytes()):
            before, moves = taken_back(position, len(actions))
            self._board = chess.Board(before.text(), chess960=game.name == "chess960")
        for move in moves:
            self._board.push(chess.Move.from_uci(move))
        if len(self._board.move_stack) > _LONG:
            self._board = _since_irreversible(self._board)
        self._known = (game.name, actions, position.state.tobytes())
        return self._board

    def play(self, engine: UciConnection, told: chess.Board, limits: Limits, timeout: float) -> str:  # noqa: D102
        return engine.play(told, self._told(limits), timeout)

    def move_of(self, said: str) -> str | None:  # noqa: D102
        return said.lower() if _MOVE.fullmatch(said) else None

    def _told(self, limits: Limits) -> Limit:
        """`limits` as python-chess has them. The other side's clock is unknown: it is said to show the same."""
        told = Limit(time=limits.movetime, depth=limits.depth, nodes=limits.nodes)
        if limits.clock:
            told.white_clock = told.black_clock = self.left
            told.white_inc = told.black_inc = limits.clock[1]
        return told


def check_game(game: Game) -> None:
    """Raises ValueError for a game that UCI engines do not play."""
    if game.name not in ("chess", "chess960"):
        raise ValueError(f"UCI engines play chess and chess960, not {game.name}")


def option_values(program: str, known: Mapping[str, Option], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`wanted` by the names, and with the values, that the engine's options take.

    A limit of strength (UCI_Elo) switches UCI_LimitStrength on, without which engines ignore it. Raises ValueError
    for an option that the engine does not have and for a value that it does not take.
    """
    values: dict[str, Any] = {}
    for key, value in wanted.items():
        option = known.get(key)
        if option is None:
            raise ValueError(unknown_option(program, key, [option.name for option in known.values()], UCI_SYNTAX.forms))
        if option.type == "check":
            value = _truth(program, option.name, value)
        try:
            values[option.name] = option.parse(value)
        except EngineError as error:
            raise ValueError(f"{program}: {error}") from None
    if "UCI_Elo" in values and "UCI_LimitStrength" in known:
        values.setdefault("UCI_LimitStrength", True)
    return values


def _truth(program: str, name: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in _YES + _NO:
        raise ValueError(f"{program}: option {name!r} is true or false, not {value!r}")
    return text in _YES


def _since_irreversible(board: chess.Board) -> chess.Board:
    """`board` with no more of its past than repetitions can reach back."""
    start, moves = board.copy(), []
    while start.halfmove_clock and start.move_stack:
        moves.append(start.pop())
    recent = start.copy(stack=False)
    for move in reversed(moves):
        recent.push(move)
    return recent
