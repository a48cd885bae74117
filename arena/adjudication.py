"""When a game is over before its end: by the scores of both players, by its length, or because its result is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sakiyomi.boards.game import Game
from sakiyomi.boards.player import Thought
from sakiyomi.boards.position import Position


@dataclass(frozen=True)
class Ruling:
    """The end of a game by a referee: who has won (None: nobody), and why. With `score` the board is counted as it
    stands.
    """

    winner: int | None
    why: str
    score: bool = False


@dataclass(frozen=True)
class Adjudication:
    """The rules by which a tournament ends games; none holds where nothing is set."""

    max_moves: int | None = None

    def __bool__(self) -> bool:
        return self != Adjudication()

    @property
    def settings(self) -> dict[str, Any]:
        """What is set, as JSON and TOML can say it; `of` reads it back."""
        return {} if self.max_moves is None else {"max_moves": self.max_moves}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Adjudication":
        """The rules that settings describe: `resign` and `draw` as lines of text, `max_moves`, `solved`, `tablebases`.

        Raises ValueError for what is wrong with them.
        """
        return cls(settings.get("max_moves"))

    def referee(self, game: Game) -> "Referee":
        """Who watches one game of `game`."""
        return Referee(self)


class Referee:
    """Watches one game."""

    def __init__(self, rules: Adjudication):
        self._rules = rules

    def after(self, position: Position, side: int, thought: Thought | None) -> Ruling | None:
        """Called after each move of `side`, which led to `position`: a ruling if the game is over."""
        if self._rules.max_moves is not None and position.ply >= 2 * self._rules.max_moves:
            return Ruling(None, f"{self._rules.max_moves} moves were played", score=hasattr(position.game, "score"))
        return None
