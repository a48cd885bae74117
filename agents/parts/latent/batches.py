"""Sequences of rows as tensors on the device that learns."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sakiyomi.agents.parts.episodes.sequences import Sequences
from sakiyomi.agents.parts.latent.tensors import Tensors


@dataclass(frozen=True)
class Batch(Tensors):
    """What `Sequences` holds: [B, L, ...]. Pictures are still bytes."""

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    is_first: Tensor
    is_terminal: Tensor

    @classmethod
    def of(cls, sequences: Sequences, device: torch.device) -> Self:
        """`sequences` on `device`."""
        arrays = (
            sequences.observations,
            sequences.actions,
            sequences.rewards,
            sequences.is_first,
            sequences.is_terminal,
        )
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))
