"""Acting at random, in the way of an agent with a carry: what is learned from before anything is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.agent import Turn
from sakiyomi.agents.parts.episodes.controls import Controls


@dataclass(frozen=True, eq=False)
class Wandering:
    """The carry of actors at random: their last actions [B, K], in -1 to 1, and how many more steps these hold [B]."""

    actions: Tensor
    left: Tensor
    generator: torch.Generator


@dataclass(frozen=True)
class AtRandom:
    """Draws an action, all being equally likely, and holds it for 1 to `most` steps, each as likely.

    A task that wants an effort in one direction is hardly moved by actions that are drawn anew at every step.
    """

    controls: Controls
    most: int = 1

    def initial(self, batch: int, seed: int = 0) -> Wandering:
        """As `Agent.initial`."""
        actions = torch.zeros(batch, self.controls.size, dtype=torch.float64)
        return Wandering(actions, torch.zeros(batch, dtype=torch.int64), torch.Generator().manual_seed(seed))

    def act(self, carry: Wandering, turn: Turn, explore: bool) -> tuple[NDArray[Any], Wandering]:
        """As `Agent.act`."""
        batch, generator = len(turn.is_first), carry.generator
        actions = 2 * torch.rand((batch, self.controls.size), generator=generator, dtype=torch.float64) - 1
        left = torch.zeros_like(carry.left)
        if self.most > 1:
            steps = torch.randint(1, self.most + 1, (batch,), generator=generator)
            new = torch.from_numpy(np.asarray(turn.is_first)) | (carry.left == 0)
            actions = torch.where(new[:, None], actions, carry.actions)
            left = torch.where(new, steps, carry.left) - 1
        return self.controls.decoded(actions.numpy()), Wandering(actions, left, generator)  # the largest choice is done


@dataclass(frozen=True)
class Brownian:
    """Moves on from its last action by a normal step of deviation `step`, within the limits; begins in the middle."""

    controls: Controls
    step: float

    def initial(self, batch: int, seed: int = 0) -> Wandering:
        """As `Agent.initial`."""
        return AtRandom(self.controls).initial(batch, seed)

    def act(self, carry: Wandering, turn: Turn, explore: bool) -> tuple[NDArray[Any], Wandering]:
        """As `Agent.act`."""
        steps = self.step * torch.randn(carry.actions.shape, generator=carry.generator, dtype=torch.float64)
        went_on = torch.from_numpy(~turn.is_first)[:, None]
        actions = (carry.actions * went_on + steps).clamp(-1, 1)
        return self.controls.decoded(actions.numpy()), Wandering(actions, carry.left, carry.generator)
