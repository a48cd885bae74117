"""What an alpha-beta search does at its nodes whatever the game is: limits, the table's word, the expected play.

Values are those of the player to move, in the points of the game's evaluation; MATE less the plies to it for a forced
mate. Two arrays of the workspace are alike in all games:

    plays    uint16 [(PLIES + 1) * PLIES]  the expected play from each ply on, ended by 0
    control  int64 [16]                    STOP.. below; STOP may be set by another thread
"""

import numpy as np

from sakiyomi.agents.parts.alphabeta.table import EXACT, LOWER, UPPER, bound_of, depth_of, value_of
from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.kernel import kernel

PLIES = 128  # deepest line, quiet search included
INFINITE = 32_500

# Words of `control`; BASE: where the keys of the game end with the root's. The last three are for the game's own use.
STOP, NODES, MOST_NODES, FEATURES, BASE, AGE, ROOT_DONE = range(7)
OWN_WORDS = 13
# Bits of FEATURES: what may be switched off for tests and measurements.
TABLE, REDUCTIONS, FUTILITY, EXCHANGES, DELTA, EXTENSION, QUIESCENCE = (1 << i for i in range(7))
EVERYTHING = 127


def _reductions():
    """[64 * 64]: plies that a late quiet move is searched less, by depth and number of the move."""
    depths, numbers = np.meshgrid(np.arange(64), np.arange(64), indexing="ij")
    table = 0.5 + np.log(np.maximum(depths, 1)) * np.log(np.maximum(numbers, 1)) / 2.2
    table = np.ascontiguousarray(table.astype(np.int64).ravel())
    table.setflags(write=False)
    return table


REDUCTION = _reductions()


@kernel
def count_node(control):
    """Count a position; True if it is not to be searched, as the search has been stopped or has used its nodes up."""
    if control[NODES] >= control[MOST_NODES]:
        control[STOP] = 1
    if control[STOP] != 0:
        return True
    control[NODES] += 1
    return False


@kernel
def remember_play(plays, ply, move):
    """Make `move` and the play expected after it the one expected at `ply`."""
    to, source = ply * U(PLIES), (ply + ONE) * U(PLIES)
    plays[to] = move
    while plays[source] != 0:
        to += ONE
        plays[to] = plays[source]
        source += ONE
    plays[to + ONE] = 0


@kernel
def settles(entry, ply, depth, alpha, beta):
    """Does a table entry tell all that is asked: deep enough, and on which side of `alpha` and `beta` the value is?"""
    if entry == ZERO or depth_of(entry) < depth:
        return False
    value, bound = value_of(entry, ply), bound_of(entry)
    return bound == EXACT or (bound == LOWER and value >= beta) or (bound == UPPER and value <= alpha)


@kernel
def reduction(depth, number, promising):
    """By how many plies the quiet move of that `number`, from 1 on, is searched less deep than `depth`."""
    less = REDUCTION[U((min(depth, 63) << 6) | min(number, 63))] - np.int64(promising)
    return max(np.int64(0), min(less, depth - 2))
