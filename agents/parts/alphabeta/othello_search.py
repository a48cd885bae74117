"""Depth-limited alpha-beta for Othello, either size.

Values are for the player to move: after the end of the game FINAL times the lead in discs; at the horizon what the
classic programs weigh (P. Rosenbloom, "A world-championship-level Othello program", 1982: corners, mobility), own
less the opponent's: 32 a corner, -12 a disc diagonally next to an empty corner, 4 a move, and 1 a disc less beside an
empty square (a frontier disc gives the opponent moves). A pass costs no depth.
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U, bit, lsb, popcount, without_lsb
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.othello_rules import board_of, flips, lead, moves, square

FINAL = 1000
INFINITE = 100 * FINAL
_NOT_LEFT, _NOT_RIGHT = U(0xFEFEFEFEFEFEFEFE), U(0x7F7F7F7F7F7F7F7F)


@kernel
def _count(squares):
    return np.int64(popcount(squares))


@kernel
def corners_of(size):
    """The four corner squares."""
    last = U(size) - ONE
    top = ONE | bit(last)
    return top | (top << (U(8) * last))


@kernel
def around(squares):
    """The squares next to `squares` in the eight directions, off the smaller board too, and `squares` themselves."""
    wide = squares | ((squares << 1) & _NOT_LEFT) | ((squares >> 1) & _NOT_RIGHT)
    return wide | (wide << 8) | (wide >> 8)


@kernel
def diagonal_neighbours(squares):
    """The squares that touch `squares` at a corner."""
    aside = ((squares << 1) & _NOT_LEFT) | ((squares >> 1) & _NOT_RIGHT)
    return (aside << 8) | (aside >> 8)


@kernel
def evaluate(own, other, board, corners):
    """The value at the horizon for the player of `own`."""
    empty = board & ~(own | other)
    risky = diagonal_neighbours(corners & empty)
    frontier = around(empty)
    return (
        32 * (_count(own & corners) - _count(other & corners))
        - 12 * (_count(own & risky) - _count(other & risky))
        + 4 * (_count(moves(own, other, board)) - _count(moves(other, own, board)))
        - (_count(own & frontier) - _count(other & frontier))
    )


@kernel
def value(own, other, board, corners, depth, alpha, beta, nodes):
    """The value of looking `depth` plies ahead if it lies between `alpha` and `beta`; ``nodes[0]`` counts positions."""
    nodes[0] += 1
    places = moves(own, other, board)
    if places == ZERO:
        if moves(other, own, board) == ZERO:
            return FINAL * lead(own, other)
        return -value(other, own, board, corners, depth, -beta, -alpha, nodes)
    if depth <= 0:
        return evaluate(own, other, board, corners)
    for preferred in range(3):  # corners first, what gives a corner away last
        group = places & corners
        if preferred == 1:
            group = places & ~corners & ~diagonal_neighbours(corners)
        elif preferred == 2:
            group = places & diagonal_neighbours(corners)
        while group != ZERO:
            place = ONE << lsb(group)
            group = without_lsb(group)
            changed = flips(place, own, other)
            found = -value(other ^ changed, own | place | changed, board, corners, depth - 1, -beta, -alpha, nodes)
            if found >= beta:
                return found
            alpha = max(alpha, found)
    return alpha


@kernel
def best_action(own, other, size, depth, actions, nodes):
    """The best of `actions` (int64, legal, no pass) looking `depth` plies ahead, the first of equals, and its value."""
    best, alpha = actions[0], -INFINITE
    nodes = borrow(nodes)
    board, corners = board_of(size), corners_of(size)
    for i in range(len(actions)):
        place = bit(square(actions[i], size))
        changed = flips(place, own, other)
        found = -value(other ^ changed, own | place | changed, board, corners, depth - 1, -INFINITE, -alpha, nodes)
        if found > alpha:
            best, alpha = actions[i], found
    return best, alpha
