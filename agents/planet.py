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
pictures, in units of their spread so far, encoded and decoded by fully connected layers; `deviation` of what is
observed other than 1; pictures made smaller by `shrink`. Only the "quick" presets use the latter two.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sakiyomi.agents.agent import Actions, Foresight, Predicted, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.collecting import AtRandom, Collector
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.episodes.sequences import SequenceReplay, Sequences
from sakiyomi.agents.parts.latent.distributions import unit_log_prob
from sakiyomi.agents.parts.latent.kl_terms import free_each, overshooting
from sakiyomi.agents.parts.latent.observing import (
    Standardiser,
    best_device,
    checked,
    enlarged,
    going_on,
    shown_by,
    shrunk,
)
from sakiyomi.agents.parts.latent.open_loop import open_loop_errors
from sakiyomi.agents.parts.latent.pixel_nets import MLP, PixelDecoder, PixelEncoder, as_bytes, initialise, quantised
from sakiyomi.agents.parts.latent.rssm import RSSM, Dynamics, State
from sakiyomi.agents.parts.planning.cem import cem
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, save_tensors
from sakiyomi.agents.parts.runs.descent import Descent
from sakiyomi.agents.parts.runs.flags import from_json, to_json
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
    reward_weight: float = 1.0  # the published code: 10
    free_nats: float = 3.0  # of each step
    overshooting: int = 0  # steps that priors run ahead; 0: the one-step bound
    beta: float = 1.0  # weight of the divergences more than one step ahead
    # learning
    rate: float = 1e-3  # Adam's
    epsilon: float = 1e-4
    clip: float = 1000.0  # norm of the gradient
    batch: int = 50  # sequences
    length: int = 50  # steps of a sequence
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
    precision: Literal["float32", "bfloat16", "auto"] = "auto"  # of products on a GPU; auto: bfloat16

    def __post_init__(self) -> None:
        counts = ("deter", "stoch", "hidden", "depth", "shrink", "batch", "length", "updates", "seed_episodes")
        for name in (*counts, "capacity", "horizon", "iterations", "futures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if not 1 <= self.bits <= 8:
            raise ValueError(f"bits must be from 1 to 8, got {self.bits}")
        if not 1 <= self.elites <= self.population:
            raise ValueError(f"elites must be from 1 to population, got {self.elites} of {self.population}")
        if not 0 <= self.overshooting <= self.length:
            raise ValueError(f"overshooting must be from 0 to length, {self.length}, got {self.overshooting}")
        if self.deviation <= 0:
            raise ValueError(f"deviation must be over 0, got {self.deviation}")


STATE_QUICK = Config(  # vectors, in minutes on one core
    deter=100,
    stoch=15,
    hidden=100,
    vector_layers=(100, 100),
    reward_layers=(100, 100),
    deviation=0.1,
    reward_weight=100.0,
    free_nats=1.0,  # so few numbers tell little more
    batch=16,
    length=32,
    updates=50,
    population=300,
    elites=30,
    iterations=5,
)
PIXELS_QUICK = replace(STATE_QUICK, shrink=2, depth=8, deviation=0.3)
PAPER_TASKS = ("cartpole-swingup", "reacher-easy", "cheetah-run", "finger-spin", "ball_in_cup-catch", "walker-walk")


class Model(nn.Module):
    """What PlaNet learns, of observations of `shape` (pictures [H, W, C] or [H, W], or vectors [n])."""

    def __init__(self, config: Config, shape: tuple[int, ...], actions: int, seed: int):
        super().__init__()
        self.config, self.shape, self.pictures = config, shape, len(shape) > 1
        self.standard = Standardiser(0) if self.pictures else Standardiser(shape[0], config.angles)
        with torch.random.fork_rng(devices=[]):  # layers draw weights when they are made, which are drawn anew below
            self.encoder, outputs = self._encoder()
            self.rssm = RSSM(
                actions,
                outputs,
                deter=config.deter,
                hidden=config.hidden,
                stoch=config.stoch,
                activation="relu",
                dynamics=config.dynamics,
            )
            self.decoder = self._decoder()
            self.reward = MLP(self.rssm.features, None, hidden=config.reward_layers, activation="relu")
        initialise(self, torch.Generator().manual_seed(seed))

    def _encoder(self) -> tuple[nn.Module, int]:
        config = self.config
        if not self.pictures:
            layers = config.vector_layers
            return MLP(self.standard.size, layers[-1], hidden=layers[:-1], activation="relu"), layers[-1]
        encoder = PixelEncoder(self._channels, size=self._size, depth=config.depth)
        return encoder, encoder.outputs

    def _decoder(self) -> nn.Module:
        config, features = self.config, self.rssm.features
        if not self.pictures:
            return MLP(features, self.standard.size, hidden=config.vector_layers, activation="relu")
        return PixelDecoder(features, self._channels, size=self._size, depth=config.depth)

    @property
    def _channels(self) -> int:
        return self.shape[2] if len(self.shape) == 3 else 1

    @property
    def _size(self) -> int:
        """Rows and columns of pictures as the networks see them. Raises ValueError for such as are no squares."""
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"pictures must be squares, got {self.shape[0]}x{self.shape[1]}")
        return self.shape[0] // self.config.shrink

    def seen(self, observations: NDArray[Any], generator: torch.Generator) -> Tensor:
        """Observations [..., *shape] as the networks see them: [..., C, S, S] or [..., n]."""
        given = torch.from_numpy(np.ascontiguousarray(observations)).to(generator.device)
        if not self.pictures:
            return self.standard(given)
        given = given if len(self.shape) == 3 else given[..., None]
        return quantised(shrunk(given, self.config.shrink), generator, self.config.bits)

    def shown(self, decoded: Tensor) -> NDArray[Any]:
        """What is decoded, [..., C, S, S] or [..., n], as observations: bytes, or float64."""
        if not self.pictures:
            return np.asarray(self.standard.undone(decoded).cpu().numpy())
        return enlarged(as_bytes(decoded).cpu().numpy(), self.config.shrink)

    def followed(self, sequences: Sequences, generator: torch.Generator) -> tuple[Tensor, Tensor, State, Any]:
        """What is seen, the actions, posterior states and prior beliefs, all [B, L, ...], along sequences."""
        seen = self.seen(sequences.observations, generator)
        actions = torch.from_numpy(sequences.actions).to(generator.device)
        first = torch.from_numpy(sequences.is_first).to(generator.device)
        posteriors, priors = self.rssm.observe(self.encoder(seen), actions, first, noise=generator)
        return seen, actions, posteriors, priors


