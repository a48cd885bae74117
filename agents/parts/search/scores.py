"""Kernels that choose an edge at a node. `t` is the tree's row; edges are told by their place in it."""

from math import exp, log, sqrt

import numpy as np

from sakiyomi.agents.parts.search.forest import ROOT, UNPROVEN
from sakiyomi.boards.kernel import kernel

DRAW, LOSS, PARENT, REDUCTION = 0, 1, 2, 3  # places in `selection.Unvisited`
NONE, FIXED, SIBLINGS, TREE = 0, 1, 2, 3  # places in `selection.Scale`
SMALLEST = 1e-30  # legal actions have no smaller prior: its logarithm is wanted, and 0 tells an illegal one
PROVEN_LOSS = -1e6  # added to the score of an edge that loses for certain: only other such edges are worse


@kernel
def find_best_untried(nodes, edges, t, n):
    """Put the edge of greatest prior among those of node `n` not yet tried in front of them; the first of equals."""
    first = nodes[t, n].first + nodes[t, n].tried
    stop = nodes[t, n].first + nodes[t, n].count
    best = first
    for e in range(first + 1, stop):
        if edges[t, e].prior > edges[t, best].prior:
            best = e
    if best > first:
        swap(edges, t, first, best)


@kernel
def swap(edges, t, one, other):
    """Exchange two edges that have not been tried."""
    action, prior = edges[t, one].action, edges[t, one].prior
    edges[t, one].action, edges[t, one].prior = edges[t, other].action, edges[t, other].prior
    edges[t, other].action, edges[t, other].prior = action, prior


@kernel
def loses(nodes, edges, t, e):
    """Does edge `e` lose for certain?"""
    child = edges[t, e].child
    if child < 0 or nodes[t, child].proof == UNPROVEN:
        return False
    return nodes[t, child].reward + nodes[t, child].discount * nodes[t, child].proof < 0


@kernel
def puct_edge(trees, nodes, edges, rules, t, n):
    """The edge of node `n` that PUCT chooses."""
    first, tried, count = nodes[t, n].first, nodes[t, n].tried, nodes[t, n].count
    visits = nodes[t, n].visits if rules[0].count_node else nodes[t, n].visits - 1
    c = rules[0].init
    if rules[0].base > 0:
        c += log((visits + rules[0].base + 1) / rules[0].base)
    c *= sqrt(visits)
    mean = nodes[t, n].total / max(1, nodes[t, n].visits)
    scale = rules[0].scale
    low, high = -1.0, 1.0
    if scale == SIBLINGS:
        low = high = mean
        for e in range(first, first + tried):
            q = edges[t, e].total / max(1, edges[t, e].visits)
            low, high = min(low, q), max(high, q)
    elif scale == TREE:
        low, high = trees[t].low, trees[t].high
    span = max(high - low, rules[0].floor)
    raw = scale == NONE or (scale == TREE and high <= low)
    best, greatest = first, -np.inf
    if tried < count:
        unvisited = rules[0].root_unvisited if n == 0 else rules[0].unvisited
        if unvisited == LOSS:
            q = -1.0 if scale == NONE else 0.0
        else:
            q = 0.0 if unvisited == DRAW else mean
            if unvisited == REDUCTION:
                mass = 0.0
                for e in range(first, first + tried):
                    mass += edges[t, e].prior
                q -= rules[0].reduction * sqrt(mass)
            if not raw:
                q = (q - low) / span
        best = first + tried
        greatest = q + c * edges[t, best].prior
    for e in range(first, first + tried):
        n_edge = edges[t, e].visits
        q = edges[t, e].total / max(1, n_edge)
        if not raw:
            q = (q - low) / span
        score = q + c * edges[t, e].prior / (1 + n_edge)
        if n == 0 and n_edge * n_edge < rules[0].forced * edges[t, e].prior * (nodes[t, n].visits - 1):
            score += 1e3
        if rules[0].solve and loses(nodes, edges, t, e):
            score += PROVEN_LOSS
        if score > greatest:
            best, greatest = e, score
    return best


