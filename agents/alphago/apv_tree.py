"""The trees of AlphaGo's search in flat arrays, and the kernels that grow them.

Silver et al., Nature 529 (2016), Methods, "Search algorithm". An edge keeps rollouts and values apart: N_r and W_r, N_v
and W_v. Results in are Black's; sums are kept as the player who chooses the edge sees them. Node 0 of a tree is its
root. Node n owns the edges ``first`` to ``first + count - 1`` of its tree's row; the first ``tried`` of them have been
descended, the others stand in the order of their priors, so that selection looks at ``tried + 1`` edges instead of all.
"""

from math import sqrt

import numpy as np

from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel

NODE = np.dtype(
    [
        ("first", np.int32),  # its edges
        ("count", np.int32),  # how many; UNEXPANDED: a root that waits for its priors
        ("tried", np.int32),
        ("parent", np.int32),
        ("via", np.int32),  # the edge that leads here
        ("turn", np.int32),  # who moves here, 0 Black
    ]
)
EDGE = np.dtype(
    [
        ("action", np.int32),
        ("child", np.int32),  # node, or -1
        ("visits", np.int32),  # N_r, virtual losses included
        ("flying", np.int32),  # descents through here whose rollouts are not backed up
        ("valued", np.int32),  # N_v
        ("asked", np.int32),  # VALUE and POLICY, of the position behind
        ("prior", np.float32),
        ("total", np.float32),  # W_r
        ("value", np.float32),  # W_v
    ]
)
TREE = np.dtype(
    [
        ("nodes", np.int64),  # in use
        ("edges", np.int64),
        ("done", np.int32),  # rollouts since the search began
        ("goal", np.int32),
    ]
)
RULES = np.dtype(
    [
        ("mixing", np.float32),  # lambda
        ("exploration", np.float32),  # c_puct
        ("virtual_loss", np.int32),  # n_vl
        ("threshold", np.int32),  # n_thr
    ]
)
UNEXPANDED, NOTHING = -1, -1
VALUE, POLICY = 1, 2


@kernel
def plant(trees, nodes, rows, goals):
    """Begin anew in the trees `rows` [n], with a root that waits for its priors and `goals` [n] rollouts to do."""
    for i in range(rows.shape[0]):
        t = rows[i]
        trees[t].nodes = 0
        trees[t].edges = 0
        trees[t].done = 0
        trees[t].goal = goals[i]
        add_node(trees, nodes, t, np.int64(0), np.int64(0))


@kernel
def add_node(trees, nodes, t, parent, via):
    """A new node, not expanded; returns its number."""
    n = trees[t].nodes
    trees[t].nodes += 1
    nodes[t, n].first = 0
    nodes[t, n].count = UNEXPANDED
    nodes[t, n].tried = 0
    nodes[t, n].parent = parent
    nodes[t, n].via = via
    nodes[t, n].turn = 0
    return n


@kernel
def mean(edges, rules, t, e):
    """Q: the mixture of the mean value and the mean result of rollouts; of either alone where the other is missing."""
    rolled = edges[t, e].total / edges[t, e].visits if edges[t, e].visits > 0 else np.float32(0)
    if edges[t, e].valued == 0:
        return rolled
    mixing = rules[0].mixing
    return (1 - mixing) * edges[t, e].value / edges[t, e].valued + mixing * rolled


@kernel
def best_edge(nodes, edges, rules, t, n):
    """The edge of greatest ``Q + c P sqrt(sum N_r) / (1 + N_r)``; of equals the first."""
    first = nodes[t, n].first
    stop = first + min(nodes[t, n].tried + 1, nodes[t, n].count)
    total = 0
    for e in range(first, stop):
        total += edges[t, e].visits
    scale = rules[0].exploration * sqrt(total)
    best, greatest = first, -np.inf
    for e in range(first, stop):
        score = mean(edges, rules, t, e) + scale * edges[t, e].prior / (1 + edges[t, e].visits)
        if score > greatest:
            best, greatest = e, score
    return best


