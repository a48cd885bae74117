"""How much of its clock an engine of ours spends on the next move."""

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
    """The clock of the player to move as the controller tells it, in seconds.

    `moves_to_go` are the moves up to the next time control, the coming one included; None where the whole game is
    played on `left` and `increment`, which is added after each move. `byoyomi` is what each move has once `left` is
    used up; what a move leaves of it is lost. Clocks that are down may be told as negative.
    """

    left: float
    increment: float = 0.0
    moves_to_go: int | None = None
    byoyomi: float = 0.0

    def seconds(self, overhead: float) -> float:
        """How long to think about the next move, `overhead` seconds of each move being lost on the way.

        The time left and the increments to come are shared among the moves to go, and each share pays the overhead of
        its move. A byo-yomi is used in full with each move.
        """
        if self.byoyomi > 0:
            return self._with_byoyomi(overhead)
        moves = max(self.moves_to_go or MOVES, 1)
        expected = self.increment * (moves - 1 if self.moves_to_go else moves * (1 - SAVED))
        share = (self.left + expected) / moves - overhead
        most = min(self.left * (MOST if moves > 1 else MOST_AT_LAST), self.left - overhead)
        return max(min(share, most), self.left / moves * TROUBLE, LEAST)

    def _with_byoyomi(self, overhead: float) -> float:
        """The byo-yomi and a share of the time left, which nothing needs to be saved of."""
        left = max(self.left, 0.0)
        share = (left + self.increment * MOVES * (1 - SAVED)) / MOVES
        return seconds_of(min(share, left) + self.byoyomi, overhead)


def seconds_of(movetime: float, overhead: float) -> float:
    """How long to think where the move itself may take `movetime` seconds: half of it at least."""
    return max(movetime - overhead, movetime / 2, LEAST)
