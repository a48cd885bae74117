"""The network of AlphaGo Zero and AlphaZero: a residual tower with a policy head and a value head.

Silver et al. 2017, methods, "Neural network architecture"; Silver et al. 2018, supplement, "Architecture". Options from
Wu 2019 (KataGo, arXiv:1902.10565): global pooling (section 3.3) and heads that only training uses, for the owner of
every point and for the opponent's reply (sections 3.4 and 4.1).
"""

from copy import deepcopy
from math import prod
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

START = 0.01
"""The last layers start this much smaller than the others; see `DualNet`."""


class Outputs(NamedTuple):
    """What `DualNet.forward_all` gives; a head that the net has not got is None."""

    logits: Tensor  # [n, A]
    values: Tensor  # [n], -1 to 1, as the player to move sees it
    ownership: Tensor | None  # [n, Y, X], -1 to 1: +1 where the player to move will own the point
    reply: Tensor | None  # [n, A], logits of the opponent's next move


class DualNet(nn.Module):
    """Observations [n, C, Y, X] -> (logits [n, A], values [n] in [-1, 1]).

    A convolution of 3 x 3 and then `blocks` residual blocks (the paper's "20 blocks" are 19 here), all of `channels`
    filters. The policy is either ``"linear"``, a convolution of 1 x 1 and a full connection to all actions (Go and the
    small games), or ``"planes"``, a convolution of 3 x 3 and one of 1 x 1 to A / (Y * X) planes with
    ``action = square * planes + plane`` (chess and shogi). The papers have 2 `policy_filters`, 1 of `value_filters`
    and 256 `hidden` units; small nets do better with some more filters and fewer units.

    The last layers start near zero, so that the first policy is uniform and the first value 0: self-play begins with
    play that is random indeed, where usual weights would begin with convictions that the search repeats.

    Raises ValueError where the settings fit no net.
    """

    def __init__(
        self,
        planes: tuple[int, int, int],
        actions: int,
        *,
        blocks: int = 3,
        channels: int = 32,
        policy: Literal["linear", "planes"] = "linear",
        policy_filters: int = 2,
        value_filters: int = 1,
        hidden: int = 256,
        pooling: bool = False,
        ownership: bool = False,
        reply: bool = False,
    ) -> None:
        super().__init__()
        depth, *board = planes
        area = prod(board)
        _check(area, actions, blocks, channels, policy)
        self.planes, self.actions = (depth, board[0], board[1]), actions
        self._settings = {
            "blocks": blocks,
            "channels": channels,
            "policy": policy,
            "policy_filters": policy_filters,
            "value_filters": value_filters,
            "hidden": hidden,
            "pooling": pooling,
            "ownership": ownership,
            "reply": reply,
        }

        def head() -> LinearPolicy | PlanesPolicy:
            if policy == "linear":
                return LinearPolicy(channels, policy_filters, area, actions, pooling)
            return PlanesPolicy(channels, actions // area, pooling)

        self.stem = ConvNorm(depth, channels, 3)
        # every second block pools, never the first, which has seen too little
        tower = (PooledBlock if pooling and index % 2 else Block for index in range(blocks))
        self.tower = nn.Sequential(*(block(channels) for block in tower))
        self.policy = head()
        self.value = ValueHead(channels, value_filters, area, hidden, pooling)
        self.ownership = nn.Conv2d(channels, 1, 1) if ownership else None
        self.reply = head() if reply else None
        self._initialise()

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """(logits [n, A], values [n]) for observations float32 [n, C, Y, X]."""
        trunk = self._trunk(observations)
        return self.policy(trunk), self.value(trunk)

    def forward_all(self, observations: Tensor) -> Outputs:
        """What `forward` gives and the heads that only training uses."""
        trunk = self._trunk(observations)
        ownership = None if self.ownership is None else _bounded(self.ownership(trunk)).squeeze(1)
        reply = None if self.reply is None else self.reply(trunk)
        return Outputs(self.policy(trunk), self.value(trunk), ownership, reply)

    def settings(self) -> dict[str, Any]:
        """What rebuilds this net, of JSON's types but for the tuple: ``DualNet(**net.settings())``."""
        return {"planes": self.planes, "actions": self.actions, **self._settings}

    def _trunk(self, observations: Tensor) -> Tensor:
        trunk: Tensor = self.tower(torch.relu(self.stem(observations)))
        return trunk

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        lasts = [self.policy.last, self.value.last, self.ownership, None if self.reply is None else self.reply.last]
        with torch.no_grad():
            for last in lasts:
                if last is not None:
                    last.weight.mul_(START)


class ConvNorm(nn.Sequential):
    """A convolution that keeps the size of the board, and batch normalisation."""

    def __init__(self, inputs: int, outputs: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)


class Block(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x))))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels, 3)
        self.second = ConvNorm(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, Y, X] -> the same."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class PooledBlock(nn.Module):
    """A block in which a quarter of the first convolution's filters see the whole board and tell the others.

    As in KataGo, but without the mean multiplied by the board's width: this net has one size of board, for which that
    is the mean once more.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        seen = max(1, channels // 4)
        self.sizes = [seen, channels - seen]
        self.first = ConvNorm(channels, channels, 3)
        self.bias = nn.Linear(2 * seen, channels - seen)
        self.second = ConvNorm(channels - seen, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, Y, X] -> the same."""
        seen, local = self.first(x).split(self.sizes, 1)
        bias = self.bias(pool(torch.relu(seen)))
        return torch.relu(x + self.second(torch.relu(local + _everywhere(bias))))


