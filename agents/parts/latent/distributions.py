"""What the agents of learned dynamics draw from: latent states, actions, and whether an episode goes on.

A distribution is a frozen dataclass of its parameters [..., K]; K is the event, over which `log_prob`, `entropy` and
`kl` add up. `draw` takes its randomness as `Noise`, a generator or the numbers themselves (of a shape that each class
says), so that a scan can have all its numbers from one call. Draws carry gradients to the parameters, by
reparameterisation or straight through. Probabilities are float32 or better, whatever the networks run in.

Sources: D. Hafner et al., "Learning latent dynamics for planning from pixels", ICML 2019 (diagonal normals);
"Dream to control", ICLR 2020 (normal through tanh); "Mastering Atari with discrete world models", ICLR 2021 (one-hot
vectors and truncated normals), with the constants of their published code.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from sakiyomi.agents.parts.latent.tensors import Tensors

Noise: TypeAlias = torch.Generator | Tensor
"""Where a draw has its numbers from: a generator, or the numbers."""
LOG_ROOT_TWO_PI = 0.5 * math.log(2 * math.pi)
SUREST = 1 - 2**-22
"""Uniform numbers are held below this: the next float up may round a sum of probabilities to their total."""
INSIDE = 1 - 1e-6
"""How near to +1 and -1 a bounded action may lie."""


@dataclass(frozen=True)
class Gaussian(Tensors):
    """Independent normals, `mean` and `std` [..., K]. Noise: standard normal [..., K]."""

    mean: Tensor
    std: Tensor

    @property
    def mode(self) -> Tensor:
        """[..., K]."""
        return self.mean

    def draw(self, noise: Noise) -> Tensor:
        """[..., K], mean + std * noise."""
        return self.mean + self.std * _normal(noise, self.mean)

    def log_prob(self, x: Tensor) -> Tensor:
        """[...], natural logarithm of the density at x [..., K]."""
        return (-0.5 * ((x - self.mean) / self.std) ** 2 - self.std.log() - LOG_ROOT_TWO_PI).sum(-1)

    def entropy(self) -> Tensor:
        """[...], in nats."""
        return (self.std.log() + 0.5 + LOG_ROOT_TWO_PI).sum(-1)

    def kl(self, other: "Gaussian") -> Tensor:
        """[...], KL(self || other) in nats."""
        ratio, distance = self.std / other.std, (self.mean - other.mean) / other.std
        return (0.5 * (ratio**2 + distance**2 - 1) - ratio.log()).sum(-1)


@dataclass(frozen=True)
class OneHot(Tensors):
    """One of K classes as a vector of one 1 and zeros, `logits` [..., K]. Noise: uniform [...].

    A draw is the one-hot vector itself; its gradient is that of the probabilities (straight-through).
    """

    logits: Tensor

    @property
    def probs(self) -> Tensor:
        """[..., K], in float32 or better."""
        return torch.softmax(full(self.logits), -1)

    @property
    def mode(self) -> Tensor:
        """[..., K], without a gradient."""
        return self._one_hot(self.logits.argmax(-1))

    def draw(self, noise: Noise) -> Tensor:
        """[..., K]; a class of probability 0 is never drawn."""
        probs = self.probs
        sums = probs.detach().cumsum(-1)
        reached = _uniform(noise, sums[..., 0]).clamp(max=SUREST).unsqueeze(-1) * sums[..., -1:]
        chosen = torch.searchsorted(sums, reached, right=True).squeeze(-1).clamp(max=probs.shape[-1] - 1)
        return self._one_hot(chosen) + (probs - probs.detach())

    def log_prob(self, x: Tensor) -> Tensor:
        """[...], for one-hot x [..., K]."""
        return (x * torch.log_softmax(full(self.logits), -1).clamp(min=torch.finfo(torch.float32).min)).sum(-1)

    def entropy(self) -> Tensor:
        """[...], in nats."""
        return -self.log_prob(self.probs)

    def kl(self, other: "OneHot") -> Tensor:
        """[...], KL(self || other) in nats."""
        mine, others = (torch.log_softmax(full(logits), -1) for logits in (self.logits, other.logits))
        return (mine.exp() * (mine - others)).sum(-1)

    def _one_hot(self, chosen: Tensor) -> Tensor:
        classes = torch.arange(self.logits.shape[-1], device=chosen.device)
        return (classes == chosen.unsqueeze(-1)).to(full(self.logits).dtype)


@dataclass(frozen=True)
class OneHots(Tensors):
    """V independent classes out of C, `logits` [..., V, C], as one vector of V * C. Noise: uniform [..., V]."""

    logits: Tensor

    @property
    def mode(self) -> Tensor:
        """[..., V * C], without a gradient."""
        return OneHot(self.logits).mode.flatten(-2)

    def draw(self, noise: Noise) -> Tensor:
        """[..., V * C], straight-through."""
        return OneHot(self.logits).draw(noise).flatten(-2)

    def log_prob(self, x: Tensor) -> Tensor:
        """[...], for x [..., V * C]."""
        return OneHot(self.logits).log_prob(x.unflatten(-1, self.logits.shape[-2:])).sum(-1)

    def entropy(self) -> Tensor:
        """[...], in nats."""
        return OneHot(self.logits).entropy().sum(-1)

    def kl(self, other: "OneHots") -> Tensor:
        """[...], KL(self || other) in nats."""
        return OneHot(self.logits).kl(OneHot(other.logits)).sum(-1)


@dataclass(frozen=True)
class TanhGaussian(Tensors):
    """tanh of independent normals, `mean` and `std` [..., K] before it (Dreamer's actor). Noise: normal [..., K]."""

    mean: Tensor
    std: Tensor

    def draw(self, noise: Noise) -> Tensor:
        """[..., K] in [-1, 1]."""
        return torch.tanh(Gaussian(self.mean, self.std).draw(noise))

    def log_prob(self, x: Tensor) -> Tensor:
        """[...], at x [..., K]; what lies at the bounds counts as just inside them, so that the result is finite."""
        return self._log_prob_before(torch.atanh(x.clamp(-INSIDE, INSIDE)))

    def best_of(self, draws: int, generator: torch.Generator) -> Tensor:
        """[..., K], the most probable of so many draws: the paper's mode, of which there is no closed form."""
        before = torch.randn((draws, *self.mean.shape), generator=generator, device=self.mean.device)
        before = self.mean + self.std * before.to(self.mean.dtype)
        best = self._log_prob_before(before).argmax(0)
        return torch.tanh(before.gather(0, best[None, ..., None].expand(1, *self.mean.shape))[0])

    def _log_prob_before(self, z: Tensor) -> Tensor:
        # log(1 - tanh(z)^2) without the difference, which cancels where tanh saturates
        slope = 2 * (math.log(2) - z - functional.softplus(-2 * z))
        return Gaussian(self.mean, self.std).log_prob(z) - slope.sum(-1)


@dataclass(frozen=True)
class TruncatedNormal(Tensors):
    """Independent normals cut to [-1, 1], `mean` in [-1, 1] and `std` [..., K] (DreamerV2's actor). Noise: uniform.

    Draws are held inside the bounds by 1e-6, with the gradient of the unclipped draw. The least `std` is about 0.05.
    """

    mean: Tensor
    std: Tensor

    @property
    def mode(self) -> Tensor:
        """[..., K]."""
        return self.mean

    def draw(self, noise: Noise) -> Tensor:
        """[..., K], the inverse of the distribution function at uniform numbers [..., K]."""
        low, mass = self._mass()
        quantile = low + mass * _uniform(noise, self.mean)
        # 0 and 1 have infinite inverses
        x = self.mean + self.std * torch.special.ndtri(quantile.clamp(1e-7, 1 - 1e-7))
        return x + (x.clamp(-INSIDE, INSIDE) - x).detach()

    def log_prob(self, x: Tensor) -> Tensor:
        """[...], at x [..., K] within the bounds."""
        return Gaussian(self.mean, self.std).log_prob(x) - self._mass()[1].log().sum(-1)

    def entropy(self) -> Tensor:
        """[...], in nats."""
        low, high = (-1 - self.mean) / self.std, (1 - self.mean) / self.std
        mass = self._mass()[1]
        edges = (low * _density(low) - high * _density(high)) / (2 * mass)
        return (self.std.log() + mass.log() + 0.5 + LOG_ROOT_TWO_PI + edges).sum(-1)

    def _mass(self) -> tuple[Tensor, Tensor]:
        """What of the whole normal lies below -1, and what between the bounds, of each entry."""
        low = torch.special.ndtr((-1 - self.mean) / self.std)
        return low, torch.special.ndtr((1 - self.mean) / self.std) - low


@dataclass(frozen=True)
class Bernoulli(Tensors):
    """True with probability sigmoid(`logits`), for each entry [...] by itself. Noise: uniform [...]."""

    logits: Tensor

    @property
    def mean(self) -> Tensor:
        """[...], the probabilities."""
        return torch.sigmoid(full(self.logits))

    @property
    def mode(self) -> Tensor:
        """[...], 0 or 1."""
        return (self.logits > 0).to(full(self.logits).dtype)

    def draw(self, noise: Noise) -> Tensor:
        """[...], 0 or 1, without a gradient."""
        mean = self.mean.detach()
        return (_uniform(noise, mean) < mean).to(mean.dtype)

    def log_prob(self, x: Tensor) -> Tensor:
        """[...], at x [...] in [0, 1]; between 0 and 1 it is the cross-entropy of a soft target, negative."""
        logits = full(self.logits)
        return x * functional.logsigmoid(logits) + (1 - x) * functional.logsigmoid(-logits)


def unit_log_prob(x: Tensor, mean: Tensor, event: int) -> Tensor:
    """log N(x; mean, 1), added up (not averaged) over the last `event` dimensions: 3 for pictures, 0 for rewards."""
    each = -0.5 * (full(x) - full(mean)) ** 2 - LOG_ROOT_TWO_PI
    return each.sum(tuple(range(-event, 0))) if event else each


def softplus_std(raw: Tensor, least: float = 0.1) -> Tensor:
    """softplus(raw) + least: the latent deviations of PlaNet and Dreamer."""
    return functional.softplus(full(raw)) + least


def sigmoid_std(raw: Tensor, least: float = 0.1) -> Tensor:
    """2 sigmoid(raw / 2) + least, at most 2 + least: those of DreamerV2, latent and of actions."""
    return 2 * torch.sigmoid(full(raw) / 2) + least


def dreamer_actor(raw: Tensor, scale: float = 5.0, initial_std: float = 5.0, least: float = 1e-4) -> TanhGaussian:
    """Dreamer's actor of a network's outputs [..., 2 K]: mean scale * tanh(m / scale), std `initial_std` at raw = 0."""
    mean, std = full(raw).chunk(2, -1)
    offset = math.log(math.expm1(initial_std))
    return TanhGaussian(scale * torch.tanh(mean / scale), functional.softplus(std + offset) + least)


def dreamerv2_actor(raw: Tensor, least: float = 0.1) -> TruncatedNormal:
    """DreamerV2's actor of a network's outputs [..., 2 K]: mean tanh(m), std 2 sigmoid(raw / 2) + least."""
    mean, std = full(raw).chunk(2, -1)
    return TruncatedNormal(torch.tanh(mean), sigmoid_std(std, least))


def full(x: Tensor) -> Tensor:
    """`x` in float32 if its type is a shorter one."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def _density(x: Tensor) -> Tensor:
    return torch.exp(-0.5 * x**2 - LOG_ROOT_TWO_PI)


def _normal(noise: Noise, like: Tensor) -> Tensor:
    if isinstance(noise, torch.Generator):
        return torch.randn(like.shape, generator=noise, device=like.device, dtype=like.dtype)
    return noise


def _uniform(noise: Noise, like: Tensor) -> Tensor:
    if isinstance(noise, torch.Generator):
        return torch.rand(like.shape, generator=noise, device=like.device, dtype=like.dtype)
    return noise
