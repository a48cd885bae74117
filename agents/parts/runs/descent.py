"""Steps down a loss: Adam with a bound on the gradient's norm, that stops where numbers are none. A part of a run."""

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from sakiyomi.agents.parts.runs.checkpoints import load_optimizer, load_tensors, save_optimizer, save_tensors

DIVERGED = 1e9
"""A loss beyond this has left all measure: it diverges."""


class Descent:
    """`module` and its optimiser: Adam with `rate` and `epsilon`. Gradients are cut to the norm `clip`.

    `decay` is taken off the weights at each step as a part of them, whatever the rate (DreamerV2's weight decay).
    """

    def __init__(self, module: nn.Module, *, rate: float, epsilon: float, clip: float, decay: float = 0.0):
        self.module, self.clip, self.decay = module, clip, decay
        self.parameters = [each for each in module.parameters() if each.requires_grad]
        self.optimizer = torch.optim.Adam(self.parameters, rate, eps=epsilon)

    def step(self, terms: Mapping[str, Tensor], where: str) -> dict[str, float]:
        """Go down the sum of `terms`, and say what they were, and under "gradient" the norm before it was cut.

        Raises ValueError, which says `where` and in which term, if one is not finite or beyond `DIVERGED`, or if the
        gradient is not finite; the weights are then as before.
        """
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip)
        names = [*terms, "gradient"]
        values = torch.stack([*(term.detach().float() for term in terms.values()), norm.float()]).tolist()
        figures = dict(zip(names, values, strict=True))
        for name, value in figures.items():
            if not math.isfinite(value) or (name != "gradient" and abs(value) > DIVERGED):
                told = ", ".join(f"{each} {figures[each]:.3g}" for each in names)
                raise ValueError(f"{where}: {name} is {value:.3g}, learning has diverged ({told}); lower the rate")
        if self.decay:
            with torch.no_grad():
                torch._foreach_mul_(self.parameters, 1 - self.decay)
        self.optimizer.step()
        return figures

    def save(self, path: Path) -> None:
        """Write weights and optimiser to `path`.safetensors and `path`-optimizer.*."""
        save_tensors(path.with_name(f"{path.name}.safetensors"), self.module.state_dict())
        save_optimizer(path.with_name(f"{path.name}-optimizer"), self.optimizer)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.module.load_state_dict(load_tensors(path.with_name(f"{path.name}.safetensors")))
        load_optimizer(path.with_name(f"{path.name}-optimizer"), self.optimizer)
