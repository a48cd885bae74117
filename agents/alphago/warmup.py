"""Compile every kernel of AlphaGo once, and leave the machine code in the cache. PyTorch is not needed for that."""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago import features
from sakiyomi.agents.alphago.rollout_warmup import warm_up_rollouts
from sakiyomi.agents.alphago.search import Apv, ApvSearch, Guides
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go


def warm_up() -> None:
    """Look at positions, learn from a game, and search for a moment in every way that has kernels of its own."""
    features.warm_up()
    warm_up_rollouts()
    game = Go(size=5)
    guides = Guides(_even, _unknown, lambda states, _: _unknown(states), _even)
    search = ApvSearch(game, guides, 2, Apv(threshold=1, leaves=2, late=True), rng=np.random.default_rng(0))
    search.roots[:] = game.new(4)
    found, rows = search.run(16), np.arange(2)
    actions = found.visits.argmax(axis=1)
    game.play(search.roots, np.repeat(actions, 2).astype(np.int32))
    search.go_on(rows, actions, 20)
    search.round()


def _even(states: States) -> NDArray[np.float32]:
    """Every action of 5x5 equally likely."""
    return np.full((len(states), 26), 1 / 26, np.float32)


def _unknown(states: States) -> NDArray[np.float32]:
    """Every position even."""
    return np.zeros(len(states), np.float32)
