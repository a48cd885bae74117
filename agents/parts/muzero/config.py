"""Settings of MuZero: `Config`, and the presets, of which some are the paper's.

Figures are from J. Schrittwieser et al., arXiv:1911.08265, appendices B and D to H, and DeepMind's published
pseudocode; what the paper does not tell is said to be so.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal

import numpy as np

from sakiyomi.agents.parts.dual.learner import seeded
from sakiyomi.agents.parts.muzero.learner import MuZeroLearner
from sakiyomi.agents.parts.muzero.lookahead import Lookahead
from sakiyomi.agents.parts.muzero.net_dynamics import NetDynamics
from sakiyomi.agents.parts.muzero.nets import Kind, MuZeroNet, Norm, Scaling, usual_kind
from sakiyomi.agents.parts.muzero.playing import LatentPlay
from sakiyomi.agents.parts.muzero.sampling import SampledDynamics
from sakiyomi.agents.parts.muzero.stacking import input_shape
from sakiyomi.agents.parts.muzero.stages import Stage
from sakiyomi.agents.parts.muzero.unrolls import UnrollReplay
from sakiyomi.agents.parts.runs.config_checks import check_within
from sakiyomi.agents.parts.search import Dirichlet, Gumbel, Puct
from sakiyomi.agents.parts.search.selection import Scale


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
    floor: float = 1e-8  # ranges of Q that are narrower count as that wide; EfficientZero has 0.01
    noise_alpha: float = 0.25
    noise_fraction: float = 0.25
    considered: int = 0  # root actions that Gumbel search considers; 0: PUCT
    gumbel_visit: float = 50.0
    gumbel_scale: float = 0.1
    discount: float = 0.997  # a decision
    # actions that are vectors (T. Hubert et al., arXiv:2104.06303; the paper has choices alone)
    action_bins: int = 0  # values of each dimension, between its bounds; 0: vectors are not taken
    sampled: int = 0  # actions drawn at each node, which the search then chooses among; 0: all there are
    proposal_temperature: float = 1.0  # of the policy where they are drawn: over 1, more widely than it has them
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
    uses: float = 0.1  # samples drawn for each new position, from the first `least` on
    refreshes: float = 0.0  # stored positions searched again for each new one
    fresh_values: bool = False  # values are built on those of the network to play by now, not on the searches' then
    window: int = 25_000_000  # rows: 125,000 sequences of 200 (of pictures, 700 GB)
    symmetries: bool = False  # each unroll that is learned from is turned by one of the board's, drawn at random
    least: int = 10_000  # rows before learning begins
    # looking at itself
    evaluate_every: int = 10  # iterations
    evaluation_games: int = 40
    evaluation_simulations: int = 50
    evaluation_considered: int = 0  # root actions that a Gumbel search considers then; 0: it chooses as while playing
    evaluation_noise: bool = False  # at roots then, too
    opening_plies: int = 4
    opponents: tuple[str, ...] = ("random", "uct:100")
    save_every: float = 300.0  # seconds

    def __post_init__(self) -> None:
        if len(self.temperatures) != len(self.temperature_steps) + 1:
            there = f"{self.temperatures} and {self.temperature_steps}"
            raise ValueError(f"temperatures must be one more than temperature_steps, got {there}")
        names = ("simulations", "rows", "moves", "unroll", "batch", "stack", "support", "evaluation_games")
        check_within(self, 1, inf, *names)
        check_within(self, 0, inf, "sampled", "action_bins")
        if self.proposal_temperature <= 0:
            raise ValueError(f"proposal_temperature must be over 0, got {self.proposal_temperature}")
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
        """How search chooses while it plays to learn."""
        return self._selection(self.considered)

    @property
    def evaluation_selection(self) -> Puct | Gumbel:
        """How search chooses where it acts as well as it can."""
        return self._selection(self.evaluation_considered or self.considered)

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
        given = self.these("channels", "hidden", "blocks", "filters", "down_blocks", "norm", "scaling")
        given |= {"support": 0 if stage.players == 2 else self.support, "columns": stage.columns and kind == "conv"}
        given |= {"dimensions": stage.grid.dimensions if stage.grid else 1}
        with seeded(seed):
            return MuZeroNet(inputs, stage.actions, kind=kind, **given)

    def learner(self, net: MuZeroNet) -> MuZeroLearner:
        """What learns `net`."""
        return MuZeroLearner(net, **self.these("optimizer", "momentum", "decay", "averaging", "value_weight", "clip"))

    def replay(self, stage: Stage) -> UnrollReplay:
        """An empty one for what is played on `stage`."""
        given = self.these("discount", "stack", "alpha", "beta", "sampled") | {"with_actions": self.past_actions}
        given |= {"symmetries": stage.symmetries if self.symmetries else ()}
        steps, two = self.td_steps or self.window, stage.players == 2
        return UnrollReplay(self.window, stage.frame, stage.kind, stage.actions, n=steps, alternating=two, **given)

    def dynamics(self, net: MuZeroNet, rng: np.random.Generator) -> NetDynamics | SampledDynamics:
        """What a search by `net` asks."""
        if not self.sampled:
            return NetDynamics(net)
        return SampledDynamics(net, self.sampled, self.proposal_temperature, rng)

    def lookahead(
        self,
        net: MuZeroNet,
        trees: int,
        players: int,
        selection: Puct | Gumbel,
        noise: Dirichlet | None,
        rng: np.random.Generator,
    ) -> Lookahead:
        """Searches up to so many trees at once by `net`."""
        given: dict[str, Any] = self.these("simulations", "discount")
        given |= {"selection": selection, "noise": noise, "players": players, "rng": rng}
        return Lookahead(self.dynamics(net, rng), trees, self.sampled or net.actions, **given)

    def play(self, stage: Stage, look: Lookahead) -> LatentPlay:
        """How is played to learn."""
        given = self.these("stack", "exploring_plies", "piece")
        return LatentPlay(stage, look, with_actions=self.past_actions, **given)

    def these(self, *names: str) -> dict[str, Any]:
        """Settings by name, for what has them as arguments of the same names."""
        return {name: getattr(self, name) for name in names}

    def _selection(self, considered: int) -> Puct | Gumbel:
        if not considered:
            return self.puct
        return Gumbel(considered=considered, visit=self.gumbel_visit, scale=self.gumbel_scale)


PAPER_ATARI = Config()
PAPER_BOARD = replace(  # Go's; shogi has noise_alpha 0.15 and chess 0.3, and both the rate 0.1
    PAPER_ATARI,
    stack=1,
    past_actions=False,
    simulations=800,
    scale="fixed",
    noise_alpha=0.03,
    discount=1.0,
    rows=64,  # with 801 latent states each, of 19 x 19 points: 19 GB
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
    uses=0.44,  # AlphaZero's, which the paper does not tell for boards
    window=200_000_000,  # about the positions of 1,000,000 games (of 19 x 19, 5 TB)
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
    floor=0.01,
    rows=64,
    moves=50,
    temperature_steps=(2_000, 4_000),  # of some 31,000 in 500,000 decisions
    td_steps=5,
    batch=256,
    optimizer="adamw",
    rate=1e-3,
    rate_decay=1.0,
    clip=5.0,
    alpha=0.6,
    beta=0.4,
    uses=16.0,
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
    evaluation_considered=16,  # all there are: PUCT by a sure policy may look at one action alone
    evaluate_every=40,
)
PENDULUM = replace(  # about 9,000 steps of learning in 100,000 decisions
    CARTPOLE,
    support=24,
    simulations=24,
    considered=6,  # shares of few visits among what was drawn taught nothing in 38,000 decisions
    action_bins=7,
    sampled=6,
    discount=0.95,
    rows=32,
    moves=16,
    td_steps=5,
    refreshes=0.0,
    uses=24.0,
    rate_steps=9_000,
    alpha=0.0,
    window=60_000,
)
TICTACTOE = replace(  # about 11,000 steps of learning in 10 minutes of a core
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
    rate_decay=0.1,
    rate_steps=10_000,
    averaging=0.998,
    symmetries=True,
    window=20_000,
    least=1_000,
    evaluation_simulations=50,
    evaluation_games=40,
    opening_plies=2,
    opponents=("random", "perfect"),
)
CONNECT4 = replace(  # about 10,000 steps of learning, from 650,000 plies, in an hour of a core
    TICTACTOE,
    channels=48,
    hidden=48,
    blocks=2,
    considered=16,
    simulations=32,
    rows=256,
    exploring_plies=30,
    random_plies=20,
    uses=2.0,  # more would be spent on learning than on play
    averaging=0.99,
    window=200_000,
    least=4_000,
    evaluation_simulations=100,
    opening_plies=4,
    evaluate_every=50,
    opponents=("random", "uct:100"),
)
