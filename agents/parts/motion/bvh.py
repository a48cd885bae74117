"""Reads Biovision's BVH: a hierarchy of joints with their channels, then a line of numbers for each frame."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sakiyomi.agents.parts.motion.lines import finite, numbered
from sakiyomi.agents.parts.motion.recording import Motion

Lines = Iterator[tuple[int, str]]


def read_bvh(path: str | Path) -> Motion:
    """The frames of a BVH file, channels "Hips.Xposition" in the file's order, of all its roots; angles in degrees.

    Raises ValueError with the line for what is no BVH.
    """
    path = Path(path)
    lines = ((number, line.strip()) for number, line in numbered(path) if line.strip())
    number, line = next(lines, (1, ""))
    if line.upper() != "HIERARCHY":
        raise ValueError(f"{path}, line {number}: a BVH file begins with HIERARCHY, got {line[:40]!r}")
    names = _channels(path, lines)
    count = int(_setting(path, lines, "Frames:", whole=True))
    seconds = _setting(path, lines, "Frame Time:")
    frames = []
    for number, line in lines:
        values = finite(line.split(), f"{path}, line {number}")
        if len(values) != len(names):
            raise ValueError(f"{path}, line {number}: {len(names)} channels are wanted, got {len(values)} numbers")
        frames.append(values)
    if len(frames) != count:
        raise ValueError(f"{path}: {count} frames are announced, {len(frames)} are there")
    return Motion(np.array(frames, np.float64).reshape(-1, len(names)), names, seconds)


def _channels(path: Path, lines: Lines) -> tuple[str, ...]:
    """The channels of the hierarchy, up to the line MOTION."""
    names: list[str] = []
    joints: list[str] = []  # those whose braces are open
    coming = ""
    for number, line in lines:
        where, (word, *rest) = f"{path}, line {number}", line.replace("{", " { ").replace("}", " } ").split()
        opens = rest[-1:] == ["{"]
        if word.upper() == "MOTION":
            if joints:
                raise ValueError(f"{where}: the braces of {joints[-1]} are still open")
            return _unique(path, names)
        if word.upper() in ("ROOT", "JOINT", "END"):
            coming = " ".join(rest[:-1] if opens else rest)
            if not coming:
                raise ValueError(f"{where}: a {word} needs a name")
        if word == "{" or opens:
            joints.append(coming)
        elif word == "}":
            if not joints:
                raise ValueError(f"{where}: a brace is closed that was not opened")
            joints.pop()
        elif word.upper() == "CHANNELS":
            if not joints or not rest or rest[0] != str(len(rest) - 1):
                raise ValueError(f"{where}: CHANNELS, their number and their names are wanted within a joint's braces")
            names += [f"{joints[-1]}.{channel}" for channel in rest[1:]]
        elif word.upper() not in ("ROOT", "JOINT", "END", "OFFSET"):
            raise ValueError(f"{where}: {word!r} is not known in a hierarchy")
    raise ValueError(f"{path}: there is no line MOTION")


def _unique(path: Path, names: list[str]) -> tuple[str, ...]:
    """The names, those of a joint that comes again with a number. Raises ValueError for none."""
    if not names:
        raise ValueError(f"{path}: no joint has channels")
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(result)


def _setting(path: Path, lines: Lines, name: str, whole: bool = False) -> float:
    number, line = next(lines, (0, ""))
    where = f"{path}, line {number}" if number else f"{path}, at its end"
    words = " ".join(line.split())
    if not words.lower().startswith(name.lower()):
        raise ValueError(f"{where}: {name!r} is wanted, got {words[:40]!r}")
    value = finite([words[len(name) :].strip()], where)[0]
    if value < 0 or (whole and value != int(value)) or (not whole and value == 0):
        raise ValueError(f"{where}: {name} {value} is not possible")
    return value
