"""Pass-alive chains and territory by Benson's algorithm.

D. B. Benson, "Life in the game of Go", Information Sciences 10 (1976): a chain is unconditionally alive if it keeps
two vital regions, where a region (connected points that are not of its colour) is vital to a chain when every empty
point of it is a liberty of that chain. Chains with fewer are dropped, then regions that touch a dropped chain, until
nothing changes. Where suicide is allowed an attacker can empty points by taking his own stones off, so there every
point of the region, stones included, must touch the chain.
"""

import numpy as np

from sakiyomi.boards.kernel import kernel


@kernel
def neighbour(a, d, width, area):
    """The neighbour of point a in direction d of 0..3, or -1 off the board."""
    x = a % width
    if d == 0:
        return a - 1 if x > 0 else -1
    if d == 1:
        return a + 1 if x < width - 1 else -1
    if d == 2:
        return a - width if a >= width else -1
    return a + width if a + width < area else -1


@kernel
def label(marks, width, area, labels):
    """Number the connected sets of marked points from 0 into `labels` (-1 elsewhere); returns how many there are."""
    stack = np.empty(area, np.int64)
    labels[:] = -1
    count = 0
    for start in range(area):
        if not marks[start] or labels[start] >= 0:
            continue
        labels[start] = count
        stack[0] = start
        top = 1
        while top > 0:
            top -= 1
            a = stack[top]
            for d in range(4):
                n = neighbour(a, d, width, area)
                if n >= 0 and marks[n] and labels[n] < 0:
                    labels[n] = count
                    stack[top] = n
                    top += 1
        count += 1
    return count


@kernel
def vital_chains(colours, regions, count, chains, width, area, suicide):
    """[regions, 4]: the chains to which each region is vital, -1 for none; at most 4, as all touch its first point."""
    vital = np.full((count, 4), -1, np.int32)
    for r in range(count):
        first = True
        for a in range(area):
            if regions[a] != r or (colours[a] != 0 and not suicide):
                continue
            if first:
                for d in range(4):
                    n = neighbour(a, d, width, area)
                    if n >= 0 and chains[n] >= 0:
                        vital[r, d] = chains[n]
                first = False
            for k in range(4):
                touches = False
                for d in range(4):
                    n = neighbour(a, d, width, area)
                    if n >= 0 and chains[n] == vital[r, k]:
                        touches = True
                if not touches:
                    vital[r, k] = -1
        for k in range(4):
            for j in range(k):
                if vital[r, j] == vital[r, k]:
                    vital[r, k] = -1
    return vital


@kernel
def pass_alive(colours, colour, width, height, suicide, alive):
    """Write `alive` [area]: 1 for pass-alive stones of `colour`, 2 for points of their vital regions, else 0."""
    area = width * height
    chains = np.empty(area, np.int32)
    regions = np.empty(area, np.int32)
    chain_count = label(colours == colour, width, area, chains)
    region_count = label(colours != colour, width, area, regions)
    vital = vital_chains(colours, regions, region_count, chains, width, area, suicide)
    chain_ok = np.ones(chain_count, np.bool_)
    region_ok = np.ones(region_count, np.bool_)
    changed = True
    while changed:
        changed = False
        votes = np.zeros(chain_count, np.int32)
        for r in range(region_count):
            for k in range(4):
                if region_ok[r] and vital[r, k] >= 0:
                    votes[vital[r, k]] += 1
        for c in range(chain_count):
            if chain_ok[c] and votes[c] < 2:
                chain_ok[c] = False
                changed = True
        for a in range(area):
            if chains[a] >= 0 and not chain_ok[chains[a]]:
                for d in range(4):
                    n = neighbour(a, d, width, area)
                    if n >= 0 and regions[n] >= 0 and region_ok[regions[n]]:
                        region_ok[regions[n]] = False
                        changed = True
    for a in range(area):
        alive[a] = 0
        if chains[a] >= 0 and chain_ok[chains[a]]:
            alive[a] = 1
        elif regions[a] >= 0 and region_ok[regions[a]]:
            for k in range(4):
                if vital[regions[a], k] >= 0:
                    alive[a] = 2


@kernel
def pass_alive_rows(start, stop, boards, width, height, suicide, alive):
    """`alive` [B, 2, area] for Black and White on rows start..stop of `boards` [B, area]."""
    for i in range(start, stop):
        for player in range(2):
            pass_alive(boards[i], player + 1, width, height, suicide, alive[i, player])
