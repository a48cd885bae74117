"""Stones, chains and liberties: placing a stone and taking chains off the board, one row of words at a time.

Every kernel takes the flat words `w`, the offset `b` of its row, the stride `S` and the array length `P` (see
`state.py`), all uint64. Liberties are pseudo-liberties: zero exactly when the real ones are, and kept by adding and
subtracting one per neighbour, whatever the chain's shape.
"""

import numpy as np

from sakiyomi.boards.go.state import (
    AROUND,
    BLACK_UNIT,
    CHAIN,
    COLOUR,
    EMPTIES,
    EMPTY,
    EMPTY_UNIT,
    HEAD,
    KO,
    LIBERTIES,
    NEXT,
    PLACE,
    TAKEN_BLACK,
    VACANT,
    WALL,
    WHITE_UNIT,
    U,
)
from sakiyomi.boards.kernel import kernel

ZERO, ONE, TWO, THREE, FOUR, EIGHT, FIFTEEN = U(0), U(1), U(2), U(3), U(4), U(8), U(15)
PLENTY = U(1000)  # liberties of the dummy chain of walls and empty points, which never runs out
UNIT = np.array([0, BLACK_UNIT, WHITE_UNIT, 0], np.uint64)  # what a stone adds to AROUND of its neighbours
UNIT.setflags(write=False)


@kernel
def own_count(around, c):
    """Neighbours of colour c or wall, from a word of AROUND."""
    return (around >> ((c - ONE) * FOUR)) & FIFTEEN


@kernel
def is_eye(w, b, S, P, p, c):
    """Is the empty point p a single-point eye of c: c or wall all around, and at most one diagonal lost?

    At the edge no diagonal may be lost. The usual rule of playouts: eyes so shaped are not filled.
    """
    if own_count(U(w[b + HEAD + AROUND * P + p]), c) != FOUR:
        return False
    colour = b + HEAD + COLOUR * P
    enemy = c ^ THREE
    nw = U(w[colour + p - S - ONE])
    ne = U(w[colour + p - S + ONE])
    sw = U(w[colour + p + S - ONE])
    se = U(w[colour + p + S + ONE])
    lost = U(nw == enemy) + U(ne == enemy) + U(sw == enemy) + U(se == enemy)
    edge = (nw == WALL) | (ne == WALL) | (sw == WALL) | (se == WALL)
    return lost + U(edge) < TWO


@kernel
def has_breath(w, b, S, P, p, c):
    """Would a stone of c on the empty point p, without an empty neighbour, live: by joining or by capturing?

    Takes one liberty from each neighbour, looks, and gives it back: an own chain must keep one, or an enemy chain
    must lose its last.
    """
    colour = b + HEAD + COLOUR * P + p
    chain = b + HEAD + CHAIN * P + p
    liberties = b + HEAD + LIBERTIES * P
    l1 = liberties + U(w[chain - ONE])
    l2 = liberties + U(w[chain + ONE])
    l3 = liberties + U(w[chain - S])
    l4 = liberties + U(w[chain + S])
    w[l1] -= ONE
    w[l2] -= ONE
    w[l3] -= ONE
    w[l4] -= ONE
    # A neighbour breathes for us when it is ours and has liberties left, or is the enemy's and has none.
    ok = (
        ((U(w[colour - ONE]) == c) == (U(w[l1]) != ZERO)) & (U(w[colour - ONE]) != WALL)
        | ((U(w[colour + ONE]) == c) == (U(w[l2]) != ZERO)) & (U(w[colour + ONE]) != WALL)
        | ((U(w[colour - S]) == c) == (U(w[l3]) != ZERO)) & (U(w[colour - S]) != WALL)
        | ((U(w[colour + S]) == c) == (U(w[l4]) != ZERO)) & (U(w[colour + S]) != WALL)
    )
    w[l1] += ONE
    w[l2] += ONE
    w[l3] += ONE
    w[l4] += ONE
    return ok


@kernel
def take(w, b, S, P, head):
    """Take the chain of `head` off the board; returns how many stones it had."""
    colour = b + HEAD + COLOUR * P
    chain = b + HEAD + CHAIN * P
    following = b + HEAD + NEXT * P
    liberties = b + HEAD + LIBERTIES * P
    vacant = b + HEAD + VACANT * P
    place = b + HEAD + PLACE * P
    around = b + HEAD + AROUND * P
    change = EMPTY_UNIT - UNIT[U(w[colour + head])]
    count = U(w[b + EMPTIES])
    first = count
    s = head
    while True:
        w[colour + s] = EMPTY
        w[chain + s] = ZERO
        w[vacant + count] = s
        w[place + s] = count
        count += ONE
        w[around + s - ONE] += change
        w[around + s + ONE] += change
        w[around + s - S] += change
        w[around + s + S] += change
        # Stones of the same chain gain pseudo-liberties of a head that is gone: harmless, a new head sets them anew.
        w[liberties + U(w[chain + s - ONE])] += ONE
        w[liberties + U(w[chain + s + ONE])] += ONE
        w[liberties + U(w[chain + s - S])] += ONE
        w[liberties + U(w[chain + s + S])] += ONE
        s = U(w[following + s])
        if s == head:
            break
    w[b + EMPTIES] = count
    w[liberties] = PLENTY
    return count - first


