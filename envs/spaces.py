"""The spaces of a game's observations and actions."""

from typing import Any

import numpy as np

try:
    from gymnasium import spaces
except ImportError as error:
    from sakiyomi.envs.extras import missing

    raise ImportError(missing("an environment of a board game", "gymnasium")) from error

from sakiyomi.boards.game import Game

MOST_COUNT = 256.0
"""No plane of chess and shogi (pieces in hand, plies / 512, the clock / 100) gets as high."""
COUNTING = ("chess", "chess960", "shogi")


def planes_space(game: Game) -> spaces.Box:
    """float32 [C, Y, X] as `Game.observe` gives them: 0 or 1, in chess and shogi also counts, never negative."""
    return spaces.Box(0.0, MOST_COUNT if game.name in COUNTING else 1.0, game.planes, np.float32)


def mask_space(game: Game) -> spaces.Box:
    """int8 [A], 1 for a legal action."""
    return spaces.Box(0, 1, (game.num_actions,), np.int8)


def masked_space(game: Game) -> spaces.Dict:
    """Planes and mask, under the names that PettingZoo's board games use."""
    return spaces.Dict({"observation": planes_space(game), "action_mask": mask_space(game)})


def action_space(game: Game) -> "spaces.Discrete[Any]":
    """The game's actions by number."""
    return spaces.Discrete(game.num_actions)
