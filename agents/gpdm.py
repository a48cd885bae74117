"""GPDM: a smooth latent path behind what is observed, learnt with its own dynamics; it forecasts, fills in, and plans.

J. Wang, D. Fleet and A. Hertzmann, "Gaussian Process Dynamical Models for Human Motion", IEEE PAMI 30(2), 2008; NIPS
2005. One Gaussian process maps latent points to observations, one maps each latent point to the next; both maps are
integrated out, and the latent points and the processes' parameters are learnt (section 3). Its four ways to do so are
presets: "map" (section 3.2), "fixed" (dynamics set by hand, N. Lawrence's), "balanced" (R. Urtasun, D. Fleet and
P. Fua, CVPR 2006) and "two_stage" (section 3.4). `GPDM.fit` learns motion, `forecast` goes on with it (section 4),
`filled` fills in what is missing (section 5.3).

As an agent (the paper has none; the nearest is F. Amadio et al., arXiv:2110.11964, dynamics with controls) the controls
are inputs of the dynamics. Where the latent path is, is filtered from what is observed; controls are found by gradient
through futures drawn from the processes, at every step anew; after each trial the model learns from all of them, the
latent points beginning where the last model sees them.

Departures: L-BFGS for scaled conjugate gradients; a second start of the dynamics' parameters, as from the paper's own
learning may end where steps are taken for noise; forecasts warn, and stay where they are, once they have left what the
data tell about.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from sakiyomi.agents.agent import Actions, Foresight, Predicted, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.rollouts import box_of, figures_of
from sakiyomi.agents.parts.episodes.trials import Trials
from sakiyomi.agents.parts.gp import GP
from sakiyomi.agents.parts.gpdm import filtering, learning
from sakiyomi.agents.parts.gpdm.arrays import KIND, KeptModel, model_of, tensors_of
from sakiyomi.agents.parts.gpdm.filtering import Belief
from sakiyomi.agents.parts.gpdm.learning import Tell, learn_from_best, principal_latents
from sakiyomi.agents.parts.gpdm.missing import filled
from sakiyomi.agents.parts.gpdm.model import Model
from sakiyomi.agents.parts.gpdm.motions import Motions, gathered
from sakiyomi.agents.parts.gpdm.paths import fair_samples, matched, mean_path, seen_path, within
from sakiyomi.agents.parts.gpdm.posterior import State
from sakiyomi.agents.parts.gpdm.rolling import Processes
from sakiyomi.agents.parts.gpdm.showing import observed, shown, told
from sakiyomi.agents.parts.gpdm.transitions import Dynamics
from sakiyomi.agents.parts.gpdm.trial_rows import TrialRows, latest, reward_process, standard, trial_rows
from sakiyomi.agents.parts.gpdm.two_stage import learn_two_stage
from sakiyomi.agents.parts.planning.known_rewards import Reward, known_reward
from sakiyomi.agents.parts.planning.shooting import Plan, shoot
from sakiyomi.agents.parts.planning.spending import deadline
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.agents.parts.runs.flags import from_json, to_json
from sakiyomi.boards.game import Game
from sakiyomi.envs import make_task
from sakiyomi.envs.task import Task

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the paper's for walking, learnt by MAP (section 3.2 and the author's published code)."""

    # the model (section 3.1)
    latents: int = 3
    order: Literal[1, 2] = 2
    difference: bool = True  # the dynamics give changes, not places
    velocity: bool = False  # of second order: from place and change, not from two places
    ard: bool = False  # each input of the dynamics has weights of its own
    linear: bool = False  # observations have a linear part beside their bumps, and so go on beyond the data; ours
    # learning (section 3.2 to 3.4)
    algorithm: Literal["map", "fixed", "balanced", "two_stage"] = "map"
    rounds: int = 100  # each: the scales, then `iterations` of the optimiser in all else
    iterations: int = 10
    cycles: int = 20  # of expectation maximisation, in two stages
    draws: int = 50  # of the latent path, a cycle
    skip: int = 10  # proposals of hybrid Monte Carlo from one draw to the next
    first_rounds: int = 10  # of MAP before them; ours
    # planning; ours
    angles: tuple[int, ...] = ()  # numbers of the observation that are angles [rad]: learnt as sine and cosine
    rounds_again: int = 10  # of learning after the first trials, from the last model on
    early_trials: int = 1  # after which it learns anew, by `rounds`
    horizon: int = 12  # steps
    particles: int = 16  # futures that a plan is rated by, drawn from what the processes tell; 0: their means
    planning: int = 25  # iterations of the optimiser, from each start
    first_starts: int = 4  # random ones at the first step of a trial
    more_starts: int = 1  # random ones beside the last plan, at every later step
    points: int = 300  # rows learnt from at the most: the latest trials
    reward: Literal["known", "learned", "auto"] = "auto"  # auto: learned if it is not known

    def __post_init__(self) -> None:
        counts = "latents rounds iterations cycles draws skip first_rounds rounds_again horizon planning first_starts"
        if few := [name for name in (*counts.split(), "points") if getattr(self, name) < 1]:
            raise ValueError(f"{few[0]} must be 1 or more, got {getattr(self, few[0])}")
        self.form  # noqa: B018 it checks order and velocity

    @property
    def form(self) -> Dynamics:
        """What the dynamics are from and to."""
        return Dynamics(self.order, self.difference, self.velocity, self.ard)


