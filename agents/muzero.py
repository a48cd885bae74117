"""MuZero: the search of AlphaZero over dynamics that are learned, for board games, control and Atari.

J. Schrittwieser et al., "Mastering Atari, Go, chess and shogi by planning with a learned model", arXiv:1911.08265
(2019), Nature 588 (2020). What is observed becomes a latent state (h); a step of the learned dynamics gives the reward
and the latent state after an action (g), and each latent state has a policy and a value (f). The search knows the rules
at its root alone. All three are learned at once, by unrolling them along what was played (section 3).

Departures, all of them settings: `considered` > 0 searches as Gumbel MuZero does (I. Danihelka et al., ICLR 2022);
`averaging` plays by a moving average of the weights; `random_plies` begins games with random moves; layers are
normalised one by one, not over batches, in all presets but the papers'. Reanalyse (appendix H) is `refreshes`, stored
positions searched again for each new one, and `fresh_values`, which are built on the network's to play by, in place of
the searches' then. Chess is shown AlphaZero's planes of this library, not a history of 100 positions.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch

from sakiyomi.agents.agent import Actions, Foresight, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.dual.learner import seeded
from sakiyomi.agents.parts.muzero.acting import Looking, task_scores
from sakiyomi.agents.parts.muzero.course import learned_from, one_thread, played_into, search_again
from sakiyomi.agents.parts.muzero.learner import MuZeroLearner
from sakiyomi.agents.parts.muzero.lookahead import Lookahead, best_actions
from sakiyomi.agents.parts.muzero.net_dynamics import NetDynamics
from sakiyomi.agents.parts.muzero.nets import Kind, MuZeroNet, Norm, Scaling, usual_kind
from sakiyomi.agents.parts.muzero.playing import LatentPlay
from sakiyomi.agents.parts.muzero.stacking import input_shape
from sakiyomi.agents.parts.muzero.stages import Stage, game_of, stage_of
from sakiyomi.agents.parts.muzero.unrolls import UnrollReplay
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.agents.parts.runs.config_checks import check_within
from sakiyomi.agents.parts.runs.flags import from_json, to_json
from sakiyomi.agents.parts.runs.training_run import Part, TrainingRun
from sakiyomi.agents.parts.search import Dirichlet, Gumbel, Puct
from sakiyomi.agents.parts.search.selection import Scale
from sakiyomi.agents.parts.strength.measuring import check_strength, strength
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the paper's for Atari (appendices D to H; DeepMind's published pseudocode)."""

    # the network (appendix F); rewards of board games are not predicted, and their values lie in [-1, 1]
    kind: Kind | Literal["auto"] = "auto"  # auto: "mlp" for vectors, "conv" for boards, "atari" for larger pictures
    channels: int = 256  # planes of a latent state, or its numbers ("mlp")
    hidden: int = 256  # units of heads, or of every layer between ("mlp")
    blocks: int = 16
    filters: int = 2  # of heads
    down_blocks: tuple[int, ...] = (2, 3, 3)
    support: int = 300  # bins of values and rewards: -300 to 300
    norm: Norm = "batch"
    scaling: Scaling = "state"  # of latent states
    # what is shown (appendix E)
    stack: int = 32  # frames
    past_actions: bool = True
    # the search (appendix B)
    simulations: int = 50
    puct_init: float = 1.25
    puct_base: float = 19652.0
    scale: Scale = "tree"  # what puts Q into [0, 1]
    floor: float = 0.01  # ranges of Q that are narrower count as that wide
    noise_alpha: float = 0.25
    noise_fraction: float = 0.25
    considered: int = 0  # root actions that Gumbel search considers; 0: PUCT
    gumbel_visit: float = 50.0
    gumbel_scale: float = 0.1
    discount: float = 0.997  # a decision
    # playing to learn (appendix D)
    rows: int = 350  # episodes at once
    moves: int = 200  # decisions of each between two networks
    temperatures: tuple[float, ...] = (1.0, 0.5, 0.25)  # of actions by visits
    temperature_steps: tuple[int, ...] = (500_000, 750_000)  # of learning, where it becomes the next one
    exploring_plies: int | None = None  # in which actions follow the visits; None: in all
    piece: int | None = 200  # actions of an episode that are learned from as one
    random_plies: int = 0  # half of the games begin after 1 to so many random ones
    cap: int | None = None  # plies of a game, which then counts as it stands; None: as the rules say
    # learning (appendix G)
    unroll: int = 5
    td_steps: int | None = 10  # after which a value is built on the search's; None: on the episode's end alone
    batch: int = 1024
    optimizer: Literal["sgd", "adamw"] = "sgd"
    rate: float = 0.05
    rate_decay: float = 0.1  # what becomes of the rate, exponentially, in
    rate_steps: int = 350_000
    momentum: float = 0.9
    decay: float = 1e-4
    clip: float = 0.0
    averaging: float = 0.0
    value_weight: float = 1.0
    alpha: float = 1.0  # exponent of priorities
    beta: float = 1.0  # exponent of importance weights
    uses: float = 0.1  # samples drawn for each new position
    refreshes: float = 0.0  # stored positions searched again for each new one
    fresh_values: bool = False  # values are built on those of the network to play by now, not on the searches' then
    window: int = 25_000_000  # rows: 125,000 sequences of 200
    least: int = 10_000  # rows before learning begins
    # looking at itself
    evaluate_every: int = 10  # iterations
    evaluation_games: int = 40
    evaluation_simulations: int = 50
    evaluation_noise: bool = False  # at roots then, too: without it, a sure policy's search may see one action alone
    opening_plies: int = 4
    opponents: tuple[str, ...] = ("random", "uct:100")
    save_every: float = 300.0  # seconds

    def __post_init__(self) -> None:
        if len(self.temperatures) != len(self.temperature_steps) + 1:
            there = f"{self.temperatures} and {self.temperature_steps}"
            raise ValueError(f"temperatures must be one more than temperature_steps, got {there}")
        names = ("simulations", "rows", "moves", "unroll", "batch", "stack", "support", "evaluation_games")
        check_within(self, 1, inf, *names)
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount must be over 0 and at most 1, got {self.discount}")
        if self.uses <= 0 or self.refreshes < 0:
            raise ValueError(f"uses must be over 0 and refreshes 0 or more, got {self.uses} and {self.refreshes}")

    @property
    def puct(self) -> Puct:
        """The paper's selection."""
        return Puct(init=self.puct_init, base=self.puct_base, unvisited="loss", scale=self.scale, floor=self.floor)

    @property
    def selection(self) -> Puct | Gumbel:
        """How search chooses."""
        if not self.considered:
            return self.puct
        return Gumbel(considered=self.considered, visit=self.gumbel_visit, scale=self.gumbel_scale)

    @property
    def noise(self) -> Dirichlet | None:
        """At roots, while it plays to learn."""
        return None if self.considered else Dirichlet(alpha=self.noise_alpha, fraction=self.noise_fraction)

    def temperature(self, step: int) -> float:
        """Of actions by visits, after so many steps of learning."""
        return self.temperatures[sum(step >= at for at in self.temperature_steps)]

    def learning_rate(self, step: int) -> float:
        """At that step."""
        return self.rate * float(self.rate_decay ** (step / self.rate_steps))

    def net(self, stage: Stage, seed: int) -> MuZeroNet:
        """A new network for what is played on `stage`."""
        inputs = input_shape(stage.frame, stage.kind, self.stack, self.past_actions)
        kind = usual_kind(inputs) if self.kind == "auto" else self.kind
        names = ("channels", "hidden", "blocks", "filters", "down_blocks", "norm", "scaling")
        support = 0 if stage.players == 2 else self.support
        with seeded(seed):
            return MuZeroNet(inputs, stage.actions, kind=kind, support=support, **self._these(*names))

    def learner(self, net: MuZeroNet) -> MuZeroLearner:
        """What learns `net`."""
        return MuZeroLearner(net, **self._these("optimizer", "momentum", "decay", "averaging", "value_weight", "clip"))

    def replay(self, stage: Stage) -> UnrollReplay:
        """An empty one for what is played on `stage`."""
        given = self._these("discount", "stack", "alpha", "beta") | {"with_actions": self.past_actions}
        steps, two = self.td_steps or self.window, stage.players == 2
        return UnrollReplay(self.window, stage.frame, stage.kind, stage.actions, n=steps, alternating=two, **given)

    def play(self, stage: Stage, look: Lookahead) -> LatentPlay:
        """How is played to learn."""
        given = self._these("stack", "exploring_plies", "piece")
        return LatentPlay(stage, look, with_actions=self.past_actions, **given)

    def _these(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}


