"""DreamerV2: a world model of discrete latent states, and behaviour learned in it by policy gradients.

D. Hafner et al., "Mastering Atari with discrete world models", ICLR 2021, with the constants of its published code.
The stochastic state of a recurrent state-space model is 32 variables of 32 classes, with straight-through gradients;
its KL term trains the prior faster than the posterior (section 2.1, algorithms 1 and 2); when episodes end is learned
too. From the states that the model was in, the actor imagines on, and learns by REINFORCE, by gradients
through the dynamics, or a mix of both, with an entropy bonus; the critic learns lambda-returns of a copy of itself
that is renewed every 100 updates (section 2.2, equations 4 to 6).

The presets "atari" and "atari_paper" differ in how often they learn, and from how much at a time: the published code
makes a twelfth of the paper's updates of a state. Tasks ``ALE/GAME-v5@dreamer`` squash rewards themselves.

Departures: vectors are in units of their spread so far; where a piece of an episode begins in its midst, the state is
forgotten as in the published code, but not the action, so that it does not look like the beginning of an episode; and
for the "quick" presets, `deviation` of what is observed other than 1, pictures made smaller by `shrink`, dreams from
some of the states (`starts`), shorter pieces of episodes, which are drawn by their length (`by_length`).
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from sakiyomi.agents.agent import Actions, Foresight, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.collecting import Collector
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.random_actions import AtRandom
from sakiyomi.agents.parts.episodes.sequences import SequenceReplay, Sequences, Streams
from sakiyomi.agents.parts.latent.actors import Actor
from sakiyomi.agents.parts.latent.batches import Batch
from sakiyomi.agents.parts.latent.behaviour import frozen, some_of, value_loss
from sakiyomi.agents.parts.latent.distributions import Bernoulli, full, unit_log_prob
from sakiyomi.agents.parts.latent.experience import ERROR_ROWS, averaged, check_length, fits, gathered, latest
from sakiyomi.agents.parts.latent.files import load_latent, save_latent
from sakiyomi.agents.parts.latent.futures import Latent, acted_out, encoded, foretold
from sakiyomi.agents.parts.latent.kl_terms import balanced_kl
from sakiyomi.agents.parts.latent.observing import Precision, best_device, halved, shown_by
from sakiyomi.agents.parts.latent.paper_tasks import ATARI_GAMES, CONTROL_TASKS
from sakiyomi.agents.parts.latent.pixel_nets import MLP, initialise
from sakiyomi.agents.parts.latent.returns import lambda_returns, path_weights
from sakiyomi.agents.parts.latent.rssm import RSSM, State
from sakiyomi.agents.parts.latent.senses import Senses
from sakiyomi.agents.parts.runs.config_checks import check_layers, check_within
from sakiyomi.agents.parts.runs.descents import Descents
from sakiyomi.agents.parts.runs.training_run import Part, TrainingRun
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task

HEAD = (400, 400, 400, 400)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the published code's for Atari; the paper has another `discount`, `batch` and `train_every`."""

    # the world model (section 2.1)
    deter: int = 600  # units of the memory
    hidden: int = 600  # units of the state-space model's other layers
    stoch: int = 32  # variables of the stochastic state
    classes: int = 32  # of each; 0: normal numbers
    depth: int = 48  # filters of the first convolution
    shrink: int = 1  # times that pictures are made smaller
    vector_layers: tuple[int, ...] = HEAD  # of the encoder and the decoder of vectors
    reward_layers: tuple[int, ...] = HEAD
    predict_end: bool = True  # learn when episodes end
    end_layers: tuple[int, ...] = HEAD
    deviation: float = 1.0  # of what is observed from what is decoded
    squash: bool = True  # tanh of the rewards
    # its loss (equation 2)
    kl_weight: float = 0.1
    balance: float = 0.8  # the prior's share
    free_nats: float = 0.0  # of each mean
    reward_weight: float = 1.0
    end_weight: float = 5.0
    # behaviour (section 2.2)
    actor_layers: tuple[int, ...] = HEAD
    value_layers: tuple[int, ...] = HEAD
    horizon: int = 15  # imagined steps
    discount: float = 0.999
    trace: float = 0.95  # lambda
    starts: int = 0  # states of a batch that are dreamed from; 0: all
    reinforce: float | None = None  # its share, the rest being gradients of the dynamics; none: 1 for choices, else 0
    entropy: float = 1e-3  # weight of the actor's
    slow_copy: int = 100  # updates between copies of the critic
    # learning
    model_rate: float = 2e-4  # Adam's
    actor_rate: float = 4e-5
    value_rate: float = 1e-4
    epsilon: float = 1e-5
    clip: float = 100.0  # norm of each gradient, of losses in nats: what weighs more is cut the sooner
    decay: float = 1e-6  # of the weights, taken off at each step
    batch: int = 16  # sequences
    length: int = 50  # steps of a sequence
    shortest: int = 50  # steps of a piece of an episode; sequences are of such pieces
    longest: int = 50
    ends: bool = True  # pieces at the end of episodes are likelier
    by_length: bool = False  # an episode is drawn as often as it has beginnings of pieces; else all alike
    capacity: int = 2_000_000  # steps that are remembered
    prefill: int = 50_000  # decisions at random, before learning
    held: int = 1  # of them, the most that an action is done for; it is drawn each time
    pretrain: int = 1  # updates when they are done
    model_first: int = 0  # updates of the model alone, before behaviour is learned in it
    train_every: int = 16  # decisions
    updates: int = 1  # then
    report_every: int = 100  # times
    # machine
    save_every: float = 60.0  # seconds
    futures: int = 16  # that `foresee` draws
    precision: Precision = "auto"  # of products; auto: bfloat16 where it is faster
    compiled: bool = False  # by torch.compile, which pays on a GPU

    def __post_init__(self) -> None:
        check_within(self, 1, math.inf, "deter", "hidden", "stoch", "depth", "shrink", "batch", "length", "capacity")
        check_within(self, 1, math.inf, "train_every", "updates", "slow_copy", "report_every", "futures", "held")
        check_within(self, 2, math.inf, "horizon", "shortest")
        check_within(self, self.shortest, math.inf, "longest")
        check_within(self, 0, math.inf, "classes", "starts", "prefill", "pretrain", "model_first")
        check_within(self, 0, math.inf, "free_nats", "entropy")
        check_within(self, 0, 1, "discount", "trace", "balance", "decay")
        check_within(self, 1e-6, math.inf, "deviation", "model_rate", "value_rate", "actor_rate", "clip")
        check_layers(self, "vector_layers", "reward_layers", "end_layers", "actor_layers", "value_layers")
        if self.reinforce is not None:
            check_within(self, 0, 1, "reinforce")

    def share(self, discrete: bool) -> float:
        """That of REINFORCE in the actor's loss, the paper's rho."""
        return float(discrete) if self.reinforce is None else self.reinforce


