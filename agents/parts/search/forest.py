"""The arrays of B search trees, one row a tree.

Node 0 of a tree is its root. Node n owns the edges ``first`` to ``first + count - 1`` of its tree's row, one for each
action that may be played there. The first ``tried`` of them have been descended; of the others, the one of greatest
prior stands first: that is how selection, which treats all edges not yet tried alike but for their priors, looks at
``tried + 1`` edges instead of all.

Two layouts share every kernel. Dense: room for `actions` edges a node, so that no tree can ever be full before its
nodes are; for small action sets. Pool: room for the edges that there really are, grown as needed; for chess, shogi
and 19x19 Go, where few of the actions are legal.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

NODE = np.dtype(
    [
        ("first", np.int32),  # its edges
        ("count", np.int32),  # how many; UNEXPANDED, or 0: the game is over
        ("tried", np.int32),  # how many of them were descended; for a node UNEXPANDED 1 while it waits for the network
        ("parent", np.int32),
        ("via", np.int32),  # the edge that leads here
        ("visits", np.int32),  # 1 for its own evaluation, and those of its edges
        ("turn", np.int32),  # who moves here
        ("proof", np.int32),  # -1, 0 or 1: the result for certain, for who moves here; or UNPROVEN
        ("total", np.float32),  # sum of its own value and of all results backed up to it, for who moves here
        ("value", np.float32),  # the network's
        ("reward", np.float32),  # of the edge that leads here, for who chose it
        ("discount", np.float32),  # what a value here is worth to who chose that edge: 0, -gamma or gamma
    ]
)
EDGE = np.dtype(
    [
        ("action", np.int32),
        ("child", np.int32),  # node, or -1
        ("visits", np.int32),
        ("prior", np.float32),
        ("total", np.float32),  # sum of the results backed up, for who chooses here
    ]
)
TREE = np.dtype(
    [
        ("nodes", np.int64),  # in use
        ("edges", np.int64),
        ("done", np.int32),  # simulations since the search began
        ("goal", np.int32),  # simulations wanted
        ("low", np.float32),  # least and greatest mean of an edge so far
        ("high", np.float32),
        ("rng", np.uint64),
    ]
)
UNEXPANDED, UNPROVEN = -1, 2
ROOT = np.int64(0)  # typed: a bare 0 would have kernels compiled once more for that literal
DENSE_ACTIONS = 128  # up to here the dense layout is the default
POOL_EDGES = 48  # edges a node that the pool has room for at first

Layout = Literal["auto", "dense", "pool"]


class Forest:
    """B trees with room for `nodes` each, which grows when asked for more."""

    def __init__(self, trees: int, nodes: int, actions: int, layout: Layout = "auto"):
        if layout not in ("auto", "dense", "pool"):
            raise ValueError(f"layout is 'auto', 'dense' or 'pool', got {layout!r}")
        self.actions = actions
        self.dense = layout == "dense" or (layout == "auto" and actions <= DENSE_ACTIONS)
        each = actions if self.dense else min(actions, POOL_EDGES)
        self.trees: NDArray[Any] = np.zeros(trees, TREE)
        self.nodes: NDArray[Any] = np.zeros((trees, nodes), NODE)
        self.edges: NDArray[Any] = np.zeros((trees, nodes * each), EDGE)

    def reserve(self, nodes: int, edges: int) -> None:
        """Make room for `nodes` in every tree, and in the pool for `edges` more than the fullest tree has."""
        self.nodes = _with_room(self.nodes, nodes)
        # The dense layout grows with its nodes, at a place where it would else be checked for each expansion.
        wanted = self.nodes.shape[1] * self.actions if self.dense else int(self.trees["edges"].max()) + edges
        self.edges = _with_room(self.edges, wanted)

    @property
    def megabytes(self) -> float:
        """What the arrays take."""
        return float(self.nodes.nbytes + self.edges.nbytes) / 1e6


def _with_room(array: NDArray[Any], wanted: int) -> NDArray[Any]:
    """[B, M] with M at least `wanted`: itself, or a copy with room for half as much again."""
    if wanted <= array.shape[1]:
        return array
    larger = np.zeros((array.shape[0], max(wanted, array.shape[1] * 3 // 2)), array.dtype)
    larger[:, : array.shape[1]] = array
    return larger
