"""Rules of board games: what is legal, what happens, who won."""

from sakiyomi.boards.catalog import GAMES, make_game
from sakiyomi.boards.chess import Chess
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import BadNotation, Ending, Game, IllegalMove, States, Symmetry
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.player import RESIGN, Budget, Player
from sakiyomi.boards.position import Outcome, Position
from sakiyomi.boards.tictactoe import TicTacToe

__all__ = [
    "GAMES",
    "RESIGN",
    "BadNotation",
    "Budget",
    "Chess",
    "ConnectFour",
    "Ending",
    "Game",
    "Go",
    "IllegalMove",
    "Othello",
    "Outcome",
    "Player",
    "Position",
    "States",
    "Symmetry",
    "TicTacToe",
    "make_game",
]
