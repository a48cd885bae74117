"""What happens on a whole record: legal actions, playing with history, endings; one row or a batch.

Flat uint64 words `w`, the offset `b` of a row (see `state`). An ended game has no legal actions.
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U, flipped, lsb, popcount
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.chess.actions import action_of, move_of
from sakiyomi.boards.chess.attacks import attackers, is_attacked
from sakiyomi.boards.chess.make import full_key, make
from sakiyomi.boards.chess.movegen import en_passant_pawns
from sakiyomi.boards.chess.perft import count_row, list_row
from sakiyomi.boards.chess.state import (
    CLOCK_BITS,
    CLOCK_SHIFT,
    DIAGONALS,
    EP_BITS,
    HISTORY,
    KEY,
    KEYS,
    KINGS,
    KNIGHTS,
    META,
    MOST_MOVES,
    ORTHOGONALS,
    OWN,
    PAWNS,
    PLY_SHIFT,
    RECENT,
    RECENTS,
    SINCE,
    TURN_SHIFT,
    WORDS,
)
from sakiyomi.boards.chess.tables import LIGHT
from sakiyomi.boards.game import Ending
from sakiyomi.boards.kernel import kernel

_TWO, _FOUR, _SEVEN, _EIGHT = U(2), U(4), U(7), U(8)
_SEVENTY_FIVE_MOVES, _FIFTY_MOVES = U(150), U(100)
_LAST_RECENT = U(RECENT - 1)
_HISTORY = U(HISTORY)
ONGOING = U(Ending.ONGOING)
CHECKMATE, STALEMATE = U(Ending.CHECKMATE), U(Ending.STALEMATE)
INSUFFICIENT_MATERIAL = U(Ending.INSUFFICIENT_MATERIAL)
REPETITION, FIFTY, SEVENTY_FIVE = U(Ending.REPETITION), U(Ending.FIFTY_MOVES), U(Ending.SEVENTYFIVE_MOVES)


@kernel
def clock(w, b):
    """Plies since the last capture or pawn move."""
    return (w[b + META] & CLOCK_BITS) >> CLOCK_SHIFT


@kernel
def recent_slot(w, b, back):
    """Where the position `back` plies ago is kept for the planes, if the game is that old."""
    return b + RECENTS + (((w[b + META] >> PLY_SHIFT) - back) & _LAST_RECENT) * _EIGHT


@kernel
def earlier(w, b):
    """How often the position had occurred before: it can only have since the clock's last reset, in even plies."""
    now, since, key = clock(w, b), w[b + SINCE], w[b + KEY]
    times = ZERO
    if now >= _HISTORY:
        return times
    while now >= since + _TWO:
        now -= _TWO
        times += U(w[b + KEYS + now] == key)
    return times


@kernel
def remember_key(w, b):
    """Enter the position into the history; returns how often it had occurred before."""
    now = clock(w, b)
    if now == ZERO:
        w[b + SINCE] = ZERO
    if now < _HISTORY:
        w[b + KEYS + now] = w[b + KEY]
    return earlier(w, b)


@kernel
def remember(w, b):
    """Enter the position into the history and among the recent ones."""
    slot = recent_slot(w, b, ZERO)
    w[slot + PAWNS] = w[b + PAWNS]
    w[slot + KNIGHTS] = w[b + KNIGHTS]
    w[slot + DIAGONALS] = w[b + DIAGONALS]
    w[slot + ORTHOGONALS] = w[b + ORTHOGONALS]
    w[slot + KINGS] = w[b + KINGS]
    w[slot + OWN] = w[b + OWN]
    w[slot + _SEVEN] = remember_key(w, b)


@kernel
def play(w, b, action, chess960):
    """Play a legal `action` (uint64) on the row at `b`."""
    make(w, b, b, move_of(w, b, action, chess960))
    remember(w, b)


@kernel
def insufficient_material(w, b):
    """Can neither side ever mate: bare kings, one knight, or bishops of one square colour only?"""
    D, R, N = w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KNIGHTS]
    if w[b + PAWNS] | R != ZERO:
        return False
    if N == ZERO:
        return D & LIGHT == ZERO or D & ~LIGHT == ZERO
    return D == ZERO and popcount(N) == ONE


@kernel
def in_check(w, b):
    """Is the player to move in check?"""
    P, N, D, R, K, own = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS], w[b + OWN]
    occupied = P | N | D | R | K
    return is_attacked(lsb(K & own), P, N, D, R, K, occupied ^ own, occupied)


@kernel
def drawn_by_rule(w, b, before):
    """Has the game ended whatever moves there are? `before`: how often the position had occurred before."""
    return insufficient_material(w, b) or clock(w, b) >= _SEVENTY_FIVE_MOVES or before >= _FOUR


@kernel
def ending(w, b):
    """The `Ending` code; of several reasons mate comes first, then material, stalemate, clock and repetition."""
    if insufficient_material(w, b):
        return INSUFFICIENT_MATERIAL
    if count_row(w, b) == ZERO:
        return CHECKMATE if in_check(w, b) else STALEMATE
    if clock(w, b) >= _SEVENTY_FIVE_MOVES:
        return SEVENTY_FIVE
    if w[recent_slot(w, b, ZERO) + _SEVEN] >= _FOUR:
        return REPETITION
    return ONGOING


@kernel
def list_legal(w, b, moves):
    """Write the moves that may be played in the row at `b` into `moves`; returns how many, 0 after the end."""
    if drawn_by_rule(w, b, w[recent_slot(w, b, ZERO) + _SEVEN]):
        return ZERO
    return list_row(w, b, moves, ZERO)


