"""The value network of AlphaGo and how it learns the results of games (Silver et al. 2016, Methods, "Neural network
architecture" and "Value network: regression").
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn, tanh
from torch.nn import functional

from sakiyomi.agents.alphago.records import Batch
from sakiyomi.agents.alphago.tower import (
    START,
    NetDescent,
    board_tensor,
    check_layers,
    computing,
    initialise,
    outputs,
    tensor,
    tower,
)


class ValueNet(nn.Module):
    """Planes float32 [n, C, Y, X] -> values [n] in [-1, 1], as the player to move sees them.

    `layers` with weights: the policy network's convolutions (one of 5x5, then 3x3) and one of 3x3 more, one of 1x1 to a
    single plane, a full connection to `hidden` units and one to the value, by tanh; ReLUs between them. The paper's has
    15 layers of 192 filters and 256 hidden units, and 49 planes: those of the policy network and the player's colour,
    for the sake of komi. Raises ValueError for settings that make no net.

    Departure: the paper names no nonlinearity after the convolution of 1x1; a ReLU stands there.
    """

    def __init__(self, planes: tuple[int, int, int], *, filters: int = 192, layers: int = 15, hidden: int = 256):
        check_layers(planes, filters, layers, least=4)
        super().__init__()
        self.planes, self.filters, self.layers, self.hidden = planes, filters, layers, hidden
        self.tower = tower(planes[0], filters, layers - 3)
        self.squeeze = nn.Conv2d(filters, 1, 1)
        self.full = nn.Linear(planes[1] * planes[2], hidden)
        self.last = nn.Linear(hidden, 1)
        initialise(self.squeeze, self.full)
        nn.init.normal_(self.last.weight, std=START * (2 / hidden) ** 0.5)
        nn.init.zeros_(self.last.bias)

    def forward(self, planes: Tensor) -> Tensor:
        """Values [n]."""
        squeezed = self.squeeze(self.tower(planes)).relu().flatten(1)
        # tanh in float32 whatever came before: bfloat16's is exactly 1 from 3.5 on, where no gradient is left
        values: Tensor = tanh(self.last(self.full(squeezed).relu()).float()).squeeze(1)
        return values

    def settings(self) -> dict[str, Any]:
        """What rebuilds this net, of JSON's types but for the tuple: ``ValueNet(**net.settings())``."""
        return {"planes": self.planes, "filters": self.filters, "layers": self.layers, "hidden": self.hidden}


class ValueLearning:
    """Learns results: down the mean of ``(z - v)^2``. A part of a run.

    The paper's is plain SGD in mini-batches of 32, as for the policy. Settings as of `NetDescent`.
    """

    def __init__(
        self,
        net: ValueNet,
        *,
        optimizer: Literal["sgd", "adam"] = "sgd",
        momentum: float = 0.9,
        decay: float = 0.0,
        clip: float = 0.0,
        device: str | None = None,
    ):
        self.net = net
        self.descent = NetDescent(net, optimizer=optimizer, momentum=momentum, decay=decay, clip=clip, device=device)

    def step(self, batch: Batch, rate: float) -> dict[str, float]:
        """One update at the learning rate `rate`, on positions whose results are known.

        Returns "loss/value", ``mean((z - v)^2)`` before it, a quarter of that as "mse/4", and "gradient/value", its
        norm. Raises ValueError where learning diverges, or for a result that is not known.
        """
        device = self.descent.device
        with computing(device):
            values = self.net(board_tensor(batch.planes, device))
        loss = functional.mse_loss(values.float(), tensor(_known(batch.results), device))
        self.descent.clear()
        loss.backward()
        norm = self.descent.update(rate)
        error = float(loss.detach())
        return {"loss/value": error, "mse/4": error / 4, "gradient/value": norm}

    def save(self, path: Path) -> None:
        """Write weights and optimiser to files whose names begin as `path`."""
        self.descent.save(path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.descent.load(path)


def values_of(net: ValueNet, planes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[n], the values of positions as feature planes uint8 [n, C, Y, X]."""
    return outputs(net, planes)


def value_error(net: ValueNet, batch: Batch) -> dict[str, float]:
    """``mean((z - v)^2)`` as "mse", and a quarter of it, the AlphaGo Zero paper's scale from 0 to 1, as "mse/4".

    Raises ValueError for a result that is not known.
    """
    error = float(((values_of(net, batch.planes) - _known(batch.results)) ** 2).mean())
    return {"mse": error, "mse/4": error / 4}


def _known(results: NDArray[np.float32]) -> NDArray[np.float32]:
    if np.isnan(results).any():
        raise ValueError(f"{int(np.isnan(results).sum())} of {len(results)} positions are of games of unknown result")
    return results
