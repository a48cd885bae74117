"""`LatentModel`: what lies at the leaves, told by learned dynamics; the rules are asked at the roots alone.

MuZero (Schrittwieser et al., arXiv:1911.08265, section 3 and appendix B): an observation is encoded once, at the root;
from there on a step is ``r, s' = g(s, a)``, and ``p, v = f(s')`` take the place of a position's evaluation. Inside the
tree every action is allowed and no game is ever over: the dynamics have to learn what follows an end.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.search.models import Leaves

Floats = NDArray[np.float32]


class Dynamics(Protocol):
    """A learned model of what follows actions, over n latent states at once (arrays or tensors [n, ...])."""

    def room(self, trees: int, nodes: int) -> Any:
        """[trees, nodes, ...], where latent states can be put and taken from by index."""
        ...

    def initial(self, observations: NDArray[Any]) -> tuple[Floats, Floats, Any]:
        """Logits [n, A], values [n], for who moves, and latent states [n, ...] of observations [n, ...]."""
        ...

    def recurrent(self, latents: Any, actions: NDArray[np.int32]) -> tuple[Floats, Floats, Floats, Any]:
        """Logits, values and latent states after `actions` [n], and the rewards [n] of these, for who made them."""
        ...


class LatentModel:
    """A `Model` of `trees` roots with `each` leaves a round; values are of returns discounted by `discount` a step.

    With two `players`, they take turns. Rows of trees are given their roots by `look_from`.
    """

    def __init__(
        self, dynamics: Dynamics, trees: int, nodes: int, actions: int, *, discount: float, players: int, each: int = 1
    ):
        self.dynamics, self.discount, self.players = dynamics, discount, players
        self._actions, self._each = actions, each
        self._latents = dynamics.room(trees, nodes)
        self._observations: NDArray[Any] | None = None
        self._legal = np.ones((trees, actions), np.bool_)
        self._turns = np.zeros(trees, np.int32)

    @property
    def num_actions(self) -> int:
        """A."""
        return self._actions

    def look_from(
        self,
        observations: NDArray[Any],
        legal: NDArray[np.bool_] | None = None,
        turns: NDArray[np.integer[Any]] | None = None,
    ) -> None:
        """The first n trees begin at `observations` [n, ...], where `legal` [n, A] (None: all) may be played.

        `turns` [n] is who moves there.
        """
        rows = slice(len(observations))
        self._observations = observations
        self._legal[rows] = True if legal is None else legal
        self._turns[rows] = 0 if turns is None else turns

    def look(self, leaves: Leaves) -> int:
        """As `Model.look`."""
        waiting = leaves.nodes >= 0
        roots, deeper = np.flatnonzero(waiting & (leaves.lengths == 0)), np.flatnonzero(waiting & (leaves.lengths > 0))
        if len(waiting) != len(leaves.logits):
            leaves.logits = np.zeros((len(waiting), self._actions), np.float32)
            leaves.values = np.zeros(len(waiting), np.float32)
        leaves.legal[:] = True
        leaves.rewards[:] = 0
        self._make_room(int(leaves.nodes.max(initial=0)))
        if len(roots):
            assert self._observations is not None, "look_from comes first"
            trees = roots // self._each
            logits, values, latents = self.dynamics.initial(self._observations[trees])
            leaves.logits[roots], leaves.values[roots] = logits, values
            leaves.legal[roots], leaves.turns[roots] = self._legal[trees], self._turns[trees]
            self._latents[trees, 0] = latents
        if len(deeper):
            trees, actions = deeper // self._each, leaves.paths[deeper, leaves.lengths[deeper] - 1]
            before = self._latents[trees, leaves.parents[deeper]]
            logits, values, rewards, latents = self.dynamics.recurrent(before, actions)
            leaves.logits[deeper], leaves.values[deeper], leaves.rewards[deeper] = logits, values, rewards
            leaves.turns[deeper] = 1 - leaves.movers[deeper] if self.players == 2 else 0
            leaves.discounts[deeper] = -self.discount if self.players == 2 else self.discount
            self._latents[trees, leaves.nodes[deeper]] = latents
        return len(roots) + len(deeper)

    def _make_room(self, node: int) -> None:
        """Room for latent states up to that number in every tree, half as much again as there was at least."""
        trees, nodes = len(self._legal), self._latents.shape[1]
        if node >= nodes:
            larger = self.dynamics.room(trees, max(node + 1, nodes * 3 // 2))
            larger[:, :nodes] = self._latents
            self._latents = larger
