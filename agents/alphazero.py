"""AlphaZero: one network, taught by its own search, for any game.

D. Silver et al., "Mastering chess and shogi by self-play with a general reinforcement learning algorithm",
arXiv:1712.01815 (2017), and "A general reinforcement learning algorithm that masters chess, shogi and Go through
self-play", Science 362 (2018). A search guided by the network's policy and value plays games against itself; the
network learns to foretell the search's moves and the games' results; there is no gate, no symmetry and no rollout: the
latest network plays.

Departures, all of them settings: `considered` > 0 searches in self-play as Gumbel AlphaZero does (I. Danihelka et al.,
ICLR 2022), which learns from few simulations; `unvisited` "parent" takes a move that was not looked at to be as good as
the position, where one that counts as lost would keep a short search at its first move; `fast_simulations`, `surprise`,
`forced`, `pooling`, `ownership` and `reply` are KataGo's (D. Wu, arXiv:1902.10565); `random_plies` begins games with
random moves; `solve` backs up results known for certain; `averaging` plays by a moving average of the weights;
`symmetries` turns what is learned from. The "paper" presets use none of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np

from sakiyomi.agents.agent import Actions, Foresight, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.dual.files import Evaluators, load_dual_net, save_dual_net
from sakiyomi.agents.parts.dual.learner import Learner, seeded
from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.runs.flags import from_json, to_json
from sakiyomi.agents.parts.search import Dirichlet, Gumbel, Puct
from sakiyomi.agents.parts.search.deciding import Deciding, decide, imagined
from sakiyomi.agents.parts.search.planner import Planner
from sakiyomi.agents.parts.search.selection import Unvisited
from sakiyomi.agents.parts.selfplay.campaign import Campaign, Lessons
from sakiyomi.agents.parts.selfplay.crew import make_crew
from sakiyomi.agents.parts.selfplay.replay import GameReplay
from sakiyomi.agents.parts.selfplay.self_player import Habits
from sakiyomi.agents.parts.strength.measuring import check_strength, rules_of, strength
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the paper's for Go (arXiv version, "Configuration" and "Training"; DeepMind's published pseudocode)."""

    # the network ("Architecture")
    blocks: int = 19  # residual blocks after the first convolution
    channels: int = 256
    policy_filters: int = 2
    value_filters: int = 1
    hidden: int = 256  # units of the value head
    pooling: bool = False  # global pooling in every second block and the heads
    # the search
    simulations: int = 800  # a move, the root's evaluation not counted
    fast_simulations: int | None = None  # of moves that teach no policy; None: every move has a full search
    full_share: float = 0.25  # of moves with a full search, if there are fast ones
    puct_init: float = 1.25
    puct_base: float = 19652.0
    unvisited: Unvisited = "loss"  # what PUCT takes a move without visits for
    noise_alpha: float = 0.03  # Dirichlet noise at roots: Go 0.03, shogi 0.15, chess 0.3
    noise_fraction: float = 0.25
    considered: int = 0  # root moves that Gumbel search considers in self-play; 0: PUCT
    gumbel_visit: float = 50.0
    gumbel_scale: float = 0.1
    exploring_plies: int = 30  # in which moves follow the visits; with Gumbel the search itself explores
    solve: bool = False  # back up certain results
    forced: float = 0.0  # of PUCT's root moves in self-play: KataGo's k of forced playouts, 2 there
    cache: int = 0  # network outputs that self-play keeps for positions met again
    # self-play
    games: int = 512  # at once
    groups: int = 2  # that take turns with the network
    random_plies: int = 0  # half of the games begin after 1 to so many random ones
    cap: int | None = None  # plies of a game, which then counts as it stands (Go) or is drawn; None: as the rules say
    by_material: bool = False  # games of chess and shogi cut at the cap count the lead in pieces: the paper's are drawn
    rounds: int = 16_020  # of the search between two networks; a move takes one more than it has simulations
    surprise: float = 0.0  # part of a position's weight that goes by how much its search changed the policy
    # learning
    batch: int = 4096
    optimizer: Literal["sgd", "adamw"] = "sgd"
    rates: tuple[float, ...] = (0.02, 0.002, 0.0002)  # Go's; chess and shogi start with 0.2
    rate_steps: tuple[int, ...] = (300_000, 500_000)  # where the rate becomes the next one
    momentum: float = 0.9
    decay: float = 2e-4  # added to the gradient: twice the c = 1e-4 of c |theta|^2
    clip: float = 0.0
    averaging: float = 0.0
    value_weight: float = 1.0
    value_part: float = 0.0  # of the value's target that is the search's value, not the outcome
    ownership: float = 0.0
    reply: float = 0.0
    symmetries: bool = False
    uses: float = 1.0  # samples drawn for each new position with a policy target (the paper: about 0.5 to 1)
    window: int = 200_000_000  # positions, about those of the pseudocode's 1,000,000 games, on 19x19
    least: int = 10_000  # positions before learning begins
    # looking at itself
    evaluate_every: int = 10  # iterations
    evaluation_games: int = 40
    evaluation_simulations: int = 800
    opening_plies: int = 4  # at random, of the games of evaluation
    opponents: tuple[str, ...] = ("random", "uct:100")
    save_every: float = 300.0  # seconds

    def __post_init__(self) -> None:
        if len(self.rates) != len(self.rate_steps) + 1:
            raise ValueError(f"rates must be one more than rate_steps, got {self.rates} and {self.rate_steps}")
        if not 0 < self.full_share <= 1:
            raise ValueError(f"full_share must be over 0 and at most 1, got {self.full_share}")
        if self.fast_simulations is not None and not 1 <= self.fast_simulations <= self.simulations:
            raise ValueError(f"fast_simulations must be from 1 to simulations, or None, got {self.fast_simulations}")
        if not 0 <= self.surprise <= 1:
            raise ValueError(f"surprise must be from 0 to 1, got {self.surprise}")
        if self.uses <= 0:
            raise ValueError(f"uses must be over 0, got {self.uses}")
        if self.rounds <= self.simulations:
            raise ValueError(f"rounds must be over simulations, or no move is made, got {self.rounds}")
        if self.evaluation_games < 2 or self.evaluation_games % 2:
            raise ValueError(f"evaluation_games must be even and 2 or more, got {self.evaluation_games}")

    @property
    def match_selection(self) -> Puct:
        """How matches' search chooses: PUCT with the paper's growing coefficient."""
        return Puct(init=self.puct_init, base=self.puct_base, unvisited=self.unvisited, scale="fixed")

    @property
    def selection(self) -> Puct | Gumbel:
        """How self-play's search chooses."""
        if self.considered:
            return Gumbel(considered=self.considered, visit=self.gumbel_visit, scale=self.gumbel_scale)
        return replace(self.match_selection, forced=self.forced)

    @property
    def habits(self) -> Habits:
        """How it plays with itself."""
        return Habits(
            simulations=self.simulations,
            fast_simulations=self.fast_simulations,
            full_share=self.full_share,
            selection=self.selection,
            noise=None if self.considered else Dirichlet(alpha=self.noise_alpha, fraction=self.noise_fraction),
            exploring_plies=self.exploring_plies,
            random_plies=self.random_plies,
            cache=self.cache,
            cap=self.cap,
            by_material=self.by_material,
            play_on=0.0,  # nobody resigns anyway: no game is needed to tell who might have
            surprise=self.surprise,
            solve=self.solve,
        )

    @property
    def lessons(self) -> Lessons:
        """How it learns."""
        return Lessons(
            uses=self.uses,
            batch=self.batch,
            rates=self.rates,
            rate_steps=self.rate_steps,
            least=self.least,
            symmetries=self.symmetries,
        )

    def learner(self, game: Game, seed: int) -> Learner:
        """A new network for `game`, and what learns it: chess and shogi have a policy of planes."""
        _, height, width = game.planes
        with seeded(seed):
            net = DualNet(
                game.planes,
                game.num_actions,
                blocks=self.blocks,
                channels=self.channels,
                policy="planes" if game.num_actions > 4 * height * width else "linear",
                policy_filters=self.policy_filters,
                value_filters=self.value_filters,
                hidden=self.hidden,
                pooling=self.pooling,
                ownership=self.ownership > 0,
                reply=self.reply > 0,
            )
        return Learner(
            net,
            optimizer=self.optimizer,
            rate=self.rates[0],
            momentum=self.momentum,
            decay=self.decay,
            averaging=self.averaging,
            value_weight=self.value_weight,
            value_part=self.value_part,
            ownership=self.ownership,
            reply=self.reply,
            clip=self.clip,
        )


