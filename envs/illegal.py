"""What happens to actions that are not legal: they are told apart, and it is told why."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import Game, States

Illegal = Literal["lose", "raise"]


def check_illegal(illegal: Any) -> Illegal:
    """`illegal` if it is one of the two. Raises ValueError for others."""
    if illegal == "lose" or illegal == "raise":
        return illegal  # type: ignore[no-any-return]
    raise ValueError(f'illegal is "lose" or "raise", got {illegal!r}')


def number(action: Any) -> int | None:
    """The action as a whole number; None for what is none."""
    try:
        return int(action.__index__())
    except (AttributeError, TypeError):
        return None


def legal_number(action: Any, mask: NDArray[np.bool_]) -> int | None:
    """The number of a legal action by `mask` [A]; None for any other."""
    played = number(action)
    return played if played is not None and 0 <= played < len(mask) and mask[played] else None


def why_illegal(game: Game, states: States, action: Any) -> str:
    """In one line, why `action` is not legal in `states` [1]."""
    played = number(action)
    if played is None or not 0 <= played < game.num_actions:
        return f"action {action!r} is not one of {game.name}'s 0..{game.num_actions - 1}"
    state = states.copy()
    move, place = game.move_text(state, played), game.position_text(state)
    return f"illegal move {move} (action {played}) in {place}: {game.why_illegal(state, played)}"