ATARI = Config()
DMC = Config(
    deter=200, hidden=200, kl_weight=1.0, free_nats=1.0, predict_end=False, squash=False, discount=0.99, entropy=1e-4,
    model_rate=3e-4, actor_rate=8e-5, value_rate=8e-5, ends=False, prefill=1000, pretrain=100, train_every=5,
)  # fmt: skip
DISCRETE_QUICK = Config(  # vectors and choices, in minutes on one core: a critic has some thousand updates to settle
    deter=128, hidden=128, stoch=8, classes=8, vector_layers=(128, 128), reward_layers=(128, 128),
    end_layers=(128, 128), deviation=0.1, squash=False, kl_weight=1.0, actor_layers=(128, 128),
    value_layers=(128, 128), discount=0.99, starts=256, slow_copy=20, model_rate=1e-3, actor_rate=3e-4, value_rate=1e-3,
    length=32, shortest=8, longest=32, by_length=True, prefill=500, pretrain=100, train_every=5, report_every=20,
)  # fmt: skip
CARTPOLE = replace(DISCRETE_QUICK, train_every=2, report_every=50)
UNIT_REWARDS = replace(DISCRETE_QUICK, predict_end=False, reward_weight=100.0, entropy=1e-4)  # tasks of ours, 0 to 1
PIXELS_QUICK = replace(  # the unit deviation, for which `clip` is meant; so the rest weighs against what is seen
    UNIT_REWARDS, stoch=16, classes=16, shrink=2, depth=16, deviation=1.0, kl_weight=0.05, actor_rate=1e-4,
    epsilon=1e-7, prefill=1000, pretrain=500, model_first=500, train_every=2, report_every=50,
)  # fmt: skip
SQUASHED = replace(ATARI, squash=False)  # tasks that squash their rewards themselves
OURS = ("pendulum", "cartpole-swingup", "point-mass")