MAP = Config()
FIXED = Config(algorithm="fixed", order=1)
BALANCED = Config(algorithm="balanced", order=1, difference=False)
TWO_STAGE = Config(algorithm="two_stage")
PLANNER = Config(order=1, ard=True, linear=True, rounds=30)
PENDULUM = replace(PLANNER, latents=2)


@dataclass(frozen=True, eq=False)
class Memory:
    """What is remembered of one running episode: where the path is, and the plan whose first control was taken."""

    rng: np.random.Generator
    belief: Belief | None = None
    plan: Plan | None = None


class GPDM:
    """A learnt model that forecasts, and an `Agent` for tasks with vectors of numbers and of controls.

    Its carry is a list of `Memory`, one for each row. Without a `model` it acts at random; without a box of controls
    (`low` and `high` [U]) it does not act. It plans by the process `rewards` of arriving at a latent point, else by
    the `known` reward, by default that of the task of that name.
    """

    presets: ClassVar[Mapping[str, Config]] = {
        "planner": PLANNER,
        "pendulum": PENDULUM,
        "map": MAP,
        "fixed": FIXED,
        "balanced": BALANCED,
        "two_stage": TWO_STAGE,
    }

    def __init__(
        self,
        config: Config,
        model: Model | None = None,
        *,
        task: str = "motion",
        low: Floats | None = None,
        high: Floats | None = None,
        rewards: GP | None = None,
        known: Reward | None = None,
    ):
        self.config, self.model, self._task, self.low, self.high, self.rewards = config, model, task, low, high, rewards
        self.processes = Processes.of(model) if model is not None and low is not None else None
        self.known = known_reward(make_task(task)) if self.processes and known is None and rewards is None else known

    # forecasting

    @classmethod
    def fit(
        cls,
        sequences: Sequence[ArrayLike],
        config: Config = MAP,
        *,
        seed: int = 0,
        missing: bool = False,
        tell: Tell | None = None,
    ) -> Self:
        """The model of motion `sequences` [T, D]; with `missing` NaN means unseen, and only whole rows are learnt from.

        `tell` is called after each round with its number and the -ln posterior. Raises ValueError as `gathered` does.
        """
        motions = gathered(sequences, order=config.order, missing=missing)
        x = principal_latents(motions.y, config.latents)
        return cls(config, learnt_model(config, motions, x, np.random.default_rng(seed), tell=tell))

    def forecast(self, observations: ArrayLike, steps: int, *, samples: int = 0, seed: int = 0) -> Predicted:
        """What comes after `observations` [T, D] in the next `steps`: rows [steps, D] as the dynamics' means have them,
        from the stretch of what was learnt that looks most like the last rows.

        With `samples`, so many fair samples of the whole future (section 4.2) are drawn, and the standard deviations
        are theirs; else they grow from step to step, the processes being linearised. In the observations NaN means
        unseen. Warns, and stays where it is, where the forecast leaves what the data tell about. Raises ValueError for
        observations of another kind, and for a model with controls.
        """
        model = self._learnt()
        if model.motions.controls is not None:
            raise ValueError("a model with controls forecasts by foresee(), which knows them")
        if steps < 1:
            raise ValueError(f"steps must be 1 or more, got {steps}")
        rows = model.motions.centred(observations)
        if len(rows) < self.config.order:
            raise ValueError(
                f"dynamics of order {self.config.order} go on from {self.config.order} rows, got {len(rows)}"
            )
        history = matched(model, rows)[-self.config.order :]
        path = mean_path(model, history, steps)
        if (sure := within(model, path)) < steps:
            warnings.warn(f"after {sure} steps the forecast leaves what the data tell about", stacklevel=2)
            path[sure:] = path[sure - 1] if sure else history[-1]
        mean, deviation = model.observation(path)
        if not samples:
            return Predicted(mean, filtering.deviations_along(model, history, path[:sure], deviation))
        rng = np.random.default_rng(seed)
        paths = fair_samples(model, history, steps, rng, draws=samples).points
        seen, noise = model.observation(paths.reshape(-1, path.shape[1]))
        futures = seen.reshape(samples, steps, -1)
        std = np.sqrt(futures.var(0) + (noise**2).reshape(futures.shape).mean(0))
        return Predicted(mean, std, samples=futures)

    def filled(self, sequences: Sequence[ArrayLike]) -> tuple[list[Floats], list[Floats]]:
        """The sequences learnt from with what is NaN filled in, and standard deviations: see `missing.filled`."""
        return filled(self._learnt(), sequences)

    # acting

    @property
    def task(self) -> str:
        """The task that it has learnt, by its name; "motion" if it only forecasts."""
        return self._task

    def initial(self, batch: int, seed: int = 0) -> list[Memory]:
        """As `Agent.initial`."""
        return [Memory(np.random.default_rng([seed, row])) for row in range(batch)]

    def act(self, carry: list[Memory], turn: Turn, explore: bool) -> tuple[Actions, list[Memory]]:
        """As `Agent.act`. It explores by being wrong, so `explore` makes no difference.

        A budget of simulations is of futures looked at in each row, one of seconds for all rows. Raises
        ValueError for a model without controls, and for observations that are not such as it learnt.
        """
        low, high = self._box()
        if self.model is None:
            return np.stack([memory.rng.uniform(low, high) for memory in carry]), carry
        given = np.asarray(turn.observation, np.float64)
        if not np.isfinite(given).all():
            raise ValueError(f"observations must be finite, got {given.tolist()}")
        rows = self.model.motions.centred(shown(given, self.config.angles))
        each = zip(carry, rows, turn.is_first, strict=True)
        limits = {"evaluations": turn.budget.simulations, "over": deadline(turn.budget.seconds, turn.stop)}
        memories = [self._advance(self.model, memory, y, bool(first), limits) for memory, y, first in each]
        return np.stack([memory.plan.controls[0] for memory in memories if memory.plan]), memories

    def foresee(self, carry: list[Memory], turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: "latent", "observation" and "reward" along the plan.

        Their standard deviations grow from step to step as the processes, linearised, have it.
        """
        memory = carry[row]
        if self.model is None or memory.plan is None or memory.belief is None:
            return Foresight()
        q, belief, beliefs = self.config.latents, memory.belief, list[Belief]()
        for control in self._standard(memory.plan.controls):
            belief = filtering.predicted(self.model, belief, control)
            beliefs.append(belief)
        seen, spread = map(np.stack, zip(*(filtering.seen_moments(self.model, each) for each in beliefs), strict=True))
        covariances = np.stack([each.covariance[:q, :q] for each in beliefs])
        with torch.no_grad():
            rewards = self._rewards(memory.belief, torch.from_numpy(memory.plan.controls)).numpy()
        return Foresight(
            float(rewards.sum()),
            memory.plan.controls[:1],
            lines=(memory.plan.controls,),
            future={
                "latent": Predicted(
                    np.stack([each.mean[:q] for each in beliefs]),
                    np.sqrt(np.diagonal(covariances, axis1=1, axis2=2)),
                    covariances,
                ),
                "observation": Predicted(*told(seen, spread, self.config.angles, np.asarray(turn.observation)[row])),
                "reward": Predicted(rewards),
            },
            simulations=memory.plan.evaluations,
            depth=len(rewards),
        )

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        arrays = {} if self.low is None or self.high is None else {"low": self.low, "high": self.high}
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        if self.model is not None:
            tensors |= {f"model.{name}": each for name, each in tensors_of(self.model).items()}
        if self.rewards is not None:
            tensors |= {f"rewards.{name}": each for name, each in self.rewards.tensors().items()}
        save_agent(folder, KIND, {"task": self.task, "config": to_json(self.config)}, tensors)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        about, tensors = load_agent(folder, KIND)
        try:
            config = from_json(Config, about["config"])
            learnt, rewards = (_under(tensors, name) for name in ("model.", "rewards."))
            return cls(
                config,
                model_of(learnt, config.form) if learnt else None,
                task=about["task"],
                low=tensors["low"].numpy() if "low" in tensors else None,
                high=tensors["high"].numpy() if "high" in tensors else None,
                rewards=GP.of_tensors(rewards) if rewards else None,
            )
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
        """As `Agent.train`: a trial at random, then trials by the agent; it learns after each. A step is a trial.

        Raises ValueError for a task whose observations or controls are no vectors.
        """
        if not isinstance(task, Task):
            raise ValueError(f"GPDM learns tasks with vectors of controls; {task.name} is a game")
        low, high = box_of(task)
        (size,) = task.observation_space.shape or (0,)
        if wrong := [k for k in config.angles if not 0 <= k < size]:
            raise ValueError(f"angles: {task.name} shows {size} numbers, none is number {wrong[0]}")
        known = None if config.reward == "learned" else known_reward(task)
        if known is None and config.reward == "known":
            raise ValueError(f"the reward of {task.name} is not known as a function of what is observed")
        kept = KeptModel(config.form)
        trials = Trials(task, folder, seed, parts={"model": kept})
        trials.begin(resume)

        def rows(count: int) -> TrialRows:
            return trial_rows(latest(trials.data.rollouts, count), low, high, config.angles)

        def agent_now() -> "GPDM":
            process = None
            if kept.model is not None and known is None:
                rng = np.random.default_rng([trials.seed, len(trials.data)])
                process = reward_process(kept.model, rows(config.points).rewards, rng)
            return cls(config, kept.model, task=task.name, low=low, high=high, rewards=process, known=known)

        agent = agent_now()
        try:
            while trials.goes_on(budget):
                figures = dict(figures_of(trials.play(agent)))
                if kept.model is not None:
                    (seen,), (controls,), _ = rows(1)
                    figures["model/error"] = filtering.one_step_error(kept.model, seen, controls)
                early = len(trials.data.rollouts) <= config.early_trials
                if len(trials.data) + len(trials.data.rollouts) >= config.order + 2:
                    kept.model = learnt_trials(config, rows(config.points), kept.model, trials.rng, early=early)
                agent = agent_now()
                yield trials.record(figures, budget, agent)
        finally:
            trials.end(agent)

    def _advance(self, model: Model, memory: Memory, y: Floats, first: bool, limits: Mapping[str, Any]) -> Memory:
        """`memory` after the row `y` [K] is seen: where the path is now, and what is to be done."""
        if first or memory.belief is None or memory.plan is None:
            belief, starts = filtering.first_belief(model, y), []
        else:
            control = self._standard(memory.plan.controls[:1])[0]
            expected = filtering.predicted(model, memory.belief, control)
            belief, starts = filtering.updated(model, expected, y), [memory.plan.after()]
        low, high = self._box()
        count = self.config.more_starts if starts else self.config.first_starts
        starts += [memory.rng.uniform(low, high, (self.config.horizon, len(low))) for _ in range(count)]
        noise = self._noise(memory.rng)
        plan = shoot(
            lambda controls: (-self._rewards(belief, controls, noise).sum(), None),
            starts,
            low,
            high,
            iterations=self.config.planning,
            **limits,
        )
        return Memory(memory.rng, belief, plan)

    def _noise(self, rng: np.random.Generator) -> Tensor | None:
        """[1 + H, P, order q] standard normal: of where the particles begin, and of their steps."""
        shape = (1 + self.config.horizon, self.config.particles, self.config.order * self.config.latents)
        return torch.from_numpy(rng.standard_normal(shape)) if self.config.particles else None

    def _rewards(self, belief: Belief, controls: Tensor, noise: Tensor | None = None) -> Tensor:
        """[H] the rewards expected under `controls` [H, U]: means over the particles of `noise`, None: of the means."""
        assert self.processes is not None
        low, high = (torch.from_numpy(end) for end in self._box())
        place, spread = (torch.from_numpy(part) for part in belief)
        points = self.processes.futures(place, spread, 2 * (controls - low) / (high - low) - 1, noise)
        if self.rewards is not None:
            return self.rewards.predict_mean(points[1:])[..., 0].mean(1)
        assert self.known is not None
        seen = observed(self.processes.seen(points), self.config.angles)
        return self.known(seen[:-1], controls[:, None], seen[1:]).mean(1)

    def _standard(self, controls: Floats) -> Floats:
        """[..., U] controls as the model has them, -1 to 1."""
        return standard(controls, *self._box())

    def _box(self) -> tuple[Floats, Floats]:
        if self.low is None or self.high is None:
            raise ValueError("this model learnt motion without controls: it forecasts, but does not act")
        return self.low, self.high

    def _learnt(self) -> Model:
        if self.model is None:
            raise ValueError("there is no model yet: GPDM.fit or GPDM.train makes one")
        return self.model


def learnt_model(
    config: Config,
    motions: Motions,
    x: Floats,
    rng: np.random.Generator,
    *,
    before: State | None = None,
    tell: Tell | None = None,
) -> Model:
    """The model of `motions`, its latents beginning at `x` [N, q]; α, θ and scales as `before`, and few rounds then."""
    balanced, fixed = config.algorithm == "balanced", config.algorithm == "fixed"
    weight = motions.y.shape[1] / config.latents if balanced else 1.0
    model = Model(motions, config.form, State(x, *(np.zeros(0),) * 3), weight)
    posterior = replace(model.posterior, fixed=fixed)
    alphas = (learning.FIXED_ALPHA,) if fixed else (learning.ALPHA, learning.SURE_ALPHA)
    starts = [learning.starting_state(posterior, x, alpha, linear=config.linear) for alpha in alphas]
    if before is not None and before.scales.shape == starts[0].scales.shape:
        starts = [before._replace(x=x)]
    rounds = config.rounds if before is None else config.rounds_again
    if config.algorithm == "two_stage":
        state = learn_from_best(posterior, starts, config.first_rounds, config.iterations)
        state = learn_two_stage(
            posterior, state, rng, cycles=config.cycles, draws=config.draws, skip=config.skip, tell=tell
        )
    else:
        state = learn_from_best(posterior, starts, rounds, config.iterations, tell=tell)
    return replace(model, state=state)


def learnt_trials(
    config: Config, rows: TrialRows, last: Model | None, rng: np.random.Generator, *, early: bool = False
) -> Model:
    """The model of trials; its latents begin where the `last` model sees them, unless it is `early`."""
    motions = gathered(rows.sequences, order=config.order, controls=rows.controls)
    if last is None or early:
        return learnt_model(config, motions, principal_latents(motions.y, config.latents), rng)
    each = zip(rows.sequences, rows.controls, strict=True)
    found = np.concatenate([seen_path(last, last.motions.centred(y), controls) for y, controls in each])
    return learnt_model(config, motions, found[motions.rows], rng, before=last.state)


def _under(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(name): tensor for key, tensor in tensors.items() if key.startswith(name)}
