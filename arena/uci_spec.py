"""What stands behind ``uci:`` in a player's spec: ``COMMAND@nodes=200,Skill Level=3``.

The parameters follow the last ``@``: limits (nodes, depth, movetime, clock) and options of the engine by their UCI
names. A command that holds an ``@`` itself and no parameters ends with another one.
"""

import difflib
import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMS = {"nodes": "nodes=N", "depth": "depth=N", "movetime": "movetime=SECONDS", "clock": "clock=SECONDS+INCREMENT"}
"""Limits, and how each is written."""
MANAGED = ("uci_chess960", "uci_variant", "multipv", "ponder")
"""Options that python-chess sets by itself."""

_NUMBER = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)
_NEXT = re.compile(r",(?=[^,=]*=)")  # a comma within a value (a list of folders) is followed by no KEY=


@dataclass(frozen=True)
class Limits:
    """What an engine may spend: `nodes` and `depth` (plies) a move, `movetime` seconds a move, `clock` seconds a game.

    `clock` is what a side has at first and what each of its moves adds. None: no such limit.
    """

    nodes: int | None = None
    depth: int | None = None
    movetime: float | None = None
    clock: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.movetime is not None and self.clock is not None:
            raise ValueError("movetime and clock exclude each other: seconds for each move, or for the whole game")

    def __bool__(self) -> bool:
        return self != Limits()


@dataclass(frozen=True)
class UciSpec:
    """A spec taken apart; `options` are texts by the option's name, `parameters` all after the last ``@``."""

    command: str
    limits: Limits = Limits()
    options: Mapping[str, str] = field(default_factory=dict)
    parameters: str = ""

    @property
    def name(self) -> str:
        """The program with its parameters, "stockfish@nodes=200": two strengths of one engine may meet."""
        program = Path(shlex.split(self.command)[0]).name
        return f"{program}@{self.parameters}" if self.parameters else program


def parse_uci_spec(argument: str) -> UciSpec:
    """`argument` taken apart, whatever programs there are. Raises ValueError for no command and no KEY=VALUE."""
    command, at, parameters = argument.rpartition("@")
    if not at or ("=" not in parameters and "/" in parameters):  # no @, or one of a path
        command, parameters = argument, ""
    try:
        if not shlex.split(command):
            raise ValueError("the engine's command is missing, as in uci:stockfish@nodes=200")
        return _parsed(command.strip(), parameters.strip())
    except ValueError as error:
        raise ValueError(f"player 'uci:{argument}': {error}") from None


def _parsed(command: str, parameters: str) -> UciSpec:
    limits: dict[str, Any] = {}
    options: dict[str, str] = {}
    for parameter in _NEXT.split(parameters) if parameters else []:
        key, equals, value = (part.strip() for part in parameter.partition("="))
        if not equals or not key:
            raise ValueError(
                f"{parameter!r} is no KEY=VALUE; there are {', '.join(FORMS.values())} and the engine's options"
            )
        if key in limits or key.lower() in map(str.lower, options):
            raise ValueError(f"{key} stands there twice")
        if key in FORMS:
            limits[key] = _limit(key, value)
        elif key.lower() in MANAGED:
            raise ValueError(f"{key} cannot be set: the arena sets it as the game requires")
        else:
            options[key] = value
    return UciSpec(command, Limits(**limits), options, parameters)


def unknown_option(program: str, key: str, known: list[str]) -> str:
    """What to say of an option that the engine does not have, with names that are near."""
    lowered = {name.lower(): name for name in (*known, *FORMS)}
    near = [lowered[found] for found in difflib.get_close_matches(key.lower(), lowered, 3, 0.5)]
    near += [name for name in known if key.lower() in name.lower() and name not in near][:3]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has: {', '.join(known) or 'none'}"
    return f"{program} has no option {key!r}; {hint}"


def _limit(key: str, value: str) -> int | float | tuple[float, float]:
    """The value of a limit. Raises ValueError."""
    if key in ("nodes", "depth"):
        if not re.fullmatch(r"\d+", value, re.ASCII) or int(value) < 1:
            raise ValueError(f"{key} must be a whole number of 1 or more, got {value!r}")
        return int(value)
    base, plus, increment = value.partition("+")
    seconds, added = _seconds(base), _seconds(increment) if plus else 0.0
    if not seconds or added is None or (plus and key != "clock"):
        raise ValueError(f"{key}={value}: {FORMS[key]} is wanted, as in {key}={'60+0.6' if key == 'clock' else '0.5'}")
    return (seconds, added) if key == "clock" else seconds


def _seconds(text: str) -> float | None:
    """A number of seconds, None for a text that is none."""
    number = float(text) if _NUMBER.fullmatch(text.strip()) else math.inf
    return number if number < math.inf else None
