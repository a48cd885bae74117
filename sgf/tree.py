"""`Tree`: what the trees of all formats have in common, so that nobody need ask which it is."""

from typing import Protocol

from sakiyomi.sgf.faults import BadRecord, Found


class Tree(Protocol):
    """Everything that a file holds of one game, as `Record.tree`: SGF's `GameTree`, PGN's `PgnTree`."""

    faults: list[Found]
    """What was wrong and read all the same."""

    @property
    def file(self) -> str:
        """The file's path; inside an archive "archive!member"."""
        ...

    @property
    def number(self) -> int:
        """The game's number in the file, from 1."""
        ...

    @property
    def offset(self) -> int:
        """Where the game begins, as `bad` counts."""
        ...

    @property
    def charset(self) -> str:
        """The charset that the game is in, by its usual name."""
        ...

    @property
    def has_variations(self) -> bool:
        """Is there more than the main line?"""
        ...

    def bad(self, reason: str, offset: int) -> BadRecord:
        """The error for something at `offset`."""
        ...
