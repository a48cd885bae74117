"""Rules of board games: what is legal, what happens, who won."""

from sakiyomi.boards.game import BadNotation, Ending, Game, IllegalMove, States, Symmetry
from sakiyomi.boards.player import RESIGN, Budget, Player
from sakiyomi.boards.position import Outcome, Position

__all__ = [
    "RESIGN",
    "BadNotation",
    "Budget",
    "Ending",
    "Game",
    "IllegalMove",
    "Outcome",
    "Player",
    "Position",
    "States",
    "Symmetry",
]
