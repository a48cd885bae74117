"""A player's clock, as it stands before a move: what every kind of time control comes down to."""

from dataclasses import dataclass

MOVES = 30
"""Moves that a game without time controls is reckoned to go on: a clock is never spent, only this part of it."""
SAVED = 0.25
"""The part of such a game's increments that is saved, until the clock holds MOVES * SAVED of them in reserve."""
MOST, MOST_AT_LAST = 0.8, 0.95  # of the clock that one move may take, and the last one before a time control
TROUBLE = 0.1  # of the time left over the moves to go: what a move takes where the overhead would leave it less
LEAST = 0.001
"""Seconds of thought even when the clock is down."""


@dataclass(frozen=True)
class Clock:
    """The clock of one player before its move; times in seconds.

    `left` may be negative: what was overstepped within the margin. `increment` is added after each move. `moves_to_go`
    are the moves, the coming one included, up to the next time control; None where there is none before the end.

    Once `left` is used up, periods of overtime of `byoyomi` seconds begin: `stones` moves are to be made in each, one
    in a byo-yomi, of which there are `periods` (the one in use included), more in Canadian overtime, where periods
    follow each other for ever. In Canadian overtime `left` is what is left of the period, `moves_to_go` its moves.
    """

    left: float
    increment: float = 0.0
    moves_to_go: int | None = None
    byoyomi: float = 0.0
    stones: int = 1
    periods: int = 1
    overtime: bool = False

    @property
    def canadian(self) -> bool:
        """Is the overtime, begun or to come, Canadian?"""
        return self.byoyomi > 0 and self.stones > 1

    @property
    def allowed(self) -> float:
        """Seconds that the coming move may take before the flag falls."""
        if self.canadian:
            return self.left if self.overtime else max(self.left, 0.0) + self.byoyomi
        return max(self.left, 0.0) + self.byoyomi * self.periods if self.byoyomi else self.left

    def seconds(self, overhead: float) -> float:
        """How long to think about the next move, `overhead` seconds of each move being lost on the way.

        The time left and the increments to come are shared among the moves to go, and each share pays the overhead of
        its move. A byo-yomi is used in full with each move; its spare periods are not.
        """
        if self.byoyomi > 0 and not (self.canadian and self.overtime):
            return self._with_overtime(overhead)
        moves = max(self.moves_to_go or MOVES, 1)
        expected = self.increment * (moves - 1 if self.moves_to_go else moves * (1 - SAVED))
        share = (self.left + expected) / moves - overhead
        most = min(self.left * (MOST if moves > 1 else MOST_AT_LAST), self.left - overhead)
        return max(min(share, most), self.left / moves * TROUBLE, LEAST)

    def _with_overtime(self, overhead: float) -> float:
        """A move's share of the overtime and of the time left, which nothing needs to be saved of."""
        left = max(self.left, 0.0)
        share = (left + self.increment * MOVES * (1 - SAVED)) / MOVES
        return seconds_of(min(share, left) + self.byoyomi / self.stones, overhead)


def seconds_of(movetime: float, overhead: float) -> float:
    """How long to think where the move itself may take `movetime` seconds: half of it at least."""
    return max(movetime - overhead, movetime / 2, LEAST)
