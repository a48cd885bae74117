"""AlphaGo Zero: Go from nothing but its rules, by a search and a network that teach each other.

D. Silver et al., "Mastering the game of Go without human knowledge", Nature 550 (2017). The best player so far plays
against itself; a network with two heads learns the search's moves and the winners from positions turned by the eight
symmetries of the board; each checkpoint becomes the best player if it wins more than 55 % of a match against it.

Departures: matches of the evaluator begin with `gate_plies` random moves, so that two players without chance of their
own play different games; trees are not kept from move to move in self-play, where visits carried over would drown the
noise; any `Game` can be learned, with the symmetries that it has; `considered` > 0 searches as Gumbel AlphaZero does.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.agent import Actions, Foresight, Progress, TrainingBudget, Turn
from sakiyomi.agents.parts.campaign import Campaign
from sakiyomi.agents.parts.contest import duel
from sakiyomi.agents.parts.crew import RandomSymmetry, make_crew
from sakiyomi.agents.parts.deciding import Deciding, best_actions, decide, drawn, imagined
from sakiyomi.agents.parts.dual_files import Evaluators, load_dual_net, save_dual_net
from sakiyomi.agents.parts.flags import from_json, to_json
from sakiyomi.agents.parts.learner import Learner, seeded
from sakiyomi.agents.parts.measuring import chooser, rules_of, strength
from sakiyomi.agents.parts.nets import DualNet
from sakiyomi.agents.parts.planner import Planner
from sakiyomi.agents.parts.replay import GameReplay
from sakiyomi.agents.parts.score import Score
from sakiyomi.agents.parts.search import Dirichlet, Findings, Gumbel, Puct
from sakiyomi.agents.parts.selfplay import FORBIDDEN, Habits
from sakiyomi.boards.game import Game
from sakiyomi.envs.task import Task

CALIBRATING_GAMES = 1000  # of the latest games without resignation that the threshold is taken from


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: the paper's for its run of three days with 20 blocks (Methods)."""

    # the network ("Neural network architecture")
    blocks: int = 19  # residual blocks after the first convolution
    channels: int = 256
    policy_filters: int = 2
    value_filters: int = 1
    hidden: int = 256  # units of the value head
    # the search ("Search algorithm")
    simulations: int = 1600  # a move, the root's evaluation not counted
    puct: float = 1.5  # constant c; the paper does not print its own
    noise_alpha: float = 0.03
    noise_fraction: float = 0.25
    considered: int = 0  # root moves that Gumbel search considers; 0: PUCT
    exploring_plies: int = 30  # in which moves follow the visits
    # self-play ("Self-play")
    games: int = 512  # at once
    groups: int = 2  # that take turns with the network
    rounds: int = 32_020  # of the search between two looks at the learner; a move takes one more than simulations
    play_on: float = 0.1  # part of the games in which nobody resigns
    resign_errors: float = 0.05  # part of those that their winner would have resigned, at the most
    resign_after: int = 1000  # games of self-play, about, before anybody resigns; 0: nobody ever does
    # learning ("Optimization")
    batch: int = 2048
    optimizer: Literal["sgd", "adamw"] = "sgd"
    rates: tuple[float, ...] = (1e-2, 1e-3, 1e-4)
    rate_steps: tuple[int, ...] = (400_000, 600_000)  # where the rate becomes the next one
    momentum: float = 0.9
    decay: float = 2e-4  # added to the gradient: twice the c = 1e-4 of c |theta|^2
    clip: float = 0.0
    averaging: float = 0.0
    symmetries: bool = True  # of what is learned from, and of every evaluation in the search
    uses: float = 1.0  # samples drawn for each new position
    window: int = 100_000_000  # positions, about those of 500,000 games on 19x19
    least: int = 10_000  # positions before learning begins
    # the evaluator ("Evaluator")
    checkpoint_steps: int = 1000  # of learning, between matches
    gate_games: int = 400
    gate_score: float = 0.55  # the challenger must score more
    gate_plies: int = 2  # at random, at the beginning of each pair of games
    # looking at itself
    evaluation_games: int = 40
    evaluation_simulations: int = 1600
    opponents: tuple[str, ...] = ("random", "uct:1000")
    save_every: float = 300.0  # seconds

    def __post_init__(self) -> None:
        if len(self.rates) != len(self.rate_steps) + 1:
            raise ValueError(f"rates must be one more than rate_steps, got {self.rates} and {self.rate_steps}")
        if not 0.5 <= self.gate_score < 1:
            raise ValueError(f"gate_score must be from 0.5 to below 1, got {self.gate_score}")
        if self.gate_games < 2 or self.gate_games % 2:
            raise ValueError(f"gate_games must be even and 2 or more, got {self.gate_games}")
        if self.rounds <= self.simulations:
            raise ValueError(f"rounds must be over simulations, or no move is made, got {self.rounds}")
        if self.evaluation_games < 2 or self.evaluation_games % 2:
            raise ValueError(f"evaluation_games must be even and 2 or more, got {self.evaluation_games}")

    @property
    def selection(self) -> Puct | Gumbel:
        """How self-play's search chooses."""
        return Gumbel(considered=self.considered) if self.considered else self.constant

    @property
    def constant(self) -> Puct:
        """PUCT with a constant coefficient; an edge without visits counts as a draw."""
        return Puct(init=self.puct, base=None, unvisited="draw", scale="none")

    @property
    def match_selection(self) -> Puct | Gumbel:
        """The same without noise."""
        return Gumbel(considered=self.considered, noise=0.0) if self.considered else self.constant

    @property
    def habits(self) -> Habits:
        """How it plays with itself."""
        return Habits(
            simulations=self.simulations,
            selection=self.selection,
            noise=None if self.considered else Dirichlet(alpha=self.noise_alpha, fraction=self.noise_fraction),
            exploring_plies=self.exploring_plies,
            play_on=self.play_on,
        )

    @property
    def lessons(self) -> dict[str, Any]:
        """How it learns (`Campaign.play_and_learn`)."""
        return {
            "uses": self.uses,
            "batch": self.batch,
            "rate": self.rate,
            "least": self.least,
            "symmetries": self.symmetries,
        }

    def rate(self, step: int) -> float:
        """The learning rate at `step`."""
        return self.rates[sum(step >= at for at in self.rate_steps)]

    def learner(self, game: Game, seed: int) -> Learner:
        """A new network for `game`, and what learns it."""
        with seeded(seed):
            net = DualNet(
                game.planes,
                game.num_actions,
                blocks=self.blocks,
                channels=self.channels,
                policy_filters=self.policy_filters,
                value_filters=self.value_filters,
                hidden=self.hidden,
            )
        return Learner(
            net,
            optimizer=self.optimizer,
            rate=self.rates[0],
            momentum=self.momentum,
            decay=self.decay,
            averaging=self.averaging,
            clip=self.clip,
        )


