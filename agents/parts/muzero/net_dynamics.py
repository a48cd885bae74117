"""A `MuZeroNet` as the `Dynamics` that a latent search asks."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.parts.muzero.nets import MuZeroNet

Floats = NDArray[np.float32]


class NetDynamics:
    """Asks `net`, in evaluation mode; latent states stay tensors on the net's device."""

    def __init__(self, net: MuZeroNet):
        self.net = net
        self._device = next(net.parameters()).device

    def room(self, trees: int, nodes: int) -> Tensor:
        """As `Dynamics.room`."""
        return torch.zeros(trees, nodes, *self.net.latent, device=self._device)

    @torch.no_grad()
    def initial(self, observations: NDArray[Any]) -> tuple[Floats, Floats, Tensor]:
        """As `Dynamics.initial`; observations are the net's inputs."""
        net = self._ready()
        latents = net.represent(torch.from_numpy(np.ascontiguousarray(observations, np.float32)).to(self._device))
        logits, values = net.predict(latents)
        return logits.cpu().numpy(), net.scalars(values).cpu().numpy(), latents

    def value_of(self, observations: NDArray[Any]) -> Floats:
        """[n], the values of `observations` alone."""
        values: Floats = self.initial(observations)[1]
        return values

    @torch.no_grad()
    def recurrent(self, latents: Tensor, actions: NDArray[np.int32]) -> tuple[Floats, Floats, Floats, Tensor]:
        """As `Dynamics.recurrent`; without a head for rewards they are 0."""
        net = self._ready()
        rewards, after = net.step(latents, torch.from_numpy(actions.astype(np.int64)).to(self._device))
        logits, values = net.predict(after)
        told = np.zeros(len(actions), np.float32) if rewards is None else net.scalars(rewards).cpu().numpy()
        return logits.cpu().numpy(), net.scalars(values).cpu().numpy(), told, after

    def _ready(self) -> MuZeroNet:
        if self.net.training:  # learning puts it there; to go through all its layers takes longer than a small step
            self.net.eval()
        return self.net
