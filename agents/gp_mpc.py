"""GP-MPC: plans by gradient through a Gaussian process's predictions, their uncertainty included, and keeps to limits.

S. Kamthe and M. P. Deisenroth, "Data-efficient reinforcement learning with probabilistic model predictive control",
AISTATS 2018. Gaussian processes learn how the state changes in a step. Moment matching makes of them a deterministic
system, whose state is a mean and a covariance (section 3.1); for it, the controls of the next steps are optimised under
limits on controls and on states (section 3.2), at every step anew. Each step seen is data at once; hyper-parameters are
fitted between trials only. So a cart-pole is swung up within seconds of experience.

Constants that the paper leaves open are those of PILCO (M. P. Deisenroth and C. E. Rasmussen, ICML 2011, and its
published MATLAB code), whose model, cost and tasks the paper took over, or are said to be ours.

Departures, all of them settings: a second, wider cost (`widths`) shows a plan of few steps the way when the narrow one
is flat; `planner="policy"` is PILCO itself, for comparison: it optimises a policy between trials and plans nothing
within them. `zero_variance` plans with the means alone, as the paper's own comparison does.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.agent import Actions, Foresight, Predicted, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.rollouts import Rollout, Transitions, box_of, figures_of
from sakiyomi.agents.parts.episodes.trials import Trials
from sakiyomi.agents.parts.gp import GP, fit, process_inputs, with_angles
from sakiyomi.agents.parts.gp.rbf_policy import KeptPolicy, RbfPolicy, control_of, first_policy, followed, improved
from sakiyomi.agents.parts.gp.tube import Tube, Wall, costs_of, foretold, margins, outside, satisfied
from sakiyomi.agents.parts.planning.shooting import Plan, shifted, shoot
from sakiyomi.agents.parts.planning.spending import deadline
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.agents.parts.runs.flags import from_json, to_json
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task

Floats = NDArray[np.float64]
KIND = "gp_mpc"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the paper's cart-pole swing-up, whose observation is (x, v, omega, theta).

    The observation with sine and cosine of each of its `angles` behind it is made into a point by the matrix `tip`;
    that point is to come to `goal`. The cost of a step is the mean, over `widths`, of 1 - exp(-distance^2 / 2 width^2).
    """

    # what is wanted
    angles: tuple[int, ...] = (3,)  # numbers of the observation that are angles [rad], counting full turns
    tip: tuple[tuple[float, ...], ...] = ((1.0, 0.0, 0.0, 0.0, 0.5, 0.0), (0.0, 0.0, 0.0, 0.0, 0.0, 0.5))  # m
    goal: tuple[float, ...] = (0.0, -0.5)  # m
    widths: tuple[float, ...] = (0.25,)  # m; PILCO: 0.25
    radius: float = 0.08  # m, of the tip from its goal, for `hold` steps: a trial that solves the task
    hold: int = 10  # steps
    # what is not to be left
    walls: tuple[Wall, ...] = ()  # a trial ends where one is met
    heeding: Literal["chance", "expected", "nothing"] = "chance"  # what of a state is to keep to the walls
    confidence: float = 0.95  # of each state, with "chance"
    # planning
    planner: Literal["mpc", "policy"] = "mpc"
    horizon: int = 8  # steps; the paper has none
    iterations: int = 10  # of the optimiser, from each start; the last plan is gone on from; ours
    first_starts: int = 3  # random ones at the first step of a trial; ours
    more_starts: int = 0  # random ones beside the last plan, every `more_every` steps; they unsettle what holds still
    more_every: int = 5
    zero_variance: bool = False
    # the policy instead, PILCO's
    centres: int = 50  # of its radial basis functions; PILCO: 50
    policy_iterations: int = 75  # of the optimiser between trials; PILCO: 75
    start_spread: float = 0.1  # standard deviation of the state that trials begin in; PILCO: 0.1
    # the model
    fits: int = 3  # starts of the hyper-parameters; ours
    noise: tuple[float, ...] = ()  # standard deviation of measurements; (): as the processes' noise tells
    points: int = 300  # rows that the processes keep, the latest; ours

    def __post_init__(self) -> None:
        if len({len(row) for row in self.tip}) != 1 or len(self.goal) != len(self.tip):
            raise ValueError(f"tip must have a row for each number of goal {self.goal}, all as long, got {self.tip}")
        size = self.observed
        if size < 1 or any(not 0 <= angle < size for angle in self.angles):
            raise ValueError(f"angles must be from 0 to {size - 1}, as long as rows of tip are, got {self.angles}")
        if not self.widths or min(self.widths) <= 0:
            raise ValueError(f"widths must be one or more and over 0, got {self.widths}")
        if self.noise and (len(self.noise) != size or min(self.noise) <= 0):
            raise ValueError(f"noise must be {size} numbers over 0, or none, got {self.noise}")
        for which, low, high in self.walls:
            ends = [end for end in (low, high) if end is not None]
            if not 0 <= which < size or not ends or ends != sorted(set(ends)):
                raise ValueError(f"a wall is [0 to {size - 1}, least, greater or none], got {[which, low, high]}")
        if not 0.5 <= self.confidence < 1:
            raise ValueError(f"confidence must be from 0.5 to below 1, got {self.confidence}")
        counts = ("hold", "horizon", "iterations", "first_starts", "more_every", "centres", "fits", "points")
        if few := [name for name in counts if getattr(self, name) < 1]:
            raise ValueError(f"{few[0]} must be 1 or more, got {getattr(self, few[0])}")

    @property
    def observed(self) -> int:
        """How many numbers an observation has."""
        return len(self.tip[0]) - 2 * len(self.angles)

    def distances(self, observations: Floats) -> Floats:
        """[...] how far the tip is from its goal [m], for `observations` [..., O]."""
        points = with_angles(torch.as_tensor(observations, dtype=torch.float64), self.angles) @ _tensor(self.tip).mT
        return np.asarray(np.linalg.norm(points.numpy() - np.array(self.goal), axis=-1))


