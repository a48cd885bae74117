"""Saving that survives a kill at any moment: files and folders appear whole or not at all. No pickle anywhere.

What is written goes to a temporary name first, is flushed to the disk, and is then renamed, which a file system does
as one step. Tensors are safetensors, everything else is JSON; the state of a NumPy generator,
``rng.bit_generator.state``, is JSON as it is.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

STATE = "state"  # begins the names of an optimiser's tensors: "state.3.exp_avg" belongs to the parameter number 3


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file, replacing one of that name at once; its folder is made if need be."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.writing")
    unfinished.write_bytes(content)
    flush(unfinished)
    unfinished.replace(path)
    flush(path.parent)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as JSON, replacing the file at once. Raises ValueError for NaN, which JSON cannot hold."""
    write_bytes(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: str | Path) -> Any:
    """What a JSON file holds. Raises ValueError for a file that is none, FileNotFoundError for none at all."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: no JSON ({error})") from None


def save_tensors(path: str | Path, tensors: "Mapping[str, torch.Tensor]") -> None:
    """Write tensors of any device by name, as safetensors, replacing the file at once."""
    from safetensors.torch import save

    # Copies, as the format refuses tensors that share memory (tied weights) or lie in memory in another order.
    write_bytes(path, save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}))


def load_tensors(path: str | Path) -> "dict[str, torch.Tensor]":
    """The tensors by name, on the CPU. Raises ValueError for a damaged file, FileNotFoundError for none."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(Path(path).read_bytes())
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: no safetensors ({error})") from None


def save_optimizer(path: str | Path, optimizer: "torch.optim.Optimizer") -> None:
    """Write an optimiser's state: tensors to `path`.safetensors, settings and other numbers to `path`.json."""
    import torch

    path, state = Path(path), optimizer.state_dict()
    tensors: dict[str, torch.Tensor] = {}
    others: dict[str, Any] = {}
    for number, values in state["state"].items():
        for name, value in values.items():
            (tensors if isinstance(value, torch.Tensor) else others)[f"{STATE}.{number}.{name}"] = value
    save_tensors(path.with_name(f"{path.name}.safetensors"), tensors)
    write_json(path.with_name(f"{path.name}.json"), {"groups": state["param_groups"], "others": others})


def load_optimizer(path: str | Path, optimizer: "torch.optim.Optimizer") -> None:
    """Give `optimizer`, made with the same settings for the same parameters, the state that was saved, bit for bit.

    Raises ValueError if the parameters are others.
    """
    import torch

    path, state = Path(path), dict[int, dict[str, Any]]()
    saved = read_json(path.with_name(f"{path.name}.json"))
    for key, value in {**load_tensors(path.with_name(f"{path.name}.safetensors")), **saved["others"]}.items():
        _, number, name = key.split(".", 2)
        state.setdefault(int(number), {})[name] = value
    groups = [
        {name: tuple(value) if isinstance(value, list) and name != "params" else value for name, value in group.items()}
        for group in saved["groups"]
    ]
    optimizer.load_state_dict({"state": dict(sorted(state.items())), "param_groups": groups})
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                # Laid out in memory as the parameter is, so that the same machine code runs as before, to the last bit.
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def flush(path: Path) -> None:
    """Have the system put a file's or a folder's content on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """A temporary folder to write into, which becomes `path` when the block ends without an error.

    A folder of that name is replaced; should the process die between the two renames, `settled` finds the old one.
    One writer at a time.
    """
    path = settled(path)
    unfinished, old = path.with_name(f".{path.name}.writing"), path.with_name(f".{path.name}.old")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        for file in unfinished.rglob("*"):
            flush(file)
        flush(unfinished)
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
            path.rename(old)
        unfinished.rename(path)
        flush(path.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def settled(path: str | Path) -> Path:
    """`path`, put back to what it was if a replacement of it was cut short."""
    path = Path(path)
    old = path.with_name(f".{path.name}.old")
    if old.exists() and not path.exists():
        old.rename(path)
    return path
