"""How well a latent model foretells: its errors when it goes on without seeing, with the true actions."""

from collections.abc import Callable

import torch
from torch import Tensor

from sakiyomi.agents.parts.latent.distributions import Noise
from sakiyomi.agents.parts.latent.rssm import RSSM, State


def open_loop_errors(
    rssm: RSSM,
    decoder: Callable[[Tensor], Tensor],
    reward: Callable[[Tensor], Tensor],
    seen: Tensor,
    rewards: Tensor,
    posteriors: State,
    actions: Tensor,
    *,
    horizon: int,
    generator: Noise,
) -> dict[str, float]:
    """Figures of an episode: its observations `seen` [L, ...] as the decoder gives them, its `rewards` [L], the
    `posteriors` [L, ...] of `RSSM.observe`, and `actions` [L, U], each row's being the one that led to it.

    From every step that has `horizon` more behind it, one path is imagined. "model/error 1 ahead" and so on are the
    mean squared errors of what is decoded, as a part of the variance of what is seen; "model/reward correlation ..." is
    that of the sum of the imagined rewards with the true one. A quantity that does not vary has no figure, nor has an
    episode that is too short.
    """
    starts = len(seen) - horizon
    if starts < 2:
        return {}
    ahead = torch.arange(1, horizon + 1, device=seen.device)[:, None] + torch.arange(starts, device=seen.device)
    features = rssm.imagine(posteriors[:starts], actions[ahead], noise=generator).features  # [H, starts, ...]
    figures: dict[str, float] = {}
    spread = float((seen - seen.mean(dim=0)).square().mean())
    for h in sorted({1, horizon}) if spread > 0 else ():
        error = (decoder(features[h - 1]) - seen[h : h + starts]).square().mean()
        figures[f"model/error {h} ahead"] = float(error) / spread
    sums = torch.stack([rewards[ahead].sum(dim=0), reward(features).sum(dim=0)])
    if bool((sums.std(dim=1) > 0).all()):
        figures[f"model/reward correlation {horizon} ahead"] = float(torch.corrcoef(sums)[0, 1])
    return figures
