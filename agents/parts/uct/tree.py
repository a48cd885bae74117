"""A search tree in flat arrays: select a path, expand its leaf, back up a value. Knows arrays, not games.

Nodes and edges are numbered in order of creation. Node n owns the edges first[n] .. first[n] + count[n] - 1, one for
each action worth trying there; child[e] is the node behind edge e, or -1. Values are those of the player who chooses
at the node: W[e] / N[e] is the mean result of edge e for him. Node 0 is the root.
"""

from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, U, below, mix

NODE = np.dtype([("first", np.int64), ("count", np.int32), ("turn", np.int32), ("visits", np.int64)])
EDGE = np.dtype([("action", np.int32), ("visits", np.int32), ("child", np.int64), ("total", np.float64)])
UNEXPANDED = -1


class Tree:
    """The arrays of one tree, grown as needed."""

    def __init__(self) -> None:
        self.nodes = np.zeros(1024, NODE)
        self.edges = np.zeros(16 * 1024, EDGE)
        self.used = np.zeros(2, np.int64)  # nodes, edges

    def reserve(self, nodes: int, edges: int) -> None:
        """Make room for so many more nodes and edges."""
        while len(self.nodes) < self.used[0] + nodes:
            self.nodes = np.concatenate([self.nodes, np.zeros_like(self.nodes)])
        while len(self.edges) < self.used[1] + edges:
            self.edges = np.concatenate([self.edges, np.zeros_like(self.edges)])

    def plant(self, turn: int, mask: NDArray[np.bool_], rng: NDArray[np.uint64]) -> None:
        """Empty the tree and make the root, with an edge for each action of `mask` [A]."""
        self.used[:] = 0
        self.reserve(1, len(mask))
        add_node(self.nodes, self.used)
        expand(self.nodes, self.edges, self.used, 0, turn, mask, rng)


@kernel
def add_node(nodes, used):
    """A new node without edges; returns its number."""
    node = used[0]
    used[0] += 1
    nodes[node].first = 0
    nodes[node].count = UNEXPANDED
    nodes[node].visits = 0
    return node


@kernel
def expand(nodes, edges, used, node, turn, mask, rng):
    """Give `node` an edge for each action of `mask` [A], in random order (`rng` [1] moves on)."""
    first = used[1]
    count = 0
    for action in range(mask.shape[0]):
        if mask[action]:
            at = first + int(below(mix(rng[0]), U(count + 1)))
            rng[0] += GAMMA
            edges[first + count].action = edges[at].action
            edges[at].action = action
            count += 1
    for e in range(first, first + count):
        edges[e].visits = 0
        edges[e].child = -1
        edges[e].total = 0.0
    nodes[node].first = first
    nodes[node].count = count
    nodes[node].turn = turn
    used[1] += count


@kernel
def best_edge(nodes, edges, node, c):
    """The edge of greatest UCB1 value, mean + c sqrt(2 ln N / n) (Auer et al. 2002); unvisited edges come first."""
    first = nodes[node].first
    best = first
    greatest = -np.inf
    log_visits = 2.0 * log(max(1.0, float(nodes[node].visits)))
    for e in range(first, first + nodes[node].count):
        n = edges[e].visits
        if n == 0:
            return e
        value = edges[e].total / n + c * sqrt(log_visits / n)
        if value > greatest:
            greatest = value
            best = e
    return best


@kernel
def select(nodes, edges, used, c, path_edges, actions, lengths):
    """Descend from the root once for each row of `path_edges` [K, D], to a node without edges.

    Writes the edges, their actions [K, D] and `lengths` [K], and counts each visit at once as a loss for its chooser
    (virtual loss), so that the K descents spread. A leaf that is not in the tree yet gets its node.
    """
    for k in range(path_edges.shape[0]):
        node = np.int64(0)
        depth = 0
        while nodes[node].count > 0 and depth < path_edges.shape[1]:
            e = best_edge(nodes, edges, node, c)
            nodes[node].visits += 1
            edges[e].visits += 1
            edges[e].total -= 1.0
            path_edges[k, depth] = e
            actions[k, depth] = edges[e].action
            depth += 1
            if edges[e].child < 0:
                edges[e].child = add_node(nodes, used)
            node = edges[e].child
        lengths[k] = depth


@kernel
def back_up(nodes, edges, used, path_edges, lengths, turns, masks, results, rng):
    """Expand the leaf of each of the K paths and add its result to the path.

    `turns` [K] and `masks` [K, A] are of the leaf positions (an empty mask: the game is over there); `results` [K] in
    [-1, 1] are for the first player.
    """
    for k in range(path_edges.shape[0]):
        node = np.int64(0)
        for depth in range(lengths[k]):
            e = path_edges[k, depth]
            value = results[k] if nodes[node].turn == 0 else -results[k]
            edges[e].total += 1.0 + value
            node = edges[e].child
        if nodes[node].count == UNEXPANDED:
            expand(nodes, edges, used, node, np.int64(turns[k]), masks[k], rng)
