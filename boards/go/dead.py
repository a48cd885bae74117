"""Which stones are dead, which stand in seki: estimated from playouts, made certain where Benson's algorithm can.

Playouts settle dead stones nearly always for the opponent and living ones for their owner; stones that share
liberties in seki fall to whoever is to move, so their points end up divided.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

DEAD_BELOW = -0.4  # mean ownership, from the stones' own side, under which a chain is dead
SEKI_BELOW = 0.4  # under which it lives in seki at the best


def judge(
    boards: NDArray[np.uint8], owners: NDArray[np.float64], alive: NDArray[np.int8]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Dead stones and stones in seki: two [B, H, W], from boards and owners [B, H, W] and alive [B, 2, H, W]."""
    dead, seki = np.zeros(boards.shape, np.bool_), np.zeros(boards.shape, np.bool_)
    for i, board in enumerate(boards):
        for colour, sign in ((1, 1), (2, -1)):
            mine, theirs = alive[i, colour - 1], alive[i, 2 - colour]
            held = np.where(mine == 1, 1.0, np.where(theirs == 2, -1.0, sign * owners[i]))
            # A chain lives or dies as one, so its stones are judged by their mean.
            chains, count = ndimage.label(board == colour)
            means = ndimage.mean(held, chains, np.arange(1, count + 1))
            for chain, mean in enumerate(means, start=1):
                dead[i][chains == chain] = mean < DEAD_BELOW
                seki[i][chains == chain] = DEAD_BELOW <= mean < SEKI_BELOW
    return dead, seki
