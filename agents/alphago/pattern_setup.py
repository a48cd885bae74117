"""Pattern boards made of Go states, and what a state's recent boards tell of its last moves."""

from sakiyomi.agents.alphago.pattern_board import (
    CHAINS,
    CLASSES,
    FOLLOWING,
    LEAST_NAKADE,
    LIBERTIES,
    MOST_NAKADE,
    RINGS,
    SHIFTS,
    SIZES,
    SPOTS,
    TAKEN,
    U,
    chain_at,
    different,
)
from sakiyomi.agents.alphago.patterns import OFF, STONE
from sakiyomi.boards.go import state
from sakiyomi.boards.go.chains import ONE, THREE, TWO, ZERO
from sakiyomi.boards.go.state import COLOUR, HEAD, KO, LAST, PLY, RECENT, TURN, WALL
from sakiyomi.boards.kernel import kernel


@kernel
def set_up(m, w, b, S, P):
    """Make the board that the words `w` of a Go state at offset `b` hold. Returns side to move, ko and last move."""
    for i in range(P):
        p = U(i)
        colour = U(w[b + HEAD + COLOUR * P + p])
        m[CLASSES * P + p] = OFF if colour == WALL else ZERO
        m[CHAINS * P + p] = w[b + HEAD + state.CHAIN * P + p]
        m[FOLLOWING * P + p] = w[b + HEAD + state.NEXT * P + p]
        m[LIBERTIES * P + p] = m[SPOTS * P + p] = m[SIZES * P + p] = m[RINGS * P + p] = ZERO
    for i in range(S + ONE, P - S - ONE):
        p = U(i)
        colour = U(w[b + HEAD + COLOUR * P + p])
        if colour == ZERO:
            h1, h2, h3, h4 = different(m, S, P, p)
            for k in range(4):
                h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
                m[LIBERTIES * P + h] += ONE
                m[SPOTS * P + h] ^= p
        elif colour != WALL:
            m[SIZES * P + chain_at(m, P, p)] += ONE
    for i in range(S + ONE, P - S - ONE):
        p = U(i)
        colour = U(w[b + HEAD + COLOUR * P + p])
        if colour != ZERO and colour != WALL:
            liberties = min(U(m[LIBERTIES * P + chain_at(m, P, p)]), THREE)
            m[CLASSES * P + p] = liberties | ((colour - ONE) << TWO)
    for i in range(S + ONE, P - S - ONE):
        c = CLASSES * P + U(i)
        ring = U(m[c - S]) | U(m[c - S + ONE]) << SHIFTS[1] | U(m[c + ONE]) << SHIFTS[2]
        ring |= U(m[c + S + ONE]) << SHIFTS[3] | U(m[c + S]) << SHIFTS[4] | U(m[c + S - ONE]) << SHIFTS[5]
        m[RINGS * P + U(i)] = ring | U(m[c - ONE]) << SHIFTS[6] | U(m[c - S - ONE]) << SHIFTS[7]
    return U(w[b + TURN]) << TWO, U(w[b + KO]), U(w[b + LAST])


@kernel
def taken_before(m, b8, recent, w, b, S, P, width, height):
    """The stones of the player to move that the last move took, into TAKEN: how many if one chain of 3 to 6, else 0.

    They are on the board before that move, in the ring of recent boards at byte `recent`, and are not now.
    """
    ply, own = U(w[b + PLY]), U(w[b + TURN]) + ONE
    if ply == ZERO:
        return ZERO
    before = recent + ((ply - ONE) % U(RECENT)) * width * height
    taken = ZERO
    for y in range(height):
        for x in range(width):
            p = (U(y) + ONE) * S + U(x) + ONE
            if U(b8[before + U(y) * width + U(x)]) == own and U(m[CLASSES * P + p]) & STONE == ZERO:
                if taken == MOST_NAKADE:
                    return ZERO
                m[TAKEN * P + taken] = p
                taken += ONE
    return taken if taken >= LEAST_NAKADE and in_one_piece(m, S, P, taken) else ZERO


@kernel
def in_one_piece(m, S, P, count):
    """Are the points in TAKEN, few of them, connected? They are put in the order of a search from the first."""
    reached = ONE
    for i in range(count):
        if U(i) >= reached:
            return False
        p = U(m[TAKEN * P + U(i)])
        for j in range(reached, count):
            q = U(m[TAKEN * P + U(j)])
            if q == p + ONE or q == p - ONE or q == p + S or q == p - S:
                m[TAKEN * P + U(j)] = m[TAKEN * P + reached]
                m[TAKEN * P + reached] = q
                reached += ONE
    return True


@kernel
def placed_before(b8, recent, w, b, width, height):
    """The padded point of the own stone that the player to move put on the board two plies ago; 0 if unknown."""
    ply, own = U(w[b + PLY]), U(w[b + TURN]) + ONE
    if ply < TWO:
        return ZERO
    after = recent + ((ply - ONE) % U(RECENT)) * width * height
    before = recent + ((ply - TWO) % U(RECENT)) * width * height
    for y in range(height):
        for x in range(width):
            a = U(y) * width + U(x)
            if U(b8[after + a]) == own and U(b8[before + a]) != own:
                return (U(y) + ONE) * (width + ONE) + U(x) + ONE
    return ZERO
