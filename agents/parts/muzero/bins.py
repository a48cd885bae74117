"""Scalars of any size as distributions over bins: the invertible transform, two-hot targets, and back.

MuZero (Schrittwieser et al., arXiv:1911.08265, appendix F, "Network architecture"): a value or reward x is shrunk by
``h(x) = sign(x) (sqrt(|x| + 1) - 1) + epsilon x`` (T. Pohlen et al., arXiv:1805.11593) and stands between two of the
bins -M .. M; its distribution has them alone, with x as its mean. What a network predicts is the inverse of the mean.

Departure: the paper prints ``epsilon x`` inside the bracket that sign(x) multiplies, which would not be odd.
"""

import torch
from torch import Tensor

EPSILON = 0.001


def transform(x: Tensor, epsilon: float = EPSILON) -> Tensor:
    """h(x), any shape."""
    size = x.abs()
    # sqrt(s + 1) - 1, written so that small numbers keep their digits
    return x.sign() * (size / ((size + 1).sqrt() + 1)) + epsilon * x


def inverse_transform(y: Tensor, epsilon: float = EPSILON) -> Tensor:
    """x with h(x) = y, any shape: ``((sqrt(1 + 4 epsilon (|y| + 1 + epsilon)) - 1) / (2 epsilon))^2 - 1``."""
    size = y.abs()
    root = (1 + 4 * epsilon * (size + 1 + epsilon)).sqrt()
    # r - 1, where r = sqrt(|x| + 1): as a quotient of sums, so that small numbers keep their digits
    more = 2 * size / (root + 1 + 2 * epsilon)
    return y.sign() * more * (more + 2)


def two_hot(y: Tensor, most: int) -> Tensor:
    """[..., 2 most + 1]: for y [...], cut to -most .. most, what its two neighbours among the whole numbers get."""
    place = y.clamp(-most, most) + most
    low = place.floor().clamp(max=2 * most - 1)
    share = place - low
    out = torch.zeros(*y.shape, 2 * most + 1, dtype=y.dtype, device=y.device)
    at = low.long().unsqueeze(-1)
    return out.scatter_(-1, at, (1 - share).unsqueeze(-1)).scatter_(-1, at + 1, share.unsqueeze(-1))


def encode(x: Tensor, most: int) -> Tensor:
    """[..., 2 most + 1], the distribution that stands for the scalars x [...]."""
    return two_hot(transform(x), most)


def decode(logits: Tensor) -> Tensor:
    """[...], the scalars that distributions with `logits` [..., 2 M + 1] stand for."""
    most = logits.shape[-1] // 2
    bins = torch.arange(-most, most + 1, dtype=logits.dtype, device=logits.device)
    return inverse_transform(logits.softmax(-1) @ bins)
