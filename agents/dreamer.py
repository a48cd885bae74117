"""Dreamer: behaviour learned in imagination, by gradients of imagined returns through the learned dynamics.

D. Hafner et al., "Dream to control: learning behaviors by latent imagination", ICLR 2020, with the constants of its
published code. A recurrent state-space model learns to tell what is seen and rewarded (section 4). From every state
that it was in, it imagines on for 15 steps as the actor chooses; the value of each imagined state is learned, and the
actor goes up the lambda-returns, whose gradients come back through values, rewards, states and actions (section 3,
algorithm 1).

How the states come by their meaning is `objective`: "reconstruction" of what is seen, "contrastive" (states are told
from what is seen, among those of the whole batch), or "reward" alone (section 4, figure 8). Choices take the place of
vectors by straight-through gradients, with an epsilon of random ones; `predict_end` learns when episodes end
(appendix A). The preset "arxiv_v1" is the first version's, with a value network copied now and then.

Departures: the model has made its step when a batch is dreamed from; vectors may take the place of pictures, in units
of their spread so far; and for the "quick" presets, what `deviation`, `shrink`, `starts`, `across`, `by_length` and
`model_first` say below.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from sakiyomi.agents.agent import Actions, Foresight, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.collecting import Collector
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.random_actions import AtRandom
from sakiyomi.agents.parts.episodes.sequences import SequenceReplay, Sequences
from sakiyomi.agents.parts.latent.actors import Actor, jittered, mixed_up
from sakiyomi.agents.parts.latent.batches import Batch
from sakiyomi.agents.parts.latent.behaviour import frozen, some_of, value_loss
from sakiyomi.agents.parts.latent.contrast import contrast
from sakiyomi.agents.parts.latent.distributions import Bernoulli, full, unit_log_prob
from sakiyomi.agents.parts.latent.experience import ERROR_ROWS, averaged, check_length, fits, gathered, latest
from sakiyomi.agents.parts.latent.files import load_latent, save_latent
from sakiyomi.agents.parts.latent.futures import Latent, acted_out, encoded, foretold
from sakiyomi.agents.parts.latent.kl_terms import free_each, free_mean
from sakiyomi.agents.parts.latent.observing import Precision, best_device, halved, shown_by
from sakiyomi.agents.parts.latent.paper_tasks import ATARI_GAMES, CONTROL_TASKS
from sakiyomi.agents.parts.latent.pixel_nets import MLP, initialise
from sakiyomi.agents.parts.latent.returns import lambda_returns, path_weights
from sakiyomi.agents.parts.latent.rssm import RSSM, State
from sakiyomi.agents.parts.latent.senses import Senses
from sakiyomi.agents.parts.runs.config_checks import check_layers, check_within
from sakiyomi.agents.parts.runs.descents import Descents
from sakiyomi.agents.parts.runs.training_run import TrainingRun
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the published code's for the control suite from pixels (appendix A)."""

    # the world model
    objective: Literal["reconstruction", "contrastive", "reward"] = "reconstruction"
    deter: int = 200  # units of the memory
    stoch: int = 30  # numbers of the stochastic state
    hidden: int = 200  # units of the state-space model's other layers
    depth: int = 32  # filters of the first convolution
    shrink: int = 1  # times that pictures are made smaller
    vector_layers: tuple[int, ...] = (400, 400)  # of the encoder and the decoder of vectors
    state_layers: tuple[int, ...] = (400, 400, 400)  # from what is seen to the state (contrastive)
    reward_layers: tuple[int, ...] = (400, 400)
    predict_end: bool = False  # learn when episodes end
    end_layers: tuple[int, ...] = (400, 400, 400)
    deviation: float = 1.0  # of what is observed from what is decoded
    reward_scale: float = 1.0  # rewards are learned times this
    squash: bool = False  # and through tanh
    # its loss (section 4)
    kl_weight: float = 1.0
    free_nats: float = 3.0
    free_each: bool = False  # of each step, not of the batch's mean
    reward_weight: float = 1.0
    end_weight: float = 10.0
    # behaviour (section 3)
    actor_layers: tuple[int, ...] = (400, 400, 400, 400)
    value_layers: tuple[int, ...] = (400, 400, 400)
    horizon: int = 15  # imagined steps
    discount: float = 0.99
    trace: float = 0.95  # lambda
    starts: int = 0  # states of a batch that are dreamed from; 0: all
    slow_copy: int = 0  # updates between copies of the value network that returns are of; 0: the network itself
    # learning
    model_rate: float = 6e-4  # Adam's
    value_rate: float = 8e-5
    actor_rate: float = 8e-5
    epsilon: float = 1e-7
    clip: float = 100.0  # norm of each gradient, of losses in nats: what weighs more is cut the sooner
    batch: int = 50  # sequences
    length: int = 50  # steps of a sequence
    across: bool = False  # sequences may go on into the next episode
    by_length: bool = False  # an episode is drawn as often as it has beginnings of sequences; else all alike
    capacity: int = 5_000_000  # steps that are remembered
    prefill: int = 5000  # environment steps at random, before learning
    pretrain: int = 100  # updates when they are done
    model_first: int = 0  # updates of the model alone, before behaviour is learned in it
    train_every: int = 1000  # environment steps
    updates: int = 100  # then
    # exploration
    noise: float = 0.3  # deviation of what is added to vectors, which go from -1 to 1
    random_most: float = 0.4  # share of choices at random
    random_least: float = 0.1
    random_updates: int = 200_000  # until the least
    # machine
    save_every: float = 60.0  # seconds
    futures: int = 16  # that `foresee` draws
    precision: Precision = "auto"  # of products; auto: bfloat16 where it is faster
    compiled: bool = False  # by torch.compile, which pays on a GPU

    def __post_init__(self) -> None:
        sizes = ("deter", "stoch", "hidden", "depth", "shrink", "batch", "capacity", "futures")
        check_within(self, 1, math.inf, *sizes, "train_every", "updates", "random_updates")
        check_within(self, 2, math.inf, "horizon", "length")
        check_within(self, 0, math.inf, "starts", "slow_copy", "prefill", "pretrain", "model_first")
        check_within(self, 0, math.inf, "free_nats", "noise")
        check_within(self, 0, 1, "discount", "trace", "random_most", "random_least")
        rates = ("model_rate", "value_rate", "actor_rate")
        check_within(self, 1e-6, math.inf, *rates, "deviation", "reward_scale", "clip")
        check_layers(self, *(name for name in vars(self) if name.endswith("_layers")))

    def random_share(self, updates: int) -> float:
        """The share of choices at random after so many updates."""
        gone = min(updates / self.random_updates, 1.0)
        return self.random_most + gone * (self.random_least - self.random_most)


