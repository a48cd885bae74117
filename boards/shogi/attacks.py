"""What pieces attack, on boards of two words (see `state`).

Sliding pieces, ray by ray: towards higher squares the first blocker is the lowest bit of the blockers on the ray, and
``x ^ (x - 1)`` are all squares up to it; towards lower squares it is the highest one.
"""

from sakiyomi.boards.bits import FULL, ONE, ZERO, U, lsb, msb, without_lsb
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.state import (
    BISHOP,
    BISHOPS,
    DRAGON,
    GOLDS,
    HORSE,
    KING,
    KINGS,
    KNIGHT,
    KNIGHTS,
    LANCE,
    LANCES,
    PAWN,
    PAWNS,
    ROOK,
    ROOKS,
    SIDES,
    SILVER,
    SILVERS,
    STRONG,
)
from sakiyomi.boards.shogi.tables import (
    DIAGONALS,
    DOWN,
    DOWN_LEFT,
    DOWN_RIGHT,
    GOLD_TO,
    KING_TO,
    KNIGHT_TO,
    LANCE_RAY,
    LEFT,
    ORTHOGONALS,
    PAWN_TO,
    RAY,
    RIGHT,
    SILVER_TO,
    THROUGH,
    UP,
    UP_LEFT,
    UP_RIGHT,
)

_SQUARES, _LO, _TWO = U(81), U(63), U(2)


@kernel
def first(lo, hi):
    """The lowest square of a board that is not empty."""
    return lsb(lo) if lo != ZERO else _LO + lsb(hi)


@kernel
def without_first(lo, hi):
    """A board without its lowest square."""
    if lo != ZERO:
        return without_lsb(lo), hi
    return lo, without_lsb(hi)


@kernel
def square_bit(square):
    """The board of one square."""
    return (ONE << square, ZERO) if square < _LO else (ZERO, ONE << (square - _LO))


@kernel
def upwards(entry, lo, hi):
    """The squares of ray `entry`, one that leads to higher squares, up to the first that is occupied."""
    ray_lo, ray_hi = RAY[_TWO * entry], RAY[_TWO * entry + ONE]
    lo &= ray_lo
    hi &= ray_hi
    if lo != ZERO:
        return ray_lo & (lo ^ (lo - ONE)), ZERO
    return ray_lo, ray_hi & (hi ^ (hi - ONE))


@kernel
def downwards(entry, lo, hi):
    """The squares of ray `entry`, one that leads to lower squares, up to the first that is occupied."""
    ray_lo, ray_hi = RAY[_TWO * entry], RAY[_TWO * entry + ONE]
    lo &= ray_lo
    hi &= ray_hi
    if hi != ZERO:
        return ZERO, ray_hi & (FULL << msb(hi))
    return ray_lo & (FULL << msb(lo | ONE)), ray_hi


@kernel
def bishop(square, lo, hi):
    """A bishop's attacks, with the board lo, hi as blockers."""
    a_lo, a_hi = upwards(DOWN_LEFT + square, lo, hi)
    b_lo, b_hi = upwards(UP_LEFT + square, lo, hi)
    c_lo, c_hi = downwards(UP_RIGHT + square, lo, hi)
    d_lo, d_hi = downwards(DOWN_RIGHT + square, lo, hi)
    return a_lo | b_lo | c_lo | d_lo, a_hi | b_hi | c_hi | d_hi


@kernel
def rook(square, lo, hi):
    """A rook's attacks."""
    a_lo, a_hi = upwards(DOWN + square, lo, hi)
    b_lo, b_hi = upwards(LEFT + square, lo, hi)
    c_lo, c_hi = downwards(UP + square, lo, hi)
    d_lo, d_hi = downwards(RIGHT + square, lo, hi)
    return a_lo | b_lo | c_lo | d_lo, a_hi | b_hi | c_hi | d_hi


@kernel
def lance(side, square, lo, hi):
    """The attacks of a lance of `side`."""
    if side == ZERO:
        return downwards(UP + square, lo, hi)
    return upwards(DOWN + square, lo, hi)


@kernel
def stepped(table, entry):
    """A board of a table of steps."""
    return table[_TWO * entry], table[_TWO * entry + ONE]


@kernel
def occupied(w, b):
    """All pieces of the row at `b`."""
    return w[b + SIDES] | w[b + SIDES + _TWO], w[b + SIDES + ONE] | w[b + SIDES + U(3)]


@kernel
def king_square(w, b, side):
    """Where the king of `side` stands; 127 if it has none (in mating problems)."""
    own = b + SIDES + _TWO * side
    return first(w[b + KINGS] & w[own], w[b + KINGS + ONE] & w[own + ONE])


@kernel
def step_attackers(w, b, square, by, half):
    """One word of the pieces of `by`, other than kings and what slides, that step onto `square`."""
    at = _TWO * ((by ^ ONE) * _SQUARES + square) + half
    i = b + half
    near = (PAWN_TO[at] & w[i + PAWNS]) | (KNIGHT_TO[at] & w[i + KNIGHTS]) | (SILVER_TO[at] & w[i + SILVERS])
    near |= (GOLD_TO[at] & w[i + GOLDS]) | (KING_TO[_TWO * square + half] & w[i + STRONG])
    return near & w[i + SIDES + _TWO * by]


