"""Games played to the end by a rollout policy, every candidate's strength kept from move to move.

The softmax draws a candidate with chance gamma / sum of gammas, where gamma = exp(score) is a product of factors. The
ring's factor stands in the board's words, for Black and for White, as a whole number of units of 2^-16: then sums by
row of the board are exact however often they are added to. After a move only points whose ring has changed are looked
up. The factors that belong to one move alone (answers to the previous move, a ko) are multiplied in before the draw,
a dozen points at the most, and taken out after it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.alphago.answers import (
    MOST_SAVED,
    diamond_at,
    least_image,
    nakade_number,
    saving_points,
    slot_point,
)
from sakiyomi.agents.alphago.candidates import seen_by
from sakiyomi.agents.alphago.dictionaries import find
from sakiyomi.agents.alphago.pattern_board import (
    ARRAYS,
    BLACK_GAMMA,
    CHANGED,
    CLASSES,
    FOUR,
    LEAST_NAKADE,
    MOST_NAKADE,
    RINGS,
    TAKEN,
    TWENTY_FOUR_BITS,
    WHITE_GAMMA,
    place,
)
from sakiyomi.agents.alphago.pattern_setup import set_up, taken_before
from sakiyomi.agents.alphago.patterns import (
    ARC_CODES,
    ARC_NUMBERS,
    ARCS,
    STONE,
    canonical,
    ring_index,
    swapped,
)
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.chains import ONE, THREE, TWO, ZERO
from sakiyomi.boards.go.state import PASSES
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, mix

U = np.uint64
UNIT = 65536.0  # a factor of 1 among the strengths
LARGEST = 2.0**32 - 1  # so that sums over a board stay far below 2^53, and draws are exact
BOOSTS = 32  # 12 points of a diamond, MOST_SAVED, MOST_NAKADE and a ko
ELEVEN = U(11)


class Factors(NamedTuple):
    """Exponentials of a policy's weights, laid out as a rollout meets them."""

    rings: NDArray[np.uint32]  # [2 * ARCS * ARCS], by 2 * `ring_index` for Black, one more for White; 0 not playable
    response_slots: NDArray[np.uint64]
    response_rows: NDArray[np.int32]
    responses: NDArray[np.float32]  # [rows, 12]
    neighbours: NDArray[np.float32]  # [8]
    nakades: NDArray[np.float32]  # [8192]
    saves: float


@kernel
def fill_ring_factors(rings, weights, factors):
    """`Factors.rings` from the features of the rings and the weights."""
    for i in range(ARCS):
        for j in range(ARCS):
            swap = ARC_NUMBERS[swapped(ARC_CODES[i])] * ARCS + ARC_NUMBERS[swapped(ARC_CODES[j])]
            for side in range(U(2)):
                feature = rings[swap if side == ONE else i * ARCS + j]
                strength = ZERO
                if feature >= 0:
                    strength = U(max(1.0, min(LARGEST, UNIT * np.exp(np.float64(weights[feature])))))
                factors[(i * ARCS + j) * TWO + side] = strength


@kernel
def set_gamma(m, sums, P, gammas, first, row, p, strength):
    """Give p another strength for one side; its row's sum and the total, which stands before the rows, follow."""
    change = strength - U(m[gammas * P + p])
    m[gammas * P + p] = strength
    sums[first + row] += change
    sums[first] += change


@kernel
def look_up(m, sums, S, P, p, second, inverse, factors):
    """Give the empty point p the strengths that its ring has, for both sides."""
    index = ring_index(U(m[RINGS * P + p])) * TWO
    row = (p * inverse) >> U(16)
    set_gamma(m, sums, P, BLACK_GAMMA, ZERO, row, p, U(factors[index]))
    set_gamma(m, sums, P, WHITE_GAMMA, second, row, p, U(factors[index + ONE]))