DMC = Config()
ATARI = Config(horizon=10, kl_weight=0.1, squash=True, predict_end=True)
PLAYED = replace(ATARI, squash=False)  # the tasks ALE/GAME@dreamer squash rewards themselves
ARXIV_V1 = Config(horizon=20, model_rate=1e-3, value_rate=3e-4, actor_rate=3e-4, slow_copy=100, free_each=True)
STATE_QUICK = Config(  # vectors, in minutes on one core
    deter=100, stoch=15, hidden=100, vector_layers=(100, 100), state_layers=(128, 128), reward_layers=(128, 128),
    end_layers=(128, 128), deviation=0.1, free_nats=0.1, actor_layers=(128, 128), value_layers=(128, 128), starts=256,
    model_rate=1e-3, value_rate=3e-4, actor_rate=3e-4, batch=16, across=True, by_length=True, prefill=1000,
    train_every=100, updates=20, random_updates=2000,
)  # fmt: skip
UNIT_REWARDS = replace(STATE_QUICK, reward_weight=100.0)  # tasks where a step's reward is from 0 to 1
PENDULUM = replace(  # Gymnasium's: rewards from -16 to 0 a frame, so that values go down to some hundreds, scaled
    UNIT_REWARDS, reward_scale=0.1, actor_rate=1e-4, value_rate=1e-3, updates=50, model_first=100
)
PROPRIO = replace(UNIT_REWARDS, actor_rate=1e-4, value_rate=1e-3, prefill=5000, model_first=100)
PIXELS_QUICK = replace(  # the unit deviation, for which `clip` is meant; so the rest weighs against what is seen
    UNIT_REWARDS, shrink=2, depth=16, deviation=1.0, kl_weight=0.2, free_nats=0.0, model_rate=3e-3, actor_rate=1e-4,
    value_rate=1e-3, length=32, pretrain=500, model_first=500, updates=50, noise=0.1,
)  # fmt: skip
OURS = ("pendulum", "cartpole-swingup", "point-mass")


