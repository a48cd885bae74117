"""V of World Models: a variational autoencoder of pictures.

D. Ha and J. Schmidhuber, "Recurrent world models facilitate policy evolution", NeurIPS 2018, appendix A.1, with the
constants of the published code. The networks are those of `pixel_nets`; the code of a picture is a Gaussian with
independent entries, and a sigmoid ends the decoder, for the colours are 0 to 1.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sakiyomi.agents.parts.latent.pixel_nets import PixelDecoder, PixelEncoder, initialise

Error = Literal["squared", "cross-entropy"]
"""What a wrong colour costs. The paper's is squared; where nearly all of a picture is of one colour, the sigmoid leaves
it hardly any gradient for the few other pixels, while cross-entropy has no such plateau."""


class Codes(NamedTuple):
    """Gaussians [..., Z] by their means and the logarithms of their variances."""

    mean: Tensor
    log_variance: Tensor

    def drawn(self, noise: Tensor) -> Tensor:
        """[..., Z], the values that standard normal `noise` [..., Z] gives: gradients flow to both parameters."""
        return self.mean + (self.log_variance / 2).exp() * noise


class VAE(nn.Module):
    """Pictures [B, channels, size, size] with colours 0 to 1 <-> codes [B, latent]; `size` is 64, 32 or 16.

    The first convolution has `depth` filters, 32 in the paper. Weights are drawn from `generator`, biases begin at 0.
    """

    def __init__(
        self, latent: int, *, generator: torch.Generator, size: int = 64, depth: int = 32, channels: int = 3
    ) -> None:
        super().__init__()
        self.latent, self.shape = latent, (channels, size, size)
        self.encoder = PixelEncoder(channels, size=size, depth=depth)
        self.mean = nn.Linear(self.encoder.outputs, latent)
        self.log_variance = nn.Linear(self.encoder.outputs, latent)
        self.decoder = PixelDecoder(latent, channels, size=size, depth=depth)
        initialise(self, generator)

    def encode(self, pictures: Tensor) -> Codes:
        """The codes of pictures [B, channels, size, size]."""
        seen = self.encoder(pictures)
        return Codes(self.mean(seen), self.log_variance(seen))

    def decode(self, codes: Tensor) -> Tensor:
        """Pictures [..., channels, size, size], 0 to 1, of codes [..., latent]."""
        return self.decoder(codes).sigmoid()

    def forward(self, pictures: Tensor, noise: Tensor) -> tuple[Tensor, Codes]:
        """Logits of the colours painted from codes, which standard normal `noise` [B, latent] draws, and the codes."""
        codes = self.encode(pictures)
        return self.decoder(codes.drawn(noise)), codes


class VAELoss(NamedTuple):
    """Numbers: their sum, which is to be minimised, and its two terms, the second before it was cut off."""

    total: Tensor
    reconstruction: Tensor
    kl: Tensor


def vae_loss(logits: Tensor, pictures: Tensor, codes: Codes, free: float, error: Error = "squared") -> VAELoss:
    """The loss of V, of the `logits` of the colours that it paints [B, ...] where `pictures` [B, ...] were seen.

    The error is summed over a picture (no mean; of squares no half) and averaged over the batch. Of each picture's
    divergence from the standard normal what lies below `free` nats for every entry of the code costs the same.
    """
    if error == "squared":
        errors = (logits.sigmoid() - pictures) ** 2
    else:
        errors = functional.binary_cross_entropy_with_logits(logits, pictures, reduction="none")
    reconstruction, kl = errors.flatten(1).sum(dim=1).mean(), kl_to_standard(codes)
    return VAELoss(reconstruction + kl.clamp(min=free * codes.mean.shape[-1]).mean(), reconstruction, kl.mean())


def kl_to_standard(codes: Codes) -> Tensor:
    """[...] nats, KL(N(mean, variance) || N(0, 1)), summed over the entries."""
    mean, log_variance = codes
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=-1)


def as_colours(frames: Tensor, inverted: bool) -> Tensor:
    """Bytes [..., H, W, C] as floats [..., C, H, W] from 0 to 1, black being 1 if `inverted`."""
    colours = frames.movedim(-1, -3).float() / 255
    return 1 - colours if inverted else colours


def as_frames(pictures: Tensor, inverted: bool) -> Tensor:
    """The inverse of `as_colours`: floats [..., C, H, W] as bytes [..., H, W, C], cut to the range."""
    colours = 1 - pictures if inverted else pictures
    return (colours * 255).round().clamp(0, 255).to(torch.uint8).movedim(-3, -1)
