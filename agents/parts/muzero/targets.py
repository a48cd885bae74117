"""What MuZero learns from a stored position on: values, n steps ahead.

MuZero (Schrittwieser et al., arXiv:1911.08265, section 3 and appendix B). An episode has T actions; row t is

::

    t             0      1     ...    T-1      T
    turn          who moves there, 0 or 1 (all 0 for one player)
    reward        0     u_1    ...   u_{T-1}  u_T     of arriving there, for who moved before
    value        nu_0   nu_1   ...  nu_{T-1}  nu_T    the search's, for who moves there; nu_T is 0 where the task ended

    z_j = sum_{i < m} gamma^i sig(i) u_{j+1+i} + gamma^m sig(m) nu_{j+m},    m = min(n, T - j)

where sig(i) is 1 if the one who moves at j moves at j + i, else -1. Where only the clock ended the episode, nu_T is
what the search says of the position there, and z goes on with it as anywhere else.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]


def reward_sums(rewards: NDArray[np.floating], turns: Ints, n: int, discount: float) -> Floats:
    """[T + 1], the sums of discounted rewards in z_j, for rows of `rewards` and `turns` [T + 1]."""
    signs = 1.0 - 2.0 * np.asarray(turns)
    gains = np.append(signs[:-1] * np.asarray(rewards, np.float64)[1:], 0.0)  # as the first player sees them
    return signs * windowed(gains, min(n, len(gains)), discount)


def windowed(gains: Floats, n: int, discount: float) -> Floats:
    """``sum_{i < n} discount^i gains[j + i]`` for each j, nothing behind the end; 2^k terms at a time, by n's bits."""
    total, before = np.zeros_like(gains), 0
    power, size = gains, 1  # sums of `size` terms
    while n:
        if n & 1:
            total[: len(gains) - before] += discount**before * power[before:]
            before += size
        n >>= 1
        if n:
            power, half = power.copy(), power
            power[: len(gains) - size] += discount**size * half[size:]
            size *= 2
    return total


def bootstrapped(
    sums: Floats, ahead: NDArray[np.floating], turns: Ints, turns_ahead: Ints, steps: Ints, discount: float
) -> Floats:
    """z: `sums` of rewards, and the values `ahead`, so many `steps` on, for who moves at first. Shapes are alike."""
    signs = np.where(np.asarray(turns) == turns_ahead, 1.0, -1.0)
    z: Floats = sums + signs * discount ** np.asarray(steps, np.float64) * ahead
    return z


def value_targets(
    rewards: NDArray[np.floating], turns: Ints, values: NDArray[np.floating], n: int, discount: float
) -> Floats:
    """z [T + 1] of one whole episode."""
    last = len(rewards) - 1
    rows = np.arange(last + 1)
    ahead = np.minimum(rows + n, last)
    sums = reward_sums(rewards, turns, n, discount)
    return bootstrapped(sums, np.asarray(values)[ahead], turns, np.asarray(turns)[ahead], ahead - rows, discount)


def goes_on(outcome: NDArray[np.floating], past: Ints) -> Floats:
    """z of positions `past` >= 0 plies after a game's end, where no reward is predicted: the outcome stays as it was.

    `outcome` is for who made the last move; at the end (`past` 0) his opponent would move, and so on in turn.
    """
    z: Floats = np.where(np.asarray(past) % 2 == 0, -1.0, 1.0) * outcome
    return z
