"""Who is stronger: matches, tournaments, ratings, engines, reports and the command line.

Public names are imported when first used, so that `sakiyomi --help` answers at once.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakiyomi.arena.match import Played, PlayerFault, Termination, play, play_game
    from sakiyomi.arena.players import make_player
    from sakiyomi.arena.ratings import Rating, ratings
    from sakiyomi.arena.report import write_report
    from sakiyomi.arena.schedule import Pairing, round_robin
    from sakiyomi.arena.tournament import Tournament
    from sakiyomi.boards.player import RESIGN, Budget, Player

_HOMES = {
    "RESIGN": "sakiyomi.boards.player",
    "Budget": "sakiyomi.boards.player",
    "Pairing": "sakiyomi.arena.schedule",
    "Played": "sakiyomi.arena.match",
    "Player": "sakiyomi.boards.player",
    "PlayerFault": "sakiyomi.arena.match",
    "Rating": "sakiyomi.arena.ratings",
    "Termination": "sakiyomi.arena.match",
    "Tournament": "sakiyomi.arena.tournament",
    "make_player": "sakiyomi.arena.players",
    "play": "sakiyomi.arena.match",
    "play_game": "sakiyomi.arena.match",
    "ratings": "sakiyomi.arena.ratings",
    "round_robin": "sakiyomi.arena.schedule",
    "write_report": "sakiyomi.arena.report",
}

__all__ = [
    "RESIGN",
    "Budget",
    "Pairing",
    "Played",
    "Player",
    "PlayerFault",
    "Rating",
    "Termination",
    "Tournament",
    "make_player",
    "play",
    "play_game",
    "ratings",
    "round_robin",
    "write_report",
]


class _Arena(ModuleType):
    """This package: a function that is called like its module (`ratings`) is not hidden by the module."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and name in _HOMES:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *_HOMES})


sys.modules[__name__].__class__ = _Arena
