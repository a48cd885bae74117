"""Linear policies on disk: patterns and weights in one file of safetensors."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.patterns import Patterns
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, save_tensors


def check_weights(patterns: Patterns, weights: NDArray[np.float32]) -> None:
    """Raises ValueError unless `weights` are float32 [patterns.features], finite, the first of them 0."""
    if weights.dtype != np.float32 or weights.shape != (patterns.features,):
        raise ValueError(
            f"these patterns want float32 [{patterns.features}] weights, got {weights.dtype} {list(weights.shape)}"
        )
    if weights[0] != 0 or not np.isfinite(weights).all():
        raise ValueError("weights of a policy must be finite, and weight 0, of no feature, must be 0")


def save_policy(path: Path, patterns: Patterns, weights: NDArray[np.float32]) -> None:
    """Write patterns and weights to the file `path`. Raises ImportError, which says so, where PyTorch is missing."""
    torch = _torch()
    codes = {"rings": patterns.rings, "responses": patterns.responses, "diamonds": patterns.diamonds}
    held = {name: torch.from_numpy(part.view(np.int64).copy()) for name, part in codes.items() if part is not None}
    save_tensors(path, {**held, "weights": torch.from_numpy(weights.copy())})


def load_policy(path: Path) -> tuple[Patterns, NDArray[np.float32]]:
    """What `save_policy` wrote. Raises ValueError for a file that holds something else."""
    _torch()
    held = {name: tensor.numpy().copy() for name, tensor in load_tensors(path).items()}
    try:
        weights = held.pop("weights")
        return Patterns(**{name: codes.view(np.uint64) for name, codes in held.items()}), weights
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no linear policy: {error}") from None


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError('policies on disk need PyTorch: pip install "sakiyomi[torch]"') from None
    return torch
