"""What is legal and what a move does: suicide, ko, superko, passes, keys and history, one row or a batch.

Superko compares 64-bit Zobrist keys. The odds that two different positions of one game share a key are below
(positions compared) / 2^64: a 19x19 game that asks 361 points at each of 1,083 plies of 1,083 earlier positions makes
4.2e8 comparisons, so 2.3e-11 a game; a filter of 4,096 bits spares nearly all of them.
"""

from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.go.chains import ONE, THREE, TWO, ZERO, has_breath, is_eye, place
from sakiyomi.boards.go.state import (
    AROUND,
    BLACK,
    CHAIN,
    COLOUR,
    EMPTIES,
    EMPTY,
    EMPTY_UNIT,
    FILTER_WORDS,
    HEAD,
    KO,
    LAST,
    LIBERTIES,
    NEXT,
    PASSES,
    PLY,
    RECENT,
    TAKEN_BLACK,
    TAKEN_WHITE,
    TURN,
    TURN_KEY,
    VACANT,
    ZOBRIST,
    U,
)
from sakiyomi.boards.kernel import inlined, kernel

SIMPLE_KO, POSITIONAL, SITUATIONAL = U(0), U(1), U(2)  # the ko rules
SIXTEEN, SIXTY_THREE = U(16), U(63)
COLOUR_KEYS = U(1024)  # ZOBRIST holds Black's keys, then White's
KEY, SEEN, FILTER = U(0), U(1), U(2)  # 64-bit words of the cold part
HISTORY = FILTER + U(FILTER_WORDS)
_FILTER_MASK = U(FILTER_WORDS * 64 - 1)
_RECENT = U(RECENT)


@kernel
def chain_key(w, b, P, head):
    """The exclusive or of the keys of a chain's stones."""
    following = b + HEAD + NEXT * P
    colour = (U(w[b + HEAD + COLOUR * P + head]) - ONE) * COLOUR_KEYS
    key = ZOBRIST[colour + head]
    s = U(w[following + head])
    while s != head:
        key ^= ZOBRIST[colour + s]
        s = U(w[following + s])
    return key


@kernel
def change_of_key(w, b, S, P, p, c):
    """What playing p does to the position's key: the new stone, and all stones that leave the board."""
    chain = b + HEAD + CHAIN * P + p
    colour = b + HEAD + COLOUR * P
    liberties = b + HEAD + LIBERTIES * P
    change = ZOBRIST[(c - ONE) * COLOUR_KEYS + p]
    h1 = U(w[chain - ONE])
    h2 = U(w[chain + ONE])
    h3 = U(w[chain - S])
    h4 = U(w[chain + S])
    alone = True  # no own neighbour keeps a liberty, nothing captured, no empty neighbour: the move is suicide
    if U(w[b + HEAD + AROUND * P + p]) >= EMPTY_UNIT:
        alone = False
    for k in range(4):
        h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
        if h == ZERO or (k > 0 and h == h1) or (k > 1 and h == h2) or (k > 2 and h == h3):
            continue
        contacts = U(h == h1) + U(h == h2) + U(h == h3) + U(h == h4)
        if U(w[liberties + h]) == contacts:
            if U(w[colour + h]) != c:
                change ^= chain_key(w, b, P, h)
                alone = False
        elif U(w[colour + h]) == c:
            alone = False
    if alone:
        change = ZERO
        for k in range(4):
            h = h1 if k == 0 else h2 if k == 1 else h3 if k == 2 else h4
            if h == ZERO or (k > 0 and h == h1) or (k > 1 and h == h2) or (k > 2 and h == h3):
                continue
            if U(w[colour + h]) == c:
                change ^= chain_key(w, b, P, h)
    return change


@kernel
def in_filter(k64, q, key):
    """False if no position with that key has been; True says little. `q` is the row's offset to its cold part."""
    f = key & _FILTER_MASK
    return (k64[q + FILTER + (f >> U(6))] >> (f & SIXTY_THREE)) & ONE != ZERO


@inlined
def is_legal(w, b, k64, q, S, P, p, ko_rule, suicide):
    """May the player to move put a stone on the padded point p?

    Nearly all answers are found here: a stone with an empty neighbour, beside chains that keep a liberty, captures
    nothing and is no suicide. This part is short and copied into the callers' loops; `is_legal_in_contact` has the
    rest.
    """
    if U(w[b + HEAD + COLOUR * P + p]) != EMPTY:
        return False
    chain = b + HEAD + CHAIN * P + p
    liberties = b + HEAD + LIBERTIES * P
    h1 = w[chain - ONE]
    h2 = w[chain + ONE]
    h3 = w[chain - S]
    h4 = w[chain + S]
    # A chain keeps a liberty if it has more pseudo-liberties than stones beside p.
    same12, same13, same14 = U(h1 == h2), U(h1 == h3), U(h1 == h4)
    same23, same24, same34 = U(h2 == h3), U(h2 == h4), U(h3 == h4)
    quiet = (
        (U(w[b + HEAD + AROUND * P + p]) >= EMPTY_UNIT)
        & (U(w[liberties + U(h1)]) > ONE + same12 + same13 + same14)
        & (U(w[liberties + U(h2)]) > ONE + same12 + same23 + same24)
        & (U(w[liberties + U(h3)]) > ONE + same13 + same23 + same34)
        & (U(w[liberties + U(h4)]) > ONE + same14 + same24 + same34)
    )
    if quiet:
        if ko_rule == SIMPLE_KO:
            return True
        turn = U(w[b + TURN])
        key = k64[q + KEY] ^ ZOBRIST[turn * COLOUR_KEYS + p]
        if ko_rule == SITUATIONAL and turn == ZERO:
            key ^= TURN_KEY
        if not in_filter(k64, q, key):
            return True
    return is_legal_in_contact(w, b, k64, q, S, P, p, ko_rule, suicide)


