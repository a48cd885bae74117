"""The tree policy: a rollout policy's features and more, for the priors of nodes that no network has valued yet.

Silver et al., Nature 529 (2016), Methods, "Searching with policy and value networks", and Extended Data Table 4:
self-atari, the distances to the two previous moves and 12-point diamonds around the candidate are added.

Departure: distances are counted from 1 to 17 and more for each of the two moves, 34 in all.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.candidates import TREE_KINDS, Tables, tables_of
from sakiyomi.agents.alphago.patterns import Patterns
from sakiyomi.agents.alphago.policy_files import check_weights, load_policy, save_policy
from sakiyomi.agents.alphago.reading import chances
from sakiyomi.boards.game import States
from sakiyomi.boards.go import Go


@dataclass(frozen=True, eq=False)
class TreePolicy:
    """p_tau: `weights` float32 [patterns.features] by feature, the first of them 0. Raises ValueError for others."""

    patterns: Patterns
    weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.patterns.diamonds is None:
            raise ValueError("a tree policy's patterns have diamonds around the candidate; these have none")
        check_weights(self.patterns, self.weights)

    @cached_property
    def tables(self) -> Tables:
        """The patterns for kernels."""
        return tables_of(self.patterns)

    def priors(self, game: Go, states: States) -> NDArray[np.float32]:
        """[B, A], the chance of each action; a pass has chance 1 where no candidate is left, else none.

        Own single-point eyes have no chance, and superko is not seen: mask by `Go.legal` where it matters.
        """
        return chances(game, states, self.tables, self.weights, TREE_KINDS)

    def save(self, path: Path) -> None:
        """Write the policy to the file `path`, as safetensors."""
        save_policy(path, self.patterns, self.weights)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote. Raises ValueError for a file that holds no tree policy."""
        return cls(*load_policy(path))
