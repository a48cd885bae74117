"""An agent on disk: agent.json says what it is, weights.safetensors holds its numbers.

::

    {"agent": "pets", "task": "pendulum", "config": {...}, ...}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from sakiyomi.agents.parts.runs.checkpoints import load_tensors, read_json, save_tensors, write_json

if TYPE_CHECKING:
    from torch import Tensor

DAMAGE = (KeyError, TypeError, AttributeError, OSError, RuntimeError, ValueError, EOFError, BadZipFile)
"""What reading files raises that are damaged, or not what they were taken for."""
DESCRIPTION, WEIGHTS = "agent.json", "weights.safetensors"


def save_agent(folder: Path, kind: str, about: Mapping[str, Any], tensors: "Mapping[str, Tensor]") -> None:
    """Write an agent of that `kind` into `folder`, each file whole or not at all; `about` is what JSON can hold."""
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(folder / WEIGHTS, tensors)
    write_json(folder / DESCRIPTION, {"agent": kind, **about})


def load_agent(folder: Path, kind: str) -> "tuple[dict[str, Any], dict[str, Tensor]]":
    """What `save_agent` wrote. Raises ValueError if `folder` holds no such agent.

    What is made of it may fail with any of `DAMAGE`; `damaged` puts that into words.
    """
    if not (folder / DESCRIPTION).is_file():
        raise ValueError(f"{folder} holds no agent: there is no {DESCRIPTION}")
    described = read_json(folder / DESCRIPTION)
    found = described.get("agent") if isinstance(described, dict) else None
    if found != kind:
        raise ValueError(f"{folder} holds an agent of the kind {found!r}, {kind!r} is wanted")
    try:
        return described, load_tensors(folder / WEIGHTS)
    except DAMAGE as error:
        raise damaged(folder, error) from error


def damaged(folder: Path, error: BaseException) -> ValueError:
    """The error to raise for an agent that cannot be made of what `folder` holds."""
    return ValueError(f"the agent in {folder} is damaged: {' '.join(str(error).split())}")
