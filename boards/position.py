"""`Position`: one position of any game, checked, readable, and speaking its game's notation."""

from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import BadNotation, Ending, Game, IllegalMove, States

PERFT_SLICE = 4096  # positions expanded together


@dataclass(frozen=True)
class Outcome:
    """How a game ended: `winner` is 0, 1 or None for a draw; `ending` says why."""

    winner: int | None
    ending: Ending


class Position:
    """One position of `game`: the start, or the one that `text` describes (`Game.position_text`).

    `state` is the batch of one that the fast layer uses. Raises BadNotation if `text` is no position, TypeError if it
    is no text.
    """

    def __init__(self, game: Game, text: str | None = None):
        if not isinstance(text, str | None):
            raise TypeError(f"a position is described by a text, got {text!r}")
        self.game = game
        self.state: States = game.new(1) if text is None else game.parse_position(text)
        self._past: list[tuple[States, int]] = []  # states before each move, and the action played

    @property
    def turn(self) -> int:
        """0 or 1: whose ply it is."""
        return int(self.game.turn(self.state)[0])

    @property
    def ply(self) -> int:
        """Plies played since the start of the game."""
        return int(self.state["ply"][0])

    @property
    def actions(self) -> tuple[int, ...]:
        """The actions played on this object."""
        return tuple(action for _, action in self._past)

    def legal_actions(self) -> NDArray[np.int64]:
        """The legal actions, ascending; none once the game has ended."""
        return np.flatnonzero(self.game.legal(self.state)[0])

    def legal_moves(self) -> list[str]:
        """The legal moves in the game's notation; none once the game has ended."""
        return [self.game.move_text(self.state, int(action)) for action in self.legal_actions()]

    def action(self, move: str | int) -> int:
        """The legal action that `move`, a text or a whole number, means. Raises BadNotation or IllegalMove."""
        action = self.game.parse_move(self.state, move) if isinstance(move, str) else index(move)
        if not 0 <= action < self.game.num_actions:
            raise IllegalMove(f"action {action} is not one of {self.game.name}'s 0..{self.game.num_actions - 1}")
        if not self.game.legal(self.state)[0, action]:
            ending = Ending(int(self.game.ending(self.state)[0]))
            why = f"the game has ended ({ending.text})" if ending else self.game.why_illegal(self.state, action)
            text = move if isinstance(move, str) else self.game.move_text(self.state, action)
            raise IllegalMove(f"illegal move {text} in {self.text()}: {why}")
        return action

    def play(self, move: str | int) -> None:
        """Play a move, given as text or as an action. Raises BadNotation or IllegalMove and then changes nothing."""
        action = self.action(move)
        self._past.append((self.state.copy(), action))
        self.game.play(self.state, np.array([action], np.int32))

    def after(self, move: str | int) -> "Position":
        """A new position with `move` played; this one stays."""
        changed = self.copy()
        changed.play(move)
        return changed

    def undo(self) -> None:
        """Take back the last move played on this object. Raises IndexError if there is none."""
        if not self._past:
            raise IndexError("no move to undo")
        self.state = self._past.pop()[0].copy()  # copies of this object may share the stored state

    def copy(self) -> "Position":
        """An independent copy, undo history included."""
        twin = object.__new__(Position)
        twin.game, twin.state, twin._past = self.game, self.state.copy(), self._past.copy()
        return twin

    def text(self) -> str:
        """The position in one line, without its history."""
        return self.game.position_text(self.state)

    def outcome(self) -> Outcome | None:
        """Winner and reason, or None while the game goes on."""
        ending = Ending(int(self.game.ending(self.state)[0]))
        if ending is Ending.ONGOING:
            return None
        result = float(self.game.result(self.state)[0])
        return Outcome(None if result == 0 else 0 if result > 0 else 1, ending)

    def board(self) -> NDArray[np.int8]:
        """[Y, X], row 0 at the top as printed; see `Game.board`."""
        return self.game.board(self.state)

    def score(self) -> float:
        """Go only: Black's lead in points after komi, the board scored as it stands by the rule set.

        Raises TypeError for games without points.
        """
        points: Any = getattr(self.game, "score", None)
        if points is None:
            raise TypeError(f"{self.game.name} has no score in points; use outcome()")
        return float(points(self.state)[0])

    def perft(self, depth: int) -> int:
        """How many sequences of `depth` legal moves there are; a game that ends earlier counts no further.

        A game may have a perft of its own: chess goes on after draws by rule, as is usual there.
        """
        depth = index(depth)
        if depth < 0:
            raise ValueError(f"depth must be 0 or more, got {depth}")
        own: Any = getattr(self.game, "perft", None)
        if own is not None:
            return int(own(self.state, depth))
        return 1 if depth == 0 else _count_games(self.game, self.state, depth)

    def __str__(self) -> str:
        return self.game.draw(self.state)

    def __repr__(self) -> str:
        return f"Position({self.game.name}, {self.text()!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Position) and self.game == other.game and self.text() == other.text()

    def __hash__(self) -> int:
        return hash((self.game.name, self.text()))


def _count_games(game: Game, states: States, depth: int) -> int:
    """Sum of perft over `states`, a slice of the next level at a time, so that memory stays bounded."""
    rows, actions = np.nonzero(game.legal(states))
    if depth == 1:
        return len(rows)
    total = 0
    for first in range(0, len(rows), PERFT_SLICE):
        part = slice(first, first + PERFT_SLICE)
        level = states[rows[part]]
        game.play(level, actions[part].astype(np.int32))
        total += _count_games(game, level, depth - 1)
    return total


__all__ = ["BadNotation", "IllegalMove", "Outcome", "Position"]
