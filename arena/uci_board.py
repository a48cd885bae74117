"""The board of a UCI engine: what the command ``position`` says, with the history that repetitions need."""

from sakiyomi.boards.chess import Chess
from sakiyomi.boards.position import Position

FORM = "position startpos|fen FEN [moves MOVE...]"


class UciBoard:
    """One position of `game`, and how it came about."""

    def __init__(self, game: Chess):
        self._words: list[str] | None = None  # what was set up last; None: nothing yet
        self._begin(game, None)

    def _begin(self, game: Chess, fen: str | None) -> None:
        """Nothing is played yet on the position `fen`, the start if None."""
        self.game = game
        self._fen = fen
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

        Where a game goes on from the last position only the new moves are played.
        """
        self._words = words
        at = words.index("moves") if "moves" in words else len(words)
        setup, moves = words[:at], words[at + 1 :]
        kind = setup[0] if setup else ""
        if kind not in ("startpos", "fen"):
            self._begin(self.game, None)
            raise ValueError(f"{kind!r} where startpos or fen is wanted: {FORM}")
        fen = " ".join(setup[1:]) if kind == "fen" else None
        position, new = self._position, len(self._moves)
        if position is None or fen != self._fen or moves[:new] != self._moves:
            new = 0
            self._begin(self.game, fen)
            position = Position(self.game, fen)
        self._position = None  # until all moves are found to be good
        for move in moves[new:]:
            position.play(move)
        self._moves = moves
        self._position = position

    def change(self, game: Chess) -> None:
        """The same position by other rules of castling. Raises ValueError as `set` does."""
        self._begin(game, None)
        if self._words is not None:
            self.set(self._words)
