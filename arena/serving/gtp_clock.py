"""The clock that a GTP controller sets for one colour, and how much of it to spend on the next move."""

from dataclasses import dataclass

LAG = 0.1
"""Seconds of each move left for the way to the controller and back."""
SHARE = 0.95  # of what a move may have: clocks of controllers run on while we stop ours
LEAST = 0.02  # seconds of thought even when the clock is down


@dataclass
class Clock:
    """Main time, then overtime: Canadian (so many stones in each period) or byo-yomi (periods of one move each).

    Seconds throughout. With `canadian`, `stones` are the moves of a period; else they are the number of periods left.
    No `main` and no `period` is a clock that has run out; a `period` without `stones` is no time limit (GTP 2, 4.2).
    """

    main: float = 0.0
    period: float = 1.0
    stones: int = 0
    canadian: bool = True

    def __post_init__(self) -> None:
        self.left = self.main
        self.stones_left = 0  # 0: in main time
        if self.main <= 0:
            self._enter_overtime()

    @property
    def limited(self) -> bool:
        """Is there any limit?"""
        return not (self.period > 0 and self.stones == 0)

    def tell(self, left: float, stones: int) -> None:
        """What the controller says is left: `stones` is 0 in main time, else the moves or periods of overtime."""
        self.left, self.stones_left = left, stones

    def seconds(self, moves_to_go: int) -> float | None:
        """How long to think about the next move when about `moves_to_go` are left to play; None for no limit."""
        if not self.limited:
            return None
        if self.stones_left == 0:
            moves = moves_to_go
        else:
            moves = self.stones_left if self.canadian else 1
        share = self.left / max(moves, 1)
        if self.stones_left == 0 and self.stones:  # nothing is lost by going into overtime
            share = min(max(share, self._overtime_share()), self.left + self._overtime_share())
        return max(share * SHARE - LAG, LEAST)

    def spend(self, seconds: float) -> None:
        """Take off the time of one move, for controllers that do not send ``time_left``."""
        if not self.limited:
            return
        self.left -= seconds
        if self.stones_left == 0:
            if self.left <= 0:
                self._enter_overtime()
        elif self.canadian:
            self.stones_left -= 1
            if self.stones_left == 0:
                self._enter_overtime()
        else:
            self.left = self.period

    def _overtime_share(self) -> float:
        return self.period / self.stones if self.canadian else self.period

    def _enter_overtime(self) -> None:
        self.left = self.period if self.stones else 0.0
        self.stones_left = self.stones
