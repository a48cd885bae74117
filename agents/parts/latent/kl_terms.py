"""The terms of the losses that tie priors to posteriors: free nats, balancing, and latent overshooting.

PlaNet (ICML 2019, section 3 and 4), Dreamer (ICLR 2020) and DreamerV2 (ICLR 2021, algorithm 2). The divergence is
KL(posterior || prior) in all of them. Below the free nats a term is constant: it reports them, and passes no gradient.
"""

import torch
from torch import Tensor

from sakiyomi.agents.parts.latent.distributions import Noise
from sakiyomi.agents.parts.latent.rssm import RSSM, Belief, State


def free_each(kl: Tensor, nats: float) -> Tensor:
    """The mean over [B, L] of max(kl, nats): every step of every sequence has its own free nats (PlaNet)."""
    return kl.clamp(min=nats).mean()


def free_mean(kl: Tensor, nats: float) -> Tensor:
    """max(mean of kl [B, L], nats): the batch has them together (Dreamer, DreamerV2)."""
    return kl.mean().clamp(min=nats)


def balanced_kl(posterior: Belief, prior: Belief, *, balance: float = 0.8, nats: float = 0.0) -> Tensor:
    """balance KL(sg(q) || p) + (1 - balance) KL(q || sg(p)), sg passing no gradient (DreamerV2).

    The first trains the prior, and more than the second the posterior. Each is a mean and has free `nats` of its own.
    Categorical draws of the networks' own outputs leave the numbers the same as those of one plain KL.
    """
    towards_posterior = posterior.detach().kl(prior)
    towards_prior = posterior.kl(prior.detach())
    return balance * free_mean(towards_posterior, nats) + (1 - balance) * free_mean(towards_prior, nats)


def overshooting(
    rssm: RSSM,
    posteriors: State,
    actions: Tensor,
    is_first: Tensor,
    *,
    distance: int,
    nats: float,
    noise: Noise,
    beta: float = 1.0,
) -> Tensor:
    """Latent overshooting: (1 / D) sum over d <= D of beta_d KL(posterior at t || prior at t from t - d).

    `posteriors` [B, L, ...] of `RSSM.observe` from zeros, its `actions` [B, L, U] and `is_first` [B, L]. Of each
    posterior, and of the zeros before each sequence, one path goes `distance` steps on by the priors; paths end where
    the sequence or the episode does. Each KL has its free `nats`; sums over steps are divided by B L. beta_1 = 1, and
    for d > 1, which `beta` weights, the posteriors aimed at pass no gradient. `noise` is a generator or numbers
    [D, B L, variables]. Raises ValueError for a distance that is not 1 to L.
    """
    batch, length = is_first.shape
    if not 1 <= distance <= length:
        raise ValueError(f"the distance of overshooting is 1 to {length}, the length of the sequences, got {distance}")
    first = is_first.bool()
    keep = (~first).to(actions.dtype)[..., None]
    steps = torch.arange(distance, device=first.device)[:, None] + torch.arange(length, device=first.device)  # [D, L]
    inside, steps = steps < length, steps.clamp(max=length - 1)
    # a path may begin with an episode, from zeros then, but not pass into the next
    same = (~first[:, steps[1:]]).cumprod(1).bool()  # [B, D - 1, L]
    valid = torch.cat([torch.ones_like(first[:, None]), same], 1) & inside

    starts = State(_before(posteriors.deter) * keep, _before(posteriors.stoch) * keep, posteriors.belief)
    along = torch.cat([(actions * keep)[:, None], actions[:, steps[1:]]], 1)  # [B, D, L, U]
    paths = rssm.imagine(starts.map(_rows), along.transpose(0, 1).flatten(1, 2), noise=noise)
    priors = paths.belief.map(lambda x: x.unflatten(1, (batch, length)))

    total = torch.zeros((), device=actions.device)
    for d in range(distance):
        target = posteriors.belief if d == 0 else posteriors.belief.detach()
        kl = target[:, steps[d]].kl(priors[d]).clamp(min=nats)
        total = total + (1.0 if d == 0 else beta) * (kl * valid[:, d]).mean()
    return total / distance


def _rows(x: Tensor) -> Tensor:
    """[B, L, ...] as [B L, ...]."""
    return x.flatten(0, 1)


def _before(x: Tensor) -> Tensor:
    """[B, L, ...] moved on by a step, zeros first."""
    return torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
