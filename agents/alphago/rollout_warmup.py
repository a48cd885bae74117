"""Compile what rollout and tree policies run and learn by, so that the first of them starts at once."""

import numpy as np

from sakiyomi.agents.alphago.rollout import RolloutPolicy, rollouts
from sakiyomi.agents.alphago.rollout_learning import Games, Learner, find_patterns, learn_games
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.boards.go import Go
from sakiyomi.boards.random import seeds


def warm_up_rollouts() -> None:
    """Find patterns in a game of two moves, learn both policies from it, and use them."""
    go = Go(size=5)
    games = Games(go.new(1), np.array([12, 13], np.int32), np.array([0, 2], np.int64))
    learners = [Learner(go, find_patterns(go, games, tree=tree, least=1, least_played=1)) for tree in (False, True)]
    for learner in learners:
        for _ in learn_games(learner, games, epochs=1, seed=0):
            pass
    plain, tree = learners
    policy = RolloutPolicy(plain.patterns, plain.weights)
    rollouts(go, go.new(1), policy, seeds(np.random.default_rng(0), 1))
    policy.move_probabilities(go, go.new(1))
    TreePolicy(tree.patterns, tree.weights).priors(go, go.new(1))
