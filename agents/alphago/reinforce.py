"""Reinforcement learning of the policy: games against earlier versions of itself (Silver et al. 2016, Methods, "Policy
network: reinforcement learning").

REINFORCE (Williams 1992): after n games the weights rho move by

    rho += alpha / n * sum_i sum_t (z_t^i - b(s_t^i)) * grad log p_rho(a_t^i | s_t^i),

i a game, t the learner's moves in it (the opponent's are not the policy's own), z the result as the learner sees it, b
a baseline: 0, or the value network's answer. Every so often the policy as it is joins the pool of opponents.
"""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from sakiyomi.agents.alphago.features import feature_planes
from sakiyomi.agents.alphago.policy import ILLEGAL, PolicyNet
from sakiyomi.agents.alphago.policy_games import PolicyPlayer, alternating, play_games
from sakiyomi.agents.alphago.tower import NetDescent, board_tensor, computing, tensor
from sakiyomi.agents.alphago.value import ValueNet, values_of
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, read_json, save_tensors, write_json
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go

CHUNK = 512  # positions whose gradients are computed at once


class Lessons(NamedTuple):
    """The learner's m moves in a batch of games; passes, which are no choice, are not among them."""

    planes: NDArray[np.uint8]  # [m, C, Y, X]
    allowed: NDArray[np.bool_]  # [m, area], what the policy chose among
    moves: NDArray[np.int64]  # [m]
    games: NDArray[np.int64]  # [m], the number of the game
    baselines: NDArray[np.float32]  # [m]


class Reinforce:
    """Improves `net` by games of `game`, `games` of them for each step. A part of a run.

    Opponents are drawn from a pool that begins with the policy as it is now and grows by the present one every
    `pool_every` steps (500 in the paper, with 128 games a step and 10,000 steps); with `self_only` the opponent is
    always the present policy. `baseline` is a value network, None for b = 0. Optimiser as of `NetDescent`: the paper's
    is plain SGD, "sgd" with `momentum` 0. All chance comes from `seed`.
    """

    def __init__(
        self,
        game: Go,
        net: PolicyNet,
        *,
        games: int = 128,
        pool_every: int = 500,
        self_only: bool = False,
        baseline: ValueNet | None = None,
        optimizer: Literal["sgd", "adam"] = "sgd",
        momentum: float = 0.0,
        clip: float = 0.0,
        seed: int = 0,
        device: str | None = None,
    ):
        if games < 1 or pool_every < 1:
            raise ValueError(f"games and pool_every must be 1 or more, got {games} and {pool_every}")
        self.game, self.net, self.games, self.pool_every = game, net, games, pool_every
        self.self_only = self_only
        self.descent = NetDescent(net, optimizer=optimizer, momentum=momentum, clip=clip, device=device)
        self.baseline = None if baseline is None else _placed(baseline, self.descent.device)
        self.rng = np.random.default_rng(seed)
        self.steps = 0
        self.pool = [_weights(net)]
        self._opponent = PolicyNet(**net.settings()).to(self.descent.device)

    def step(self, rate: float) -> dict[str, float]:
        """Play a batch of games and learn from it at the learning rate `rate` (alpha).

        Returns "score", the share of points against the opponent, a draw half of one; "plies" a game; the "opponent"
        (its number in the pool, -1 for the policy itself); "gradient/policy", a norm. Raises ValueError where learning
        diverges.
        """
        number = -1 if self.self_only else int(self.rng.integers(len(self.pool)))
        self._opponent.load_state_dict(_weights(self.net) if self.self_only else self.pool[number])
        lessons, results, plies = self._play()
        self.descent.clear()
        policy_gradient(self.net, lessons, results[lessons.games] - lessons.baselines, self.games)
        norm = self.descent.update(rate)
        self.steps += 1
        if self.steps % self.pool_every == 0 and not self.self_only:
            self.pool.append(_weights(self.net))
        score = float((results.mean() + 1) / 2)
        return {"score": score, "plies": plies, "opponent": float(number), "gradient/policy": norm}

    def save(self, path: Path) -> None:
        """Write policy, optimiser, pool, baseline and chance into the folder `path`."""
        path.mkdir(parents=True, exist_ok=True)
        self.descent.save(path / "policy")
        for number, weights in enumerate(self.pool):
            save_tensors(path / f"pool-{number}.safetensors", weights)
        state: dict[str, Any] = {"steps": self.steps, "pool": len(self.pool), "rng": self.rng.bit_generator.state}
        if self.baseline is not None:
            save_tensors(path / "baseline.safetensors", self.baseline.state_dict())
            state["baseline"] = self.baseline.settings()
        write_json(path / "state.json", state)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        state = read_json(path / "state.json")
        self.descent.load(path / "policy")
        self.pool = [load_tensors(path / f"pool-{number}.safetensors") for number in range(state["pool"])]
        self.steps, self.rng.bit_generator.state = int(state["steps"]), state["rng"]
        self.baseline = None
        if settings := state.get("baseline"):
            baseline = ValueNet(**settings | {"planes": tuple(settings["planes"])})
            baseline.load_state_dict(load_tensors(path / "baseline.safetensors"))
            self.baseline = _placed(baseline, self.descent.device)

    def _play(self) -> tuple[Lessons, NDArray[np.float32], float]:
        """What the learner did, the results [games] as it sees them, and the mean number of plies."""
        learner = PolicyPlayer(self.game, self.net, self.rng)
        opponent = PolicyPlayer(self.game, self._opponent, self.rng)
        taken = list[Lessons]()

        def learning(states: States, rows: NDArray[np.int64]) -> NDArray[np.int32]:
            planes, allowed, actions = learner.choices(states)
            chosen = np.flatnonzero(allowed.any(axis=1))
            baselines = np.zeros(len(chosen), np.float32)
            if self.baseline is not None and len(chosen):
                baselines = values_of(self.baseline, feature_planes(self.game, states[chosen], self.baseline.planes[0]))
            moves = actions[chosen].astype(np.int64)
            taken.append(Lessons(planes[chosen], allowed[chosen], moves, rows[chosen], baselines))
            return actions

        played = play_games(self.game, alternating(learning, opponent), self.games)
        signs = (1 - 2 * (np.arange(self.games) % 2)).astype(np.float32)
        lessons = Lessons(*(np.concatenate(columns) for columns in zip(*taken, strict=True)))
        return lessons, played.results * signs, float(played.lengths.mean())


