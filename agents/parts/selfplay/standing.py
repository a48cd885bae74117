"""What a game counts that self-play cuts short."""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.chess import Chess
from sakiyomi.boards.game import Game, States
from sakiyomi.boards.shogi import Shogi

CHESS_POINTS = np.array([0, 1, 3, 3, 5, 9, 0])
"""By kind of piece, as the handbooks have them."""
SHOGI_POINTS = np.array([0, 1, 3, 3, 5, 6, 8, 10, 0, 6, 6, 6, 6, 0, 10, 12])
"""By kind of piece on the board or in hand; a promoted bishop or rook is worth 2 more, other promoted pieces a gold."""
SCALE = 6
"""Points of lead whose hyperbolic tangent, 0.76, is what a game counts that is cut there: two minor pieces in chess."""


def standing(game: Game, states: States, by_material: bool = False) -> NDArray[np.float32]:
    """[n], what games cut at `states` count for the first player, -1 to 1.

    Where positions have a score (Go) its winner wins; elsewhere a cut game is a draw, or with `by_material` in chess
    and shogi as good as the first player's lead (`SCALE`): knowledge that AlphaZero does without, for runs too short to
    learn what pieces are for from mates alone. Raises ValueError for `by_material` in another game.
    """
    score = getattr(game, "final_score", None)
    if by_material:
        return np.tanh(material(game, states) / SCALE).astype(np.float32)
    if score is None or not len(states):
        return np.zeros(len(states), np.float32)
    results: NDArray[np.float32] = np.sign(score(states)).astype(np.float32)
    return results


def material(game: Game, states: States) -> NDArray[np.int64]:
    """[n], points of the first player's pieces less the second's. Raises ValueError where pieces have none."""
    if isinstance(game, Chess):
        return np.array([_worth(game.board(state), CHESS_POINTS) for state in states], np.int64)
    if isinstance(game, Shogi):
        held = [game.hands(state) @ SHOGI_POINTS[:8] for state in states]
        board = [_worth(game.board(state), SHOGI_POINTS) for state in states]
        return np.array([on + hands[0] - hands[1] for on, hands in zip(board, held, strict=True)], np.int64)
    raise ValueError(f"{game.name} cannot be judged by material: chess and shogi can")


def _worth(board: NDArray[np.int8], points: NDArray[np.int64]) -> int:
    """Points of the first player's pieces on `board` less the second's, which are negative."""
    return int((points[np.abs(board)] * np.sign(board)).sum())
