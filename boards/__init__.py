"""Rules of board games: what is legal, what happens, who won.

Names are imported when first used, so that one game does not load the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakiyomi.boards.catalog import GAMES, make_game
    from sakiyomi.boards.chess import Chess
    from sakiyomi.boards.clock import Clock
    from sakiyomi.boards.connect4 import ConnectFour
    from sakiyomi.boards.game import BadNotation, Ending, Game, IllegalMove, States, Symmetry
    from sakiyomi.boards.go import Go
    from sakiyomi.boards.othello import Othello
    from sakiyomi.boards.player import DECLARE, RESIGN, Budget, Candidate, Player, Thinker, Thought, Thoughtful
    from sakiyomi.boards.position import Outcome, Position
    from sakiyomi.boards.shogi import Shogi
    from sakiyomi.boards.tictactoe import TicTacToe

__all__ = [
    "DECLARE",
    "GAMES",
    "RESIGN",
    "BadNotation",
    "Budget",
    "Candidate",
    "Chess",
    "Clock",
    "ConnectFour",
    "Ending",
    "Game",
    "Go",
    "IllegalMove",
    "Othello",
    "Outcome",
    "Player",
    "Position",
    "Shogi",
    "States",
    "Symmetry",
    "Thinker",
    "Thought",
    "Thoughtful",
    "TicTacToe",
    "make_game",
]

_HOMES = {
    "catalog": ("GAMES", "make_game"),
    "chess": ("Chess",),
    "connect4": ("ConnectFour",),
    "game": ("BadNotation", "Ending", "Game", "IllegalMove", "States", "Symmetry"),
    "go": ("Go",),
    "othello": ("Othello",),
    "clock": ("Clock",),
    "player": ("DECLARE", "RESIGN", "Budget", "Candidate", "Player", "Thinker", "Thought", "Thoughtful"),
    "position": ("Outcome", "Position"),
    "shogi": ("Shogi",),
    "tictactoe": ("TicTacToe",),
}


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