PAPER_ATARI = Config()
PAPER_BOARD = replace(  # Go's; shogi has noise_alpha 0.15 and chess 0.3, and both the rate 0.1
    PAPER_ATARI,
    stack=1,
    past_actions=False,
    simulations=800,
    scale="fixed",
    noise_alpha=0.03,
    discount=1.0,
    rows=512,
    moves=20,
    temperatures=(1.0,),
    temperature_steps=(),
    exploring_plies=30,
    piece=None,
    td_steps=None,
    batch=2048,
    rate=0.01,
    rate_steps=400_000,
    alpha=0.0,
    beta=0.0,
    window=200_000_000,  # about the positions of 1,000,000 games
    evaluation_simulations=800,
)
ATARI_S = replace(  # a GPU and some hours; for tasks such as ALE/Pong-v5@dqn
    PAPER_ATARI,
    channels=64,
    hidden=32,
    blocks=1,
    filters=16,
    down_blocks=(1, 1, 1),
    norm="layer",
    stack=1,
    past_actions=False,
    rows=64,
    moves=50,
    temperature_steps=(50_000, 75_000),
    td_steps=5,
    batch=256,
    optimizer="adamw",
    rate=1e-3,
    rate_decay=1.0,
    clip=5.0,
    alpha=0.6,
    beta=0.4,
    uses=4.0,
    value_weight=0.25,
    window=500_000,
    least=5_000,
    evaluation_games=16,
)
QUICK = replace(  # small enough to learn something in minutes on two cores
    ATARI_S,
    hidden=64,
    filters=8,
    support=20,
    simulations=25,
    rows=32,
    moves=32,
    temperature_steps=(2_000, 6_000),
    td_steps=20,
    batch=128,
    rate=2e-3,
    uses=6.0,
    averaging=0.99,
    value_weight=1.0,
    window=100_000,
    least=2_000,
    evaluation_games=20,
    evaluation_simulations=25,
    save_every=60.0,
)
CARTPOLE = replace(
    QUICK,
    discount=0.99,
    rows=64,
    moves=8,
    piece=100,
    td_steps=30,
    fresh_values=True,
    refreshes=1.0,
    uses=32.0,
    batch=256,
    rate_decay=0.1,
    rate_steps=6_000,
    temperature_steps=(500, 1_500),
    window=30_000,
    evaluation_noise=True,
    evaluate_every=40,
)
TICTACTOE = replace(
    QUICK,
    channels=32,
    hidden=32,
    filters=16,
    discount=1.0,
    scale="fixed",
    noise_alpha=1.0,
    rows=128,
    moves=8,
    exploring_plies=4,
    temperatures=(1.0,),
    temperature_steps=(),
    piece=None,
    td_steps=None,
    random_plies=7,
    alpha=0.0,
    window=20_000,
    least=1_000,
    evaluation_simulations=50,
    evaluation_games=40,
    opening_plies=2,
    opponents=("random", "perfect"),
)
CONNECT4 = replace(
    TICTACTOE,
    channels=64,
    hidden=64,
    blocks=3,
    considered=16,
    simulations=32,
    rows=256,
    exploring_plies=30,
    random_plies=20,
    window=200_000,
    least=4_000,
    evaluation_simulations=100,
    opening_plies=4,
    evaluate_every=50,
    opponents=("random", "uct:100"),
)