@kernel
def slide_attackers(w, b, square, by, lo, hi):
    """The pieces of `by` that slide onto `square`, with the board lo, hi as blockers."""
    side_lo, side_hi = w[b + SIDES + _TWO * by], w[b + SIDES + _TWO * by + ONE]
    at, from_lance = _TWO * square, _TWO * ((by ^ ONE) * _SQUARES + square)
    B_lo, B_hi = w[b + BISHOPS] & side_lo, w[b + BISHOPS + ONE] & side_hi
    R_lo, R_hi = w[b + ROOKS] & side_lo, w[b + ROOKS + ONE] & side_hi
    L_lo = w[b + LANCES] & side_lo & LANCE_RAY[from_lance]
    L_hi = w[b + LANCES + ONE] & side_hi & LANCE_RAY[from_lance + ONE]
    found_lo = found_hi = ZERO
    if (B_lo & DIAGONALS[at]) | (B_hi & DIAGONALS[at + ONE]) != ZERO:
        reach_lo, reach_hi = bishop(square, lo, hi)
        found_lo |= reach_lo & B_lo
        found_hi |= reach_hi & B_hi
    if (R_lo & ORTHOGONALS[at]) | (R_hi & ORTHOGONALS[at + ONE]) != ZERO:
        reach_lo, reach_hi = rook(square, lo, hi)
        found_lo |= reach_lo & R_lo
        found_hi |= reach_hi & R_hi
    if L_lo | L_hi != ZERO:
        reach_lo, reach_hi = lance(by ^ ONE, square, lo, hi)
        found_lo |= reach_lo & L_lo
        found_hi |= reach_hi & L_hi
    return found_lo, found_hi


@kernel
def is_attacked(w, b, square, by, lo, hi):
    """Does some piece of `by` attack `square`, with the board lo, hi as blockers?"""
    if step_attackers(w, b, square, by, ZERO) | step_attackers(w, b, square, by, ONE) != ZERO:
        return True
    side = b + SIDES + _TWO * by
    at = _TWO * square
    if (w[b + KINGS] & w[side] & KING_TO[at]) | (w[b + KINGS + ONE] & w[side + ONE] & KING_TO[at + ONE]) != ZERO:
        return True
    found_lo, found_hi = slide_attackers(w, b, square, by, lo, hi)
    return found_lo | found_hi != ZERO


@kernel
def checkers_and_pins(w, b, king, side, lo, hi):
    """The pieces that give check to the king of `side` on square `king`, the sliders that pin a piece of its own, and
    the pinned pieces; six words. lo, hi: all pieces.
    """
    if king >= _SQUARES:
        return ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    by = side ^ ONE
    at, from_lance = _TWO * king, _TWO * (side * _SQUARES + king)
    own_lo, own_hi = w[b + SIDES + _TWO * side], w[b + SIDES + _TWO * side + ONE]
    c_lo, c_hi = step_attackers(w, b, king, by, ZERO), step_attackers(w, b, king, by, ONE)
    s_lo = (DIAGONALS[at] & w[b + BISHOPS]) | (ORTHOGONALS[at] & w[b + ROOKS]) | (LANCE_RAY[from_lance] & w[b + LANCES])
    at += ONE
    from_lance += ONE
    s_hi = (DIAGONALS[at] & w[b + BISHOPS + ONE]) | (ORTHOGONALS[at] & w[b + ROOKS + ONE])
    s_hi |= LANCE_RAY[from_lance] & w[b + LANCES + ONE]
    s_lo &= lo ^ own_lo
    s_hi &= hi ^ own_hi
    p_lo = p_hi = q_lo = q_hi = ZERO
    while s_lo | s_hi != ZERO:
        sniper = first(s_lo, s_hi)
        s_lo, s_hi = without_first(s_lo, s_hi)
        bit_lo, bit_hi = square_bit(sniper)
        line = _TWO * (king * _SQUARES + sniper)
        t_lo, t_hi = (THROUGH[line] ^ bit_lo) & lo, (THROUGH[line + ONE] ^ bit_hi) & hi
        if t_lo | t_hi == ZERO:
            c_lo |= bit_lo
            c_hi |= bit_hi
        else:
            r_lo, r_hi = without_first(t_lo, t_hi)
            if r_lo | r_hi | (t_lo & ~own_lo) | (t_hi & ~own_hi) == ZERO:
                p_lo |= bit_lo
                p_hi |= bit_hi
                q_lo |= t_lo
                q_hi |= t_hi
    return c_lo, c_hi, p_lo, p_hi, q_lo, q_hi


@kernel
def targets(kind, side, square, lo, hi):
    """Where a piece of `side` goes from `square`, own pieces not left out."""
    entry = side * _SQUARES + square
    if kind == PAWN:
        return stepped(PAWN_TO, entry)
    if kind == LANCE:
        return lance(side, square, lo, hi)
    if kind == KNIGHT:
        return stepped(KNIGHT_TO, entry)
    if kind == SILVER:
        return stepped(SILVER_TO, entry)
    if kind == KING:
        return stepped(KING_TO, square)
    t_lo, t_hi = ZERO, ZERO
    if kind in (BISHOP, HORSE):
        t_lo, t_hi = bishop(square, lo, hi)
    elif kind in (ROOK, DRAGON):
        t_lo, t_hi = rook(square, lo, hi)
    else:
        return stepped(GOLD_TO, entry)
    if kind >= HORSE:
        return t_lo | KING_TO[_TWO * square], t_hi | KING_TO[_TWO * square + ONE]
    return t_lo, t_hi