class World(nn.Module):
    """The model of the world, of observations of `shape` and actions of `actions` numbers."""

    def __init__(self, config: Config, shape: tuple[int, ...], actions: int):
        super().__init__()
        self.config = config
        self.senses = Senses(shape, config.depth, config.vector_layers, config.shrink, config.deviation)
        embed = self.senses.outputs
        self.rssm = RSSM(actions, embed, deter=config.deter, hidden=config.hidden, stoch=config.stoch)
        features = self.rssm.features
        self.decoder = self.senses.decoder(features) if config.objective == "reconstruction" else None
        contrasts = config.objective == "contrastive"
        self.state = MLP(embed, features, hidden=config.state_layers) if contrasts else None
        self.reward = MLP(features, None, hidden=config.reward_layers)
        self.end = MLP(features, None, hidden=config.end_layers) if config.predict_end else None

    def aims(self, rewards: Tensor) -> Tensor:
        """Rewards as they are to be predicted."""
        scaled = self.config.reward_scale * rewards
        return torch.tanh(scaled) if self.config.squash else scaled

    def discounts(self, features: Tensor) -> Tensor:
        """[...], how much counts what comes after states: as is predicted of their features [..., F], or constant."""
        if self.end is None:
            return torch.full(features.shape[:-1], self.config.discount, device=features.device)
        return Bernoulli(self.end(features)).mean

    def errors(self, episode: Batch, generator: torch.Generator) -> dict[str, float]:
        """How far it errs in an episode [1, T + 1] when it goes on with the true actions, without seeing."""
        if self.decoder is None:
            return {}
        parts, rewards = (self.rssm, self.senses, self.decoder, self.reward), self.aims(episode.rewards)
        with torch.no_grad():
            return foretold(*parts, episode, rewards, horizon=self.config.horizon, generator=generator)


class Networks(nn.Module):
    """All that Dreamer learns: `world`, `actor`, `value`, and the `target` whose values returns are of."""

    def __init__(self, config: Config, shape: tuple[int, ...], controls: Controls, seed: int):
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):  # layers draw weights when they are made, which are drawn anew below
            self.world = World(config, shape, controls.size)
            features, actions = self.world.rssm.features, (controls.size, controls.discrete)
            self.actor = Actor(features, *actions, config.actor_layers, "tanh_gaussian")
            self.value = MLP(features, None, hidden=config.value_layers)
            self.target = MLP(features, None, hidden=config.value_layers) if config.slow_copy else None
        initialise(self, torch.Generator().manual_seed(seed))
        if self.target is not None:
            self.target.requires_grad_(False).load_state_dict(self.value.state_dict())


def model_losses(world: World, batch: Batch, noise: Tensor) -> tuple[dict[str, Tensor], Tensor, State]:
    """The terms of the model's loss (section 4), means over sequences and steps; the mean of
    KL(posterior || prior) without free nats; and the posterior states [B, L, ...]. `noise` is the state-space model's.
    """
    config = world.config
    seen = world.senses.seen(batch.observations)
    embeds = world.senses(seen)
    posteriors, priors = world.rssm.observe(embeds, batch.actions, batch.is_first, noise=noise)
    features = posteriors.features
    kl = posteriors.belief.kl(priors)
    free = free_each if config.free_each else free_mean
    terms = {
        "reward": -config.reward_weight * unit_log_prob(world.aims(batch.rewards), world.reward(features), 0).mean(),
        "divergence": config.kl_weight * free(kl, config.free_nats),
    }
    if world.decoder is not None:
        terms["observation"] = -world.senses.log_prob(seen, world.decoder(features)).mean()
    if world.state is not None:
        terms["contrast"] = contrast(features.flatten(0, 1), world.state(embeds).flatten(0, 1))
    if world.end is not None:
        target = config.discount * (~batch.is_terminal).float()
        terms["end"] = -config.end_weight * Bernoulli(world.end(features)).log_prob(target).mean()
    return terms, kl.detach().mean(), posteriors


@dataclass(frozen=True)
class Dreamed:
    """Paths of N starts, of H steps, without the starts themselves."""

    loss: Tensor  # the actor's
    features: Tensor  # [H, N, F]
    returns: Tensor  # [H - 1, N], of all states but the last
    weights: Tensor  # [H - 1, N]


def dreamed(nets: Networks, starts: State, alive: Tensor, noise: Tensor, actions: Tensor) -> Dreamed:
    """Imagine, and the actor's loss -mean(w G) (section 3), whose gradients come through the dynamics.

    From `starts` [N, ...], which count for as much as `alive` [N]; `noise` [H, N, variables] is that of the states,
    `actions` [H, N, ...] that of the actor's draws. The start itself has no return: actions change nothing of it.
    """
    config, world = nets.config, nets.world
    states, _ = world.rssm.dream(
        starts, lambda state, h: nets.actor(state.features.detach()).draw(actions[h]), config.horizon, noise=noise
    )
    features = states.features
    values = full((nets.value if nets.target is None else nets.target)(features))
    discounts = world.discounts(features)
    returns = lambda_returns(full(world.reward(features)), values, discounts, config.trace)
    weights = path_weights(discounts) * alive
    return Dreamed(-(weights * returns).mean(), features, returns, weights)