@kernel
def is_legal_in_contact(w, b, k64, q, S, P, p, ko_rule, suicide):
    """`is_legal` for an empty point, without short cuts."""
    if U(w[b + KO]) == p:
        return False  # by superko, too: a ko retaken at once brings back the position before
    c = U(w[b + TURN]) + BLACK
    if U(w[b + HEAD + AROUND * P + p]) < EMPTY_UNIT and not suicide and not has_breath(w, b, S, P, p, c):
        return False
    if ko_rule == SIMPLE_KO:
        return True
    key = k64[q + KEY] ^ change_of_key(w, b, S, P, p, c)
    if ko_rule == SITUATIONAL and c == BLACK:
        key ^= TURN_KEY
    if not in_filter(k64, q, key):
        return True
    for i in range(k64[q + SEEN]):
        if k64[q + HISTORY + U(i)] == key:
            return False
    return True


@kernel
def remember(w, b, k64, q, b8, r, P, S, width, height, ko_rule):
    """Enter the position into the history for superko and into the ring of recent boards."""
    if ko_rule != SIMPLE_KO:
        key = k64[q + KEY]
        if ko_rule == SITUATIONAL and U(w[b + TURN]) == ONE:
            key ^= TURN_KEY
        f = key & _FILTER_MASK
        k64[q + FILTER + (f >> U(6))] |= ONE << (f & SIXTY_THREE)
        k64[q + HISTORY + k64[q + SEEN]] = key
        k64[q + SEEN] += ONE
    to = r + (U(w[b + PLY]) % _RECENT) * width * height
    row = b + HEAD + COLOUR * P + S + ONE
    for _ in range(height):
        for x in range(width):
            b8[to + U(x)] = w[row + U(x)]
        to += width
        row += S


@kernel
def play_point(w, b, k64, q, b8, r, S, P, p, width, height, ko_rule):
    """Play the padded point p, or pass where p is 0, for the player to move."""
    if p == ZERO:
        w[b + PASSES] += ONE
        w[b + KO] = ZERO
    else:
        c = U(w[b + TURN]) + BLACK
        k64[q + KEY] ^= change_of_key(w, b, S, P, p, c)
        place(w, b, S, P, p, c)
        w[b + PASSES] = ZERO
    w[b + LAST] = p
    w[b + TURN] ^= ONE
    w[b + PLY] += ONE
    remember(w, b, k64, q, b8, r, P, S, width, height, ko_rule)