class World(nn.Module):
    """The model of the world, of observations of `shape` and actions of `actions` numbers."""

    def __init__(self, config: Config, shape: tuple[int, ...], actions: int):
        super().__init__()
        self.config = config
        layers, seen = config.vector_layers, (config.shrink, config.deviation)
        self.senses = Senses(shape, config.depth, layers, *seen, activation="elu")
        self.rssm = RSSM(
            actions, self.senses.outputs, deter=config.deter, hidden=config.hidden, stoch=config.stoch,
            classes=config.classes, std="sigmoid", cell="layer_norm",
        )  # fmt: skip
        features = self.rssm.features
        self.decoder = self.senses.decoder(features)
        self.reward = MLP(features, None, hidden=config.reward_layers)
        self.end = MLP(features, None, hidden=config.end_layers) if config.predict_end else None

    def aims(self, rewards: Tensor) -> Tensor:
        """Rewards as they are to be predicted."""
        return torch.tanh(rewards) if self.config.squash else rewards

    def discounts(self, features: Tensor, terminal: Tensor) -> Tensor:
        """[H, N], how much counts what comes after states of features [H, N, F]: as is predicted, or constant.

        Of the first states it is known whether they were `terminal` [N].
        """
        if self.end is None:
            return torch.full(features.shape[:-1], self.config.discount, device=features.device)
        first = self.config.discount * (~terminal).float()
        return torch.cat([first[None], Bernoulli(self.end(features[1:])).mean])

    def errors(self, episode: Batch, generator: torch.Generator) -> dict[str, float]:
        """How far it errs in an episode [1, T + 1] when it goes on with the true actions, without seeing."""
        parts, rewards = (self.rssm, self.senses, self.decoder, self.reward), self.aims(episode.rewards)
        with torch.no_grad():
            return foretold(*parts, episode, rewards, horizon=self.config.horizon, generator=generator)


class Networks(nn.Module):
    """All that DreamerV2 learns: `world`, `actor`, `value` (the critic), and its slow copy `target`."""

    def __init__(self, config: Config, shape: tuple[int, ...], controls: Controls, seed: int):
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):  # layers draw weights when they are made, which are drawn anew below
            self.world = World(config, shape, controls.size)
            features, actions = self.world.rssm.features, (controls.size, controls.discrete)
            self.actor = Actor(features, *actions, config.actor_layers, "truncated_normal")
            self.value, self.target = (MLP(features, None, hidden=config.value_layers) for _ in range(2))
        initialise(self, torch.Generator().manual_seed(seed))
        self.target.requires_grad_(False).load_state_dict(self.value.state_dict())


