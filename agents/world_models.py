"""World Models: see, remember, and learn to act within a dream.

D. Ha and J. Schmidhuber, "Recurrent world models facilitate policy evolution", NeurIPS 2018 (arXiv:1803.10122), with
the constants of the published code. Three parts are learned one after the other: V, a variational autoencoder, makes a
small code of each picture; M, a recurrent network, foretells the next code; C, a single linear layer on both, is
evolved. In CarRacing C is evolved in the task itself, in DoomTakeCover inside the dream that M makes, and then moved
to the task. The iterative procedure (section 5) collects again with the C that has come about, and learns on.

Departures: M sees actions from -1 to 1, whatever their range is; what M foretells of the picture after an episode's
end is not learned, as the dream is over there; the controller is evaluated, and kept if it is the best so far, in the
world that it is evolved in. Settings beyond the paper: M may foretell rewards, so that tasks can be dreamt that pay for
more than to live on, within what the task can pay; the best controller may be told in the task though it is evolved in
the dream (`judged_in_task`); `diagonal` evolution; `noise` on actions when collecting again. "quick" presets learn
less, from less, in minutes on a core.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from sakiyomi.agents.agent import Actions, Foresight, Predicted, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.episodes.controls import Controls
from sakiyomi.agents.parts.latent.pixel_nets import KERNELS
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.agents.parts.runs.flags import from_json, to_json
from sakiyomi.agents.parts.runs.training_run import TrainingRun
from sakiyomi.agents.parts.vmc.course import CollectPlan, Course
from sakiyomi.agents.parts.vmc.evolving import EvolutionPlan
from sakiyomi.agents.parts.vmc.learning import RNNPlan, VAEPlan
from sakiyomi.agents.parts.vmc.linear_controller import LinearController, Seen, rounded
from sakiyomi.agents.parts.vmc.mdn_rnn import MDNRNN, Memory
from sakiyomi.agents.parts.vmc.vae import VAE
from sakiyomi.agents.parts.vmc.worlds import VMC, Lived
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task

KIND = "worldmodels"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the paper's for CarRacing (appendix, published code)."""

    collect: CollectPlan = field(default_factory=CollectPlan)
    # V (appendix A.1)
    latent: int = 32
    depth: int = 32  # filters of the first convolution
    inverted: bool = True  # black is 1
    vae: VAEPlan = field(default_factory=VAEPlan)
    # M (appendix A.2)
    hidden: int = 256
    mixtures: int = 5
    restart: bool = False  # foretells the end
    reward: bool = False  # foretells rewards; else the dream pays 1 a step
    action: bool = False  # foretells actions (iterative procedure)
    rnn: RNNPlan = field(default_factory=RNNPlan)
    # C (appendix A.3 and A.4)
    inputs: tuple[Seen, ...] = ("z", "h")
    bias: bool = True
    clipped: tuple[int, ...] = (2,)  # controls that rest in their range's lower half: the brake
    sampled: bool = True  # acts on drawn codes, not on their means
    noise: float = 0.0  # deviation added to its actions when it collects
    evolution: EvolutionPlan = field(default_factory=EvolutionPlan)
    # the whole
    rounds: int = 1  # of the iterative procedure
    foresight: int = 30  # steps
    futures: int = 4  # imagined, the likeliest among them
    save_every: float = 60.0  # seconds

    def __post_init__(self) -> None:
        if not self.inputs or len(set(self.inputs)) < len(self.inputs):
            raise ValueError(f"inputs must be some of z, h, c, each once, got {self.inputs}")
        if self.evolution.world == "dream" and not (self.restart or self.reward):
            raise ValueError("a dream needs restart or reward: else all episodes in it are alike")
        if self.evolution.judged_in_task and not (self.evolution.world == "dream" and self.evolution.task_trials):
            raise ValueError("judged_in_task needs episodes in the task beside a dream: world=dream and task_trials")
        for name in ("latent", "depth", "hidden", "mixtures", "rounds", "foresight", "futures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")

    def brain(self, controls: Controls, size: int, seed: int) -> VMC:
        """V, M and C for pictures of that size, with weights from `seed`."""
        generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):  # layers draw weights when they are made, which are drawn anew
            vae = VAE(self.latent, generator=generator, size=size, depth=self.depth)
            rnn = MDNRNN(
                self.latent,
                controls.size,
                hidden=self.hidden,
                generator=generator,
                mixtures=self.mixtures,
                restart=self.restart,
                reward=self.reward,
                action=self.action,
            )
        controller = LinearController(
            self.inputs,
            self.latent,
            self.hidden,
            controls.size,
            bias=self.bias,
            clipped=self.clipped,
            choices=controls.discrete,
        )
        return VMC(vae, rnn, controller, self.inverted, self.sampled)


