"""Carries on disk: dataclasses of tensors, random generators and further such dataclasses, as tensors by name."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

Carry = TypeVar("Carry")


def carry_tensors(carry: Any, prefix: str = "") -> dict[str, Tensor]:
    """All of `carry`, an instance of a dataclass. Raises TypeError for fields of another kind."""
    tensors: dict[str, Tensor] = {}
    for each in fields(carry):
        name, value = prefix + each.name, getattr(carry, each.name)
        if isinstance(value, Tensor):
            tensors[name] = value
        elif isinstance(value, torch.Generator):
            tensors[name] = value.get_state()
        elif is_dataclass(value):
            tensors |= carry_tensors(value, f"{name}.")
        elif value is not None:
            raise TypeError(f"a carry is of tensors, generators and dataclasses of them; {name} is {type(value)}")
    return tensors


def restored_carry(fresh: Carry, tensors: Mapping[str, Tensor], prefix: str = "") -> Carry:
    """`fresh`, a carry that begins, with what `carry_tensors` gave. Raises ValueError for one of other sizes."""
    values: dict[str, Any] = {}
    for each in fields(fresh):  # type: ignore[arg-type]
        name, value = prefix + each.name, getattr(fresh, each.name)
        if is_dataclass(value):
            values[each.name] = restored_carry(value, tensors, f"{name}.")
        elif value is not None and name not in tensors:
            raise ValueError(f"the carry was saved without {name}")
        elif isinstance(value, torch.Generator):
            generator = torch.Generator(value.device)
            generator.set_state(tensors[name])
            values[each.name] = generator
        elif isinstance(value, Tensor):
            if tensors[name].shape != value.shape:
                raise ValueError(f"{name} was {list(tensors[name].shape)} when it was saved, is {list(value.shape)}")
            values[each.name] = tensors[name].to(value)
    return replace(fresh, **values)  # type: ignore[type-var]