@kernel
def select(trees, nodes, edges, rules, leaf_nodes, leaf_edges, wishes, paths, lengths):
    """Descend from every root, several times in a tree, with virtual losses on the way.

    A descent ends at an edge without a node behind it: `leaf_nodes` and `leaf_edges` [B * K] are where (-1: there was
    none; the edge is -1 where a root is to be given priors first), `paths` [B * K, D] the actions, `lengths` their
    number. `wishes` says what is asked of the position there for the first time: VALUE, and POLICY once more than
    `threshold` rollouts, those in flight included, have begun from it.
    """
    trees, nodes, edges, rules, paths = borrow(trees), borrow(nodes), borrow(edges), borrow(rules), borrow(paths)
    each = leaf_nodes.shape[0] // trees.shape[0]
    loss = rules[0].virtual_loss
    for t in range(trees.shape[0]):
        for k in range(each):
            slot = t * each + k
            leaf_nodes[slot] = NOTHING
            leaf_edges[slot] = NOTHING
            wishes[slot] = 0
            lengths[slot] = 0
        if trees[t].done >= trees[t].goal:
            continue
        if nodes[t, 0].count == UNEXPANDED:
            leaf_nodes[t * each] = 0
            wishes[t * each] = POLICY
            continue
        for k in range(min(each, trees[t].goal - trees[t].done)):
            slot = t * each + k
            n = np.int64(0)
            e = np.int64(0)
            depth = 0
            while True:
                e = best_edge(nodes, edges, rules, t, n)
                if e == nodes[t, n].first + nodes[t, n].tried:
                    nodes[t, n].tried += 1
                edges[t, e].visits += loss
                edges[t, e].total -= loss
                edges[t, e].flying += 1
                paths[slot, depth] = edges[t, e].action
                depth += 1
                if edges[t, e].child < 0:
                    break
                n = np.int64(edges[t, e].child)
            leaf_nodes[slot] = n
            leaf_edges[slot] = e
            lengths[slot] = depth
            rolled = edges[t, e].visits - loss * edges[t, e].flying
            wish = VALUE
            if rolled + edges[t, e].flying > rules[0].threshold:
                wish |= POLICY
            wishes[slot] = wish & ~edges[t, e].asked
            edges[t, e].asked |= wish


@kernel
def back_up_rollouts(trees, nodes, edges, rules, leaf_nodes, leaf_edges, results):
    """Give the edges of every descent its rollout's result, +1 a win for Black, in place of the virtual losses."""
    trees, nodes, edges, rules = borrow(trees), borrow(nodes), borrow(edges), borrow(rules)
    each = leaf_nodes.shape[0] // trees.shape[0]
    loss = rules[0].virtual_loss
    for slot in range(leaf_nodes.shape[0]):
        if leaf_edges[slot] < 0:
            continue
        t = slot // each
        n, e = np.int64(leaf_nodes[slot]), np.int64(leaf_edges[slot])
        while True:
            edges[t, e].visits += 1 - loss
            edges[t, e].total += loss + (results[slot] if nodes[t, n].turn == 0 else -results[slot])
            edges[t, e].flying -= 1
            if n == 0:
                break
            e, n = np.int64(nodes[t, n].via), np.int64(nodes[t, n].parent)
        trees[t].done += 1


@kernel
def back_up_values(nodes, edges, rows, leaf_nodes, leaf_edges, values):
    """Add `values` [n], Black's, of the positions behind edges of the trees `rows` [n], on the way up to the roots."""
    nodes, edges = borrow(nodes), borrow(edges)
    for i in range(rows.shape[0]):
        t = rows[i]
        n, e = np.int64(leaf_nodes[i]), np.int64(leaf_edges[i])
        while True:
            edges[t, e].valued += 1
            edges[t, e].value += values[i] if nodes[t, n].turn == 0 else -values[i]
            if n == 0:
                break
            e, n = np.int64(nodes[t, n].via), np.int64(nodes[t, n].parent)


