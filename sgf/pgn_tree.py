"""`PgnTree`: one game of a PGN file as it stands there, which python-chess parses when the whole tree is wanted."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sakiyomi.sgf.charset import CHARSETS
from sakiyomi.sgf.faults import BadRecord, Fault, Found

if TYPE_CHECKING:
    import chess.pgn


def line_ends(text: bytes) -> int:
    """How many lines end in it: with LF, CR LF or CR."""
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


@dataclass(frozen=True, eq=False)
class PgnTree:
    """The bytes of one game, from its first tag to its result, and where they come from.

    `byte` (from 0) and `line` (from 1) are those of its first byte in the file; `movetext` is where, in `data`, the
    tags end. `faults` lists what was wrong and read all the same. `game_name`, `setup` and `moves` are those that the
    record was given, `actions` (int32) the moves as `Chess` has them, known to be legal. Trees are equal if
    their text is.
    """

    data: bytes
    file: str
    byte: int
    line: int
    number: int
    charset: str
    movetext: int
    has_variations: bool
    game_name: str
    setup: str | None
    moves: tuple[str, ...] = field(repr=False)
    actions: NDArray[np.int32] = field(repr=False)
    faults: list[Found] = field(default_factory=list, repr=False)

    @property
    def offset(self) -> int:
        """Where the game begins in `data`."""
        return 0

    @property
    def codec(self) -> str:
        """Python's name of the charset."""
        return CHARSETS.get(self.charset, self.charset)

    @property
    def text(self) -> str:
        """The game as text; its lines end with "\\n"."""
        return self.text_from(0)

    def text_from(self, offset: int) -> str:
        """`text` from an offset in `data` on."""
        text = self.data[offset:].decode(self.codec, "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def game(self) -> "chess.pgn.Game":
        """The whole tree, variations and NAGs too, as python-chess reads it; its `errors` lists what it could not."""
        import chess.pgn

        class Builder(chess.pgn.GameBuilder[chess.pgn.Game]):
            def handle_error(self, error: Exception) -> None:
                self.game.errors.append(error)  # without a word in the log

        game = chess.pgn.read_game(io.StringIO(self.text), Visitor=Builder)
        return game or chess.pgn.Game()

    def note(self, fault: Fault, offset: int, detail: str = "") -> None:
        """Add a fault found at `offset` of `data`."""
        self.note_all(fault, [offset], [detail])

    def note_all(self, fault: Fault, offsets: Iterable[int], details: Iterable[str]) -> None:
        """Add a fault for each of the ascending offsets of `data`, none within a line's end, in one pass over it."""
        line, before = self.line, 0
        for offset, detail in zip(offsets, details, strict=True):
            line += line_ends(self.data[before:offset])
            before = offset
            self.faults.append(Found(fault, self.byte + offset, line, self.number, detail))

    def place(self, offset: int) -> tuple[int, int]:
        """Byte (from 0) and line (from 1) in the file of an offset in `data`."""
        return self.byte + offset, self.line + line_ends(self.data[:offset])

    def bad(self, reason: str, offset: int) -> BadRecord:
        """The error for something at `offset` of `data`."""
        byte, line = self.place(offset)
        return BadRecord(reason, file=self.file, byte=byte, line=line, game=self.number)

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, PgnTree) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # `faults` grows
