"""Tree reuse: the subtree behind a played action becomes the tree."""

import numpy as np

from sakiyomi.agents.parts.search.forest import ROOT
from sakiyomi.agents.parts.search.growing import add_node
from sakiyomi.boards.kernel import kernel


@kernel
def rebase(trees, nodes, edges, rows, actions, spare_nodes, spare_edges):
    """Make the node behind `actions` [n] the root of the trees `rows` [n]; a tree that has not looked there is empty.

    Nodes are copied breadth first through `spare_nodes` [M] and `spare_edges` [E], so their order stays that of
    growing depth. `done` then counts the simulations kept, and `goal` is at least that.
    """
    for i in range(rows.shape[0]):
        t = rows[i]
        found = np.int64(-1)
        first = nodes[t, 0].first
        for e in range(first, first + nodes[t, 0].tried):
            child = np.int64(edges[t, e].child)
            if edges[t, e].action == actions[i] and nodes[t, child].count >= 0:
                found = child
        trees[t].low = np.inf
        trees[t].high = -np.inf
        trees[t].done = 0
        if found < 0:
            trees[t].nodes = 0
            trees[t].edges = 0
            add_node(trees, nodes, t, ROOT, ROOT)
            continue
        used_nodes, used_edges = np.int64(1), np.int64(0)
        spare_nodes[0] = nodes[t, found]
        spare_nodes[0].parent = 0
        spare_nodes[0].via = 0
        for n in range(trees[t].nodes):  # at most so many are kept
            if n >= used_nodes:
                break
            first = spare_nodes[n].first
            spare_nodes[n].first = used_edges
            for k in range(max(0, spare_nodes[n].count)):
                spare_edges[used_edges] = edges[t, first + k]
                child = np.int64(edges[t, first + k].child)
                if child >= 0:
                    spare_nodes[used_nodes] = nodes[t, child]
                    spare_nodes[used_nodes].parent = n
                    spare_nodes[used_nodes].via = used_edges
                    spare_edges[used_edges].child = used_nodes
                    used_nodes += 1
                    if spare_edges[used_edges].visits > 0:
                        q = spare_edges[used_edges].total / spare_edges[used_edges].visits
                        trees[t].low = min(trees[t].low, q)
                        trees[t].high = max(trees[t].high, q)
                used_edges += 1
        for n in range(used_nodes):
            nodes[t, n] = spare_nodes[n]
        for e in range(used_edges):
            edges[t, e] = spare_edges[e]
        trees[t].nodes = used_nodes
        trees[t].edges = used_edges
        trees[t].done = nodes[t, 0].visits - 1
        nodes[t, 0].reward = 0.0
        nodes[t, 0].discount = 0.0
        trees[t].goal = max(trees[t].goal, trees[t].done)
