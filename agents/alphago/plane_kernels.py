"""Kernels that write AlphaGo's input planes; `features.py` says what the planes are."""

from typing import Any, NamedTuple

import numpy as np

from sakiyomi.agents.alphago.ladders import CAPTURE, ESCAPE, borrowed_reading, mark_ladders, new_reading
from sakiyomi.agents.alphago.liberties import after_move, borrowed_chains, new_chains, scan
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.chains import EIGHT, ONE, THREE, TWO, ZERO, is_eye
from sakiyomi.boards.go.rules import SIXTEEN, is_legal, play_action
from sakiyomi.boards.go.state import BLACK, CHAIN, COLOUR, EMPTIES, EMPTY, HEAD, PASSES, PLY, RECENT, TURN, VACANT, U
from sakiyomi.boards.kernel import inlined, kernel

SEVEN, BOARDS_KEPT = U(7), U(RECENT)

# Numbers of planes, and the first plane of each group.
WITH_AGES, WITH_LIBERTIES, WITH_MOVES, WITH_COLOUR = U(12), U(20), U(48), U(49)
OWN, OPPONENT, VACANCY, ONES, AGES, LIBERTIES = U(0), U(1), U(2), U(3), U(4), U(12)
TAKEN, SELF_ATARI, AFTER, LADDER_CAPTURE, LADDER_ESCAPE, SENSIBLE, BLACKS_TURN = (
    U(i) for i in (20, 28, 36, 44, 45, 46, 48)
)


class Room(NamedTuple):
    """Memory for the work on one position after another."""

    age: Any  # uint8 [area]
    legal: Any  # bool [P]
    marks: Any  # uint8 [P]
    chains: Any
    reading: Any


@kernel
def new_room(S, P, area, hot):
    """Memory for boards of one size."""
    return Room(
        np.zeros(area, np.uint8), np.zeros(P, np.bool_), np.zeros(P, np.uint8), new_chains(S, P), new_reading(hot)
    )


@inlined
def borrowed_room(room):
    """The same memory without reference counts; whoever made it must outlive the use."""
    return Room(
        borrow(room.age),
        borrow(room.legal),
        borrow(room.marks),
        borrowed_chains(room.chains),
        borrowed_reading(room.reading),
    )


@kernel
def keep(room):
    """A last use of memory that is lent without reference counts."""
    room.age[0] = room.marks[0] = room.chains.size[0] = room.reading.next[0] = 0


@kernel
def mark_legal(w, b, k64, q, S, P, ko_rule, suicide, legal):
    """Set `legal` [P] to whether the player to move may play each point."""
    for j in range(P):
        legal[U(j)] = False
    vacant = b + HEAD + VACANT * P
    for j in range(U(w[b + EMPTIES])):
        p = U(w[vacant + U(j)])
        legal[p] = is_legal(w, b, k64, q, S, P, p, ko_rule, suicide)


@kernel
def encode_stones(w, b, P, width, height, planes, chains, out, i):
    """Planes 0 to 2, and 12 to 19 if there are so many."""
    own = U(w[b + TURN]) + BLACK
    colour = b + HEAD + COLOUR * P
    chain = b + HEAD + CHAIN * P
    p = width + TWO
    a = ZERO
    for _ in range(height):
        for _ in range(width):
            c = U(w[colour + p])
            if c == EMPTY:
                out[i, VACANCY, a] = 1
            else:
                out[i, OWN if c == own else OPPONENT, a] = 1
                if planes >= WITH_LIBERTIES:
                    free = min(U(chains.liberties[U(w[chain + p])]), EIGHT)
                    out[i, LIBERTIES + free - ONE, a] = 1
            p += ONE
            a += ONE
        p += ONE


@kernel
def encode_ages(ply, b8, r, area, age, out, i):
    """Planes 4 to 11: how many plies ago the board of a point was last another one than now."""
    now = r + (ply % BOARDS_KEPT) * area
    for a in range(area):
        age[U(a)] = EIGHT
    back = min(SEVEN, ply)
    while back != ZERO:
        then = r + ((ply - back) % BOARDS_KEPT) * area
        for a in range(area):
            if b8[then + U(a)] != b8[now + U(a)]:
                age[U(a)] = back
        back -= ONE
    for a in range(area):
        if b8[now + U(a)] != 0:
            out[i, AGES + U(age[U(a)]) - ONE, U(a)] = 1


@kernel
def encode_moves(w, b, S, P, room, out, i):
    """Planes 20 to 46, of legal moves."""
    c = U(w[b + TURN]) + BLACK
    inverse = (U(1 << 16) + S - ONE) // S  # p // S == (p * inverse) >> 16 for all p < 2**16 / S
    vacant = b + HEAD + VACANT * P
    for j in range(U(w[b + EMPTIES])):
        p = U(w[vacant + U(j)])
        if not room.legal[p]:
            continue
        a = p - ((p * inverse) >> SIXTEEN) - S
        taken, stones, free = after_move(w, b, S, P, p, c, room.chains)
        out[i, TAKEN + min(taken, SEVEN), a] = 1
        if free == ONE:
            out[i, SELF_ATARI + min(stones, EIGHT) - ONE, a] = 1
        if free != ZERO:
            out[i, AFTER + min(free, EIGHT) - ONE, a] = 1
        marks = U(room.marks[p])
        out[i, LADDER_CAPTURE, a] = marks & CAPTURE != ZERO
        out[i, LADDER_ESCAPE, a] = marks & ESCAPE != ZERO
        out[i, SENSIBLE, a] = not is_eye(w, b, S, P, p, c)


