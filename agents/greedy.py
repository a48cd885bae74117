"""The greedy player: looks one ply ahead, and one more for the opponent's immediate wins."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Ending, Game, States
from sakiyomi.boards.go import Go
from sakiyomi.boards.othello import Othello
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position

REPLIES = 4096  # positions after two plies that are looked at together


class GreedyPlayer:
    """Takes what is best at once, of equals a random one.

    A move that wins at once is played; moves after which the opponent wins at once are avoided. Among the others:

    - Go: the move that gains most points by area, the board taken as it stands, so captures count double; own
      single-point eyes are never filled; a pass if no move gains a point. Replies are not looked at.
    - Othello: the most discs, where a corner counts 100, a square diagonally next to an empty corner -50 and one
      straight next to it -20.
    - Other games: any.
    """

    def __init__(self, *, name: str = "greedy", seed: int | None = None):
        self.name = name
        self._rng = np.random.default_rng(seed)

    def begin(self, game: Game, side: int, rng: np.random.Generator) -> None:
        """Take the game's random numbers from `rng`."""
        self._rng = rng

    def choose(self, position: Position, budget: Budget) -> str:
        """A legal move. Raises ValueError if the game is over."""
        game, root = position.game, position.state
        actions = position.legal_actions()
        if not len(actions):
            raise ValueError(f"no move to choose: the game is over in {position.text()}")
        sign = 1 - 2 * position.turn
        values: NDArray[np.floating[Any]]
        after = _after(game, root, actions)
        wins = game.result(after) * sign > 0
        if wins.any():
            values = wins * 1.0
        elif isinstance(game, Go):
            values = _go_gains(game, root, after, sign)
        else:
            values = _opponent_wins(game, after, sign) * -1e6
            if isinstance(game, Othello):
                values += _othello_weights(game, after) * sign
        best = actions[values == values.max()]
        return game.move_text(root, int(self._rng.choice(best)))

    def close(self) -> None:
        """Nothing to give back."""


def _after(game: Game, root: States, actions: NDArray[np.int64]) -> States:
    """The positions after each of `actions`."""
    states = np.repeat(root, len(actions))
    game.play(states, actions.astype(np.int32))
    return states


def _opponent_wins(game: Game, states: States, sign: int) -> NDArray[np.bool_]:
    """[B]: can the player to move win at once?"""
    rows, actions = np.nonzero(game.legal(states))
    lost = np.zeros(len(states), np.bool_)
    for start in range(0, len(rows), REPLIES):
        part = slice(start, start + REPLIES)
        replies = states[rows[part]]
        game.play(replies, actions[part].astype(np.int32))
        lost[rows[part][game.result(replies) * sign < 0]] = True
    return np.asarray(lost | ((game.ending(states) != Ending.ONGOING) & (game.result(states) * sign < 0)))


def _go_gains(game: Go, root: States, after: States, sign: int) -> NDArray[np.float64]:
    """Points that each move gains by area; what fills an own eye or gains nothing comes after the pass.

    Area is used whatever the rules' scoring is: territory alone would not reward a stone before the board is closed.
    """
    by_area = replace(game, scoring="area")
    gains = (by_area.score(after) - by_area.score(root)) * sign
    sensible = np.append(game.sensible(root)[0, :-1], True)[game.legal(root)[0]]
    gains[~sensible] = -np.inf
    gains[:-1][gains[:-1] <= 0] = -np.inf
    gains[-1] = 0  # the pass, always legal and the last action
    return gains


def _othello_weights(game: Othello, states: States) -> NDArray[np.float64]:
    """[B], discs of the first player less the second's, weighted."""
    boards = np.stack([game.board(state) for state in states]).astype(np.float64)
    weights = np.ones_like(boards)
    for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        beside_y, beside_x = 1 if y == 0 else -2, 1 if x == 0 else -2
        free = boards[:, y, x] == 0
        weights[:, y, x] = 100
        weights[free, beside_y, beside_x] = -50
        weights[free, y, beside_x] = weights[free, beside_y, x] = -20
    return np.asarray((boards * weights).sum(axis=(1, 2)))