@kernel
def refresh(m, sums, S, P, changed, second, inverse, factors):
    """Look up the empty points that wait in CHANGED."""
    for i in range(changed):
        p = U(m[CHANGED * P + U(i)])
        m[RINGS * P + p] &= TWENTY_FOUR_BITS
        if U(m[CLASSES * P + p]) == ZERO:
            look_up(m, sums, S, P, p, second, inverse, factors)


@kernel
def begin(m, sums, S, P, width, height, second, inverse, factors):
    """All strengths and sums of a board that has been set up."""
    for i in range(sums.shape[0]):
        sums[i] = ZERO
    for p in range(P):
        m[BLACK_GAMMA * P + U(p)] = m[WHITE_GAMMA * P + U(p)] = ZERO
    for y in range(height):
        for x in range(width):
            p = (U(y) + ONE) * S + U(x) + ONE
            if U(m[CLASSES * P + p]) == ZERO:
                look_up(m, sums, S, P, p, second, inverse, factors)


@kernel
def boost(m, sums, P, gammas, first, inverse, p, factor, boosted, count):
    """Multiply the strength of p for this move, noting in `boosted` what it was. Returns how many notes there are."""
    before = U(m[gammas * P + p])
    if before == ZERO or factor == 1.0:
        return count
    boosted[count] = p
    boosted[count + U(BOOSTS)] = before
    strength = U(min(LARGEST, np.float64(before) * factor))
    set_gamma(m, sums, P, gammas, first, (p * inverse) >> U(16), p, strength)
    return count + ONE


@kernel
def boost_answers(m, sums, S, P, gammas, first, inverse, side, last, taken, factors, saved, boosted, count):
    """Multiply in the factors of all answers to the previous move."""
    around = diamond_at(m, S, P, last)
    code, symmetry = canonical(seen_by(around, side))
    row = find(factors.response_slots, factors.response_rows, code)
    for slot in range(12):
        if (around >> U(3 * slot)) & U(7) == ZERO:
            factor = np.float64(factors.responses[row, least_image(symmetry, slot)])
            if slot < 8:
                factor *= np.float64(factors.neighbours[slot])
            count = boost(m, sums, P, gammas, first, inverse, slot_point(last, slot, S), factor, boosted, count)
    for k in range(saving_points(m, S, P, last, side, saved)):
        count = boost(m, sums, P, gammas, first, inverse, saved[k], factors.saves, boosted, count)
    if taken >= LEAST_NAKADE and taken <= MOST_NAKADE:
        for k in range(taken):
            factor = np.float64(factors.nakades[nakade_number(m, S, P, taken, k)])
            count = boost(m, sums, P, gammas, first, inverse, U(m[TAKEN * P + U(k)]), factor, boosted, count)
    return count


@kernel
def draw(m, sums, S, P, gammas, first, word):
    """The point that the random word picks, each with a chance proportional to its strength; 0 if there is none."""
    total = sums[first]
    if total == ZERO:
        return ZERO
    left = min(U(np.float64(word >> ELEVEN) * 2.0**-53 * np.float64(total)), total - ONE)
    row = ONE
    while left >= sums[first + row]:
        left -= sums[first + row]
        row += ONE
    p = gammas * P + row * S + ONE
    while left >= U(m[p]):
        left -= U(m[p])
        p += ONE
    return p - gammas * P


@kernel
def choose(m, sums, S, P, second, inverse, side, ko, last, taken, factors, saved, boosted, word):
    """The move of the player to move, 0 for a pass. The board is left as it is."""
    gammas, first = (BLACK_GAMMA, ZERO) if side == ZERO else (WHITE_GAMMA, second)
    count = ZERO
    if ko != ZERO:
        count = boost(m, sums, P, gammas, first, inverse, ko, 0.0, boosted, count)
    if last != ZERO and U(m[CLASSES * P + last]) & STONE != ZERO:
        count = boost_answers(m, sums, S, P, gammas, first, inverse, side, last, taken, factors, saved, boosted, count)
    p = draw(m, sums, S, P, gammas, first, word)
    while count != ZERO:
        count -= ONE
        q = boosted[count]
        set_gamma(m, sums, P, gammas, first, (q * inverse) >> U(16), q, boosted[count + U(BOOSTS)])
    return p