class LinearPolicy(nn.Module):
    """1 x 1 convolution, norm, relu, full connection to all actions."""

    def __init__(self, channels: int, filters: int, area: int, actions: int, pooling: bool) -> None:
        super().__init__()
        self.pooling = pooling
        self.squeeze = ConvNorm(channels, filters, 1)
        self.last = nn.Linear(filters * area + 2 * channels * pooling, actions)

    def forward(self, trunk: Tensor) -> Tensor:
        """[n, channels, Y, X] -> logits [n, A]."""
        logits: Tensor = self.last(_flat(torch.relu(self.squeeze(trunk)), trunk, self.pooling))
        return logits


class PlanesPolicy(nn.Module):
    """3 x 3 convolution, norm, relu, 1 x 1 convolution to `planes` planes: ``action = square * planes + plane``."""

    def __init__(self, channels: int, planes: int, pooling: bool) -> None:
        super().__init__()
        self.mix = ConvNorm(channels, channels, 3)
        self.bias = nn.Linear(2 * channels, channels) if pooling else None
        self.last = nn.Conv2d(channels, planes, 1)

    def forward(self, trunk: Tensor) -> Tensor:
        """[n, channels, Y, X] -> logits [n, Y * X * planes]."""
        mixed = self.mix(trunk)
        if self.bias is not None:
            mixed = mixed + _everywhere(self.bias(pool(trunk)))
        logits: Tensor = self.last(torch.relu(mixed))
        return logits.permute(0, 2, 3, 1).flatten(1)


class ValueHead(nn.Module):
    """1 x 1 convolution, norm, relu, full connection to `hidden`, relu, full connection to one, tanh."""

    def __init__(self, channels: int, filters: int, area: int, hidden: int, pooling: bool) -> None:
        super().__init__()
        self.pooling = pooling
        self.squeeze = ConvNorm(channels, filters, 1)
        self.hidden = nn.Linear(filters * area + 2 * channels * pooling, hidden)
        self.last = nn.Linear(hidden, 1)

    def forward(self, trunk: Tensor) -> Tensor:
        """[n, channels, Y, X] -> values [n]."""
        flat = _flat(torch.relu(self.squeeze(trunk)), trunk, self.pooling)
        return _bounded(self.last(torch.relu(self.hidden(flat)))).squeeze(1)


def pool(x: Tensor) -> Tensor:
    """Mean and maximum of each channel over the board: [n, c, Y, X] -> [n, 2 * c]."""
    return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)


def folded(net: DualNet) -> DualNet:
    """A copy of `net` in eval mode, its normalisations folded into the convolutions before them: equal and faster.

    It is for inference alone: `DualNet(**settings())` does not take its weights.
    """
    copy: DualNet = deepcopy(net)
    copy.eval()
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, ConvNorm):
                setattr(parent, name, fuse_conv_bn_eval(child.conv, child.norm))
    return copy


def _bounded(x: Tensor) -> Tensor:
    """tanh in float32 whatever `x` is: bfloat16's is exactly 1 from 3.5 on, and a wrong value there has no gradient."""
    return torch.tanh(x.float())


def _everywhere(bias: Tensor) -> Tensor:
    return bias.unsqueeze(2).unsqueeze(3)  # [n, c] -> [n, c, 1, 1]


def _flat(squeezed: Tensor, trunk: Tensor, pooling: bool) -> Tensor:
    flat = squeezed.flatten(1)
    return torch.cat([flat, pool(trunk)], 1) if pooling else flat


def _check(area: int, actions: int, blocks: int, channels: int, policy: str) -> None:
    if policy not in ("linear", "planes"):
        raise ValueError(f'policy must be "linear" or "planes", got {policy!r}')
    if policy == "planes" and actions % area:
        raise ValueError(f'policy="planes" needs a number of actions that {area} points divide, got {actions}')
    if blocks < 0 or channels < 2:
        raise ValueError(f"a net needs 0 or more blocks of 2 or more channels, got {blocks} of {channels}")
