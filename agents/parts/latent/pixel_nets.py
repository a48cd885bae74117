"""The papers' encoders and decoders for small pictures, and the fully connected heads on latent states.

D. Ha and J. Schmidhuber, "World models", 2018, appendix A.1: four convolutions of 4 x 4 with stride 2 and no padding,
64 -> 31 -> 14 -> 6 -> 2, and four transposed ones of 5, 5, 6 and 6, 1 -> 5 -> 13 -> 30 -> 64. PlaNet, Dreamer and
DreamerV2 took both over. Smaller pictures have fewer layers of the same kind, and decoders whose last size fits.

Pictures come as bytes [..., height, width, channels] and go through the networks as floats [..., channels, height,
width] around 0 (`normalised`, `quantised`, and back by `as_bytes`).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

Activation = Literal["relu", "elu"]
ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU}
KERNELS = {64: (5, 5, 6, 6), 32: (5, 6, 6), 16: (6, 6)}
"""Of the decoder's transposed convolutions, by the size of the picture; the encoder has as many layers."""


class PixelEncoder(nn.Module):
    """Pictures [..., channels, size, size] -> [..., outputs], `outputs` = depth * 2^(layers - 1) * 4.

    Convolutions of 4 x 4, stride 2, of depth * (1, 2, 4, 8) filters. World Models, PlaNet and Dreamer have depth 32 and
    ReLU, DreamerV2 depth 48 and ELU. Raises ValueError for a size that is not 64, 32 or 16.
    """

    def __init__(self, channels: int, *, size: int = 64, depth: int = 32, activation: Activation = "relu") -> None:
        super().__init__()
        layers = len(_kernels(size))
        filters = [channels, *(depth * 2**layer for layer in range(layers))]
        self.outputs = 4 * filters[-1]
        self.shape = (channels, size, size)
        self.layers = nn.Sequential()
        for inputs, outputs in pairwise(filters):
            self.layers.extend([nn.Conv2d(inputs, outputs, 4, stride=2), ACTIVATIONS[activation]()])

    def forward(self, pictures: Tensor) -> Tensor:
        """As the class says; raises ValueError for pictures of another shape."""
        if pictures.shape[-3:] != self.shape:
            raise ValueError(f"the encoder takes pictures [..., {self.shape}], got {tuple(pictures.shape)}")
        lead = pictures.shape[:-3]
        return self.layers(pictures.reshape(-1, *self.shape)).flatten(1).reshape(*lead, self.outputs)


class PixelDecoder(nn.Module):
    """Features [..., inputs] -> means of pictures [..., channels, size, size], without a bound.

    A linear layer to 32 * depth (for 64 x 64; no activation), then transposed convolutions, stride 2, of
    depth * (4, 2, 1) filters and of `channels`. Raises ValueError for a size that is not 64, 32 or 16.
    """

    def __init__(
        self, inputs: int, channels: int, *, size: int = 64, depth: int = 32, activation: Activation = "relu"
    ) -> None:
        super().__init__()
        kernels = _kernels(size)
        layers = len(kernels)
        filters = [4 * depth * 2 ** (layers - 1), *(depth * 2**layer for layer in range(layers - 2, -1, -1)), channels]
        self.first = nn.Linear(inputs, filters[0])
        self.layers = nn.Sequential()
        for (narrow, wide), kernel in zip(pairwise(filters), kernels, strict=True):
            self.layers.extend([nn.ConvTranspose2d(narrow, wide, kernel, stride=2), ACTIVATIONS[activation]()])
        del self.layers[-1]

    def forward(self, features: Tensor) -> Tensor:
        """As the class says."""
        lead = features.shape[:-1]
        pictures = self.layers[1:](self._grown(self.first(features.reshape(-1, features.shape[-1]))))
        return pictures.reshape(*lead, *pictures.shape[1:])

    def _grown(self, seeds: Tensor) -> Tensor:
        """The first transposed convolution, of one pixel [N, filters]: a matrix product, which is 4 times as fast."""
        convolution = self.layers[0]
        grown = (seeds @ convolution.weight.flatten(1)).unflatten(1, convolution.weight.shape[1:])
        return grown + convolution.bias[:, None, None]


