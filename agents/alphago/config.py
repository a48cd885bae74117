"""The settings of AlphaGo, stage by stage; the defaults are the paper's (Silver et al. 2016)."""

from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from sakiyomi.agents.alphago.features import PLANES
from sakiyomi.agents.alphago.search import Apv
from sakiyomi.agents.parts.runs.config_checks import check_within

STAGES = ("records", "policy", "rollout", "reinforce", "positions", "value")
"""The stages of learning, in order; each builds on those before."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults: Methods and Extended Data Tables 2, 4 and 5. Rates are halved after every `..._halving` steps."""

    # networks ("Neural network architecture")
    planes: int = 48  # of the policy network; the value network has 49
    filters: int = 192
    layers: int = 13
    value_filters: int = 192
    value_layers: int = 15
    value_hidden: int = 256
    # stage "records": games of others, or, where none are given, games of the players at hand
    least_moves: int = 20  # of a game
    least_rank: str | None = None  # of both players: "6d"
    handicap: bool | None = None  # True: only games with one; False: none of them
    test_share: float = 1 / 29.4  # of the games to test by; the paper has a million of 29.4 million positions
    own_games: int = 2000
    teacher: str = "uct:400"  # who plays them, where nobody else is given
    own_opening_plies: int = 6  # at random, at the most, so that they differ
    # stage "policy" ("Policy network: classification")
    policy_steps: int = 340_000_000
    policy_batch: int = 16
    policy_rate: float = 0.003
    policy_halving: int = 80_000_000
    # stage "rollout" ("Rollout policy"), of both linear policies
    rollout_epochs: int = 1
    rollout_rate: float = 0.1  # in the first steps of AdaGrad, falling to
    rollout_last_rate: float = 0.01
    rings: int = 69_338  # patterns of 3x3, the most frequent
    diamonds: int = 32_207  # patterns of 12 points
    least_seen: int = 10  # times that a pattern of 3x3 is met, at least
    least_played: int = 4  # times that a pattern of 12 points is played, at least
    # stage "reinforce" ("Policy network: reinforcement learning")
    reinforce_steps: int = 10_000
    reinforce_games: int = 128  # a step
    pool_every: int = 500
    reinforce_rate: float = 0.001  # alpha, which the paper does not tell
    reinforce_baseline: str | None = None  # the folder of an agent whose value network is b; none: b = 0
    # stage "positions" and "value" ("Value network: regression")
    positions: int = 30_000_000
    value_steps: int = 50_000_000
    value_batch: int = 32
    value_rate: float = 0.003
    value_halving: int = 80_000_000
    # how networks learn
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.0
    clip: float = 0.0  # of the gradient's norm; 0: none
    # the search ("Searching with policy and value networks", Extended Data Table 5)
    simulations: int = 10_000  # a move, where no budget is given; the paper's is 5 seconds
    mixing: float = 0.5  # lambda
    exploration: float = 5.0  # c_puct
    virtual_loss: int = 3
    threshold: int = 40  # n_thr, for some 100,000 rollouts a move
    leaves: int = 40  # descents at once: the paper's threads
    late: bool = True  # whether networks answer a round later, the tree policy until then
    priors: Literal["sl", "rl", "tree"] = "sl"  # whose; the paper plays by the policy learnt from records
    softening: float = 0.67  # beta: priors are probabilities to this power
    divisor: bool = False  # whether beta divides logits instead, which sharpens
    pass_prior: float = 0.01
    resign: float = -0.8  # give up below this value; -1: never
    # looking at itself
    report_every: int = 1000  # steps of "policy" and "value" from one line to the next
    test_every: int = 10  # lines, with a test in each
    test_positions: int = 4096
    opponents: tuple[str, ...] = ("random", "uct:1000")
    evaluation_games: int = 40
    opening_plies: int = 4  # at random, of the games of evaluation
    shares: tuple[float, ...] = (0.05, 0.4, 0.05, 0.2, 0.15, 0.15)  # of a budget, a stage each
    save_every: float = 300.0  # seconds

    def __post_init__(self) -> None:
        if self.planes not in PLANES:
            raise ValueError(f"planes must be one of {', '.join(map(str, PLANES))}, got {self.planes}")
        check_within(self, 1, inf, "least_moves", "own_games", "policy_steps", "policy_batch", "policy_halving")
        check_within(self, 1, inf, "rollout_epochs", "rings", "diamonds", "reinforce_steps", "reinforce_games")
        check_within(self, 1, inf, "pool_every", "positions", "value_steps", "value_batch", "value_halving")
        check_within(self, 1, inf, "simulations", "report_every", "test_every", "test_positions")
        check_within(self, 0, inf, "own_opening_plies", "opening_plies", "policy_rate", "value_rate")
        check_within(self, 0, 1, "pass_prior", "momentum")
        check_within(self, -1, 1, "resign")
        if not 0 < self.test_share < 1:
            raise ValueError(f"test_share must lie between 0 and 1, got {self.test_share}")
        if not self.softening > 0:
            raise ValueError(f"softening must be over 0, got {self.softening}")
        if self.pass_prior == 1:
            raise ValueError("pass_prior must be below 1, or nothing else is tried")
        if len(self.shares) != len(STAGES) or min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise ValueError(f"shares must be {len(STAGES)} numbers that add up to 1, got {self.shares}")
        if self.evaluation_games < 2 or self.evaluation_games % 2:
            raise ValueError(f"evaluation_games must be even and 2 or more, got {self.evaluation_games}")
        _ = self.search  # whose own checks these are

    @property
    def search(self) -> Apv:
        """How the search chooses."""
        return Apv(
            mixing=self.mixing,
            exploration=self.exploration,
            virtual_loss=self.virtual_loss,
            threshold=self.threshold,
            leaves=self.leaves,
            late=self.late,
        )


