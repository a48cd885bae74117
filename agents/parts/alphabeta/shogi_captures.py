"""The moves that change material, and whether an exchange wins or loses it.

Boards and squares (uint64) as in `boards.shogi.state`.
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.attacks import (
    bishop,
    checkers_and_pins,
    first,
    king_square,
    lance,
    occupied,
    rook,
    slide_attackers,
    square_bit,
    step_attackers,
    stepped,
    targets,
    without_first,
)
from sakiyomi.boards.shogi.movegen import piece_on, put, put_pawns, put_piece, safe_steps
from sakiyomi.boards.shogi.state import (
    BISHOP,
    BISHOPS,
    DROP,
    FROM_SHIFT,
    GOLDS,
    KINGS,
    KNIGHT,
    KNIGHTS,
    LANCE,
    LANCES,
    META,
    PAWN,
    PAWNS,
    PROMOTED,
    PROMOTES,
    ROOK,
    ROOKS,
    SIDES,
    SILVER,
    SILVERS,
    SQUARE_BITS,
    STRONG,
)
from sakiyomi.boards.shogi.tables import GOLD_TO, KING_TO, KNIGHT_TO, SILVER_TO, THROUGH, ZONE

_SQUARES, _TWO, _KIND = U(81), U(2), U(15)

WORTH = np.array([0, 180, 630, 810, 990, 1080, 1710, 1980, 20_000, 630, 855, 945, 1035, 0, 1800, 2385], np.int64)
"""Roughly, in points, what taking a piece wins, by kind: what it is worth on the board and then in the taker's hand."""
PROMOTION = np.array([0, 450, 225, 135, 45, 0, 90, 405, 0, 0, 0, 0, 0, 0, 0, 0], np.int64)
"""What promoting a kind of piece wins."""


@kernel
def mover(w, b, move):
    """The kind of the piece that `move` moves or drops."""
    origin = (move >> FROM_SHIFT) & SQUARE_BITS
    return origin - DROP + ONE if origin >= DROP else piece_on(w, b, origin) & _KIND


@kernel
def taken(w, b, move):
    """The kind of piece that `move` takes, 0 for none."""
    return piece_on(w, b, move & SQUARE_BITS) & _KIND


@kernel
def always_promotes(kind):
    """Is a piece of this kind better promoted, save for curiosities?"""
    return kind in (PAWN, BISHOP, ROOK)


@kernel
def is_quiet(w, b, move):
    """Does `move` neither take anything nor promote a pawn, bishop or rook?"""
    if taken(w, b, move) != ZERO:
        return False
    return move & PROMOTES == ZERO or not always_promotes(mover(w, b, move))


@kernel
def put_forcing(moves, m, kind, side, square, t_lo, t_hi, enemy_lo, enemy_hi):
    """Write what a piece on `square` takes among its targets and, for a pawn, bishop or rook, where it promotes."""
    if not always_promotes(kind):
        return put_piece(moves, m, kind, side, square, t_lo & enemy_lo, t_hi & enemy_hi)
    z, origin = _TWO * side, square << FROM_SHIFT
    zone_lo, zone_hi = ZONE[z], ZONE[z + ONE]
    bit_lo, bit_hi = square_bit(square)
    if (bit_lo & zone_lo) | (bit_hi & zone_hi) != ZERO:
        return put(moves, m, origin | PROMOTES, t_lo, t_hi)
    m = put(moves, m, origin | PROMOTES, t_lo & zone_lo, t_hi & zone_hi)
    return put(moves, m, origin, t_lo & enemy_lo & ~zone_lo, t_hi & enemy_hi & ~zone_hi)


