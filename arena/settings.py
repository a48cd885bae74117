"""A tournament described in a TOML file.

    game = "go-9x9"
    komi = 7.0
    rules = "chinese"
    games = 20                  # for each two players who meet
    schedule = "round-robin"    # or "gauntlet", "ladder:3", "swiss:7", "sprt:0,5"
    openings = "random:4"       # or a file, looked for beside this one ("openings.pgn:8": 8 plies of each game)
    simulations = 200           # a move; or seconds = 1.5, depth = 4, or a clock for the game: clock = "60+0.6"
    margin = 0.1                # seconds that a move may come late
    resign = "moves=3,score=600"            # adjudication by the players' own scores; see also draw, max_moves
    seed = 1
    out = "first"               # a folder, beside this file

    [players]
    strong = "uct:800"
    weak = "uct:50"
    gnugo = "gtp:gnugo --mode gtp --level 1"    # "uci:stockfish@nodes=200", "usi:gpsusi"

    [clocks]                    # of players who have another one than `clock`
    weak = "300"

Single-player tasks stand in `game`, or in ``tasks = ["cartpole-swingup", "ALE/Pong-v5"]``; `scales` are the returns
that count as 0 and 1 in each.

Players named in ``if_installed = ["gnugo"]`` are left out where their program is missing, or of agents such as
``alphazero`` the weights for the game or the packages that they need. Everything but `game` and
`players` may be left out; docs/tournaments.md lists all there is. Further options of the game stand in [options].
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sakiyomi.arena.clock import FORMS

_WANTED: dict[str, tuple[tuple[type, ...], str]] = {
    "game": ((str,), 'a name such as "go-9x9"'),
    "tasks": ((list,), "a list of single-player tasks' names"),
    "scales": ((bool, dict), 'true, or a table such as {"ALE/Pong-v5" = [-20.7, 14.6]}'),
    "players": ((dict, list), "a table of names and specs, or a list of specs"),
    "if_installed": ((list,), "a list of players' names"),
    "options": ((dict,), "a table of the game's options"),
    "komi": ((int, float), "a number"),
    "rules": ((str,), 'a name such as "chinese"'),
    "games": ((int,), "a whole number"),
    "schedule": ((str,), 'one of "round-robin", "gauntlet", "ladder:3", "swiss:7", "sprt:0,5"'),
    "openings": ((str,), 'a file or "random:PLIES"'),
    "seed": ((int,), "a whole number"),
    "out": ((str,), "a folder"),
    "simulations": ((int,), "a whole number"),
    "seconds": ((int, float), "a number"),
    "depth": ((int,), "a whole number of plies"),
    "clock": ((str,), f"a time control: {FORMS}"),
    "clocks": ((dict,), "a table of players' names and time controls"),
    "margin": ((int, float), "a number of seconds"),
    "resign": ((str,), 'a rule such as "moves=3,score=600"'),
    "draw": ((str,), 'a rule such as "from=40,moves=8,score=10"'),
    "max_moves": ((int,), "a whole number"),
    "solved": ((bool,), "true or false"),
    "tablebases": ((str,), "a folder of Syzygy files"),
    "annotate": ((bool,), "true or false"),
    "restart": ((bool,), "true or false"),
    "workers": ((int,), "a whole number"),
    "patience": ((int, float), "a number of seconds"),
    "pin": ((bool,), "true or false"),
    "memory": ((str,), 'an amount such as "2G" or "500M"'),
    "nice": ((int,), "a whole number, 0 to 19"),
    "ray": ((str,), '"auto", "local" or "HOST:PORT"'),
}

ADJUDICATION = ("resign", "draw", "max_moves", "solved", "tablebases")
"""Settings that `Adjudication.of` reads."""

GAME_OPTIONS = ("komi", "rules")
"""Options of Go that need no table of their own."""


@dataclass(frozen=True)
class Settings:
    """The arguments of `Tournament` that a file or a command line gives; `other` holds the rest.

    `missing` are players left out because their programs are not installed.
    """

    game: str
    players: list[str]
    options: dict[str, Any]
    other: dict[str, Any]
    missing: tuple[str, ...] = ()


def read_settings(path: Path) -> Settings:
    """The tournament that the TOML file describes. Raises ValueError that names file, key and what would be right."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not TOML: {error}") from None
    for key, value in table.items():
        _check(path, key, value)
    for name, clock in table.get("clocks", {}).items():
        if not isinstance(clock, str):
            raise ValueError(f"{path}: clocks: {name} = {clock!r}: {_WANTED['clock'][1]} is wanted")
    if "tasks" in table:
        if "game" in table:
            raise ValueError(f"{path}: game and tasks exclude each other")
        if not table["tasks"] or not all(isinstance(name, str) for name in table["tasks"]):
            raise ValueError(f"{path}: tasks = {table['tasks']!r}: {_WANTED['tasks'][1]} is wanted")
        table["game"] = ",".join(table["tasks"])
    for key in ("game", "players"):
        if key not in table:
            raise ValueError(f"{path}: {key!r} is missing: {_WANTED[key][1]} is wanted")
    options = {**table.get("options", {}), **{key: table[key] for key in GAME_OPTIONS if key in table}}
    players, missing = _installed(path, str(table["game"]), table["players"], table.get("if_installed", []))
    apart = ("game", "tasks", "players", "if_installed", "options", *GAME_OPTIONS)
    other = {key: table[key] for key in table if key not in apart}
    if not other.get("out", "folder").strip():
        raise ValueError(f"{path}: out = {other['out']!r}: {_WANTED['out'][1]} is wanted")
    if "out" in other:
        other["out"] = str(path.parent / other["out"])
    if "tablebases" in other:
        folders = other["tablebases"].split(os.pathsep)
        other["tablebases"] = os.pathsep.join(str(path.parent / folder) for folder in folders)
    if other.get("openings") and not other["openings"].startswith("random:"):
        other["openings"] = str(path.parent / other["openings"])
    return Settings(table["game"], _specs(path, players), options, other, missing)