def rate_at(rate: float, halving: int, step: int) -> float:
    """The learning rate at `step`, halved after every `halving` steps."""
    return float(rate * 0.5 ** (step // halving))


PAPER = Config()
GO_9X9 = Config(
    filters=64,
    layers=7,
    value_filters=64,
    value_layers=8,
    value_hidden=64,
    test_share=0.1,
    policy_steps=24_000,
    policy_batch=128,
    policy_rate=0.05,
    policy_halving=4_000,
    rollout_epochs=4,
    reinforce_steps=400,
    pool_every=20,
    reinforce_rate=0.003,
    positions=200_000,
    value_steps=12_000,
    value_batch=128,
    value_rate=0.02,
    value_halving=3_000,
    momentum=0.9,
    clip=5.0,
    simulations=400,
    threshold=5,
    leaves=8,
    late=False,
    report_every=100,
    opponents=("random", "uct:400"),
)
GO_7X7 = replace(
    GO_9X9,
    filters=48,
    layers=6,
    value_filters=48,
    value_layers=7,
    policy_steps=12_000,
    policy_halving=2_000,
    positions=100_000,
    value_steps=8_000,
    value_halving=2_000,
)
GO_19X19 = replace(
    GO_9X9,
    filters=96,
    layers=10,
    value_filters=96,
    value_layers=11,
    value_hidden=128,
    test_share=0.03,
    policy_steps=200_000,
    policy_halving=30_000,
    reinforce_steps=1000,
    positions=500_000,
    value_steps=40_000,
    value_halving=10_000,
    simulations=800,
    own_games=10_000,
)
QUICK = replace(  # small enough to learn something in a minute
    GO_9X9,
    filters=16,
    layers=4,
    value_filters=16,
    value_layers=5,
    value_hidden=32,
    own_games=60,
    teacher="uct:100",
    own_opening_plies=4,
    least_moves=5,
    policy_steps=300,
    policy_batch=64,
    policy_halving=100,
    least_seen=2,
    least_played=1,
    reinforce_steps=10,
    reinforce_games=32,
    pool_every=5,
    positions=1_000,
    value_steps=200,
    value_batch=64,
    value_halving=100,
    simulations=50,
    threshold=2,
    report_every=50,
    test_every=2,
    test_positions=512,
    opponents=("random",),
    save_every=30.0,
)
PRESETS = {"quick": QUICK, "go-7x7": GO_7X7, "go-9x9": GO_9X9, "go-19x19": GO_19X19, "paper": PAPER}
