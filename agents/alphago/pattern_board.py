"""A Go board that keeps, move by move, the liberties of every chain and the pattern around every point.

It is 32-bit words in one array `m`: array k, P long, begins at k * P; points are padded as in `boards/go/state.py`,
with stride S. A stone's class (`patterns.py`) tells its colour and its chain's liberties up to three, so whatever
changes a class changes the rings of eight points, each by one exclusive or:

    RINGS[q] = classes of the eight neighbours of q, three bits each, from Black's side

Liberties are exact. An empty point is new to a chain if none of its neighbours belongs to it, so chains are joined
stone by stone without sets; SPOTS is the exclusive or of a chain's liberties, hence the last one when one is left.
"""

import numpy as np

from sakiyomi.boards.go.chains import ONE, THREE, TWO, ZERO
from sakiyomi.boards.kernel import kernel

U = np.uint64
CLASSES = U(0)  # of every point
CHAINS = U(1)  # head of the chain a stone belongs to, 0 elsewhere
FOLLOWING = U(2)  # next stone of the chain, in a ring
LIBERTIES = U(3)  # of a head
SPOTS = U(4)  # of a head
SIZES = U(5)  # of a head: stones
RINGS = U(6)  # of every point on the board; MARK beside it while the point waits in CHANGED
CHANGED = U(7)  # empty points whose ring has changed
TAKEN = U(8)  # the stones that the last move took, if they are one chain
BLACK_GAMMA, WHITE_GAMMA = U(9), U(10)  # used by rollouts: see `rollout_kernels.py`
ARRAYS = 11
FOUR, TWENTY_FOUR_BITS, MARK, TOP = U(4), U(0xFFFFFF), U(1 << 31), U(31)
SHIFTS = tuple(U(3 * slot) for slot in range(8))
LEAST_NAKADE, MOST_NAKADE = U(3), U(6)


@kernel
def chain_at(m, P, q):
    """The head of the chain at q; 0 if there is no stone."""
    return U(m[CHAINS * P + q])


@kernel
def wait(m, P, q, changed):
    """Note that an empty point's ring has changed. Returns how many points wait."""
    ring = U(m[RINGS * P + q])
    m[CHANGED * P + changed] = q
    m[RINGS * P + q] = ring | MARK
    return changed + ONE - (ring >> TOP)


@kernel
def toggle(m, P, q, change, changed):
    """Change the ring of q; an empty point waits to be looked at. Returns how many points wait."""
    ring = U(m[RINGS * P + q])
    empty = U(U(m[CLASSES * P + q]) == ZERO)
    m[CHANGED * P + changed] = q
    m[RINGS * P + q] = ring ^ change | (empty << TOP)
    return changed + (empty & ~(ring >> TOP))


@kernel
def show(m, S, P, p, new, changed):
    """Give point p another class and tell its neighbours: who stands south of p sees p in the north."""
    change = U(m[CLASSES * P + p]) ^ new
    m[CLASSES * P + p] = new
    changed = toggle(m, P, p + S, change << SHIFTS[0], changed)
    changed = toggle(m, P, p + S - ONE, change << SHIFTS[1], changed)
    changed = toggle(m, P, p - ONE, change << SHIFTS[2], changed)
    changed = toggle(m, P, p - S - ONE, change << SHIFTS[3], changed)
    changed = toggle(m, P, p - S, change << SHIFTS[4], changed)
    changed = toggle(m, P, p - S + ONE, change << SHIFTS[5], changed)
    changed = toggle(m, P, p + ONE, change << SHIFTS[6], changed)
    return toggle(m, P, p + S + ONE, change << SHIFTS[7], changed)


@kernel
def show_chain(m, S, P, head, side, changed):
    """Give all stones of a chain the class that its liberties make."""
    new = min(U(m[LIBERTIES * P + head]), THREE) | side
    s = head
    while True:
        if U(m[CLASSES * P + s]) != new:
            changed = show(m, S, P, s, new, changed)
        s = U(m[FOLLOWING * P + s])
        if s == head:
            return changed


@kernel
def touches(m, S, P, q, head):
    """Has the chain a stone beside q?"""
    chain = CHAINS * P + q
    return (
        (U(m[chain - ONE]) == head)
        | (U(m[chain + ONE]) == head)
        | (U(m[chain - S]) == head)
        | (U(m[chain + S]) == head)
    )


@kernel
def attach(m, S, P, head, s):
    """The stone s becomes one of the chain, which gains those liberties that were not yet its own."""
    for k in range(4):
        q = s - ONE if k == 0 else s + ONE if k == 1 else s - S if k == 2 else s + S
        if U(m[CLASSES * P + q]) == ZERO and not touches(m, S, P, q, head):
            m[LIBERTIES * P + head] += ONE
            m[SPOTS * P + head] ^= q
    m[CHAINS * P + s] = head


@kernel
def absorb(m, S, P, head, other):
    """All stones of another chain become the chain's."""
    s = other
    while True:
        attach(m, S, P, head, s)
        s = U(m[FOLLOWING * P + s])
        if s == other:
            break
    link = m[FOLLOWING * P + head]
    m[FOLLOWING * P + head] = m[FOLLOWING * P + other]
    m[FOLLOWING * P + other] = link
    m[SIZES * P + head] += m[SIZES * P + other]


