"""What a candidate has to do with the previous move: diamonds, stones saved from atari, the inside of a nakade.

Kernels over the words `m` of a pattern board (`pattern_board.py`).
"""

import numpy as np

from sakiyomi.agents.alphago.pattern_board import (
    CLASSES,
    FOLLOWING,
    FOUR,
    RINGS,
    SPOTS,
    TAKEN,
    TWENTY_FOUR_BITS,
    breaths,
    different,
)
from sakiyomi.agents.alphago.patterns import IMAGES, NAKADES, OFF, STEPS
from sakiyomi.boards.go.chains import ONE, TWO, ZERO
from sakiyomi.boards.kernel import kernel

U = np.uint64
SEVEN, TWENTY_FOUR = U(7), U(24)
MOST_SAVED = 8  # points that save stones which one move has put into atari; more are not looked for
STEP_X = np.array([x for x, _ in STEPS], np.int64)
STEP_Y = np.array([y for _, y in STEPS], np.int64)
TURN_XX = np.array([1, 0, -1, 0, -1, 0, 1, 0], np.int64)  # the symmetries of `patterns.IMAGES` as matrices
TURN_XY = np.array([0, -1, 0, 1, 0, -1, 0, 1], np.int64)
TURN_YX = np.array([0, 1, 0, -1, 0, -1, 0, 1], np.int64)
TURN_YY = np.array([1, 0, -1, 0, 1, 0, -1, 0], np.int64)
for _table in (STEP_X, STEP_Y, TURN_XX, TURN_XY, TURN_YX, TURN_YY):
    _table.setflags(write=False)


@kernel
def slot_point(p, slot, S):
    """The padded point in a slot of the diamond around p; of no use where the diamond leaves the board."""
    return U(np.int64(p) + STEP_Y[slot] * np.int64(S) + STEP_X[slot])


@kernel
def ring_at(m, P, p):
    """The ring around p, from Black's side."""
    return U(m[RINGS * P + p]) & TWENTY_FOUR_BITS


@kernel
def diamond_at(m, S, P, p):
    """The diamond around p, from Black's side: two steps away is off the board if one step is."""
    ring = ring_at(m, P, p)
    classes = CLASSES * P + p
    north = OFF if ring & SEVEN == OFF else U(m[classes - S - S])
    east = OFF if (ring >> U(6)) & SEVEN == OFF else U(m[classes + TWO])
    south = OFF if (ring >> U(12)) & SEVEN == OFF else U(m[classes + S + S])
    west = OFF if (ring >> U(18)) & SEVEN == OFF else U(m[classes - TWO])
    return ring | (north | east << U(3) | south << U(6) | west << U(9)) << TWENTY_FOUR


@kernel
def note_point(points, count, p):
    """Add p to the first `count` of `points`, unless it is there or they are full. Returns how many there are."""
    for i in range(count):
        if points[i] == p:
            return count
    if count == MOST_SAVED:
        return count
    points[count] = p
    return count + 1


@kernel
def saving_points(m, S, P, last, side, points):
    """The points, into `points` [MOST_SAVED], that save own chains which the stone at `last` has put into atari.

    Such a chain is saved at its last liberty if it then has two, and by taking a chain beside it that is in atari.
    Returns how many there are.
    """
    count = np.int64(0)
    h1, h2, h3, h4 = different(m, S, P, last)
    for k in range(4):
        h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
        if h == ZERO or U(m[CLASSES * P + h]) != ONE | side:
            continue
        way_out = U(m[SPOTS * P + h])
        if breaths(m, S, P, way_out, side) == TWO:
            count = note_point(points, count, way_out)
        s = h
        while True:
            g1, g2, g3, g4 = different(m, S, P, s)
            for j in range(4):
                g = g1 if j == 0 else g2 if j == 1 else g3 if j == 2 else g4
                if g != ZERO and U(m[CLASSES * P + g]) == ONE | (side ^ FOUR):
                    count = note_point(points, count, U(m[SPOTS * P + g]))
            s = U(m[FOLLOWING * P + s])
            if s == h:
                break
    return count


@kernel
def nakade_number(m, S, P, taken, i):
    """A number below 8,192 for the shape of the first `taken` points of TAKEN, 3 to 6, and which of them the i-th is.

    The shape is the least of its eight images, a bit a point in a field of six by six, spread by a hash.
    """
    p = np.int64(m[TAKEN * P + U(i)])
    stride = np.int64(S)
    least, at = U(1) << U(63), ZERO
    for s in range(8):
        low_x, low_y = np.int64(1000), np.int64(1000)
        for j in range(taken):
            q = np.int64(m[TAKEN * P + U(j)])
            low_x = min(low_x, TURN_XX[s] * (q % stride) + TURN_XY[s] * (q // stride))
            low_y = min(low_y, TURN_YX[s] * (q % stride) + TURN_YY[s] * (q // stride))
        shape, here = ZERO, ZERO
        for j in range(taken):
            q = np.int64(m[TAKEN * P + U(j)])
            x = TURN_XX[s] * (q % stride) + TURN_XY[s] * (q // stride) - low_x
            y = TURN_YX[s] * (q % stride) + TURN_YY[s] * (q // stride) - low_y
            shape |= ONE << U(6 * y + x)
            if q == p:
                here = U(6 * y + x)
        if shape < least or (shape == least and here < at):
            least, at = shape, here
    code = least | at << U(36)
    code = (code ^ (code >> U(33))) * U(0xFF51AFD7ED558CCD)
    return np.int64((code ^ (code >> U(33))) % U(NAKADES))


@kernel
def least_image(symmetry, slot):
    """Where a slot goes under a symmetry."""
    return np.int64(IMAGES[symmetry, slot])