class Learner:
    """Updates of all networks, with chance of its own. A part of a `TrainingRun`."""

    def __init__(self, nets: Networks, seed: int):
        config = nets.config
        self.nets, self.config = nets, config
        rates = {
            "model": (nets.world, config.model_rate),
            "actor": (nets.actor, config.actor_rate),
            "value": (nets.value, config.value_rate),
        }
        copies = {} if nets.target is None else {"target": nets.target}
        self.descents = Descents(rates, config.epsilon, config.clip, seed=seed, copies=copies)
        self.device, self.generator = self.descents.device, self.descents.generator
        self._half = halved(config.precision, self.device, nets.world.senses.pictures)
        self._model_losses = torch.compile(model_losses) if config.compiled else model_losses
        self._dreamed = torch.compile(dreamed) if config.compiled else dreamed

    def update(self, sequences: Sequences, number: int) -> dict[str, float]:
        """Update number `number`, 1 the first; its figures. Raises ValueError if learning diverges."""
        nets, where, batch = self.nets, f"update {number}", Batch.of(sequences, self.device)
        rssm, generator = nets.world.rssm, self.generator
        noise = rssm.noise(*batch.is_first.shape, generator=generator)
        with self._autocast():
            terms, kl, posteriors = self._model_losses(nets.world, batch, noise)
        figures = self.descents.step("model", terms, where) | {"model/divergence": float(kl)}
        if number <= self.config.model_first:
            return figures
        starts, alive = self._starts(posteriors, batch)
        shape = (self.config.horizon, len(alive))
        chances = rssm.noise(*shape, generator=generator), nets.actor.noise(*shape, generator=generator)
        with self._autocast(), frozen(nets.world, nets.value):
            dream = self._dreamed(nets, starts, alive, *chances)
        figures |= self.descents.step("actor", {"actor": dream.loss}, where)
        with self._autocast():
            values = full(nets.value(dream.features[:-1].detach()))
        figures |= self.descents.step("value", {"value": value_loss(values, dream.returns, dream.weights)}, where)
        if nets.target is not None and number % self.config.slow_copy == 0:
            nets.target.load_state_dict(nets.value.state_dict())
        return figures | {"dream/return": float(dream.returns.detach().mean())}

    def errors(self, episode: Sequences) -> dict[str, float]:
        """`World.errors` in an episode [1, T + 1]."""
        return self.nets.world.errors(Batch.of(episode, self.device), self.generator)

    def save(self, path: Path) -> None:
        """Write weights, optimisers and chance."""
        self.descents.save(path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.descents.load(path)

    def _starts(self, posteriors: State, batch: Batch) -> tuple[State, Tensor]:
        """States [N, ...] to dream from, and [N] 0 for those that nothing comes after.

        Where ends are predicted, the last of each sequence, which may be one, is left out as in the published code.
        """
        alive = torch.ones_like(batch.rewards)
        if self.config.predict_end:
            posteriors, alive = posteriors[:, :-1], (~batch.is_terminal[:, :-1]).float()
        chosen = some_of(alive.numel(), self.config.starts, self.generator)
        return posteriors.detach().map(lambda x: x.flatten(0, 1)[chosen]), alive.flatten()[chosen]

    def _autocast(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._half)


class Dreamer:
    """Acts as its actor says in latent states. An `Agent` for vectors of real numbers and for choices."""

    presets: ClassVar[Mapping[str, Config]] = {
        "state_quick": STATE_QUICK,
        "pixels_quick": PIXELS_QUICK,
        "dmc": DMC,
        "atari": ATARI,
        "arxiv_v1": ARXIV_V1,
        **dict.fromkeys(OURS, UNIT_REWARDS),
        **dict.fromkeys(("gym/Pendulum-v1", "gym/Pendulum-v1@repeat:2"), PENDULUM),
        **{f"{task}@pixels": PIXELS_QUICK for task in OURS},
        **{f"dmc/{task}@dreamer": DMC for task in CONTROL_TASKS},
        **{f"ALE/{game}-v5@dreamer": PLAYED for game in ATARI_GAMES},
        "dmc/*@dreamer": DMC,
        "dmc/*@proprio": PROPRIO,
        "ALE/*@dreamer": PLAYED,
        "*@pixels": PIXELS_QUICK,
    }

    def __init__(self, task: str, nets: Networks, controls: Controls):
        self.task, self.nets, self.config, self.controls = task, nets, nets.config, controls
        self.device = next(nets.parameters()).device
        self.random = self.config.random_least
        """The share of choices that are made at random to explore."""

    def initial(self, batch: int, seed: int = 0) -> Latent:
        """As `Agent.initial`."""
        action = torch.zeros(batch, self.controls.size, device=self.device)
        return Latent(self.nets.world.rssm.initial(batch), action, torch.Generator(self.device).manual_seed(seed))

    @torch.no_grad()
    def act(self, carry: Latent, turn: Turn, explore: bool) -> tuple[Actions, Latent]:
        """As `Agent.act`; with `explore` actions are drawn, and noise added or some of them chosen at random.

        Raises ValueError for observations that are not finite, or of another shape.
        """
        world, actor, generator = self.nets.world, self.nets.actor, carry.generator
        embed, first = encoded(world.senses, turn, generator)
        state = world.rssm.step(carry.state, carry.action, embed, first, noise=generator)
        if not explore:
            action = actor.best(state.features, generator)
        elif self.controls.discrete:
            action = mixed_up(actor(state.features).draw(generator), self.random, generator)
        else:
            action = jittered(actor(state.features).draw(generator), self.config.noise, generator)
        return self.controls.decoded(action.cpu().numpy()), Latent(state, action, generator)

    @torch.no_grad()
    def foresee(self, carry: Latent, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: what is seen, rewarded and worth along the actor's best actions."""
        world, config = self.nets.world, self.config
        numbers = {"reward": self._unscaled(world.reward), "value": self._unscaled(self.nets.value)}
        if world.end is not None:
            numbers["continue"] = lambda features: (world.discounts(features) / config.discount).clamp(max=1)
        nets, about = (world.rssm, world.senses, world.decoder, self.nets.actor), (carry, turn, row, self.controls)
        return acted_out(*nets, *about, numbers=numbers, horizon=config.horizon, futures=config.futures)

    def _unscaled(self, head: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """What `head` tells of features, in units of the task's rewards."""
        return lambda features: head(features) / self.config.reward_scale

    def errors(self, episode: Sequences, seed: int = 0) -> dict[str, float]:
        """`World.errors` in an episode [1, T + 1], as in `Episode.rows`."""
        return self.nets.world.errors(Batch.of(episode, self.device), torch.Generator(self.device).manual_seed(seed))

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        save_latent(folder, "dreamer", self.task, self.config, self.nets.world.senses.shape, self.controls, self.nets)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        return cls(*load_latent(folder, "dreamer", Config, Networks))

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
        """As `Agent.train` (algorithm 1): stretches of acting with updates between them; a `Progress` after each.

        What is resumed on the same machine goes on bit for bit as it would have. Raises ValueError if a loss is not
        finite or diverges; what was saved last is then still there.
        """
        if not isinstance(task, Task):
            raise ValueError(f"Dreamer learns tasks of one player, {task.name} is a board game")
        controls, (shape, kind) = Controls.of(task), shown_by(task)
        check_length(task, config.length, config.across)
        nets = Networks(config, shape, controls, seed).to(best_device())
        learner, agent, rng = Learner(nets, seed), cls(task.name, nets, controls), np.random.default_rng(seed)
        replay = SequenceReplay(folder / "episodes", shape, kind, controls.size, config.capacity)
        collector = Collector(task, controls, seed)
        run = TrainingRun(folder, {"networks": learner, "episodes": replay, "acting": collector}, rng)
        run.begin(resume)
        counters = run.counters
        try:
            while run.goes_on(budget):
                agent.random = config.random_share(counters.steps)
                acting = agent if counters.steps else AtRandom(controls)
                lived = gathered(collector, acting, replay, nets.world.senses, frames=config.train_every)
                counters.environment_steps += lived.frames
                figures = averaged([{"return/episode": episode.score} for episode in lived.episodes])
                if lived.episodes and counters.steps:
                    figures |= learner.errors(latest(replay, ERROR_ROWS))
                if counters.environment_steps >= config.prefill and fits(replay, config.length, config.across):
                    told = []
                    for _ in range(config.updates if counters.steps else max(config.pretrain, 1)):
                        counters.steps += 1
                        how = {"across": config.across, "by_length": config.by_length}
                        drawn = replay.sample(config.batch, config.length, rng, **how)
                        told.append(learner.update(drawn, counters.steps))
                    figures |= averaged(told)
                yield run.record(figures, budget, agent, config.save_every)
        finally:
            collector.close()
            run.end(agent)
