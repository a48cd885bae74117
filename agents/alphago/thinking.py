"""AlphaGo's search for a player: budgets, stopping, the same tree from move to move."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.search import Apv, ApvSearch, Guides
from sakiyomi.agents.parts.search import Gumbel, Puct, RulesModel, Search
from sakiyomi.agents.parts.search.planner import Planner
from sakiyomi.boards.go import Go

FEWEST_ROUNDS = 16  # of a search: with few rollouts a round has fewer descents than the settings say


class ApvPlanner(Planner):
    """A `Planner` by AlphaGo's search. `guides` makes what the search of a game goes by."""

    def __init__(
        self,
        game: Go,
        guides: Callable[[Go], Guides],
        trees: int,
        simulations: int,
        settings: Apv,
        rng: np.random.Generator,
    ):
        super().__init__(game, _unasked, trees, simulations, selection=Puct(), timed=Puct(), rng=rng)
        self.guides, self.settings = guides, settings

    def _leaves(self, goal: int) -> int:
        return max(1, min(self.settings.leaves, goal // FEWEST_ROUNDS))

    def _made(self, selection: Puct | Gumbel, leaves: int, goal: int) -> tuple[RulesModel, Search]:
        game: Any = self.game
        settings = replace(self.settings, leaves=leaves)
        search: Any = ApvSearch(game, self.guides(game), self.trees, settings, rng=self.rng)
        return search, search  # which holds its roots itself

    def _settled(self, search: Search, rows: NDArray[np.int64]) -> bool:
        return bool((search.forest.nodes["count"][rows, 0] <= 1).all())


def _unasked(observations: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    raise NotImplementedError("the guides are asked instead")