CARRACING = Config()
DOOM = Config(
    collect=CollectPlan(exploring="held", least_steps=100),
    latent=64,
    inverted=False,
    hidden=512,
    restart=True,
    rnn=RNNPlan(layout="stream", length=500, epochs=400, least_rate=1e-5),
    inputs=("z", "c", "h"),
    bias=False,
    clipped=(),
    evolution=EvolutionPlan(world="dream"),
)
DOOM_QUICK = replace(
    DOOM,
    collect=replace(DOOM.collect, rollouts=200),
    vae=VAEPlan(epochs=5),
    hidden=128,
    rnn=replace(DOOM.rnn, length=100, epochs=40, batch=32),
    evolution=EvolutionPlan(
        world="dream",
        population=32,
        trials=4,
        generations=100,
        evaluate_every=20,
        evaluation_trials=128,
        task_trials=10,
    ),
)
CARRACING_QUICK = replace(
    CARRACING,
    collect=CollectPlan(exploring="brownian", rollouts=20, steps=300, envs=4),
    depth=16,
    vae=VAEPlan(rate=5e-4),
    rnn=RNNPlan(length=300, epochs=40, batch=4),
    evolution=EvolutionPlan(population=16, trials=2, generations=20, evaluate_every=10, evaluation_trials=10),
)
QUICK = Config(  # a task in half an hour on a core
    collect=CollectPlan(exploring="held", held=5, rollouts=128, envs=64),
    latent=16,
    depth=16,
    vae=VAEPlan(epochs=20, batch=32, rate=3e-3, error="cross-entropy"),
    hidden=64,
    restart=True,
    reward=True,
    rnn=RNNPlan(length=50, epochs=100, batch=32, rate=3e-3, rate_decay=0.998, reward_weight=30.0),
    clipped=(),
    noise=0.3,
    evolution=EvolutionPlan(
        world="dream",
        population=32,
        cap=None,
        generations=100,
        evaluate_every=20,
        evaluation_trials=256,
        task_trials=64,
        judged_in_task=True,
    ),
    rounds=3,
)


@dataclass(frozen=True, eq=False)
class Carry:
    """What is remembered of B episodes: the last step in each (`vmc.Lived`), and chance."""

    codes: Tensor  # [B, Z]
    actions: Tensor  # [B, U], -1 to 1
    hidden: Tensor  # [B, H]
    cell: Tensor  # [B, H]
    generator: torch.Generator

    @property
    def memory(self) -> Memory:
        """After the step."""
        return Memory(self.hidden, self.cell)


