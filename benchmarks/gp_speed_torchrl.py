"""TorchRL's side of gp_speed.py, run by an interpreter that has torchrl, botorch and gpytorch.

Reads lines [file of numbers, repeats] and answers each with a line of JSON: best CPU seconds of a step forward and with
its gradient, and what came out.
"""

import json
import sys
import time

import numpy as np
import torch
from tensordict import TensorDict
from torchrl.modules.models.gp import GPWorldModel


def world_model(given: dict[str, torch.Tensor]) -> GPWorldModel:
    """A model with the hyper-parameters given, as if it had fitted them."""
    states, width = given["lengthscales"].shape
    model = GPWorldModel(states, width - states)
    model.X_tilde_train = given["inputs"]
    model.ell, model.alpha_sq = given["lengthscales"], given["signal"].square()[:, None]
    model.sigma_sq_eps = torch.zeros(states, dtype=torch.float64)  # the state itself, without measurement noise
    model._cached_inv_K_noisy, model._cached_beta = given["precision"], given["beta"]
    return model


def answer(path: str, repeats: int) -> dict[str, object]:
    with np.load(path) as file:
        given = {name: torch.from_numpy(file[name]) for name in file.files}
    model = world_model(given)
    batch, states = given["mean"].shape
    controls = given["control"].shape[1]

    def step(mean: torch.Tensor, covariance: torch.Tensor, control: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        belief = TensorDict({}, batch_size=[batch])
        belief["action", "mean"] = control
        belief["action", "var"] = torch.zeros(batch, controls, controls, dtype=torch.float64)
        belief["action", "cross_covariance"] = torch.zeros(batch, states, controls, dtype=torch.float64)
        belief["observation", "mean"], belief["observation", "var"] = mean, covariance
        model.uncertain_forward(belief)
        return belief["next", "observation", "mean"], belief["next", "observation", "var"]

    fixed = [given[name] for name in ("mean", "covariance", "control")]
    free = [tensor.clone().requires_grad_() for tensor in fixed]
    forward = both = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        with torch.no_grad():
            mean, covariance = step(*fixed)
        forward = min(forward, time.process_time() - start)
        start = time.process_time()
        reached, spread = step(*free)
        gradients = torch.autograd.grad(reached.sum() + spread.sum(), free)
        both = min(both, time.process_time() - start)
    symmetric = 0.5 * (gradients[1] + gradients[1].mT)
    values = [part.tolist() for part in (mean, covariance, gradients[0], symmetric, gradients[2])]
    return {"forward": forward, "both": both, "values": values}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
