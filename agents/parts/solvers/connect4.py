"""Exact search of Connect Four: alpha-beta over bitboards with a transposition table.

The game was solved in 1988 (James D. Allen; Victor Allis, "A Knowledge-based Approach of Connect-Four": the first
player wins from the middle column). The search follows the techniques that later solvers agree on (John Tromp's
Fhourstones; Pascal Pons, "Solving Connect 4: how to build a perfect AI"): only moves that do not lose at once are
tried, those that make most threats first, then from the middle outwards; the window is narrowed step by step.

Scores count from the end: a player who wins with the n-th of his own discs scores 22 - n, so 1 is a win with the last
disc and a higher score an earlier win; 0 is a draw, and a loss is the winner's score negated.
"""

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.bits import ONE, ZERO, U, popcount
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.connect4_rules import BOARD, BOTTOM, COLUMN, landings, threats
from sakiyomi.boards.kernel import kernel

WON = 64  # a stored number is a bound plus 32, plus this if it is a lower bound
MIRRORED_UNTIL = 16  # discs on the board; later hardly any position meets its mirror image in one search
_BOUND = U(0xFF)
_RANK = U(57)  # where an entry's uppermost field begins: discs to come; below it the key, 49 bits, and the bound, 8
_COLUMN = U(0x7F)
_HASH = U(0x9E3779B97F4A7C15)
_CENTRE_FIRST = np.array([3, 2, 4, 1, 5, 0, 6], np.uint64)


def new_table(log_entries: int = 23) -> NDArray[np.uint64]:
    """An empty transposition table of ``2**log_entries`` words, to be kept from search to search.

    What it holds is true in every game. Entries come in pairs: the first is kept while it stands for the larger
    search, the second is overwritten (D. Breuker et al., "Replacement schemes for transposition tables", 1994).
    """
    return np.zeros(1 << log_entries, np.uint64)


def score_of_win(discs: int) -> int:
    """What it is worth to complete four with the next disc when `discs` lie on the board."""
    return (43 - discs) // 2


@kernel
def wins_at_once(own, occupied):
    """Can the player of `own` complete four with the next disc?"""
    return threats(own, occupied) & landings(occupied) != ZERO


@kernel
def safe_moves(own, occupied):
    """The landing squares that do not let the opponent win with the very next disc; empty if there is none."""
    places = landings(occupied)
    danger = threats(own ^ occupied, occupied)
    forced = places & danger
    if forced != ZERO:
        if forced & (forced - ONE) != ZERO:
            return ZERO
        places = forced
    return places & ~(danger >> 1)


@kernel
def position_key(own, occupied, discs):
    """A number that belongs to this position and, while few discs are on the board, to its mirror image."""
    key = own + occupied + BOTTOM
    if discs >= MIRRORED_UNTIL:
        return key
    right = ((key & (_COLUMN << 14)) << 14) | ((key & (_COLUMN << 7)) << 28) | ((key & _COLUMN) << 42)
    left = ((key >> 14) & (_COLUMN << 14)) | ((key >> 28) & (_COLUMN << 7)) | (key >> 42)
    return min(key, left | (key & (_COLUMN << 21)) | right)


@kernel
def _pair(key, table):
    return ((key * _HASH) >> 16) & U(len(table) - 2)


@kernel
def _key_of(entry):
    return (entry << (U(64) - _RANK)) >> (U(72) - _RANK)


@kernel
def look_up(table, key):
    """The stored number for `key`, 0 if there is none (int64)."""
    slot = _pair(key, table)
    if _key_of(table[slot]) != key:
        slot |= ONE
    return np.int64(table[slot] & _BOUND) if _key_of(table[slot]) == key else 0


@kernel
def store(table, key, discs, number):
    """Keep `number` for `key`."""
    slot, rank = _pair(key, table), U(42 - discs)
    if table[slot] >> _RANK > rank and _key_of(table[slot]) != key:
        slot |= ONE
    table[slot] = (rank << _RANK) | (key << 8) | U(number)


@kernel
def sort_moves(own, occupied, places, order):
    """Put the single squares of `places` into `order` (uint64 [7]), those that make most threats first; their number.

    The number of threats stands above each square, from bit 56 on.
    """
    count = 0
    for i in range(7):
        move = places & (COLUMN << (U(7) * _CENTRE_FIRST[i]))
        if move == ZERO:
            continue
        weight = popcount(threats(own | move, occupied | move))
        at = count
        while at > 0 and order[at - 1] >> 56 < weight:
            order[at] = order[at - 1]
            at -= 1
        order[at] = (weight << 56) | move
        count += 1
    return count


@kernel
def negamax(own, occupied, discs, alpha, beta, table, nodes, stack):
    """The score for `own` to move if it lies between `alpha` and `beta`, else a bound on that side.

    `discs` lie on the board; the mover cannot win at once. ``nodes[0]`` counts positions; once it has reached
    ``nodes[1]`` the search is given up and what it returns means nothing. `stack` uint64 [43, 7] has a row for the
    moves after each number of discs.
    """
    nodes[0] += 1
    places = safe_moves(own, occupied)
    if places == ZERO:
        return -((42 - discs) // 2)
    if discs >= 40 or nodes[0] >= nodes[1]:
        return 0
    least, most = -((40 - discs) // 2), (41 - discs) // 2
    key = position_key(own, occupied, discs)
    number = look_up(table, key)
    if number >= WON:
        least = max(least, number - WON - 32)
    elif number > 0:
        most = min(most, number - 32)
    alpha, beta = max(alpha, least), min(beta, most)
    if alpha >= beta:
        return alpha if least >= beta else beta
    order = stack[discs]
    for i in range(sort_moves(own, occupied, places, order)):
        move = order[i] & BOARD
        score = -negamax(own ^ occupied, occupied | move, discs + 1, -beta, -alpha, table, nodes, stack)
        if nodes[0] >= nodes[1]:
            return 0
        if score >= beta:
            store(table, key, discs, score + 32 + WON)
            return score
        alpha = max(alpha, score)
    store(table, key, discs, alpha + 32)
    return alpha


@kernel
def solve(own, occupied, low, high, table, nodes):
    """The score for `own` to move, searched between `low` and `high` by narrowing the window about 0.

    `nodes` int64 [2]: positions searched, to be 0, and how many may be: with that many the answer means nothing.
    """
    discs = np.int64(popcount(occupied))
    if wins_at_once(own, occupied):
        return (43 - discs) // 2
    if occupied == BOARD:
        return 0
    memory = np.empty((43, 7), np.uint64)
    table, nodes, stack = borrow(table), borrow(nodes), borrow(memory)
    low, high = max(low, -((42 - discs) // 2)), min(high, (41 - discs) // 2)
    while low < high and nodes[0] < nodes[1]:
        middle = low + (high - low) // 2
        if middle <= 0 and low // 2 < middle:
            middle = low // 2
        elif middle >= 0 and high // 2 > middle:
            middle = high // 2
        score = negamax(own, occupied, discs, middle, middle + 1, table, nodes, stack)
        if score <= middle:
            high = score
        else:
            low = score
    memory[0, 0] = ZERO  # a last use, which keeps the memory until here
    return low
