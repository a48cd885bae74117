"""What a tournament is given: players, clocks, openings and numbers, refused with a reason or made ready."""

import math
import pickle
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from sakiyomi.arena.clock import TimeControl, parse_time
from sakiyomi.arena.folder import Folder
from sakiyomi.arena.players import check_name, check_player, parse_spec
from sakiyomi.arena.running.local import processors
from sakiyomi.arena.schedules.openings import check_opening, load_openings
from sakiyomi.arena.schedules.schedule import Opening
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget, Player

EVERYBODY = "*"
"""Whose clock is that of all players who have none of their own."""

Players = Sequence[str | Player] | Mapping[str, str | Player]


def admitted(players: Players, game: Game) -> tuple[dict[str, str], dict[str, Player]]:
    """Specs by name and objects by name."""
    specs: dict[str, str] = {}
    objects: dict[str, Player] = {}
    named = players.items() if isinstance(players, Mapping) else ((None, player) for player in players)
    for given, player in named:
        if isinstance(player, str):
            spec = check_player(player, game)
            name, kept = spec.name if given is None else given, spec.text
            table: dict[str, Any] = specs
        else:
            name, kept, table = player.name if given is None else given, player, objects  # type: ignore[assignment]
        check_name(name)
        if name in specs or name in objects:
            raise ValueError(f"two players are called {name!r}; name one of them otherwise, as in other={kept}")
        table[name] = kept
    return specs, objects


def check_numbers(games: Any, seed: Any, workers: Any, margin: Any, patience: Any) -> None:
    """Raises ValueError for numbers that no tournament can have."""
    for name, value, least in (("games for each pair", games, 1), ("the seed", seed, 0), ("workers", workers, 0)):
        if (name, value) == ("workers", None):
            continue
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise ValueError(f"{name} must be a whole number, got {value!r}")
        if value < least:
            raise ValueError(f"{name} must be {least} or more, got {value}")
    for name, value in (("margin", margin), ("patience", patience)):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
            raise ValueError(f"{name} must be a number of seconds, 0 or more, got {value!r}")
    if patience == 0:
        raise ValueError("patience must be over 0 seconds, got 0")


def folder_of(out: str | Path | None) -> Folder | None:
    """The folder for results. Raises ValueError or StoreError if there can be none."""
    if out is None:
        return None
    if not str(out).strip():
        raise ValueError("the folder for results has no name; out='first' would make a folder 'first'")
    folder = Folder(Path(out))
    folder.check()
    return folder


def workers_of(workers: int | None, here: bool, game: Game, ray: str) -> int | None:
    """How many workers there are to be: 0 plays in this process, None leaves it to a Ray cluster. Raises ValueError."""
    if here and workers:
        raise ValueError(
            "players given as objects play in this process: take workers=0, or give them as python:MODULE:NAME"
        )
    if here and ray:
        raise ValueError("players given as objects play in this process, not on a Ray cluster")
    if here:
        return 0
    count = workers if workers is not None or ray else processors()
    if count != 0:
        try:
            pickle.dumps(game)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(f"{game.name} cannot be sent to workers ({error}); take workers=0") from None
    return count


def clocks_of(clock: str | Mapping[str, str], names: Sequence[str], budget: Budget) -> dict[str, TimeControl]:
    """The time controls by player; none where there is no clock. Raises ValueError."""
    if not clock:
        return {}
    if budget.seconds is not None:
        raise ValueError("seconds a move and a clock exclude each other: choose one of them")
    if isinstance(clock, str):
        return dict.fromkeys(names, parse_time(clock))
    if unknown := sorted(set(clock) - {*names, EVERYBODY}):
        raise ValueError(f"a clock for {unknown[0]!r}, who does not play; players: {', '.join(names)}")
    if EVERYBODY not in clock and (missing := [name for name in names if name not in clock]):
        raise ValueError(f"{missing[0]!r} has no clock, but others have")
    return {name: parse_time(clock.get(name) or clock[EVERYBODY]) for name in names}


def check_no_other_clock(specs: Mapping[str, str]) -> None:
    """Raises ValueError for an engine whose spec sets a clock: there is one already."""
    from sakiyomi.arena.engines.uci_spec import parse_uci_spec
    from sakiyomi.arena.engines.usi_spec import parse_usi_spec

    parsers = {"uci": parse_uci_spec, "usi": parse_usi_spec}
    for name, text in specs.items():
        spec = parse_spec(text)
        if spec.kind.name not in parsers:
            continue
        limits = parsers[spec.kind.name](spec.argument).limits
        if limits.clock is not None or limits.byoyomi is not None:
            raise ValueError(f"{name} has a clock of its own beside the tournament's: leave one of them out")


def clock_given(stored: Mapping[str, str]) -> str | dict[str, str]:
    """The argument `clock` that gave this: one for everybody, who comes later included, if all have the same."""
    same = set(stored.values())
    return same.pop() if len(same) == 1 else dict(stored)


def openings_of(
    openings: str | Sequence[Sequence[str] | Opening], game: Game, count: int, seed: int
) -> tuple[Opening, ...]:
    """The openings that are named or given, `count` of them if they are drawn. Raises ValueError."""
    if isinstance(openings, str):
        return load_openings(openings, game, count, seed)
    return tuple(check_opening(game, Opening.of(line), f"opening {n}") for n, line in enumerate(openings, 1))
