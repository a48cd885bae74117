"""Which moves a player may choose among."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.position import Position


def allowed_actions(position: Position, moves: Sequence[str] | None) -> NDArray[np.int64]:
    """The legal actions, ascending, or those of `moves`, each once.

    Raises ValueError if the game is over or `moves` is empty, IllegalMove or BadNotation for what `moves` holds.
    """
    actions = position.legal_actions()
    if not len(actions):
        raise ValueError(f"no move to choose: the game is over in {position.text()}")
    if moves is None:
        return actions
    if not moves:
        raise ValueError(f"no move to choose among in {position.text()}: the list of moves is empty")
    return np.unique(np.array([position.action(move) for move in moves], np.int64))
