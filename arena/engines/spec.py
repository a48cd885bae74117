"""What stands behind ``uci:`` or ``usi:`` in a player's spec: ``COMMAND@nodes=200,Skill Level=3``.

The parameters follow the last ``@``: limits (nodes, depth, movetime, clock ...) and options of the engine by their own
names. A command that holds an ``@`` itself and no parameters ends with another one.
"""

import difflib
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)
_NEXT = re.compile(r",(?=[^,=]*=)")  # a comma within a value (a list of folders) is followed by no KEY=
_EXAMPLES = {"clock": "60+0.6"}  # of other times: 0.5


@dataclass(frozen=True)
class Limits:
    """What an engine may spend: `nodes` and `depth` (plies) a move, `movetime` seconds a move, `clock` seconds a game.

    `clock` is what a side has at first and what each of its moves adds; `byoyomi` the seconds that each move has once
    that is used up, or from the first move on. None: no such limit.
    """

    nodes: int | None = None
    depth: int | None = None
    movetime: float | None = None
    clock: tuple[float, float] | None = None
    byoyomi: float | None = None

    def __post_init__(self) -> None:
        if self.movetime is not None and self.clock is not None:
            raise ValueError("movetime and clock exclude each other: seconds for each move, or for the whole game")
        if self.movetime is not None and self.byoyomi is not None:
            raise ValueError("movetime and byoyomi exclude each other: both are seconds for each move")
        if self.byoyomi is not None and self.clock is not None and self.clock[1]:
            raise ValueError("a clock has an increment or a byoyomi, not both")

    def __bool__(self) -> bool:
        return self != Limits()


@dataclass(frozen=True)
class Syntax:
    """How specs of one `protocol` are written: `forms` of its limits by name, `managed` options (in small letters)
    that the arena sets by itself, and an `example`.
    """

    protocol: str
    forms: Mapping[str, str]
    managed: tuple[str, ...]
    example: str


@dataclass(frozen=True)
class EngineSpec:
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


def parse_engine_spec(argument: str, syntax: Syntax) -> EngineSpec:
    """`argument` taken apart, whatever programs there are. Raises ValueError for no command and no KEY=VALUE."""
    command, at, parameters = argument.rpartition("@")
    if not at or ("=" not in parameters and "/" in parameters):  # no @, or one of a path
        command, parameters = argument, ""
    try:
        if not shlex.split(command):
            raise ValueError(f"the engine's command is missing, as in {syntax.example}")
        return _parsed(command.strip(), parameters.strip(), syntax)
    except ValueError as error:
        raise ValueError(f"player '{syntax.protocol}:{argument}': {error}") from None


def _parsed(command: str, parameters: str, syntax: Syntax) -> EngineSpec:
    limits: dict[str, Any] = {}
    options: dict[str, str] = {}
    forms = syntax.forms
    for parameter in _NEXT.split(parameters) if parameters else []:
        key, equals, value = (part.strip() for part in parameter.partition("="))
        if not equals or not key:
            raise ValueError(
                f"{parameter!r} is no KEY=VALUE; there are {', '.join(forms.values())} and the engine's options"
            )
        if key.lower() in syntax.managed:
            raise ValueError(f"{key} cannot be set: the arena sets it as the game requires")
        found = _limit(key, value, forms[key]) if key in forms else {}
        if found.keys() & limits.keys() or key.lower() in map(str.lower, options):
            raise ValueError(f"{key} stands there twice")
        limits |= found
        if key not in forms:
            options[key] = value
    return EngineSpec(command, Limits(**limits), options, parameters)


def unknown_option(program: str, key: str, known: Sequence[str], forms: Mapping[str, str]) -> str:
    """What to say of an option that the engine does not have, with names that are near."""
    lowered = {name.lower(): name for name in (*known, *forms)}
    near = [lowered[found] for found in difflib.get_close_matches(key.lower(), lowered, 3, 0.5)]
    near += [name for name in known if key.lower() in name.lower() and name not in near][:3]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has: {', '.join(known) or 'none'}"
    return f"{program} has no option {key!r}; {hint}"


def _limit(key: str, value: str, form: str) -> dict[str, Any]:
    """What a limit says, by the names in `Limits`. Raises ValueError."""
    if key in ("nodes", "depth"):
        if not re.fullmatch(r"\d+", value, re.ASCII) or int(value) < 1:
            raise ValueError(f"{key} must be a whole number of 1 or more, got {value!r}")
        return {key: int(value)}
    base, sign, more = value, "", ""
    if key == "clock":
        sign = next((sign for sign in "+/" if sign in value and sign in form), "")
        base, _, more = value.partition(sign) if sign else (value, "", "")
    seconds, added = _seconds(base), _seconds(more) if sign else 0.0
    if seconds is None or added is None:
        example = f"{key}={_EXAMPLES.get(key, '0.5')}"
        raise ValueError(f"{key}={value}: {form} is wanted, each number in digits and a point, as in {example}")
    if sign == "/" and added and not seconds:  # nothing but the byo-yomi
        return {"byoyomi": added}
    if not seconds or (sign == "/" and not added):
        raise ValueError(f"{key}={value}: more than 0 seconds{' of byo-yomi' if seconds else ''} are wanted")
    if key != "clock":
        return {key: seconds}
    return {"clock": (seconds, 0.0), "byoyomi": added} if sign == "/" else {"clock": (seconds, added)}


def _seconds(text: str) -> float | None:
    """A number of seconds, None for a text that is none."""
    number = float(text) if _NUMBER.fullmatch(text.strip()) else math.inf
    return number if number < math.inf else None
