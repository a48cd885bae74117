"""The schedule of sequential halving: how often the edge of each simulation must have been visited before."""

from functools import cache
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray


@cache
def schedule(considered: int, simulations: int) -> NDArray[np.int32]:
    """[simulations]: at simulation i an edge with that many visits is chosen.

    `considered` edges are each visited equally often, then the better half of them, and so on down to two (Z. Karnin
    et al., "Almost optimal exploration in multi-armed bandits", ICML 2013; the Gumbel paper, section 3.3 and its
    appendix). One edge alone gets every visit.
    """
    if considered <= 1:
        return np.arange(simulations, dtype=np.int32)
    plan: list[int] = []
    phases, among = ceil(log2(considered)), considered
    visits = [0] * considered  # of the edges in order of merit: which they are is found out later
    while len(plan) < simulations:
        for _ in range(max(1, simulations // (phases * among))):
            plan += visits[:among]
            visits[:among] = [count + 1 for count in visits[:among]]
        among = max(2, among // 2)
    return np.array(plan[:simulations], np.int32)
