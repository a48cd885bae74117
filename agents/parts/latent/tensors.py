"""Records of tensors, such as a latent state or a distribution's parameters, changed and stacked as one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tensors:
    """A record of tensors with the same leading dimensions, some of them perhaps records again."""

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The record of what `change` makes of each tensor."""
        values = (getattr(self, each.name) for each in fields(self))
        return type(self)(*(v.map(change) if isinstance(v, Tensors) else change(v) for v in values))

    def __getitem__(self, rows: Any) -> Self:
        return self.map(lambda x: x[rows])

    def detach(self) -> Self:
        """The same numbers, which pass no gradient on."""
        return self.map(lambda x: x.detach())


Record = TypeVar("Record", bound=Tensors)


def stacked(records: Sequence[Record], dim: int) -> Record:
    """One record of these, their tensors stacked along the new dimension `dim`."""
    first = records[0]
    values = []
    for each in fields(first):
        parts = [getattr(record, each.name) for record in records]
        values.append(stacked(parts, dim) if isinstance(parts[0], Tensors) else torch.stack(parts, dim))
    return type(first)(*values)
