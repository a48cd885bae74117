"""`ShogiTree`: one game of a CSA, KIF, KI2 or USI file: its text, variations and times."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.sgf.charset import CHARSETS
from sakiyomi.sgf.faults import BadRecord, Fault, Found
from sakiyomi.sgf.record import Record

_TIME = re.compile(r"[ 　]*\(?[ 　]*(\d+):[ ]*(\d+(?:\.\d+)?)")
_SPENT = re.compile(r"\[%emt\s+(\d+):(\d+):(\d+(?:\.\d*)?)\s*\]")
Seconds = tuple[float | None, ...]


@dataclass(frozen=True)
class Variation:
    """Other moves than those of the line `parent`: an index of `ShogiTree.variations`, -1 for the main line.

    It leaves that line after `ply` plies of the game. `comments` count plies of the game, too; `ending` is the closing
    move as it was written, "" for none.
    """

    parent: int
    ply: int
    moves: tuple[str, ...]
    comments: Mapping[int, str]
    stated_times: Sequence[str] = field(default=(), repr=False)
    ending: str = ""

    @property
    def times(self) -> Seconds:
        """Seconds spent on each move."""
        return tuple(_seconds(text) for text in self.stated_times)


@dataclass(frozen=True, eq=False)
class ShogiTree:
    """The bytes of one game and where they come from, and what a `Record` has no room for.

    `byte` (from 0) and `line` (from 1) are those of its first byte in the file, `format` "csa", "kif", "ki2" or "usi".
    `setup` and `moves` are those that the record was given, `actions` (int32) the moves as `Shogi` has them, known to
    be legal. `stated_times` are those of the moves and of the closing move: milliseconds or -1, or KIF's texts. Trees
    are equal if their text is.
    """

    data: bytes
    file: str
    byte: int
    line: int
    number: int
    charset: str
    format: str
    setup: str | None
    moves: tuple[str, ...] = field(repr=False)
    actions: NDArray[np.int32] = field(repr=False)
    stated_times: Any = field(default=(), repr=False)
    variations: tuple[Variation, ...] = ()
    faults: list[Found] = field(default_factory=list, repr=False)

    @property
    def offset(self) -> int:
        """Where the game begins in `data`."""
        return 0

    @property
    def has_variations(self) -> bool:
        """Is there more than the main line?"""
        return bool(self.variations)

    @cached_property
    def times(self) -> Seconds:
        """Seconds spent on each move of the main line, and on the closing move; None where nothing is said."""
        if isinstance(self.stated_times, np.ndarray):
            return tuple(None if spent < 0 else spent / 1000 for spent in self.stated_times.tolist())
        return tuple(_seconds(text) for text in self.stated_times)

    def main_line(self) -> "ShogiTree":
        """The game without its text and its variations; times are kept."""
        return replace(self, format="", variations=())

    @property
    def codec(self) -> str:
        """Python's name of the charset."""
        return CHARSETS.get(self.charset, self.charset)

    @property
    def text(self) -> str:
        """The game as text; its lines end with "\\n"."""
        text = self.data.decode(self.codec, "replace").removeprefix("\ufeff")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def note(self, fault: Fault, offset: int, detail: str = "") -> None:
        """Add a fault found at `offset` of `data`."""
        byte, line = self.place(offset)
        self.faults.append(Found(fault, byte, line, self.number, detail))

    def place(self, offset: int) -> tuple[int, int]:
        """Byte (from 0) and line (from 1) in the file of an offset in `data`."""
        part = self.data[:offset]
        return self.byte + offset, self.line + part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")

    def bad(self, reason: str, offset: int) -> BadRecord:
        """The error for something at `offset` of `data`."""
        byte, line = self.place(offset)
        return BadRecord(reason, file=self.file, byte=byte, line=line, game=self.number)

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, ShogiTree) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # `faults` grows


def move_times(record: Record) -> list[float | None]:
    """Seconds spent on each move: from the file it was read from, or from comments "[%emt 0:00:14]"; else None."""
    tree = record.tree
    if isinstance(tree, ShogiTree) and record.moves == tree.moves:
        found = tree.times[: len(record.moves)]
        if any(spent is not None for spent in found):
            return [*found, *[None] * (len(record.moves) - len(found))]
    matches = (_SPENT.search(record.comments.get(ply, "")) for ply in range(1, len(record.moves) + 1))
    return [None if match is None else 3600 * int(match[1]) + 60 * int(match[2]) + float(match[3]) for match in matches]


def _seconds(text: str) -> float | None:
    """Of "( 0:12/00:01:10)" the first, 12.0."""
    match = _TIME.match(text)
    return None if match is None else 60 * int(match[1]) + float(match[2])