class WorldModels:
    """Acts on codes and memories. An `Agent` for tasks that are seen, 64x64 (or 32x32, 16x16); see `Carry`.

    `weights` [D] are the controller's.
    """

    presets: ClassVar[Mapping[str, Config]] = {
        "quick": QUICK,
        "point-mass@pixels": QUICK,
        "doom/take-cover": DOOM_QUICK,
        "doom_quick": DOOM_QUICK,
        "doom": DOOM,
        "gym/CarRacing-v3@world-models": CARRACING_QUICK,
        "carracing_quick": CARRACING_QUICK,
        "carracing": CARRACING,
        "*@pixels": QUICK,
    }

    def __init__(self, task: str, config: Config, controls: Controls, brain: VMC, weights: Tensor):
        self.task, self.config, self.controls, self.brain = task, config, controls, brain
        self.weights = weights.float()

    def initial(self, batch: int, seed: int = 0) -> Carry:
        """As `Agent.initial`."""
        nothing, memory = torch.zeros(batch, self.config.latent), self.brain.rnn.empty(batch)
        actions = torch.zeros(batch, self.controls.size)
        generator = torch.Generator().manual_seed(seed)
        return Carry(nothing, actions, memory.hidden.clone(), memory.cell.clone(), generator)

    @torch.no_grad()
    def act(self, carry: Carry, turn: Turn, explore: bool) -> tuple[Actions, Carry]:
        """As `Agent.act`; with `explore` and `noise` actions are not quite the controller's.

        Raises ValueError for observations that are no such pictures as were learned from.
        """
        frames, first = self._frames(turn), torch.from_numpy(np.asarray(turn.is_first))
        device = carry.hidden.device
        normal = torch.randn(carry.codes.shape, generator=carry.generator).to(device)
        weights = self.weights.to(device).expand(len(frames), -1)
        noise = self.config.noise * explore * torch.randn(carry.actions.shape, generator=carry.generator).to(device)
        lived = self.brain.live(frames, first.to(device), carry.memory, weights, normal, noise)
        chosen = self.controls.decoded(lived.actions.cpu().numpy())
        return chosen, Carry(lived.codes, lived.actions, lived.memory.hidden, lived.memory.cell, carry.generator)

    @torch.no_grad()
    def foresee(self, carry: Carry, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: the dream of the controller's own plan from here, its pictures the likeliest; samples of
        other futures; and the entropy (nats) of what M leaves open about each step.
        """
        columns = (carry.codes, carry.actions, carry.hidden, carry.cell)
        codes, actions, hidden, cell = (column[row : row + 1] for column in columns)
        config, generator = self.config, torch.Generator().manual_seed(0)  # of its own: looking changes nothing
        dreamt = self.brain.imagine(
            Lived(codes, actions, Memory(hidden, cell)),
            self.weights[None].to(hidden.device),
            horizon=config.foresight,
            futures=config.futures,
            generator=generator,
        )
        reached = torch.cat([torch.ones_like(dreamt.goes_on[:, :1]), dreamt.goes_on[:, :-1]], dim=1).cumprod(dim=1)
        plan = self.controls.decoded(dreamt.plan.cpu().numpy())
        return Foresight(
            value=float((reached * dreamt.rewards).sum(dim=1).mean()),
            actions=plan[:1],
            lines=(plan,),
            future={
                "observation": _likeliest(dreamt.pictures.movedim(2, -1)),
                "reward": _likeliest(dreamt.rewards),
                "continue": _likeliest(dreamt.goes_on),
                "entropy": _likeliest(dreamt.entropy),
            },
            simulations=config.futures,
            depth=config.foresight,
        )

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        about = {
            "task": self.task,
            "config": to_json(self.config),
            "controls": self.controls.to_json(),
            "size": self.brain.vae.shape[1],
        }
        tensors = {f"vae.{name}": tensor for name, tensor in self.brain.vae.state_dict().items()}
        tensors |= {f"rnn.{name}": tensor for name, tensor in self.brain.rnn.state_dict().items()}
        save_agent(folder, KIND, about, {**tensors, "controller": self.weights})

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu") -> Self:
        """As `Agent.load`; it thinks on `device`."""
        about, tensors = load_agent(folder, KIND)
        try:
            config = from_json(Config, about["config"], str(folder / "agent.json"))
            controls = Controls.from_json(about["controls"])
            brain, weights = config.brain(controls, int(about["size"]), seed=0), tensors.pop("controller")
            for name, module in (("vae.", brain.vae), ("rnn.", brain.rnn)):
                own = {key.removeprefix(name): tensor for key, tensor in tensors.items() if key.startswith(name)}
                module.load_state_dict(own)
                module.to(device)
            if weights.shape != (brain.controller.parameters,):
                raise ValueError(f"{brain.controller.parameters} weights of the controller are wanted")
            return cls(about["task"], config, controls, brain, weights)
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
        workers: int = 0,
        device: str = "cpu",
    ) -> Iterator[Progress]:
        """As `Agent.train`: stage after stage, a `Progress` for each step of it; it ends when C has been evolved.

        A step of learning is an update of V or M, or a generation of C. `workers` are processes that step environments,
        0: this one does. What is resumed on the same machine goes on bit for bit as it would have.
        """
        if not isinstance(task, Task):
            raise ValueError(f"World Models learn tasks that are seen as pictures, {task.name} is a board game")
        size, controls = _size_of(task), Controls.of(task)
        course = Course(
            task,
            folder,
            lambda seed: config.brain(controls, size, seed),
            collect=config.collect,
            vae=config.vae,
            rnn=config.rnn,
            evolution=config.evolution,
            rounds=config.rounds,
            seed=seed,
            workers=workers,
            device=device,
        )

        def agent() -> WorldModels:
            weights = rounded(course.champion.weights, config.evolution.decimals)
            return cls(task.name, config, controls, course.brain, weights)

        with closing(course):
            run = TrainingRun(folder, course.parts, np.random.default_rng(seed), course.memory)
            run.begin(resume)
            try:
                while not course.finished and run.goes_on(budget):
                    told = course.advance(agent())
                    run.counters.steps += told.steps
                    run.counters.environment_steps += told.environment_steps
                    yield run.record(told.figures, budget, agent(), config.save_every)
            finally:
                run.end(agent())

    def _frames(self, turn: Turn) -> Tensor:
        """uint8 [B, H, W, C]."""
        frames = np.asarray(turn.observation)
        channels, *sizes = self.brain.vae.shape
        if frames.shape[1:] != (*sizes, channels) or frames.dtype != np.uint8:
            raise ValueError(
                f"observations must be uint8 [B, {sizes[0]}, {sizes[1]}, {channels}], "
                f"got {frames.dtype} {list(frames.shape)}"
            )
        return torch.from_numpy(np.ascontiguousarray(frames))


def _likeliest(futures: Tensor) -> Predicted:
    """Of futures [F, H, ...] with the likeliest before all others; these alone say how sure it is."""
    values = futures.float().cpu().numpy()
    others = values[1:] if len(values) > 1 else values
    return Predicted(values[0], others.std(axis=0), samples=others)


def _size_of(task: Task) -> int:
    """Height and width of the pictures of `task`. Raises ValueError for one that is seen in another way."""
    space = task.observation_space
    shape = space.shape or ()
    if space.dtype != np.uint8 or len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3 or shape[0] not in KERNELS:
        raise ValueError(
            f"{task.name} shows {space}; World Models learn from pictures, uint8 [64, 64, 3]"
            " (NAME@pixels of tasks of our own, doom/take-cover, gym/CarRacing-v3@world-models)"
        )
    return int(shape[0])