def losses(model: Model, sequences: Sequences, generator: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """The terms of the loss (equation 3, or 7 with overshooting), means over sequences and steps, and the mean of
    KL(posterior || prior) without free nats.
    """
    config = model.config
    seen, actions, posteriors, priors = model.followed(sequences, generator)
    features = posteriors.features
    event = 3 if model.pictures else 1
    observed = unit_log_prob(seen / config.deviation, model.decoder(features) / config.deviation, event)
    rewards = torch.from_numpy(sequences.rewards).to(seen.device)
    kl = posteriors.belief.kl(priors)
    if config.overshooting:
        ahead = overshooting(
            model.rssm,
            posteriors,
            actions,
            torch.from_numpy(sequences.is_first).to(seen.device),
            distance=config.overshooting,
            nats=config.free_nats,
            noise=generator,
            beta=config.beta,
        )
    terms = {
        "observation": -observed.mean(),
        "reward": -config.reward_weight * unit_log_prob(rewards, model.reward(features), 0).mean(),
        "divergence": ahead if config.overshooting else free_each(kl, config.free_nats),
    }
    return terms, kl.detach().mean()


class Learner:
    """Updates of a model, with chance of its own. A part of a `TrainingRun`."""

    def __init__(self, model: Model, seed: int):
        config = model.config
        self.model = model
        self.device = next(model.parameters()).device
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.descent = Descent(model, rate=config.rate, epsilon=config.epsilon, clip=config.clip)
        self._half = config.precision != "float32" and self.device.type == "cuda"

    def update(self, sequences: Sequences, number: int) -> dict[str, float]:
        """One update; the figures of it. Raises ValueError if learning diverges."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            terms, kl = losses(self.model, sequences, self.generator)
        figures = self.descent.step({f"loss/{name}": term for name, term in terms.items()}, f"update {number}")
        return {**figures, "model/divergence": float(kl)}

    @torch.no_grad()
    def errors(self, episode: Sequences) -> dict[str, float]:
        """How far the model errs in an episode [1, T + 1] when it goes on with the true actions, without seeing."""
        model, generator = self.model, self.generator
        seen, actions, posteriors, _ = model.followed(episode, generator)
        rewards = torch.from_numpy(episode.rewards[0]).to(seen.device)
        nets, rows = (model.rssm, model.decoder, model.reward), (seen[0], rewards, posteriors[0], actions[0])
        return open_loop_errors(*nets, *rows, horizon=model.config.horizon, generator=generator)

    def save(self, path: Path) -> None:
        """Write weights, optimiser and chance."""
        self.descent.save(path)
        save_tensors(path.with_name(f"{path.name}-chance.safetensors"), {"generator": self.generator.get_state()})

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.descent.load(path)
        self.generator.set_state(load_tensors(path.with_name(f"{path.name}-chance.safetensors"))["generator"])


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
        "pendulum": replace(STATE_QUICK, angles=(1,), horizon=15),
        "cartpole-swingup": replace(STATE_QUICK, angles=(3,), horizon=15),
        "point-mass": STATE_QUICK,
        "pendulum@pixels": replace(PIXELS_QUICK, horizon=15),
        "cartpole-swingup@pixels": replace(PIXELS_QUICK, horizon=15),
        "point-mass@pixels": PIXELS_QUICK,
        **{f"dmc/{task}@planet": Config() for task in PAPER_TASKS},
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
        embed = self.model.encoder(self.model.seen(checked(turn.observation, self.model.shape), generator))
        first = torch.from_numpy(turn.is_first).to(self.device)
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
        plan = carry.plan[row][:, None].expand(-1, 1 + config.futures, -1)
        start = carry.state[row : row + 1].map(lambda x: x.expand(1 + config.futures, *x.shape[1:]))
        noise = model.rssm.noise(config.horizon, 1 + config.futures, generator=generator)
        noise[:, 0] = 0  # the first path is that of the means
        features = model.rssm.imagine(start, plan, noise=noise).features
        rewards = model.reward(features)[:, 1:].T
        if model.pictures:
            observation = Predicted(model.shown(model.decoder(features[:, 0])))
        else:
            futures = model.shown(model.decoder(features[:, 1:]).transpose(0, 1))
            observation = _predicted(going_on(np.asarray(turn.observation)[row], futures, config.angles))
        actions = self.controls.decoded(carry.plan[row].cpu().numpy())
        return Foresight(
            value=float(rewards.sum(dim=1).mean()),
            actions=actions[:1],
            lines=(actions,),
            future={"observation": observation, "reward": _predicted(rewards.double().cpu().numpy())},
            simulations=config.population * config.iterations,
            depth=config.horizon,
        )

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        about = {
            "task": self.task,
            "config": to_json(self.config),
            "shape": list(self.model.shape),
            "controls": self.controls.to_json(),
        }
        save_agent(folder, "planet", about, self.model.state_dict())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        about, tensors = load_agent(folder, "planet")
        try:
            config = from_json(Config, about["config"], str(folder / "agent.json"))
            controls = Controls.from_json(about["controls"])
            model = Model(config, tuple(map(int, about["shape"])), controls.size, seed=0)
            model.load_state_dict(tensors)
            return cls(about["task"], model.to(best_device()), controls)
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
        """As `Agent.train` (algorithm 1): episodes with updates between them; a `Progress` after each.

        What is resumed on the same machine goes on bit for bit as it would have. Raises ValueError if a loss is not
        finite or diverges; what was saved last is then still there.
        """
        if not isinstance(task, Task):
            raise ValueError(f"PlaNet learns tasks with real numbers for actions, {task.name} is a board game")
        controls, (shape, kind) = Controls.of(task), shown_by(task)
        if controls.discrete:
            raise ValueError(f"PlaNet plans real numbers, {task.name} has {controls.choices} actions to choose from")
        model = Model(config, shape, controls.size, seed).to(best_device())
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
                collected = collector.collect(
                    agent if number > config.seed_episodes else AtRandom(controls), episodes=1
                )
                counters.environment_steps += collected.frames
                episode = collected.episodes[0]
                replay.add(episode)
                figures = {"return/episode": episode.score}
                if number > config.seed_episodes:
                    figures |= learner.errors(replay.episode(-1))
                if not model.pictures:
                    model.standard.see(episode.observations)
                if number >= config.seed_episodes:
                    updates = []
                    for _ in range(config.updates):
                        counters.steps += 1
                        updates.append(learner.update(replay.sample(config.batch, config.length, rng), counters.steps))
                    figures |= {name: float(np.mean([each[name] for each in updates])) for name in updates[0]}
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


def _predicted(samples: NDArray[Any]) -> Predicted:
    """Of futures [P, H, ...]."""
    return Predicted(samples.mean(axis=0), samples.std(axis=0), samples=samples)
