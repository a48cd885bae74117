"""Schedules by a line of text, as tournament files and the command line have them.

round-robin       everyone against everyone
gauntlet[:K]      the first K players (default 1) against all the others
ladder[:K]        each player against the K (default 3) before it: for checkpoints in the order of their making
swiss:ROUNDS      in each round against others with about as many points
sprt:ELO0,ELO1    two players, until it is clear which difference is nearer the truth; also alpha=0.05, beta=0.05,
                  normalized, as in sprt:0,5,alpha=0.1,normalized
"""

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sakiyomi.arena.rating.sequential import Scale, Sprt
from sakiyomi.arena.schedules.fixed import Fixed, gauntlet, grown, ladder, round_robin
from sakiyomi.arena.schedules.schedule import Opening, Pairing, Schedule
from sakiyomi.arena.schedules.sequential import SprtSchedule
from sakiyomi.arena.schedules.swiss import Swiss

ROUND_ROBIN = "round-robin"
_KINDS = (ROUND_ROBIN, "gauntlet", "ladder", "swiss", "sprt")

Lines = Sequence[Opening]
Stage = tuple[int, int]
"""A schedule that only grows: how many players it had, and `games`."""


@dataclass(frozen=True)
class ScheduleSpec:
    """A kind of schedule and its settings; `text` is how it is written."""

    kind: str
    number: int = 0
    test: Sprt | None = None

    @property
    def text(self) -> str:
        """The shortest line that gives this schedule."""
        if self.test is not None:
            rest = [f"{self.test.elo0:g}", f"{self.test.elo1:g}"]
            rest += [f"{name}={value:g}" for name in ("alpha", "beta") if (value := getattr(self.test, name)) != 0.05]
            rest += [self.test.scale] * (self.test.scale != "logistic")
            return f"{self.kind}:{','.join(rest)}"
        return f"{self.kind}:{self.number}" if self.number else self.kind

    @property
    def grows(self) -> bool:
        """Can players be added to such a tournament?"""
        return self.kind in _FIXED

    @property
    def games(self) -> int:
        """How many games there are, if nothing is said: for each two players who meet, in a test at the most."""
        return {"swiss": 2, "sprt": 10_000}.get(self.kind, 10)

    def lines(self, games: int) -> int:
        """How many different openings such a tournament has use for."""
        pairs = -(-games // 2)
        return pairs * self.number if self.kind == "swiss" else pairs

    def make(self, names: Sequence[str], games: int, openings: Lines, stages: Sequence[Stage] = ()) -> Schedule:
        """The schedule for `names`. `stages` are those from which it has grown. Raises ValueError if there is none."""
        if self.kind == "swiss":
            return Swiss(tuple(names), self.number, games, openings)
        if self.test is not None:
            return SprtSchedule(tuple(names), self.test, games, openings)
        plan = _FIXED[self.kind]
        made = [
            plan(names[:players], count, openings, self.number) for players, count in (*stages, (len(names), games))
        ]
        return Fixed(grown(made) if stages else made[0])


_FIXED: dict[str, Callable[[Sequence[str], int, Lines, int], tuple[Pairing, ...]]] = {
    ROUND_ROBIN: lambda names, games, openings, number: round_robin(names, games, openings),
    "gauntlet": lambda names, games, openings, number: gauntlet(names, games, openings, number),
    "ladder": lambda names, games, openings, number: ladder(names, games, openings, number),
}


def parse_schedule(text: str) -> ScheduleSpec:
    """The schedule that `text` names. Raises ValueError that says what is wrong and what would be right."""
    kind, colon, rest = text.strip().partition(":")
    if kind not in _KINDS:
        near = difflib.get_close_matches(kind, _KINDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_KINDS)}"
        raise ValueError(f"unknown schedule {text!r}: {hint}")
    if kind == "sprt":
        return ScheduleSpec(kind, test=_test(text, rest))
    if kind == ROUND_ROBIN:
        if colon:
            raise ValueError(f"schedule {text!r}: round-robin takes no number")
        return ScheduleSpec(kind)
    default = {"gauntlet": 1, "ladder": 3}.get(kind)
    if not colon and default is not None:
        return ScheduleSpec(kind, default)
    if not rest.isascii() or not rest.isdigit() or int(rest) < 1:
        raise ValueError(f"schedule {text!r}: a number of 1 or more is wanted, as in {kind}:{default or 7}")
    return ScheduleSpec(kind, int(rest))


def _test(text: str, rest: str) -> Sprt:
    numbers: list[float] = []
    named: dict[str, float] = {}
    scale: Scale = "logistic"
    for word in filter(None, (word.strip() for word in rest.split(","))):
        name, equals, value = word.partition("=")
        if word in ("normalized", "logistic"):
            scale = "normalized" if word == "normalized" else "logistic"
        elif equals and name in ("alpha", "beta"):
            named[name] = _number(text, value)
        elif equals:
            raise ValueError(f"schedule {text!r}: unknown {name!r}; there are alpha, beta and normalized")
        else:
            numbers.append(_number(text, word))
    if len(numbers) != 2:
        raise ValueError(f"schedule {text!r}: two differences in Elo are wanted, as in sprt:0,5")
    elo0, elo1 = numbers
    try:
        return Sprt(elo0, elo1, **named, scale=scale)
    except ValueError as error:
        raise ValueError(f"schedule {text!r}: {error}") from None


def _number(text: str, word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"schedule {text!r}: {word!r} is no number")
    return number
