"""A learnt GPDM as tensors by name, and back: what is saved of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.motions import Motions
from sakiyomi.agents.parts.gpdm.posterior import State
from sakiyomi.agents.parts.gpdm.transitions import Dynamics
from sakiyomi.agents.parts.runs.agent_files import load_agent, save_agent

KIND = "gpdm"


def tensors_of(model: Model) -> dict[str, Tensor]:
    """All that the model is made of but its form."""
    motions = model.motions
    arrays = {
        "y": motions.y,
        "mean": motions.mean,
        "varying": motions.varying,
        "lengths": np.array(motions.lengths),
        "rows": motions.rows,
        "weight": np.array(model.weight),
        **model.state._asdict(),
    }
    if motions.controls is not None:
        arrays["controls"] = motions.controls
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def model_of(tensors: Mapping[str, Tensor], form: Dynamics) -> Model:
    """The model of those tensors, whose dynamics are of that form. Raises KeyError if some are missing."""
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    motions = Motions(
        y=arrays["y"],
        mean=arrays["mean"],
        varying=arrays["varying"],
        lengths=tuple(int(n) for n in arrays["lengths"]),
        rows=arrays["rows"],
        controls=arrays.get("controls"),
    )
    state = State(*(arrays[name] for name in State._fields))
    return Model(motions, form, state, arrays["weight"].item())


@dataclass
class KeptModel:
    """The latest model of a training run, as a part of it."""

    form: Dynamics
    model: Model | None = None

    def save(self, path: Path) -> None:
        """Into a folder."""
        save_agent(path, KIND, {}, {} if self.model is None else tensors_of(self.model))

    def load(self, path: Path) -> None:
        """What `save` wrote."""
        tensors = load_agent(path, KIND)[1]
        self.model = model_of(tensors, self.form) if tensors else None
