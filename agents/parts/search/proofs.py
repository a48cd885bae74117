"""Results that a tree proves (M. Winands et al., "Monte-Carlo tree search solver", CG 2008, with draws)."""

import numpy as np

from sakiyomi.agents.parts.search.forest import UNPROVEN
from sakiyomi.boards.kernel import kernel


@kernel
def prove_upwards(nodes, edges, t, n):
    """Node `n` has been proven: prove what follows from it, towards the root.

    A node is won once one edge wins for certain, and is worth its best edge once all of them are proven. Results are
    -1, 0 and 1: rewards lie on the last edges, and no discount but -1 or 1 stands between.
    """
    while n != 0:
        n = np.int64(nodes[t, n].parent)
        if nodes[t, n].proof != UNPROVEN:
            return
        best = -1
        for e in range(nodes[t, n].first, nodes[t, n].first + nodes[t, n].tried):
            child = edges[t, e].child
            if nodes[t, child].proof == UNPROVEN:
                if best < 1:
                    best = UNPROVEN
                continue
            result = int(nodes[t, child].reward + nodes[t, child].discount * nodes[t, child].proof)
            if result > 0:
                best = 1
                break
            if best != UNPROVEN:
                best = max(best, result)
        if best == UNPROVEN or (best < 1 and nodes[t, n].tried < nodes[t, n].count):
            return
        nodes[t, n].proof = best
