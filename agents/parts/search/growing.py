"""Kernels that grow trees: descend to a leaf, expand it, back its value up."""

from math import exp

import numpy as np

from sakiyomi.agents.parts.search.forest import ROOT, UNEXPANDED, UNPROVEN
from sakiyomi.agents.parts.search.proofs import prove_upwards
from sakiyomi.agents.parts.search.scores import (
    SMALLEST,
    find_best_untried,
    gumbel_edge,
    gumbel_root_edge,
    puct_edge,
    swap,
)
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, U, below, mix


@kernel
def plant(trees, nodes, rows, goals):
    """Begin anew in the trees `rows` [n], with a root that waits for the network and `goals` [n] simulations to do."""
    for i in range(rows.shape[0]):
        t = rows[i]
        trees[t].nodes = 0
        trees[t].edges = 0
        trees[t].done = 0
        trees[t].goal = goals[i]
        trees[t].low = np.inf
        trees[t].high = -np.inf
        add_node(trees, nodes, t, ROOT, ROOT)


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
    nodes[t, n].visits = 0
    nodes[t, n].turn = 0
    nodes[t, n].proof = UNPROVEN
    nodes[t, n].total = 0.0
    nodes[t, n].value = 0.0
    nodes[t, n].reward = 0.0
    nodes[t, n].discount = 0.0
    return n


@kernel
def select(trees, nodes, edges, rules, plans, noise, actions, leaves, parents, paths, lengths, movers):
    """Descend from every root until each tree has its leaves that wait for the network, or its simulations are done.

    `leaves` [B * K] are the nodes reached (-1: none), `parents` those before them, `paths` [B * K, D] the actions to
    them, `lengths` their number, `movers` who made the last of them. Descents that end where the result is known are
    backed up here and count as simulations. With K > 1, each descent counts as `virtual_loss` losses for its choosers
    until it is backed up; one that meets a leaf already waiting is taken back, and its tree waits for the next round.
    """
    trees, nodes, edges, rules = borrow(trees), borrow(nodes), borrow(edges), borrow(rules)
    plans, noise, paths = borrow(plans), borrow(noise), borrow(paths)
    each = leaves.shape[0] // trees.shape[0]
    loss = rules[0].virtual_loss
    for t in range(trees.shape[0]):
        for k in range(each):
            leaves[t * each + k] = -1
            lengths[t * each + k] = 0
        if trees[t].done >= trees[t].goal:
            continue
        if nodes[t, 0].count == UNEXPANDED:
            leaves[t * each] = 0
            continue
        if nodes[t, 0].count == 0 or (rules[0].solve and nodes[t, 0].proof != UNPROVEN):
            trees[t].done = trees[t].goal  # nothing is left to find out
            continue
        waiting = 0
        while waiting < each and trees[t].done + waiting < trees[t].goal:
            slot = t * each + waiting
            n = np.int64(0)
            depth = 0
            while nodes[t, n].count > 0 and (n == 0 or not rules[0].solve or nodes[t, n].proof == UNPROVEN):
                if rules[0].gumbel == 0:
                    e = puct_edge(trees, nodes, edges, rules, t, n)
                elif n == 0:
                    wanted = plans[t, trees[t].done + waiting]
                    e = gumbel_root_edge(nodes, edges, rules, noise, actions, t, wanted)
                else:
                    e = gumbel_edge(nodes, edges, rules, actions, t, n)
                next_untried = nodes[t, n].first + nodes[t, n].tried
                if e >= next_untried:
                    if e > next_untried:
                        swap(edges, t, next_untried, e)
                        e = next_untried
                    nodes[t, n].tried += 1
                    if nodes[t, n].tried < nodes[t, n].count:
                        find_best_untried(nodes, edges, t, n)
                    edges[t, e].child = add_node(trees, nodes, t, n, e)
                edges[t, e].visits += loss
                edges[t, e].total -= loss
                nodes[t, n].visits += loss
                paths[slot, depth] = edges[t, e].action
                movers[slot] = nodes[t, n].turn
                depth += 1
                n = np.int64(edges[t, e].child)
            if nodes[t, n].count == UNEXPANDED:
                if nodes[t, n].tried > 0:
                    take_back(nodes, edges, t, n, loss)
                    break
                nodes[t, n].tried = 1
                leaves[slot] = n
                parents[slot] = nodes[t, n].parent
                lengths[slot] = depth
                waiting += 1
            else:
                value = 0.0 if nodes[t, n].count == 0 else float(nodes[t, n].proof)
                back_up(trees, nodes, edges, t, n, value, loss)
                trees[t].done += 1


@kernel
def take_back(nodes, edges, t, n, loss):
    """Undo the virtual losses on the way to node `n`."""
    while n != 0:
        e, n = np.int64(nodes[t, n].via), np.int64(nodes[t, n].parent)
        edges[t, e].visits -= loss
        edges[t, e].total += loss
        nodes[t, n].visits -= loss