@kernel
def padded_point(action, width, height):
    """The padded point of an action (uint64); 0 for the pass."""
    if action >= width * height:
        return ZERO
    return (action // width + ONE) * (width + ONE) + action % width + ONE


@kernel
def play_action(w, b, k64, q, b8, r, S, P, action, width, height, limit, ko_rule):
    """Play an action that the caller holds to be legal.

    One that is not leaves a senseless position but stays within its row: a stone on a stone is a pass, and nothing
    is played beyond `limit` plies, where the history ends.
    """
    if U(w[b + PLY]) < limit:
        p = padded_point(U(action), width, height)
        if U(w[b + HEAD + COLOUR * P + p]) != EMPTY:
            p = ZERO
        play_point(w, b, k64, q, b8, r, S, P, p, width, height, ko_rule)


@kernel
def legal_rows(start, stop, w, k64, bytes_per_row, cold, width, height, limit, ko_rule, suicide, out):
    """Fill rows start..stop of the mask `out` [B, A]; a pass is always legal until the game has ended."""
    w, k64 = borrow(w), borrow(k64)
    S = width + ONE
    P = (height + TWO) * S + ONE
    inverse = (U(1 << 16) + S - ONE) // S  # p // S == (p * inverse) >> 16 for all p < 2**16 / S
    for i in range(start, stop):
        row = U(i) * bytes_per_row
        b = row >> ONE
        q = (row >> THREE) + cold
        ended = U(w[b + PASSES]) >= TWO or U(w[b + PLY]) >= limit
        out[i] = False
        if ended:
            continue
        out[i, width * height] = True
        vacant = b + HEAD + VACANT * P
        for j in range(U(w[b + EMPTIES])):
            p = U(w[vacant + U(j)])
            y = (p * inverse) >> SIXTEEN
            out[i, p - y - width - ONE] = is_legal(w, b, k64, q, S, P, p, ko_rule, suicide)


@kernel
def sensible_rows(start, stop, w, bytes_per_row, width, height, out):
    """Clear, in the mask `out` [B, A] of legal actions, those that fill an own single-point eye, and early passes.

    A pass makes sense as an answer to a pass, on a board half full, or when nothing else does.
    """
    w = borrow(w)
    S = width + ONE
    P = (height + TWO) * S + ONE
    for i in range(start, stop):
        b = (U(i) * bytes_per_row) >> ONE
        c = U(w[b + TURN]) + BLACK
        for a in range(out.shape[1] - 1):
            if out[i, a] and is_eye(w, b, S, P, padded_point(U(a), width, height), c):
                out[i, a] = False
        if U(w[b + PASSES]) == ZERO and TWO * U(w[b + EMPTIES]) > width * height:
            for a in range(out.shape[1] - 1):
                if out[i, a]:
                    out[i, out.shape[1] - 1] = False
                    break


@kernel
def play_rows(start, stop, w, k64, b8, bytes_per_row, cold, recent, width, height, limit, ko_rule, actions):
    """Play ``actions[i]`` on row i, for rows start..stop."""
    w, k64, b8 = borrow(w), borrow(k64), borrow(b8)
    S = width + ONE
    P = (height + TWO) * S + ONE
    for i in range(start, stop):
        row = U(i) * bytes_per_row
        b, q, r = row >> ONE, (row >> THREE) + cold, row + recent
        play_action(w, b, k64, q, b8, r, S, P, actions[i], width, height, limit, ko_rule)


@kernel
def replay_rows(start, stop, w, k64, b8, bytes_per_row, cold, recent, width, height, limit, ko_rule, paths, lengths):
    """Play the first ``lengths[i]`` actions of ``paths[i]`` on row i, for rows start..stop."""
    w, k64, b8 = borrow(w), borrow(k64), borrow(b8)
    S = width + ONE
    P = (height + TWO) * S + ONE
    for i in range(start, stop):
        row = U(i) * bytes_per_row
        b, q, r = row >> ONE, (row >> THREE) + cold, row + recent
        for j in range(lengths[i]):
            play_action(w, b, k64, q, b8, r, S, P, paths[i, j], width, height, limit, ko_rule)


@kernel
def replay_checked_rows(
    start, stop, w, k64, b8, bytes_per_row, cold, recent, width, height, limit, ko_rule, suicide, paths, lengths, played
):
    """As `replay_rows`, but stop a row at its first illegal action; `played[i]` counts those played.

    Passes are always accepted, so a record may go on after two of them, as real records do.
    """
    w, k64, b8 = borrow(w), borrow(k64), borrow(b8)
    S = width + ONE
    P = (height + TWO) * S + ONE
    area = width * height
    for i in range(start, stop):
        row = U(i) * bytes_per_row
        b = row >> ONE
        q = (row >> THREE) + cold
        played[i] = 0
        for j in range(lengths[i]):
            if paths[i, j] < 0 or U(paths[i, j]) > area or U(w[b + PLY]) >= limit:
                break
            p = padded_point(U(paths[i, j]), width, height)
            if p != ZERO and not is_legal(w, b, k64, q, S, P, p, ko_rule, suicide):
                break
            play_point(w, b, k64, q, b8, row + recent, S, P, p, width, height, ko_rule)
            played[i] += 1


@kernel
def set_up_rows(start, stop, w, k64, b8, bytes_per_row, cold, recent, width, height, ko_rule, boards, valid):
    """Put the stones of ``boards[i]`` (area points: 0 empty, 1 black, 2 white) on row i, an empty board.

    Placing them one by one captures something exactly if the whole position has a chain without liberties (more
    stones never give one back): ``valid[i]`` says that none has. The history starts anew there.
    """
    w, k64, b8 = borrow(w), borrow(k64), borrow(b8)
    S = width + ONE
    P = (height + TWO) * S + ONE
    for i in range(start, stop):
        row = U(i) * bytes_per_row
        b = row >> ONE
        q = (row >> THREE) + cold
        valid[i] = True
        for a in range(width * height):
            c = U(boards[i, a])
            if c != EMPTY:
                p = padded_point(U(a), width, height)
                vacant = U(w[b + EMPTIES])
                k64[q + KEY] ^= ZOBRIST[(c - ONE) * COLOUR_KEYS + p]
                place(w, b, S, P, p, c)
                if U(w[b + EMPTIES]) + ONE != vacant:
                    valid[i] = False
                    break
        w[b + KO] = ZERO
        w[b + TAKEN_BLACK] = ZERO
        w[b + TAKEN_WHITE] = ZERO
        k64[q + SEEN] = ZERO
        for f in range(U(FILTER_WORDS)):
            k64[q + FILTER + U(f)] = ZERO
        remember(w, b, k64, q, b8, row + recent, P, S, width, height, ko_rule)
