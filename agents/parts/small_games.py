"""Alpha-beta search of limited depth for whichever of the small games it is."""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts import connect4_search, othello_search
from sakiyomi.agents.parts.tictactoe_solver import look_ahead
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.tictactoe import TicTacToe


def check_small(game: Game, player: str) -> None:
    """Raise ValueError unless `game` is tic-tac-toe, Connect Four or Othello."""
    if not isinstance(game, TicTacToe | ConnectFour | Othello):
        raise ValueError(f"{player} plays tictactoe, connect4 and othello, not {game.name}; uct:1000 plays every game")


def best_action(game: Game, root: States, depth: int, actions: NDArray[np.int64]) -> int:
    """The best of the legal `actions` in `root` [1], looking `depth` plies ahead; the first of equals."""
    if len(actions) == 1:
        return int(actions[0])
    turn, nodes = int(root["turn"][0]), np.zeros(1, np.int64)
    if isinstance(game, TicTacToe):
        return look_ahead(root, depth, actions)
    if isinstance(game, ConnectFour):
        first, second = root["stones"][0]
        own = second if turn else first
        return int(connect4_search.best_action(own, first | second, depth, actions, nodes)[0])
    assert isinstance(game, Othello), game
    first, second = root["discs"][0]
    own, other = (second, first) if turn else (first, second)
    return int(othello_search.best_action(own, other, game.size, depth, actions, nodes)[0])
