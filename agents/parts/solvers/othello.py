"""Exact search of Othello endgames: the lead in discs under best play by both sides.

Alpha-beta with the fastest-first heuristic: the move that leaves the opponent the fewest replies is tried first, which
keeps the tree small and often ends it by passes (as in the endgame searches of Logistello and its successors; M. Buro,
"Experiments with Multi-ProbCut and a new high-quality evaluation function for Othello", 1997). Empty squares at the end
count for nobody here; the sign is that of the game's result.
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U, lsb, popcount, without_lsb
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.othello_rules import board_of, flips, lead, moves

MOST = 64  # no lead is greater
SORTED = 5  # empty squares from which on sorting the moves pays
_INDEX = U(63)


@kernel
def solve(own, other, size, low, high, nodes):
    """The lead for `own` to move if it lies between `low` and `high`, else a bound on that side.

    `nodes` int64 [2]: positions searched, to be 0, and how many may be: with that many the answer means nothing.
    """
    memory = np.empty((64, 32), np.uint64)
    found = negamax(own, other, board_of(size), low, high, borrow(nodes), borrow(memory))
    memory[0, 0] = ZERO  # a last use, which keeps the memory until here
    return found


@kernel
def negamax(own, other, board, alpha, beta, nodes, stack):
    """`solve` from one position on; `stack` uint64 [64, 32] has a row for the moves of each number of empty squares.

    (One function that calls itself: two that call each other crash when they come from Numba's cache.)
    """
    nodes[0] += 1
    places = moves(own, other, board)
    if places == ZERO:
        if moves(other, own, board) == ZERO:
            return lead(own, other)
        return -negamax(other, own, board, -beta, -alpha, nodes, stack)
    if nodes[0] >= nodes[1]:
        return 0
    empties = popcount(board & ~(own | other))
    order = stack[empties]
    count = 0
    while places != ZERO:
        index = lsb(places)
        places = without_lsb(places)
        entry = index
        if empties >= U(SORTED):
            changed = flips(ONE << index, own, other)
            entry |= popcount(moves(other ^ changed, own | (ONE << index) | changed, board)) << 8
        at = count
        while at > 0 and order[at - 1] > entry:
            order[at] = order[at - 1]
            at -= 1
        order[at] = entry
        count += 1
    best = -MOST - 1
    for i in range(count):
        place = ONE << (order[i] & _INDEX)
        changed = flips(place, own, other)
        found = -negamax(other ^ changed, own | place | changed, board, -beta, -max(alpha, best), nodes, stack)
        best = max(best, found)
        if best >= beta:
            break
    return best