@kernel
def take(m, S, P, head, taken, changed):
    """Take a chain off the board: stones go to TAKEN from index `taken` on, neighbours gain liberties."""
    first = taken
    s = head
    while True:
        m[TAKEN * P + taken] = s
        taken += ONE
        changed = show(m, S, P, s, ZERO, changed)
        changed = wait(m, P, s, changed)
        m[CHAINS * P + s] = ZERO
        s = U(m[FOLLOWING * P + s])
        if s == head:
            break
    for i in range(first, taken):
        s = U(m[TAKEN * P + U(i)])
        h1, h2, h3, h4 = different(m, S, P, s)
        for k in range(4):
            h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
            m[LIBERTIES * P + h] += ONE
            m[SPOTS * P + h] ^= s
    return taken, changed


@kernel
def show_gains(m, S, P, first, taken, side, changed):
    """Show the chains beside stones that were taken, which have more liberties now."""
    for i in range(first, taken):
        s = U(m[TAKEN * P + U(i)])
        h1, h2, h3, h4 = different(m, S, P, s)
        for k in range(4):
            h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
            if h != ZERO and U(m[CLASSES * P + h]) != min(U(m[LIBERTIES * P + h]), THREE) | side:
                changed = show_chain(m, S, P, h, side, changed)
    return changed


@kernel
def different(m, S, P, p):
    """The heads of the different chains beside p, 0 for none or one that stands before it."""
    h1, h2 = chain_at(m, P, p - ONE), chain_at(m, P, p + ONE)
    h3, h4 = chain_at(m, P, p - S), chain_at(m, P, p + S)
    h4 *= U((h4 != h1) & (h4 != h2) & (h4 != h3))
    h3 *= U((h3 != h1) & (h3 != h2))
    return h1, h2 * U(h2 != h1), h3, h4


@kernel
def place(m, S, P, p, side):
    """Play a stone of `side` on p, which is no suicide. Returns the ko point or 0, stones taken, points that wait.

    The number of stones taken counts only if they were one chain, else it is 0.
    """
    changed = show(m, S, P, p, THREE | side, ZERO)
    h1, h2, h3, h4 = different(m, S, P, p)
    head, others, chains_taken, taken = ZERO, False, 0, ZERO
    for k in range(4):
        h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
        if h == ZERO:
            continue
        m[SPOTS * P + h] ^= p
        left = U(m[LIBERTIES * P + h]) - ONE
        m[LIBERTIES * P + h] = left
        if U(m[CLASSES * P + h]) & FOUR == side:
            if head == ZERO or U(m[SIZES * P + h]) > U(m[SIZES * P + head]):
                others |= head != ZERO
                head = h
            else:
                others = True
        elif left == ZERO:
            taken, changed = take(m, S, P, h, taken, changed)
            chains_taken += 1
        elif left < THREE:
            changed = show_chain(m, S, P, h, side ^ FOUR, changed)
    if head == ZERO:
        head = p
        m[FOLLOWING * P + p] = p
        m[LIBERTIES * P + p] = m[SPOTS * P + p] = m[SIZES * P + p] = ZERO
    else:
        m[FOLLOWING * P + p] = m[FOLLOWING * P + head]
        m[FOLLOWING * P + head] = p
    attach(m, S, P, head, p)
    m[SIZES * P + head] += ONE
    if others:
        for k in range(4):
            h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
            if h != ZERO and h != head and U(m[CHAINS * P + h]) == h and U(m[CLASSES * P + h]) & FOUR == side:
                absorb(m, S, P, head, h)
    new = min(U(m[LIBERTIES * P + head]), THREE) | side
    if others or U(m[CLASSES * P + head]) != new:
        changed = show_chain(m, S, P, head, side, changed)
    elif new != THREE | side:
        changed = show(m, S, P, p, new, changed)
    ko = ZERO
    if taken != ZERO:
        changed = show_gains(m, S, P, ZERO, taken, side, changed)
        if taken == ONE and U(m[SIZES * P + head]) == ONE and U(m[LIBERTIES * P + head]) == ONE:
            ko = U(m[TAKEN * P])
    return ko, taken if chains_taken == 1 else ZERO, changed


@kernel
def breaths(m, S, P, p, side):
    """Liberties that a stone of `side` on the empty point p would have, captures and joins counted; 2 for more."""
    h1, h2, h3, h4 = different(m, S, P, p)
    found = ZERO  # the first liberty
    for k in range(4):
        q = p - ONE if k == 0 else p + ONE if k == 1 else p - S if k == 2 else p + S
        if U(m[CLASSES * P + q]) == ZERO:
            if found != ZERO:
                return TWO
            found = q
    for k in range(4):
        h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
        if h == ZERO:
            continue
        liberties = U(m[LIBERTIES * P + h])
        if U(m[CLASSES * P + h]) & FOUR == side:
            if liberties > TWO:
                return TWO
            if liberties == TWO:
                other = U(m[SPOTS * P + h]) ^ p
                if found != ZERO and found != other:
                    return TWO
                found = other
        elif liberties == ONE:
            s = h
            while True:  # a stone taken is a liberty if it is beside p or beside a chain that p joins
                beside = (s == p - ONE) | (s == p + ONE) | (s == p - S) | (s == p + S)
                for j in range(4):
                    g = h1 if j == 0 else h2 if j == 1 else h3 if j == 2 else h4
                    if g != ZERO and U(m[CLASSES * P + g]) & FOUR == side:
                        beside |= touches(m, S, P, s, g)
                if beside:
                    if found != ZERO and found != s:
                        return TWO
                    found = s
                s = U(m[FOLLOWING * P + s])
                if s == h:
                    break
    return U(found != ZERO)


@kernel
def settle(m, P, changed):
    """Forget which points wait."""
    for i in range(changed):
        m[RINGS * P + U(m[CHANGED * P + U(i)])] &= TWENTY_FOUR_BITS