@kernel
def join(w, b, P, head, other, mask):
    """Merge the chain that `other` was the head of into the chain of `head`; nothing if `mask` is 0 or it is merged."""
    chain = b + HEAD + CHAIN * P
    if mask == ZERO or U(w[chain + other]) == head:
        return
    following = b + HEAD + NEXT * P
    liberties = b + HEAD + LIBERTIES * P
    w[liberties + head] += w[liberties + other]
    s = other
    while True:
        w[chain + s] = head
        s = U(w[following + s])
        if s == other:
            break
    link = w[following + head]
    w[following + head] = w[following + other]
    w[following + other] = link


@kernel
def place(w, b, S, P, p, c):
    """Put a stone of c on the empty point p, take what it captures (its own chain last), and set KO.

    KO becomes the point that may not be retaken at once, or 0. Turn, ply and keys are the caller's business.
    """
    colour = b + HEAD + COLOUR * P
    chain = b + HEAD + CHAIN * P
    following = b + HEAD + NEXT * P
    liberties = b + HEAD + LIBERTIES * P
    vacant = b + HEAD + VACANT * P
    index = b + HEAD + PLACE * P
    around = b + HEAD + AROUND * P

    # p leaves the list of empty points; the last one takes its place.
    count = U(w[b + EMPTIES]) - ONE
    w[b + EMPTIES] = count
    at = U(w[index + p])
    moved = w[vacant + count]
    w[vacant + at] = moved
    w[index + U(moved)] = at

    before = U(w[around + p])
    change = UNIT[c] - EMPTY_UNIT
    w[colour + p] = c
    w[around + p - ONE] += change
    w[around + p + ONE] += change
    w[around + p - S] += change
    w[around + p + S] += change

    h1 = U(w[chain + p - ONE])
    h2 = U(w[chain + p + ONE])
    h3 = U(w[chain + p - S])
    h4 = U(w[chain + p + S])
    w[liberties + h1] -= ONE
    w[liberties + h2] -= ONE
    w[liberties + h3] -= ONE
    w[liberties + h4] -= ONE
    w[liberties] = PLENTY

    # The stone joins one friendly chain, or is one of its own. Masks instead of branches, which random play would
    # mispredict: mine is all ones for a friend.
    mine1 = ZERO - U(U(w[colour + p - ONE]) == c)
    mine2 = ZERO - U(U(w[colour + p + ONE]) == c)
    mine3 = ZERO - U(U(w[colour + p - S]) == c)
    mine4 = ZERO - U(U(w[colour + p + S]) == c)
    head = p ^ ((p ^ h4) & mine4)
    head = head ^ ((head ^ h3) & mine3)
    head = head ^ ((head ^ h2) & mine2)
    head = head ^ ((head ^ h1) & mine1)
    w[following + p] = p
    w[liberties + p] = ZERO
    link = w[following + head]
    w[following + head] = p
    w[following + p] = link
    w[chain + p] = head
    w[liberties + head] += before >> EIGHT
    if ((h2 ^ head) & mine2) | ((h3 ^ head) & mine3) | ((h4 ^ head) & mine4) != ZERO:
        join(w, b, P, head, h2, mine2)
        join(w, b, P, head, h3, mine3)
        join(w, b, P, head, h4, mine4)

    w[b + KO] = ZERO
    l1 = U(w[liberties + h1])
    l2 = U(w[liberties + h2])
    l3 = U(w[liberties + h3])
    l4 = U(w[liberties + h4])
    if l1 == ZERO or l2 == ZERO or l3 == ZERO or l4 == ZERO or U(w[liberties + head]) == ZERO:
        capture(w, b, S, P, p, c, head, own_count(before, c ^ THREE) == FOUR)


@kernel
def capture(w, b, S, P, p, c, head, surrounded):
    """Take the chains beside the new stone p that have no liberties: the enemy's, else its own; set KO.

    `surrounded`: only enemies and walls were around p, so a single stone taken by a single stone is a ko.
    """
    colour = b + HEAD + COLOUR * P
    chain = b + HEAD + CHAIN * P + p
    liberties = b + HEAD + LIBERTIES * P
    enemy = c ^ THREE
    taken = ZERO
    last = ZERO
    for k in range(4):
        h = U(w[chain - ONE] if k == 0 else w[chain + ONE] if k == 1 else w[chain - S] if k == 2 else w[chain + S])
        if U(w[colour + h]) == enemy and U(w[liberties + h]) == ZERO:
            taken += take(w, b, S, P, h)
            last = h
    if taken != ZERO:
        w[b + TAKEN_BLACK + c - ONE] += taken
        if taken == ONE and surrounded:
            w[b + KO] = last
    elif U(w[liberties + head]) == ZERO:
        w[b + TAKEN_BLACK + enemy - ONE] += take(w, b, S, P, head)
