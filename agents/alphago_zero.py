"""AlphaGo Zero: Go from nothing but its rules, by a search and a network that teach each other.

D. Silver et al., "Mastering the game of Go without human knowledge", Nature 550 (2017). The best player so far plays
against itself; a network with two heads learns the search's moves and the winners from positions turned by the eight
symmetries of the board; each checkpoint becomes the best player if it wins more than 55 % of a match against it.

Departures: matches of the evaluator begin with `gate_plies` random moves, so that two players without chance of their
own play different games; trees are not kept from move to move in self-play, where visits carried over would drown the
noise; any `Game` can be learned, with the symmetries that it has; `random_plies` begins games with random moves;
`considered` > 0 searches in self-play as Gumbel AlphaZero does (I. Danihelka et al., ICLR 2022). The "paper" presets
use none of what is optional here.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
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
from sakiyomi.agents.parts.selfplay.crew import RandomSymmetry, make_crew
from sakiyomi.agents.parts.selfplay.replay import GameReplay
from sakiyomi.agents.parts.selfplay.self_player import FORBIDDEN, Habits
from sakiyomi.agents.parts.strength.contest import duel
from sakiyomi.agents.parts.strength.measuring import check_strength, chooser, rules_of, strength
from sakiyomi.agents.parts.strength.score import Score
from sakiyomi.boards.game import Game
from sakiyomi.boards.go import Go
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
    unvisited: Unvisited = "draw"  # what PUCT takes a move without visits for
    noise_alpha: float = 0.03
    noise_fraction: float = 0.25
    considered: int = 0  # root moves that Gumbel search considers in self-play; 0: PUCT
    exploring_plies: int = 30  # in which moves follow the visits
    # self-play ("Self-play")
    games: int = 512  # at once
    groups: int = 2  # that take turns with the network
    random_plies: int = 0  # half of the games begin after 1 to so many random ones
    cap: int | None = None  # plies of a game, then scored as it stands; None: two a point of the Go board, 722 on 19x19
    rounds: int = 32_020  # of the search between two looks at the learner; a move takes one more than simulations
    play_on: float = 0.1  # part of the games in which nobody resigns
    resign_errors: float = 0.05  # part of those that their winner would have resigned, at the most
    resign_most: float = -0.5  # nobody gives up who sees more than this, however seldom winners saw so little
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
    gate_simulations: int = 1600
    gate_score: float = 0.55  # the challenger must score more
    gate_plies: int = 2  # at random, at the beginning of each pair of games
    # looking at itself
    evaluate_every: int = 10  # iterations; a new best player is looked at anyway
    evaluation_games: int = 40
    evaluation_simulations: int = 1600
    opponents: tuple[str, ...] = ("random", "uct:1000")
    save_every: float = 300.0  # seconds

    def __post_init__(self) -> None:
        if len(self.rates) != len(self.rate_steps) + 1:
            raise ValueError(f"rates must be one more than rate_steps, got {self.rates} and {self.rate_steps}")
        if not 0.5 <= self.gate_score < 1:
            raise ValueError(f"gate_score must be from 0.5 to below 1, got {self.gate_score}")
        if self.uses <= 0:
            raise ValueError(f"uses must be over 0, got {self.uses}")
        if self.gate_games < 2 or self.gate_games % 2:
            raise ValueError(f"gate_games must be even and 2 or more, got {self.gate_games}")
        if self.rounds <= self.simulations:
            raise ValueError(f"rounds must be over simulations, or no move is made, got {self.rounds}")
        if self.evaluation_games < 2 or self.evaluation_games % 2:
            raise ValueError(f"evaluation_games must be even and 2 or more, got {self.evaluation_games}")

    @property
    def match_selection(self) -> Puct:
        """How matches' search chooses: PUCT with a constant coefficient."""
        return Puct(init=self.puct, base=None, unvisited=self.unvisited, scale="none")

    @property
    def selection(self) -> Puct | Gumbel:
        """How self-play's search chooses."""
        return Gumbel(considered=self.considered) if self.considered else self.match_selection

    def habits(self, game: Game) -> Habits:
        """How it plays `game` with itself."""
        points = game.planes[1] * game.planes[2]
        return Habits(
            simulations=self.simulations,
            selection=self.selection,
            noise=None if self.considered else Dirichlet(alpha=self.noise_alpha, fraction=self.noise_fraction),
            exploring_plies=self.exploring_plies,
            random_plies=self.random_plies,
            cap=self.cap or (2 * points if isinstance(game, Go) else None),
            play_on=self.play_on,
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
    unvisited="parent",
    noise_alpha=0.15,
    exploring_plies=8,
    games=256,
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
    gate_simulations=100,
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
    random_plies=7,
    rounds=416,
    window=20_000,
    least=1_000,
    gate_games=200,
    gate_simulations=2,  # with more the search alone would leave nothing to tell two networks apart by
    gate_plies=3,
    evaluation_simulations=50,
    resign_after=0,
    opponents=("random", "perfect"),
)
GO_7X7 = replace(QUICK, simulations=64, gate_simulations=64, noise_alpha=0.2, exploring_plies=6, random_plies=4)


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
        rng, puct = np.random.default_rng(seed), self.config.match_selection
        plain = self.evaluators.of(batch)
        evaluate = RandomSymmetry(self.game, plain, rng) if self.config.symmetries else plain
        return Deciding(Planner(self.game, evaluate, batch, self.simulations, selection=puct, timed=puct, rng=rng))

    def act(self, carry: Deciding, turn: Turn, explore: bool) -> tuple[Actions, Deciding]:
        """As `Agent.act`; with `explore` it searches and moves as in self-play.

        Raises ValueError for a turn without positions.
        """
        if not explore:
            return decide(carry, turn, self.config.match_selection), carry
        habits = self.config.habits(self.game)
        return decide(carry, turn, habits.selection, habits.noise, habits.exploring_plies), carry

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
        check_strength(game, config.opponents, config.gate_plies)
        learner = config.learner(game, seed)
        best = deepcopy(learner.net)
        crew = make_crew(
            game,
            config.habits(game),
            games=config.games,
            groups=config.groups,
            seed=seed,
            runtime=runtime,
            random_symmetry=config.symmetries,
            ray=ray,
        )
        replay, rng = GameReplay(game, config.window), np.random.default_rng(seed)
        campaign = Campaign(folder, learner, replay, crew, rng, nets={"best": best})
        memory = campaign.memory
        memory |= {"lowest": [], "checked": 0, "accepted": 0, "rejected": 0}
        campaign.begin(resume)
        player = cls(game, best, config, runtime=runtime)
        try:
            while campaign.goes_on(budget):
                threshold, accepted = resign_threshold(memory["lowest"], config), False
                crew.use(best, campaign.calibration(), threshold)
                figures = campaign.play_and_learn(config.rounds, config.lessons)
                memory["lowest"] = (memory["lowest"] + crew.lowest())[-CALIBRATING_GAMES:]
                figures |= resignation(memory["lowest"], threshold)
                steps = campaign.counters.steps
                if steps - memory["checked"] >= config.checkpoint_steps:
                    challenger, defender = (
                        cls(game, net, config, runtime=runtime, simulations=config.gate_simulations)
                        for net in (learner.playing(), best)
                    )
                    score = challenger.match(defender, steps)
                    accepted = score.mean > config.gate_score
                    memory["checked"] = steps
                    memory["accepted" if accepted else "rejected"] += 1
                    figures |= gate(score, memory["accepted"], memory["rejected"])
                if accepted:
                    best.load_state_dict(learner.playing().state_dict())
                    player = cls(game, best, config, runtime=runtime)
                if accepted or campaign.due(config.evaluate_every):
                    games, plies = config.evaluation_games, config.gate_plies
                    figures |= strength(player, game, config.opponents, games, plies, seed)
                yield campaign.record(figures, budget, player, config.save_every)
        finally:
            campaign.end(player)

    def match(self, best: "AlphaGoZero", seed: int) -> Score:
        """The evaluator's match of this player, the challenger, against the `best` one."""
        config = self.config
        one, other = (chooser(player, self.game, config.gate_games, seed) for player in (self, best))
        return duel(self.game, one, other, config.gate_games, opening_plies=config.gate_plies, seed=seed)


