"""Returns along imagined paths: lambda-returns, and how much each state of a path counts.

D. Hafner et al., "Dream to control", ICLR 2020, equations 4 to 6, and its use in DreamerV2 (ICLR 2021, equation 4).
Paths are [T + 1, ...], time first: what is predicted *at* the states s_0 .. s_T. The reward at s_t is that of arriving
there, and the discount at s_t is what counts of everything after it: gamma, or 0 at the end of an episode.
"""

import torch
from torch import Tensor


def lambda_returns(rewards: Tensor, values: Tensor, discounts: Tensor | float, lam: float) -> Tensor:
    """G [T, ...] of the states s_0 .. s_{T-1}: G_T = v_T, G_t = r_t + d_t ((1 - lam) v_{t+1} + lam G_{t+1}).

    `rewards`, `values` and `discounts` are [T + 1, ...]; reward and discount of the last state count for nothing. A
    number for `discounts` holds everywhere. Raises ValueError for shapes that differ and for paths of one state.
    """
    factors = _factors(discounts, values)
    if rewards.shape != values.shape or factors.shape != values.shape or len(values) < 2:
        shapes = [tuple(x.shape) for x in (rewards, values, factors)]
        raise ValueError(f"rewards, values and discounts are [T + 1, ...] alike with T >= 1, got {shapes}")
    following = values[-1]
    # what does not depend on the next return, in one go; the loop has one product and one sum left
    known = (rewards[:-1] + factors[:-1] * (1 - lam) * values[1:]).unbind(0)
    carried = (lam * factors[:-1]).unbind(0)
    returns = []
    for now, share in zip(reversed(known), reversed(carried), strict=True):
        following = torch.addcmul(now, share, following)
        returns.append(following)
    return torch.stack(returns[::-1])


def path_weights(discounts: Tensor) -> Tensor:
    """w [T, ...] of the states s_0 .. s_{T-1}: the product of all discounts before, w_0 = 1; no gradient passes.

    `discounts` [T + 1, ...], as for `lambda_returns`; the last two count for nothing.
    """
    before = discounts.detach()[:-2]
    return torch.cat([torch.ones_like(discounts[:1]), before]).cumprod(0)


def _factors(discounts: Tensor | float, like: Tensor) -> Tensor:
    return discounts if isinstance(discounts, Tensor) else torch.full_like(like, discounts)
