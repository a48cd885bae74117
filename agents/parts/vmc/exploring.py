"""How World Models gather pictures of CarRacing before anything is learned: networks whose weights are random.

D. Ha and J. Schmidhuber, "Recurrent world models facilitate policy evolution", NeurIPS 2018, with the published code;
that of DoomTakeCover holds random actions, which is `AtRandom` of parts/episodes/random_actions.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.agent import Turn
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.vmc.mdn_rnn import Memory
from sakiyomi.agents.parts.vmc.worlds import VMC

SCALE = 0.01
"""Up to which a random network's weights are scaled."""


@dataclass(frozen=True, eq=False)
class Whims:
    """The carry of `RandomNetworks`: the seed of each row's network, what that remembers, and chance."""

    seeds: Tensor  # [B]
    hidden: Tensor  # [B, H]
    cell: Tensor  # [B, H]
    generator: torch.Generator


class RandomNetworks:
    """In every episode another V, M and C, all of whose weights are drawn from one Cauchy distribution.

    Its scale is uniform from 0 to `SCALE`; `make` makes networks of the right sizes. Such weights are now and then
    huge, and so the agent mostly has habits: it steers one way, or as the picture brightens.
    """

    def __init__(self, controls: Controls, make: Callable[[], VMC]):
        self.controls, self._make = controls, make
        self._drawn: dict[int, tuple[VMC, Tensor]] = {}

    def initial(self, batch: int, seed: int = 0) -> Whims:
        """As `Agent.initial`."""
        memory = self._make().rnn.empty(batch)
        seeds, generator = torch.zeros(batch, dtype=torch.int64), torch.Generator().manual_seed(seed)
        return Whims(seeds, memory.hidden.clone(), memory.cell.clone(), generator)

    @torch.no_grad()
    def act(self, carry: Whims, turn: Turn, explore: bool) -> tuple[NDArray[np.generic], Whims]:
        """As `Agent.act`."""
        first = torch.from_numpy(turn.is_first)
        frames = torch.from_numpy(np.ascontiguousarray(turn.observation))
        drawn = torch.randint(1 << 62, carry.seeds.shape, generator=carry.generator)
        seeds = torch.where(first, drawn, carry.seeds)
        self._drawn = {seed: self._drawn.get(seed) or self._network(seed) for seed in map(int, seeds)}
        rows = []
        for b, seed in enumerate(map(int, seeds)):
            vmc, weights = self._drawn[seed]
            normal = torch.randn((1, vmc.rnn.latent), generator=carry.generator)
            memory = Memory(carry.hidden[b : b + 1], carry.cell[b : b + 1])
            rows.append(vmc.live(frames[b : b + 1], first[b : b + 1], memory, weights, normal))
        actions = torch.cat([row.actions for row in rows]).nan_to_num(0.0)
        hidden, cell = (torch.cat(each).nan_to_num(0.0) for each in zip(*(row.memory for row in rows), strict=True))
        return self.controls.decoded(actions.numpy()), Whims(seeds, hidden, cell, carry.generator)

    def _network(self, seed: int) -> tuple[VMC, Tensor]:
        generator, vmc = torch.Generator().manual_seed(seed), self._make()
        scale = SCALE * float(torch.rand((), generator=generator))
        for module in (vmc.vae, vmc.rnn):
            for parameter in module.parameters():
                parameter.cauchy_(sigma=1.0, generator=generator).mul_(scale)
        weights = torch.empty(1, vmc.controller.parameters).cauchy_(sigma=1.0, generator=generator).mul_(scale)
        return vmc, weights
