"""What happens on a whole record: legal actions, playing with history, endings; one row or a batch.

Flat uint64 words `w`, the offset `b` of a row (see `state`). An ended game has no legal actions.
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.game import Ending
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.actions import action_of, move_of
from sakiyomi.boards.shogi.attacks import first, is_attacked, king_square, occupied, without_first
from sakiyomi.boards.shogi.make import full_key, make
from sakiyomi.boards.shogi.movegen import count_moves, held, list_moves, piece_on
from sakiyomi.boards.shogi.state import (
    BISHOP,
    BLACK_LOSES,
    BYTE,
    CHECK_BITS,
    DRAWN,
    FIRST_BITS,
    FIRST_SHIFT,
    HANDS,
    KEY,
    KEYS,
    MAIL,
    META,
    MOST_MOVES,
    NO_VERDICT,
    PLY_SHIFT,
    RECENT,
    RECENTS,
    REPEATS_SHIFT,
    ROOK,
    SIDES,
    SNAPSHOT,
    STATUS,
    VERDICT_SHIFT,
    WHITE_LOSES,
    WORDS,
)
from sakiyomi.boards.shogi.tables import ZONE

_TWO, _THREE, _FIVE, _TEN, _SIXTEEN, _SQUARES = U(2), U(3), U(5), U(10), U(16), U(81)
_LAST_RECENT, _SNAPSHOT, _MAIL_WORDS = U(RECENT - 1), U(SNAPSHOT), U(11)
ONGOING, CHECKMATE, NO_MOVES = U(Ending.ONGOING), U(Ending.CHECKMATE), U(Ending.NO_MOVES)
REPETITION, PERPETUAL_CHECK = U(Ending.REPETITION), U(Ending.PERPETUAL_CHECK)
MOVE_LIMIT = U(Ending.MOVE_LIMIT)
NO_DECLARATION, DECLARED_WIN, DECLARED_DRAW = 0, 1, 2


@kernel
def played(w, b):
    """Plies since the first position."""
    return (w[b + META] >> PLY_SHIFT) - ((w[b + META] >> FIRST_SHIFT) & FIRST_BITS)


@kernel
def verdict(w, b):
    """What the fourth occurrence of the position made of the game, if it is one."""
    return (w[b + STATUS] >> VERDICT_SHIFT) & BYTE


@kernel
def recent_slot(w, b, back):
    """Where the position `back` plies ago is kept for the planes, if the game is that old."""
    return b + RECENTS + (((w[b + META] >> PLY_SHIFT) - back) & _LAST_RECENT) * _SNAPSHOT


@kernel
def in_check(w, b):
    """Is the player to move in check?"""
    side = w[b + META] & ONE
    king = king_square(w, b, side)
    if king >= _SQUARES:
        return False
    lo, hi = occupied(w, b)
    return is_attacked(w, b, king, side ^ ONE, lo, hi)


@kernel
def judge_repetition(w, b):
    """Enter the position into the history; returns the new status word.

    The fourth occurrence is a draw; if between the first and it one side did nothing but give check, that side loses
    (if both did, a draw).
    """
    now, turn, key, status = played(w, b), w[b + META] & ONE, w[b + KEY], w[b + STATUS]
    w[b + KEYS + now] = key
    shift = (turn ^ ONE) * _SIXTEEN  # of the checks of the player who has moved
    checks = (status >> shift) & CHECK_BITS
    status &= ~(CHECK_BITS << shift)
    if in_check(w, b):
        status |= (checks + ONE) << shift
    times, since = ZERO, now
    back = now
    while back >= _TWO:
        back -= _TWO
        if w[b + KEYS + back] == key:
            times += ONE
            since = back
    status &= ~((BYTE << REPEATS_SHIFT) | (BYTE << VERDICT_SHIFT))
    status |= min(times, BYTE) << REPEATS_SHIFT
    if times >= _THREE:
        cycle = (now - since) >> 1
        black = status & CHECK_BITS >= cycle
        white = (status >> _SIXTEEN) & CHECK_BITS >= cycle
        found = DRAWN
        if black != white:
            found = BLACK_LOSES if black else WHITE_LOSES
        status |= found << VERDICT_SHIFT
    return status


@kernel
def remember(w, b):
    """Enter the position into the history and among the recent ones."""
    status = judge_repetition(w, b)
    w[b + STATUS] = status
    slot = recent_slot(w, b, ZERO)
    for j in range(_MAIL_WORDS):
        w[slot + U(j)] = w[b + MAIL + U(j)]
    w[slot + _MAIL_WORDS] = w[b + HANDS]
    w[slot + _MAIL_WORDS + ONE] = w[b + HANDS + ONE]
    w[slot + _MAIL_WORDS + _TWO] = (status >> REPEATS_SHIFT) & BYTE


@kernel
def play(w, b, action):
    """Play a legal `action` (uint64) on the row at `b`."""
    make(w, b, b, move_of(action, w[b + META] & ONE))
    remember(w, b)


@kernel
def ending(w, b, limit):
    """The `Ending` code; of several reasons having no move comes first, then repetition, then the limit of plies."""
    if count_moves(w, b) == ZERO:
        return CHECKMATE if in_check(w, b) else NO_MOVES
    found = verdict(w, b)
    if found == DRAWN:
        return REPETITION
    if found != NO_VERDICT:
        return PERPETUAL_CHECK
    return MOVE_LIMIT if played(w, b) >= limit else ONGOING


@kernel
def list_legal(w, b, limit, moves):
    """Write the moves that may be played in the row at `b` into `moves`; returns how many, 0 after the end."""
    if verdict(w, b) != NO_VERDICT or played(w, b) >= limit:
        return ZERO
    return list_moves(w, b, moves, ZERO)


@kernel
def declaration(w, b, half_points):
    """May the player to move declare: DECLARED_WIN, DECLARED_DRAW or NO_DECLARATION?

    His king stands in the promotion zone and not in check, with ten other pieces of his; those and his hand count one
    point each, bishops and rooks five. 27-point rule: Black wins with 28, White with 27. 24-point rule
    (`half_points`): either wins with 31 and draws with 24.
    """
    side = w[b + META] & ONE
    z, own = _TWO * side, b + SIDES + _TWO * side
    lo, hi = w[own] & ZONE[z], w[own + ONE] & ZONE[z + ONE]
    king = king_square(w, b, side)
    if king >= _SQUARES or in_check(w, b):
        return NO_DECLARATION
    inside, count, points = False, ZERO, ZERO
    while lo | hi != ZERO:
        square = first(lo, hi)
        lo, hi = without_first(lo, hi)
        kind = piece_on(w, b, square) & U(7)  # promotion left out, a king 0
        if square == king:
            inside = True
        else:
            count += ONE
            points += _FIVE if kind in (BISHOP, ROOK) else ONE
    for kind in range(1, 8):
        points += held(w[b + HANDS + side], U(kind)) * (_FIVE if U(kind) >= BISHOP else ONE)
    if not inside or count < _TEN:
        return NO_DECLARATION
    if half_points:
        return DECLARED_WIN if points >= U(31) else DECLARED_DRAW if points >= U(24) else NO_DECLARATION
    return DECLARED_WIN if points >= U(28) - side else NO_DECLARATION


# --- batches


@kernel
def legal_rows(start, stop, w, limit, out):
    """`out` bool [B, A]."""
    w, memory = borrow(w), np.empty(MOST_MOVES, np.uint16)
    moves = borrow(memory)
    for i in range(start, stop):
        out[i, :] = False
        b = U(i) * WORDS
        side = w[b + META] & ONE
        for m in range(list_legal(w, b, limit, moves)):
            out[i, action_of(U(moves[U(m)]), side)] = True
    memory[ZERO] = 0  # a last use, which keeps the memory until here


@kernel
def actions_rows(start, stop, w, limit, actions, counts):
    """The legal actions of each row, not sorted: `actions` int32 [B, width], -1 behind the last; `counts` int32 [B]."""
    w, memory = borrow(w), np.empty(MOST_MOVES, np.uint16)
    moves = borrow(memory)
    for i in range(start, stop):
        b = U(i) * WORDS
        side = w[b + META] & ONE
        count = list_legal(w, b, limit, moves)
        counts[i] = count
        actions[i, :] = -1
        for m in range(min(count, U(actions.shape[1]))):
            actions[i, m] = action_of(U(moves[U(m)]), side)
    memory[ZERO] = 0  # a last use, which keeps the memory until here


@kernel
def moves_rows(start, stop, w, moves, counts):
    """The moves of each row, ended or not: `moves` uint16 [B * MOST_MOVES], `counts` int32 [B]."""
    w, moves = borrow(w), borrow(moves)
    for i in range(start, stop):
        begin = U(i) * U(MOST_MOVES)
        counts[i] = list_moves(w, U(i) * WORDS, moves, begin) - begin


@kernel
def play_rows(start, stop, w, actions):
    """`actions` int32 [B], in place."""
    w = borrow(w)
    for i in range(start, stop):
        play(w, U(i) * WORDS, U(actions[i]))


@kernel
def replay_rows(start, stop, w, paths, lengths):
    """Play the first ``lengths[i]`` actions of ``paths[i]`` (int32 [B], [B, D]), in place."""
    w = borrow(w)
    for i in range(start, stop):
        for depth in range(lengths[i]):
            play(w, U(i) * WORDS, U(paths[i, depth]))


@kernel
def make_rows(start, stop, w, moves):
    """Play ``moves[i]`` (uint16 [B]) on each row without its history: for perft and the checks of notation."""
    w = borrow(w)
    for i in range(start, stop):
        make(w, U(i) * WORDS, U(i) * WORDS, U(moves[i]))


@kernel
def ending_rows(start, stop, w, limit, out):
    """`out` int8 [B]."""
    w = borrow(w)
    for i in range(start, stop):
        out[i] = ending(w, U(i) * WORDS, limit)


@kernel
def result_rows(start, stop, w, limit, out):
    """`out` int8 [B]: 1, 0 or -1 for Black."""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        why = ending(w, b, limit)
        out[i] = 0
        if why in (CHECKMATE, NO_MOVES):
            out[i] = 1 if w[b + META] & ONE != ZERO else -1
        elif why == PERPETUAL_CHECK:
            out[i] = 1 if verdict(w, b) == WHITE_LOSES else -1


@kernel
def declaration_rows(start, stop, w, half_points, out):
    """`out` int8 [B]: see `declaration`."""
    w = borrow(w)
    for i in range(start, stop):
        out[i] = declaration(w, U(i) * WORDS, half_points)


@kernel
def status_rows(start, stop, w, counts, checks):
    """Moves and check of each row, ended or not: `counts` int32 [B], `checks` bool [B]."""
    w = borrow(w)
    for i in range(start, stop):
        counts[i] = count_moves(w, U(i) * WORDS)
        checks[i] = in_check(w, U(i) * WORDS)


@kernel
def begin_rows(start, stop, w):
    """Begin the history of each row at the position that its boards, hands and meta word describe."""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        w[b + KEY] = full_key(w, b)
        w[b + STATUS] = ZERO
        remember(w, b)
        w[b + STATUS] = ZERO


@kernel
def key_rows(start, stop, w, out):
    """`out` uint64 [B], the keys computed afresh."""
    w = borrow(w)
    for i in range(start, stop):
        out[i] = full_key(w, U(i) * WORDS)


@kernel
def kings_rows(start, stop, w, out):
    """`out` bool [B]: is the king of the player who has moved attacked, so that the position cannot be?"""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        side = w[b + META] & ONE
        king = king_square(w, b, side ^ ONE)
        lo, hi = occupied(w, b)
        out[i] = king < _SQUARES and is_attacked(w, b, king, side, lo, hi)
