"""A clock as Go engines are told of it: ``time_settings`` with the dialects of KGS and KataGo, and ``time_left``.

GTP itself knows a main time and Canadian overtime, in whole seconds (draft 2, section 4.2). KGS adds byo-yomi with
several periods, KataGo also increments and fractions. What an engine cannot be told is said in the nearest way that
grants it no more than it has; ``time_left`` before each move puts it right.
"""

import math

from sakiyomi.arena.match import number_text
from sakiyomi.boards.clock import Clock

KATA, KGS, PLAIN = "kata-time_settings", "kgs-time_settings", "time_settings"
NO_LIMIT = f"{PLAIN} 0 1 0"  # overtime without stones


def settings(clock: Clock) -> list[str]:
    """Commands that describe a game that begins with `clock`, the best first: the engine takes what it knows."""
    main, period = max(clock.left, 0.0), clock.byoyomi
    if period and clock.canadian:
        kind, plain = ("canadian", main, period, clock.stones), (main, period, clock.stones)
        if clock.overtime:
            kind, plain = ("canadian", 0, period, clock.stones), (0, period, clock.stones)
    elif period:
        kind, plain = ("byoyomi", main, period, clock.periods), (main, period, 1)
    elif clock.moves_to_go is not None:  # time for so many moves is overtime from the first move on
        kind, plain = ("canadian", 0, main, clock.moves_to_go), (0, main, clock.moves_to_go)
    elif clock.increment:
        return [f"{KATA} fischer {_fine(main)} {_fine(clock.increment)}", *_absolute(main)[1:]]
    else:
        return _absolute(main)
    name, *numbers = kind
    fine, whole = (" ".join(map(write, numbers)) for write in (_fine, _whole))
    return [f"{KATA} {name} {fine}", f"{KGS} {name} {whole}", f"{PLAIN} {' '.join(map(_whole, plain))}"]


def _absolute(main: float) -> list[str]:
    return [f"{KATA} absolute {_fine(main)}", f"{KGS} absolute {_whole(main)}", f"{PLAIN} {_whole(main)} 0 0"]


def kind_of(clock: Clock) -> tuple[object, ...]:
    """What stays as it is while a time control goes on: an engine is told of another one anew."""
    return clock.increment, clock.byoyomi, clock.stones, clock.moves_to_go is None


def time_left(colour: str, clock: Clock, told: str) -> str:
    """The command that says what `colour` has left, for an engine that took the settings `told`."""
    left, stones = clock.left, 0
    if clock.byoyomi and not clock.canadian and (clock.overtime or left <= 0):
        left, stones = clock.byoyomi, clock.periods if told.startswith((KATA, KGS)) else 1
    elif clock.byoyomi and clock.canadian and left <= 0 and not clock.overtime:
        left, stones = clock.byoyomi, clock.stones
    elif clock.moves_to_go is not None:
        stones = clock.moves_to_go
    write = _fine if told.startswith(KATA) else _whole
    return f"time_left {colour} {write(max(left, 0.0))} {stones}"


def _whole(number: float) -> str:
    """In whole numbers as the protocol has them, not under 1 where there is any time at all."""
    return str(max(math.floor(number), 1 if number > 0 else 0))


def _fine(number: float) -> str:
    return number_text(round(number, 3))
