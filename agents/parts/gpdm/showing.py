"""Observations as a GPDM learns them, angles as sines and cosines, and back."""

import numpy as np
import torch
from torch import Tensor

from sakiyomi.agents.parts.gpdm.kernels import Floats
from sakiyomi.agents.parts.pets.features import encoded


def shown(observations: Floats, angles: tuple[int, ...]) -> Floats:
    """[..., D] what is learnt of observations [..., O]: those that are no angles, then sines, then cosines."""
    rows: Floats = encoded(torch.from_numpy(observations), angles).numpy()
    return rows


def observed(seen: Tensor, angles: tuple[int, ...]) -> Tensor:
    """[..., O] observations, from what is learnt of them [..., D]; angles from -pi to pi."""
    if not angles:
        return seen
    plain = iter(seen[..., : -2 * len(angles)].unbind(-1))
    sines, cosines = seen[..., -2 * len(angles) :].chunk(2, dim=-1)
    turns = torch.atan2(sines, cosines).unbind(-1)
    size = seen.shape[-1] - len(angles)
    return torch.stack([turns[angles.index(k)] if k in angles else next(plain) for k in range(size)], dim=-1)


def told(seen: Floats, spread: Floats, angles: tuple[int, ...], now: Floats) -> tuple[Floats, Floats]:
    """Means and standard deviations [H, O] of observations, from those of what is learnt [H, D].

    Angles go on from those of `now` [O] without jumps. The deviation of an angle is that of its sine and cosine across
    the direction they point in.
    """
    means = observed(torch.from_numpy(seen), angles).numpy().copy()
    count, deviations = len(angles), np.zeros_like(means)
    deviations[:, [k for k in range(means.shape[1]) if k not in angles]] = spread[:, : spread.shape[1] - 2 * count]
    for number, k in enumerate(angles):
        sine, cosine = seen[:, number - 2 * count], seen[:, number - count]
        across = np.hypot(cosine * spread[:, number - 2 * count], sine * spread[:, number - count])
        deviations[:, k] = across / np.maximum(sine**2 + cosine**2, 1e-6)
        means[:, k] = np.unwrap(np.concatenate([now[k : k + 1], means[:, k]]))[1:]
    return means, deviations