class MuZero:
    """Chooses by a search over its network's dynamics. An `Agent` for board games and tasks whose actions are choices;
    its carry is a `Looking`.

    `task` is what it has learnt, by name, played by `players`, who are shown frames of the shape `frame`. `simulations`
    a move (0: the configuration's for evaluation).
    """

    presets: ClassVar[Mapping[str, Config]] = {
        "quick": QUICK,
        "cartpole": CARTPOLE,
        "gym/CartPole-v1": CARTPOLE,
        "tictactoe": TICTACTOE,
        "connect4": CONNECT4,
        "atari-s": ATARI_S,
        "paper-board": PAPER_BOARD,
        "paper-atari": PAPER_ATARI,
    }

    def __init__(
        self, task: str, players: int, net: MuZeroNet, config: Config, frame: tuple[int, ...], *, simulations: int = 0
    ):
        self.task, self.players, self.net, self.config, self.frame = task, players, net, config, tuple(frame)
        self.simulations = simulations or config.evaluation_simulations

    def initial(self, batch: int, seed: int = 0) -> Looking:
        """As `Agent.initial`."""
        return Looking(batch, np.random.default_rng(seed))

    def act(self, carry: Looking, turn: Turn, explore: bool) -> tuple[Actions, Looking]:
        """As `Agent.act`; with `explore` as when learning ended. Raises ValueError for observations of other shapes."""
        config, budget = self.config, turn.budget
        inputs = carry.shown(turn, self.frame, config.stack, self.net.actions, config.past_actions)
        open_end = budget.simulations is None and (budget.seconds is not None or turn.stop is not None)
        selection = config.puct if open_end else config.selection  # Gumbel's schedule needs the number of simulations
        noisy = explore or config.evaluation_noise
        look = carry.lookahead(selection, config.noise if noisy else None, self._lookahead)
        usual = config.simulations if explore else self.simulations
        found = carry.look(turn, inputs, None if open_end else budget.simulations or usual, noisy=noisy)
        if explore:
            late = np.zeros(len(inputs), np.bool_)
            if config.exploring_plies is not None and turn.states is not None:
                late = turn.states["ply"] >= config.exploring_plies
            carry.actions = look.choose(found, np.where(late, 0.0, config.temperatures[-1]))
        else:
            carry.actions = best_actions(found, selection)
        return carry.actions, carry

    def foresee(self, carry: Looking, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`, with the rewards and values predicted along the best line; ValueError before an act."""
        return carry.foresight(row)

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        about = {"task": self.task, "players": self.players, "frame": list(self.frame)}
        about |= {"net": self.net.settings(), "config": to_json(self.config)}
        save_agent(folder, "muzero", about, self.net.state_dict())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As `Agent.load`."""
        about, weights = load_agent(folder, "muzero")
        try:
            net = MuZeroNet(**about["net"])
            net.load_state_dict(weights)
            config = from_json(Config, about["config"], str(folder / "agent.json"))
            device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
            return cls(about["task"], int(about["players"]), net.eval().to(device), config, tuple(about["frame"]))
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
        """As `Agent.train`: episodes by the latest network, learning from them, now and then a look at its strength.

        What is resumed on the same machine goes on bit for bit as it would have.
        """
        if (game := game_of(task)) is not None:
            check_strength(game, config.opponents, config.opening_plies)
        stage = stage_of(task, config.rows, seed, random_plies=config.random_plies, cap=config.cap)
        chance = np.random.default_rng(seed).spawn(2)
        learner = config.learner(config.net(stage, seed))
        agent = cls(task.name, stage.players, learner.playing(), config, stage.frame)
        look = agent._lookahead(config.rows, config.selection, config.noise, chance[0])
        play = config.play(stage, look)
        replay = config.replay(stage)
        parts: dict[str, Part] = {"learner": learner, "replay": replay, "stage": stage, "play": play}
        run = TrainingRun(folder, parts, chance[1], {"samples": 0.0, "searches": 0.0})
        owed = run.memory
        with closing(stage), one_thread():
            run.begin(resume)
            try:
                while run.goes_on(budget):
                    look.use(NetDynamics(learner.playing()))
                    play.temperature = config.temperature(learner.steps)
                    figures, new, steps = played_into(replay, play, config.moves)
                    owed["samples"] += config.uses * new
                    owed["searches"] += config.refreshes * new
                    searches = int(owed["searches"] // config.rows)
                    search_again(replay, look, run.rng, searches)
                    updates = int(owed["samples"] // config.batch) if replay.added >= config.least else 0
                    sizes = updates, config.batch, config.unroll
                    figures |= learned_from(replay, learner, run.rng, *sizes, config.learning_rate, config.fresh_values)
                    owed["searches"] -= searches * config.rows
                    owed["samples"] -= updates * config.batch
                    run.counters.steps += updates
                    run.counters.environment_steps += steps
                    agent = cls(task.name, stage.players, learner.playing(), config, stage.frame)
                    if (run.counters.iterations + 1) % config.evaluate_every == 0:
                        figures |= agent._strength(task, seed)
                    yield run.record(figures, budget, agent, config.save_every)
            finally:
                run.end(agent)

    def _strength(self, task: Task | Game, seed: int) -> dict[str, float]:
        """Against fixed opponents, or the mean return in a task."""
        config, game = self.config, game_of(task)
        if game is not None:
            return strength(self, game, config.opponents, config.evaluation_games, config.opening_plies, seed)
        assert isinstance(task, Task)
        return {"return/evaluation": float(np.mean(task_scores(self, task, config.evaluation_games, seed + 1)))}

    def _lookahead(
        self, trees: int, selection: Puct | Gumbel, noise: Dirichlet | None, chance: np.random.Generator
    ) -> Lookahead:
        given = self.config._these("simulations", "discount")
        asked: dict[str, Any] = {"selection": selection, "noise": noise, "players": self.players, "rng": chance}
        return Lookahead(NetDynamics(self.net), trees, self.net.actions, **given, **asked)
