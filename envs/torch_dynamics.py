"""The true dynamics of plants as differentiable PyTorch functions, to compare learned models with, and to plan by.

They call the plants' own equations, so there is nothing that could disagree. PyTorch is optional; device and type are
those of the tensors given, float64 keeps the accuracy of the plant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sakiyomi.envs.dynamics import Plant, advance

if TYPE_CHECKING:
    from torch import Tensor


def torch_after(plant: Plant, states: "Tensor", controls: "Tensor", substeps: int | None = None) -> "Tensor":
    """[..., S] the states one control step after `states` [..., S] under `controls` [..., A]; see `dynamics.after`.

    Gradients reach states, and controls that are within the plant's limits; beyond them the control is cut, and its
    gradient is 0. `substeps` are steps of the integrator, by default as many as `after` takes (40 to 100 in
    0.1 s); a tenth of them is still exact beside anything learned, at a tenth of the cost.
    """
    torch: Any = import_module("torch")
    limits = torch.as_tensor(plant.limits, dtype=controls.dtype, device=controls.device)
    held = controls.clamp(-limits, limits).unbind(-1)
    moved = advance(plant, states.unbind(-1), held, plant.step, substeps or plant.substeps)
    stacked: Tensor = torch.stack(torch.broadcast_tensors(*moved), dim=-1)
    return stacked


def torch_reward(plant: Plant, states: "Tensor") -> "Tensor":
    """[...] the rewards, 0..1, for reaching `states` [..., S]; differentiable."""
    reward: Tensor = plant.reward(states.unbind(-1))
    return reward
