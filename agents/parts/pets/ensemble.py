"""An ensemble of networks that say how sure they are, all of them trained in one pass.

K. Chua et al., "Deep reinforcement learning in a handful of trials using probabilistic dynamics models", NeurIPS 2018,
section 4 and appendix A.1, with the constants of its published code. Every member gives the mean and the logarithm of
the variance of each output. The weights of all members are one tensor for each layer, [E, in, out], so that a layer is
one product of batches of matrices. `learning` has how they learn.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import silu, softplus

LEAST_SPREAD = 1e-12
"""An input that spreads less than this over the data is constant, and is divided by 1."""
HIGHEST, LOWEST = 0.5, -10.0
"""Where the bounds of the logarithm of the variance begin."""

ONE_AFTER_SILU = 1.2784645
"""What SiLU makes 1 of, in bfloat16 as well."""

Predict = Callable[[Tensor], tuple[Tensor, Tensor | None]]
"""Inputs [E, N, I] to means and standard deviations [E, N, O]; None where the networks are deterministic."""


class Ensemble(nn.Module):
    """E networks: inputs [E, N, I] -> means and logarithms of variances [E, N, O], the latter None if `deterministic`.

    `hidden` are the sizes of the layers between, which have SiLU for activation. The variances lie between bounds, one
    pair for each output, that all members share; they are learned, or stay as they begin if not `learned_bounds`.
    Weights begin as truncated normals of deviation 1 / (2 sqrt(inputs of the layer)), biases at 0.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        members: int,
        hidden: Sequence[int],
        generator: torch.Generator,
        deterministic: bool = False,
        learned_bounds: bool = True,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs, self.members, self.deterministic = inputs, outputs, members, deterministic
        sizes = [inputs, *hidden, outputs if deterministic else 2 * outputs]
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList(torch.empty(members, *pair) for pair in pairs)
        self.biases = nn.ParameterList(torch.zeros(members, 1, out) for _, out in pairs)
        for weight in self.weights:
            std = 0.5 * weight.shape[1] ** -0.5
            nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std, generator=generator)
        self.highest = nn.Parameter(torch.full((outputs,), HIGHEST), requires_grad=learned_bounds)
        self.lowest = nn.Parameter(torch.full((outputs,), LOWEST), requires_grad=learned_bounds)
        self.register_buffer("mean", torch.zeros(inputs, dtype=torch.float64))
        self.register_buffer("std", torch.ones(inputs, dtype=torch.float64))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """As the class says; `inputs` are as they come, [E, N, I] or [N, I] for all members."""
        return self.of_standardised(self.standardised(inputs).expand(self.members, -1, -1))

    def standardise(self, inputs: Tensor) -> None:
        """Take mean and deviation of the inputs from these [N, I], of which constant ones keep their size."""
        inputs = inputs.double()
        std = inputs.std(dim=0, correction=0)
        self.mean.copy_(inputs.mean(dim=0))
        self.std.copy_(torch.where(std < LEAST_SPREAD, torch.ones_like(std), std))

    def standardised(self, inputs: Tensor) -> Tensor:
        """`inputs` as the networks take them, float32; the difference is computed in the type that they come in."""
        return ((inputs - self.mean.to(inputs.dtype)) / self.std.to(inputs.dtype)).float()

    def of_standardised(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """The same as `forward` for inputs that are standardised, [E, N, I]."""
        x = inputs
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, silu(x) if layer else x, weight)
        if self.deterministic:
            return x, None
        mean, log_variance = x.split(self.outputs, dim=-1)
        log_variance = self.highest - softplus(self.highest - log_variance)
        return mean, self.lowest + softplus(log_variance - self.lowest)

    def predictor(self, dtype: torch.dtype = torch.float32) -> Predict:
        """The networks as they are now, as one function for inputs [E, N, I] in float32, without gradients.

        In bfloat16 the products take an eighth of the time on processors that have units for them; an input is then
        handed over as two numbers, what bfloat16 holds of it and the rest, so that states keep 16 bits.
        """
        first, *others = with_biases([w.detach() for w in self.weights], [b.detach() for b in self.biases])
        split = dtype == torch.bfloat16
        if split:
            first = torch.cat([first[:, : self.inputs], first], dim=1)
        weights = [weight.to(dtype) for weight in (first, *others)]
        mean, scale = self.mean.float(), (1 / self.std).float()
        highest = self.highest.detach().clone()
        lower, upper = self.lowest.detach().exp(), highest.exp()

        def predict(inputs: Tensor) -> tuple[Tensor, Tensor | None]:
            x = (inputs - mean) * scale
            one = torch.ones_like(x[..., :1])
            rough = x.to(dtype)
            x = torch.cat([rough, x - rough, one] if split else [x, one], dim=-1).to(dtype)
            for layer, weight in enumerate(weights):
                x = torch.bmm(silu(x) if layer else x, weight)
            x = x.float()
            if self.deterministic:
                return x, None
            return x[..., : self.outputs], (lower + upper * torch.sigmoid(x[..., self.outputs :] - highest)).sqrt()

        return predict


def with_biases(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> list[Tensor]:
    """The weights [E, in, out] of networks with SiLU that take a 1 beside their inputs and need no biases.

    Each layer between has another unit, which is always 1, and whose weights are the next layer's biases; units that
    are always 0 make their number one of eights. A product alone is a fifth faster than one with a bias.
    """
    folded = []
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        members, inputs, outputs = weight.shape
        last = layer == len(weights) - 1
        above = inputs if layer == 0 else _eights(inputs)
        new = weight.new_zeros(members, above + (layer == 0), outputs if last else _eights(outputs))
        new[:, :inputs, :outputs] = weight
        new[:, inputs, :outputs] = bias[:, 0]
        if not last:
            new[:, inputs, outputs] = ONE_AFTER_SILU
        folded.append(new)
    return folded


def _eights(units: int) -> int:
    """The least multiple of 8 that is more than `units`."""
    return (units // 8 + 1) * 8
