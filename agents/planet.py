"""PlaNet: a model of the world learned from pictures, whose latent states are planned in, with no policy and no value.

D. Hafner et al., "Learning latent dynamics for planning from pixels", ICML 2019, with the constants of its published
code. A recurrent state-space model (section 3) learns to tell what is seen and rewarded from a memory and a stochastic
state; planning by the cross-entropy method (section 2, algorithm 2) looks for the actions whose imagined rewards add up
to most, and the first of them is carried out. An episode is collected, then there are 100 updates, and so on
(algorithm 1).

The paper's ablations are settings: `dynamics` "stochastic" (SSM) and "deterministic" (RNN), `overshooting` over so many
steps (section 4; off in the paper's final agent, as it helps the SSM alone), `seed_episodes` and `iterations`. How
often an action is repeated belongs to the task, as in ``dmc/cartpole-swingup@planet``.

Departures: PyTorch's GRU, whose reset gate stands elsewhere than in the original's; vectors may take the place of
pictures, in units of their spread so far; and for the "quick" presets, `deviation` of what is observed other than 1,
a weight of the divergence (`kl_weight`), pictures made smaller by `shrink`, and episodes drawn by their length
(`by_length`).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from sakiyomi.agents.agent import Actions, Foresight, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.collecting import Collector
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.random_actions import AtRandom
from sakiyomi.agents.parts.episodes.sequences import SequenceReplay, Sequences
from sakiyomi.agents.parts.latent.batches import Batch
from sakiyomi.agents.parts.latent.distributions import unit_log_prob
from sakiyomi.agents.parts.latent.experience import ERROR_ROWS, averaged, gathered, latest
from sakiyomi.agents.parts.latent.files import load_latent, save_latent
from sakiyomi.agents.parts.latent.futures import encoded, foreseen, foretold, path_noise
from sakiyomi.agents.parts.latent.kl_terms import free_each, overshooting
from sakiyomi.agents.parts.latent.observing import Precision, best_device, halved, shown_by
from sakiyomi.agents.parts.latent.pixel_nets import MLP, initialise
from sakiyomi.agents.parts.latent.rssm import RSSM, Dynamics, State
from sakiyomi.agents.parts.latent.senses import Senses
from sakiyomi.agents.parts.planning.cem import cem
from sakiyomi.agents.parts.runs.config_checks import check_layers, check_within
from sakiyomi.agents.parts.runs.descents import Descents
from sakiyomi.agents.parts.runs.training_run import TrainingRun
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the paper's (section 5 and appendix A)."""

    # the model (appendix A)
    dynamics: Dynamics = "recurrent"
    deter: int = 200  # units of the memory
    stoch: int = 30  # numbers of the stochastic state
    hidden: int = 200  # units of the model's other layers
    depth: int = 32  # filters of the first convolution
    bits: int = 5  # of a colour
    shrink: int = 1  # times that pictures are made smaller
    vector_layers: tuple[int, ...] = (200, 200)  # of the encoder and the decoder of vectors
    angles: tuple[int, ...] = ()  # numbers of a vector that are shown as sine and cosine
    reward_layers: tuple[int, ...] = (200, 200)  # the published code: three of 300
    deviation: float = 1.0  # of what is observed from what is decoded
    # the loss (equation 3 and 7)
    kl_weight: float = 1.0
    reward_weight: float = 1.0  # the published code: 10
    free_nats: float = 3.0  # of each step
    overshooting: int = 0  # steps that priors run ahead; 0: the one-step bound
    beta: float = 1.0  # weight of the divergences more than one step ahead
    # learning
    rate: float = 1e-3  # Adam's
    epsilon: float = 1e-4
    clip: float = 1000.0  # norm of the gradient, of losses in nats: what weighs more is cut the sooner
    batch: int = 50  # sequences
    length: int = 50  # steps of a sequence
    by_length: bool = False  # an episode is drawn as often as it has beginnings of sequences; else all alike
    updates: int = 100  # between two episodes
    seed_episodes: int = 5  # at random, before learning
    exploration: float = 0.3  # deviation of what is added to actions, which go from -1 to 1
    capacity: int = 1_000_000  # steps that are remembered
    # planning (algorithm 2)
    horizon: int = 12  # steps
    iterations: int = 10
    population: int = 1000
    elites: int = 100
    # foresight
    futures: int = 16  # that `foresee` draws
    precision: Precision = "auto"  # of products; auto: bfloat16 where it is faster

    def __post_init__(self) -> None:
        counts = ("deter", "stoch", "hidden", "depth", "shrink", "batch", "length", "updates", "seed_episodes")
        check_within(self, 1, math.inf, *counts, "capacity", "horizon", "iterations", "futures")
        check_within(self, 1, 8, "bits")
        check_within(self, 1, self.population, "elites")
        check_within(self, 0, self.length, "overshooting")
        check_within(self, 0, math.inf, "free_nats", "exploration")
        check_within(self, 1e-6, math.inf, "deviation", "rate", "clip")
        check_layers(self, "vector_layers", "reward_layers")