@kernel
def expand(trees, nodes, edges, rows, leaf_nodes, leaf_edges, turns, actions, priors, counts, made):
    """Put a node behind each of n edges (or expand the root, where the edge is -1), whose numbers are `made` [n].

    It gets the first `counts` [n] of `actions` and `priors` [n, A], which come in falling order of the priors.
    """
    trees, nodes, edges = borrow(trees), borrow(nodes), borrow(edges)
    for i in range(rows.shape[0]):
        t = rows[i]
        n = np.int64(leaf_nodes[i])
        if leaf_edges[i] >= 0:
            e = np.int64(leaf_edges[i])
            n = add_node(trees, nodes, t, n, e)
            edges[t, e].child = n
        made[i] = n
        first = trees[t].edges
        nodes[t, n].first = first
        nodes[t, n].count = counts[i]
        nodes[t, n].turn = turns[i]
        trees[t].edges += counts[i]
        for k in range(counts[i]):
            e = first + k
            edges[t, e].action = actions[i, k]
            edges[t, e].prior = priors[i, k]
            edges[t, e].child = NOTHING
            edges[t, e].visits = 0
            edges[t, e].flying = 0
            edges[t, e].valued = 0
            edges[t, e].asked = 0
            edges[t, e].total = 0.0
            edges[t, e].value = 0.0


@kernel
def replace_priors(nodes, edges, rows, numbers, priors):
    """Give the nodes `numbers` [n] of the trees `rows` [n] other priors, [n, A] by action; order those not tried."""
    nodes, edges, priors = borrow(nodes), borrow(edges), borrow(priors)
    for i in range(rows.shape[0]):
        t, n = rows[i], numbers[i]
        first = nodes[t, n].first
        untried, stop = first + nodes[t, n].tried, first + nodes[t, n].count
        for e in range(first, stop):
            edges[t, e].prior = priors[i, edges[t, e].action]
        for e in range(untried + 1, stop):  # what was not tried is an action and a prior, and no more
            action, prior = edges[t, e].action, edges[t, e].prior
            at = e
            while at > untried and edges[t, at - 1].prior < prior:
                edges[t, at].action, edges[t, at].prior = edges[t, at - 1].action, edges[t, at - 1].prior
                at -= 1
            edges[t, at].action, edges[t, at].prior = action, prior


@kernel
def read_root(nodes, edges, rules, rows, visits, valued, means, priors):
    """Write what the roots of the trees `rows` [n] hold by action, [n, A]; `means` where there is one."""
    for i in range(rows.shape[0]):
        t = rows[i]
        first = nodes[t, 0].first
        for e in range(first, first + max(0, nodes[t, 0].count)):
            action = edges[t, e].action
            visits[i, action] = edges[t, e].visits
            valued[i, action] = edges[t, e].valued
            priors[i, action] = edges[t, e].prior
            if edges[t, e].visits + edges[t, e].valued > 0:
                means[i, action] = mean(edges, rules, t, e)


@kernel
def rebase(trees, nodes, edges, rows, actions, spare_nodes, spare_edges):
    """Make the node behind `actions` [n] the root of the trees `rows` [n]; a tree that has none there is empty.

    Nodes are copied breadth first through `spare_nodes` [M] and `spare_edges` [E]. `done` then counts the rollouts
    kept, and `goal` is at least that.
    """
    for i in range(rows.shape[0]):
        t = rows[i]
        found = np.int64(NOTHING)
        first = nodes[t, 0].first
        for e in range(first, first + nodes[t, 0].tried):
            if edges[t, e].action == actions[i]:
                found = np.int64(edges[t, e].child)
        trees[t].done = 0
        if found < 0:
            trees[t].nodes = 0
            trees[t].edges = 0
            add_node(trees, nodes, t, np.int64(0), np.int64(0))
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
            for k in range(spare_nodes[n].count):
                spare_edges[used_edges] = edges[t, first + k]
                if n == 0:
                    trees[t].done += edges[t, first + k].visits
                child = np.int64(edges[t, first + k].child)
                if child >= 0:
                    spare_nodes[used_nodes] = nodes[t, child]
                    spare_nodes[used_nodes].parent = n
                    spare_nodes[used_nodes].via = used_edges
                    spare_edges[used_edges].child = used_nodes
                    used_nodes += 1
                used_edges += 1
        for n in range(used_nodes):
            nodes[t, n] = spare_nodes[n]
        for e in range(used_edges):
            edges[t, e] = spare_edges[e]
        trees[t].nodes = used_nodes
        trees[t].edges = used_edges
        trees[t].goal = max(trees[t].goal, trees[t].done)