@kernel
def mixed_value(nodes, edges, t, n):
    """What stands for the value of edges without visits: the network's value and the visited edges' mean by prior,
    weighed by visits (Gumbel paper, appendix D); and the greatest number of visits of an edge."""
    first, tried = nodes[t, n].first, nodes[t, n].tried
    mass, weighted, total, most = 0.0, 0.0, 0, 0
    for e in range(first, first + tried):
        visits = edges[t, e].visits
        if visits > 0:
            prior = max(edges[t, e].prior, SMALLEST)
            mass += prior
            weighted += prior * (edges[t, e].total / visits)
            total += visits
            most = max(most, visits)
    if total == 0:
        return float(nodes[t, n].value), most
    return (nodes[t, n].value + total * (weighted / mass)) / (1 + total), most


@kernel
def sigma_of(nodes, edges, rules, actions, t, n):
    """The monotone map ``sigma(q) = factor q - shift`` at node `n`: factor, shift, and the mixed value.

    With `rescale`, the completed values of all `actions` are first put into [0, 1]; illegal actions have the mixed
    value, like all that have not been visited.
    """
    mixed, most = mixed_value(nodes, edges, t, n)
    factor = (rules[0].visit + most) * rules[0].weight
    if not rules[0].rescale:
        return factor, 0.0, mixed
    first, tried = nodes[t, n].first, nodes[t, n].tried
    low, high = np.inf, -np.inf
    visited = 0
    for e in range(first, first + tried):
        if edges[t, e].visits > 0:
            q = edges[t, e].total / edges[t, e].visits
            low, high = min(low, q), max(high, q)
            visited += 1
    if visited < actions:
        low, high = min(low, mixed), max(high, mixed)
    factor /= max(high - low, 1e-8)
    return factor, factor * low, mixed


@kernel
def gumbel_root_edge(nodes, edges, rules, noise, actions, t, wanted):
    """The edge of the root with `wanted` visits of greatest ``g + logit + sigma(q)``; `noise` is g [B, A].

    If none has so many, edges of the fewest visits over that are taken, then of the most below it.
    """
    factor, shift, mixed = sigma_of(nodes, edges, rules, actions, t, ROOT)
    first, tried, count = nodes[t, 0].first, nodes[t, 0].tried, nodes[t, 0].count
    best, greatest, nearest = first, -np.inf, np.int64(1) << 40
    for e in range(first, first + count):
        visits = edges[t, e].visits
        away = visits - wanted if visits >= wanted else (np.int64(1) << 20) + wanted - visits
        q = edges[t, e].total / visits if e < first + tried and visits > 0 else mixed
        score = noise[t, edges[t, e].action] + log(max(edges[t, e].prior, SMALLEST)) + factor * q - shift
        if rules[0].solve and loses(nodes, edges, t, e):
            score += PROVEN_LOSS
        if away < nearest or (away == nearest and score > greatest):
            best, greatest, nearest = e, score, away
    return best


@kernel
def gumbel_edge(nodes, edges, rules, actions, t, n):
    """The edge of greatest ``pi'(a) - N(a) / (1 + sum N)`` at a node below the root (Gumbel paper, section 5)."""
    factor, _, mixed = sigma_of(nodes, edges, rules, actions, t, n)
    first, tried, count = nodes[t, n].first, nodes[t, n].tried, nodes[t, n].count
    untried, total = 1.0, 0  # the priors of a node sum to 1
    top = -np.inf
    for e in range(first, first + tried):
        visits = edges[t, e].visits
        untried -= edges[t, e].prior
        total += visits
        top = max(top, factor * edges[t, e].total / visits if visits > 0 else factor * mixed)
    if tried < count:
        top = max(top, factor * mixed)
    if untried < 1e-4:  # too much of it is rounding
        untried = 0.0
        for e in range(first + tried, first + count):
            untried += edges[t, e].prior
    unvisited = exp(min(0.0, factor * mixed - top))  # above the top only if there is no such edge
    mass = untried * unvisited
    for e in range(first, first + tried):
        visits = edges[t, e].visits
        mass += edges[t, e].prior * (exp(factor * edges[t, e].total / visits - top) if visits > 0 else unvisited)
    best, greatest = first, -np.inf
    if tried < count:
        best = first + tried
        greatest = edges[t, best].prior * unvisited / mass
    for e in range(first, first + tried):
        visits = edges[t, e].visits
        improved = edges[t, e].prior * (exp(factor * edges[t, e].total / visits - top) if visits > 0 else unvisited)
        score = improved / mass - visits / (1 + total)
        if rules[0].solve and loses(nodes, edges, t, e):
            score += PROVEN_LOSS
        if score > greatest:
            best, greatest = e, score
    return best