CARTPOLE = Config(widths=(0.25, 0.5))  # by the paper's width alone a poor model runs off to where the cost is flat
PENDULUM = Config(  # success as on the cart-pole: within 16 % of the rod's length
    angles=(1,),
    tip=((0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
    goal=(0.0, -1.0),
    widths=(0.5, 1.0),
    radius=0.16,
    horizon=15,
    iterations=15,
)
DOUBLE_PENDULUM = Config(  # two rods of half a metre, a torque on each
    angles=(2, 3),
    tip=((0.0, 0.0, 0.0, 0.0, -0.5, 0.0, -0.5, 0.0), (0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.5)),
    goal=(0.0, 1.0),
    widths=(0.5, 1.0),
    radius=0.22,
)
CART_DOUBLE_PENDULUM = Config(
    angles=(4, 5),
    tip=(
        (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.6, 0.0, -0.6, 0.0),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.6, 0.0, 0.6),
    ),
    goal=(0.0, 1.2),
    widths=(0.5,),
    radius=0.22,
    horizon=12,
)
CONSTRAINED_CARTPOLE = replace(CARTPOLE, walls=((0, -0.7, 0.7),))  # 70 cm to either side
CONSTRAINED_DOUBLE_PENDULUM = replace(DOUBLE_PENDULUM, walls=((2, None, math.radians(340.0)),))


def solved(distances: Floats, radius: float, steps: int) -> int | None:
    """The first of `steps` steps on end within `radius` of the goal, for `distances` [T] of an episode; None: never.

    The paper's measure of success (section 4): 10 steps within 8 cm for the cart-pole.
    """
    within = 0
    for step, distance in enumerate(distances):
        within = within + 1 if distance < radius else 0
        if within == steps:
            return step - steps + 1
    return None


@dataclass(frozen=True, eq=False)
class Memory:
    """What is remembered of one running episode."""

    rng: np.random.Generator
    gp: GP | None = None  # with the steps seen in this episode
    plan: Plan | None = None  # the latest; its first controls were taken
    kept: Floats | None = None  # [H, U] the rest of the latest plan that kept to the walls
    observation: Floats | None = None  # [O] at which it was made
    step: int = 0


class GPMPC:
    """Plans by gradient through Gaussian processes. An `Agent` for tasks with vectors of numbers and of controls.

    Its carry is a list of `Memory`, one for each row. Without processes (`gp` None) it acts at random.
    """

    presets: ClassVar[Mapping[str, Config]] = {
        "cartpole": CARTPOLE,
        "cartpole-swingup": CARTPOLE,
        "pendulum": PENDULUM,
        "double_pendulum": DOUBLE_PENDULUM,
        "double-pendulum": DOUBLE_PENDULUM,
        "cart-double-pendulum": CART_DOUBLE_PENDULUM,
        "constrained_cartpole": CONSTRAINED_CARTPOLE,
        "constrained_double_pendulum": CONSTRAINED_DOUBLE_PENDULUM,
    }

    def __init__(
        self,
        task: str,
        low: Floats,
        high: Floats,
        config: Config,
        gp: GP | None = None,
        policy: RbfPolicy | None = None,
    ):
        self._task, self.low, self.high, self.config, self.gp, self.policy = task, low, high, config, gp, policy

    @property
    def task(self) -> str:
        """The task that it has learnt, by its name."""
        return self._task

    def initial(self, batch: int, seed: int = 0) -> list[Memory]:
        """As `Agent.initial`."""
        return [Memory(np.random.default_rng((seed, row))) for row in range(batch)]

    def act(self, carry: list[Memory], turn: Turn, explore: bool) -> tuple[Actions, list[Memory]]:
        """As `Agent.act`. It explores by what it is unsure of, so `explore` makes no difference.

        A budget of simulations is of futures looked at in each row, one of seconds for all rows. Raises
        ValueError for observations that are not as the configuration says, or not finite.
        """
        observations = self._checked(turn.observation)
        rows = zip(carry, observations, turn.is_first, strict=True)
        over = deadline(turn.budget.seconds, turn.stop)
        limits = {"evaluations": turn.budget.simulations, "over": over}
        memories = [self._advance(Memory(m.rng) if first else m, seen, limits) for m, seen, first in rows]
        controls = [self._control(memory, seen) for memory, seen in zip(memories, observations, strict=True)]
        return np.stack(controls), memories

    def foresee(self, carry: list[Memory], turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: "state" and "reward" along the plan, and with walls "satisfied"."""
        memory, config, seen = carry[row], self.config, self._checked(turn.observation)[row]
        with torch.no_grad():
            controls, tube = self._imagined(memory, seen)
            if tube is None:
                return Foresight()
            rewards = 1 - _costs(tube, config)[int(np.argmin(config.widths))].numpy()
            spread = tube.covariances.diagonal(dim1=-2, dim2=-1).clamp_min(0).sqrt()
        future = {
            "state": Predicted(tube.means.numpy(), spread.numpy(), tube.covariances.numpy()),
            "reward": Predicted(rewards),
        }
        if config.walls:
            future["satisfied"] = Predicted(satisfied(tube, config.walls).numpy())
        return Foresight(
            float(rewards.sum()),
            controls[:1],
            lines=(controls,),
            future=future,
            simulations=memory.plan.evaluations if memory.plan else 1,
            depth=len(rewards),
        )

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        about = {"task": self.task, "config": to_json(self.config)}
        limits = {"low": torch.from_numpy(self.low), "high": torch.from_numpy(self.high)}
        learnt = {f"gp.{name}": tensor for name, tensor in (self.gp.tensors() if self.gp else {}).items()}
        policy = {} if self.policy is None else {f"policy.{k}": v for k, v in self.policy._asdict().items()}
        save_agent(folder, KIND, about, limits | learnt | policy)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        about, tensors = load_agent(folder, KIND)
        try:
            config = from_json(Config, about["config"])
            learnt, acting = (
                {name.removeprefix(part): each for name, each in tensors.items() if name.startswith(part)}
                for part in ("gp.", "policy.")
            )
            gp, policy = GP.of_tensors(learnt) if learnt else None, RbfPolicy(**acting) if acting else None
            return cls(about["task"], tensors["low"].numpy(), tensors["high"].numpy(), config, gp, policy)
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
        """As `Agent.train`: a trial at random, then trials by the agent; after each the processes are fitted to all.

        A step of learning is a trial. Raises ValueError for a task that the configuration does not describe.
        """
        if not isinstance(task, Task):
            raise ValueError(f"GP-MPC learns tasks with vectors of controls; {task.name} is a game")
        low, high = box_of(task)
        _check_fits(task, config)
        kept = KeptPolicy()
        trials = Trials(task, folder, seed, parts={"policy": kept})
        trials.begin(resume)
        agent = cls(task.name, low, high, config, model_of(trials.data, config, seed), kept.policy)
        try:
            while trials.goes_on(budget):
                rollout = trials.play(agent, over=lambda seen: outside(seen, config.walls))
                figures = dict(figures_of(rollout)) | _measured(rollout, config, agent.gp)
                gp = model_of(trials.data, config, seed)
                if gp is not None and config.planner == "policy":
                    kept.policy = _improved(kept.policy, gp, trials.data, low, high, config, seed)
                agent = cls(task.name, low, high, config, gp, kept.policy)
                yield trials.record(figures, budget, agent)
        finally:
            trials.end(agent)

    def _advance(self, memory: Memory, seen: Floats, limits: Mapping[str, Any]) -> Memory:
        """`memory` after `seen` [O]: the step that led here is learned from, and the next ones are planned."""
        gp = memory.gp or self.gp
        if gp is None or self.policy is not None:
            return memory
        if memory.plan is not None and memory.observation is not None:
            gp = gp.appended(*_rows(memory.observation, memory.plan.controls[0], seen, self.config))
        config, rng = self.config, memory.rng
        shape = (config.horizon, len(self.low))
        count = config.more_starts if memory.step % config.more_every == 0 else 0
        starts = [] if memory.plan is None else [memory.plan.after()]
        starts += [rng.uniform(self.low, self.high, shape) for _ in range(count if starts else config.first_starts)]
        kept = None if memory.kept is None else shifted(memory.kept)
        plan = shoot(
            lambda controls: self._costs_and_margins(gp, seen, controls),
            starts,
            self.low,
            self.high,
            iterations=config.iterations,
            kept=kept,
            **limits,
        )
        kept = plan.controls if config.walls and plan.violation == 0 else kept
        return Memory(rng, gp, plan, kept, seen.copy(), memory.step + 1)

    def _costs_and_margins(self, gp: GP, seen: Floats, controls: Tensor) -> tuple[Tensor, Tensor | None]:
        """What `shoot` minimises, and keeps above 0."""
        config, tube = self.config, self._tube(gp, seen, controls)
        cost = _costs(tube, config).mean(0).sum()
        if not config.walls or config.heeding == "nothing":
            return cost, None
        return cost, margins(tube, config.walls, config.confidence if config.heeding == "chance" else None)

    def _tube(self, gp: GP, seen: Floats, controls: Tensor) -> Tube:
        """The states that `controls` [H, U] lead to from where `seen` [O] was measured."""
        begin, doubt = torch.from_numpy(seen), self._doubt(gp)
        return foretold(gp, begin, doubt, controls, self.config.angles, certain=self.config.zero_variance)

    def _doubt(self, gp: GP) -> Tensor:
        """[O, O] covariance of what a measurement is off by; a change of the state is of two measurements."""
        return (_tensor(self.config.noise) if self.config.noise else gp.noise / math.sqrt(2)).square().diag()

    def _imagined(self, memory: Memory, seen: Floats) -> tuple[Floats, Tube | None]:
        """The controls [H, U] to come and what they lead to, None without a model."""
        gp, config = memory.gp or self.gp, self.config
        low, high = torch.from_numpy(self.low), torch.from_numpy(self.high)
        if memory.plan is not None and gp is not None:
            return memory.plan.controls, self._tube(gp, seen, torch.from_numpy(memory.plan.controls))
        if self.policy is None or gp is None:
            return np.zeros((0, len(self.low))), None
        begin = torch.from_numpy(seen)
        tube = followed(gp, self.policy, begin, self._doubt(gp), config.horizon, config.angles, low, high)
        path = torch.cat((begin[None], tube.means[:-1]))
        return control_of(self.policy, path, config.angles, low, high).numpy(), tube

    def _control(self, memory: Memory, seen: Floats) -> Floats:
        """[U] for the state measured as `seen` [O]."""
        if memory.plan is not None:
            return np.asarray(memory.plan.controls[0])
        if self.policy is None:
            return memory.rng.uniform(self.low, self.high)
        low, high = torch.from_numpy(self.low), torch.from_numpy(self.high)
        return np.asarray(control_of(self.policy, torch.from_numpy(seen), self.config.angles, low, high))

    def _checked(self, observation: Any) -> Floats:
        seen = np.asarray(observation, np.float64)
        if seen.ndim != 2 or seen.shape[1] != self.config.observed:
            raise ValueError(f"observations must be [rows, {self.config.observed}], got shape {list(seen.shape)}")
        if not np.isfinite(seen).all():
            raise ValueError(f"observations must be finite, got {seen[~np.isfinite(seen).all(1)][0]}")
        return seen


def model_of(data: Transitions, config: Config, seed: int) -> GP | None:
    """The processes of the steps in `data`, None for too few; chance comes from `seed` and the number of trials."""
    if len(data) < 2:
        return None
    inputs, targets = _rows(data.observations, data.actions, data.next_observations, config)
    rng = np.random.default_rng([seed, len(data.rollouts)])
    return fit(inputs[-config.points :], targets[-config.points :], starts=config.fits, rng=rng)


def _improved(
    policy: RbfPolicy | None, gp: GP, data: Transitions, low: Floats, high: Floats, config: Config, seed: int
) -> RbfPolicy:
    """PILCO's step between trials: the policy that is expected to cost least in a trial as long as the longest was."""
    if policy is None:
        rng = np.random.default_rng([seed, len(data.rollouts), 1])
        policy = first_policy(gp.inputs[:, : -len(low)], len(low), config.centres, rng)
    begin = torch.from_numpy(np.mean([rollout.observations[0] for rollout in data], axis=0))
    doubt = config.start_spread**2 * torch.eye(len(begin), dtype=torch.float64)
    steps, limits = max(map(len, data)), (torch.from_numpy(low), torch.from_numpy(high))

    def cost(policy: RbfPolicy) -> Tensor:
        return _costs(followed(gp, policy, begin, doubt, steps, config.angles, *limits), config).mean(0).sum()

    return improved(policy, cost, config.policy_iterations)


def _costs(tube: Tube, config: Config) -> Tensor:
    """[W, H] by width."""
    return costs_of(tube, config.angles, _tensor(config.tip), _tensor(config.goal), config.widths)


def _rows(observations: Floats, actions: Floats, following: Floats, config: Config) -> tuple[Tensor, Tensor]:
    """Inputs and targets of the processes."""
    seen, controls, after = (torch.as_tensor(each) for each in (observations, actions, following))
    return process_inputs(seen, controls, config.angles), after - seen


def _measured(rollout: Rollout, config: Config, gp: GP | None) -> dict[str, float]:
    """Figures of a trial: how near it came, was it solved, did it keep to the walls; and how well it was foretold."""
    distances = config.distances(rollout.observations[1:])
    when = solved(distances, config.radius, config.hold)
    figures = {
        "trial/solved": float(when is not None),
        "trial/nearest": float(distances.min()),
        "trial/last": float(distances[-config.hold :].mean()),
    }
    if config.walls:
        figures["trial/outside"] = float(outside(rollout.observations[-1], config.walls))
    if gp is not None:
        inputs, targets = _rows(rollout.observations[:-1], rollout.actions, rollout.observations[1:], config)
        missed = (gp.predict_mean(inputs) - targets).square().mean(0).sqrt() / targets.std(0, False).clamp_min(1e-12)
        figures["model/error"] = float(missed.mean())
    return figures


def _check_fits(task: Task, config: Config) -> None:
    (size,) = task.observation_space.shape or (0,)
    if size != config.observed:
        raise ValueError(
            f"{task.name} shows {size} numbers, the configuration describes {config.observed}: set angles, tip and goal"
        )


def _tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