@kernel
def put(m, sums, S, P, second, inverse, p, side, factors):
    """Play p and bring all strengths up to date. Returns the ko point, or 0, and the stones taken."""
    row = (p * inverse) >> U(16)
    set_gamma(m, sums, P, BLACK_GAMMA, ZERO, row, p, ZERO)
    set_gamma(m, sums, P, WHITE_GAMMA, second, row, p, ZERO)
    ko, taken, changed = place(m, S, P, p, side)
    refresh(m, sums, S, P, changed, second, inverse, factors.rings)
    return ko, taken


@kernel
def area_margin(m, S, P, width, height):
    """Black's area less White's on a board played to the end: an empty point is its four neighbours'."""
    margin = 0
    for y in range(height):
        for x in range(width):
            p = CLASSES * P + (U(y) + ONE) * S + U(x) + ONE
            if U(m[p]) & STONE != ZERO:
                margin += 1 - int(U(m[p]) & FOUR) // 2
                continue
            blacks, whites = 0, 0  # or the edge
            for k in range(4):
                c = U(m[p - ONE if k == 0 else p + ONE if k == 1 else p - S if k == 2 else p + S])
                blacks += int(c != ZERO and c <= FOUR)
                whites += int(c >= FOUR)
            margin += int(blacks == 4) - int(whites == 4)
    return margin


@kernel
def rollout_rows(start, stop, w, b8, row_bytes, recent, width, height, factors, rng, margins, plies):
    """One rollout from each of the rows start..stop, left as they are: margins [B], plies [B], `rng` [B] moves on."""
    w, b8 = borrow(w), borrow(b8)
    factors = borrowed(factors)
    S = width + ONE
    P = (height + TWO) * S + ONE
    inverse = (U(1 << 16) + S - ONE) // S  # p // S == (p * inverse) >> 16
    second = height + TWO  # where White's sums begin
    memory, by_row = np.empty(U(ARRAYS) * P, np.uint32), np.empty(second * TWO, np.uint64)
    scratch = np.empty(2 * BOOSTS + MOST_SAVED, np.uint64)
    m, sums = borrow(memory), borrow(by_row)
    boosted, saved = borrow(scratch[: 2 * BOOSTS]), borrow(scratch[2 * BOOSTS :])
    for i in range(start, stop):
        row = U(i) * row_bytes
        b = row >> ONE
        side, ko, last = set_up(m, w, b, S, P)
        taken = taken_before(m, b8, row + recent, w, b, S, P, width, height)
        begin(m, sums, S, P, width, height, second, inverse, factors.rings)
        passes, ply, state = U(w[b + PASSES]), ZERO, rng[i]
        while passes < TWO and ply < THREE * width * height:
            p = choose(m, sums, S, P, second, inverse, side, ko, last, taken, factors, saved, boosted, mix(state))
            state += GAMMA
            if p == ZERO:
                passes += ONE
                ko, taken = ZERO, ZERO
            else:
                passes = ZERO
                ko, taken = put(m, sums, S, P, second, inverse, p, side, factors)
            last = p
            side ^= FOUR
            ply += ONE
        rng[i], plies[i] = state, ply
        margins[i] = area_margin(m, S, P, width, height)
    memory[0], by_row[0], scratch[0] = 0, 0, 0  # a last use, which keeps the memory until here


@kernel
def borrowed(factors):
    """The same factors without reference counts."""
    return Factors(
        borrow(factors.rings),
        borrow(factors.response_slots),
        borrow(factors.response_rows),
        borrow(factors.responses),
        borrow(factors.neighbours),
        borrow(factors.nakades),
        factors.saves,
    )
