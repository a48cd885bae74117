"""The board of a GTP engine: one game of Go that a controller may set up, play for either colour and take back.

Every method that a command calls raises `Refused` with the text of the response; it then has changed nothing.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.game import BadNotation, Ending, IllegalMove
from sakiyomi.boards.go import Go
from sakiyomi.boards.position import Position

COLOURS = {"b": 0, "black": 0, "w": 1, "white": 1}
STATUSES = ("alive", "dead", "seki")


class Refused(Exception):
    """The command fails; the message is the response."""


class GtpBoard:
    """`position` of `game`, and the way back."""

    def __init__(self, game: Go):
        self.game = game
        self._start(Position(game))

    def _start(self, position: Position) -> None:
        self.position = position
        self._past: list[Position] = []

    def clear(self, game: Go | None = None) -> None:
        """The start of `game`, or of the present one."""
        self.game = game or self.game
        self._start(Position(self.game))

    def change(self, **settings: Any) -> None:
        """Other settings of the game (komi, rules), the stones staying as they are."""
        try:
            self.game = replace(self.game, **settings)
        except (TypeError, ValueError) as error:
            raise Refused(str(error)) from None
        for position in (*self._past, self.position):
            position.game = self.game

    def given_to(self, side: int) -> Position:
        """A copy of the position with `side` to move, play resumed if two passes had ended it.

        The protocol lets either colour move at any time; our rules see that as an uncounted pass of the other.
        """
        position = self.position.copy()
        outcome = position.outcome()
        if position.turn != side or (outcome and outcome.ending is Ending.TWO_PASSES):
            self.game.set_turn(position.state, side)
            position.state["passes"] = 0
        return position

    def play(self, side: int, vertex: str) -> None:
        """A move or pass of either colour, whoever's turn it is."""
        position = self.given_to(side)
        try:
            position.play(vertex)
        except BadNotation:
            raise Refused("invalid color or coordinate") from None
        except IllegalMove:
            raise Refused("illegal move") from None
        self._past.append(self.position)
        self.position = position

    def undo(self) -> None:
        """Take back the last move; handicap stones stay."""
        if not self._past:
            raise Refused("cannot undo")
        self.position = self._past.pop()

    def load(self, path: Path, before: int | None = None) -> None:
        """The main line of a file's first game up to before move number `before`; its komi, the present rules."""
        from sakiyomi.sgf import load
        from sakiyomi.sgf.go import komi_of

        try:
            record = load(path)[0]
            width, height = map(int, record.game.removeprefix("go-").split("x"))
            stated = komi_of(record)
            komi = self.game.komi if stated is None else stated
            other = GtpBoard(replace(self.game, size=(width, height), komi=komi, max_plies=0))
            other._start(Position(other.game, record.setup))
            first = other.position.turn
            for ply, move in enumerate(record.moves[: None if before is None else max(before - 1, 0)]):
                other.play((first + ply) % 2, move)
        except (OSError, ValueError, IndexError, Refused) as error:
            raise Refused(f"cannot load file: {' '.join(str(error).split())}") from None
        self.game, self.position, self._past = other.game, other.position, other._past

    # --- handicap

    def fixed_handicap(self, stones: int) -> str:
        """Put handicap stones where tradition has them; returns their vertices."""
        self._need_empty()
        try:
            states = self.game.handicap(stones)
        except ValueError:
            raise Refused("invalid number of stones") from None
        return self._set_up(np.flatnonzero(self.game.colours(states)[0]))

    def free_handicap(self, stones: int) -> str:
        """The fixed handicap where there is one, else stones far from each other; returns their vertices."""
        self._need_empty()
        if not 2 <= stones < self.game.num_actions - 1:
            raise Refused("invalid number of stones")
        try:
            return self.fixed_handicap(stones)
        except Refused:
            _, height, width = self.game.planes
            return self._set_up(spread_points(width, height, stones))

    def set_handicap(self, vertices: tuple[str, ...]) -> None:
        """Handicap stones where the controller wants them."""
        self._need_empty()
        area = self.game.num_actions - 1
        try:
            points = sorted({self.game.parse_move(self.position.state, vertex) for vertex in vertices})
        except BadNotation:
            raise Refused("bad vertex list") from None
        if len(points) != len(vertices) or not 2 <= len(points) < area or points[-1] == area:
            raise Refused("bad vertex list")
        self._set_up(np.array(points))

    def _need_empty(self) -> None:
        if self.position.board().any():
            raise Refused("board not empty")

    def _set_up(self, points: NDArray[np.integer[Any]]) -> str:
        stones = np.zeros((1, self.game.num_actions - 1), np.uint8)
        stones[0, points] = 1
        position = Position(self.game)
        position.state, _ = self.game.set_up(stones, np.array([1]))
        position.state["handicap"] = len(points)
        self._start(position)
        return self._vertices(points)

    # --- the end of the game

    def score(self) -> str:
        """The result by the rule set: "B+3.5", "W+0.5", or "0" for a draw."""
        dead, seki = self._judge()
        lead = float(self.game.score(self.position.state, dead, seki)[0])
        return "0" if lead == 0 else f"{'B' if lead > 0 else 'W'}+{abs(lead):g}"

    def with_status(self, status: str) -> str:
        """The vertices of all stones that are "alive", "dead" or in "seki"."""
        if status not in STATUSES:
            raise Refused("syntax error")
        dead, seki = self._judge()
        stones = self.game.colours(self.position.state) > 0
        marked = {"alive": stones & ~dead & ~seki, "dead": dead, "seki": seki}[status]
        return self._vertices(np.flatnonzero(marked[0]))

    def has_dead(self, side: int) -> bool:
        """Are stones of `side` on the board that are estimated to be dead?"""
        dead, _ = self.game.judge(self.position.state)
        return bool(dead[0, self.game.colours(self.position.state)[0] == side + 1].any())

    def _judge(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Dead stones and stones in seki, two [1, area]; under Tromp-Taylor rules what is on the board is alive."""
        if self.game.rules == "tromp-taylor" and self.game.ruleset.scoring == "area":
            nothing = np.zeros((1, self.game.num_actions - 1), np.bool_)
            return nothing, nothing
        return self.game.judge(self.position.state)

    def _vertices(self, points: NDArray[np.integer[Any]]) -> str:
        return " ".join(self.game.move_text(self.position.state, int(point)) for point in points)


def spread_points(width: int, height: int, stones: int) -> NDArray[np.int64]:
    """[stones], points that keep apart: from a corner's star point, always the one farthest from those before.

    Points on the edge come last.
    """
    y, x = np.divmod(np.arange(width * height), width)
    edge = (x == 0) | (y == 0) | (x == width - 1) | (y == height - 1)
    chosen = [int(np.argmin(np.abs(x - min(3, width // 2)) + np.abs(y - (height - 1 - min(3, height // 2)))))]
    apart = np.full(width * height, np.inf)
    while len(chosen) < stones:
        apart = np.minimum(apart, np.hypot(x - x[chosen[-1]], y - y[chosen[-1]]))
        apart[chosen[-1]] = -np.inf
        chosen.append(int(np.argmax(np.where(edge, apart - 1000, apart))))
    return np.sort(chosen)
