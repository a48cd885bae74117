"""MuZero's three functions in one network: representation h, dynamics g and prediction f.

MuZero (Schrittwieser et al., arXiv:1911.08265, appendix F, "Network architecture"): towers of residual blocks for
boards, a downsampler before them for pictures of Atari's size. Latent states are scaled to [0, 1], the range of the
planes that tell of actions. Full connections are for tasks whose observations are vectors.

Departures: normalisation is that of a layer unless "batch" is asked for, as a batch's statistics differ from step to
step of an unroll; actions of chess and shogi are told by the square they start from and a plane for each kind of move,
and those of Connect Four by the column. Convolutions compute in bfloat16 where that is faster.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sakiyomi.agents.parts.dual.learner import computes_with_bfloat16
from sakiyomi.agents.parts.muzero.bins import decode
from sakiyomi.agents.parts.muzero.grid import digits

Kind = Literal["mlp", "conv", "atari"]
Norm = Literal["layer", "batch", "none"]
Scaling = Literal["state", "channel"]
LEAST_RANGE = 1e-5  # of a latent state before it is scaled
SMALL = 24  # points a side of a board, at the most
MANY = 32  # more actions than so many do not get a plane each


class Predictions(NamedTuple):
    """Of latent states [n, ...]: logits [n, A] (or [n, U * bins], of actions with U dimensions); of values [n, 2 M + 1]
    if there are bins, else values [n]. Float32."""

    logits: Tensor
    values: Tensor


class MuZeroNet(nn.Module):
    """h, g and f for inputs [n, ...] (vectors or planes) and `actions` to choose from. If these are a `Grid`, it has so
    many `dimensions`, each of which has a policy of its own, independent of the others.

    `kind` "mlp" has latent vectors of `channels` numbers and `hidden` units between; "conv" has latent planes as large
    as the board, `channels` of them, and towers of `blocks`; "atari" has smaller planes, behind convolutions of stride
    2 and towers of `down_blocks`. Heads have `filters` and then `hidden` units (a policy has none). `support` M > 0:
    rewards and values are distributions over the bins -M .. M (`bins`); 0: values lie in [-1, 1], and no reward is
    predicted. With `columns` each action is a column of the board, and a plane has ones there: from a constant plane a
    convolution would have to find the column by the board's edges, which takes it about twice as long to learn. The
    last layers begin at zero: the first policy is uniform, the first value and reward are 0.

    Weights are float32 and so is all that comes out, latent states too; between, convolutions compute in bfloat16 on a
    GPU, and on a CPU that is faster at it. Raises ValueError for inputs that the kind does not take, and for `columns`
    that are not as many as the board's.
    """

    def __init__(
        self,
        inputs: Sequence[int],
        actions: int,
        *,
        kind: Kind,
        channels: int,
        hidden: int,
        blocks: int = 1,
        filters: int = 2,
        down_blocks: Sequence[int] = (2, 3, 3),
        support: int = 0,
        norm: Norm = "layer",
        scaling: Scaling = "state",
        columns: bool = False,
        dimensions: int = 1,
    ):
        super().__init__()
        self.inputs, self.actions, self.support, self.scaling = tuple(inputs), actions, support, scaling
        self._settings = {
            "inputs": list(inputs),
            "actions": actions,
            "kind": kind,
            "channels": channels,
            "hidden": hidden,
            "blocks": blocks,
            "filters": filters,
            "down_blocks": list(down_blocks),
            "support": support,
            "norm": norm,
            "scaling": scaling,
            "columns": columns,
            "dimensions": dimensions,
        }
        self.dimensions, self.bins = dimensions, round(actions ** (1 / dimensions))
        if self.bins**dimensions != actions:
            raise ValueError(f"{actions} actions are no grid of {dimensions} dimensions")
        marks = self.bins * dimensions
        if (kind == "mlp") != (len(self.inputs) == 1):
            raise ValueError(f"a network of kind {kind!r} takes {'vectors' if kind == 'mlp' else 'planes'}: {inputs}")
        if columns and (kind != "conv" or actions != self.inputs[-1]):
            raise ValueError(f"{actions} actions of a {kind!r} network are no columns of {self.inputs}")
        outcomes = 2 * support + 1 if support else 1
        self.latent: tuple[int, ...]
        self.representation: nn.Module
        if kind == "mlp":
            self.latent, self._planes = (channels,), marks
            self.representation = mlp(self.inputs[0], hidden, channels)
            self.dynamics: nn.Module = mlp(channels + marks, hidden, channels)
            self.policy, self.value = mlp(channels, hidden, marks), mlp(channels, hidden, outcomes)
            self.reward = mlp(channels, hidden, outcomes) if support else None
        else:
            size = self.inputs[1:] if kind == "conv" else (downsampled(self.inputs[1]), downsampled(self.inputs[2]))
            planes = action_planes(actions, prod(size)) if dimensions == 1 else marks
            self.latent, self._planes = (channels, *size), 1 if columns else planes
            stem = (
                ConvNorm(self.inputs[0], channels, norm)
                if kind == "conv"
                else downsampler(self.inputs[0], channels, down_blocks, norm)
            )
            self.representation = nn.Sequential(stem, nn.ReLU(), *tower(channels, blocks, norm))
            change = ConvNorm(channels + self._planes, channels, norm)
            self.dynamics = nn.Sequential(change, nn.ReLU(), *tower(channels, blocks, norm))
            area = prod(size)
            self.policy = head(channels, filters, area, 0, marks, norm)
            self.value = head(channels, filters, area, hidden, outcomes, norm)
            self.reward = head(channels, filters, area, hidden, outcomes, norm) if support else None
        for last in (self.policy, self.value, self.reward):
            if last is not None:
                layer = last[-1]
                assert isinstance(layer, nn.Linear)
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def represent(self, inputs: Tensor) -> Tensor:
        """h: latent states [n, ...] of inputs [n, ...]."""
        with self._precision(inputs):
            latents = self.representation(inputs)
        return self._scaled(latents)

    def step(self, latents: Tensor, actions: Tensor) -> tuple[Tensor | None, Tensor]:
        """g: of `actions` [n] in `latents`: the logits of rewards [n, 2 M + 1] (None without bins), the states after.

        The reward is read from the state after, as it is once it has been scaled; the paper does not say where.
        """
        with self._precision(latents):
            after = self.dynamics(self._with_actions(latents, actions))
        scaled = self._scaled(after)
        if self.reward is None:
            return None, scaled
        with self._precision(scaled):
            rewards: Tensor = self.reward(scaled)
        return rewards.float(), scaled

    def predict(self, latents: Tensor) -> Predictions:
        """f."""
        with self._precision(latents):
            logits, values = self.policy(latents).float(), self.value(latents).float()
        return Predictions(logits, values if self.support else values.squeeze(-1).tanh())

    def scalars(self, outcomes: Tensor) -> Tensor:
        """[n], the values or rewards that a head's output stands for."""
        return decode(outcomes) if self.support else outcomes

    def settings(self) -> dict[str, Any]:
        """What rebuilds this net, as JSON can hold it: ``MuZeroNet(**net.settings())``."""
        return dict(self._settings)

    def _with_actions(self, latents: Tensor, actions: Tensor) -> Tensor:
        """Latent states and what tells of the actions, along the channels."""
        n = len(actions)
        if latents.ndim == 2:
            return torch.cat([latents, self._marked(actions).to(latents.dtype)], dim=1)
        area = prod(latents.shape[2:])
        told = latents.new_zeros(n, self._planes, area)
        rows = torch.arange(n, device=latents.device)
        if self._settings["columns"]:
            told.view(n, *latents.shape[2:])[rows, :, actions] = 1
        elif self._planes == self.bins * self.dimensions:
            told[:] = self._marked(actions)[:, :, None]
        elif self._planes == 1:  # a point of the board; a pass is none
            on = actions < area
            told[rows[on], 0, actions[on]] = 1
        else:
            told[rows, 0, actions // (self._planes - 1)] = 1
            told[rows, 1 + actions % (self._planes - 1)] = 1
        return torch.cat([latents, told.view(n, self._planes, *latents.shape[2:])], dim=1)

    def _marked(self, actions: Tensor) -> Tensor:
        """[n, U * bins], 1 at the value of each dimension."""
        places = torch.stack(digits(actions, self.bins, self.dimensions), dim=1)
        return functional.one_hot(places, self.bins).flatten(1)

    def _precision(self, like: Tensor) -> AbstractContextManager[Any]:
        """In the block layers compute in bfloat16, if that is faster where `like` is; those of vectors are too small.

        What is not a layer belongs outside: a sum over bins in bfloat16 has two digits.
        """
        kind = like.device.type
        faster = kind == "cuda" or (kind == "cpu" and computes_with_bfloat16())
        return torch.autocast(kind, torch.bfloat16) if faster and len(self.inputs) > 1 else nullcontext()

    def _scaled(self, latents: Tensor) -> Tensor:
        """To [0, 1], each state by its least and greatest number, or each of its planes by its own."""
        flat = latents.float().flatten(2 if self.scaling == "channel" and latents.ndim > 2 else 1)
        low, high = flat.aminmax(dim=-1, keepdim=True)
        return ((flat - low) / (high - low).clamp(min=LEAST_RANGE)).view_as(latents)


def usual_kind(inputs: Sequence[int]) -> Kind:
    """The kind for inputs of that shape: vectors, planes as large as a board's, or larger ones."""
    if len(inputs) == 1:
        return "mlp"
    return "conv" if max(inputs[1:]) <= SMALL else "atari"


def action_planes(actions: int, area: int) -> int:
    """How many planes tell of an action on a board of so many points (or of a latent state of no such kind)."""
    if actions in (area, area + 1):
        return 1
    if actions > MANY and actions % area == 0:
        return 1 + actions // area
    return actions


def downsampled(side: int) -> int:
    """How many points a side of `side` pixels has in a latent state: a sixteenth."""
    for _ in range(4):
        side = (side + 1) // 2
    return side


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """One hidden layer."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def normaliser(channels: int, norm: Norm) -> nn.Module:
    """Of planes [n, channels, Y, X]."""
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(1, channels) if norm == "layer" else nn.Identity()


class ConvNorm(nn.Sequential):
    """A convolution of 3 x 3 and normalisation."""

    def __init__(self, inputs: int, outputs: int, norm: Norm, stride: int = 1):
        convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=norm == "none")
        super().__init__(convolution, normaliser(outputs, norm))


class Block(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x))))))."""

    def __init__(self, channels: int, norm: Norm):
        super().__init__()
        self.first, self.second = ConvNorm(channels, channels, norm), ConvNorm(channels, channels, norm)

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, Y, X] -> the same."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