def model_losses(world: World, batch: Batch, state: State, noise: Tensor) -> tuple[dict[str, Tensor], Tensor, State]:
    """The terms of the model's loss (equation 2), means over sequences and steps; the mean of KL(posterior || prior);
    and the posterior states [B, L, ...]. `state` [B, ...] is that before the batch, `noise` the state-space model's.
    """
    config = world.config
    seen = world.senses.seen(batch.observations)
    posteriors, priors = world.rssm.observe(world.senses(seen), batch.actions, batch.is_first, state, noise=noise)
    features, belief = posteriors.features, posteriors.belief
    rewards = unit_log_prob(world.aims(batch.rewards), world.reward(features), 0)
    terms = {
        "observation": -world.senses.log_prob(seen, world.decoder(features)).mean(),
        "reward": -config.reward_weight * rewards.mean(),
        "divergence": config.kl_weight * balanced_kl(belief, priors, balance=config.balance, nats=config.free_nats),
    }
    if world.end is not None:
        goes_on = config.discount * (~batch.is_terminal).float()
        terms["end"] = -config.end_weight * Bernoulli(world.end(features)).log_prob(goes_on).mean()
    return terms, belief.kl(priors).detach().mean(), posteriors


@dataclass(frozen=True)
class Dreamed:
    """Paths of N starts, of H steps."""

    loss: Tensor  # the actor's
    features: Tensor  # [H + 1, N, F]
    returns: Tensor  # [H, N], of all states but the last
    weights: Tensor  # [H, N]
    entropy: Tensor  # the actor's, mean


def dreamed(nets: Networks, starts: State, terminal: Tensor, noise: Tensor, actions: Tensor) -> Dreamed:
    """Imagine, and the actor's loss (equation 6).

    From `starts` [N, ...], which are `terminal` [N] or not; `noise` [H, N, variables] is that of the states, `actions`
    [H, N, ...] that of the actor's draws. The action in s_t is judged by the return from s_{t+1} on, less the value of
    s_t: the first return and the last action are of no use to the actor.
    """
    config, world = nets.config, nets.world
    share = config.share(nets.actor.discrete)
    with torch.set_grad_enabled(share < 1):  # REINFORCE needs no gradient of the paths
        states, taken = world.rssm.dream(
            starts, lambda state, h: nets.actor(state.features.detach()).draw(actions[h]), config.horizon, noise=noise
        )
        features = torch.cat([starts.features[None], states.features])
        values = full(nets.target(features))
        discounts = world.discounts(features, terminal)
        returns = lambda_returns(full(world.reward(features)), values, discounts, config.trace)
    weights = path_weights(discounts)
    policy = nets.actor(features[:-2].detach())
    entropy = policy.entropy()
    objective = config.entropy * entropy
    if share > 0:
        advantages = (returns[1:] - values[:-2]).detach()
        objective = objective + share * policy.log_prob(taken[:-1].detach()) * advantages
    if share < 1:
        objective = objective + (1 - share) * returns[1:]
    loss = -(weights[:-1] * objective).mean()
    return Dreamed(loss, features, returns, weights, entropy.detach().mean())


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
        copies, settings = {"target": nets.target}, (config.epsilon, config.clip, config.decay)
        self.descents = Descents(rates, *settings, seed=seed, copies=copies)
        self.device, self.generator = self.descents.device, self.descents.generator
        self.state = nets.world.rssm.initial(config.batch)  # in which the last batch ended
        self._half = halved(config.precision, self.device, nets.world.senses.pictures)
        self._model_losses = torch.compile(model_losses) if config.compiled else model_losses
        self._dreamed = torch.compile(dreamed) if config.compiled else dreamed

    def update(self, sequences: Sequences, number: int) -> dict[str, float]:
        """Update number `number`, 1 the first; its figures. The sequences go on from those of the last update.

        Raises ValueError if learning diverges.
        """
        nets, where, batch = self.nets, f"update {number}", Batch.of(sequences, self.device)
        rssm, generator = nets.world.rssm, self.generator
        noise = rssm.noise(*batch.is_first.shape, generator=generator)
        with self._autocast():
            terms, kl, posteriors = self._model_losses(nets.world, batch, self.state, noise)
        figures = self.descents.step("model", terms, where)
        posteriors = posteriors.detach()
        self.state = posteriors[:, -1]
        if number <= self.config.model_first:
            return figures | {"model/divergence": float(kl)}
        chosen = some_of(batch.is_first.numel(), self.config.starts, generator)
        starts = posteriors.map(lambda x: x.flatten(0, 1)[chosen])
        shape = (self.config.horizon, len(chosen))
        chances = rssm.noise(*shape, generator=generator), nets.actor.noise(*shape, generator=generator)
        with self._autocast(), frozen(nets.world):
            dream = self._dreamed(nets, starts, batch.is_terminal.flatten()[chosen], *chances)
        figures |= self.descents.step("actor", {"actor": dream.loss}, where)
        with self._autocast():
            values = full(nets.value(dream.features[:-1].detach()))
        figures |= self.descents.step("value", {"value": value_loss(values, dream.returns, dream.weights)}, where)
        if number % self.config.slow_copy == 0:
            nets.target.load_state_dict(nets.value.state_dict())
        means = torch.stack([kl, dream.returns.detach().mean(), dream.entropy]).tolist()
        return figures | dict(zip(("model/divergence", "dream/return", "actor/entropy"), means, strict=True))

    def errors(self, episode: Sequences) -> dict[str, float]:
        """`World.errors` in an episode [1, T + 1]."""
        return self.nets.world.errors(Batch.of(episode, self.device), self.generator)

    def save(self, path: Path) -> None:
        """Write weights, optimisers, chance, and the states in which the last batch ended."""
        self.descents.save(path, {"deter": self.state.deter, "stoch": self.state.stoch})

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        others = self.descents.load(path)
        deter, stoch = (others[name].to(self.device) for name in ("deter", "stoch"))
        self.state = State(deter, stoch, self.state.belief)

    def _autocast(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._half)


