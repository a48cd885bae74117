"""Chess engines as players: the controller's side of the Universal Chess Interface (Kahlen and Meyer-Kahlen 2006)."""

import re

from sakiyomi.arena.engines.connection import EngineConnection
from sakiyomi.arena.engines.player import EnginePlayer, milliseconds
from sakiyomi.arena.engines.process import EngineProcess
from sakiyomi.arena.engines.uci_spec import UCI_SYNTAX
from sakiyomi.arena.match import PlayerFault, Termination
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.clock import Clock
from sakiyomi.boards.game import Game
from sakiyomi.boards.position import Position

_MOVE = re.compile(r"[a-h][1-8][a-h][1-8][a-z]?", re.ASCII | re.IGNORECASE)
_CHESS960 = "UCI_Chess960"
_START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"


class UciPlayer(EnginePlayer):
    """A UCI engine as a `Player` of chess and Chess960; see `EnginePlayer`."""

    syntax = UCI_SYNTAX
    _chess960 = False  # what the running engine was told

    def check(self, game: Game) -> None:
        """As `EnginePlayer.check`; Chess960 needs an option of the engine's."""
        super().check(game)
        wanted = game.name == "chess960"
        if wanted == self._chess960:
            return
        if _CHESS960.lower() not in self.started().options:
            self.kill()
            message = f"{self.program} does not play Chess960: it has no option {_CHESS960}"
            raise PlayerFault(Termination.COULD_NOT_START, message)
        self.ask(lambda engine: engine.set_options({_CHESS960: wanted}))
        self._chess960 = wanted

    def check_game(self, game: Game) -> None:  # noqa: D102
        check_game(game)

    def _connect(self, process: EngineProcess) -> EngineConnection:
        self._chess960 = False
        return super()._connect(process)

    def start_text(self, position: Position) -> str:  # noqa: D102
        game = position.game
        assert isinstance(game, Chess), game
        if game.chess960:
            return f"fen {game.shredder_fen(position.state)}"
        text = position.text()
        return "startpos" if text == _START else f"fen {text}"

    def clock_words(self, clocks: tuple[Clock, Clock], side: int) -> str:
        """As `EnginePlayer.clock_words`. UCI has no overtime: what it allows for a move is added to the time left, and
        in a byo-yomi the next move is said to be the last one; spare periods are not told of.
        """
        left = [milliseconds(_time(clock), 1) for clock in clocks]  # 0 would be no clock at all
        added = [milliseconds(clock.increment) for clock in clocks]
        words = f"wtime {left[0]} btime {left[1]} winc {added[0]} binc {added[1]}"
        own = clocks[side]
        in_byoyomi = own.byoyomi > 0 and not own.canadian and (own.overtime or own.left <= 0)
        to_go = 1 if in_byoyomi else own.moves_to_go
        return words if to_go is None else f"{words} movestogo {to_go}"

    def move_of(self, said: str) -> str | None:  # noqa: D102
        return said.lower() if _MOVE.fullmatch(said) else None


def check_game(game: Game) -> None:
    """Raises ValueError for a game that UCI engines do not play."""
    if game.name not in ("chess", "chess960"):
        raise ValueError(f"UCI engines play chess and chess960, not {game.name}")


def _time(clock: Clock) -> float:
    """What the clock allows for one move without a spare period."""
    if clock.byoyomi and not (clock.canadian and clock.overtime):
        return max(clock.left, 0.0) + clock.byoyomi
    return clock.left