def arguments(other: Mapping[str, Any]) -> dict[str, Any]:
    """`Settings.other` as arguments of `Tournament`. Raises ValueError for what is wrong with them."""
    from sakiyomi.arena.adjudication import Adjudication
    from sakiyomi.boards.player import Budget

    given = dict(other)
    if "scales" in given:
        raise ValueError("scales belong to single-player tasks, and this is a game")
    given["budget"] = Budget(*(given.pop(key, None) for key in ("simulations", "seconds", "depth")))
    given["adjudication"] = Adjudication.of({key: given.pop(key) for key in ADJUDICATION if key in given})
    clock, clocks = given.pop("clock", ""), given.pop("clocks", {})
    given["clock"] = {"*": clock, **clocks} if clock and clocks else clock or clocks
    if "memory" in given:
        given["memory"] = amount(given["memory"])
    return given


def amount(text: str) -> int:
    """The bytes that "2G", "500M" or "64k" means. Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMG]?)i?B?", text.strip(), re.ASCII | re.IGNORECASE)
    if found is None:
        raise ValueError(f'{text!r} is no amount of memory; wanted: a number of bytes, or such as "500M", "2G"')
    return int(float(found[1]) * 1024 ** ("", "k", "m", "g").index(found[2].lower()))


def _installed(path: Path, game: str, players: Any, optional: list[Any]) -> tuple[Any, tuple[str, ...]]:
    """`players` without those of the names `optional` that this machine has not, and the names left out."""
    from sakiyomi.arena.agent_specs import BOARD_AGENTS, missing_packages, weights_of
    from sakiyomi.arena.engines.process import find_program
    from sakiyomi.arena.engines.uci_spec import parse_uci_spec
    from sakiyomi.arena.engines.usi_spec import parse_usi_spec

    commands: dict[str, Callable[[str], str]] = {
        "gtp": lambda argument: argument,
        "uci": lambda argument: parse_uci_spec(argument).command,
        "usi": lambda argument: parse_usi_spec(argument).command,
    }
    missing = []
    for name in optional:
        spec = players.get(name) if isinstance(players, dict) and isinstance(name, str) else None
        kind, _, argument = spec.partition(":") if isinstance(spec, str) else ("", "", "")
        agent = kind.partition("@")[0]
        if agent in BOARD_AGENTS and not argument:
            if not (weights_of(agent) / game).is_dir() or missing_packages():
                missing.append(name)
            continue
        if kind not in commands:
            wanted = 'a "gtp:", "uci:" or "usi:" spec, or an agent that comes with weights'
            raise ValueError(f"{path}: if_installed names {name!r}, which is no player with {wanted}")
        command = commands[kind](argument)
        try:
            find_program(command)
        except ValueError:
            missing.append(name)
    return {name: spec for name, spec in players.items() if name not in missing} if missing else players, tuple(missing)


def _check(path: Path, key: str, value: Any) -> None:
    if key not in _WANTED:
        near = difflib.get_close_matches(key, _WANTED, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(_WANTED)}"
        raise ValueError(f"{path}: unknown key {key!r}; {hint}")
    types, wanted = _WANTED[key]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ValueError(f"{path}: {key} = {value!r}: {wanted} is wanted")


def _specs(path: Path, players: dict[str, Any] | list[Any]) -> list[str]:
    """The players as ``NAME=SPEC``, or as specs where they stand in a list."""
    from sakiyomi.arena.players import check_name

    named = players.items() if isinstance(players, dict) else ((None, spec) for spec in players)
    specs = []
    for name, spec in named:
        if not isinstance(spec, str):
            raise ValueError(f'{path}: player {name or spec!r}: a spec such as "uct:800" is wanted, got {spec!r}')
        if any(letter in (name or "") for letter in ":@="):
            raise ValueError(f"{path}: player {name!r}: a name holds no ':', '@' or '='")
        specs.append(spec if name is None else f"{check_name(name)}={spec}")
    return specs
