"""Chains as bit sets: their stones, what they touch, their liberties, and what a move would make of them.

The rules keep pseudo-liberties, which tell only whether a chain has any. Here a set of padded points is a row of
64-bit words, with p at bit ``p % 64`` of word ``p // 64``, and sets of chains come from unions:

    reach of a chain     = all points beside its stones, walls and stones of any colour among them
    liberties of a chain = its reach, where it is vacant
    after a move at p    = (reach of the own chains beside p, and what is beside p),
                           where it is vacant or a taken stone stood, less p itself

so what a move makes of the liberties is exact, captures and joins included, and no stone is put on a board for it.
Kernels take the flat words `w`, the offset `b` of a row, the stride `S` and the array length `P` as those of
`boards/go/chains.py` do.
"""

from typing import Any, NamedTuple

import numpy as np

from sakiyomi.boards.bits import popcount
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.chains import EIGHT, ONE, THREE, ZERO
from sakiyomi.boards.go.state import AROUND, CHAIN, COLOUR, EMPTIES, HEAD, NEXT, VACANT, U
from sakiyomi.boards.kernel import inlined, kernel

_SIX, _LOW = U(6), U(63)


class Chains(NamedTuple):
    """The chains of one position, by their heads (padded points); row 0 of the sets stays empty."""

    heads: Any  # uint16 [P], the heads of all chains, as many as `scan` says
    size: Any  # uint16 [P], stones of the chain
    liberties: Any  # uint16 [P]
    stones: Any  # uint64 [P, words]
    reach: Any  # uint64 [P, words]
    beside: Any  # uint64 [P, words], of every point: the set of its four neighbours
    vacant: Any  # uint64 [words], the empty points


@kernel
def new_chains(S, P):
    """Room for the chains of a position, to be filled by `scan` again and again."""
    words = (P + _LOW) >> _SIX
    stones = np.zeros((P, words), np.uint64)
    reach = np.zeros((P, words), np.uint64)
    beside = np.zeros((P, words), np.uint64)
    for p in range(S + ONE, P - S - ONE):
        for n in (U(p) - ONE, U(p) + ONE, U(p) - S, U(p) + S):
            beside[U(p), n >> _SIX] |= ONE << (n & _LOW)
    vacant = np.zeros(words, np.uint64)
    return Chains(np.zeros(P, np.uint16), np.zeros(P, np.uint16), np.zeros(P, np.uint16), stones, reach, beside, vacant)


@inlined
def borrowed_chains(chains):
    """The same room without reference counts; whoever made it must outlive the use."""
    return Chains(
        borrow(chains.heads),
        borrow(chains.size),
        borrow(chains.liberties),
        borrow(chains.stones),
        borrow(chains.reach),
        borrow(chains.beside),
        borrow(chains.vacant),
    )


@kernel
def scan(w, b, S, P, chains):
    """Fill `chains` with those of row b; returns how many there are."""
    heads, size, liberties, stones, reach, beside, vacant = chains
    words = U(vacant.shape[0])
    for k in range(words):
        vacant[U(k)] = ZERO
    empties = b + HEAD + VACANT * P
    for j in range(U(w[b + EMPTIES])):
        p = U(w[empties + U(j)])
        vacant[p >> _SIX] |= ONE << (p & _LOW)
    chain = b + HEAD + CHAIN * P
    following = b + HEAD + NEXT * P
    count = ZERO
    for i in range(S + ONE, P - S - ONE):
        head = U(i)
        if U(w[chain + head]) != head:
            continue
        heads[count] = head
        count += ONE
        for k in range(words):
            stones[head, U(k)] = ZERO
            reach[head, U(k)] = ZERO
        stones_in_it = ZERO
        s = head
        while True:
            stones_in_it += ONE
            stones[head, s >> _SIX] |= ONE << (s & _LOW)
            for k in range(words):
                reach[head, U(k)] |= beside[s, U(k)]
            s = U(w[following + s])
            if s == head:
                break
        size[head] = stones_in_it
        free = ZERO
        for k in range(words):
            free += popcount(reach[head, U(k)] & vacant[U(k)])
        liberties[head] = free
    return count


@kernel
def after_move(w, b, S, P, p, c, chains):
    """What a stone of c on the empty point p makes: stones taken, size of its chain, liberties of its chain.

    The liberties of a suicide are 0. Whether the move is legal is not asked.
    """
    _, size, liberties, stones, reach, beside, vacant = chains
    chain = b + HEAD + CHAIN * P + p
    colour = b + HEAD + COLOUR * P
    own1, own2, own3, own4 = ZERO, ZERO, ZERO, ZERO  # heads of own chains beside p; 0, the empty set, otherwise
    dead1, dead2, dead3, dead4 = ZERO, ZERO, ZERO, ZERO  # of chains that lose their last liberty
    taken, joined = ZERO, ONE
    h1 = U(w[chain - ONE])
    h2 = U(w[chain + ONE])
    h3 = U(w[chain - S])
    h4 = U(w[chain + S])
    if h1 != ZERO:
        if U(w[colour + h1]) == c:
            own1 = h1
            joined += U(size[h1])
        elif U(liberties[h1]) == ONE:
            dead1 = h1
            taken += U(size[h1])
    if h2 != ZERO and h2 != h1:
        if U(w[colour + h2]) == c:
            own2 = h2
            joined += U(size[h2])
        elif U(liberties[h2]) == ONE:
            dead2 = h2
            taken += U(size[h2])
    if h3 != ZERO and h3 != h1 and h3 != h2:
        if U(w[colour + h3]) == c:
            own3 = h3
            joined += U(size[h3])
        elif U(liberties[h3]) == ONE:
            dead3 = h3
            taken += U(size[h3])
    if h4 != ZERO and h4 != h1 and h4 != h2 and h4 != h3:
        if U(w[colour + h4]) == c:
            own4 = h4
            joined += U(size[h4])
        elif U(liberties[h4]) == ONE:
            dead4 = h4
            taken += U(size[h4])
    if joined == ONE and taken == ZERO:
        return ZERO, ONE, U(w[b + HEAD + AROUND * P + p]) >> EIGHT
    free = ZERO
    for i in range(U(vacant.shape[0])):
        k = U(i)
        touched = beside[p, k] | reach[own1, k] | reach[own2, k] | reach[own3, k] | reach[own4, k]
        room = vacant[k]
        if taken != ZERO:
            room |= stones[dead1, k] | stones[dead2, k] | stones[dead3, k] | stones[dead4, k]
        free += popcount(touched & room)
    return taken, joined, free - U(joined != ONE)  # own chains beside p reach p, which is filled now


@kernel
def two_liberties(w, b, S, P, stone):
    """How many liberties the chain of a stone has, 3 for more, and the first two (0 where there is none).

    From the board alone, for positions that change with each stone of a reading.
    """
    colour = b + HEAD + COLOUR * P
    around = b + HEAD + AROUND * P
    following = b + HEAD + NEXT * P
    first, second = ZERO, ZERO
    s = stone
    while True:
        if U(w[around + s]) >> EIGHT != ZERO:
            for n in (s - ONE, s + ONE, s - S, s + S):
                if U(w[colour + n]) == ZERO and n != first and n != second:
                    if first == ZERO:
                        first = n
                    elif second == ZERO:
                        second = n
                    else:
                        return THREE, first, second
        s = U(w[following + s])
        if s == stone:
            break
    return U(first != ZERO) + U(second != ZERO), first, second
