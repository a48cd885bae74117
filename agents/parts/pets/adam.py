"""Adam in one pass over memory: D. P. Kingma and J. L. Ba, "Adam: a method for stochastic optimization", ICLR 2015.

Where batches are small, an update of the weights moves more memory than the gradient computes; where networks are
small, the calls of a step cost more than its arithmetic. A parameter can be moved as soon as its gradient is known,
while that is still in the processor's cache.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.boards.kernel import kernel

Numbers = NDArray[np.float32]
BETAS = (0.9, 0.999)
"""How much of the means of the gradient and of its square is kept."""
EPSILON = 1e-8
"""Added to the root of the mean square."""


class Adam(torch.optim.Optimizer):
    """Algorithm 1 of the paper for float32 on the CPU, with its constants and the state of `torch.optim.Adam`.

    A group's "weight_decay" times the parameter is added to its gradient.
    """

    def __init__(self, groups: Iterable[Mapping[str, Any]], rate: float):
        super().__init__([dict(group) for group in groups], {"lr": rate, "weight_decay": 0.0})
        self._group = {p: number for number, group in enumerate(self.param_groups) for p in group["params"]}

    def step(self, closure: None = None) -> None:
        """Move all parameters that have a gradient."""
        for parameter in self._group:
            if parameter.grad is not None:
                self.move(parameter)

    @torch.no_grad()
    def move(self, parameter: Tensor) -> None:
        """One step of this parameter alone, by its gradient."""
        group, state = self.param_groups[self._group[parameter]], self.state[parameter]
        if not state:
            state |= {"step": 0, "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
        state["step"] = steps = int(state["step"]) + 1
        scale = group["lr"] / (1 - BETAS[0] ** steps)
        root = (1 - BETAS[1] ** steps) ** -0.5
        tensors = (parameter.detach(), parameter.grad, state["exp_avg"], state["exp_avg_sq"])
        numbers = (np.float32(number) for number in (scale, root, group["weight_decay"]))
        _move(*(tensor.numpy().reshape(-1) for tensor in tensors), *numbers)


_NEW, _NEW_SQUARE, _EPSILON = (np.float32(number) for number in (1 - BETAS[0], 1 - BETAS[1], EPSILON))


@kernel
def _move(
    parameter: Numbers,
    gradient: Numbers,
    mean: Numbers,
    square: Numbers,
    scale: np.float32,
    root: np.float32,
    decay: np.float32,
) -> None:
    for i in range(parameter.size):
        slope = gradient[i] + decay * parameter[i]
        mean[i] += _NEW * (slope - mean[i])
        square[i] += _NEW_SQUARE * (slope * slope - square[i])
        parameter[i] -= scale * mean[i] / (np.sqrt(square[i]) * root + _EPSILON)
