"""What AlphaGo's parts are measured by, each with a 95 % interval: accuracy, speed, errors of values, games.

Accuracies and errors are of positions of games that nothing was learnt from. Positions of one game hang together, so
intervals of errors are bootstrapped over games.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.features import feature_planes
from sakiyomi.agents.alphago.policy import PolicyNet, probabilities
from sakiyomi.agents.alphago.records import GameRecords
from sakiyomi.agents.alphago.rollout import RolloutPolicy, rollout_margins, rollouts
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.agents.alphago.value import ValueNet, values_of
from sakiyomi.agents.parts.strength.score import score_interval
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import seeds

CHUNK = 1024
RESAMPLES = 1000


class Rate(NamedTuple):
    """A share with its 95 % interval (Wilson)."""

    share: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        return f"{self.share:.1%} ({self.low:.1%} to {self.high:.1%}) of {self.of:,}"


class Mean(NamedTuple):
    """A mean with its 95 % interval, bootstrapped over games."""

    mean: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f}), {self.of:,} positions"


def rate(hits: NDArray[np.bool_]) -> Rate:
    """The share of True."""
    low, high = score_interval(int(hits.sum()), 0, int((~hits).sum()))
    return Rate(float(hits.mean()), low, high, len(hits))


def points(results: NDArray[np.float32]) -> Rate:
    """The score of games won (1), drawn (0) and lost (-1)."""
    counts = [int((results == sign).sum()) for sign in (1, 0, -1)]
    low, high = score_interval(*counts)
    return Rate(float((results.mean() + 1) / 2), low, high, len(results))


def places_to_test_by(records: GameRecords, most: int, seed: int = 1) -> NDArray[np.int64]:
    """Up to `most` of the places of `records`, the same ones for the same seed."""
    chosen = np.random.default_rng(seed).choice(records.places, min(most, len(records.places)), replace=False)
    return np.sort(chosen)


def foretold_by_net(net: PolicyNet, records: GameRecords, places: NDArray[np.int64], views: int) -> NDArray[np.bool_]:
    """[n]: was the move played at each place the likeliest, by so many views of the board?"""
    hits = []
    for start in range(0, len(places), CHUNK):
        batch = records.batch(records.at(places[start : start + CHUNK]), net.planes[0])
        likeliest = probabilities(net, batch.planes, batch.legal, symmetries=views).argmax(axis=1)
        hits.append(likeliest == batch.moves)
    return np.concatenate(hits)


def foretold_by_patterns(
    policy: RolloutPolicy | TreePolicy, records: GameRecords, places: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The same of a linear policy."""
    ask = policy.priors if isinstance(policy, TreePolicy) else policy.move_probabilities
    hits = []
    for start in range(0, len(places), CHUNK):
        seen = records.at(places[start : start + CHUNK])
        hits.append(ask(records.game, seen.states)[:, :-1].argmax(axis=1) == seen.moves)
    return np.concatenate(hits)


def microseconds_a_rollout_move(game: Go, policy: RolloutPolicy, rollouts_each: int = 256, rounds: int = 5) -> float:
    """Processor time of a move in rollouts from the empty board, the best of several rounds."""
    states, best = game.new(rollouts_each), np.inf
    for number in range(rounds):
        random, began = seeds(np.random.default_rng(number), rollouts_each), time.process_time()
        _, plies = rollout_margins(game, states, policy, random)
        best = min(best, (time.process_time() - began) / plies.sum())
    return 1e6 * float(best)


def microseconds_a_position(
    game: Go, net: PolicyNet, states: States, batch: int, least: float = 0.2, rounds: int = 3
) -> float:
    """Processor time of a network's answer, planes included, in batches of `batch`, the best of several rounds."""
    best = np.inf
    for _ in range(rounds):
        began, done = time.process_time(), 0
        while time.process_time() - began < least:
            some = states[np.arange(done, done + batch) % len(states)]
            planes = feature_planes(game, some, net.planes[0])
            probabilities(net, planes, game.sensible(some)[:, :-1])
            done += batch
        best = min(best, (time.process_time() - began) / done)
    return 1e6 * float(best)


def squared_errors(expected: NDArray[np.float32], results: NDArray[np.float32]) -> NDArray[np.float64]:
    """[n]: of expected results, -1 to 1."""
    return (expected.astype(np.float64) - results) ** 2


def value_errors(net: ValueNet, records: GameRecords, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n], the squared error of the value network at each place."""
    errors = []
    for start in range(0, len(places), CHUNK):
        seen = records.at(places[start : start + CHUNK])
        values = values_of(net, feature_planes(records.game, seen.states, net.planes[0]))
        errors.append(squared_errors(values, seen.results))
    return np.concatenate(errors)


def rollout_errors(
    game: Go,
    roll: Callable[[States, NDArray[np.uint64]], NDArray[np.float32]],
    seen: States,
    results: NDArray[np.float32],
    each: int,
    seed: int,
) -> NDArray[np.float64]:
    """[n], the squared error of the mean of `each` rollouts from each of `seen`; `results` are of who moves there."""
    signs = 1 - 2 * game.turn(seen).astype(np.float32)
    total = np.zeros(len(seen))
    random = seeds(np.random.default_rng(seed), len(seen))
    for _ in range(each):
        total += roll(seen, random)
    return squared_errors((total / each).astype(np.float32) * signs, results)


def uniform_rollouts(game: Go) -> Callable[[States, NDArray[np.uint64]], NDArray[np.float32]]:
    """Rollouts by chance alone."""
    return lambda states, random: game.rollout(states, random)


def policy_rollouts(game: Go, policy: RolloutPolicy) -> Callable[[States, NDArray[np.uint64]], NDArray[np.float32]]:
    """Rollouts by the rollout policy."""
    return lambda states, random: rollouts(game, states, policy, random)


def mean_by_games(errors: NDArray[np.float64], games: NDArray[np.int64], seed: int = 0) -> Mean:
    """The mean of `errors` [n]; `games` [n] says of which game each is. The interval is that of resampled games."""
    _, which = np.unique(games, return_inverse=True)
    sums, counts = np.bincount(which, errors), np.bincount(which)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Mean(float(errors.mean()), float(low), float(high), len(errors))


def games_of_places(records: GameRecords, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n], of which game each place is."""
    return np.searchsorted(records.offsets, places, "right") - 1
