"""Actors: networks from latent features to distributions of actions, and how these are changed to explore."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from sakiyomi.agents.parts.latent.distributions import (
    OneHot,
    TanhGaussian,
    TruncatedNormal,
    dreamer_actor,
    dreamerv2_actor,
    full,
)
from sakiyomi.agents.parts.latent.pixel_nets import MLP

Choice: TypeAlias = OneHot | TanhGaussian | TruncatedNormal
VECTORS: dict[str, Callable[[Tensor], TanhGaussian | TruncatedNormal]] = {
    "tanh_gaussian": dreamer_actor,
    "truncated_normal": dreamerv2_actor,
}
"""Distributions of vectors of real numbers, of a network's outputs."""


class Actor(nn.Module):
    """Features [..., features] -> a distribution of actions [..., size]: a choice if `discrete`, else `vectors`."""

    def __init__(
        self,
        features: int,
        size: int,
        discrete: bool,
        hidden: Sequence[int],
        vectors: Literal["tanh_gaussian", "truncated_normal"],
    ):
        super().__init__()
        self.size, self.discrete, self.vectors = size, discrete, vectors
        self.layers = MLP(features, size if discrete else 2 * size, hidden=hidden)

    def forward(self, features: Tensor) -> Choice:
        """As the class says."""
        raw = self.layers(features)
        return OneHot(full(raw)) if self.discrete else VECTORS[self.vectors](raw)

    def noise(self, *lead: int, generator: torch.Generator) -> Tensor:
        """The numbers that draws of actions [*lead, size] need."""
        if self.discrete:
            return torch.rand(lead, generator=generator, device=generator.device)
        draw = torch.randn if self.vectors == "tanh_gaussian" else torch.rand
        return draw((*lead, self.size), generator=generator, device=generator.device)

    def best(self, features: Tensor, generator: torch.Generator, draws: int = 100) -> Tensor:
        """[..., size], the most probable action; of a normal through tanh the most probable of so many draws."""
        choice = self(features)
        return choice.best_of(draws, generator) if isinstance(choice, TanhGaussian) else choice.mode


def jittered(actions: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Vectors [B, U] with normal noise added, within [-1, 1]."""
    noise = torch.randn(actions.shape, generator=generator, device=actions.device)
    return (actions + deviation * noise).clamp(-1, 1)


def mixed_up(choices: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """One-hot choices [B, A], so many of them replaced by any of the A, all equally likely (epsilon-greedy)."""
    rows, count = choices.shape
    other = torch.randint(count, (rows,), generator=generator, device=choices.device)
    changed = torch.rand(rows, generator=generator, device=choices.device) < share
    return torch.where(changed[:, None], functional.one_hot(other, count).to(choices.dtype), choices)
