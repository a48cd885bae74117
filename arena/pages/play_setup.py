"""What a page may ask for when it begins a game: the game and its options, the first position, the two seats."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sakiyomi.arena.pages.play_seats import Seat, check_spec
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Budget
from sakiyomi.boards.position import Position

OPTIONS = ("komi", "rules", "declaration")
"""Those of a game's options that films follow, too."""
MOST_SECONDS, MOST_SIMULATIONS = 120.0, 10_000_000  # a move


@dataclass(frozen=True)
class Setup:
    """A game to be played from the position `text` (None: the usual start) by two seats."""

    game: Game
    text: str | None
    seats: tuple[Seat, Seat]


def read_setup(body: Mapping[str, Any], *, commands: bool = False) -> Setup:
    """The game that a page asks for. Raises ValueError that says what is wrong.

    `body` has ``game``; it may have ``options`` (of the game), one of ``position`` (a text), ``handicap`` (Go: stones,
    shogi: a name) and ``number`` (Chess960; -1 draws one), and ``seats``: for each side a mapping with ``spec``, ""
    for a person, and at most one of ``seconds`` and ``simulations``.
    """
    options = read(body, "options", dict, {})
    for key in options:
        if key not in OPTIONS:
            raise ValueError(f"unknown option {key!r}; there are: {', '.join(OPTIONS)}")
    game = make_game(read(body, "game", str), **options)
    text = _first_position(game, body)
    if Position(game, text).outcome() is not None:
        raise ValueError("the game would be over in its first position")
    asked = read(body, "seats", list)
    if len(asked) != 2 or not all(isinstance(seat, dict) for seat in asked):
        raise ValueError("'seats' must be a list of two, the first player's first")
    first, second = (_seat(game, side, seat, commands) for side, seat in enumerate(asked))
    if first.person and second.person:
        first.name, second.name = "First player", "Second player"
    return Setup(game, text, (first, second))


def read(body: Mapping[str, Any], key: str, kind: type, default: Any = None) -> Any:
    """``body[key]``, checked to be of that kind; `default` if it is missing or null. Raises ValueError."""
    value = body.get(key)
    if value is None:
        if default is None:
            raise ValueError(f"{key!r} is missing")
        return default
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{key!r} must be {_KIND_NAMES[kind]}, got {value!r}")
    return value


_KIND_NAMES = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    dict: "a table",
    list: "a list",
    bool: "true or false",
}


def _seat(game: Game, side: int, asked: Mapping[str, Any], commands: bool) -> Seat:
    spec = read(asked, "spec", str, "").strip()
    if not spec:
        return Seat(game, side)
    return Seat(game, side, check_spec(spec, game, commands=commands), read_budget(asked))


def read_budget(asked: Mapping[str, Any]) -> Budget:
    """What a page allows for a move; no limit where it names none. Raises ValueError."""
    seconds, simulations = asked.get("seconds"), asked.get("simulations")
    if seconds is not None and simulations is not None:
        raise ValueError("a move has a budget of seconds or of simulations, not of both")
    budget = Budget(simulations, seconds)
    if (budget.seconds or 0) > MOST_SECONDS or (budget.simulations or 0) > MOST_SIMULATIONS:
        raise ValueError(f"a move may take {MOST_SECONDS:g} seconds or {MOST_SIMULATIONS} simulations at the most")
    return budget


def _first_position(game: Any, body: Mapping[str, Any]) -> str | None:
    given = [key for key in ("position", "handicap", "number") if body.get(key) is not None]
    if len(given) > 1:
        raise ValueError(f"the first position is given twice, by {given[0]!r} and {given[1]!r}")
    if not given:
        return None
    if given[0] == "position":
        return Position(game, read(body, "position", str).strip()).text()
    if given[0] == "number":
        return _numbered(game, read(body, "number", int))
    if game.name == "shogi":
        return Position(game, read(body, "handicap", str)).text()
    if not hasattr(game, "handicap"):
        raise ValueError(f"{game.name} has no handicaps")
    return str(game.position_text(game.handicap(read(body, "handicap", int))))


def _numbered(game: Any, number: int) -> str:
    if game.name != "chess960":
        raise ValueError(f"{game.name} has no numbered positions, chess960 has")
    if not -1 <= number < 960:
        raise ValueError(f"the positions of chess960 are numbered 0 to 959, got {number}")
    return str(game.position_text(game.start(np.array([secrets.randbelow(960) if number < 0 else number]))))