@kernel
def is_over(w, b, limit):
    """Has the game of row b ended, by two passes or at `limit` plies? Never where that is 0."""
    return limit != ZERO and (U(w[b + PASSES]) >= TWO or U(w[b + PLY]) >= limit)


@kernel
def encode(w, b, k64, q, b8, r, hot, width, height, limit, ko_rule, suicide, planes, room, out, i):
    """All planes of one row into out[i]. After its end (`is_over`) no move is legal."""
    S = width + ONE
    P = (height + TWO) * S + ONE
    area = width * height
    for plane in range(planes):
        for a in range(area):
            out[i, U(plane), U(a)] = 0
    count = ZERO
    if planes >= WITH_LIBERTIES:
        count = scan(w, b, S, P, room.chains)
    encode_stones(w, b, P, width, height, planes, room.chains, out, i)
    for a in range(area):
        out[i, ONES, U(a)] = 1
    if planes >= WITH_AGES:
        encode_ages(U(w[b + PLY]), b8, r, area, room.age, out, i)
    if planes >= WITH_MOVES and not is_over(w, b, limit):
        mark_legal(w, b, k64, q, S, P, ko_rule, suicide, room.legal)
        mark_ladders(w, b, S, P, hot, U(w[b + TURN]) + BLACK, room.legal, count, room.chains, room.reading, room.marks)
        encode_moves(w, b, S, P, room, out, i)
    if planes == WITH_COLOUR and U(w[b + TURN]) == ZERO:
        for a in range(area):
            out[i, BLACKS_TURN, U(a)] = 1


@kernel
def encode_rows(
    start, stop, w, k64, b8, bytes_per_row, cold, recent, hot, width, height, limit, ko_rule, suicide, planes, out
):
    """Fill rows start..stop of `out` [B, planes, area]."""
    S = width + ONE
    P = (height + TWO) * S + ONE
    memory = new_room(S, P, width * height, hot)
    room = borrowed_room(memory)
    w, k64, b8, out = borrow(w), borrow(k64), borrow(b8), borrow(out)
    for i in range(start, stop):
        row = U(i) * bytes_per_row
        b, q, r = row >> ONE, (row >> THREE) + cold, row + recent
        encode(w, b, k64, q, b8, r, hot, width, height, limit, ko_rule, suicide, planes, room, out, i)
    keep(memory)


@kernel
def encode_plies_rows(
    start,
    stop,
    k64,
    bytes_per_row,
    cold,
    recent,
    hot,
    width,
    height,
    limit,
    ko_rule,
    suicide,
    moves,
    plies,
    order,
    planes,
    out,
):
    """Replay games start..stop and fill their rows of `out` [G * K, planes, area].

    `k64` holds their first positions, `moves` [G, T] their actions; `plies` [G, K] ascend, and `order` [G, K] tells at
    which of the game's K rows each belongs.
    """
    S = width + ONE
    P = (height + TWO) * S + ONE
    memory = new_room(S, P, width * height, hot)
    room = borrowed_room(memory)
    words = bytes_per_row >> THREE
    record = np.empty(words, np.uint64)
    r64, r16, r8 = borrow(record), borrow(record.view(np.uint16)), borrow(record.view(np.uint8))
    k64, moves, plies, order, out = borrow(k64), borrow(moves), borrow(plies), borrow(order), borrow(out)
    for g in range(start, stop):
        for j in range(words):
            r64[U(j)] = k64[U(g) * words + U(j)]
        played = 0
        for j in range(plies.shape[1]):
            while played < plies[g, j]:
                play_action(r16, ZERO, r64, cold, r8, recent, S, P, moves[g, played], width, height, limit, ko_rule)
                played += 1
            i = g * plies.shape[1] + order[g, j]
            encode(r16, ZERO, r64, cold, r8, recent, hot, width, height, ZERO, ko_rule, suicide, planes, room, out, i)
    record[0] = ZERO  # a last use, which keeps the memory until here
    keep(memory)


@kernel
def ladder_rows(start, stop, w, k64, bytes_per_row, cold, hot, width, height, limit, ko_rule, suicide, out):
    """Fill rows start..stop of `out` [B, 2, area], all False: the legal ladder captures and ladder escapes."""
    S = width + ONE
    P = (height + TWO) * S + ONE
    memory = new_room(S, P, width * height, hot)
    room = borrowed_room(memory)
    w, k64, out = borrow(w), borrow(k64), borrow(out)
    for i in range(start, stop):
        row = U(i) * bytes_per_row
        b, q = row >> ONE, (row >> THREE) + cold
        if is_over(w, b, limit):
            continue
        count = scan(w, b, S, P, room.chains)
        mark_legal(w, b, k64, q, S, P, ko_rule, suicide, room.legal)
        mark_ladders(w, b, S, P, hot, U(w[b + TURN]) + BLACK, room.legal, count, room.chains, room.reading, room.marks)
        for a in range(width * height):
            marks = U(room.marks[(U(a) // width + ONE) * S + U(a) % width + ONE])
            out[i, 0, U(a)] = marks & CAPTURE != ZERO
            out[i, 1, U(a)] = marks & ESCAPE != ZERO
    keep(memory)
