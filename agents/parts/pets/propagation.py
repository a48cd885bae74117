"""Trajectory sampling: what sequences of actions lead to, by particles that pass through an ensemble of networks.

K. Chua et al., NeurIPS 2018, section 5 and appendix A.5: each candidate starts p particles in each of E networks.

    tsinf   a particle stays with its network; each step is drawn from what the network says (TS-infinity)
    ts1     before each step the particles of a candidate are dealt to the networks anew, p to each (TS1)
    ds      the particles of a candidate and network are drawn from the one normal that fits their distribution
    mm      the same for the particles of a candidate in all networks
    e       one particle, which follows the mean of all networks' means

There is a loop over the horizon, and none over networks, particles or candidates.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import torch
from torch import Tensor

Propagation = Literal["tsinf", "ts1", "ds", "mm", "e"]
Model = Callable[[Tensor, Tensor], tuple[Tensor, Tensor | None]]
"""Observations [E, N, O] and actions [E, N, U] to mean and deviation [E, N, S] of what follows: the next observation
and, if rewards are learned, the reward. No deviation: deterministic."""
Reward = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Observations [..., O], actions [..., U] and next observations [..., O] to rewards [...]; shapes broadcast."""
WORST = -1e6
"""The return of a particle whose rewards do not add up to a finite number."""


def imagine(
    model: Model,
    reward: Reward | None,
    start: Tensor,
    actions: Tensor,
    *,
    members: int,
    particles: int,
    method: Propagation,
    generator: torch.Generator,
) -> Iterator[tuple[Tensor, Tensor]]:
    """For each step the observations [E, C, p, O] and rewards [E, C, p] of C candidates, `particles` = E p each.

    `start` [C, O], `actions` [C, H, U]; without a `reward` it is the last of the model's outputs. The last axis but one
    may be 1 where all particles of a network are alike. Raises ValueError if the particles cannot be shared out evenly.
    """
    each = per_member(members, particles, method)
    candidates, horizon, _ = actions.shape
    state = start[None, :, None].expand(members, -1, 1, -1)
    for h in range(horizon):
        if method == "ts1" and h > 0:
            state = dealt(state.expand(-1, -1, each, -1), generator)
        doing = actions[None, :, None, h].expand(members, -1, state.shape[2], -1)
        mean, std = model(state.flatten(1, 2), doing.flatten(1, 2))
        mean = mean.unflatten(1, (candidates, -1))
        std = None if std is None else std.unflatten(1, (candidates, -1))
        if method == "e":
            following = mean.mean(dim=0, keepdim=True).expand(members, -1, -1, -1)
        else:
            if method in ("ds", "mm"):
                mean, std = matched(mean, std, (2,) if method == "ds" else (0, 2))
            following = mean if std is None else _drawn(mean, std, each, generator)
        if reward is None:
            yield following[..., :-1], following[..., -1]
            state = following[..., :-1]
        else:
            yield following, reward(state, doing, following)
            state = following


def expected_returns(
    model: Model,
    reward: Reward | None,
    start: Tensor,
    actions: Tensor,
    *,
    members: int,
    particles: int,
    method: Propagation,
    generator: torch.Generator,
    together: int = 1 << 12,
) -> Tensor:
    """[C] the mean over its particles of the sum of rewards, for each candidate; arguments as those of `imagine`.

    A particle whose sum is not finite counts `WORST`. About `together` particles are taken at once: few stay in the
    processor's cache.
    """
    returns = []
    few = max(1, together // particles)
    for first, then in zip(start.split(few), actions.split(few), strict=True):
        steps = imagine(
            model, reward, first, then, members=members, particles=particles, method=method, generator=generator
        )
        total = torch.zeros(())
        for _, rewards in steps:
            total = total + rewards
        total = torch.where(torch.isfinite(total), total, WORST)
        returns.append(total.mean(dim=(0, 2)))
    return torch.cat(returns)


def per_member(members: int, particles: int, method: Propagation) -> int:
    """Particles of a candidate in each network. Raises ValueError if they cannot be shared out evenly."""
    if method == "e":
        return 1
    if particles < 1 or particles % members:
        raise ValueError(f"particles must be a multiple of the {members} networks, got {particles}")
    return particles // members


def dealt(state: Tensor, generator: torch.Generator) -> Tensor:
    """`state` [E, C, p, O] with the E p particles of each candidate in a random order: p of them for each network."""
    members, candidates, each, size = state.shape
    particles = state.transpose(0, 1).reshape(candidates, members * each, size)
    order = torch.rand(particles.shape[:2], generator=generator, device=state.device).argsort(dim=1)
    shuffled = particles.gather(1, order[..., None].expand(-1, -1, size))
    return shuffled.view(candidates, members, each, size).transpose(0, 1)


def matched(mean: Tensor, std: Tensor | None, over: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Mean and deviation of the even mixture of the normals `mean`, `std` along dimensions `over`, in their shape."""
    middle = mean.mean(dim=over, keepdim=True)
    variance = ((mean - middle) ** 2 + (0.0 if std is None else std**2)).mean(dim=over, keepdim=True)
    return middle.expand_as(mean), variance.sqrt().expand_as(mean)


def _drawn(mean: Tensor, std: Tensor, each: int, generator: torch.Generator) -> Tensor:
    members, candidates, _, size = mean.shape
    noise = torch.randn((members, candidates, each, size), generator=generator, device=mean.device, dtype=mean.dtype)
    return torch.addcmul(mean, std, noise)