@kernel
def list_captures(w, b, moves, m):
    """Write the legal moves, not in check, that take something or promote a pawn, bishop or rook into `moves` from
    index m on; returns the index behind them. Those three never take without promotion where they could promote.
    """
    side = w[b + META] & ONE
    own_lo, own_hi = w[b + SIDES + _TWO * side], w[b + SIDES + _TWO * side + ONE]
    lo, hi = occupied(w, b)
    enemy_lo, enemy_hi = lo ^ own_lo, hi ^ own_hi
    not_own_lo, not_own_hi = ~own_lo, ~own_hi
    king = king_square(w, b, side)
    if king < _SQUARES and (KING_TO[_TWO * king] & enemy_lo) | (KING_TO[_TWO * king + ONE] & enemy_hi) != ZERO:
        t_lo, t_hi = safe_steps(w, b, king, side, own_lo, own_hi, lo, hi)
        m = put(moves, m, king << FROM_SHIFT, t_lo & enemy_lo, t_hi & enemy_hi)
    _, _, p_lo, p_hi, q_lo, q_hi = checkers_and_pins(w, b, king, side, lo, hi)
    while p_lo | p_hi != ZERO:
        line = _TWO * (king * _SQUARES + first(p_lo, p_hi))
        square = first(THROUGH[line] & own_lo, THROUGH[line + ONE] & own_hi)
        p_lo, p_hi = without_first(p_lo, p_hi)
        kind = piece_on(w, b, square) & _KIND
        t_lo, t_hi = targets(kind, side, square, lo, hi)
        t_lo, t_hi = t_lo & THROUGH[line] & not_own_lo, t_hi & THROUGH[line + ONE] & not_own_hi
        m = put_forcing(moves, m, kind, side, square, t_lo, t_hi, enemy_lo, enemy_hi)
    free_lo, free_hi = own_lo & ~q_lo, own_hi & ~q_hi
    z = _TWO * side
    zone_lo, zone_hi = ZONE[z], ZONE[z + ONE]
    t_lo, t_hi = w[b + PAWNS] & free_lo, w[b + PAWNS + ONE] & free_hi
    step = ONE
    if side == ZERO:
        t_lo, t_hi = (t_lo >> 1) & not_own_lo, (t_hi >> 1) & not_own_hi
    else:
        t_lo, t_hi = (t_lo << 1) & not_own_lo, (t_hi << 1) & not_own_hi
        step = ZERO - ONE
    m = put_pawns(moves, m, step, t_lo & zone_lo, t_hi & zone_hi, PROMOTES)
    m = put_pawns(moves, m, step, t_lo & enemy_lo & ~zone_lo, t_hi & enemy_hi & ~zone_hi, ZERO)
    a_lo, a_hi = w[b + LANCES] & free_lo, w[b + LANCES + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = lance(side, square, lo, hi)
        m = put_piece(moves, m, LANCE, side, square, t_lo & enemy_lo, t_hi & enemy_hi)
    entry = side * _SQUARES
    a_lo, a_hi = w[b + KNIGHTS] & free_lo, w[b + KNIGHTS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = stepped(KNIGHT_TO, entry + square)
        m = put_piece(moves, m, KNIGHT, side, square, t_lo & enemy_lo, t_hi & enemy_hi)
    a_lo, a_hi = w[b + SILVERS] & free_lo, w[b + SILVERS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = stepped(SILVER_TO, entry + square)
        m = put_piece(moves, m, SILVER, side, square, t_lo & enemy_lo, t_hi & enemy_hi)
    a_lo, a_hi = w[b + GOLDS] & free_lo, w[b + GOLDS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = stepped(GOLD_TO, entry + square)
        m = put(moves, m, square << FROM_SHIFT, t_lo & enemy_lo, t_hi & enemy_hi)
    strong_lo, strong_hi = w[b + STRONG], w[b + STRONG + ONE]
    a_lo, a_hi = w[b + BISHOPS] & free_lo, w[b + BISHOPS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = bishop(square, lo, hi)
        t_lo, t_hi = t_lo & not_own_lo, t_hi & not_own_hi
        m = put_sliding(moves, m, BISHOP, side, square, t_lo, t_hi, enemy_lo, enemy_hi, strong_lo, strong_hi)
    a_lo, a_hi = w[b + ROOKS] & free_lo, w[b + ROOKS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = rook(square, lo, hi)
        t_lo, t_hi = t_lo & not_own_lo, t_hi & not_own_hi
        m = put_sliding(moves, m, ROOK, side, square, t_lo, t_hi, enemy_lo, enemy_hi, strong_lo, strong_hi)
    return m


@kernel
def put_sliding(moves, m, kind, side, square, t_lo, t_hi, enemy_lo, enemy_hi, strong_lo, strong_hi):
    """Write the same for a bishop or rook, or a horse or dragon, with the sliding targets given."""
    bit_lo, bit_hi = square_bit(square)
    if (bit_lo & strong_lo) | (bit_hi & strong_hi) != ZERO:
        t_lo, t_hi = t_lo | KING_TO[_TWO * square], t_hi | KING_TO[_TWO * square + ONE]
        return put(moves, m, square << FROM_SHIFT, t_lo & enemy_lo, t_hi & enemy_hi)
    return put_forcing(moves, m, kind, side, square, t_lo, t_hi, enemy_lo, enemy_hi)


@kernel
def takers(w, b, square, side, lo, hi):
    """The pieces of `side`, among those on the board lo, hi, that attack `square`, which they also block."""
    t_lo, t_hi = slide_attackers(w, b, square, side, lo, hi)
    t_lo |= step_attackers(w, b, square, side, ZERO)
    t_hi |= step_attackers(w, b, square, side, ONE)
    own, at = b + SIDES + _TWO * side, _TWO * square
    t_lo |= KING_TO[at] & w[b + KINGS] & w[own]
    t_hi |= KING_TO[at + ONE] & w[b + KINGS + ONE] & w[own + ONE]
    return t_lo & lo, t_hi & hi


@kernel
def least(w, b, lo, hi):
    """The square and kind of the least valuable of the pieces lo, hi, which are not none."""
    best, best_kind = first(lo, hi), U(0)
    worth = np.int64(1 << 30)
    while lo | hi != ZERO:
        square = first(lo, hi)
        lo, hi = without_first(lo, hi)
        kind = piece_on(w, b, square) & _KIND
        if WORTH[kind] < worth:
            best, best_kind, worth = square, kind, WORTH[kind]
    return best, best_kind


@kernel
def loses_material(w, b, move):
    """Does `move` lose material once both sides have taken on its square what pays?

    Static exchange evaluation by the swap-off algorithm (chessprogramming.org/SEE_-_The_Swap_Algorithm): the least
    valuable piece takes first, pieces behind it join in; pins, and promotions after the first move, are not looked at.
    """
    side = w[b + META] & ONE
    to, origin = move & SQUARE_BITS, (move >> FROM_SHIFT) & SQUARE_BITS
    kind = mover(w, b, move)
    balance = WORTH[taken(w, b, move)]
    if move & PROMOTES != ZERO:
        balance += PROMOTION[kind]
        kind += PROMOTED
    balance -= WORTH[kind]  # if the piece is lost and nothing more happens
    if balance >= 0:
        return False
    lo, hi = occupied(w, b)
    bit_lo, bit_hi = square_bit(to)
    lo, hi = lo | bit_lo, hi | bit_hi
    if origin < DROP:
        bit_lo, bit_hi = square_bit(origin)
        lo, hi = lo ^ bit_lo, hi ^ bit_hi
    ours = False  # whose turn to take; `balance` is the other's, should he lose the piece that has just taken
    while True:
        t_lo, t_hi = takers(w, b, to, side if ours else side ^ ONE, lo, hi)
        if t_lo | t_hi == ZERO:
            break
        square, kind = least(w, b, t_lo, t_hi)
        bit_lo, bit_hi = square_bit(square)
        lo, hi = lo ^ bit_lo, hi ^ bit_hi
        ours = not ours
        balance = -balance - 1 - WORTH[kind]
        if balance >= 0:  # enough, even if that piece is lost; but a king may not take what is defended
            if kind == U(8):
                t_lo, t_hi = takers(w, b, to, side if ours else side ^ ONE, lo, hi)
                if t_lo | t_hi != ZERO:
                    ours = not ours
            break
    return ours