STATE_QUICK = Config(  # vectors, in minutes on one core
    deter=100,
    stoch=15,
    hidden=100,
    vector_layers=(100, 100),
    reward_layers=(100, 100),
    deviation=0.1,
    reward_weight=100.0,
    free_nats=0.1,  # a step that is foreseen well tells no more
    batch=16,
    length=32,
    by_length=True,
    updates=50,
    population=300,
    elites=30,
    iterations=5,
)
PIXELS_QUICK = replace(  # the unit deviation, for which `clip` is meant; so the rest weighs against what is seen
    STATE_QUICK, shrink=2, depth=16, deviation=1.0, kl_weight=0.2, free_nats=0.0, rate=3e-3, updates=100
)
PAPER_TASKS = ("cartpole-swingup", "reacher-easy", "cheetah-run", "finger-spin", "ball_in_cup-catch", "walker-walk")


class Model(nn.Module):
    """What PlaNet learns, of observations of `shape` (pictures [H, W, C] or [H, W], or vectors [n])."""

    def __init__(self, config: Config, shape: tuple[int, ...], controls: Controls, seed: int):
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):  # layers draw weights when they are made, which are drawn anew below
            layers, seen = config.vector_layers, (config.shrink, config.deviation)
            self.senses = Senses(shape, config.depth, layers, *seen, bits=config.bits, angles=config.angles)
            self.rssm = RSSM(
                controls.size,
                self.senses.outputs,
                deter=config.deter,
                hidden=config.hidden,
                stoch=config.stoch,
                activation="relu",
                dynamics=config.dynamics,
            )
            self.decoder = self.senses.decoder(self.rssm.features)
            self.reward = MLP(self.rssm.features, None, hidden=config.reward_layers, activation="relu")
        initialise(self, torch.Generator().manual_seed(seed))

    def errors(self, episode: Batch, generator: torch.Generator) -> dict[str, float]:
        """How far it errs in an episode [1, T + 1] when it goes on with the true actions, without seeing."""
        parts, horizon = (self.rssm, self.senses, self.decoder, self.reward), self.config.horizon
        with torch.no_grad():
            return foretold(*parts, episode, episode.rewards, horizon=horizon, generator=generator)


