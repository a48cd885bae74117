"""Time controls of whole games, and the clocks that they give.

    300            five minutes for the game (also 5:00)
    60+0.6         a minute, and 0.6 seconds added after each move (Fischer)
    40/300         five minutes for each 40 moves (also 40/5:00+3)
    40/300;60+2    five minutes for 40 moves, then a minute and 2 seconds a move for the rest
    600,5x30       ten minutes, then byo-yomi: five periods of 30 seconds, each lost once it is overstepped
    0,10           ten seconds for each move from the first on
    600,15/300     ten minutes, then Canadian overtime: 15 moves in each period of 300 seconds

`TimeControl` is such a line; its functions are pure: a `Clock` goes in, and one comes out.
"""

import math
import re
from dataclasses import dataclass, replace

from sakiyomi.arena.match import number_text
from sakiyomi.boards.clock import Clock

LONGEST = 1e9
"""No time of a control is so many seconds."""

_NUMBER, _COUNT = r"\d{1,9}(?:\.\d*)?", r"\d{1,6}"
_TIME = rf"(?:{_COUNT}:[0-5]\d(?:\.\d*)?|{_NUMBER})"
_STAGE = re.compile(rf"(?:(?P<moves>{_COUNT})/)?(?P<time>{_TIME})(?:\+(?P<increment>{_NUMBER}))?", re.ASCII)
_OVERTIME = re.compile(rf"(?:(?P<periods>{_COUNT})x|(?P<stones>{_COUNT})/)?(?P<period>{_TIME})", re.ASCII)
_BLANKS = re.compile(r"\s*([;,/+x])\s*", re.ASCII)  # those around a sign mean nothing; within a number they are a slip
FORMS = "SECONDS, TIME+INCREMENT, MOVES/TIME, TIME,5x30 (byo-yomi) or TIME,15/300 (Canadian)"


@dataclass(frozen=True)
class Stage:
    """`seconds` for the next `moves` moves, or for all that follow (None), `increment` being added after each."""

    seconds: float
    increment: float = 0.0
    moves: int | None = None


@dataclass(frozen=True)
class TimeControl:
    """What each side has for a game: stages one after the other, of which the last repeats if it counts moves.

    Overtime begins when the last stage is used up: periods of `period` seconds, for one move (byo-yomi, `periods` of
    them) or for `stones` moves (Canadian). Raises ValueError for a control that leaves no time.
    """

    stages: tuple[Stage, ...]
    period: float = 0.0
    periods: int = 1
    stones: int = 1

    def __post_init__(self) -> None:
        numbers = [self.period, *(number for stage in self.stages for number in (stage.seconds, stage.increment))]
        if not all(0 <= number < LONGEST for number in numbers):
            raise ValueError(f"times must be 0 or more and under {LONGEST:.0f} seconds, got {self}")
        if not self.stages or any(stage.moves is None for stage in self.stages[:-1]):
            raise ValueError("every stage but the last counts its moves")
        if any(stage.moves is not None and stage.moves < 1 for stage in self.stages):
            raise ValueError("a stage has 1 move or more")
        if self.periods < 1 or self.stones < 1 or (self.stones > 1 and self.periods > 1):
            raise ValueError("overtime has 1 period or more, of one move each, or periods of several moves")
        if not all(stage.seconds > 0 for stage in self.stages[: -1 if self.period else None]):
            raise ValueError("a time control must leave some time")
        if not self.period and (self.periods > 1 or self.stones > 1):
            raise ValueError("periods of overtime must leave some time")
        if self.period and self.stages[-1].moves is not None:
            raise ValueError("overtime follows a time for all moves, not for a number of them")

    @property
    def text(self) -> str:
        """The line that `parse_time` reads back."""
        stages = ";".join(_stage_text(stage) for stage in self.stages)
        if not self.period:
            return stages
        many = f"{self.stones}/" if self.stones > 1 else f"{self.periods}x" if self.periods > 1 else ""
        return f"{stages},{many}{number_text(self.period)}"

    def start(self) -> Clock:
        """A clock before the first move."""
        return self._enter(0, 0.0)

    def press(self, clock: Clock, took: float, *, stage: int = 0, margin: float = 0.0) -> Clock | None:
        """`clock` after a move of `took` seconds, made in the stage of that number; None if the flag has fallen.

        A move may come `margin` seconds late. Where there is no overtime, what it was late is a debt.
        """
        if took - clock.allowed > margin:
            return None
        if clock.byoyomi and (clock.overtime or took > clock.left):
            return self._in_overtime(clock, took)
        left = clock.left - took + clock.increment
        if clock.moves_to_go != 1:
            to_go = None if clock.moves_to_go is None else clock.moves_to_go - 1
            return replace(clock, left=left, moves_to_go=to_go)
        return self._enter(stage + 1, left)

    def _enter(self, stage: int, left: float) -> Clock:
        """The clock at the beginning of a stage, with what is `left` of those before. Only the last has overtime."""
        begun = self.stages[min(stage, len(self.stages) - 1)]
        left += begun.seconds
        if not self.period or stage < len(self.stages) - 1:
            return Clock(left, begun.increment, begun.moves)
        clock = Clock(left, begun.increment, None, self.period, self.stones, self.periods)
        return clock if left > 0 else self._overtime(clock, None)

    def _in_overtime(self, clock: Clock, took: float) -> Clock:
        if clock.canadian:
            if not clock.overtime:
                return self._overtime(clock, took - max(clock.left, 0.0))
            to_go = (clock.moves_to_go or 1) - 1
            return replace(clock, left=clock.left - took, moves_to_go=to_go) if to_go else self._overtime(clock, None)
        over = took - max(clock.left, 0.0)
        used = min(math.ceil(over / clock.byoyomi) - 1, clock.periods - 1) if over > 0 else 0
        return replace(clock, left=0.0, increment=0.0, periods=clock.periods - max(used, 0), overtime=True)

    def _overtime(self, clock: Clock, spent: float | None) -> Clock:
        """The first or, with nothing `spent`, another period of overtime, of which a move has spent so much."""
        if self.stones == 1:
            return replace(clock, left=0.0, increment=0.0, moves_to_go=None, overtime=True)
        made = int(bool(spent))
        return replace(
            clock,
            left=self.period - (spent or 0.0),
            increment=0.0,
            moves_to_go=self.stones - made,
            overtime=True,
        )


