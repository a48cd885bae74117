"""Depth-limited alpha-beta for Connect Four, with threats as the evaluation.

Values are for the player to move: a win within the horizon is WIN plus the plies left to look ahead, so that sooner is
better; at the horizon three times the open threats (empty squares that would complete four, Allis 1988, chapter 3)
plus the discs in the middle column, own less the opponent's.
"""

import numpy as np

from sakiyomi.boards.bits import ZERO, U, popcount
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.connect4_rules import COLUMN, landings, threats
from sakiyomi.boards.kernel import kernel

WIN = 1000
_MIDDLE = COLUMN << U(21)
_CENTRE_FIRST = np.array([3, 2, 4, 1, 5, 0, 6], np.uint64)


@kernel
def _count(squares):
    return np.int64(popcount(squares))


@kernel
def evaluate(own, occupied):
    """The value at the horizon for the player of `own`."""
    other = own ^ occupied
    open_threats = _count(threats(own, occupied)) - _count(threats(other, occupied))
    return 3 * open_threats + _count(own & _MIDDLE) - _count(other & _MIDDLE)


@kernel
def value(own, occupied, depth, alpha, beta, nodes):
    """The value of looking `depth` plies ahead if it lies between `alpha` and `beta`; ``nodes[0]`` counts positions."""
    nodes[0] += 1
    places = landings(occupied)
    if places == ZERO:
        return 0
    if threats(own, occupied) & places != ZERO:
        return WIN + depth
    if depth == 0:
        return evaluate(own, occupied)
    for i in range(7):
        move = places & (COLUMN << (U(7) * _CENTRE_FIRST[i]))
        if move != ZERO:
            found = -value(own ^ occupied, occupied | move, depth - 1, -beta, -alpha, nodes)
            if found >= beta:
                return found
            alpha = max(alpha, found)
    return alpha


@kernel
def best_action(own, occupied, depth, columns, nodes):
    """The best of `columns` (int64, all playable) looking `depth` plies ahead, the first of equals, and its value."""
    best, alpha = columns[0], -2 * WIN
    nodes = borrow(nodes)
    for i in range(len(columns)):
        move = landings(occupied) & (COLUMN << (U(7) * U(columns[i])))
        if threats(own, occupied) & move != ZERO:
            return columns[i], WIN + depth
        found = -value(own ^ occupied, occupied | move, depth - 1, -2 * WIN, -alpha, nodes)
        if found > alpha:
            best, alpha = columns[i], found
    return best, alpha