PAPER = Config()
PAPER_40 = replace(PAPER, blocks=39)
QUICK = Config(  # small enough to learn something in minutes on two cores
    blocks=3,
    channels=32,
    policy_filters=4,
    value_filters=2,
    hidden=32,
    simulations=100,
    noise_alpha=0.15,
    exploring_plies=8,
    games=128,
    rounds=606,
    resign_after=200,
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
    checkpoint_steps=150,
    gate_games=100,
    evaluation_simulations=100,
    opponents=("random", "uct:200"),
    save_every=60.0,
)
TICTACTOE = replace(
    QUICK,
    blocks=2,
    channels=16,
    simulations=25,
    noise_alpha=1.0,
    exploring_plies=4,
    rounds=208,
    window=20_000,
    least=1_000,
    evaluation_simulations=50,
    resign_after=0,
    opponents=("random", "perfect"),
)
GO_7X7 = replace(QUICK, simulations=64, noise_alpha=0.2, exploring_plies=6)


class AlphaGoZero:
    """Chooses by a search that its network guides, each position seen under a random symmetry.

    An `Agent` for board games; its carry is a `Deciding`. `simulations` a move (None: the configuration's for
    evaluation); `runtime` computes the network (`make_evaluator`).
    """

    presets: ClassVar[Mapping[str, Config]] = {
        "quick": QUICK,
        "tictactoe": TICTACTOE,
        "go-7x7": GO_7X7,
        "paper": PAPER,
        "paper-40": PAPER_40,
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
        rng = np.random.default_rng(seed)
        plain = self.evaluators.of(batch)
        evaluate = RandomSymmetry(self.game, plain, rng) if self.config.symmetries else plain
        matches = self.config.match_selection
        return Deciding(
            Planner(
                self.game, evaluate, batch, self.simulations, selection=matches, timed=self.config.constant, rng=rng
            )
        )

    def act(self, carry: Deciding, turn: Turn, explore: bool) -> tuple[Actions, Deciding]:
        """As `Agent.act`; with `explore` it searches and moves as in self-play.

        Raises ValueError for a turn without positions.
        """
        config, planner = self.config, carry.planner
        planner.selection = config.selection if explore else config.match_selection
        planner.noise = config.habits.noise if explore else None

        def choose(found: Findings) -> NDArray[np.int64]:
            if not explore or config.considered or turn.states is None:
                return best_actions(found, planner)
            early = turn.states["ply"] < config.exploring_plies
            return drawn(found.proportions(np.where(early, 1.0, 0.0)), planner.rng)

        return decide(carry, turn, choose), carry

    def foresee(self, carry: Deciding, turn: Turn, row: int = 0) -> Foresight:
        """As `Agent.foresee`: the moves that the search looked at, their visits, values, priors and lines."""
        return imagined(carry, row)

    def save(self, folder: Path) -> None:
        """As `Agent.save`."""
        save_dual_net(folder, "alphagozero", self.game, self.net, to_json(self.config))

    @classmethod
    def load(cls, folder: Path, *, runtime: str = "auto") -> Self:
        """As `Agent.load`; the network is computed by `runtime`."""
        game, net, settings = load_dual_net(folder, "alphagozero")
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
        """As `Agent.train`: self-play by the best player, learning from it, and a match for each checkpoint.

        What is resumed on the same machine goes on bit for bit as it would have. `runtime` computes the networks in
        self-play: "openvino-int8" is the fastest on a CPU. `ray` spreads self-play over a cluster: "auto", "local" or
        HOST:PORT. The agent left in `folder` is the best player.
        """
        game = rules_of(task)
        learner = config.learner(game, seed)
        best = deepcopy(learner.net)
        crew = make_crew(
            game,
            config.habits,
            games=config.games,
            groups=config.groups,
            seed=seed,
            runtime=runtime,
            random_symmetry=config.symmetries,
            ray=ray,
        )
        campaign = Campaign(
            folder, learner, GameReplay(game, config.window), crew, np.random.default_rng(seed), nets={"best": best}
        )
        numbers, lowest = campaign.numbers, campaign.lists.setdefault("lowest", [])
        numbers |= {"checked": 0.0, "accepted": 0.0, "rejected": 0.0}
        campaign.begin(resume)
        player = cls(game, best, config, runtime=runtime)
        try:
            while campaign.spent(budget) < 1:
                threshold = resign_threshold(lowest, config)
                crew.use(best, campaign.calibration(), threshold)
                figures = campaign.play_and_learn(config.rounds, **config.lessons)
                lowest[:] = (lowest + crew.lowest())[-CALIBRATING_GAMES:]
                figures |= resignation(lowest, threshold)
                if campaign.counters.steps - numbers["checked"] >= config.checkpoint_steps:
                    numbers["checked"] = float(campaign.counters.steps)
                    challenger = cls(game, learner.playing(), config, runtime=runtime)
                    score = challenger.match(player, campaign.counters.steps)
                    accepted = score.mean > config.gate_score
                    numbers["accepted" if accepted else "rejected"] += 1
                    figures |= {f"gate/{name}": numbers[name] for name in ("accepted", "rejected")}
                    figures |= {"gate/score": score.mean, "gate/score low": score.interval[0]}
                    figures["gate/score high"] = score.interval[1]
                    if accepted:
                        best.load_state_dict(learner.playing().state_dict())
                        player = cls(game, best, config, runtime=runtime)
                        figures |= strength(
                            player, game, config.opponents, config.evaluation_games, config.gate_plies, seed
                        )
                yield campaign.record(figures, budget, player, config.save_every)
        finally:
            campaign.end(player)
            crew.close()

    def match(self, best: "AlphaGoZero", seed: int) -> Score:
        """The evaluator's match of this player, the challenger, against the `best` one."""
        config = self.config
        one, other = (chooser(player, self.game, config.gate_games, seed) for player in (self, best))
        return duel(self.game, one, other, config.gate_games, opening_plies=config.gate_plies, seed=seed)


def resign_threshold(lowest: list[float], config: Config) -> float:
    """The value below which a player gives up: at most `resign_errors` of the winners in games without resignation
    ever saw a lower one ("Self-play"). None gives up before there are `resign_after` such games."""
    if not config.resign_after or len(lowest) < config.resign_after * config.play_on:
        return FORBIDDEN
    return float(np.quantile(lowest, config.resign_errors, method="lower"))


def resignation(lowest: list[float], threshold: float) -> dict[str, float]:
    """Figures: the threshold, and the part of the latest winners without resignation who would have given up by it."""
    if threshold == FORBIDDEN:
        return {}
    errors = float(np.mean(np.array(lowest) < threshold))
    return {"resignation/threshold": threshold, "resignation/errors": errors}
