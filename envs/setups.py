"""What `reset(options=...)` of the board environments takes: a set-up position and an opening."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sakiyomi.boards import Chess, Game, Position
from sakiyomi.boards.game import States


def usual_starts(game: Game) -> States | None:
    """[960], the starts of Chess960, of which each game draws one; None for games with one start."""
    return game.start(np.arange(960)) if isinstance(game, Chess) and game.chess960 else None


def set_up(game: Game, options: Mapping[str, Any] | None) -> Position | None:
    """The position of ``options["setup"]`` (a text or a `Position`) after the moves ``options["opening"]``.

    None if neither is given. Other options are left to others. Raises ValueError (BadNotation, IllegalMove) for a text
    that is no position, a move that is not legal, and a position where the game is over.
    """
    setup, opening = (options or {}).get("setup"), (options or {}).get("opening", ())
    if setup is None and not opening:
        return None
    if isinstance(setup, Position) and setup.game != game:
        raise ValueError(f"the set-up is a position of {setup.game.name}, the game is {game.name}")
    position = setup.copy() if isinstance(setup, Position) else Position(game, setup)
    for move in opening.split() if isinstance(opening, str) else opening:
        position.play(move)
    if outcome := position.outcome():
        raise ValueError(f"the game is over in {position.text()} ({outcome.ending.text}): nothing is left to play")
    return position
