"""Reads motion from tables of numbers: a line for each frame, separated by commas, semicolons, tabs or spaces."""

import math
from pathlib import Path

import numpy as np

from sakiyomi.agents.parts.motion.lines import numbered
from sakiyomi.agents.parts.motion.recording import Motion

MISSING = ("", "nan", "na", "n/a", "null", "none")


def read_csv(path: str | Path) -> Motion:
    """The frames of a table; the first line may name the channels, else they are "1", "2", ...

    An entry that is empty or NaN is missing. Lines that begin with # are comments. Raises ValueError with the line for
    anything else that is no finite number, and for lines of different lengths.
    """
    path = Path(path)
    lines = list(numbered(path))
    if not lines:
        raise ValueError(f"{path} is empty")
    separator = next((mark for mark in ("\t", ";", ",") if mark in lines[0][1]), None)
    rows = [(number, [word.strip().strip('"') for word in line.split(separator)]) for number, line in lines]
    names = tuple(rows[0][1])
    if any(_is_number(word) for word in names):
        names = tuple(str(k + 1) for k in range(len(names)))
    else:
        rows = rows[1:]
    frames = np.empty((len(rows), len(names)))
    for row, (number, words) in enumerate(rows):
        if len(words) != len(names):
            raise ValueError(f"{path}, line {number}: {len(names)} columns are wanted, got {len(words)}")
        for column, word in enumerate(words):
            if not _is_number(word):
                raise ValueError(f"{path}, line {number}, column {column + 1}: a number is wanted, got {word!r}")
            frames[row, column] = math.nan if word.lower() in MISSING else float(word)
            if math.isinf(frames[row, column]):
                raise ValueError(f"{path}, line {number}, column {column + 1}: {word} is not finite")
    if not len(rows):
        raise ValueError(f"{path} has no frames")
    return Motion(frames, names)


def _is_number(word: str) -> bool:
    if word.lower() in MISSING:
        return True
    try:
        float(word)
    except ValueError:
        return False
    return True
