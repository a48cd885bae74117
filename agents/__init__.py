"""How to choose and how to learn: players, search, and an agent for each paper.

Names are imported when they are first used, so that one player does not load what another needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakiyomi.agents.alphabeta import AlphaBetaPlayer
    from sakiyomi.agents.alphago.agent import AlphaGo
    from sakiyomi.agents.alphago_zero import AlphaGoZero
    from sakiyomi.agents.alphazero import AlphaZero
    from sakiyomi.agents.dreamer import Dreamer
    from sakiyomi.agents.dreamerv2 import DreamerV2
    from sakiyomi.agents.gp_mpc import GPMPC
    from sakiyomi.agents.gpdm import GPDM
    from sakiyomi.agents.greedy import GreedyPlayer
    from sakiyomi.agents.muzero import MuZero
    from sakiyomi.agents.perfect import PerfectPlayer
    from sakiyomi.agents.pets import PETS
    from sakiyomi.agents.planet import PlaNet
    from sakiyomi.agents.random_player import RandomPlayer
    from sakiyomi.agents.uct import UCTPlayer
    from sakiyomi.agents.world_models import WorldModels

__all__ = [
    "GPDM",
    "GPMPC",
    "PETS",
    "AlphaBetaPlayer",
    "AlphaGo",
    "AlphaGoZero",
    "AlphaZero",
    "Dreamer",
    "DreamerV2",
    "GreedyPlayer",
    "MuZero",
    "PerfectPlayer",
    "PlaNet",
    "RandomPlayer",
    "UCTPlayer",
    "WorldModels",
]

_HOMES = {
    "GPDM": "gpdm",
    "GPMPC": "gp_mpc",
    "PETS": "pets",
    "AlphaBetaPlayer": "alphabeta",
    "AlphaGo": "alphago.agent",
    "AlphaGoZero": "alphago_zero",
    "AlphaZero": "alphazero",
    "Dreamer": "dreamer",
    "DreamerV2": "dreamerv2",
    "GreedyPlayer": "greedy",
    "MuZero": "muzero",
    "PerfectPlayer": "perfect",
    "PlaNet": "planet",
    "RandomPlayer": "random_player",
    "UCTPlayer": "uct",
    "WorldModels": "world_models",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise ModuleNotFoundError(
            f'{name} needs {error.name}: pip install "sakiyomi[torch]"', name=error.name
        ) from None


def __dir__() -> list[str]:
    return __all__
