"""Learning of MuZero's network: K steps of it unrolled, against what was played.

MuZero (Schrittwieser et al., arXiv:1911.08265, section 3 and appendix G, "Training"; DeepMind's published pseudocode)::

    L = sum_k w_k [ l_p(pi_{t+k}, p^k) + c_v l_v(z_{t+k}, v^k) + l_r(u_{t+k}, r^k) ],   w_0 = 1, w_k = 1 / K

The gradient that a latent state gets from the step after it is halved, so that it stays of one size however long the
unroll is. Cross-entropy to two-hot distributions for values and rewards, or squared error where values lie in [-1, 1].
Of actions that were drawn (`sampling`) l_p is the cross-entropy of the search's shares among those alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from sakiyomi.agents.parts.dual.learner import moving_average
from sakiyomi.agents.parts.muzero.bins import encode
from sakiyomi.agents.parts.muzero.grid import digits
from sakiyomi.agents.parts.muzero.nets import MuZeroNet
from sakiyomi.agents.parts.muzero.unrolls import Unrolls
from sakiyomi.agents.parts.runs.checkpoints import (
    load_optimizer,
    load_tensors,
    read_json,
    save_optimizer,
    save_tensors,
    write_json,
)

HALF = 0.5  # of the gradient that passes from a step of the dynamics to the latent state before it


class MuZeroLearner:
    """A net, its optimiser and a moving average of its weights.

    `optimizer` is "sgd" with `momentum`, or "adamw"; `decay` is added to the gradient with the first and decoupled with
    the second. The average, by which is played, forgets 1 - `averaging` a step; 0 plays by the weights as they are.
    `value_weight` is c_v. Gradients are cut to `clip` in norm (0: never). On the CPU the same unrolls give the same
    weights, bit for bit.
    """

    def __init__(
        self,
        net: MuZeroNet,
        *,
        optimizer: Literal["sgd", "adamw"],
        momentum: float = 0.9,
        decay: float = 1e-4,
        averaging: float = 0.0,
        value_weight: float = 1.0,
        clip: float = 0.0,
        device: torch.device | None = None,
    ):
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net, self.value_weight, self.clip = net.to(self.device), value_weight, clip
        self.steps = 0
        self.optimizer: torch.optim.Optimizer
        if optimizer == "sgd":
            self.optimizer = torch.optim.SGD(self.net.parameters(), 1.0, momentum=momentum, weight_decay=decay)
        else:
            self.optimizer = torch.optim.AdamW(self.net.parameters(), 1.0, weight_decay=decay)
        average: Callable[..., None] | None = moving_average(averaging) if averaging else None
        self._average = AveragedModel(self.net, multi_avg_fn=average, use_buffers=True) if average else None

    def playing(self) -> MuZeroNet:
        """The net to play by; to train further changes it."""
        net: MuZeroNet = self.net if self._average is None or self.steps == 0 else self._average.module
        return net

    def step(self, unrolls: Unrolls, rate: float) -> tuple[dict[str, float], NDArray[np.float32]]:
        """One update at the learning rate `rate`: the losses by name, before it, and how far each unroll's first value
        was off [B]."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.net.train()
        losses, errors = unrolled_losses(self.net, tensors(unrolls, self.device), self.value_weight)
        total = sum(losses.values(), start=torch.zeros((), device=self.device))
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
        self.optimizer.step()
        self.steps += 1
        if self._average is not None:
            self._average.update_parameters(self.net)
        return {name: float(loss.detach()) for name, loss in losses.items()}, errors.cpu().numpy()

    def save(self, folder: Path) -> None:
        """Write weights, average and optimiser into `folder`."""
        save_tensors(folder / "net.safetensors", self.net.state_dict())
        write_json(folder / "steps.json", self.steps)
        save_optimizer(folder / "optimizer", self.optimizer)
        if self._average is not None:
            save_tensors(folder / "average.safetensors", self._average.state_dict())

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        self.net.load_state_dict(load_tensors(folder / "net.safetensors"))
        load_optimizer(folder / "optimizer", self.optimizer)
        if self._average is not None:
            self._average.load_state_dict(load_tensors(folder / "average.safetensors"))
        self.steps = int(read_json(folder / "steps.json"))


def tensors(unrolls: Unrolls, device: torch.device) -> dict[str, Tensor]:
    """The arrays of `unrolls` by name, those that there are."""
    arrays = {name: np.ascontiguousarray(array) for name, array in vars(unrolls).items() if array is not None}
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}


def unrolled_losses(net: MuZeroNet, told: dict[str, Any], value_weight: float) -> tuple[dict[str, Tensor], Tensor]:
    """The parts of the loss, weighed, means over the batch; and the errors |v - z| [B] of the first values.

    `told` are the tensors of `Unrolls` by name.
    """
    weights, steps = told["weights"], told["actions"].shape[1]
    latents = net.represent(told["inputs"])
    sums = {"policy": torch.zeros_like(weights), "value": torch.zeros_like(weights)}
    if net.support:
        sums["reward"] = torch.zeros_like(weights)
    errors = torch.zeros_like(weights)
    for k in range(steps + 1):
        share = 1.0 if k == 0 else 1.0 / steps
        if k:
            rewards, latents = net.step(half_gradient(latents), told["actions"][:, k - 1])
            if rewards is not None:
                off = outcome_loss(net, rewards, told["rewards"][:, k - 1]) * told["reward_mask"][:, k - 1]
                sums["reward"] = sums["reward"] + share * off
        logits, values = net.predict(latents)
        if k == 0:
            errors = (net.scalars(values.detach()) - told["values"][:, 0]).abs()
        candidates = told["candidates"][:, k] if "candidates" in told else None
        policy = -(told["policies"][:, k] * log_policies(net, logits, candidates)).sum(1)
        sums["policy"] = sums["policy"] + share * policy * told["policy_mask"][:, k]
        value = outcome_loss(net, values, told["values"][:, k]) * told["value_mask"][:, k]
        sums["value"] = sums["value"] + share * value_weight * value
    return {name: (weights * each).mean() for name, each in sums.items()}, errors


def log_policies(net: MuZeroNet, logits: Tensor, candidates: Tensor | None) -> Tensor:
    """[n, A], the logarithm of the policy with `logits`, of all actions; or [n, C], of `candidates` [n, C] alone."""
    if candidates is None:
        return functional.log_softmax(logits, dim=1)
    logs = functional.log_softmax(logits.unflatten(1, (net.dimensions, net.bins)), dim=2)
    return logs.gather(2, torch.stack(digits(candidates, net.bins, net.dimensions), dim=1)).sum(1)


def outcome_loss(net: MuZeroNet, outcomes: Tensor, targets: Tensor) -> Tensor:
    """[n]: cross-entropy of the two-hot `targets` [n] if the net has bins, else squared error."""
    if not net.support:
        return (outcomes - targets) ** 2
    return -(encode(targets, net.support) * functional.log_softmax(outcomes, dim=1)).sum(1)


def half_gradient(latents: Tensor) -> Tensor:
    """The same numbers, which pass half of the gradient on."""
    return HALF * latents + (1 - HALF) * latents.detach()
