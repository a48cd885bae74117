"""Exact Gaussian-process regression: several independent outputs over the same inputs, float64.

    mean      m_a + k_a(x, X) beta_a,                       beta_a = (K_a + n_a^2 I)^-1 (y_a - m_a)
    variance  k_a(x, x) - k_a(x, X) (K_a + n_a^2 I)^-1 k_a(X, x)

(Rasmussen & Williams 2006, algorithm 2.1). A process is a value: `appended` gives another one with more rows.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from sakiyomi.agents.parts.gp.kernels import Kernel, float64

JITTERS = (0.0, *(10.0**power for power in range(-8, -3)))  # of the largest variance, tried in turn


@dataclass(frozen=True, kw_only=True, eq=False)
class GP:
    """A process conditioned on rows of data. `GP.of` makes one from rows and hyper-parameters."""

    inputs: Tensor  # [N, D]
    targets: Tensor  # [N, E]
    kernel: Kernel
    noise: Tensor  # [E] standard deviation n of the noise on the targets
    mean: Tensor  # [E] prior mean m
    jitter: Tensor  # [E] variance added to the diagonal of K + n^2 I to factor it
    cholesky: Tensor  # [E, N, N] lower factor of K + n^2 I + jitter I
    beta: Tensor  # [E, N]

    @staticmethod
    def of(inputs: Tensor, targets: Tensor, kernel: Kernel, noise: Tensor, mean: Tensor | None = None) -> "GP":
        """The process given `inputs` [N, D] and `targets` [N, E] of any floating type, with `noise` [E] above 0.

        The prior `mean` [E] is 0 by default. Raises ValueError for shapes that do not fit, for NaN or infinite rows,
        and for an output whose covariance matrix is not positive definite even with jitter.
        """
        inputs, targets = checked_rows(inputs, targets)
        outputs, width = kernel.lengthscales.shape
        if (inputs.shape[1], targets.shape[1]) != (width, outputs):
            got = f"{inputs.shape[1]} inputs and {targets.shape[1]} outputs"
            raise ValueError(f"GP: the rows have {got}, the kernel {width} and {outputs}")
        noise = float64(noise).detach()
        mean = torch.zeros(outputs, dtype=torch.float64) if mean is None else float64(mean).detach()
        for name, value in (("noise", noise), ("mean", mean)):
            if value.shape != (outputs,) or not bool(torch.isfinite(value).all()):
                raise ValueError(f"GP: {name} must be {outputs} finite numbers, got {value.tolist()}")
        if bool((noise <= 0).any()):
            raise ValueError(f"GP: noise must be above 0, got {noise.tolist()}")
        covariance = kernel(inputs, inputs)
        covariance.diagonal(dim1=-2, dim2=-1).add_(noise.square()[:, None])
        cholesky, jitter = factored(covariance)
        return GP(
            inputs=inputs,
            targets=targets,
            kernel=kernel,
            noise=noise,
            mean=mean,
            jitter=jitter,
            cholesky=cholesky,
            beta=weights(cholesky, targets - mean),
        )

    @property
    def outputs(self) -> int:
        """E, how many outputs there are."""
        return int(self.targets.shape[1])

    @cached_property
    def precision(self) -> Tensor:
        """[E, N, N] inverse of K + n^2 I."""
        return torch.cholesky_inverse(self.cholesky)

    @property
    def log_likelihood(self) -> Tensor:
        """[E] log marginal likelihood of the targets."""
        fit = (self.beta * (self.targets - self.mean).mT).sum(-1)
        volume = self.cholesky.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return -0.5 * fit - volume - 0.5 * len(self.inputs) * math.log(2 * math.pi)

    def predict_mean(self, x: Tensor) -> Tensor:
        """[..., E] means of the outputs at `x` [..., D]; differentiable in x."""
        rows = float64(x).reshape(-1, self.inputs.shape[1])
        means = (self.kernel(rows, self.inputs) @ self.beta[..., None])[..., 0]
        return (means.mT + self.mean).reshape(*x.shape[:-1], self.outputs)

    def predict(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[..., E] means and variances of the noise-free outputs at `x` [..., D]; differentiable in x."""
        rows = float64(x).reshape(-1, self.inputs.shape[1])
        cross = self.kernel(rows, self.inputs)  # [E, B, N]
        means = (cross @ self.beta[..., None])[..., 0].mT + self.mean
        explained = torch.linalg.solve_triangular(self.cholesky, cross.mT, upper=False).square().sum(-2)
        # Far inside the data prior and explained variance nearly cancel; rounding must not make it negative.
        variances = (self.kernel.variance(rows) - explained.mT).clamp_min(0)
        shape = (*x.shape[:-1], self.outputs)
        return means.reshape(shape), variances.reshape(shape)

    def appended(self, inputs: Tensor, targets: Tensor) -> "GP":
        """The process with more rows [M, D] and [M, E] (or one row, [D] and [E]) and the same hyper-parameters.

        The Cholesky factor grows by M rows, O(M N^2). Raises ValueError for NaN and for shapes that do not fit.
        """
        new, values = checked_rows(torch.atleast_2d(float64(inputs)), torch.atleast_2d(float64(targets)))
        if (new.shape[1], values.shape[1]) != (self.inputs.shape[1], self.outputs):
            raise ValueError(
                f"GP: a row to append has {new.shape[1]} inputs and {values.shape[1]} outputs,"
                f" wanted {self.inputs.shape[1]} and {self.outputs}"
            )
        cross = self.kernel(self.inputs, new)  # [E, N, M]
        own = self.kernel(new, new)
        own.diagonal(dim1=-2, dim2=-1).add_((self.noise.square() + self.jitter)[:, None])
        border = torch.linalg.solve_triangular(self.cholesky, cross, upper=False)
        corner, failed = torch.linalg.cholesky_ex(own - border.mT @ border)
        inputs, targets = torch.cat((self.inputs, new)), torch.cat((self.targets, values))
        if bool(failed.any()):
            return GP.of(inputs, targets, self.kernel, self.noise, self.mean)
        top = torch.cat((self.cholesky, torch.zeros_like(cross)), -1)
        cholesky = torch.cat((top, torch.cat((border.mT, corner), -1)), -2)
        beta = weights(cholesky, targets - self.mean)
        return replace(self, inputs=inputs, targets=targets, cholesky=cholesky, beta=beta)

    def tensors(self) -> dict[str, Tensor]:
        """Rows and hyper-parameters by name, for a file; `GP.of_tensors` makes the process from them."""
        named = {"inputs": self.inputs, "targets": self.targets, "noise": self.noise, "mean": self.mean}
        named |= {"lengthscales": self.kernel.lengthscales, "signal": self.kernel.signal}
        return named if self.kernel.linear is None else named | {"linear": self.kernel.linear}

    @staticmethod
    def of_tensors(tensors: Mapping[str, Tensor]) -> "GP":
        """The process that `tensors` gave. Raises ValueError for a missing name."""
        names = ("inputs", "targets", "noise", "mean", "lengthscales", "signal")
        if missing := [name for name in names if name not in tensors]:
            raise ValueError(f"GP: no {missing[0]} among the tensors {sorted(tensors)}")
        inputs, targets, noise, mean, lengthscales, signal = (tensors[name] for name in names)
        kernel = Kernel(lengthscales=lengthscales, signal=signal, linear=tensors.get("linear"))
        return GP.of(inputs, targets, kernel, noise, mean)


