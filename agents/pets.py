"""PETS: probabilistic ensembles with trajectory sampling. A model that knows what it does not know, and planning by it.

K. Chua, R. Calandra, R. McAllister and S. Levine, "Deep reinforcement learning in a handful of trials using
probabilistic dynamics models", NeurIPS 2018, with the constants of its published code. After one episode of random
actions, each trial is an episode of model-predictive control, after which the ensemble learns from all episodes. The
networks' variances are what chance does in the world; that the networks differ is what the data do not tell yet.
Particles carry both through the plan (section 5), and a plan's return is the mean over them.

The ablations of section 6 are settings: `members` 1 (P), `deterministic` (D), both `members` and `deterministic` (DE),
and `propagation`.

Departures, all of them settings but the first two: a reward that is no known function of what is observed is learned as
one more output (as mbrl-lib does), and the mean of the box stands where the code has 0 at a plan's end. The networks
compute plans in bfloat16 where the processor has units for it (`precision`). "quick" presets learn longer, in larger
batches, with smaller networks, and plan with fewer particles. MPPI and iCEM are other planners.
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.agent import Actions, Foresight, Predicted, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.rollouts import Transitions, box_of, figures_of
from sakiyomi.agents.parts.episodes.trials import Trials
from sakiyomi.agents.parts.pets.ensemble import Ensemble
from sakiyomi.agents.parts.pets.features import based, encoded, encoded_size, targets
from sakiyomi.agents.parts.pets.learning import fit, optimiser_of
from sakiyomi.agents.parts.pets.propagation import Propagation, expected_returns, imagine, per_member
from sakiyomi.agents.parts.planning.cem import cem, random_shooting, shifted
from sakiyomi.agents.parts.planning.icem import icem
from sakiyomi.agents.parts.planning.known_rewards import Reward, known_reward
from sakiyomi.agents.parts.planning.mppi import mppi
from sakiyomi.agents.parts.planning.spending import deadline, rounds_of
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.agents.parts.runs.checkpoints import load_optimizer, load_tensors, save_optimizer, save_tensors
from sakiyomi.agents.parts.runs.flags import from_json, to_json
from sakiyomi.boards.game import Game
from sakiyomi.envs import make_task
from sakiyomi.envs.task import Task


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the paper's for the cart-pole (appendix A.2 and A.3, published code)."""

    # the ensemble (section 4, appendix A.1)
    members: int = 5
    hidden: tuple[int, ...] = (500, 500, 500)  # units of the layers between
    deterministic: bool = False
    learned_bounds: bool = True  # of the logarithm of the variance
    decays: tuple[float, ...] = (1e-4, 2.5e-4, 2.5e-4, 5e-4)  # of each layer's weights, on |W|^2 / 2
    rate: float = 1e-3  # Adam's
    batch: int = 32  # rows, for each network
    epochs: int = 5  # over all the data, after each trial
    early_epochs: int = 5  # the same while there are fewer rows than
    early_rows: int = 0
    # what the networks are shown and predict (appendix A.3); indices into the observation
    angles: tuple[int, ...] = ()  # shown as sine and cosine
    unseen: tuple[int, ...] = ()  # not shown
    absolute: tuple[int, ...] = ()  # predicted as they are, not as changes
    reward: Literal["known", "learned", "auto"] = "auto"  # auto: learned if it is not known
    # trajectory sampling (section 5)
    propagation: Propagation = "tsinf"
    particles: int = 20  # of a candidate, in all networks together
    precision: Literal["float32", "bfloat16", "auto"] = "auto"  # of products in planning; auto: bfloat16 if it is fast
    # planning (appendix A.4)
    planner: Literal["cem", "mppi", "icem", "random"] = "cem"
    horizon: int = 25  # steps
    population: int = 400
    elites: int = 40
    iterations: int = 5
    keep: float = 0.1  # of the mean and the variance, from one iteration to the next
    least: float = 1e-3  # variance at which planning ends
    smoothing: float = 0.5  # of MPPI's noise from step to step
    temperature: float = 1.0  # of MPPI's weights, in units of the return
    colour: float = 2.0  # exponent of the spectrum of iCEM's noise
    decay: float = 1.25  # of iCEM's population, each iteration

    def __post_init__(self) -> None:
        if len(self.decays) != len(self.hidden) + 1:
            raise ValueError(f"decays must be one more than hidden layers, got {self.decays} and {self.hidden}")
        if not 1 <= self.elites <= self.population:
            raise ValueError(f"elites must be from 1 to population, got {self.elites} of {self.population}")
        for name in ("members", "batch", "epochs", "early_epochs", "horizon", "iterations", "decay"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if not (self.rate > 0 and self.temperature > 0):
            raise ValueError(f"rate and temperature must be over 0, got {self.rate} and {self.temperature}")
        if not (0 <= self.keep < 1 and 0 <= self.smoothing < 1):
            raise ValueError(f"keep and smoothing must be from 0 to below 1, got {self.keep} and {self.smoothing}")
        per_member(self.members, self.particles, self.propagation)

    @property
    def dtype(self) -> torch.dtype:
        """Of the networks' products in planning."""
        tiles = getattr(torch.cpu, "_is_amx_tile_supported", None)  # older versions cannot tell
        fast = self.precision == "auto" and tiles is not None and tiles()
        return torch.bfloat16 if fast or self.precision == "bfloat16" else torch.float32


QUICK = Config(  # a task in minutes on two cores
    hidden=(64, 64, 64),
    decays=(1e-5, 2.5e-5, 2.5e-5, 5e-5),
    epochs=15,
    early_epochs=30,
    early_rows=600,
    particles=10,
    horizon=15,
    population=200,
    elites=20,
)
PAPER_CARTPOLE = Config(angles=(1,))
PAPER_REACHER = Config(
    hidden=(200, 200, 200, 200),
    decays=(2.5e-4, 5e-4, 5e-4, 5e-4, 7.5e-4),
    rate=7.5e-4,
)
PAPER_PUSHER = Config(
    hidden=(200, 200, 200),
    decays=(2.5e-4, 5e-4, 5e-4, 7.5e-4),
    population=500,
    elites=50,
)
PAPER_HALFCHEETAH = Config(
    hidden=(200, 200, 200, 200),
    decays=(2.5e-5, 5e-5, 7.5e-5, 7.5e-5, 1e-4),
    angles=(2,),
    unseen=(0,),
    absolute=(0,),
    horizon=30,
    population=500,
    elites=50,
)
QUICK_CARTPOLE = replace(QUICK, angles=(1,), horizon=25)
QUICK_REACHER = replace(QUICK, hidden=(128, 128, 128), horizon=20)
QUICK_HALFCHEETAH = replace(
    QUICK, hidden=(128, 128, 128), angles=(2,), unseen=(0,), absolute=(0,), horizon=20, batch=64, epochs=5
)


@dataclass
class Planned:
    """What PETS remembers of B episodes: its plans [B, H, U], its chance, and elites [B, k, H, U] (iCEM)."""

    plan: Tensor
    generator: torch.Generator
    elites: Tensor | None = None


class Model:
    """An ensemble, what it is shown, and what it learns by: the part of a run that is learned."""

    def __init__(self, config: Config, observations: int, actions: int, reward: Reward | None, seed: int):
        self.config, self.reward, self.observations = config, reward, observations
        inputs = encoded_size(observations, config.angles, config.unseen) + actions
        encoded_size(observations, config.absolute)  # certainty that there are such entries
        self.ensemble = Ensemble(
            inputs,
            observations + (reward is None),
            members=config.members,
            hidden=config.hidden,
            generator=torch.Generator().manual_seed(seed),
            deterministic=config.deterministic,
            learned_bounds=config.learned_bounds,
        )
        self.optimiser = optimiser_of(self.ensemble, config.rate, config.decays)

    def rows(self, data: Transitions) -> tuple[Tensor, Tensor]:
        """What the ensemble is to learn of `data`: inputs [N, I] and targets [N, S], float64."""
        config = self.config
        before, actions, after = map(torch.from_numpy, (data.observations, data.actions, data.next_observations))
        inputs = torch.cat([encoded(before, config.angles, config.unseen), actions], dim=-1)
        wanted = targets(before, after, config.absolute)
        if self.reward is None:
            wanted = torch.cat([wanted, torch.from_numpy(data.rewards)[:, None]], dim=-1)
        return inputs, wanted

    def learn(self, data: Transitions, seed: int) -> float:
        """Learn from all of `data`; the loss in the last epoch is returned."""
        config = self.config
        inputs, wanted = self.rows(data)
        epochs = config.early_epochs if len(inputs) < config.early_rows else config.epochs
        generator = torch.Generator().manual_seed(seed)
        return fit(
            self.ensemble, self.optimiser, inputs, wanted, epochs=epochs, batch=config.batch, generator=generator
        )[-1]

    @torch.no_grad()
    def error(self, data: Transitions) -> float:
        """Of predictions one step ahead by the mean of all networks: root mean square, in deviations of the target."""
        inputs, wanted = self.rows(data)
        off = self.ensemble(inputs)[0].mean(dim=0).double() - wanted
        variance = wanted.var(dim=0, correction=0)
        return float((off**2).mean(dim=0).div(torch.where(variance > 0, variance, 1.0)).mean().sqrt())

    def dynamics(self) -> "Dynamics":
        """The ensemble as it is now, to imagine with."""
        return Dynamics(self.ensemble, self.config, learned_reward=self.reward is None)

    def save(self, path: Path) -> None:
        """Write all that learning goes on from."""
        save_tensors(path.with_name(f"{path.name}.safetensors"), self.ensemble.state_dict())
        save_optimizer(path.with_name(f"{path.name}-optimizer"), self.optimiser)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.ensemble.load_state_dict(load_tensors(path.with_name(f"{path.name}.safetensors")))
        load_optimizer(path.with_name(f"{path.name}-optimizer"), self.optimiser)


class Dynamics:
    """A `propagation.Model` of what an ensemble has learnt; it does not change when the ensemble learns on."""

    def __init__(self, ensemble: Ensemble, config: Config, learned_reward: bool):
        self._predict, self._config, self._learned_reward = ensemble.predictor(config.dtype), config, learned_reward

    def __call__(self, observations: Tensor, actions: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and deviation of the next observations, and of the reward after them if it is learned."""
        config = self._config
        mean, std = self._predict(torch.cat([encoded(observations, config.angles, config.unseen), actions], dim=-1))
        base = based(observations, config.absolute)
        if self._learned_reward:
            base = torch.nn.functional.pad(base, (0, 1))
        return base + mean, std


class PETS:
    """Plans by an ensemble. An `Agent` for tasks with vectors of real numbers; its carry is a `Planned`."""

    presets: ClassVar[Mapping[str, Config]] = {
        "quick": QUICK,
        "pendulum": replace(QUICK, angles=(1,)),
        "cartpole-swingup": replace(QUICK, angles=(3,)),
        "double-pendulum": replace(QUICK, angles=(2, 3)),
        "cart-double-pendulum": replace(QUICK, angles=(4, 5), horizon=20),
        "reacher": replace(QUICK, angles=(2, 3)),
        "cartpole-continuous": replace(QUICK, angles=(2,)),
        "pets/cartpole": PAPER_CARTPOLE,
        "pets/reacher": PAPER_REACHER,
        "pets/pusher": PAPER_PUSHER,
        "pets/halfcheetah": PAPER_HALFCHEETAH,
        "quick-cartpole": QUICK_CARTPOLE,
        "quick-reacher": QUICK_REACHER,
        "quick-pusher": QUICK_REACHER,
        "quick-halfcheetah": QUICK_HALFCHEETAH,
    }

    def __init__(self, task: str, model: Model, low: NDArray[Any], high: NDArray[Any]):
        self.task, self.model, self.config = task, model, model.config
        self._low, self._high = (torch.from_numpy(np.asarray(end, np.float32)) for end in (low, high))
        self._dynamics = model.dynamics()

    def initial(self, batch: int, seed: int = 0) -> Planned:
        """As `Agent.initial`."""
        middle = (self._low + self._high) / 2
        plan = middle.expand(batch, self.config.horizon, -1).clone()
        return Planned(plan, torch.Generator().manual_seed(seed))

    @torch.inference_mode()
    def act(self, carry: Planned, turn: Turn, explore: bool) -> tuple[Actions, Planned]:
        """As `Agent.act`; all its exploring is in its planning, so `explore` changes nothing.

        A budget of simulations is of plans; one of seconds ends planning after an iteration. Raises ValueError for
        observations that are not finite, or of another size.
        """
        start = self._observed(turn)
        middle = (self._low + self._high) / 2
        first = torch.from_numpy(turn.is_first)[:, None, None]
        mean = torch.where(first, middle, shifted(carry.plan, middle))
        elites = carry.elites
        if elites is not None:
            moved = shifted(elites.flatten(0, 1), middle).view(elites.shape)
            elites = torch.where(first[:, None], middle, moved)
        planned = self._improved(Planned(mean, carry.generator, elites), start, turn)
        return planned.plan[:, 0].double().numpy(), planned

    @torch.inference_mode()
    def foresee(self, carry: Planned, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: the plan, what its particles meet on the way, and the return that they expect."""
        config = self.config
        start, plan = self._observed(turn)[row : row + 1], carry.plan[row : row + 1]
        generator = torch.Generator().manual_seed(0)  # of its own: looking changes nothing
        each = per_member(config.members, config.particles, config.propagation)
        states, rewards = [], []
        for state, reward in self._steps(start, plan, generator):
            states.append(state[:, 0].expand(-1, each, -1).flatten(0, 1))
            rewards.append(reward[:, 0].expand(-1, each).flatten())
        actions = plan[0].double().numpy()
        future = {"observation": _predicted(states), "reward": _predicted(rewards)}
        return Foresight(
            value=float(torch.stack(rewards).sum(dim=0).mean()),
            actions=actions[:1],
            lines=(actions,),
            future=future,
            simulations=math.prod(self._rounds(turn.budget.simulations)),
            depth=config.horizon,
        )

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        about = {
            "task": self.task,
            "config": to_json(self.config),
            "observations": self.model.observations,
            "low": self._low.tolist(),
            "high": self._high.tolist(),
            "learned reward": self.model.reward is None,
        }
        save_agent(folder, "pets", about, self.model.ensemble.state_dict())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        about, tensors = load_agent(folder, "pets")
        try:
            config = from_json(Config, about["config"], str(folder / "agent.json"))
            reward = None if about["learned reward"] else known_reward(make_task(about["task"]))
            low, high = np.array(about["low"]), np.array(about["high"])
            model = Model(config, about["observations"], len(low), reward, seed=0)
            model.ensemble.load_state_dict(tensors)
            return cls(about["task"], model, low, high)
        except DAMAGE as error:
            raise damaged(folder, error) from error

    @classmethod
    def train(
        cls,
        task: Task | Game,
        folder: Path,
        budget: TrainingBudget,
        *,
        config: Config,
        seed: int = 0,
        resume: bool = False,
    ) -> Iterator[Progress]:
        """As `Agent.train`: trials (Algorithm 1), the first at random; a `Progress` after each.

        What is resumed on the same machine goes on bit for bit as it would have.
        """
        if not isinstance(task, Task):
            raise ValueError(f"PETS learns tasks with real numbers for actions, {task.name} is a board game")
        low, high = box_of(task)
        observed = int(np.prod(task.observation_space.shape or ()))
        model = Model(config, observed, len(low), _reward_of(task, config), seed)
        trials = Trials(task, folder, seed, parts={"model": model})
        trials.begin(resume)
        agent = cls(task.name, model, low, high)
        try:
            while trials.goes_on(budget):
                started, first = time.perf_counter(), not trials.data.rollouts
                rollout = trials.play(None if first else agent)
                figures = {**figures_of(rollout), "seconds/step": (time.perf_counter() - started) / len(rollout)}
                if not first:
                    figures["model/error one step ahead"] = model.error(Transitions([rollout]))
                started = time.perf_counter()
                figures["loss/model"] = model.learn(trials.data, int(trials.rng.integers(1 << 31)))
                figures["seconds/learning"] = time.perf_counter() - started
                agent = cls(task.name, model, low, high)
                yield trials.record(figures, budget, agent)
        finally:
            trials.end(agent)

    def _observed(self, turn: Turn) -> Tensor:
        """[B, O] what is observed."""
        observed = np.asarray(turn.observation, np.float32)
        if observed.ndim != 2 or observed.shape[1] != self.model.observations:
            raise ValueError(f"observations must be [B, {self.model.observations}], got {observed.shape}")
        if not np.isfinite(observed).all():
            row, entry = np.argwhere(~np.isfinite(observed))[0]
            raise ValueError(f"observation[{row}, {entry}] is {observed[row, entry]}, a finite number is wanted")
        return torch.from_numpy(observed)

    def _steps(self, start: Tensor, plans: Tensor, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        config = self.config
        return imagine(
            self._dynamics,
            self.model.reward,
            start,
            plans,
            members=config.members,
            particles=config.particles,
            method=config.propagation,
            generator=generator,
        )

    def _rounds(self, simulations: int | None, open_end: bool = False) -> tuple[int, int]:
        """Plans an iteration, and iterations, for so many plans in all; None: as configured, or without end."""
        config = self.config
        if config.planner == "random":
            return simulations or config.population, 1
        return rounds_of(config.population, config.iterations, simulations, open_end)

    def _improved(self, planned: Planned, start: Tensor, turn: Turn) -> Planned:
        """Better plans than those `planned`, for what is ahead of `start` [B, O]."""
        config, low, high, mean = self.config, self._low, self._high, planned.plan
        generator, budget = planned.generator, turn.budget
        open_end = budget.seconds is not None or turn.stop is not None
        population, iterations = self._rounds(budget.simulations, open_end)
        common: dict[str, Any] = {"population": population, "generator": generator}

        def cost(plans: Tensor) -> Tensor:
            starts = start[:, None].expand(-1, plans.shape[1], -1).flatten(0, 1)
            returns = expected_returns(
                self._dynamics,
                self.model.reward,
                starts,
                plans.flatten(0, 1),
                members=config.members,
                particles=config.particles,
                method=config.propagation,
                generator=generator,
            )
            return -returns.view(plans.shape[:2])

        if config.planner == "random":
            return Planned(random_shooting(cost, low, high, mean.shape, **common), generator)
        common |= {"iterations": iterations, "over": deadline(budget.seconds, turn.stop)}
        box = (cost, mean, ((high - low) / 4).expand_as(mean), low, high)
        if config.planner == "mppi":
            plan = mppi(*box, temperature=config.temperature, smoothing=config.smoothing, **common)
            return Planned(plan, generator)
        common |= {"elites": max(1, config.elites * population // config.population), "keep": config.keep}
        if config.planner == "icem":
            plan, elites = icem(*box, exponent=config.colour, decay=config.decay, kept=planned.elites, **common)
            return Planned(plan, generator, elites)
        return Planned(cem(*box, least=config.least, **common), generator)


def _reward_of(task: Task, config: Config) -> Reward | None:
    """The reward that planning takes as given, None: it is learned. Raises ValueError if there is none as wanted."""
    reward = None if config.reward == "learned" else known_reward(task)
    if reward is None and config.reward == "known":
        raise ValueError(f"the reward of {task.name} is not known from what is observed: use reward=learned")
    return reward


def _predicted(steps: list[Tensor]) -> Predicted:
    """Of particles [P, ...] a step."""
    samples = torch.stack(steps, dim=1)
    return Predicted(
        samples.mean(dim=0).numpy(), samples.std(dim=0, correction=0).numpy(), samples=samples.contiguous().numpy()
    )
