"""What a model of dynamics is shown of an observation, and what it predicts of the next one.

An angle is shown as its sine and cosine, without itself; entries may be left out of what is shown; what is predicted is
the change, or for `absolute` entries the next value as it is. Indices are those of the observation's entries.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def encoded(observations: Tensor, angles: Sequence[int] = (), unseen: Sequence[int] = ()) -> Tensor:
    """[..., F] the entries of [..., O] that are neither `angles` nor `unseen`, then the sines, then the cosines."""
    if not angles and not unseen:
        return observations
    plain = [k for k in range(observations.shape[-1]) if k not in angles and k not in unseen]
    turning = observations[..., list(angles)]
    return torch.cat([observations[..., plain], turning.sin(), turning.cos()], dim=-1)


def encoded_size(size: int, angles: Sequence[int] = (), unseen: Sequence[int] = ()) -> int:
    """F of `encoded` for observations of that size. Raises ValueError for entries that there are not."""
    for name, entries in (("angles", angles), ("unseen", unseen)):
        if wrong := [k for k in entries if not 0 <= k < size]:
            raise ValueError(f"{name}: observations have entries 0 to {size - 1}, not {wrong[0]}")
    return size - len({*angles, *unseen}) + 2 * len(angles)


def targets(observations: Tensor, following: Tensor, absolute: Sequence[int] = ()) -> Tensor:
    """[..., O] what is to be predicted where `following` comes after `observations`, both [..., O]."""
    return following - based(observations, absolute)


def based(observations: Tensor, absolute: Sequence[int] = ()) -> Tensor:
    """[..., O] what predictions are to be added to: `observations`, with 0 for entries predicted as they are."""
    if not absolute:
        return observations
    base = observations.clone()
    base[..., list(absolute)] = 0
    return base