@kernel
def back_up(trees, nodes, edges, t, n, value, loss):
    """Add `value`, of node `n` for who moves there, to it and to all on the way from the root."""
    nodes[t, n].visits += 1
    nodes[t, n].total += value
    while n != 0:
        value = nodes[t, n].reward + nodes[t, n].discount * value
        e, n = np.int64(nodes[t, n].via), np.int64(nodes[t, n].parent)
        edges[t, e].visits += 1 - loss
        edges[t, e].total += value + loss
        nodes[t, n].visits += 1 - loss
        nodes[t, n].total += value
        q = edges[t, e].total / max(1, edges[t, e].visits)
        trees[t].low = min(trees[t].low, q)
        trees[t].high = max(trees[t].high, q)


@kernel
def expand(trees, nodes, edges, rules, leaves, turns, rewards, discounts, legal, rows, logits, values):
    """Expand the leaves [B * K] (-1: none) and back their values up.

    `turns` is who moves at them; `rewards` and `discounts` are of the edges to them, 0 where the game is over, which
    is where nothing is `legal` [B * K, A]. The network's `logits` [m, A] and `values` [m], for who moves, of a leaf
    are in the row that `rows` [B * K] tells.
    """
    trees, nodes, edges, rules = borrow(trees), borrow(nodes), borrow(edges), borrow(rules)
    legal, logits = borrow(legal), borrow(logits)
    each = leaves.shape[0] // trees.shape[0]
    for slot in range(leaves.shape[0]):
        n = np.int64(leaves[slot])
        if n < 0:
            continue
        t = slot // each
        nodes[t, n].turn = turns[slot]
        nodes[t, n].reward = rewards[slot]
        nodes[t, n].discount = discounts[slot]
        nodes[t, n].tried = 0
        add_edges(trees, nodes, edges, rules, t, n, legal[slot], logits, rows[slot])
        value = 0.0
        if nodes[t, n].count > 0:
            value = values[rows[slot]]
            nodes[t, n].value = value
            find_best_untried(nodes, edges, t, n)
        else:
            nodes[t, n].proof = 0  # nothing follows: all that it is worth is the reward on the way
        back_up(trees, nodes, edges, t, n, value, rules[0].virtual_loss)
        if n != 0:
            trees[t].done += 1
            if rules[0].solve and nodes[t, n].count == 0:
                prove_upwards(nodes, edges, t, n)


@kernel
def most_legal(legal):
    """The greatest number of actions that are `legal` [S, A] at a leaf."""
    most = 0
    for slot in range(legal.shape[0]):
        count = 0
        for action in range(legal.shape[1]):
            count += legal[slot, action]
        most = max(most, count)
    return most


@kernel
def add_edges(trees, nodes, edges, rules, t, n, legal, logits, row):
    """Give node `n` an edge for each `legal` [A] action, with the softmax of their `logits` [row, A] as priors.

    Where that is no distribution (all mass on illegal actions, numbers that are none), legal actions are equal. Where
    the game is over nothing is legal, and there may be no such row.
    """
    first = trees[t].edges
    count = 0
    greatest = -np.inf
    for action in range(legal.shape[0]):
        if legal[action]:
            edges[t, first + count].action = action
            greatest = max(greatest, logits[row, action])
            count += 1
    if rules[0].shuffle:  # equals are then tried in random order
        for k in range(1, count):
            at = first + int(below(mix(trees[t].rng), U(k + 1)))
            trees[t].rng += GAMMA
            edges[t, at].action, edges[t, first + k].action = edges[t, first + k].action, edges[t, at].action
    mass = 0.0
    for e in range(first, first + count):
        edges[t, e].visits = 0
        edges[t, e].child = -1
        edges[t, e].total = 0.0
        prior = exp(logits[row, edges[t, e].action] - greatest)
        edges[t, e].prior = prior
        mass += prior
    sound = 0.0 < mass < np.inf
    for e in range(first, first + count):
        edges[t, e].prior = max(edges[t, e].prior / mass, SMALLEST) if sound else 1.0 / count
    nodes[t, n].first = first
    nodes[t, n].count = count
    trees[t].edges += count


@kernel
def read_root(nodes, edges, rules, rows, visits, means, priors, proofs):
    """Write what the roots of the trees `rows` [n] hold by action, [n, A]; `means` of visited edges only.

    With `solve`, `proofs` are the results of edges known for certain, which then are their means, too.
    """
    for i in range(rows.shape[0]):
        t = rows[i]
        first = nodes[t, 0].first
        for e in range(first, first + max(0, nodes[t, 0].count)):
            action = edges[t, e].action
            visits[i, action] = edges[t, e].visits
            priors[i, action] = edges[t, e].prior
            if edges[t, e].visits > 0:
                means[i, action] = edges[t, e].total / edges[t, e].visits
                child = edges[t, e].child
                if rules[0].solve and nodes[t, child].proof != UNPROVEN:
                    proofs[i, action] = nodes[t, child].reward + nodes[t, child].discount * nodes[t, child].proof
                    means[i, action] = proofs[i, action]


@kernel
def write_root(nodes, edges, rows, priors):
    """Give the edges of the roots of the trees `rows` [n], none of them tried yet, the priors [n, A]."""
    for i in range(rows.shape[0]):
        t = rows[i]
        first = nodes[t, 0].first
        for e in range(first, first + nodes[t, 0].count):
            edges[t, e].prior = priors[i, edges[t, e].action]
        if nodes[t, 0].tried < nodes[t, 0].count:
            find_best_untried(nodes, edges, t, ROOT)
