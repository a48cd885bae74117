"""V, M and C of World Models acting and imagining together (Ha and Schmidhuber, NeurIPS 2018, section 2.4).

::

    step          t
    code         z_t   of the picture at t, drawn
    action       a_t   = C(z_t, h_t, c_t)
    memory       h_{t+1}, c_{t+1} = M(z_t, a_t, h_t, c_t)      from which M foretells z_{t+1}
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from sakiyomi.agents.parts.vmc.linear_controller import LinearController
from sakiyomi.agents.parts.vmc.mdn_rnn import MDNRNN, Memory, drawn_codes, mixture_entropy
from sakiyomi.agents.parts.vmc.vae import VAE, Codes, as_colours

AT_ONCE = 256
"""Pictures that V looks at, or paints, at the same time at most."""


class Lived(NamedTuple):
    """A step of B episodes, as above: codes [B, Z], actions [B, U] from -1 to 1, and the memory after it."""

    codes: Tensor
    actions: Tensor
    memory: Memory


class Imagined(NamedTuple):
    """F futures of H steps: row h of each is what comes after ``plan[h]``."""

    plan: Tensor  # [H, U]
    pictures: Tensor  # [F, H, channels, height, width], colours 0 to 1
    rewards: Tensor  # [F, H]
    goes_on: Tensor  # [F, H], the probability that the episode does
    entropy: Tensor  # [F, H] nats, of the choice among the mixtures' components


@dataclass(frozen=True, eq=False)
class VMC:
    """The three; V sees pictures with black being 1 if `inverted`, codes are drawn if `sampled`, else their means."""

    vae: VAE
    rnn: MDNRNN
    controller: LinearController
    inverted: bool = False
    sampled: bool = True

    @torch.no_grad()
    def seen(self, frames: Tensor) -> Codes:
        """The codes of frames uint8 [B, H, W, C], on the device of V."""
        device = self.vae.mean.weight.device
        parts = [self.vae.encode(as_colours(each.to(device), self.inverted)) for each in frames.split(AT_ONCE)]
        return Codes(*(torch.cat(column) for column in zip(*parts, strict=True)))

    @torch.no_grad()
    def live(
        self,
        frames: Tensor,
        first: Tensor,
        memory: Memory,
        weights: Tensor,
        normal: Tensor,
        noise: Tensor | None = None,
    ) -> Lived:
        """Act on frames uint8 [B, ...] with the controllers `weights` [B, D]; `first` [B] rows forget `memory`.

        `normal` [B, Z] are standard normal numbers, by which codes are drawn. `noise` [B, U] is added to the actions.
        """
        seen = self.seen(frames)
        codes = seen.drawn(normal) if self.sampled else seen.mean
        kept = (~first)[:, None].to(codes.dtype)
        memory = Memory(memory.hidden * kept, memory.cell * kept)
        actions = self.controller(weights, codes, memory)
        if noise is not None:
            actions = (actions + noise).clamp(-1, 1)
        return Lived(codes, actions, self.rnn.step(codes, actions, first, memory))

    @torch.no_grad()
    def imagine(
        self, lived: Lived, weights: Tensor, *, horizon: int, futures: int, generator: torch.Generator
    ) -> Imagined:
        """What may come after a step of one episode, for the controller `weights` [1, D].

        Future 0 is the likeliest (temperature 0), in which the controller makes the plan; in the others, drawn at
        temperature 1, the same plan is carried out.
        """
        memory = Memory(*(each.expand(futures, -1) for each in lived.memory))
        no = torch.zeros(futures, dtype=torch.bool, device=memory.hidden.device)
        plan, codes, told = [lived.actions[0]], list[Tensor](), list[tuple[Tensor, ...]]()
        for _ in range(horizon):
            foretold = self.rnn.foretold(memory.hidden)
            shape, device = (futures, self.rnn.latent), memory.hidden.device
            uniform, normal = (draw(shape, generator=generator).to(device) for draw in (torch.rand, torch.randn))
            drawn = drawn_codes(foretold.code, 1.0, uniform, normal)
            drawn[:1] = drawn_codes(foretold.code, 0.0, uniform, normal)[:1]
            ones = torch.ones_like(drawn[:, 0])
            rewards = ones if foretold.reward is None else foretold.reward
            goes_on = ones if foretold.restart is None else (-foretold.restart).sigmoid()
            told.append((rewards, goes_on, mixture_entropy(foretold.code)))
            codes.append(drawn)
            action = self.controller(weights, drawn[:1], Memory(memory.hidden[:1], memory.cell[:1]))
            plan.append(action[0])
            memory = self.rnn.step(drawn, action.expand(futures, -1), no, memory)
        rewards, goes_on, entropy = (torch.stack(column, dim=1) for column in zip(*told, strict=True))
        return Imagined(torch.stack(plan[:-1]), self._painted(torch.stack(codes, dim=1)), rewards, goes_on, entropy)

    def _painted(self, codes: Tensor) -> Tensor:
        """[F, H, C, H, W], colours as the task has them, of codes [F, H, Z]."""
        parts = [self.vae.decode(each) for each in codes.flatten(0, 1).split(AT_ONCE)]
        pictures = torch.cat(parts).unflatten(0, codes.shape[:2])
        return 1 - pictures if self.inverted else pictures
