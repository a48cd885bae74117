"""The stages in which AlphaGo learns, each a piece of work that goes on from what was saved of it.

A stage has `parts` (what `TrainingRun` saves), tells when it is `done`, and does a little more in each `go_on`, which
counts in the run's counters and returns figures. What it then hands on stands in `gives`, by the names of `Parts`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sakiyomi.agents.alphago.config import Config, rate_at
from sakiyomi.agents.alphago.feeding import batches
from sakiyomi.agents.alphago.files import linear_policy, linear_tensors
from sakiyomi.agents.alphago.policy import PolicyLearning, PolicyNet, accuracy
from sakiyomi.agents.alphago.policy_games import PolicyPlayer, match
from sakiyomi.agents.alphago.records import Batch, GameRecords
from sakiyomi.agents.alphago.reinforce import Reinforce
from sakiyomi.agents.alphago.rollout import RolloutPolicy
from sakiyomi.agents.alphago.rollout_learning import Fit, Games, Learner, chunks, find_patterns, learn_games
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.agents.alphago.value import ValueLearning, ValueNet, value_error
from sakiyomi.agents.alphago.value_data import value_positions
from sakiyomi.agents.parts.dual.learner import seeded
from sakiyomi.agents.parts.runs.checkpoints import load_tensors, save_tensors
from sakiyomi.agents.parts.runs.training_run import Counters, Part
from sakiyomi.agents.parts.strength.score import score_interval
from sakiyomi.boards.go import Go

TEST_SEED = 1
VALUE_PLANES = 49
POSITIONS_AT_ONCE = 1024
MATCH_GAMES, MATCH_EVERY = 200, 20  # against the policy learnt from records: games, and steps between


class Stage(Protocol):
    """A stage of learning."""

    parts: Mapping[str, Part]

    def done(self, counters: Counters) -> bool:
        """Is nothing left to do?"""
        ...

    def go_on(self, counters: Counters) -> dict[str, float]:
        """A little more."""
        ...

    @property
    def gives(self) -> dict[str, Any]:
        """What it has made so far."""
        ...

    def close(self) -> None:
        """Stop what it does beside."""
        ...


class PolicyStage:
    """The policy network learns the moves of records."""

    def __init__(self, game: Go, config: Config, train: GameRecords, test: GameRecords, seed: int):
        self.config, self.train, self.test, self.seed = config, train, test, seed
        self.learning = PolicyLearning(new_policy(game, config, seed), **_descent(config))
        self.parts: Mapping[str, Part] = {"learning": self.learning}
        self._feed: Iterator[Batch] | None = None

    def done(self, counters: Counters) -> bool:
        """After so many steps."""
        return counters.steps >= self.config.policy_steps

    def go_on(self, counters: Counters) -> dict[str, float]:
        """Some steps, and now and then a test."""
        config = self.config
        if self._feed is None:
            self._feed = batches(self.train, config.policy_batch, config.planes, self.seed, start=counters.steps)
        rows = []
        for _ in range(min(config.report_every, config.policy_steps - counters.steps)):
            rate = rate_at(config.policy_rate, config.policy_halving, counters.steps)
            rows.append(self.learning.step(next(self._feed), rate))
            counters.steps += 1
        figures = _means(rows) | {"learning/rate": rate}
        if _due(config, counters, self.done(counters)):
            batch = held_out(self.test, config.test_positions, config.planes)
            figures["accuracy/test"] = accuracy(self.learning.net, batch)
        return figures

    @property
    def gives(self) -> dict[str, Any]:
        """The network."""
        return {"policy": self.learning.net}

    def close(self) -> None:
        """Stop making batches."""
        if self._feed is not None:
            self._feed.close()  # type: ignore[attr-defined]  # a generator


class LinearLearning:
    """The learner of a linear policy, with patterns that are found when they are first wanted. A part of a run."""

    def __init__(self, game: Go, games: Games, config: Config, *, tree: bool):
        self.game, self.games, self.config, self.tree = game, games, config, tree
        self.learner: Learner | None = None

    @property
    def ready(self) -> Learner:
        """The learner."""
        if self.learner is None:
            config = self.config
            patterns = find_patterns(
                self.game,
                self.games,
                tree=self.tree,
                rings=config.rings,
                diamonds=config.diamonds,
                least=config.least_seen,
                least_played=config.least_played,
            )
            self.learner = Learner(self.game, patterns)
        return self.learner

    @property
    def policy(self) -> RolloutPolicy | TreePolicy:
        """As far as it has learnt."""
        kind = TreePolicy if self.tree else RolloutPolicy
        return kind(self.ready.patterns, self.ready.weights.copy())

    def save(self, path: Path) -> None:
        """Write it to `path`.safetensors."""
        import torch

        squares = torch.from_numpy(self.ready.squares.copy())
        save_tensors(path.with_name(f"{path.name}.safetensors"), linear_tensors(self.policy) | {"squares": squares})

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        held = load_tensors(path.with_name(f"{path.name}.safetensors"))
        squares = held.pop("squares").numpy().copy()
        policy = linear_policy("tree" if self.tree else "rollout", held)
        self.learner = Learner(self.game, policy.patterns)
        self.learner.weights[:], self.learner.squares[:] = policy.weights, squares


class RolloutStage:
    """The rollout and the tree policy learn the moves of records."""

    def __init__(self, config: Config, train: GameRecords, test: GameRecords, seed: int):
        self.config, self.seed = config, seed
        self.games, self.test = games_of(train), games_of(test)
        self.learnings = {
            name: LinearLearning(train.game, self.games, config, tree=name == "tree") for name in ("rollout", "tree")
        }
        self.parts: Mapping[str, Part] = dict(self.learnings)
        self._going: dict[str, Iterator[tuple[float, Fit]]] = {}

    def done(self, counters: Counters) -> bool:
        """After so many times through all games."""
        return counters.steps >= self.config.rollout_epochs * chunks(len(self.games.states))

    def go_on(self, counters: Counters) -> dict[str, float]:
        """Some hundred games, by both."""
        config, figures = self.config, dict[str, float]()
        for name, learning in self.learnings.items():
            if name not in self._going:
                self._going[name] = learn_games(
                    learning.ready,
                    self.games,
                    epochs=config.rollout_epochs,
                    seed=self.seed,
                    rate=config.rollout_rate,
                    last_rate=config.rollout_last_rate,
                    start=counters.steps,
                )
            _, fit = next(self._going[name])
            figures |= {f"loss/{name}": -fit.mean_log_likelihood, f"accuracy/{name}": fit.accuracy}
        counters.steps += 1
        if counters.steps % chunks(len(self.games.states)) == 0:
            for name, learning in self.learnings.items():
                figures[f"accuracy/{name} test"] = learning.ready.measure(self.test).accuracy
        return figures

    @property
    def gives(self) -> dict[str, Any]:
        """Both policies."""
        return {name: learning.policy for name, learning in self.learnings.items()}

    def close(self) -> None:
        """Nothing goes on beside."""


class ReinforceStage:
    """The policy learns to win against its earlier selves, or with `self_only` its present one, beginning as `sl`.

    `baseline` is b: None in the paper's first pass through all stages, the value network of the first in its second.
    """

    def __init__(
        self,
        game: Go,
        config: Config,
        sl: PolicyNet,
        seed: int,
        *,
        self_only: bool = False,
        baseline: ValueNet | None = None,
    ):
        self.game, self.config, self.sl, self.seed = game, config, sl, seed
        net = PolicyNet(**sl.settings())
        net.load_state_dict({name: weight.cpu() for name, weight in sl.state_dict().items()})
        self.learning = Reinforce(
            game,
            net,
            games=config.reinforce_games,
            pool_every=config.pool_every,
            self_only=self_only,
            baseline=baseline,
            clip=config.clip,
            seed=seed,
        )
        self.parts: Mapping[str, Part] = {"learning": self.learning}

    def done(self, counters: Counters) -> bool:
        """After so many steps."""
        return counters.steps >= self.config.reinforce_steps

    def go_on(self, counters: Counters) -> dict[str, float]:
        """A step; now and then a match with the policy that it began as."""
        figures = self.learning.step(self.config.reinforce_rate)
        counters.steps += 1
        counters.environment_steps += round(figures["plies"] * self.config.reinforce_games)
        told = {
            "score/pool": figures["score"],
            "self-play/plies a game": figures["plies"],
            "gradient/policy": figures["gradient/policy"],
        }
        if self.done(counters) or counters.steps % MATCH_EVERY == 0:
            told |= self.against_sl(MATCH_GAMES, counters.steps)
        return told

    def against_sl(self, games: int, number: int) -> dict[str, float]:
        """The score against the policy that it began as, of moves drawn from both, with its 95 % interval."""
        own, other = (np.random.default_rng((self.seed, number, player)) for player in range(2))
        player, opponent = PolicyPlayer(self.game, self.learning.net, own), PolicyPlayer(self.game, self.sl, other)
        results = match(self.game, player, opponent, games)
        counts = [int((results == sign).sum()) for sign in (1, 0, -1)]
        low, high = score_interval(*counts)
        return {"score/sl": float((results.mean() + 1) / 2), "score/sl low": low, "score/sl high": high}

    @property
    def gives(self) -> dict[str, Any]:
        """The network."""
        return {"reinforced": self.learning.net}

    def close(self) -> None:
        """Nothing goes on beside."""


class Positions:
    """Positions gained so far. A part of a run."""

    def __init__(self) -> None:
        self.records: GameRecords | None = None

    def add(self, records: GameRecords) -> None:
        """More of them."""
        self.records = records if self.records is None else GameRecords.joined([self.records, records])

    def __len__(self) -> int:
        return 0 if self.records is None else len(self.records)

    def save(self, path: Path) -> None:
        """Write them to `path`.npz."""
        if self.records is not None:
            self.records.save(path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        self.records = GameRecords.load(path) if path.with_name(f"{path.name}.npz").exists() else None


class PositionsStage:
    """Both policies play games, of each of which one position is kept to learn values from."""

    def __init__(self, game: Go, config: Config, sl: PolicyNet, rl: PolicyNet, seed: int):
        self.game, self.config, self.sl, self.rl, self.seed = game, config, sl, rl, seed
        self.positions = Positions()
        self.parts: Mapping[str, Part] = {"positions": self.positions}

    def done(self, counters: Counters) -> bool:
        """When there are enough."""
        return len(self.positions) >= self.config.positions

    def go_on(self, counters: Counters) -> dict[str, float]:
        """Some games."""
        made = len(self.positions)
        rng = np.random.default_rng((self.seed, made))
        records = value_positions(
            self.game, self.sl, self.rl, min(POSITIONS_AT_ONCE, self.config.positions - made), rng
        )
        self.positions.add(records)
        counters.steps += 1
        counters.environment_steps += len(records.moves)
        return {
            "positions/made": float(len(self.positions)),
            "positions/plies before": float(records.lengths.mean()),
            "positions/won by black": float((records.results > 0).mean()),
        }

    @property
    def gives(self) -> dict[str, Any]:
        """No part of a player."""
        return {}

    def close(self) -> None:
        """Nothing goes on beside."""


class ValueStage:
    """The value network learns the results of games from `positions`."""

    def __init__(self, game: Go, config: Config, positions: GameRecords, seed: int):
        self.config, self.seed = config, seed
        self.train, self.test = split(positions, config.test_share)
        height, width = game.planes[1:]
        with seeded(seed):
            net = ValueNet(
                (VALUE_PLANES, height, width),
                filters=config.value_filters,
                layers=config.value_layers,
                hidden=config.value_hidden,
            )
        self.learning = ValueLearning(net, **_descent(config))
        self.parts: Mapping[str, Part] = {"learning": self.learning}
        self._feed: Iterator[Batch] | None = None

    def done(self, counters: Counters) -> bool:
        """After so many steps."""
        return counters.steps >= self.config.value_steps

    def go_on(self, counters: Counters) -> dict[str, float]:
        """Some steps, and now and then a test."""
        config = self.config
        if self._feed is None:
            self._feed = batches(self.train, config.value_batch, VALUE_PLANES, self.seed, start=counters.steps)
        rows = []
        for _ in range(min(config.report_every, config.value_steps - counters.steps)):
            rate = rate_at(config.value_rate, config.value_halving, counters.steps)
            rows.append(self.learning.step(next(self._feed), rate))
            counters.steps += 1
        figures = _means(rows) | {"learning/rate": rate}
        if _due(config, counters, self.done(counters)):
            for name, records in (("train", self.train), ("test", self.test)):
                batch = held_out(records, config.test_positions, VALUE_PLANES)
                figures[f"mse/{name}"] = value_error(self.learning.net, batch)["mse"]
        return figures

    @property
    def gives(self) -> dict[str, Any]:
        """The network."""
        return {"value": self.learning.net}

    def close(self) -> None:
        """Stop making batches."""
        if self._feed is not None:
            self._feed.close()  # type: ignore[attr-defined]  # a generator


def new_policy(game: Go, config: Config, seed: int) -> PolicyNet:
    """A policy network that has learnt nothing."""
    with seeded(seed):
        return PolicyNet((config.planes, *game.planes[1:]), filters=config.filters, layers=config.layers)


def split(records: GameRecords, share: float) -> tuple[GameRecords, GameRecords]:
    """Games to learn from and to test by, one at least of each. Raises ValueError for fewer than two games."""
    if len(records) < 2:
        raise ValueError(f"to learn from and to test by, two games at least are wanted, got {len(records)}")
    return records.split(min(max(share, 0.6 / len(records)), 1 - 0.6 / len(records)), TEST_SEED)


def held_out(records: GameRecords, n: int, planes: int) -> Batch:
    """Up to `n` positions of `records`, always the same ones."""
    rng = np.random.default_rng(TEST_SEED)
    places = np.sort(rng.choice(records.places, min(n, len(records.places)), replace=False))
    return records.batch(records.at(places), planes)


def games_of(records: GameRecords) -> Games:
    """The same games as linear policies learn them."""
    states, _ = records.game.set_up(records.boards, records.turns)
    return Games(states, records.moves.astype(np.int32), records.offsets.astype(np.int64))


def _descent(config: Config) -> dict[str, Any]:
    return {"optimizer": config.optimizer, "momentum": config.momentum, "clip": config.clip}


def _due(config: Config, counters: Counters, done: bool) -> bool:
    """Is this an iteration with a test?"""
    return done or (counters.iterations + 1) % config.test_every == 0


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}
