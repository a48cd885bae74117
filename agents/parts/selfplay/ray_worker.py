"""What runs on the nodes of a Ray cluster: a `Worker` plays shares of games, which it is sent and sends back."""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.runs.checkpoints import write_bytes
from sakiyomi.agents.parts.selfplay.crew import LocalCrew
from sakiyomi.agents.parts.selfplay.ray_cluster import digest_of
from sakiyomi.agents.parts.selfplay.replay import Episode
from sakiyomi.boards import rows

PACKAGES = ("boards", "agents.parts")
"""What workers use, and must be the same on every node."""

State = Mapping[str, bytes]
"""A share of games as it stands: what `LocalCrew.save` writes, files by their names."""


class Lesson(NamedTuple):
    """What to play by; see `Crew.use`."""

    settings: dict[str, Any]
    weights: dict[str, NDArray[Any]]
    calibration: NDArray[np.float32] | None
    resign_below: float


class Played(NamedTuple):
    """What a worker made of a share."""

    episodes: list[Episode]
    tally: dict[str, float]
    lowest: list[float]
    state: State


class Worker:
    """Plays shares on its node, one at a time, all of them by `make`."""

    def __init__(self, make: Callable[..., LocalCrew]):
        rows.set_threads(1)  # the groups of games are what runs side by side
        torch.set_num_threads(1)
        self._make = make
        self._crew: LocalCrew | None = None

    def greet(self, source: str) -> None:
        """Raises ConnectionError if this node has not the code of that digest."""
        if digest_of(PACKAGES) != source:
            name = socket.gethostname()
            raise ConnectionError(f"node {name} has another version of sakiyomi; install the same everywhere")

    def play(self, state: State, lesson: Lesson, rounds: int) -> Played:
        """Go on with a share for so many rounds."""
        crew = self._crew = self._crew or self._make(seed=0)
        with TemporaryDirectory() as folder:
            write_state(state, Path(folder))
            crew.load(Path(folder))
        net = DualNet(**lesson.settings)
        net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in lesson.weights.items()})
        calibration = None if lesson.calibration is None else lesson.calibration.copy()  # Ray's arrays are read-only
        crew.use(net, calibration, lesson.resign_below)
        return Played(crew.play(rounds), crew.tally(), crew.lowest(), state_of(crew))


def state_of(crew: LocalCrew) -> State:
    """The games of `crew` as they stand."""
    with TemporaryDirectory() as folder:
        crew.save(Path(folder))
        return read_state(Path(folder))


def read_state(folder: Path) -> State:
    """What `LocalCrew.save` or `write_state` wrote into `folder`."""
    files = sorted(folder.glob("group-*/*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def write_state(state: State, folder: Path) -> None:
    """Write files for `LocalCrew.load`."""
    for name, content in state.items():
        write_bytes(folder / name, content)