class MLP(nn.Module):
    """Vectors [..., inputs] -> [..., outputs], or [...] if `outputs` is None: one number for each, as rewards are.

    An activation follows each of the `hidden` layers, none the last.
    """

    def __init__(
        self, inputs: int, outputs: int | None, *, hidden: Sequence[int], activation: Activation = "elu"
    ) -> None:
        super().__init__()
        self.scalar = outputs is None
        self.layers = nn.Sequential()
        for narrow, wide in pairwise([inputs, *hidden]):
            self.layers.extend([nn.Linear(narrow, wide), ACTIVATIONS[activation]()])
        self.layers.append(nn.Linear([inputs, *hidden][-1], 1 if outputs is None else outputs))

    def forward(self, x: Tensor) -> Tensor:
        """As the class says."""
        y = self.layers(x)
        return y.squeeze(-1) if self.scalar else y


def normalised(pictures: Tensor) -> Tensor:
    """Bytes [..., H, W, C] as floats [..., C, H, W] in [-0.5, 0.5]: x / 255 - 0.5 (Dreamer, DreamerV2)."""
    return pictures.movedim(-1, -3).float() / 255 - 0.5


def quantised(pictures: Tensor, generator: torch.Generator, bits: int = 5) -> Tensor:
    """Bytes [..., H, W, C] cut to so many bits, as floats [..., C, H, W] in [-0.5, 0.5) (PlaNet).

    Uniform noise of one step's width makes the steps a density that fills the whole range.
    """
    levels = 2**bits
    steps = (pictures.movedim(-1, -3) // (256 // levels)).float()
    noise = torch.rand(steps.shape, generator=generator, device=steps.device)
    return (steps + noise) / levels - 0.5


def as_bytes(pictures: Tensor) -> Tensor:
    """The inverse of `normalised`: floats [..., C, H, W] around 0 as bytes [..., H, W, C], cut to the range."""
    return ((pictures.float() + 0.5) * 255).round().clamp(0, 255).to(torch.uint8).movedim(-3, -1)


def initialise(module: nn.Module, generator: torch.Generator, like: Literal["keras", "torch"] = "keras") -> None:
    """Draw all weights of `module` anew from `generator`, as one of the two libraries begins.

    ``"keras"``, which the papers' code has: Glorot's uniform, recurrent weights orthogonal, biases 0. ``"torch"``:
    uniform within 1 / sqrt(inputs), biases too. Both leave normalisations at 1 and 0. Raises ValueError for weights of
    other kinds of layers.
    """
    draw = _as_keras if like == "keras" else _as_torch
    for part in module.modules():
        if isinstance(part, nn.LayerNorm):
            part.reset_parameters()
        elif isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.GRUCell):
            draw(part, generator)
        elif next(part.parameters(recurse=False), None) is not None:
            raise ValueError(f"there is no rule for how the weights of {type(part).__name__} begin")


def _as_keras(layer: nn.Module, generator: torch.Generator) -> None:
    for name, parameter in layer.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(parameter)
        elif name == "weight_hh":
            nn.init.orthogonal_(parameter, generator=generator)
        else:
            nn.init.xavier_uniform_(parameter, generator=generator)


def _as_torch(layer: nn.Module, generator: torch.Generator) -> None:
    # PyTorch counts the inputs by the second dimension, of transposed convolutions too
    inputs = layer.hidden_size if isinstance(layer, nn.GRUCell) else layer.weight[0].numel()
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -(inputs**-0.5), inputs**-0.5, generator=generator)


def _kernels(size: int) -> tuple[int, ...]:
    if size not in KERNELS:
        raise ValueError(f"pictures of {size} x {size}: there are encoders and decoders for {sorted(KERNELS)}")
    return KERNELS[size]
