"""How C of World Models is evolved, in the dream or in the task, and what such worlds are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.vmc.dream import Dream, dreamt
from sakiyomi.agents.parts.vmc.evolution import Evolution
from sakiyomi.agents.parts.vmc.learning import Told
from sakiyomi.agents.parts.vmc.linear_controller import decayed, rounded
from sakiyomi.agents.parts.vmc.trying import tried
from sakiyomi.agents.parts.vmc.vae import Codes
from sakiyomi.agents.parts.vmc.worlds import VMC

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

World = Callable[[Tensor, int, int, int | None], tuple[NDArray[np.float64], NDArray[np.int64]]]
"""Weights [P, D], trials, a seed and a limit of steps, to returns and lengths [P, trials].

All candidates meet the same episodes, so that their differences are their own.
"""


@dataclass(frozen=True, kw_only=True)
class EvolutionPlan:
    """How C is evolved; defaults: the paper's for both tasks (appendix A.4, published code), in the task itself."""

    world: Literal["dream", "task"] = "task"
    temperature: float = 1.15  # of the dream
    dream_steps: int | None = None  # at which the dream ends; None: as the task
    population: int = 64
    trials: int = 16  # episodes of a candidate
    deviation: float = 0.1  # at the beginning
    diagonal: bool = False  # leaves correlations out
    weight_decay: float = 0.01  # times the mean square of the weights, from the fitness
    decimals: int | None = 4  # of the weights
    cap: float | None = 2.0  # times the mean length in the last generation: there episodes are cut off
    generations: int = 1800
    evaluate_every: int = 25  # generations
    evaluation_trials: int = 1024  # episodes with the mean of the search, in the world that it is evolved in
    task_trials: int = 0  # the same in the task, if it is evolved in the dream
    judged_in_task: bool = False  # keep the controller that was the best in these, not in the dream


def in_dream(
    brain: VMC, starts: Codes, *, temperature: float, horizon: int, rewards: tuple[float, float] = (-inf, inf)
) -> World:
    """The dream of `brain`, which begins with one of `starts` [F, Z] and pays within `rewards`."""

    def world(weights: Tensor, trials: int, seed: int, limit: int | None) -> Any:
        own, generator = weights.to(starts.mean.device), torch.Generator().manual_seed(seed)
        dream = Dream(brain.rnn, starts, horizon=horizon, generator=generator, temperature=temperature, rewards=rewards)
        returns, lengths = dreamt(
            dream,
            lambda codes, memory, whose: brain.controller(own[whose], codes, memory),
            candidates=len(own),
            rollouts=trials,
            limit=limit,
        )
        return returns.numpy(), lengths.numpy()

    return world


def in_task(brain: VMC, controls: Controls, envs: "VectorEnv[Any, Any, Any]", steps: int | None = None) -> World:
    """The task that `envs` (a vector of mode "disabled") are of, where episodes end after `steps` at the latest."""

    def world(weights: Tensor, trials: int, seed: int, limit: int | None) -> Any:
        device = brain.rnn.of_memory.device
        own, memory = weights.to(device), brain.rnn.empty(envs.num_envs)
        chance = [np.random.default_rng(0)] * envs.num_envs

        def act(seen: Any, numbers: NDArray[np.int64], begins: NDArray[np.bool_]) -> NDArray[Any]:
            nonlocal memory
            for row in np.flatnonzero(begins):
                chance[row] = np.random.default_rng([seed, numbers[row] % trials])
            normal = np.stack([each.standard_normal(brain.rnn.latent, np.float32) for each in chance])
            frames = torch.from_numpy(np.array(seen, np.uint8))
            first, drawn = (torch.from_numpy(each.copy()).to(device) for each in (begins, normal))
            lived = brain.live(frames, first, memory, own[torch.from_numpy(numbers // trials).to(device)], drawn)
            memory = lived.memory
            return controls.decoded(lived.actions.cpu().numpy())

        seeds = np.random.default_rng(seed).integers(1 << 31, size=trials).tolist()
        ends = [each for each in (limit, steps) if each is not None]
        returns, lengths = tried(envs, seeds * len(own), act, min(ends, default=None))
        return returns.reshape(-1, trials), lengths.reshape(-1, trials)

    return world


@dataclass
class Champion:
    """The controller to act with, and what it reached when it was evaluated; `length` is that of a generation."""

    weights: list[float]
    score: float | None = None
    length: float | None = None


@dataclass(eq=False)
class Evolving:
    """C is evolved in `world`; `others` are more worlds to evaluate in, by name, with their trials."""

    evolution: Evolution
    champion: Champion
    world: World
    plan: EvolutionPlan
    seed: int
    others: Mapping[str, tuple[World, int]] = field(default_factory=dict)

    def advance(self, done: int) -> Told:
        """A generation."""
        evolution, champion = self.evolution, self.champion
        candidates = evolution.ask()
        tried = rounded(torch.from_numpy(candidates), self.plan.decimals)
        limit = (
            None if self.plan.cap is None or champion.length is None else max(1, int(self.plan.cap * champion.length))
        )
        returns, lengths = self.world(tried, self.plan.trials, self._seed(evolution.generation, 0), limit)
        fitness = decayed(torch.from_numpy(returns.mean(axis=1)), tried.double(), self.plan.weight_decay)
        evolution.tell(candidates, fitness.numpy())
        champion.length = float(lengths.mean())
        scores = returns.mean(axis=1)
        figures = {
            "return/candidates": float(scores.mean()),
            "return/best candidate": float(scores.max()),
            "evolution/generation": float(evolution.generation),
            "evolution/spread of candidates": float(candidates.std(axis=0).mean()),
            "evolution/steps": champion.length,
        }
        finished = evolution.generation >= self.plan.generations
        if finished or evolution.generation % self.plan.evaluate_every == 0:
            figures |= self._evaluated()
        elif champion.score is None:
            champion.weights = evolution.mean.tolist()
        return Told(figures, finished, steps=1)

    def _evaluated(self) -> dict[str, float]:
        """How good the mean of the search is, in episodes that were never seen; the champion from now on if better."""
        mean = self.evolution.mean
        seed, weights = (
            self._seed(self.evolution.generation, 1),
            rounded(torch.from_numpy(mean), self.plan.decimals)[None],
        )
        worlds = {"mean of the search": (self.world, self.plan.evaluation_trials), **self.others}
        scores = {name: float(world(weights, n, seed, None)[0].mean()) for name, (world, n) in worlds.items()}
        score = scores["task" if self.plan.judged_in_task else "mean of the search"]
        if self.champion.score is None or score > self.champion.score:
            self.champion.weights, self.champion.score = weights[0].tolist(), score
        return {f"return/{name}": each for name, each in scores.items()}

    def _seed(self, generation: int, purpose: int) -> int:
        return int(np.random.default_rng([self.seed, generation, purpose]).integers(1 << 31))