def checked_rows(inputs: object, targets: object) -> tuple[Tensor, Tensor]:
    """`inputs` [N, D] and `targets` [N, E] as float64. Raises ValueError for other shapes, no rows, NaN or infinity."""
    x, y = float64(inputs).detach(), float64(targets).detach()
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"GP: inputs [N, D] and targets [N, E] with N >= 1 are wanted, got {tuple(x.shape)} and {tuple(y.shape)}"
        )
    for name, values in (("inputs", x), ("targets", y)):
        if not bool(torch.isfinite(values).all()):
            row, column = (~torch.isfinite(values)).nonzero()[0].tolist()
            raise ValueError(f"GP: {name}[{row}, {column}] is {values[row, column].item()}, a finite number is wanted")
    return x, y


def weights(cholesky: Tensor, residual: Tensor) -> Tensor:
    """[E, N] the solution beta of (L L') beta = residual, for `cholesky` L [E, N, N] and `residual` [N, E]."""
    return torch.cholesky_solve(residual.mT[..., None], cholesky)[..., 0]


def factored(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """[E, N, N] lower Cholesky factors of `covariance` [E, N, N], and the jitter [E] that they needed.

    Raises ValueError, naming the output, where not even the largest jitter suffices.
    """
    scale = covariance.diagonal(dim1=-2, dim2=-1).amax(-1)
    factors, jitters = [], []
    for output, (matrix, size) in enumerate(zip(covariance, scale, strict=True)):
        for jitter in JITTERS:
            factor, failed = torch.linalg.cholesky_ex(matrix + torch.diag((jitter * size).expand(len(matrix))))
            if not bool(failed) and bool(torch.isfinite(factor).all()):
                break
        else:
            raise ValueError(
                f"GP output {output}: the covariance of its {len(matrix)} rows is not positive definite, even with a"
                f" jitter of {JITTERS[-1]:g} of its variance; give it more noise, or drop rows that nearly repeat"
            )
        factors.append(factor)
        jitters.append(jitter * size)
    return torch.stack(factors), torch.stack(jitters)
