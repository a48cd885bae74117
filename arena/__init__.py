"""Who is stronger: matches, tournaments, ratings, engines, reports and the command line.

Public names are imported when first used, so that `sakiyomi --help` answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakiyomi.arena.head_to_head import Duel, duel
    from sakiyomi.arena.match import Played, PlayerFault, Termination, play, play_game
    from sakiyomi.arena.players import make_player
    from sakiyomi.arena.rating import Fit, Prior, Rating, fit, ratings
    from sakiyomi.arena.rating_bootstrap import bootstrap_ratings
    from sakiyomi.arena.report import write_report
    from sakiyomi.arena.schedule import Pairing
    from sakiyomi.arena.schedule_fixed import gauntlet, ladder, round_robin
    from sakiyomi.arena.sprt import Sprt
    from sakiyomi.arena.tournament import Tournament
    from sakiyomi.boards.player import RESIGN, Budget, Player

_HOMES = {
    "RESIGN": "sakiyomi.boards.player",
    "Budget": "sakiyomi.boards.player",
    "Pairing": "sakiyomi.arena.schedule",
    "Played": "sakiyomi.arena.match",
    "Player": "sakiyomi.boards.player",
    "PlayerFault": "sakiyomi.arena.match",
    "Fit": "sakiyomi.arena.rating",
    "Prior": "sakiyomi.arena.rating",
    "Rating": "sakiyomi.arena.rating",
    "bootstrap_ratings": "sakiyomi.arena.rating_bootstrap",
    "fit": "sakiyomi.arena.rating",
    "Termination": "sakiyomi.arena.match",
    "Tournament": "sakiyomi.arena.tournament",
    "make_player": "sakiyomi.arena.players",
    "play": "sakiyomi.arena.match",
    "play_game": "sakiyomi.arena.match",
    "ratings": "sakiyomi.arena.rating",
    "Duel": "sakiyomi.arena.head_to_head",
    "duel": "sakiyomi.arena.head_to_head",
    "gauntlet": "sakiyomi.arena.schedule_fixed",
    "ladder": "sakiyomi.arena.schedule_fixed",
    "round_robin": "sakiyomi.arena.schedule_fixed",
    "Sprt": "sakiyomi.arena.sprt",
    "write_report": "sakiyomi.arena.report",
}

__all__ = [
    "RESIGN",
    "Budget",
    "Duel",
    "Fit",
    "Pairing",
    "Played",
    "Player",
    "PlayerFault",
    "Prior",
    "Rating",
    "Sprt",
    "Termination",
    "Tournament",
    "bootstrap_ratings",
    "duel",
    "fit",
    "gauntlet",
    "ladder",
    "make_player",
    "play",
    "play_game",
    "ratings",
    "round_robin",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
