"""One of our players behind the Universal Chess Interface: the engine's side (Meyer-Kahlen, April 2006)."""

from collections.abc import Callable
from dataclasses import replace

from sakiyomi.arena.engine_go import UCI_GO
from sakiyomi.arena.engine_options import Option, number, switch
from sakiyomi.arena.engine_search import Manner
from sakiyomi.arena.engine_session import EngineSession, Value
from sakiyomi.boards.chess import Chess, notation
from sakiyomi.boards.position import Position

CHESS960, OVERHEAD = "UCI_Chess960", "Move Overhead"


def _any_move(position: Position) -> str | None:
    """The first move by the rules of moving, whatever other rule has ended the game."""
    game = position.game
    assert isinstance(game, Chess), "UCI is a protocol for chess"
    moves = notation.moves(position.state)
    return game.move_text(position.state, notation.action_of(moves[0], game.chess960)) if moves else None


class Session(EngineSession):
    """The state of one UCI conversation; see `EngineSession`."""

    hello, overhead, first_moves, go_form = "uci", OVERHEAD, ("e2e4", "e7e5"), UCI_GO
    manner = Manner("0000", _any_move)  # the null move of the specification

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