class GameClock:
    """The two clocks of a game; `sides` are what they show, who moves first stands first."""

    def __init__(self, controls: tuple[TimeControl, TimeControl], margin: float = 0.0):
        self._controls, self._margin = controls, margin
        self._stage = [0, 0]
        first, second = (control.start() for control in controls)
        self.sides: tuple[Clock, Clock] = (first, second)

    def press(self, side: int, took: float) -> bool:
        """`side` has moved after `took` seconds; False if its flag has fallen, and then nothing changes."""
        clock = self.sides[side]
        after = self._controls[side].press(clock, took, stage=self._stage[side], margin=self._margin)
        if after is None:
            return False
        self._stage[side] += clock.moves_to_go == 1 and not clock.overtime
        self.sides = (after, self.sides[1]) if side == 0 else (self.sides[0], after)
        return True


def record_tags(game: str, controls: tuple[TimeControl, TimeControl]) -> dict[str, str]:
    """What the record of a game says of its time controls, in the words of its format.

    PGN has TimeControl, with stages split by colons, SGF TM and OT, CSA TIME_LIMIT (byo-yomi alone); what these have no
    words for, such as overtime in PGN, and controls that differ, are told as they are written here.
    """
    first, second = controls
    if game in ("chess", "chess960"):
        texts = [control.text.replace(";", ":") for control in controls]
        return (
            {"TimeControl": texts[0]}
            if first == second
            else dict(zip(("WhiteTimeControl", "BlackTimeControl"), texts, strict=True))
        )
    stage = first.stages[0]
    plain = first == second and len(first.stages) == 1 and stage.moves is None
    if game.startswith("go-") and plain:
        overtime = f"{number_text(stage.increment)} Fischer" if stage.increment else ""
        if first.period:
            overtime = (
                f"{first.stones}/{number_text(first.period)} Canadian"
                if first.stones > 1
                else f"{first.periods}x{number_text(first.period)} byo-yomi"
            )
        return {"time": number_text(stage.seconds)} | ({"overtime": overtime} if overtime else {})
    if game == "shogi" and plain and not stage.increment and first.periods == first.stones == 1:
        minutes, seconds = divmod(round(stage.seconds), 60)
        whole = 60 * minutes + seconds == stage.seconds and not seconds and first.period == round(first.period)
        if whole:
            return {"time": f"{minutes // 60:02}:{minutes % 60:02}+{round(first.period):02}"}
    return {"time control": first.text if first == second else f"{first.text} against {second.text}"}


def parse_time(text: str) -> TimeControl:
    """The time control that `text` describes (see above). Raises ValueError that shows the forms there are."""
    main, comma, overtime = _BLANKS.sub(r"\1", text.strip()).partition(",")
    stages = [_STAGE.fullmatch(part) for part in main.split(";")]
    extra = _OVERTIME.fullmatch(overtime) if comma else None
    if not all(stages) or (comma and extra is None):
        raise ValueError(f"{text!r} is no time control; wanted: {FORMS}")
    parsed = tuple(
        Stage(_seconds(found["time"]), float(found["increment"] or 0), int(found["moves"]) if found["moves"] else None)
        for found in stages
        if found
    )
    try:
        if extra is None:
            return TimeControl(parsed)
        return TimeControl(parsed, _seconds(extra["period"]), int(extra["periods"] or 1), int(extra["stones"] or 1))
    except ValueError as error:
        raise ValueError(f"{text!r} is no time control: {error}") from None


def _seconds(text: str) -> float:
    minutes, colon, seconds = text.rpartition(":")
    return 60 * int(minutes) + float(seconds) if colon else float(seconds)


def _stage_text(stage: Stage) -> str:
    moves = f"{stage.moves}/" if stage.moves is not None else ""
    return f"{moves}{number_text(stage.seconds)}" + (f"+{number_text(stage.increment)}" if stage.increment else "")
