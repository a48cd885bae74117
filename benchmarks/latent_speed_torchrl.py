"""TorchRL's side of latent_speed.py, run by an interpreter that has torchrl: an update of its Dreamer.

Reads lines [sequences, steps, imagined steps, numbers of an action] and answers each with the seconds of one update,
the first of a size being made before, to warm up.
"""

import json
import sys
import time
from functools import cache

import torch
from tensordict import TensorDict
from torchrl.data import Bounded, Composite, Unbounded
from torchrl.envs import EnvBase
from torchrl.objectives import DreamerActorLoss, DreamerModelLoss, DreamerValueLoss
from torchrl.trainers.helpers.models import DreamerConfig, make_dreamer

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Shown(EnvBase):
    """Pictures of 64x64 and vectors for actions: what networks are made for. It is never played."""

    def __init__(self, actions: int):
        super().__init__(device=DEVICE)
        self.observation_spec = Composite(pixels=Unbounded((3, 64, 64), device=DEVICE))
        self.action_spec = Bounded(-1, 1, (actions,), device=DEVICE)
        self.reward_spec = Unbounded((1,), device=DEVICE)

    def _reset(self, tensordict: TensorDict | None = None) -> TensorDict:
        return TensorDict({"pixels": torch.zeros(3, 64, 64, device=DEVICE)}, [], device=DEVICE)

    def _step(self, tensordict: TensorDict) -> TensorDict:
        raise NotImplementedError

    def _set_seed(self, seed: int | None) -> None:
        torch.manual_seed(seed or 0)


class Primed(Shown):
    """With the latent state that the model's roll-out begins in."""

    def __init__(self, actions: int, config: DreamerConfig):
        super().__init__(actions)
        latent = {"state": Unbounded(config.state_dim), "belief": Unbounded(config.rssm_hidden_dim)}
        self.observation_spec.update(Composite(**{name: spec.to(DEVICE) for name, spec in latent.items()}))


@cache
def updating(batch: int, length: int, horizon: int, actions: int):
    """What makes one update, on random numbers."""
    config = DreamerConfig()
    world, imagined, actor, value, _ = make_dreamer(config, Primed(actions, config), device=DEVICE)
    losses = (
        DreamerModelLoss(world),
        DreamerActorLoss(actor, value, imagined.base_env, imagination_horizon=horizon),
        DreamerValueLoss(value),
    )
    losses[1].make_value_estimator(gamma=0.99, lmbda=0.95)
    rates = (config.world_model_lr, config.actor_value_lr, config.actor_value_lr)
    learning = [
        (net, torch.optim.Adam(net.parameters(), rate)) for net, rate in zip((world, actor, value), rates, strict=True)
    ]
    torch.manual_seed(0)
    following = {
        "pixels": torch.rand(batch, length, 3, 64, 64, device=DEVICE) - 0.5,
        "reward": torch.randn(batch, length, 1, device=DEVICE),
    }
    data = TensorDict(
        {
            "action": torch.rand(batch, length, actions, device=DEVICE) * 2 - 1,
            "state": torch.zeros(batch, length, config.state_dim, device=DEVICE),
            "belief": torch.zeros(batch, length, config.rssm_hidden_dim, device=DEVICE),
            "next": TensorDict(following, [batch, length], device=DEVICE),
        },
        [batch, length],
        device=DEVICE,
    )

    def stepped(which: int, terms: TensorDict) -> None:
        net, optimizer = learning[which]
        optimizer.zero_grad()
        sum(terms.values()).sum().backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), config.grad_clip)
        optimizer.step()

    def update() -> None:
        terms, found = losses[0](data.clone())
        stepped(0, terms)
        starts = found.select("state", "belief").reshape(-1)
        terms, dreamt = losses[1](starts)
        stepped(1, terms)
        terms, _ = losses[2](dreamt)
        stepped(2, terms)

    update()
    return update


def now() -> float:
    """Seconds: of the processor, or on a GPU of the clock once all that was asked for is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        update = updating(*json.loads(line))
        begun = now()
        update()
        print(now() - begun, flush=True)
