"""C of World Models: one linear layer from what is seen and remembered to the controls.

D. Ha and J. Schmidhuber, "Recurrent world models facilitate policy evolution", NeurIPS 2018, section 2.3 and appendix
A.3. Its weights are one vector, which evolution searches; many such vectors act at once, a row each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from sakiyomi.agents.parts.vmc.mdn_rnn import Memory

Seen = Literal["z", "h", "c"]
"""The code of the picture, the LSTM's hidden state, and its cell."""


@dataclass(frozen=True)
class LinearController:
    """`controls` numbers from -1 to 1, of `inputs` in their order: code [B, latent], hidden and cell [B, hidden].

    A control in `clipped` rests at its least (-1) unless it is driven beyond the middle of its range, as the brake of
    the car. With `choices` the controls are choices of which one is taken: 1 for it, 0 for the others.
    """

    inputs: tuple[Seen, ...]
    latent: int
    hidden: int
    controls: int
    bias: bool = True
    clipped: tuple[int, ...] = ()
    choices: bool = False

    @property
    def features(self) -> int:
        """Numbers that go in, F."""
        return sum(self.latent if name == "z" else self.hidden for name in self.inputs)

    @property
    def parameters(self) -> int:
        """The length D of a vector of weights: of [U, F], row by row, and then of [U] biases."""
        return self.controls * (self.features + self.bias)

    def __call__(self, weights: Tensor, codes: Tensor, memory: Memory) -> Tensor:
        """Controls [B, U], in each row by the weights [B, D] of the same row."""
        parts = {"z": codes, "h": memory.hidden, "c": memory.cell}
        features = torch.cat([parts[name] for name in self.inputs], dim=-1)
        matrix = weights[:, : self.controls * self.features].view(-1, self.controls, self.features)
        driven = (matrix @ features[..., None])[..., 0]
        if self.bias:
            driven = driven + weights[:, self.controls * self.features :]
        if self.choices:
            return functional.one_hot(driven.argmax(dim=-1), self.controls).to(driven.dtype)
        return self._controls(driven.tanh())

    def _controls(self, squashed: Tensor) -> Tensor:
        if not self.clipped:
            return squashed
        # Of the range 0 to 1 the upper half of tanh is all: clip(tanh, 0, 1), which is -1 to 1 as controls are here.
        clips = torch.zeros(self.controls, dtype=torch.bool, device=squashed.device)
        clips[list(self.clipped)] = True
        return torch.where(clips, 2 * squashed.clamp(min=0) - 1, squashed)


def decayed(returns: Tensor, weights: Tensor, decay: float) -> Tensor:
    """[P] fitness of candidates `weights` [P, D] with mean `returns` [P]: large weights cost decay * mean(w^2)."""
    return returns - decay * (weights**2).mean(dim=-1)


def rounded(weights: Sequence[float] | Tensor, decimals: int | None) -> Tensor:
    """float32, the weights with so many decimals (None: all)."""
    given = torch.as_tensor(weights, dtype=torch.float64)
    return (given if decimals is None else given.round(decimals=decimals)).float()
