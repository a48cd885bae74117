"""Learning of the dual net: cross-entropy to the search's policy, squared error to the game's outcome.

``l = (z - v)^2 - pi^T log p + c |theta|^2`` (AlphaGo Zero, equation 1; AlphaZero, equation 1).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.runs.checkpoints import (
    load_optimizer,
    load_tensors,
    read_json,
    save_optimizer,
    save_tensors,
    write_json,
)
from sakiyomi.agents.parts.selfplay.replay import Samples

ILLEGAL = -1e9  # a logit that takes no part in a softmax; finite, so that a row of them is no nan


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Networks made in the block have the first weights of this seed; PyTorch's random numbers then go on as before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


class Learner:
    """A net, its optimiser and a moving average of its weights.

    `optimizer` is "sgd" with `momentum` or "adamw"; `decay` is added to the gradient as ``decay theta`` with the first
    (so c = decay / 2) and is the paper's decoupled one with the second. The average, by which is played, forgets with 1
    - `averaging` a step (`moving_average`); 0 plays by the weights as they are. `value_part` of the value's target is
    the search's value rather than the outcome. `ownership` and `reply` weigh the losses of those heads, 0 leaves them
    out. Gradients are cut to `clip` in norm (0: never). `device` None is a GPU if there is one. On the CPU the same
    samples give the same weights, bit for bit.
    """

    def __init__(
        self,
        net: DualNet,
        *,
        optimizer: Literal["sgd", "adamw"] = "adamw",
        rate: float = 1e-3,
        momentum: float = 0.9,
        decay: float = 1e-4,
        averaging: float = 0.0,
        value_weight: float = 1.0,
        value_part: float = 0.0,
        ownership: float = 0.0,
        reply: float = 0.0,
        clip: float = 0.0,
        device: str | None = None,
    ):
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.net = net.to(self.device, memory_format=torch.channels_last)
        self.value_weight, self.value_part = value_weight, value_part
        self.ownership, self.reply, self.clip = ownership, reply, clip
        self.half = self.device.type == "cuda" or (self.device.type == "cpu" and computes_with_bfloat16())
        """Do layers compute in bfloat16? Weights, losses and the optimiser are float32 throughout."""
        self.steps = 0
        self.optimizer: torch.optim.Optimizer
        if optimizer == "sgd":
            self.optimizer = torch.optim.SGD(self.net.parameters(), rate, momentum=momentum, weight_decay=decay)
        else:
            self.optimizer = torch.optim.AdamW(self.net.parameters(), rate, weight_decay=decay)
        average = moving_average(averaging) if averaging else None
        self._average = AveragedModel(self.net, multi_avg_fn=average, use_buffers=True) if average else None

    @property
    def needs(self) -> dict[str, bool]:
        """What to ask `GameReplay.sample` for."""
        return {"ownership": self.ownership > 0, "replies": self.reply > 0}

    def playing(self) -> DualNet:
        """The net to play by; to train further changes it."""
        net: DualNet = self.net if self._average is None or self.steps == 0 else self._average.module
        return net

    def step(self, samples: Samples, rate: float) -> dict[str, float]:
        """One update at the learning rate `rate`; returns the losses by name, before the update."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.net.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            losses = self.losses(samples)
        total = sum(losses.values(), start=torch.zeros((), device=self.device))
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
        self.optimizer.step()
        self.steps += 1
        if self._average is not None:
            self._average.update_parameters(self.net)
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def losses(self, samples: Samples) -> dict[str, Tensor]:
        """The parts of the loss, weighed, means over the batch."""
        observations = self._tensor(samples.observations).contiguous(memory_format=torch.channels_last)
        out = self.net.forward_all(observations)
        legal = self._tensor(samples.legal)
        aims = self._tensor(samples.outcomes + self.value_part * (samples.values - samples.outcomes))
        losses = {
            "policy": _cross_entropy(out.logits.float(), legal, self._tensor(samples.policies)),
            "value": self.value_weight * functional.mse_loss(out.values.float(), aims),
        }
        if self.reply and out.reply is not None and samples.replies is not None:
            everywhere = torch.ones_like(legal)
            losses["reply"] = self.reply * _cross_entropy(out.reply.float(), everywhere, self._tensor(samples.replies))
        if self.ownership and out.ownership is not None and samples.ownership is not None:
            known = self._tensor(samples.finished).float()[:, None, None]
            error = (out.ownership.float() - self._tensor(samples.ownership)) ** 2
            losses["ownership"] = self.ownership * (known * error).mean()
        return losses

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

    def _tensor(self, array: Any) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device, non_blocking=True)


def moving_average(keeping: float) -> Callable[..., None]:
    """An exponential average for `AveragedModel`: it keeps `keeping` a step, but (1 + n) / (10 + n) at the most after n
    steps, or the first weights, which know nothing, would be most of it for a long time."""

    def average(averages: Any, currents: Any, steps: Tensor) -> None:
        get_ema_multi_avg_fn(min(keeping, (1 + int(steps)) / (10 + int(steps))))(averages, currents, steps)

    return average


def _cross_entropy(logits: Tensor, legal: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``-pi^T log p`` over rows, p over the legal actions; rows of targets that are all 0 count for nothing."""
    logs = functional.log_softmax(torch.where(legal, logits, ILLEGAL), dim=1)
    return -(targets * logs).sum(1).mean()


def computes_with_bfloat16() -> bool:
    """Is this a CPU that multiplies matrices of bfloat16 faster than of float32 (AMX)? Others are slower at it."""
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return supported is not None and bool(supported())
