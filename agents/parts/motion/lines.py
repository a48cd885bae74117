"""What the readers share: lines with their numbers, and numbers with clear errors."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """The lines with their numbers from 1 on, any line ends; without those that are blank or begin with #.

    A line of nothing but tabs is not blank: it may be a row of a table whose entries are missing.

    Raises ValueError for a file that is no text.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text file") from None
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip(" ")
        if bare and not bare.startswith("#"):
            yield number, bare


def finite(words: Sequence[str], where: str) -> list[float]:
    """The numbers that `words` are. Raises ValueError, beginning with `where`, for one that is none or not finite."""
    values = []
    for word in words:
        try:
            value = float(word)
        except ValueError:
            raise ValueError(f"{where}: a number is wanted, got {word!r}") from None
        if not math.isfinite(value):
            raise ValueError(f"{where}: {word} is not finite")
        values.append(value)
    return values
