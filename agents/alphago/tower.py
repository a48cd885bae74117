"""What AlphaGo's policy and value networks have in common: convolutions over the board, how they are computed, how they
learn (Silver et al. 2016, Methods, "Neural network architecture").
"""

import math
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sakiyomi.agents.parts.dual.learner import computes_with_bfloat16
from sakiyomi.agents.parts.runs.checkpoints import load_optimizer, load_tensors, save_optimizer, save_tensors

START = 0.01
"""The last layers start this much smaller than the others: first policies are near uniform, first values near 0."""
CHUNK = 256  # positions that are computed at once without learning


def tower(planes: int, filters: int, depth: int) -> nn.Sequential:
    """`depth` convolutions of `filters` filters that keep the board's size, a ReLU after each: 5x5, then 3x3.

    No normalisation and no residuals; weights start as He et al. (2015) found for ReLUs, biases at 0.
    """
    layers: list[nn.Module] = []
    for layer in range(depth):
        size = 3 if layer else 5
        layers += [nn.Conv2d(filters if layer else planes, filters, size, padding=size // 2), nn.ReLU()]
    initialise(*layers)
    return nn.Sequential(*layers)


def initialise(*layers: nn.Module) -> None:
    """First weights for layers before ReLUs."""
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def check_layers(planes: tuple[int, int, int], filters: int, layers: int, least: int) -> None:
    """Raises ValueError for settings that make no net."""
    if len(planes) != 3 or min(planes) < 1:
        raise ValueError(f"planes must be (planes, rows, columns), each 1 or more, got {planes!r}")
    if filters < 1 or layers < least:
        raise ValueError(f"such a net has {least} or more layers of 1 or more filters, got {layers} of {filters}")


def device_of(net: nn.Module) -> torch.device:
    """Where the weights lie."""
    return next(net.parameters()).device


def computing(device: torch.device) -> AbstractContextManager[Any]:
    """A block in which layers compute in bfloat16 where the device is faster at that; weights stay float32."""
    half = device.type == "cuda" or (device.type == "cpu" and computes_with_bfloat16())
    block: AbstractContextManager[Any] = torch.autocast(device.type, torch.bfloat16, enabled=half)
    return block


def tensor(array: NDArray[Any], device: torch.device) -> Tensor:
    """The array on `device`."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(device, non_blocking=True)


def board_tensor(planes: NDArray[np.uint8], device: torch.device) -> Tensor:
    """uint8 [n, C, Y, X] as float32, laid out as convolutions are fastest at."""
    return tensor(planes, device).to(torch.float32).contiguous(memory_format=torch.channels_last)


def outputs(net: nn.Module, planes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What `net` answers to planes [n, C, Y, X], without learning: [n, ...]."""
    device, found = device_of(net), list[Tensor]()
    with torch.inference_mode(), computing(device):
        for start in range(0, max(len(planes), 1), CHUNK):
            found.append(net(board_tensor(planes[start : start + CHUNK], device)).float().cpu())
    answers: NDArray[np.float32] = torch.cat(found).numpy()
    return answers


class NetDescent:
    """A net and its optimiser: "sgd" with `momentum`, or "adam". A part of a run.

    `decay` is added to the gradient as ``decay theta``; gradients are cut to `clip` in norm (0: never). `device` None
    is a GPU if there is one. On the CPU the same losses give the same weights, bit for bit.
    """

    def __init__(
        self,
        net: nn.Module,
        *,
        optimizer: Literal["sgd", "adam"] = "sgd",
        momentum: float = 0.9,
        decay: float = 0.0,
        clip: float = 0.0,
        device: str | None = None,
    ):
        if optimizer not in ("sgd", "adam"):
            raise ValueError(f'optimizer must be "sgd" or "adam", got {optimizer!r}')
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        move: Any = net.to  # PyTorch's own types leave memory formats out
        self.net: nn.Module = move(device=self.device, memory_format=torch.channels_last)
        self.clip = clip
        self.optimizer: torch.optim.Optimizer
        if optimizer == "sgd":
            self.optimizer = torch.optim.SGD(net.parameters(), 1e-3, momentum=momentum, weight_decay=decay)
        else:
            self.optimizer = torch.optim.Adam(net.parameters(), 1e-3, weight_decay=decay)

    def clear(self) -> None:
        """Forget the gradients."""
        self.optimizer.zero_grad(set_to_none=True)

    def update(self, rate: float) -> float:
        """One step down the gradients that were summed up since `clear`; their norm.

        Raises ValueError if it is not finite; the weights are then as before.
        """
        norm = float(nn.utils.clip_grad_norm_(self.net.parameters(), self.clip or math.inf))
        if not math.isfinite(norm):
            raise ValueError(f"the gradient's norm is {norm}, learning has diverged; lower the rate, {rate}")
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        return norm

    def save(self, path: Path) -> None:
        """Write weights and optimiser to `path`.safetensors and `path`-optimizer.*."""
        save_tensors(path.with_name(f"{path.name}.safetensors"), self.net.state_dict())
        save_optimizer(path.with_name(f"{path.name}-optimizer"), self.optimizer)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.net.load_state_dict(load_tensors(path.with_name(f"{path.name}.safetensors")))
        load_optimizer(path.with_name(f"{path.name}-optimizer"), self.optimizer)
