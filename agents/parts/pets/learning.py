"""How an ensemble learns: the loss of PETS, its gradient, and epochs over rows that each member draws for itself.

K. Chua et al., NeurIPS 2018, section 4 and appendix A.1, with the constants of the published code. A member learns from
as many rows as there are, drawn with replacement anew in each call of `fit`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sakiyomi.agents.parts.pets.adam import Adam
from sakiyomi.agents.parts.pets.ensemble import Ensemble

BOUNDS_WEIGHT = 0.01
"""Of the sum of the upper bounds less the lower ones, in the loss."""


def loss_of(ensemble: Ensemble, inputs: Tensor, targets: Tensor) -> Tensor:
    """The loss for standardised inputs [E, B, I] and targets [E, B, O], that of the members added up.

    A member's is the mean over rows and outputs of (m - y)^2 exp(-l) + l, m and l being its mean and logarithm of
    variance; the bounds of l add `BOUNDS_WEIGHT` (sum of the upper - sum of the lower). Deterministic: (m - y)^2. The
    decay of the weights is the optimiser's (`optimiser_of`).
    """
    mean, log_variance = ensemble.of_standardised(inputs)
    squares = (mean - targets) ** 2
    if log_variance is None:
        return squares.mean(dim=(1, 2)).sum()
    likelihood = (squares * torch.exp(-log_variance) + log_variance).mean(dim=(1, 2)).sum()
    return likelihood + BOUNDS_WEIGHT * (ensemble.highest.sum() - ensemble.lowest.sum())


@torch.no_grad()
def differentiate(
    ensemble: Ensemble, inputs: Tensor, targets: Tensor, known: Callable[[Tensor], object] = lambda parameter: None
) -> Tensor:
    """`loss_of`, and its gradient as the `grad` of each parameter.

    `known` is told of each parameter when its gradient is there and its value is not needed any more, so that it may
    be moved at once. The gradient is the same as autograd's, written out: at these sizes the latter's bookkeeping and
    new memory take as long as the arithmetic. With s the sigmoid of x, SiLU is y = x s, its derivative y + s (1 - y).
    """
    layers = len(ensemble.weights)
    given, sigmoids, one = [inputs], [], torch.ones(())
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        x = torch.bmm(given[-1], weight).add_(bias)
        if len(given) < layers:
            sigmoids.append(torch.sigmoid(x))
            given.append(x.mul_(sigmoids[-1]))
    loss, slope = _at_outputs(ensemble, x, targets)
    for bound in (ensemble.highest, ensemble.lowest):
        if bound.grad is not None:
            known(bound)
    for layer in reversed(range(layers)):
        weight, bias = ensemble.weights[layer], ensemble.biases[layer]
        for parameter in (weight, bias):
            if parameter.grad is None:
                parameter.grad = torch.empty_like(parameter)
        torch.bmm(given[layer].transpose(1, 2), slope, out=weight.grad)
        torch.sum(slope, dim=1, keepdim=True, out=bias.grad)
        if layer:
            slope = torch.bmm(slope, weight.transpose(1, 2)).mul_(torch.lerp(given[layer], one, sigmoids[layer - 1]))
        known(weight)
        known(bias)
    return loss


def _at_outputs(ensemble: Ensemble, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The loss and its gradient with respect to the raw outputs [E, B, .]; the bounds get theirs here.

    With s the sigmoid of the raw output less the upper bound u, the variance in its bounds is exp(lower) + exp(u) s.
    """
    share = 1 / targets[0].numel()
    if ensemble.deterministic:
        off = outputs - targets
        return share * (off**2).sum(), 2 * share * off
    mean, raw = outputs.split(ensemble.outputs, dim=-1)
    off = mean - targets
    sigmoid = torch.sigmoid(raw - ensemble.highest)
    lower, upper = ensemble.lowest.exp(), ensemble.highest.exp() * sigmoid
    variance = lower + upper
    scaled = off / variance
    loss = share * (off * scaled + variance.log()).sum()
    loss = loss + BOUNDS_WEIGHT * (ensemble.highest.sum() - ensemble.lowest.sum())
    by_variance = share * (1 - off * scaled) / variance
    by_upper = by_variance * upper
    by_raw = by_upper * (1 - sigmoid)
    if ensemble.highest.requires_grad:
        ensemble.highest.grad = (by_upper - by_raw).sum(dim=(0, 1)) + BOUNDS_WEIGHT
        ensemble.lowest.grad = by_variance.sum(dim=(0, 1)) * lower - BOUNDS_WEIGHT
    return loss, torch.cat([2 * share * scaled, by_raw], dim=-1)


def optimiser_of(ensemble: Ensemble, rate: float, decays: Sequence[float]) -> Adam:
    """Adam, with a decay for the weights of each layer: the gradient of decay / 2 |W|^2 is added to theirs.

    Raises ValueError unless there is one decay for each layer.
    """
    if len(decays) != len(ensemble.weights):
        raise ValueError(f"{len(ensemble.weights)} layers of weights need as many decays, got {len(decays)}")
    groups = [{"params": [w], "weight_decay": d} for w, d in zip(ensemble.weights, decays, strict=True)]
    others = [*ensemble.biases, *(bound for bound in (ensemble.highest, ensemble.lowest) if bound.requires_grad)]
    return Adam([*groups, {"params": others}], rate)


def bootstrap(rows: int, members: int, generator: torch.Generator) -> Tensor:
    """[E, N] numbers of rows for each member, drawn with replacement: about 63 % of all for each."""
    return torch.randint(rows, (members, rows), generator=generator)


def fit(
    ensemble: Ensemble,
    optimiser: Adam,
    inputs: Tensor,
    targets: Tensor,
    *,
    epochs: int,
    batch: int,
    generator: torch.Generator,
) -> list[float]:
    """Learn inputs [N, I] to targets [N, O] in `epochs`; the mean loss of each is returned.

    Inputs are standardised by all of them, in float64; targets are learned as they are. The members' rows are drawn
    once, and come in a new order in each epoch. Raises ValueError for no rows and for what is not finite.
    """
    if not len(inputs) or len(inputs) != len(targets):
        raise ValueError(f"an ensemble learns from 1 row or more, a target for each; got {len(inputs)}, {len(targets)}")
    for name, rows in (("inputs", inputs), ("targets", targets)):
        if not bool(torch.isfinite(rows).all()):
            raise ValueError(
                f"{name} to learn from hold {int((~torch.isfinite(rows)).sum())} numbers that are not finite"
            )
    ensemble.standardise(inputs)
    given, wanted = ensemble.standardised(inputs.double()), targets.float()
    drawn = bootstrap(len(inputs), ensemble.members, generator)
    history = []
    for _ in range(epochs):
        order = torch.rand(drawn.shape, generator=generator).argsort(dim=1)
        total = torch.zeros(())
        for rows in drawn.gather(1, order).split(batch, dim=1):
            total += differentiate(ensemble, given[rows], wanted[rows], optimiser.move) * rows.shape[1]
        history.append(float(total) / len(inputs))
    return history
