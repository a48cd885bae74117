"""What fixes the games of a tournament, as JSON in its store: reading it, and how it may grow."""

import dataclasses
from pathlib import Path
from types import NoneType
from typing import Any

from sakiyomi.arena.schedules.spec import ROUND_ROBIN, ScheduleSpec, Stage, parse_schedule
from sakiyomi.arena.store import Store, StoreError
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game

_SHAPE: dict[str, Any] = {
    "game": str,
    "options": dict,
    "players": list,
    "schedule": str,
    "stages": list,
    "games": int,
    "openings": (str, list),
    "seed": int,
    "simulations": (int, NoneType),
    "seconds": (int, float, NoneType),
    "depth": (int, NoneType),
    "margin": (int, float),
    "clock": dict,
    "adjudication": dict,
    "annotate": bool,
    "restart": bool,
}
_LATER: dict[str, Any] = {
    "schedule": ROUND_ROBIN,
    "stages": [],
    "depth": None,
    "clock": {},
    "adjudication": {},
    "annotate": False,
    "restart": False,
}
"""What tournaments had before there were these settings."""


def config_of(store: Store) -> dict[str, Any]:
    """The configuration in a store. Raises StoreError unless it is one of a tournament."""
    config = _LATER | store.config
    for key, kind in _SHAPE.items():
        if key not in config or not isinstance(config[key], kind):
            raise StoreError(f"{store.path} is damaged (its configuration has no proper {key!r}); restore a copy")
    pairs = config["players"]
    if not all(isinstance(p, list) and len(p) == 2 and all(isinstance(text, str) for text in p) for p in pairs):
        raise StoreError(f"{store.path} is damaged (its configuration has no proper 'players'); restore a copy")
    if not all(isinstance(s, list) and len(s) == 2 and all(isinstance(n, int) for n in s) for s in config["stages"]):
        raise StoreError(f"{store.path} is damaged (its configuration has no proper 'stages'); restore a copy")
    return config


def check_resumed(path: Path, stored: dict[str, Any], config: dict[str, Any], form: ScheduleSpec) -> list[Stage]:
    """The schedules from which the tournament `stored` in `path` has grown to `config`.

    Raises ValueError unless it may be resumed with these settings.
    """
    for key, value in config.items():
        if stored[key] != value and not (key == "stages" or _grown(key, stored[key], value, form)):
            raise ValueError(
                f"{path} cannot be resumed: {key} was {_shown(stored[key])}, is now {_shown(value)}"
                f"{_MAY_GROW.get(key, '')}"
            )
    before, now = ((len(each["players"]), each["games"]) for each in (stored, config))
    stages = [(players, games) for players, games in stored["stages"]]
    return stages if before == now or not form.grows else [*stages, before]


_MAY_GROW = {
    "games": "; it can only grow",
    "players": "; others can only be added after them, and not to a Swiss tournament or a test",
    "schedule": "; only a Swiss tournament can go on, for more rounds",
}


def _grown(key: str, before: Any, now: Any, form: ScheduleSpec) -> bool:
    """Is `now` what the setting `before` of a stored tournament may grow to?"""
    if key == "games":
        return bool(before < now) and form.kind != "swiss"
    if key == "players":
        return form.grows and bool(now[: len(before)] == before)
    if key == "schedule" and form.kind == "swiss":
        old = parse_schedule(before)
        return old.kind == "swiss" and old.number < form.number
    return False


def game_options(game: Game) -> dict[str, Any]:
    """How `game` differs from the one that `make_game` makes of its name: options that make it again."""
    try:
        plain = make_game(game.name)
    except ValueError:
        return {}  # a game of somebody else's: its name is all there is to compare
    if not dataclasses.is_dataclass(game) or isinstance(game, type):
        return {}
    fields = [field.name for field in dataclasses.fields(game) if field.init]
    return {name: getattr(game, name) for name in fields if getattr(game, name) != getattr(plain, name)}


def _shown(value: Any) -> str:
    text = ", ".join(f"{name}={spec}" for name, spec in value) if _is_players(value) else repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _is_players(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, list) for entry in value)