PAPER_GO = Config(cap=722)  # 2 x 19 x 19
PAPER_CHESS = replace(
    PAPER_GO,
    noise_alpha=0.3,
    cap=512,
    rates=(0.2, 0.02, 0.002, 0.0002),
    rate_steps=(100_000, 300_000, 500_000),
    window=100_000_000,  # games are about half as long
)
PAPER_SHOGI = replace(PAPER_CHESS, noise_alpha=0.15)
QUICK = Config(  # small enough to learn something in minutes on two cores
    blocks=3,
    channels=32,
    policy_filters=4,
    value_filters=2,
    hidden=32,
    simulations=32,
    fast_simulations=12,
    unvisited="parent",
    noise_alpha=0.3,  # without Gumbel search; about 10 / legal moves, as the paper's are
    considered=16,
    games=256,
    rounds=600,
    surprise=0.5,
    batch=256,
    optimizer="adamw",
    rates=(2e-3,),
    rate_steps=(),
    decay=1e-3,
    clip=5.0,
    averaging=0.99,
    uses=4.0,
    window=100_000,
    least=2_000,
    evaluation_simulations=200,
    save_every=60.0,
)
TICTACTOE = replace(
    QUICK,
    blocks=2,
    channels=16,
    simulations=25,
    fast_simulations=None,
    considered=0,
    noise_alpha=1.0,
    cache=1 << 13,
    exploring_plies=4,
    random_plies=7,
    rounds=416,
    opening_plies=2,
    window=20_000,
    least=1_000,
    evaluation_simulations=50,
    opponents=("random", "perfect"),
)
CONNECT4 = replace(
    QUICK,
    channels=48,
    simulations=64,
    fast_simulations=16,
    noise_alpha=1.0,
    solve=True,
    games=512,
    random_plies=32,
    rounds=400,
    rates=(2e-3, 5e-4),
    rate_steps=(12_000,),
    symmetries=True,
    window=200_000,
    evaluate_every=50,
    opponents=("uct:100", "uct:1000"),
)
OTHELLO = replace(
    QUICK,
    noise_alpha=1.0,
    solve=True,
    games=512,
    random_plies=24,
    rounds=400,
    rates=(2e-3, 5e-4, 2e-4),
    rate_steps=(12_000, 24_000),
    symmetries=True,
    window=400_000,
    evaluate_every=50,
    opponents=("random", "greedy", "alphabeta:6"),
)
GO = replace(
    QUICK,
    simulations=64,
    fast_simulations=16,
    noise_alpha=0.2,
    random_plies=6,
    pooling=True,
    ownership=0.25,
    reply=0.15,
    symmetries=True,
    window=200_000,
    opponents=("random", "uct:200"),
)
GO_9X9 = replace(GO, blocks=4, channels=48, simulations=32, fast_simulations=8, full_share=0.5)
# Games are learned from in pieces of 16 plies, each of which counts by its material: so the value learns soonest what
# pieces are worth, where hundreds of drawn games of full length say little and are soon known by heart.
CHESS = replace(
    QUICK,
    blocks=4,
    channels=48,
    simulations=16,
    fast_simulations=8,
    full_share=0.5,
    considered=8,
    solve=True,
    rounds=400,
    cap=16,
    by_material=True,
    random_plies=60,
    value_part=0.4,
    uses=4.0,
    window=400_000,
    evaluate_every=40,
    opponents=("random", "alphabeta:1"),
)