def gate(score: Score, accepted: float, rejected: float) -> dict[str, float]:
    """Figures: the challenger's score with a 95 % interval, and how many were accepted and rejected so far."""
    low, high = score.interval
    shown = {"score": score.mean, "score low": low, "score high": high, "accepted": accepted, "rejected": rejected}
    return {f"gate/{name}": figure for name, figure in shown.items()}


def resign_threshold(lowest: list[float], config: Config) -> float:
    """The value below which a player gives up: at most `resign_errors` of the winners in games without resignation
    ever saw a lower one ("Self-play"), and it is `resign_most` at the most: where one side mostly wins from the start,
    its winners never see a low value, and games would end where the loser first sees that. None gives up before there
    are `resign_after` such games."""
    if not config.resign_after or len(lowest) < config.resign_after * config.play_on:
        return FORBIDDEN
    return min(float(np.quantile(lowest, config.resign_errors, method="lower")), config.resign_most)


def resignation(lowest: list[float], threshold: float) -> dict[str, float]:
    """Figures: the threshold, and the part of the latest winners without resignation who would have given up by it."""
    if threshold == FORBIDDEN:
        return {}
    errors = float(np.mean(np.array(lowest) < threshold))
    return {"resignation/threshold": threshold, "resignation/errors": errors}
