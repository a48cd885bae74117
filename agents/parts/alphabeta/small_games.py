"""Alpha-beta search of limited depth for whichever of the small games it is."""

import time
from collections.abc import Callable
from threading import Event

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.alphabeta import connect4_search, othello_search
from sakiyomi.agents.parts.solvers.tictactoe import look_ahead
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.tictactoe import TicTacToe

GROWTH = 4  # a search one ply deeper is reckoned to take so many times as long


def check_small(game: Game, player: str, others: str = "") -> None:
    """Raise ValueError unless `game` is tic-tac-toe, Connect Four or Othello; `others`: what `player` plays besides."""
    if not isinstance(game, TicTacToe | ConnectFour | Othello):
        games = f"{others}tictactoe, connect4 and othello"
        raise ValueError(f"{player} plays {games}, not {game.name}; uct:1000 plays every game")


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


def deepen(
    game: Game,
    root: States,
    actions: NDArray[np.int64],
    depth: int,
    seconds: float | None,
    stop: Event | None,
    tell: Callable[[int, int], None],
) -> int:
    """`best_action` looking 1, 2, 3... plies ahead, up to `depth`, while there is time for the next.

    Tells each depth and its best action. `stop` is looked at between two depths.
    """
    start = time.monotonic()
    for ahead in range(1, depth + 1):
        action = best_action(game, root, ahead, actions)
        tell(ahead, action)
        if seconds is not None and (time.monotonic() - start) * GROWTH > seconds:
            break
        if stop is not None and stop.is_set():
            break
    return action
