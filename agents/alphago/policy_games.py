"""Games that networks play, many side by side, by moves drawn from their policies.

The networks know no pass. A player passes where no point makes sense any more, that is where every legal one would fill
a single-point eye of its own; so games go on until the board is full, and two passes end them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.features import feature_planes
from sakiyomi.agents.alphago.policy import PolicyNet, probabilities
from sakiyomi.boards.game import Ending, States
from sakiyomi.boards.go import Go

Choose = Callable[[States, NDArray[np.int64]], NDArray[np.int32]]
"""The actions [n] of positions [n], all at the same ply, of the games numbered [n]."""


class PlayedGames(NamedTuple):
    """n games from the empty board to the end."""

    moves: NDArray[np.int16]  # [n, T]
    lengths: NDArray[np.int64]  # [n]
    results: NDArray[np.float32]  # [n], 1 Black won, 0 a draw, -1 White won


class Choices(NamedTuple):
    """What a policy chose in n positions, and among what."""

    planes: NDArray[np.uint8]  # [n, C, Y, X]
    allowed: NDArray[np.bool_]  # [n, area]
    actions: NDArray[np.int32]  # [n], a pass where nothing is allowed


@dataclass(frozen=True)
class PolicyPlayer:
    """Draws moves from the policy of `net`, all chance from `rng`; `temperature` divides its logits."""

    game: Go
    net: PolicyNet
    rng: np.random.Generator
    temperature: float = 1.0

    def __call__(self, states: States, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """As `Choose`."""
        return self.choices(states).actions

    def choices(self, states: States) -> Choices:
        """The same with what it saw."""
        planes = feature_planes(self.game, states, self.net.planes[0])
        allowed = sensible_points(self.game, states)
        shares = probabilities(self.net, planes, allowed, temperature=self.temperature)
        return Choices(planes, allowed, drawn(shares, self.rng))


def sensible_points(game: Go, states: States) -> NDArray[np.bool_]:
    """[n, area], the points to choose among: legal, and no single-point eye of one's own."""
    points: NDArray[np.bool_] = game.sensible(states)[:, :-1]
    return points


def drawn(shares: NDArray[np.floating[Any]], rng: np.random.Generator) -> NDArray[np.int32]:
    """[n], an index of each row of `shares` [n, A] with that probability; A where a row is all 0."""
    sums = np.cumsum(shares, axis=1, dtype=np.float64)
    chosen = (sums > rng.random((len(shares), 1)) * sums[:, -1:]).argmax(axis=1)
    indices: NDArray[np.int32] = np.where(sums[:, -1] > 0, chosen, shares.shape[1]).astype(np.int32)
    return indices


def play_games(game: Go, choose: Choose, n: int) -> PlayedGames:
    """`n` games from the start, side by side, until each is over by the rules."""
    states, rows = game.new(n), np.arange(n)
    lengths, results, columns = np.zeros(n, np.int64), np.zeros(n, np.float32), list[NDArray[np.int16]]()
    while len(rows):
        actions = choose(states, rows)
        game.play(states, actions)
        column = np.full(n, game.layout.area, np.int16)
        column[rows] = actions
        columns.append(column)
        lengths[rows] += 1
        over = game.ending(states) != Ending.ONGOING
        if over.any():
            results[rows[over]] = game.result(states[over])
            states, rows = states[~over], rows[~over]
    moves = np.stack(columns, axis=1) if columns else np.empty((n, 0), np.int16)
    return PlayedGames(moves, lengths, results)


def alternating(first: Choose, second: Choose) -> Choose:
    """`first` plays Black in the games with even numbers and White in the others, `second` against it."""

    def choose(states: States, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        mine = states["turn"] == rows % 2
        actions = np.empty(len(states), np.int32)
        for player, those in ((first, mine), (second, ~mine)):
            if those.any():
                actions[those] = player(states[those], rows[those])
        return actions

    return choose


def match(game: Go, first: Choose, second: Choose, n: int) -> NDArray[np.float32]:
    """[n], the results of so many games as `first` sees them: 1 won, 0 a draw, -1 lost; colours alternate."""
    results = play_games(game, alternating(first, second), n).results
    return results * (1 - 2 * (np.arange(n) % 2)).astype(np.float32)
