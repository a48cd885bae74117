"""Reads Acclaim's AMC, frames of bones and their numbers, and of the ASF beside it what the numbers are called."""

from pathlib import Path

import numpy as np

from sakiyomi.agents.parts.motion.lines import finite, numbered
from sakiyomi.agents.parts.motion.recording import Motion

ROOT = ("tx", "ty", "tz", "rx", "ry", "rz")


def read_amc(path: str | Path, skeleton: str | Path | None = None) -> Motion:
    """The frames of an AMC file, channels "rfemur.rx" if `skeleton`, its ASF file, is given, else "rfemur.1".

    Those of the root are "root.tx" to "root.rz" in either case, if it has six. Angles are in degrees, those in radians
    are converted. Raises ValueError with the line for what is no AMC or does not fit the skeleton.
    """
    path = Path(path)
    freedoms = {} if skeleton is None else read_freedoms(skeleton)
    radians, frames = False, list[dict[str, list[float]]]()
    for number, line in numbered(path):
        where, (word, *rest) = f"{path}, line {number}", line.split() or [""]
        if not word:
            continue
        if word.startswith(":"):
            radians = radians or word.upper() == ":RADIANS"
        elif not rest:
            if not word.isdigit():
                raise ValueError(f"{where}: a frame's number or a bone with its numbers is wanted, got {word!r}")
            if frames:
                _check_frame(f"{path}, before line {number}", frames)
            frames.append({})
        elif not frames:
            raise ValueError(f"{where}: bone {word!r} comes before the number of a frame")
        elif word in frames[-1]:
            raise ValueError(f"{where}: bone {word!r} comes twice in a frame")
        else:
            values = finite(rest, where)
            if len(values) != len(frames[0].get(word, values)):
                raise ValueError(
                    f"{where}: {word} has {len(values)} numbers, in the first frame {len(frames[0][word])}"
                )
            if word in freedoms and len(values) != len(freedoms[word]):
                raise ValueError(f"{where}: {word} has {len(values)} numbers, its skeleton {len(freedoms[word])}")
            frames[-1][word] = values
    if not frames:
        raise ValueError(f"{path} has no frames")
    _check_frame(f"{path}, at its end", frames)
    names = tuple(
        f"{bone}.{name}" for bone, values in frames[0].items() for name in _names(bone, len(values), freedoms)
    )
    numbers = np.array([[value for bone in frames[0] for value in frame[bone]] for frame in frames])
    if radians:
        turned = [not name.endswith((".tx", ".ty", ".tz", ".l")) for name in names]
        numbers[:, turned] = np.degrees(numbers[:, turned])
    return Motion(numbers, names)


def read_freedoms(path: str | Path) -> dict[str, tuple[str, ...]]:
    """What each bone of an ASF file is free to do: {"root": ("tx", ...), "rfemur": ("rx", "ry", "rz"), ...}.

    Bones that cannot move are left out. Raises ValueError for a file without a root.
    """
    freedoms: dict[str, tuple[str, ...]] = {}
    section, bone = "", ""
    for _, line in numbered(Path(path)):
        word, *rest = line.split() or [""]
        if word.startswith(":"):
            section, bone = word.lower(), ""
        elif section == ":root" and word.lower() == "order":
            freedoms["root"] = tuple(name.lower() for name in rest)
        elif section == ":bonedata" and word.lower() == "name" and rest:
            bone = rest[0]
        elif section == ":bonedata" and word.lower() == "dof" and bone:
            freedoms[bone] = tuple(name.lower() for name in rest)
    if "root" not in freedoms:
        raise ValueError(f"{path}: a skeleton needs a :root with an order")
    return freedoms


def _names(bone: str, count: int, freedoms: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if bone in freedoms:
        return freedoms[bone]
    return ROOT if bone == "root" and count == len(ROOT) else tuple(str(k + 1) for k in range(count))


def _check_frame(where: str, frames: list[dict[str, list[float]]]) -> None:
    """Raise ValueError if the last frame has not the bones of the first."""
    if odd := sorted(frames[0].keys() ^ frames[-1].keys()):
        raise ValueError(f"{where}: frame {len(frames)} and the first do not both have bone {odd[0]!r}")
    if not frames[-1]:
        raise ValueError(f"{where}: frame {len(frames)} is empty")
