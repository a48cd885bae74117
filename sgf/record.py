"""`Record`: one game of any kind, as it was played."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakiyomi.boards.game import Game
    from sakiyomi.boards.position import Position


@dataclass(frozen=True)
class Record:
    """One game: what was played, by whom, and how it ended.

    `game` is a game's name ("go-19x19", "connect4"); `setup` the text of the first position
    (`Game.position_text`) or None for the ordinary start; `moves` the main line in the game's notation ("D4", "pass");
    `result` "B+3.5", "W+R", "1-0", "0-1", "1/2-1/2", "0" (Go: a draw) or "*" (unknown or unfinished); `ending` why it
    ended, in words ("two passes", "resignation", "illegal move", "" when unknown); `players` the names, first player
    first; `comments` maps a ply (0 = before the first move) to text; `tree` is the format's own tree (`tree.Tree`) with
    everything else that the file holds, or None.
    """

    game: str
    moves: tuple[str, ...] = ()
    setup: str | None = None
    result: str = "*"
    ending: str = ""
    players: tuple[str, str] = ("", "")
    tags: Mapping[str, str] = field(default_factory=dict)
    comments: Mapping[int, str] = field(default_factory=dict)
    tree: Any = field(default=None, compare=False, repr=False)

    @property
    def score(self) -> float | None:
        """1.0, 0.5 or 0.0 for the first player (Black in Go, White in chess); None where `result` names no winner."""
        text = self.result.strip()
        if text.startswith(("B+", "b+")) or text == "1-0":
            return 1.0
        if text.startswith(("W+", "w+")) or text == "0-1":
            return 0.0
        return 0.5 if text in ("0", "Draw", "draw", "1/2-1/2") else None

    def positions(self, game: "Game | None" = None) -> "Iterator[Position]":
        """The first position and the one after each move, replayed on our boards; see `replay.positions`.

        `game` is the game to replay by; without it, the one that the record names. Raises IllegalMove, with the
        number of the move, where the rules forbid it.
        """
        from sakiyomi.sgf.replay import positions

        return positions(self, game)
