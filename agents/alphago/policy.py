"""The policy network of AlphaGo and how it learns the moves of game records (Silver et al. 2016, Methods, "Neural
network architecture" and "Policy network: classification").

Its answer is a move on the board, never a pass: passes are played by rule (`policy_games`).
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sakiyomi.agents.alphago.records import Batch
from sakiyomi.agents.alphago.tower import (
    START,
    NetDescent,
    board_tensor,
    check_layers,
    computing,
    outputs,
    tensor,
    tower,
)
from sakiyomi.boards.symmetry import board_symmetries

ILLEGAL = -1e9  # a logit that takes no part in a softmax; finite, so that a row of them is no nan


class PolicyNet(nn.Module):
    """Planes float32 [n, C, Y, X] -> logits [n, Y * X].

    `layers` convolutions: one of 5x5, then 3x3, of `filters` filters and a ReLU each; the last is of 1x1 to a single
    plane, to which a bias for each point is added. The paper's has 13 layers of 192 filters (128 to 384 were tried).
    Raises ValueError for settings that make no net.
    """

    def __init__(self, planes: tuple[int, int, int], *, filters: int = 192, layers: int = 13):
        check_layers(planes, filters, layers, least=2)
        super().__init__()
        self.planes, self.filters, self.layers = planes, filters, layers
        self.tower = tower(planes[0], filters, layers - 1)
        self.last = nn.Conv2d(filters, 1, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(planes[1] * planes[2]))
        nn.init.normal_(self.last.weight, std=START * (2 / filters) ** 0.5)

    def forward(self, planes: Tensor) -> Tensor:
        """Logits [n, Y * X], row by row from the top."""
        logits: Tensor = self.last(self.tower(planes)).flatten(1) + self.bias
        return logits

    def settings(self) -> dict[str, Any]:
        """What rebuilds this net, of JSON's types but for the tuple: ``PolicyNet(**net.settings())``."""
        return {"planes": self.planes, "filters": self.filters, "layers": self.layers}


class PolicyLearning:
    """Learns moves: down the cross-entropy ``-log p(move)``, p over the legal moves. A part of a run.

    The paper's is plain SGD (`momentum` 0) at rate 0.003 in mini-batches of 16, halved every 80 million steps; bigger
    batches do with "sgd" and momentum, or "adam". For the others see `NetDescent`.
    """

    def __init__(
        self,
        net: PolicyNet,
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
        """One update at the learning rate `rate`.

        Returns "loss/policy" and "accuracy" (the share of moves that were thought the likeliest), both before it, and
        "gradient/policy", its norm. Raises ValueError where learning diverges.
        """
        device = self.descent.device
        moves, legal = tensor(batch.moves, device), tensor(batch.legal, device)
        with computing(device):
            logits = self.net(board_tensor(batch.planes, device))
        logits = torch.where(legal, logits.float(), ILLEGAL)
        loss = functional.cross_entropy(logits, moves)
        self.descent.clear()
        loss.backward()
        norm = self.descent.update(rate)
        right = (logits.detach().argmax(1) == moves).float().mean()
        return {"loss/policy": float(loss.detach()), "accuracy": float(right), "gradient/policy": norm}

    def save(self, path: Path) -> None:
        """Write weights and optimiser to files whose names begin as `path`."""
        self.descent.save(path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.descent.load(path)


def probabilities(
    net: PolicyNet,
    planes: NDArray[np.uint8],
    allowed: NDArray[np.bool_],
    *,
    temperature: float = 1.0,
    symmetries: int = 1,
) -> NDArray[np.float32]:
    """[n, area], how likely each move of `allowed` [n, area] is; rows in which none is are all 0.

    `planes` is uint8 [n, C, Y, X]. Logits are divided by `temperature`. With `symmetries` 8 (4 on a rectangle), the
    board is shown in as many ways and the probabilities, turned back, are averaged: the paper's explicit ensemble.
    Raises ValueError for more symmetries than the board has.
    """
    known = board_symmetries(planes.shape[3], planes.shape[2], passes=False)
    if not 1 <= symmetries <= len(known):
        raise ValueError(
            f"a board of {planes.shape[2:]} rows and columns has {len(known)} symmetries, not {symmetries}"
        )
    total = np.zeros(allowed.shape, np.float32)
    for symmetry in known[:symmetries]:
        logits = outputs(net, np.ascontiguousarray(symmetry.planes(planes)))
        total += masked_softmax(logits[:, symmetry.actions] / temperature, allowed)
    return total / np.float32(symmetries)


def masked_softmax(logits: NDArray[np.float32], allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """[n, A], the softmax over the actions of `allowed` [n, A], 0 for the others; rows with none are all 0."""
    masked = np.where(allowed, logits, np.float32(ILLEGAL))
    exponentials = np.where(allowed, np.exp(masked - masked.max(axis=1, keepdims=True)), np.float32(0))
    shares: NDArray[np.float32] = exponentials / np.maximum(exponentials.sum(axis=1, keepdims=True), np.float32(1e-30))
    return shares


def accuracy(net: PolicyNet, batch: Batch, symmetries: int = 1) -> float:
    """The share of positions in which the move played is the likeliest legal one; see `probabilities`."""
    likeliest = probabilities(net, batch.planes, batch.legal, symmetries=symmetries).argmax(axis=1)
    return float((likeliest == batch.moves).mean())