def policy_gradient(net: PolicyNet, lessons: Lessons, advantages: NDArray[np.float32], games: int) -> None:
    """Add to the gradients of `net` those of ``-1/n sum (z - b) log p(a|s)``, n `games`, `advantages` [m] = z - b."""
    device = next(net.parameters()).device
    for start in range(0, len(advantages), CHUNK):
        rows = slice(start, start + CHUNK)
        with computing(device):
            logits = net(board_tensor(lessons.planes[rows], device))
        likelihoods = log_likelihoods(
            logits.float(), tensor(lessons.allowed[rows], device), tensor(lessons.moves[rows], device)
        )
        loss = -(tensor(advantages[rows], device) * likelihoods).sum() / games
        loss.backward()


def log_likelihoods(logits: Tensor, allowed: Tensor, moves: Tensor) -> Tensor:
    """[m], log p of `moves` [m] under the softmax of `logits` [m, area] over the moves of `allowed` [m, area]."""
    logs = functional.log_softmax(torch.where(allowed, logits, ILLEGAL), dim=1)
    return logs.gather(1, moves[:, None]).squeeze(1)


def _placed(net: ValueNet, device: torch.device) -> ValueNet:
    """The same net on `device`, laid out as convolutions are fastest at."""
    move: Any = net.to  # PyTorch's own types leave memory formats out
    placed: ValueNet = move(device=device, memory_format=torch.channels_last)
    return placed


def _weights(net: PolicyNet) -> dict[str, Tensor]:
    return {name: weight.detach().cpu().clone() for name, weight in net.state_dict().items()}
