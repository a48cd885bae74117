"""What AlphaGo's search goes by, made of its networks and linear policies.

Silver et al. 2016, Methods, "Searching with policy and value networks": each evaluation shows the network the board
under one of its symmetries, drawn at random, and priors are the policy's probabilities to the power beta.

Networks know no pass. It has a small prior of its own, and all of it where no point makes sense any more.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.features import feature_planes
from sakiyomi.agents.alphago.policy import PolicyNet, masked_softmax
from sakiyomi.agents.alphago.rollout import RolloutPolicy, rollouts
from sakiyomi.agents.alphago.search import Guides, Priors, Rollouts, Values
from sakiyomi.agents.alphago.tower import outputs
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.agents.alphago.value import ValueNet
from sakiyomi.agents.parts.selfplay.turned import Turned
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go

Whose = Literal["sl", "rl", "tree"]


@dataclass(frozen=True)
class Parts:
    """What has been learnt: the policy learnt from records, the same improved by play, the value network, the rollout
    and the tree policy. None is what there is not (yet)."""

    policy: PolicyNet
    reinforced: PolicyNet | None = None
    value: ValueNet | None = None
    rollout: RolloutPolicy | None = None
    tree: TreePolicy | None = None

    def checked(self, whose: Whose) -> "Parts":
        """Itself, if it has the priors of `whose`. Raises ValueError if not."""
        if (whose == "rl" and self.reinforced is None) or (whose == "tree" and self.tree is None):
            stage = "reinforce" if whose == "rl" else "rollout"
            raise ValueError(f"priors={whose}: this agent has no such policy; the stage {stage!r} makes it")
        return self


def near_records(game: Go) -> Go:
    """The same game by the rules of most records, which parts have learnt by: suicide is illegal."""
    return game if not game.ruleset.suicide else replace(game, suicide=False)


def mixing_of(parts: Parts, wanted: float) -> float | None:
    """Lambda for what there is: of values and rollouts alone 0 and 1; None where there is neither, and no search."""
    if parts.value is None:
        return None if parts.rollout is None else 1.0
    return 0.0 if parts.rollout is None else wanted


def make_guides(
    game: Go, parts: Parts, whose: Whose, *, power: float, pass_prior: float, rng: np.random.Generator
) -> Guides:
    """The guides of a search of `game`, with the priors of `whose` to the power `power`; symmetries come from `rng`."""
    near = near_records(game)
    priors: Priors
    if whose == "tree" and parts.tree is not None:
        priors = _tree_priors(near, parts.tree, pass_prior)
    else:
        net = parts.reinforced if whose == "rl" and parts.reinforced is not None else parts.policy
        priors = _net_priors(near, net, power, pass_prior, rng)
    return Guides(
        priors,
        None if parts.value is None else _values(near, parts.value, rng),
        None if parts.rollout is None else _rollouts(near, parts.rollout),
        None if parts.tree is None else _tree_priors(near, parts.tree, pass_prior),
    )


def _net_priors(game: Go, net: PolicyNet, power: float, pass_prior: float, rng: np.random.Generator) -> Priors:
    def priors(states: States) -> NDArray[np.float32]:
        turned = _random_turns(game, len(states), rng)
        logits = outputs(net, turned.planes(feature_planes(game, states, net.planes[0])))
        known: NDArray[np.float32] = turned.turned_back(np.pad(logits, ((0, 0), (0, 1))))[:, :-1]
        points = game.sensible(states)[:, :-1]
        return with_pass(masked_softmax(np.float32(power) * known, points), pass_prior)

    return priors


def _tree_priors(game: Go, tree: TreePolicy, pass_prior: float) -> Priors:
    def priors(states: States) -> NDArray[np.float32]:
        points = np.where(game.sensible(states)[:, :-1], tree.priors(game, states)[:, :-1], np.float32(0))
        return with_pass(points, pass_prior)

    return priors


def with_pass(points: NDArray[np.float32], pass_prior: float) -> NDArray[np.float32]:
    """[n, area + 1]: `points` [n, area] in proportion, and last the pass, alone where they are all 0."""
    sums = points.sum(axis=1, keepdims=True)
    some = sums > 0
    shares = np.where(some, points / np.where(some, sums, 1) * np.float32(1 - pass_prior), np.float32(0))
    passes = np.where(some, np.float32(pass_prior), np.float32(1))
    found: NDArray[np.float32] = np.concatenate([shares, passes], axis=1).astype(np.float32)
    return found


def _values(game: Go, net: ValueNet, rng: np.random.Generator) -> Values:
    def values(states: States) -> NDArray[np.float32]:
        turned = _random_turns(game, len(states), rng)
        found = outputs(net, turned.planes(feature_planes(game, states, net.planes[0])))
        signs = (1 - 2 * game.turn(states)).astype(np.float32)
        return found * signs

    return values


def _rollouts(game: Go, policy: RolloutPolicy) -> Rollouts:
    return lambda states, random: rollouts(game, states, policy, random)


def _random_turns(game: Go, n: int, rng: np.random.Generator) -> Turned:
    return Turned(game.symmetries(), rng.integers(len(game.symmetries()), size=n))
