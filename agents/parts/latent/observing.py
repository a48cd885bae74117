"""What agents with a latent state observe: pictures made smaller, vectors in units of their own spread."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

if TYPE_CHECKING:
    from sakiyomi.envs.task import Task

LEAST_SPREAD = 1e-6
"""A number that spreads less than this is constant, and is divided by 1."""


class Standardiser(nn.Module):
    """Vectors [..., n] to [..., size]: less their mean, by their standard deviation, both over all rows seen so far.

    The numbers of which `angles` are the indices are first replaced by their sines and cosines, which come last. The
    statistics are float64 (T. Chan et al., "Algorithms for computing the sample variance", 1983, equation 2.1) and
    saved with the weights; before there are any, the mean is 0 and the deviation 1.
    """

    count: Tensor
    mean: Tensor
    squares: Tensor  # the sum of the squared deviations from the mean

    def __init__(self, n: int, angles: tuple[int, ...] = ()) -> None:
        super().__init__()
        if any(not 0 <= angle < n for angle in angles):
            raise ValueError(f"angles must be from 0 to {n - 1}, got {angles}")
        self.angles, self._plain = list(angles), [i for i in range(n) if i not in angles]
        self.size = n + len(angles)
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(self.size, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(self.size, dtype=torch.float64))

    @torch.no_grad()
    def see(self, rows: NDArray[Any]) -> None:
        """Count rows [N, n] in."""
        new = self._turned(torch.from_numpy(np.asarray(rows, np.float64)).to(self.mean.device))
        total, mean = self.count + len(new), new.mean(dim=0)
        off = mean - self.mean
        self.squares += ((new - mean) ** 2).sum(dim=0) + off**2 * self.count * len(new) / total
        self.mean += off * len(new) / total
        self.count.copy_(total)

    @property
    def std(self) -> Tensor:
        """[size] float64."""
        std = (self.squares / self.count.clamp(min=1)).sqrt()
        return torch.where(std < LEAST_SPREAD, 1.0, std)

    def forward(self, vectors: Tensor) -> Tensor:
        """float32 [..., size]."""
        return ((self._turned(vectors) - self.mean) / self.std).float()

    def undone(self, standard: Tensor) -> Tensor:
        """float64 [..., n], the inverse of `forward`; angles are from -pi to pi."""
        turned = standard * self.std + self.mean
        plain, sines, cosines = turned.split([len(self._plain), len(self.angles), len(self.angles)], dim=-1)
        vectors = turned[..., : self.size - len(self.angles)].clone()
        vectors[..., self._plain], vectors[..., self.angles] = plain, torch.atan2(sines, cosines)
        return vectors

    def _turned(self, vectors: Tensor) -> Tensor:
        angles = vectors[..., self.angles]
        return torch.cat([vectors[..., self._plain], angles.sin(), angles.cos()], dim=-1) if self.angles else vectors


def going_on(observation: NDArray[Any], futures: NDArray[Any], angles: Sequence[int]) -> NDArray[Any]:
    """Futures [P, H, n] of what is observed now [n] whose angles go on from it, by less than half a turn a step."""
    whole = np.concatenate([np.broadcast_to(observation, (len(futures), 1, futures.shape[2])), futures], axis=1)
    for angle in angles:
        whole[..., angle] = np.unwrap(whole[..., angle], axis=1)
    return np.asarray(whole[:, 1:])


def shrunk(pictures: Tensor, factor: int) -> Tensor:
    """Bytes [..., H / factor, W / factor, C], means of squares of pixels of bytes [..., H, W, C].

    Raises ValueError if the squares do not fill the picture.
    """
    if factor == 1:
        return pictures
    *lead, height, width, channels = pictures.shape
    if height % factor or width % factor:
        raise ValueError(f"a picture of {height}x{width} cannot be made {factor} times smaller")
    rows = pictures.reshape(*lead, height // factor, factor, width * channels).sum(dim=-2, dtype=torch.int16)
    sums = rows.reshape(*lead, height // factor, width // factor, factor, channels).sum(dim=-2, dtype=torch.int32)
    return (sums / factor**2).round().to(torch.uint8)


def enlarged(pictures: NDArray[Any], factor: int) -> NDArray[Any]:
    """[..., H * factor, W * factor, C]: every pixel of [..., H, W, C] as a square."""
    return pictures.repeat(factor, axis=-3).repeat(factor, axis=-2)


def shown_by(task: "Task") -> tuple[tuple[int, ...], type]:
    """The shape of what `task` shows and its type: pictures of uint8, else vectors of float32.

    Pictures are [H, W, C], [H, W], or screens one after the other, [S, H, W]. Raises ValueError for a task that shows
    something else.
    """
    space = task.observation_space
    shape, pictures = tuple(space.shape or ()), space.dtype == np.uint8
    if len(shape) not in ((2, 3) if pictures else (1,)):
        raise ValueError(f"{task.name} shows {space}; wanted are pictures of uint8 or vectors")
    return shape, np.uint8 if pictures else np.float32


def checked(observations: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Observations [B, *shape], uint8 or float32. Raises ValueError for others, and for numbers that are not finite."""
    array = np.asarray(observations)
    if array.shape[1:] != shape:
        raise ValueError(f"observations must be [B, {', '.join(map(str, shape))}], got {list(array.shape)}")
    if array.dtype == np.uint8:
        return array
    array = array.astype(np.float32)
    if not np.isfinite(array).all():
        at = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"observation{at.tolist()} is {array[tuple(at)]}, a finite number is wanted")
    return array


Precision = Literal["float32", "bfloat16", "auto"]
"""Of products of networks; losses are float32 whatever it is."""


def halved(precision: Precision, device: torch.device, pictures: bool) -> bool:
    """Are products to be in bfloat16? With "auto" where it is faster: on a GPU, and for pictures on a processor that
    has units for it (AMX), by about twice.
    """
    if precision != "auto":
        return precision == "bfloat16"
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", None)  # older versions cannot tell
    return device.type == "cuda" or (pictures and tiles is not None and bool(tiles()))


def best_device() -> torch.device:
    """A GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