@kernel
def legal_rows(start, stop, w, chess960, out):
    """`out` bool [B, A]."""
    w, memory = borrow(w), np.empty(MOST_MOVES, np.uint16)
    moves = borrow(memory)
    for i in range(start, stop):
        out[i, :] = False
        for m in range(list_legal(w, U(i) * WORDS, moves)):
            out[i, action_of(U(moves[U(m)]), chess960)] = True
    memory[ZERO] = 0  # a last use, which keeps the memory until here


@kernel
def actions_rows(start, stop, w, chess960, actions, counts):
    """The legal actions of each row, not sorted: `actions` int32 [B, width], -1 behind the last; `counts` int32 [B].

    A set-up that no game reaches may have more than `width`: they are left out of `actions`, not of `counts`.
    """
    w, memory = borrow(w), np.empty(MOST_MOVES, np.uint16)
    moves = borrow(memory)
    for i in range(start, stop):
        count = list_legal(w, U(i) * WORDS, moves)
        counts[i] = count
        actions[i, :] = -1
        for m in range(min(count, U(actions.shape[1]))):
            actions[i, m] = action_of(U(moves[U(m)]), chess960)
    memory[ZERO] = 0  # a last use, which keeps the memory until here


@kernel
def moves_rows(start, stop, w, moves, counts):
    """The moves of each row, ended or not: `moves` uint16 [B * MOST_MOVES], `counts` int32 [B]."""
    w, moves = borrow(w), borrow(moves)
    for i in range(start, stop):
        first = U(i) * U(MOST_MOVES)
        counts[i] = list_row(w, U(i) * WORDS, moves, first) - first


@kernel
def play_rows(start, stop, w, chess960, actions):
    """`actions` int32 [B], in place."""
    w = borrow(w)
    for i in range(start, stop):
        play(w, U(i) * WORDS, U(actions[i]), chess960)


@kernel
def replay_rows(start, stop, w, chess960, paths, lengths):
    """Play the first ``lengths[i]`` actions of ``paths[i]`` (int32 [B], [B, D]), in place."""
    w = borrow(w)
    for i in range(start, stop):
        for depth in range(lengths[i]):
            play(w, U(i) * WORDS, U(paths[i, depth]), chess960)


@kernel
def make_rows(start, stop, w, moves):
    """Play ``moves[i]`` (uint16 [B]) on each row without its history: for perft and the checks of notation."""
    w = borrow(w)
    for i in range(start, stop):
        make(w, U(i) * WORDS, U(i) * WORDS, U(moves[i]))


@kernel
def ending_rows(start, stop, w, out):
    """`out` int8 [B]."""
    w = borrow(w)
    for i in range(start, stop):
        out[i] = ending(w, U(i) * WORDS)


@kernel
def result_rows(start, stop, w, out):
    """`out` int8 [B]: 1, 0 or -1 for White."""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        out[i] = 0
        if ending(w, b) == CHECKMATE:
            out[i] = 1 if (w[b + META] >> TURN_SHIFT) & ONE != ZERO else -1


@kernel
def claim_rows(start, stop, w, out):
    """`out` int8 [B]: the `Ending` that the player to move may claim in this position, or ONGOING."""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        out[i] = ONGOING
        if ending(w, b) == ONGOING:
            if clock(w, b) >= _FIFTY_MOVES:
                out[i] = FIFTY
            elif w[recent_slot(w, b, ZERO) + _SEVEN] >= _TWO:
                out[i] = REPETITION


@kernel
def status_rows(start, stop, w, counts, checks):
    """Moves and check of each row, ended or not: `counts` int32 [B], `checks` bool [B]."""
    w = borrow(w)
    for i in range(start, stop):
        counts[i] = count_row(w, U(i) * WORDS)
        checks[i] = in_check(w, U(i) * WORDS)


@kernel
def begin_rows(start, stop, w):
    """Begin the history of each row at the position that its boards and meta word describe."""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        w[b + KEY] = full_key(w, b)
        w[b + SINCE] = clock(w, b)
        remember(w, b)
        w[b + SINCE] = clock(w, b)


@kernel
def key_rows(start, stop, w, out):
    """`out` uint64 [B], the keys computed afresh."""
    w = borrow(w)
    for i in range(start, stop):
        out[i] = full_key(w, U(i) * WORDS)


@kernel
def en_passant_rows(start, stop, w, out):
    """`out` bool [B]: can some pawn legally take on the row's en passant square?"""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        P, N, D, R, K = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS]
        own, ep = w[b + OWN], w[b + META] & EP_BITS
        out[i] = ep != ZERO and en_passant_pawns(lsb(K & own), P, N, D, R, own, ep, P | N | D | R | K) != ZERO


@kernel
def checkers_rows(start, stop, w, out):
    """`out` uint64 [B, 2]: the pieces that check the player to move, and the other, as each sees the board."""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        P, N, D, R, K = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS]
        own, occupied = w[b + OWN], P | N | D | R | K
        out[i, 0] = attackers(lsb(K & own), P, N, D, R, K, occupied ^ own, occupied)
        P, N, D, R, K = flipped(P), flipped(N), flipped(D), flipped(R), flipped(K)
        own, occupied = flipped(own), flipped(occupied)
        out[i, 1] = attackers(lsb(K & ~own), P, N, D, R, K, own, occupied)
