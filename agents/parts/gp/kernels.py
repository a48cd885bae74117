"""The covariance function of the house's Gaussian processes: ARD squared exponential, with a linear part if wanted.

    k_a(x, x') = s_a^2 exp(-1/2 sum_d (x_d - x'_d)^2 / l_ad^2)  +  sum_d w_ad^2 x_d x'_d

for the output a, with a lengthscale l for each input d (Rasmussen & Williams 2006, §5.1). Axes: N rows, D inputs,
E outputs. All float64.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def float64(values: object) -> Tensor:
    """`values` (an array, a list or a tensor of any type) as a float64 tensor."""
    return torch.as_tensor(values, dtype=torch.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Kernel:
    """Hyper-parameters of the covariance function of E outputs.

    Raises ValueError for shapes that do not fit and for numbers that are not positive and finite (linear weights may
    be 0).
    """

    lengthscales: Tensor  # [E, D], in units of the inputs
    signal: Tensor  # [E] standard deviation s of the squared-exponential part, in units of the outputs
    linear: Tensor | None = None  # [E, D] standard deviation w of the slopes, or no linear part

    def __post_init__(self) -> None:
        for name in ("lengthscales", "signal", "linear"):
            value = getattr(self, name)
            if value is None:
                continue
            value = float64(value).detach()
            object.__setattr__(self, name, value)
            wanted = self.lengthscales.shape[:1] if name == "signal" else self.lengthscales.shape
            if self.lengthscales.ndim != 2 or value.shape != wanted:
                raise ValueError(f"kernel: {name} has shape {tuple(value.shape)}, wanted {tuple(wanted)} of [E, D]")
            if not bool(torch.isfinite(value).all()) or bool((value < 0 if name == "linear" else value <= 0).any()):
                raise ValueError(f"kernel: {name} must be positive and finite, got {value.tolist()}")

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """[..., E, N, M] covariances of the noise-free outputs at `x` [..., N, D] and `y` [..., M, D]."""
        scale = self.lengthscales[:, None, :]
        left, right = x[..., None, :, :] / scale, y[..., None, :, :] / scale
        # Squared distances by a matrix product; rounding may leave them a trifle below 0.
        squared = left.square().sum(-1)[..., :, None] + right.square().sum(-1)[..., None, :] - 2 * left @ right.mT
        covariance = self.signal.square()[:, None, None] * torch.exp(-0.5 * squared.clamp_min(0))
        if self.linear is not None:
            weighted = x[..., None, :, :] * self.linear.square()[:, None, :]
            covariance = covariance + weighted @ y[..., None, :, :].mT
        return covariance

    def variance(self, x: Tensor) -> Tensor:
        """[..., E] prior variances of the noise-free outputs at `x` [..., D]."""
        prior = self.signal.square().expand(*x.shape[:-1], -1)
        return prior if self.linear is None else prior + x.square() @ self.linear.square().mT
