"""Several networks that learn side by side, each with an optimiser of its own, and chance. A part of a run."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from sakiyomi.agents.parts.runs.checkpoints import load_tensors, save_tensors
from sakiyomi.agents.parts.runs.descent import Descent

GENERATOR = "generator"


class Descents:
    """Adam for each of `modules`, by name, with the rate beside it; else as `Descent`. `generator` is their chance.

    `copies` are networks that do not learn by themselves, and are saved with those that do.
    """

    def __init__(
        self,
        modules: Mapping[str, tuple[nn.Module, float]],
        epsilon: float,
        clip: float,
        decay: float = 0.0,
        *,
        seed: int,
        copies: Mapping[str, nn.Module] | None = None,
    ):
        self._descents = {
            name: Descent(module, rate=rate, epsilon=epsilon, clip=clip, decay=decay)
            for name, (module, rate) in modules.items()
        }
        self._copies = dict(copies or {})
        self.device = next(self._descents[next(iter(modules))].module.parameters()).device
        self.generator = torch.Generator(self.device).manual_seed(seed)

    def __getitem__(self, name: str) -> Descent:
        return self._descents[name]

    def step(self, name: str, terms: Mapping[str, Tensor], where: str) -> dict[str, float]:
        """`Descent.step` of that network: "loss/..." for each term, and "gradient/`name`"."""
        figures = self._descents[name].step({f"loss/{term}": loss for term, loss in terms.items()}, where)
        return {f"gradient/{name}" if key == "gradient" else key: value for key, value in figures.items()}

    def save(self, path: Path, others: Mapping[str, Tensor] | None = None) -> None:
        """Write weights, optimisers, copies, chance and `others`: files whose names begin as `path`."""
        for name, descent in self._descents.items():
            descent.save(path.with_name(f"{path.name}-{name}"))
        for name, module in self._copies.items():
            save_tensors(path.with_name(f"{path.name}-{name}.safetensors"), module.state_dict())
        tensors = {GENERATOR: self.generator.get_state(), **(others or {})}
        save_tensors(path.with_name(f"{path.name}.safetensors"), tensors)

    def load(self, path: Path) -> dict[str, Tensor]:
        """Go on from what `save` wrote; what `others` were."""
        for name, descent in self._descents.items():
            descent.load(path.with_name(f"{path.name}-{name}"))
        for name, module in self._copies.items():
            module.load_state_dict(load_tensors(path.with_name(f"{path.name}-{name}.safetensors")))
        tensors = load_tensors(path.with_name(f"{path.name}.safetensors"))
        self.generator.set_state(tensors.pop(GENERATOR))
        return tensors
