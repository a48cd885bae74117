"""Connect Four's kernels: two bitboards, seven bits a column, the seventh always empty.

::

     6 13 20 27 34 41 48      The top row is no part of the board: it keeps a column from running into the next, and
     5 12 19 26 33 40 47      adding to a column's bottom bit carries to its lowest empty square.
     4 11 18 25 32 39 46
     3 10 17 24 31 38 45      Four in a row are four equal steps: 1 up, 7 to the right, 6 and 8 diagonally (the layout
     2  9 16 23 30 37 44      is John Tromp's, as in his Fhourstones benchmark).
     1  8 15 22 29 36 43
     0  7 14 21 28 35 42
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U, lsb, popcount, without_lsb
from sakiyomi.boards.game import Ending
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, below, mix

WIDTH, HEIGHT = 7, 6
STATE = np.dtype((np.record, [("stones", np.uint64, 2), ("turn", np.int32), ("ply", np.int32)]))
"""`stones`: the bitboards of the first and the second player."""

BOTTOM = U(sum(1 << 7 * column for column in range(WIDTH)))
BOARD = BOTTOM * U(0b111111)
COLUMN = U(0b111111)

ONGOING, LINE, FULL_BOARD = int(Ending.ONGOING), int(Ending.LINE), int(Ending.FULL_BOARD)


@kernel
def has_four(stones):
    """Are four squares of `stones` in a row?"""
    up = stones & (stones >> 1)
    right = stones & (stones >> 7)
    falling = stones & (stones >> 6)
    rising = stones & (stones >> 8)
    return (
        (up & (up >> 2)) | (right & (right >> 14)) | (falling & (falling >> 12)) | (rising & (rising >> 16))
    ) != ZERO


@kernel
def landings(occupied):
    """The squares where a disc can come to lie, one in each column that is not full."""
    return (occupied + BOTTOM) & BOARD


@kernel
def landing(occupied, column):
    """The square where a disc in `column` (uint64) comes to lie; the empty board if the column is full."""
    return landings(occupied) & (COLUMN << (U(7) * column))


@kernel
def _completing(stones, step):
    """The squares that make four in a row with three of `stones` along `step`."""
    before, after = (stones << step) & (stones << (step + step)), (stones >> step) & (stones >> (step + step))
    return (
        before & (stones << (step + step + step))
        | before & (stones >> step)
        | after & (stones << step)
        | after & (stones >> (step + step + step))
    )


@kernel
def threats(stones, occupied):
    """The empty squares on which a disc would complete four of `stones`, whether it can fall there yet or not.

    Upright lines are completed at the top only, as no disc of a position hangs in the air.
    """
    up = (stones << 1) & (stones << 2) & (stones << 3)
    along = _completing(stones, U(7)) | _completing(stones, U(6)) | _completing(stones, U(8))
    return (up | along) & (BOARD ^ occupied)


@kernel
def play(s, column):
    """Drop the mover's disc in `column`."""
    mover = s.turn
    s.stones[mover] |= landing(s.stones[0] | s.stones[1], U(column))
    s.turn = 1 - mover
    s.ply += 1


@kernel
def ending(s):
    """The `Ending` code; only the player who has just moved can have four."""
    if has_four(s.stones[1 - s.turn]):
        return LINE
    if s.stones[0] | s.stones[1] == BOARD:
        return FULL_BOARD
    return ONGOING


@kernel
def rollout(own, other, counter):
    """Random play from `own` to move: +1, 0 or -1 for the first mover, and the random state after."""
    sign = 1
    if has_four(other):
        return -1, counter
    while True:
        places = landings(own | other)
        if places == ZERO:
            return 0, counter
        for _ in range(below(mix(counter), popcount(places))):
            places = without_lsb(places)
        counter += GAMMA
        own |= ONE << lsb(places)
        if has_four(own):
            return sign, counter
        own, other, sign = other, own, -sign


@kernel
def legal_all(start, stop, states, out):
    """`out` bool [B, 7]."""
    for i in range(start, stop):
        s = states[i]
        places = landings(s.stones[0] | s.stones[1])
        ongoing = ending(s) == ONGOING
        for column in range(WIDTH):
            out[i, column] = ongoing and (places >> U(7 * column)) & COLUMN != ZERO


@kernel
def play_all(start, stop, states, actions):
    """`actions` int32 [B], in place."""
    for i in range(start, stop):
        play(states[i], actions[i])


@kernel
def ending_all(start, stop, states, out):
    """`out` int8 [B]."""
    for i in range(start, stop):
        out[i] = ending(states[i])


@kernel
def result_all(start, stop, states, out):
    """`out` int8 [B]: 1, 0 or -1 for the first player."""
    for i in range(start, stop):
        s = states[i]
        out[i] = 2 * s.turn - 1 if ending(s) == LINE else 0


@kernel
def replay_all(start, stop, states, paths, lengths):
    """Play the first ``lengths[i]`` actions of ``paths[i]`` (int32 [B], [B, D]), in place."""
    for i in range(start, stop):
        s = states[i]
        for depth in range(lengths[i]):
            play(s, paths[i, depth])


@kernel
def rollout_all(start, stop, states, rng, out):
    """`out` int8 [B]: results of random play for the first player; `rng` uint64 [B] moves on."""
    for i in range(start, stop):
        s = states[i]
        value, counter = rollout(s.stones[s.turn], s.stones[1 - s.turn], rng[i])
        rng[i] = counter
        out[i] = value * (1 - 2 * s.turn)
