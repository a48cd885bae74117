"""Learning linear policies from records: which patterns to tell apart, and weights of greatest likelihood.

Silver et al., Nature 529 (2016), Methods, "Rollout policy": the log-likelihood of the moves that were played is
maximised by stochastic gradient descent. One position is a step:

    d log p(a) / d w_f = [a has f] - sum over candidates b of p(b) [b has f]

Departure: each weight has its own step size, rate / sqrt(sum of its squared gradients) (AdaGrad, Duchi et al., JMLR
12, 2011), as patterns differ in frequency by five orders of magnitude.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.candidates import ROLLOUT_KINDS, TREE_KINDS, Tables, tables_of
from sakiyomi.agents.alphago.counting import count_rows, most_frequent_rings
from sakiyomi.agents.alphago.following import follow_rows
from sakiyomi.agents.alphago.patterns import ARCS, Patterns
from sakiyomi.boards.batches import ready
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go

U = np.uint64
PAPER_RINGS, PAPER_DIAMONDS = 69_338, 32_207
CHUNK = 256  # games between two signs of progress


class Games(NamedTuple):
    """G games as flat arrays. A game ends early at a move that its position does not allow."""

    states: States  # [G], the first positions
    moves: NDArray[np.int32]  # [M], actions, game after game; passes are played but not learnt
    offsets: NDArray[np.int64]  # [G + 1], where each game's moves begin


class Fit(NamedTuple):
    """How well a policy foretells moves: sums over positions."""

    positions: int  # moves on the board
    possible: int  # of these, such as a policy can play: no own eye filled
    hits: int  # foretold: no candidate was likelier, and of equals this one comes first
    log_likelihood: float  # of the possible ones

    @property
    def accuracy(self) -> float:
        """The share of all positions whose move was foretold."""
        return self.hits / max(self.positions, 1)

    @property
    def mean_log_likelihood(self) -> float:
        """Of one possible move, in nats."""
        return self.log_likelihood / max(self.possible, 1)

    def __add__(self, other: object) -> "Fit":
        if not isinstance(other, Fit):
            return NotImplemented
        return Fit(
            self.positions + other.positions,
            self.possible + other.possible,
            self.hits + other.hits,
            self.log_likelihood + other.log_likelihood,
        )


def find_patterns(
    game: Go,
    games: Games,
    *,
    tree: bool = False,
    rings: int = PAPER_RINGS,
    diamonds: int = PAPER_DIAMONDS,
    least: int = 10,
    least_played: int = 4,
) -> Patterns:
    """The patterns that `games` hold often.

    The `rings` most frequent 3x3 patterns around candidates, played or not, met `least` times or more; the `diamonds`
    most frequent responses, played `least_played` times or more; and, for a tree policy, as many diamonds around moves
    played so often. Ties go to the lesser code.
    """
    counts = np.zeros(int(ARCS) ** 2, np.int64)
    found: dict[str, list[tuple[NDArray[np.uint64], NDArray[np.int64]]]] = {"responses": [], "diamonds": []}
    tables = tables_of(Patterns(np.zeros(0, np.uint64), np.zeros(0, np.uint64)))
    for first in range(0, len(games.states), CHUNK):
        part = _part(games, np.arange(first, min(first + CHUNK, len(games.states))))
        answers, centres = (np.zeros(len(part.moves), np.uint64) for _ in range(2))
        args = _places(game, part)
        count_rows(0, len(part.states), *args, part.moves, part.offsets, tables.rings, counts, answers, centres)
        for name, codes in (("responses", answers), ("diamonds", centres)):
            found[name].append(np.unique(codes[codes > 0] - U(1), return_counts=True))
    kept = {name: _most_frequent(parts, diamonds, least_played) for name, parts in found.items()}
    ring_codes = most_frequent_rings(counts, rings, least)
    return Patterns(ring_codes, kept["responses"], kept["diamonds"] if tree else None)


class Learner:
    """Weights on their way: `weights` float32 [F] and `squares` float64 [F], all there is to save and go on from."""

    def __init__(self, game: Go, patterns: Patterns):
        self.game, self.patterns = game, patterns
        self.kinds = ROLLOUT_KINDS if patterns.diamonds is None else TREE_KINDS
        self.tables = tables_of(patterns)
        self.weights = np.zeros(patterns.features, np.float32)
        self.squares = np.zeros(patterns.features)

    def learn(self, games: Games, rate: float) -> Fit:
        """One step for each position of `games`, in their order, at that rate. Returns the fit before each step."""
        fit, _ = _follow(self.game, games, self.tables, self.weights, self.kinds, rate, self.squares)
        return fit

    def measure(self, games: Games) -> Fit:
        """How well the weights, as they are, foretell `games`."""
        return _follow(self.game, games, self.tables, self.weights, self.kinds, 0.0, self.squares)[0]

    def gradient(self, games: Games) -> tuple[Fit, NDArray[np.float64]]:
        """The fit to `games`, and the gradient [F] of their log-likelihood."""
        return _follow(self.game, games, self.tables, self.weights, self.kinds, -1.0, self.squares)


def learn_games(
    learner: Learner,
    games: Games,
    *,
    epochs: int,
    seed: int,
    rate: float = 0.1,
    last_rate: float = 0.01,
    start: int = 0,
) -> Iterator[tuple[float, Fit]]:
    """Go through `games` `epochs` times in random order, the rate falling from `rate` to `last_rate` by equal factors.

    Yields, after every few hundred games, which part of all is done and the fit to those games before each step; goes
    on after the first `start` times that it did so. Raises ValueError for rates that are not positive.
    """
    if not rate > 0 or not last_rate > 0:
        raise ValueError(f"rates of learning must be positive, got {rate} and {last_rate}")
    rng = np.random.default_rng(seed)
    count = len(games.states)
    for epoch in range(epochs):
        order = rng.permutation(count)
        for chunk, first in enumerate(range(0, count, CHUNK), epoch * chunks(count)):
            if chunk < start:
                continue
            done = (epoch + first / count) / epochs
            step = rate * (last_rate / rate) ** done
            fit = learner.learn(_part(games, order[first : first + CHUNK]), step)
            yield (epoch + min(first + CHUNK, count) / count) / epochs, fit


def chunks(games: int) -> int:
    """How often `learn_games` yields while it goes through so many games once."""
    return -(-games // CHUNK)


def _follow(
    game: Go,
    games: Games,
    tables: Tables,
    weights: NDArray[np.float32],
    kinds: int,
    rate: float,
    squares: NDArray[np.float64],
) -> tuple[Fit, NDArray[np.float64]]:
    """Go through `games`: measure at rate 0, learn at a positive one, sum up the gradient at a negative one."""
    gradient, sums = np.zeros(len(weights)), np.zeros(4)
    args = _places(game, games)
    moves, offsets = games.moves, games.offsets
    follow_rows(0, len(games.states), *args, moves, offsets, tables, weights, kinds, rate, squares, gradient, sums)
    return Fit(int(sums[0]), int(sums[1]), int(sums[2]), float(sums[3])), gradient


def _places(game: Go, games: Games) -> tuple[Any, ...]:
    """What kernels ask of the first positions. Raises ValueError for arrays that do not fit together."""
    states, moves, offsets = games
    if moves.dtype != np.int32 or offsets.dtype != np.int64 or offsets.shape != (len(states) + 1,):
        raise ValueError(
            f"{len(states)} games want int32 moves and int64 offsets [{len(states) + 1}],"
            f" got {moves.dtype} and {offsets.dtype} {list(offsets.shape)}"
        )
    if offsets[0] < 0 or offsets[-1] > len(moves) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets of games must ascend within the {len(moves)} moves")
    if len(moves) and not 0 <= moves.min() <= moves.max() < game.num_actions:
        raise ValueError(f"moves must be actions of {game.name}, 0 to {game.num_actions - 1}")
    words, _, b8 = game.layout.words(ready(states, game.dtype))
    layout = game.layout
    return words, b8, U(game.dtype.itemsize), U(layout.recent_byte), U(layout.width), U(layout.height)


def _part(games: Games, chosen: NDArray[np.int64]) -> Games:
    """Those games alone, in that order."""
    lengths = np.diff(games.offsets)[chosen]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    at = np.arange(offsets[-1]) + np.repeat(games.offsets[chosen] - offsets[:-1], lengths)
    return Games(games.states[chosen], games.moves[at], offsets)


def _most_frequent(
    parts: list[tuple[NDArray[np.uint64], NDArray[np.int64]]], most: int, least: int
) -> NDArray[np.uint64]:
    """The `most` codes that occur most often in all parts together, `least` times or more; ascending."""
    codes = np.concatenate([np.zeros(0, np.uint64), *(codes for codes, _ in parts)])
    counts = np.concatenate([np.zeros(0, np.int64), *(counts for _, counts in parts)])
    kinds, which = np.unique(codes, return_inverse=True)
    totals = np.bincount(which, counts, len(kinds)).astype(np.int64)
    order = np.lexsort((kinds, -totals))[:most]
    return np.sort(kinds[order[totals[order] >= least]])
