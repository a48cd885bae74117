"""Light playouts: uniformly random legal moves that fill no own single-point eye, until two passes; then area.

Only the hot words of a position are copied; superko is left to the move limit of three plies a point.
"""

import numpy as np

from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.chains import EIGHT, FOUR, ONE, THREE, TWO, ZERO, has_breath, is_eye, own_count, place
from sakiyomi.boards.go.state import (
    AROUND,
    BLACK,
    COLOUR,
    EMPTIES,
    EMPTY,
    HEAD,
    KO,
    PASSES,
    PLACE,
    TURN,
    VACANT,
    WHITE,
    U,
)
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.random import GAMMA, below, mix


@kernel
def choose(w, b, S, P, c, rng):
    """A uniformly random legal point that is not an own eye; 0 for a pass. Returns it and the next random state.

    Points are drawn without replacement: one that may not be played changes places with the last candidate.
    """
    vacant = b + HEAD + VACANT * P
    index = b + HEAD + PLACE * P
    around = b + HEAD + AROUND * P
    ko = U(w[b + KO])
    n = U(w[b + EMPTIES])
    while n != ZERO:
        i = below(mix(rng), n)
        rng += GAMMA
        p = U(w[vacant + i])
        if U(w[around + p]) >> EIGHT != ZERO:
            return p, rng
        if p != ko and not is_eye(w, b, S, P, p, c) and has_breath(w, b, S, P, p, c):
            return p, rng
        n -= ONE
        last = w[vacant + n]
        w[vacant + n] = p
        w[index + p] = n
        w[vacant + i] = last
        w[index + U(last)] = i
    return ZERO, rng


@kernel
def finish(w, b, S, P, limit, rng):
    """Play on at random to the end, or for `limit` plies. Returns plies played and the next random state."""
    c = U(w[b + TURN]) + BLACK
    passes = U(w[b + PASSES])
    plies = ZERO
    while passes < TWO and plies < limit:
        p, rng = choose(w, b, S, P, c, rng)
        if p == ZERO:
            passes += ONE
            w[b + KO] = ZERO
        else:
            passes = ZERO
            place(w, b, S, P, p, c)
        c ^= THREE
        plies += ONE
    return plies, rng


@kernel
def finished_margin(w, b, S, P, width, height):
    """Black's area less White's on a board that playouts have filled: an empty point is its four neighbours'."""
    margin = 0
    p = b + HEAD + COLOUR * P + S + ONE
    around = b + HEAD + AROUND * P + S + ONE
    for _ in range(height):
        for x in range(width):
            c = U(w[p + U(x)])
            if c == BLACK:
                margin += 1
            elif c == WHITE:
                margin -= 1
            else:
                near = U(w[around + U(x)])
                margin += int(own_count(near, BLACK) == FOUR) - int(own_count(near, WHITE) == FOUR)
        p += S
        around += S
    return margin


@kernel
def rollout_rows(start, stop, w, row_words, hot, width, height, rng, margins, plies):
    """One playout from each of the rows start..stop, left as they are: margins [B], plies [B], `rng` [B] moves on."""
    S = width + ONE
    P = (height + TWO) * S + ONE
    w, memory = borrow(w), np.empty(hot, np.uint16)
    board = borrow(memory)
    limit = U(3) * width * height
    for i in range(start, stop):
        b = U(i) * row_words
        for j in range(hot):
            board[U(j)] = w[b + U(j)]
        played, state = finish(board, ZERO, S, P, limit, rng[i])
        rng[i] = state
        plies[i] = played
        margins[i] = finished_margin(board, ZERO, S, P, width, height)
    memory[ZERO] = ZERO  # a last use, which keeps the memory until here


@kernel
def owner_rows(start, stop, w, row_words, hot, width, height, playouts, rng, owners):
    """Sum over `playouts` playouts from each row of who ends up with each point: `owners` [B, area], + Black's.

    Black and White begin in turn, whoever is to move: in a seki that decides who loses his stones.
    """
    S = width + ONE
    P = (height + TWO) * S + ONE
    w, memory = borrow(w), np.empty(hot, np.uint16)
    board = borrow(memory)
    limit = U(3) * width * height
    for i in range(start, stop):
        b = U(i) * row_words
        for a in range(owners.shape[1]):
            owners[i, a] = 0
        for playout in range(playouts):
            for j in range(hot):
                board[U(j)] = w[b + U(j)]
            board[PASSES] = ZERO
            board[TURN] = U(playout) & ONE
            _, state = finish(board, ZERO, S, P, limit, rng[i])
            rng[i] = state
            p = HEAD + COLOUR * P + S + ONE
            around = HEAD + AROUND * P + S + ONE
            a = 0
            for _ in range(height):
                for x in range(width):
                    c = U(board[p + U(x)])
                    near = U(board[around + U(x)])
                    if c == BLACK or (c == EMPTY and own_count(near, BLACK) == FOUR):
                        owners[i, a] += 1
                    elif c == WHITE or (c == EMPTY and own_count(near, WHITE) == FOUR):
                        owners[i, a] -= 1
                    a += 1
                p += S
                around += S
    memory[ZERO] = ZERO