class DreamerV2:
    """Acts as its actor says in latent states. An `Agent` for vectors of real numbers and for choices."""

    presets: ClassVar[Mapping[str, Config]] = {
        "discrete_quick": DISCRETE_QUICK,
        "pixels_quick": PIXELS_QUICK,
        "atari": ATARI,
        "atari_paper": replace(ATARI, batch=50, train_every=4, discount=0.995),
        "dmc_vision": DMC,
        "dmc_proprio": DMC,
        "gym/CartPole-v1": CARTPOLE,
        **dict.fromkeys(OURS, UNIT_REWARDS),
        **{f"{task}@pixels": PIXELS_QUICK for task in OURS},
        **{f"dmc/{task}@{seen}": DMC for task in CONTROL_TASKS for seen in ("dreamer", "proprio")},
        **{f"ALE/{game}-v5@dreamer": SQUASHED for game in ATARI_GAMES},
        "ALE/MontezumaRevenge-v5@dreamer": replace(SQUASHED, discount=0.99),
        "dmc/humanoid-walk@dreamer": replace(DMC, entropy=1e-5, kl_weight=2.0),
        "dmc/*@dreamer": DMC,
        "dmc/*@proprio": DMC,
        "ALE/*@dreamer": SQUASHED,
        "*@pixels": PIXELS_QUICK,
    }

    def __init__(self, task: str, nets: Networks, controls: Controls):
        self.task, self.nets, self.config, self.controls = task, nets, nets.config, controls
        self.device = next(nets.parameters()).device

    def initial(self, batch: int, seed: int = 0) -> Latent:
        """As `Agent.initial`."""
        action = torch.zeros(batch, self.controls.size, device=self.device)
        return Latent(self.nets.world.rssm.initial(batch), action, torch.Generator(self.device).manual_seed(seed))

    @torch.no_grad()
    def act(self, carry: Latent, turn: Turn, explore: bool) -> tuple[Actions, Latent]:
        """As `Agent.act`; with `explore` actions are drawn, else they are the most probable ones.

        Raises ValueError for observations that are not finite, or of another shape.
        """
        world, actor, generator = self.nets.world, self.nets.actor, carry.generator
        embed, first = encoded(world.senses, turn, generator)
        state = world.rssm.step(carry.state, carry.action, embed, first, noise=generator)
        action = actor(state.features).draw(generator) if explore else actor.best(state.features, generator)
        return self.controls.decoded(action.cpu().numpy()), Latent(state, action, generator)

    @torch.no_grad()
    def foresee(self, carry: Latent, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: what is seen, rewarded and worth along the actor's best actions."""
        world, end, config = self.nets.world, self.nets.world.end, self.config
        numbers: dict[str, Callable[[Tensor], Tensor]] = {"reward": world.reward, "value": self.nets.value}
        if end is not None:
            numbers["continue"] = lambda features: (Bernoulli(end(features)).mean / config.discount).clamp(max=1)
        nets, about = (world.rssm, world.senses, world.decoder, self.nets.actor), (carry, turn, row, self.controls)
        return acted_out(*nets, *about, numbers=numbers, horizon=config.horizon, futures=config.futures)

    def errors(self, episode: Sequences, seed: int = 0) -> dict[str, float]:
        """`World.errors` in an episode [1, T + 1], as in `Episode.rows`."""
        return self.nets.world.errors(Batch.of(episode, self.device), torch.Generator(self.device).manual_seed(seed))

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        shape = self.nets.world.senses.shape
        save_latent(folder, "dreamerv2", self.task, self.config, shape, self.controls, self.nets)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        return cls(*load_latent(folder, "dreamerv2", Config, Networks))

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
        """As `Agent.train`: some decisions and an update, again and again; a `Progress` every `report_every` times.

        What is resumed on the same machine goes on bit for bit as it would have. Raises ValueError if a loss is not
        finite or diverges; what was saved last is then still there.
        """
        if not isinstance(task, Task):
            raise ValueError(f"DreamerV2 learns tasks of one player, {task.name} is a board game")
        controls, (shape, kind) = Controls.of(task), shown_by(task)
        check_length(task, config.shortest, across=False)
        nets = Networks(config, shape, controls, seed).to(best_device())
        learner, agent, rng = Learner(nets, seed), cls(task.name, nets, controls), np.random.default_rng(seed)
        replay = SequenceReplay(folder / "episodes", shape, kind, controls.size, config.capacity)
        how = {"ends": config.ends, "by_length": config.by_length}
        streams = Streams(replay, config.batch, config.length, least=config.shortest, most=config.longest, **how)
        collector = Collector(task, controls, seed)
        parts: dict[str, Part] = {"networks": learner, "episodes": replay, "streams": streams, "acting": collector}
        run = TrainingRun(folder, parts, rng, memory={"decisions": 0})
        run.begin(resume)
        counters, memory = run.counters, run.memory
        try:
            while run.goes_on(budget):
                scores, told = list[dict[str, float]](), list[dict[str, float]]()
                for _ in range(config.report_every):
                    acting = agent if counters.steps else AtRandom(controls, config.held)
                    lived = gathered(collector, acting, replay, nets.world.senses, decisions=config.train_every)
                    counters.environment_steps += lived.frames
                    memory["decisions"] += lived.decisions
                    scores += [{"return/episode": episode.score} for episode in lived.episodes]
                    if memory["decisions"] >= config.prefill and fits(replay, config.shortest, across=False):
                        for _ in range(config.updates if counters.steps else max(config.pretrain, 1)):
                            counters.steps += 1
                            told.append(learner.update(streams.sample(rng), counters.steps))
                figures = averaged(scores) | averaged(told)
                if scores and told:
                    figures |= learner.errors(latest(replay, ERROR_ROWS))
                yield run.record(figures, budget, agent, config.save_every)
        finally:
            collector.close()
            run.end(agent)