def losses(model: Model, batch: Batch, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """The terms of the loss (equation 3, or 7 with overshooting), means over sequences and steps, and the mean of
    KL(posterior || prior) without free nats.
    """
    config = model.config
    seen = model.senses.seen(batch.observations, generator)
    posteriors, priors = model.rssm.observe(model.senses(seen), batch.actions, batch.is_first, noise=generator)
    features = posteriors.features
    kl = posteriors.belief.kl(priors)
    if config.overshooting:
        ahead = overshooting(
            model.rssm,
            posteriors,
            batch.actions,
            batch.is_first,
            distance=config.overshooting,
            nats=config.free_nats,
            noise=generator,
            beta=config.beta,
        )
    terms = {
        "observation": -model.senses.log_prob(seen, model.decoder(features)).mean(),
        "reward": -config.reward_weight * unit_log_prob(batch.rewards, model.reward(features), 0).mean(),
        "divergence": config.kl_weight * (ahead if config.overshooting else free_each(kl, config.free_nats)),
    }
    return terms, kl.detach().mean()


class Learner:
    """Updates of a model, with chance of its own. A part of a `TrainingRun`."""

    def __init__(self, model: Model, seed: int):
        config = model.config
        self.model = model
        self.descents = Descents({"model": (model, config.rate)}, config.epsilon, config.clip, seed=seed)
        self.device, self.generator = self.descents.device, self.descents.generator
        self._half = halved(config.precision, self.device, model.senses.pictures)

    def update(self, sequences: Sequences, number: int) -> dict[str, float]:
        """One update; the figures of it. Raises ValueError if learning diverges."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            terms, kl = losses(self.model, Batch.of(sequences, self.device), self.generator)
        return self.descents.step("model", terms, f"update {number}") | {"model/divergence": float(kl)}

    def errors(self, episode: Sequences) -> dict[str, float]:
        """`Model.errors` in an episode [1, T + 1]."""
        return self.model.errors(Batch.of(episode, self.device), self.generator)

    def save(self, path: Path) -> None:
        """Write weights, optimiser and chance."""
        self.descents.save(path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.descents.load(path)


@dataclass(frozen=True, eq=False)
class Believed:
    """The carry: the latent state [B, ...], the plan [B, H, U] whose first action was taken from it, and chance."""

    state: State
    plan: Tensor
    generator: torch.Generator


class PlaNet:
    """Plans in latent space. An `Agent` for tasks with vectors of real numbers for actions; its carry is `Believed`."""

    presets: ClassVar[Mapping[str, Config]] = {
        "state_quick": STATE_QUICK,
        "pixels_quick": PIXELS_QUICK,
        "dmc": Config(),
        "pendulum": replace(STATE_QUICK, angles=(1,), horizon=15, updates=100),
        "cartpole-swingup": replace(STATE_QUICK, angles=(3,), horizon=15),
        "point-mass": STATE_QUICK,
        "pendulum@pixels": replace(PIXELS_QUICK, horizon=15),
        "cartpole-swingup@pixels": replace(PIXELS_QUICK, horizon=15),
        "point-mass@pixels": PIXELS_QUICK,
        **{f"dmc/{task}@planet": Config() for task in PAPER_TASKS},
        "dmc/*@planet": Config(),
        "*@pixels": PIXELS_QUICK,
    }

    def __init__(self, task: str, model: Model, controls: Controls):
        self.task, self.model, self.config, self.controls = task, model, model.config, controls
        self.device = next(model.parameters()).device
        ones = torch.ones(controls.size, device=self.device)
        self._low, self._high = -ones, ones

    def initial(self, batch: int, seed: int = 0) -> Believed:
        """As `Agent.initial`."""
        plan = torch.zeros(batch, self.config.horizon, self.controls.size, device=self.device)
        return Believed(self.model.rssm.initial(batch), plan, torch.Generator(self.device).manual_seed(seed))

    @torch.no_grad()
    def act(self, carry: Believed, turn: Turn, explore: bool) -> tuple[Actions, Believed]:
        """As `Agent.act`; with `explore`, noise is added to the planned action.

        Raises ValueError for observations that are not finite, or of another shape.
        """
        generator = carry.generator
        embed, first = encoded(self.model.senses, turn, generator)
        state = self.model.rssm.step(carry.state, carry.plan[:, 0], embed, first, noise=generator)
        plan = self._planned(state, generator)
        if explore:
            noise = torch.randn(plan[:, 0].shape, generator=generator, device=self.device)
            plan[:, 0] = (plan[:, 0] + self.config.exploration * noise).clamp(self._low, self._high)
        return self.controls.decoded(plan[:, 0].cpu().numpy()), Believed(state, plan, generator)

    @torch.no_grad()
    def foresee(self, carry: Believed, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: what is seen and rewarded along the plan. Pictures are those of the mean path."""
        config, model = self.config, self.model
        generator = torch.Generator(self.device).manual_seed(0)  # of its own: looking changes nothing
        noise = path_noise(model.rssm, config.horizon, config.futures, generator)
        nets, now = (model.rssm, model.senses, model.decoder), np.asarray(turn.observation)[row]
        start, plan, numbers = carry.state[row : row + 1], carry.plan[row], {"reward": model.reward}
        found = foreseen(*nets, start, plan, now, self.controls, numbers=numbers, noise=noise)
        value, looked_at = float(found.future["reward"].mean.sum()), config.population * config.iterations
        return replace(found, value=value, simulations=looked_at)

    def errors(self, episode: Sequences, seed: int = 0) -> dict[str, float]:
        """`Model.errors` in an episode [1, T + 1], as in `Episode.rows`."""
        return self.model.errors(Batch.of(episode, self.device), torch.Generator(self.device).manual_seed(seed))

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        shape = self.model.senses.shape
        save_latent(folder, "planet", self.task, self.config, shape, self.controls, self.model)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        return cls(*load_latent(folder, "planet", Config, Model))

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
        """As `Agent.train` (algorithm 1): episodes with updates between them; a `Progress` after each.

        What is resumed on the same machine goes on bit for bit as it would have. Raises ValueError if a loss is not
        finite or diverges; what was saved last is then still there.
        """
        if not isinstance(task, Task):
            raise ValueError(f"PlaNet learns tasks with real numbers for actions, {task.name} is a board game")
        controls, (shape, kind) = Controls.of(task), shown_by(task)
        if controls.discrete:
            raise ValueError(f"PlaNet plans real numbers, {task.name} has {controls.choices} actions to choose from")
        model = Model(config, shape, controls, seed).to(best_device())
        learner, agent = Learner(model, seed), cls(task.name, model, controls)
        replay = SequenceReplay(folder / "episodes", shape, kind, controls.size, config.capacity)
        collector = Collector(task, controls, seed)
        rng = np.random.default_rng(seed)
        run = TrainingRun(folder, {"model": learner, "episodes": replay, "acting": collector}, rng)
        run.begin(resume)
        counters = run.counters
        try:
            while run.goes_on(budget):
                number = counters.iterations + 1  # of the episode
                acting = agent if number > config.seed_episodes else AtRandom(controls)
                lived = gathered(collector, acting, replay, model.senses, episodes=1)
                counters.environment_steps += lived.frames
                figures = {"return/episode": lived.episodes[0].score}
                if number > config.seed_episodes:
                    figures |= learner.errors(latest(replay, ERROR_ROWS))
                if number >= config.seed_episodes:
                    told = []
                    for _ in range(config.updates):
                        counters.steps += 1
                        drawn = replay.sample(config.batch, config.length, rng, by_length=config.by_length)
                        told.append(learner.update(drawn, counters.steps))
                    figures |= averaged(told)
                yield run.record(figures, budget, agent)
        finally:
            collector.close()
            run.end(agent)

    def _planned(self, state: State, generator: torch.Generator) -> Tensor:
        """[B, H, U] plans from the states [B, ...], begun anew at every step."""
        config, rssm = self.config, self.model.rssm

        def cost(plans: Tensor) -> Tensor:
            batch, many = plans.shape[:2]
            starts = state.map(lambda x: x[:, None].expand(batch, many, *x.shape[1:]).flatten(0, 1))
            paths = rssm.imagine(starts, plans.flatten(0, 1).transpose(0, 1), noise=generator)
            return -self.model.reward(paths.features).sum(dim=0).view(batch, many)

        shape = (len(state.deter), config.horizon, self.controls.size)
        mean = torch.zeros(shape, device=self.device)
        return cem(
            cost,
            mean,
            torch.ones_like(mean),
            self._low,
            self._high,
            population=config.population,
            elites=config.elites,
            iterations=config.iterations,
            generator=generator,
            keep=0.0,
            least=0.0,
            truncated=False,
        )
