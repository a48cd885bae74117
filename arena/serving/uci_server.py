"""One of our players behind the Universal Chess Interface: the engine's side (Meyer-Kahlen, April 2006)."""

from collections.abc import Callable
from dataclasses import replace

from sakiyomi.arena.engines.options import Option, number, switch
from sakiyomi.arena.serving.go import UCI_GO
from sakiyomi.arena.serving.search import Manner
from sakiyomi.arena.serving.session import EngineSession, Value
from sakiyomi.boards.chess import Chess, notation
from sakiyomi.boards.position import Position

CHESS960, OVERHEAD = "UCI_Chess960", "Move Overhead"


def _moves(position: Position) -> list[int]:
    """The actions that are legal by the rules of moving, whatever other rule has ended the game."""
    game = position.game
    assert isinstance(game, Chess), "UCI is a protocol for chess"
    return [notation.action_of(move, game.chess960) for move in notation.moves(position.state)]


class Session(EngineSession):
    """The state of one UCI conversation; see `EngineSession`."""

    hello, overhead, first_moves, go_form = "uci", OVERHEAD, ("e2e4", "e7e5"), UCI_GO
    manner = Manner("0000", _moves)  # the null move of the specification

    def __init__(self, player_spec: str, game: Chess, seed: int | None = None, *, say: Callable[[str], None]):
        options = [switch("Ponder", False), switch(CHESS960, game.chess960), number(OVERHEAD, 20, 0, 5000)]
        super().__init__(player_spec, game, seed, say, "fen", options)

    def option_set(self, option: Option, value: Value) -> None:
        """Another kind of chess."""
        if option.name == CHESS960:
            self.change_game(replace(self.chess, chess960=bool(value)))

    @property
    def chess(self) -> Chess:
        """The rules."""
        game = self.board.game
        assert isinstance(game, Chess), "made with chess, changed to chess"
        return game
