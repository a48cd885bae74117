"""The board of an engine: what the command ``position`` says, with the history that repetitions need."""

from collections.abc import Callable, Sequence

import numpy as np

from sakiyomi.boards.game import Ending, Game, IllegalMove
from sakiyomi.boards.position import Position

Moves = Callable[[Position], Sequence[int]]
"""The actions that are legal by the rules of moving, whatever other rule has ended the game."""


class EngineBoard:
    """One position of `game`, and how it came about.

    `word` stands before positions in text: "fen" or "sfen". `moves` tells what a controller that applies fewer rules
    may play where the game is over.
    """

    def __init__(self, game: Game, word: str, moves: Moves):
        self.word, self._playable = word, moves
        self._words: list[str] | None = None  # what was set up last; None: nothing yet
        self._begin(game, None)

    def _begin(self, game: Game, text: str | None) -> None:
        """Nothing is played yet on the position `text`, the start if None."""
        self.game = game
        self._text = text
        self._moves: list[str] = []
        self._position: Position | None = None

    @property
    def position(self) -> Position | None:
        """The position, first of all that of the start; None after a ``position`` that could not be followed."""
        if self._words is None:  # not earlier: the rules are compiled or loaded with the first position
            self.set(["startpos"])
        return self._position

    def set(self, words: list[str]) -> None:
        """Set up what the words behind ``position`` say. Raises ValueError, after which there is no position.

        Where a game goes on from the last position only the new moves are played. How long a game may be is the
        controller's business, and so is a game that goes on where a draw by rule has ended it: such a position stands
        without its history.
        """
        self._words = words
        at = words.index("moves") if "moves" in words else len(words)
        setup, moves = words[:at], words[at + 1 :]
        kind = setup[0] if setup else ""
        form = f"position startpos|{self.word} {self.word.upper()} [moves MOVE...]"
        if kind not in ("startpos", self.word):
            self._begin(self.game, None)
            raise ValueError(f"{kind!r} where startpos or {self.word} is wanted: {form}")
        if kind == "startpos" and setup[1:]:
            self._begin(self.game, None)
            raise ValueError(f"{setup[1]!r} where the word moves is wanted: {form}")
        text = " ".join(setup[1:]) if kind == self.word else None
        position, new = self._position, len(self._moves)
        if position is None or text != self._text or moves[:new] != self._moves:
            new = 0
            self._begin(self.game, text)
            position = Position(self.game, text)
        self._position = None  # until all moves are found to be good
        for move in moves[new:]:
            position = self._after(position, move)
        if self.game.ending(position.state)[0] == Ending.MOVE_LIMIT:
            position = Position(self.game, position.text())
        self._moves = moves
        self._position = position

    def _after(self, position: Position, move: str) -> Position:
        """The position after `move`, which may be played although a rule has ended the game."""
        if position.outcome() is not None:
            position = Position(self.game, position.text())
        if position.outcome() is None or not (playable := self._playable(position)):
            position.play(move)
            return position
        action = self.game.parse_move(position.state, move)
        if action not in playable:
            why = self.game.why_illegal(position.state, action)
            raise IllegalMove(f"illegal move {move} in {position.text()}: {why}")
        self.game.play(position.state, np.array([action], np.int32))
        return position

    def change(self, game: Game) -> None:
        """The same position by other rules. Raises ValueError as `set` does."""
        self._begin(game, None)
        if self._words is not None:
            self.set(self._words)