def tower(channels: int, blocks: int, norm: Norm) -> list[Block]:
    """So many residual blocks."""
    return [Block(channels, norm) for _ in range(blocks)]


def downsampler(inputs: int, channels: int, blocks: Sequence[int], norm: Norm) -> nn.Sequential:
    """Planes a sixteenth as wide and high: 96 -> 48 -> 24 -> 12 -> 6, with towers of `blocks` between the halvings."""
    half = channels // 2
    return nn.Sequential(
        ConvNorm(inputs, half, norm, stride=2),
        nn.ReLU(),
        *tower(half, blocks[0], norm),
        ConvNorm(half, channels, norm, stride=2),
        nn.ReLU(),
        *tower(channels, blocks[1], norm),
        nn.AvgPool2d(3, 2, 1),
        *tower(channels, blocks[2], norm),
        nn.AvgPool2d(3, 2, 1),
    )


def head(channels: int, filters: int, area: int, hidden: int, outputs: int, norm: Norm) -> nn.Sequential:
    """Planes -> [n, outputs]: a convolution of 1 x 1 to `filters` planes, and `hidden` units if there are any."""
    squeeze = nn.Sequential(nn.Conv2d(channels, filters, 1, bias=norm == "none"), normaliser(filters, norm), nn.ReLU())
    between = [nn.Linear(filters * area, hidden), nn.ReLU()] if hidden else []
    return nn.Sequential(squeeze, nn.Flatten(), *between, nn.Linear(hidden or filters * area, outputs))