class AlphaZero:
    """Chooses by a search that its network guides. An `Agent` for board games; its carry is a `Deciding`.

    `simulations` a move (None: the configuration's for evaluation); `runtime` computes the network (`make_evaluator`).
    """

    presets: ClassVar[Mapping[str, Config]] = {
        "quick": QUICK,
        "tictactoe": TICTACTOE,
        "connect4": CONNECT4,
        "othello": OTHELLO,
        "othello-6x6": OTHELLO,
        "go-5x5": GO,
        "go-7x7": GO,
        "go-9x9": GO_9X9,
        "chess": CHESS,
        "shogi": CHESS,
        "paper-go": PAPER_GO,
        "paper-chess": PAPER_CHESS,
        "paper-shogi": PAPER_SHOGI,
    }

    def __init__(
        self, game: Game, net: DualNet, config: Config, *, runtime: str = "auto", simulations: int | None = None
    ):
        self.game, self.net, self.config = game, net, config
        self.simulations = simulations or config.evaluation_simulations
        self.evaluators = Evaluators(game, net, runtime)

    @property
    def task(self) -> str:
        """The game that it has learnt, by its name."""
        return self.game.name

    def initial(self, batch: int, seed: int = 0) -> Deciding:
        """As `Agent.initial`."""
        config, rng = self.config, np.random.default_rng(seed)
        puct, evaluate = config.match_selection, self.evaluators.of(batch)
        return Deciding(
            Planner(
                self.game, evaluate, batch, self.simulations, selection=puct, timed=puct, solve=config.solve, rng=rng
            )
        )

    def act(self, carry: Deciding, turn: Turn, explore: bool) -> tuple[Actions, Deciding]:
        """As `Agent.act`; with `explore` it searches and moves as in self-play.

        Raises ValueError for a turn without positions.
        """
        if not explore:
            return decide(carry, turn, self.config.match_selection), carry
        habits = self.config.habits
        return decide(carry, turn, habits.selection, habits.noise, habits.exploring_plies), carry

    def foresee(self, carry: Deciding, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: the moves that the search looked at, their visits, values, priors and lines."""
        return imagined(carry, row)

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        save_dual_net(folder, "alphazero", self.game, self.net, to_json(self.config))

    @classmethod
    def load(cls, folder: Path, *, runtime: str = "auto") -> Self:
        """As `Agent.load`; the network is computed by `runtime`."""
        game, net, settings = load_dual_net(folder, "alphazero")
        return cls(game, net, from_json(Config, settings), runtime=runtime)

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
        runtime: str = "auto",
        ray: str | None = None,
    ) -> Iterator[Progress]:
        """As `Agent.train`: self-play by the latest network, learning from it, now and then a contest.

        What is resumed on the same machine goes on bit for bit as it would have. `runtime` computes the network in
        self-play: "openvino-int8" is the fastest on a CPU. `ray` spreads self-play over a cluster: "auto", "local" or
        HOST:PORT.
        """
        game = rules_of(task)
        check_strength(game, config.opponents, config.opening_plies)
        learner = config.learner(game, seed)
        crew = make_crew(
            game, config.habits, games=config.games, groups=config.groups, seed=seed, runtime=runtime, ray=ray
        )
        campaign = Campaign(folder, learner, GameReplay(game, config.window), crew, np.random.default_rng(seed))
        campaign.begin(resume)
        agent = cls(game, learner.playing(), config, runtime=runtime)
        try:
            while campaign.goes_on(budget):
                crew.use(learner.playing(), campaign.calibration())
                figures = campaign.play_and_learn(config.rounds, config.lessons)
                agent = cls(game, learner.playing(), config, runtime=runtime)
                if campaign.due(config.evaluate_every):
                    figures |= strength(
                        agent, game, config.opponents, config.evaluation_games, config.opening_plies, seed
                    )
                yield campaign.record(figures, budget, agent, config.save_every)
        finally:
            campaign.end(agent)
