"""Who is stronger: matches, tournaments, ratings, engines, reports and the command line.

Public names are imported when first used, so that `sakiyomi --help` answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakiyomi.arena.adjudication import Adjudication
    from sakiyomi.arena.clock import TimeControl, parse_time
    from sakiyomi.arena.match import Played, PlayerFault, Termination
    from sakiyomi.arena.pages.report import write_report
    from sakiyomi.arena.players import make_player
    from sakiyomi.arena.playing import Conditions, play, play_game
    from sakiyomi.arena.rating.anchors import Anchor
    from sakiyomi.arena.rating.bootstrap import bootstrap_ratings
    from sakiyomi.arena.rating.head_to_head import Duel, duel
    from sakiyomi.arena.rating.joint import Fit, Prior, Rating, fit, ratings
    from sakiyomi.arena.rating.results import Results
    from sakiyomi.arena.rating.sequential import Sprt, Verdict, sprt
    from sakiyomi.arena.schedules.fixed import gauntlet, ladder, round_robin
    from sakiyomi.arena.schedules.schedule import Pairing
    from sakiyomi.arena.seat import AgentPlayer
    from sakiyomi.arena.tasks.tournament import TaskTournament
    from sakiyomi.arena.tournament import Tournament
    from sakiyomi.boards.player import RESIGN, Budget, Player

_HOMES = {
    "AgentPlayer": "sakiyomi.arena.seat",
    "Anchor": "sakiyomi.arena.rating.anchors",
    "Results": "sakiyomi.arena.rating.results",
    "RESIGN": "sakiyomi.boards.player",
    "Adjudication": "sakiyomi.arena.adjudication",
    "Budget": "sakiyomi.boards.player",
    "Conditions": "sakiyomi.arena.playing",
    "TimeControl": "sakiyomi.arena.clock",
    "parse_time": "sakiyomi.arena.clock",
    "Pairing": "sakiyomi.arena.schedules.schedule",
    "Played": "sakiyomi.arena.match",
    "Player": "sakiyomi.boards.player",
    "PlayerFault": "sakiyomi.arena.match",
    "Fit": "sakiyomi.arena.rating.joint",
    "Prior": "sakiyomi.arena.rating.joint",
    "Rating": "sakiyomi.arena.rating.joint",
    "bootstrap_ratings": "sakiyomi.arena.rating.bootstrap",
    "fit": "sakiyomi.arena.rating.joint",
    "Termination": "sakiyomi.arena.match",
    "TaskTournament": "sakiyomi.arena.tasks.tournament",
    "Tournament": "sakiyomi.arena.tournament",
    "make_player": "sakiyomi.arena.players",
    "play": "sakiyomi.arena.playing",
    "play_game": "sakiyomi.arena.playing",
    "ratings": "sakiyomi.arena.rating.joint",
    "Duel": "sakiyomi.arena.rating.head_to_head",
    "duel": "sakiyomi.arena.rating.head_to_head",
    "gauntlet": "sakiyomi.arena.schedules.fixed",
    "ladder": "sakiyomi.arena.schedules.fixed",
    "round_robin": "sakiyomi.arena.schedules.fixed",
    "Sprt": "sakiyomi.arena.rating.sequential",
    "Verdict": "sakiyomi.arena.rating.sequential",
    "sprt": "sakiyomi.arena.rating.sequential",
    "write_report": "sakiyomi.arena.pages.report",
}

__all__ = [
    "RESIGN",
    "Adjudication",
    "AgentPlayer",
    "Anchor",
    "Budget",
    "Conditions",
    "Duel",
    "Fit",
    "Pairing",
    "Played",
    "Player",
    "PlayerFault",
    "Prior",
    "Rating",
    "Results",
    "Sprt",
    "TaskTournament",
    "Termination",
    "TimeControl",
    "Tournament",
    "Verdict",
    "bootstrap_ratings",
    "duel",
    "fit",
    "gauntlet",
    "ladder",
    "make_player",
    "parse_time",
    "play",
    "play_game",
    "ratings",
    "round_robin",
    "sprt",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
