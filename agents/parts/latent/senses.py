"""How an agent with a latent state perceives: pictures or vectors, encoded, and decoders to tell them again.

Dreamer (ICLR 2020) and DreamerV2 (ICLR 2021) see pictures as bytes / 255 - 0.5, PlaNet (ICML 2019) in fewer bits, all
through convolutions. Vectors are in units of their spread so far, and go through fully connected layers with ELU.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sakiyomi.agents.parts.latent.distributions import unit_log_prob
from sakiyomi.agents.parts.latent.observing import Standardiser, enlarged, shrunk
from sakiyomi.agents.parts.latent.pixel_nets import (
    MLP,
    Activation,
    PixelDecoder,
    PixelEncoder,
    as_bytes,
    normalised,
    quantised,
)


class Senses(nn.Module):
    """The encoder of observations of `shape`, pictures or vectors [n]; it gives `outputs` numbers.

    Pictures are [H, W, C], [H, W], or grey screens one after the other, [S, H, W], as Atari games show them. They are
    made `shrink` times smaller, cut to `bits` a colour if it says so, and have `depth` filters in the first
    convolution; vectors have the `layers`, and `angles` are the indices of those numbers that are shown as sine and
    cosine. What is observed deviates from what is decoded by `deviation`: the error counts 1 / deviation^2 times as
    much, and so does its gradient. Raises ValueError for pictures that are no squares, or of a size for which there is
    no encoder.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        depth: int,
        layers: Sequence[int],
        shrink: int = 1,
        deviation: float = 1.0,
        *,
        activation: Activation = "relu",
        bits: int | None = None,
        angles: tuple[int, ...] = (),
    ):
        super().__init__()
        self.shape, self.depth, self.hidden, self.shrink = shape, depth, layers, shrink
        self.activation, self.deviation, self.bits, self.angles = activation, deviation, bits, angles
        self.pictures = len(shape) > 1
        self.standard = Standardiser(0) if self.pictures else Standardiser(shape[0], angles)
        if self.pictures:
            self.encoder = PixelEncoder(self._channels, size=self._size, depth=depth, activation=activation)
            self.outputs = self.encoder.outputs
        else:
            self.encoder = nn.Sequential(MLP(self.standard.size, layers[-1], hidden=layers[:-1]), nn.ELU())
            self.outputs = layers[-1]

    def decoder(self, features: int) -> nn.Module:
        """A network from `features` numbers to means of what is seen, [..., C, S, S] or [..., n]."""
        if not self.pictures:
            return MLP(features, self.standard.size, hidden=self.hidden)
        return PixelDecoder(features, self._channels, size=self._size, depth=self.depth, activation=self.activation)

    def seen(self, observations: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Observations [..., *shape] as the networks see them: [..., C, S, S] or [..., n].

        Pictures that are cut to `bits` take their noise from `generator`; ValueError without it.
        """
        if not self.pictures:
            return self.standard(observations)
        small = shrunk(self._channels_last(observations), self.shrink)
        if self.bits is None:
            return normalised(small)
        if generator is None:
            raise ValueError(f"pictures cut to bits={self.bits} take noise, and there is no generator")
        return quantised(small, generator, self.bits)

    def forward(self, seen: Tensor) -> Tensor:
        """[..., outputs]."""
        return self.encoder(seen)

    def log_prob(self, seen: Tensor, decoded: Tensor) -> Tensor:
        """[...], log N(seen; decoded, deviation) in units of `deviation`, added up over all pixels or numbers."""
        return unit_log_prob(seen / self.deviation, decoded / self.deviation, 3 if self.pictures else 1)

    def shown(self, decoded: Tensor) -> NDArray[Any]:
        """What is decoded, [..., C, S, S] or [..., n], as observations: bytes, or float64."""
        if not self.pictures:
            return np.asarray(self.standard.undone(decoded).cpu().numpy())
        shown = enlarged(as_bytes(decoded).cpu().numpy(), self.shrink)
        if self._screens:
            return np.moveaxis(shown, -1, -3)
        return shown if len(self.shape) == 3 else shown[..., 0]

    @property
    def _screens(self) -> bool:
        """Are pictures [S, H, W]? Squares tell: the first number is then not one of their two sides."""
        return len(self.shape) == 3 and self.shape[0] != self.shape[1] == self.shape[2]

    def _channels_last(self, pictures: Tensor) -> Tensor:
        """[..., H, W, C] of pictures [..., *shape]."""
        if self._screens:
            return pictures.movedim(-3, -1)
        return pictures if len(self.shape) == 3 else pictures[..., None]

    @property
    def _channels(self) -> int:
        return self.shape[0 if self._screens else 2] if len(self.shape) == 3 else 1

    @property
    def _size(self) -> int:
        """Rows and columns of pictures as the networks see them."""
        rows, columns = self.shape[1:] if self._screens else self.shape[:2]
        if rows != columns:
            raise ValueError(f"pictures must be squares, got {rows}x{columns}")
        return rows // self.shrink
