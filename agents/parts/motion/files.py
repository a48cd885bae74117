"""Reads motion from files: BVH, AMC with or without the ASF that belongs to it, and CSV."""

from pathlib import Path

from sakiyomi.agents.parts.motion.amc import read_amc
from sakiyomi.agents.parts.motion.bvh import read_bvh
from sakiyomi.agents.parts.motion.recording import Motion
from sakiyomi.agents.parts.motion.table import read_csv


def read_motion(path: str | Path) -> Motion:
    """The motion in a .bvh, .amc or .csv file; beside NAME.amc, NAME.asf or else the only .asf of the folder is read.

    Raises ValueError for another kind of file and for one that is damaged, with the line.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind == ".bvh":
        return read_bvh(path)
    if kind == ".amc":
        same, others = path.with_suffix(".asf"), sorted(path.parent.glob("*.asf"))
        return read_amc(path, same if same.is_file() else others[0] if len(others) == 1 else None)
    if kind in (".csv", ".tsv", ".txt"):
        return read_csv(path)
    raise ValueError(f"{path}: motion is read from .bvh, .amc and .csv files")
