"""Legal moves, without a test afterwards: as a list or counted.

Both work the same way. Enemy sliders that would reach the king on an empty board are checkers or pin one piece; with
two checkers only the king moves, with one all others must take it or step between, and pieces are dropped only
between. A pinned piece moves along the line of its pin. A pawn is not dropped to give mate (uchifuzume).
"""

from sakiyomi.boards.bits import ONE, ZERO, U, lsb, popcount, without_lsb
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.attacks import (
    bishop,
    checkers_and_pins,
    first,
    is_attacked,
    king_square,
    lance,
    occupied,
    rook,
    slide_attackers,
    square_bit,
    step_attackers,
    targets,
    without_first,
)
from sakiyomi.boards.shogi.state import (
    BISHOPS,
    BYTE,
    DROP,
    FROM_SHIFT,
    GOLD,
    GOLDS,
    HANDS,
    KNIGHT,
    KNIGHTS,
    LANCE,
    LANCES,
    MAIL,
    META,
    PAWN,
    PAWNS,
    PROMOTES,
    ROOK,
    ROOKS,
    SIDES,
    SILVER,
    SILVERS,
    STRONG,
)
from sakiyomi.boards.shogi.tables import (
    FILE,
    FULL_HI,
    FULL_LO,
    GOLD_TO,
    KING_TO,
    KNIGHT_TO,
    LAST,
    LAST_TWO,
    LOWS,
    PAWN_TO,
    SILVER_TO,
    THROUGH,
    TOPS,
    ZONE,
)

_SQUARES, _TWO, _SEVEN, _LO = U(81), U(2), U(7), U(63)
_OFFICERS = U(0x00FFFFFFFF000000)  # silvers to rooks of a hand


@kernel
def count_bits(lo, hi):
    """Squares of a board."""
    return popcount(lo) + popcount(hi)


@kernel
def piece_on(w, b, square):
    """The entry of `mail` for a square."""
    return (w[b + MAIL + (square >> 3)] >> ((square & _SEVEN) << 3)) & BYTE


@kernel
def held(hand, kind):
    """How many pieces of a kind a hand holds."""
    return (hand >> ((kind - ONE) << 3)) & BYTE


@kernel
def filled(pawns):
    """Every file of one word that holds some of `pawns`."""
    tops = ((pawns + LOWS) | pawns) & TOPS
    return (tops - (tops >> 8)) | tops


@kernel
def safe_steps(w, b, king, side, own_lo, own_hi, lo, hi):
    """Where the king of `side` may step, lo, hi being all pieces."""
    k_lo, k_hi = square_bit(king)
    lo &= ~k_lo
    hi &= ~k_hi
    t_lo, t_hi = KING_TO[_TWO * king] & ~own_lo, KING_TO[_TWO * king + ONE] & ~own_hi
    safe_lo, safe_hi = t_lo, t_hi
    while t_lo | t_hi != ZERO:
        square = first(t_lo, t_hi)
        t_lo, t_hi = without_first(t_lo, t_hi)
        if is_attacked(w, b, square, side ^ ONE, lo, hi):
            bit_lo, bit_hi = square_bit(square)
            safe_lo ^= bit_lo
            safe_hi ^= bit_hi
    return safe_lo, safe_hi


@kernel
def drop_mates(w, b, side, king, square, lo, hi):
    """Does a pawn that `side` drops on `square`, right before the enemy king on `king`, give mate?"""
    enemy = side ^ ONE
    bit_lo, bit_hi = square_bit(square)
    k_lo, k_hi = square_bit(king)
    if not is_attacked(w, b, square, side, lo ^ k_lo, hi ^ k_hi):
        return False  # the king takes the pawn
    lo |= bit_lo
    hi |= bit_hi
    s_lo, s_hi = slide_attackers(w, b, square, enemy, lo, hi)
    s_lo |= step_attackers(w, b, square, enemy, ZERO)
    s_hi |= step_attackers(w, b, square, enemy, ONE)
    if s_lo | s_hi != ZERO:
        pins = checkers_and_pins(w, b, king, enemy, lo, hi)
        if (s_lo & ~pins[4]) | (s_hi & ~pins[5]) != ZERO:
            return False  # a piece takes it: never one that is pinned, as the pawn stands on no such line
    own_lo = w[b + SIDES + _TWO * enemy] | bit_lo
    own_hi = w[b + SIDES + _TWO * enemy + ONE] | bit_hi
    s_lo, s_hi = safe_steps(w, b, king, enemy, own_lo, own_hi, lo, hi)
    return s_lo | s_hi == ZERO


@kernel
def pawn_drops(w, b, side, d_lo, d_hi, lo, hi):
    """Where `side` may drop a pawn, of the squares d_lo, d_hi; lo, hi being all pieces."""
    own = b + SIDES + _TWO * side
    d_lo &= ~filled(w[b + PAWNS] & w[own]) & ~LAST[_TWO * side]
    d_hi &= ~filled(w[b + PAWNS + ONE] & w[own + ONE]) & ~LAST[_TWO * side + ONE]
    king = king_square(w, b, side ^ ONE)
    if king < _SQUARES:
        before = _TWO * ((side ^ ONE) * _SQUARES + king)
        f_lo, f_hi = PAWN_TO[before] & d_lo, PAWN_TO[before + ONE] & d_hi
        if f_lo | f_hi != ZERO and drop_mates(w, b, side, king, first(f_lo, f_hi), lo, hi):
            d_lo ^= f_lo
            d_hi ^= f_hi
    return d_lo, d_hi


@kernel
def count_moves(w, b):
    """How many legal moves the row at `b` has."""
    side = w[b + META] & ONE
    own_lo, own_hi = w[b + SIDES + _TWO * side], w[b + SIDES + _TWO * side + ONE]
    lo, hi = occupied(w, b)
    king = king_square(w, b, side)
    total = ZERO
    if king < _SQUARES:
        t_lo, t_hi = safe_steps(w, b, king, side, own_lo, own_hi, lo, hi)
        total = count_bits(t_lo, t_hi)
    c_lo, c_hi, p_lo, p_hi, q_lo, q_hi = checkers_and_pins(w, b, king, side, lo, hi)
    m_lo, m_hi = FULL_LO & ~own_lo, FULL_HI & ~own_hi  # where pieces may go
    d_lo, d_hi = FULL_LO & ~lo, FULL_HI & ~hi  # where they may be dropped
    if c_lo | c_hi != ZERO:
        r_lo, r_hi = without_first(c_lo, c_hi)
        if r_lo | r_hi != ZERO:
            return total
        line = _TWO * (king * _SQUARES + first(c_lo, c_hi))
        m_lo, m_hi = THROUGH[line], THROUGH[line + ONE]
        d_lo, d_hi = m_lo ^ c_lo, m_hi ^ c_hi
    else:
        while p_lo | p_hi != ZERO:
            line = _TWO * (king * _SQUARES + first(p_lo, p_hi))
            square = first(THROUGH[line] & own_lo, THROUGH[line + ONE] & own_hi)
            p_lo, p_hi = without_first(p_lo, p_hi)
            kind = piece_on(w, b, square) & U(15)
            if kind == PAWN:
                continue  # with the others
            t_lo, t_hi = targets(kind, side, square, lo, hi)
            total += count_choices(kind, side, square, t_lo & THROUGH[line] & m_lo, t_hi & THROUGH[line + ONE] & m_hi)
    z = _TWO * side
    zone_lo, zone_hi, last_lo, last_hi = ZONE[z], ZONE[z + ONE], LAST[z], LAST[z + ONE]
    free_lo, free_hi = own_lo & ~q_lo, own_hi & ~q_hi
    entry = side * _SQUARES
    t_lo, t_hi = w[b + PAWNS] & own_lo, w[b + PAWNS + ONE] & own_hi
    if q_lo | q_hi != ZERO:
        t_lo &= free_lo | FILE[_TWO * king]
        t_hi &= free_hi | FILE[_TWO * king + ONE]
    if side == ZERO:
        t_lo, t_hi = (t_lo >> 1) & m_lo, (t_hi >> 1) & m_hi
    else:
        t_lo, t_hi = (t_lo << 1) & m_lo, (t_hi << 1) & m_hi
    total += count_bits(t_lo, t_hi) + count_bits(t_lo & zone_lo & ~last_lo, t_hi & zone_hi & ~last_hi)
    a_lo, a_hi = w[b + LANCES] & free_lo, w[b + LANCES + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        t_lo, t_hi = lance(side, first(a_lo, a_hi), lo, hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo &= m_lo
        t_hi &= m_hi
        total += count_bits(t_lo, t_hi) + count_bits(t_lo & zone_lo & ~last_lo, t_hi & zone_hi & ~last_hi)
    a_lo, a_hi = w[b + KNIGHTS] & free_lo, w[b + KNIGHTS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        at = _TWO * (entry + first(a_lo, a_hi))
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = KNIGHT_TO[at] & m_lo, KNIGHT_TO[at + ONE] & m_hi
        total += count_bits(t_lo, t_hi)
        total += count_bits(t_lo & zone_lo & ~LAST_TWO[z], t_hi & zone_hi & ~LAST_TWO[z + ONE])
    a_lo, a_hi = w[b + SILVERS] & free_lo, w[b + SILVERS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        at = _TWO * (entry + square)
        total += promoting(side, square, SILVER_TO[at] & m_lo, SILVER_TO[at + ONE] & m_hi)
    a_lo, a_hi = w[b + GOLDS] & free_lo, w[b + GOLDS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        at = _TWO * (entry + first(a_lo, a_hi))
        a_lo, a_hi = without_first(a_lo, a_hi)
        total += count_bits(GOLD_TO[at] & m_lo, GOLD_TO[at + ONE] & m_hi)
    strong_lo, strong_hi = w[b + STRONG], w[b + STRONG + ONE]
    a_lo, a_hi = w[b + BISHOPS] & free_lo, w[b + BISHOPS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        t_lo, t_hi = bishop(square, lo, hi)
        total += sliding(side, square, t_lo, t_hi, m_lo, m_hi, strong_lo, strong_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
    a_lo, a_hi = w[b + ROOKS] & free_lo, w[b + ROOKS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        t_lo, t_hi = rook(square, lo, hi)
        total += sliding(side, square, t_lo, t_hi, m_lo, m_hi, strong_lo, strong_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
    hand = w[b + HANDS + side]
    if hand == ZERO or d_lo | d_hi == ZERO:
        return total
    if hand & BYTE != ZERO:
        t_lo, t_hi = pawn_drops(w, b, side, d_lo, d_hi, lo, hi)
        total += count_bits(t_lo, t_hi)
    if held(hand, LANCE) != ZERO:
        total += count_bits(d_lo & ~last_lo, d_hi & ~last_hi)
    if held(hand, KNIGHT) != ZERO:
        total += count_bits(d_lo & ~LAST_TWO[z], d_hi & ~LAST_TWO[z + ONE])
    if hand & _OFFICERS != ZERO:
        kinds = ZERO
        for kind in range(SILVER, ROOK + ONE):
            kinds += ONE if held(hand, U(kind)) != ZERO else ZERO
        total += kinds * count_bits(d_lo, d_hi)
    return total


@kernel
def promoting(side, square, t_lo, t_hi):
    """Moves of a silver, bishop or rook from `square` to each of the targets, with promotion and without."""
    z = _TWO * side
    total = count_bits(t_lo, t_hi)
    bit_lo, bit_hi = square_bit(square)
    if (bit_lo & ZONE[z]) | (bit_hi & ZONE[z + ONE]) != ZERO:
        return total + total
    return total + count_bits(t_lo & ZONE[z], t_hi & ZONE[z + ONE])


@kernel
def sliding(side, square, t_lo, t_hi, m_lo, m_hi, strong_lo, strong_hi):
    """Moves of a bishop or rook, or if it is one of `strong` a horse or dragon, with the sliding targets given."""
    bit_lo, bit_hi = square_bit(square)
    if (bit_lo & strong_lo) | (bit_hi & strong_hi) != ZERO:
        return count_bits((t_lo | KING_TO[_TWO * square]) & m_lo, (t_hi | KING_TO[_TWO * square + ONE]) & m_hi)
    return promoting(side, square, t_lo & m_lo, t_hi & m_hi)


@kernel
def count_choices(kind, side, square, t_lo, t_hi):
    """Moves of any piece but a pawn from `square` to each of the targets, with promotion and without."""
    z = _TWO * side
    if kind == LANCE:
        return count_bits(t_lo, t_hi) + count_bits(t_lo & ZONE[z] & ~LAST[z], t_hi & ZONE[z + ONE] & ~LAST[z + ONE])
    if kind == KNIGHT:
        return ZERO  # a pinned knight never moves
    if kind == GOLD or kind > ROOK:
        return count_bits(t_lo, t_hi)
    return promoting(side, square, t_lo, t_hi)


# --- the same as a list


@kernel
def put(moves, m, origin, t_lo, t_hi):
    """Write the moves ``origin | to`` for each target at index m; returns the index behind them."""
    while t_lo != ZERO:
        moves[m] = origin | lsb(t_lo)
        t_lo = without_lsb(t_lo)
        m += ONE
    while t_hi != ZERO:
        moves[m] = origin | (lsb(t_hi) + _LO)
        t_hi = without_lsb(t_hi)
        m += ONE
    return m


@kernel
def put_piece(moves, m, kind, side, square, t_lo, t_hi):
    """Write the moves of a piece to each of the targets, with promotion and without."""
    z = _TWO * side
    origin = square << FROM_SHIFT
    if kind == GOLD or kind > ROOK:
        return put(moves, m, origin, t_lo, t_hi)
    bit_lo, bit_hi = square_bit(square)
    if (bit_lo & ZONE[z]) | (bit_hi & ZONE[z + ONE]) != ZERO:
        m = put(moves, m, origin | PROMOTES, t_lo, t_hi)
    else:
        m = put(moves, m, origin | PROMOTES, t_lo & ZONE[z], t_hi & ZONE[z + ONE])
    if kind == KNIGHT:
        return put(moves, m, origin, t_lo & ~LAST_TWO[z], t_hi & ~LAST_TWO[z + ONE])
    if kind in (LANCE, PAWN):
        return put(moves, m, origin, t_lo & ~LAST[z], t_hi & ~LAST[z + ONE])
    return put(moves, m, origin, t_lo, t_hi)


@kernel
def put_pawns(moves, m, step, t_lo, t_hi, flag):
    """Write pawn moves to each target from ``to + step`` (wrapping)."""
    while t_lo != ZERO:
        to = lsb(t_lo)
        t_lo = without_lsb(t_lo)
        moves[m] = to | ((to + step) << FROM_SHIFT) | flag
        m += ONE
    while t_hi != ZERO:
        to = lsb(t_hi) + _LO
        t_hi = without_lsb(t_hi)
        moves[m] = to | ((to + step) << FROM_SHIFT) | flag
        m += ONE
    return m


@kernel
def list_moves(w, b, moves, m):
    """Write the legal moves of the row at `b` into `moves` (uint16) from index m on; returns the index behind them."""
    side = w[b + META] & ONE
    own_lo, own_hi = w[b + SIDES + _TWO * side], w[b + SIDES + _TWO * side + ONE]
    lo, hi = occupied(w, b)
    king = king_square(w, b, side)
    if king < _SQUARES:
        t_lo, t_hi = safe_steps(w, b, king, side, own_lo, own_hi, lo, hi)
        m = put(moves, m, king << FROM_SHIFT, t_lo, t_hi)
    c_lo, c_hi, p_lo, p_hi, q_lo, q_hi = checkers_and_pins(w, b, king, side, lo, hi)
    m_lo, m_hi = FULL_LO & ~own_lo, FULL_HI & ~own_hi
    d_lo, d_hi = FULL_LO & ~lo, FULL_HI & ~hi
    if c_lo | c_hi != ZERO:
        r_lo, r_hi = without_first(c_lo, c_hi)
        if r_lo | r_hi != ZERO:
            return m
        line = _TWO * (king * _SQUARES + first(c_lo, c_hi))
        m_lo, m_hi = THROUGH[line], THROUGH[line + ONE]
        d_lo, d_hi = m_lo ^ c_lo, m_hi ^ c_hi
    else:
        while p_lo | p_hi != ZERO:
            line = _TWO * (king * _SQUARES + first(p_lo, p_hi))
            square = first(THROUGH[line] & own_lo, THROUGH[line + ONE] & own_hi)
            p_lo, p_hi = without_first(p_lo, p_hi)
            kind = piece_on(w, b, square) & U(15)
            if kind == PAWN:
                continue
            t_lo, t_hi = targets(kind, side, square, lo, hi)
            m = put_piece(moves, m, kind, side, square, t_lo & THROUGH[line] & m_lo, t_hi & THROUGH[line + ONE] & m_hi)
    z = _TWO * side
    last_lo, last_hi = LAST[z], LAST[z + ONE]
    free_lo, free_hi = own_lo & ~q_lo, own_hi & ~q_hi
    entry = side * _SQUARES
    t_lo, t_hi = w[b + PAWNS] & own_lo, w[b + PAWNS + ONE] & own_hi
    if q_lo | q_hi != ZERO:
        t_lo &= free_lo | FILE[_TWO * king]
        t_hi &= free_hi | FILE[_TWO * king + ONE]
    step = ONE
    if side == ZERO:
        t_lo, t_hi = (t_lo >> 1) & m_lo, (t_hi >> 1) & m_hi
    else:
        t_lo, t_hi = (t_lo << 1) & m_lo, (t_hi << 1) & m_hi
        step = ZERO - ONE
    m = put_pawns(moves, m, step, t_lo & ~last_lo, t_hi & ~last_hi, ZERO)
    m = put_pawns(moves, m, step, t_lo & ZONE[z], t_hi & ZONE[z + ONE], PROMOTES)
    a_lo, a_hi = w[b + LANCES] & free_lo, w[b + LANCES + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = lance(side, square, lo, hi)
        m = put_piece(moves, m, LANCE, side, square, t_lo & m_lo, t_hi & m_hi)
    a_lo, a_hi = w[b + KNIGHTS] & free_lo, w[b + KNIGHTS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        at = _TWO * (entry + square)
        m = put_piece(moves, m, KNIGHT, side, square, KNIGHT_TO[at] & m_lo, KNIGHT_TO[at + ONE] & m_hi)
    a_lo, a_hi = w[b + SILVERS] & free_lo, w[b + SILVERS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        at = _TWO * (entry + square)
        m = put_piece(moves, m, SILVER, side, square, SILVER_TO[at] & m_lo, SILVER_TO[at + ONE] & m_hi)
    a_lo, a_hi = w[b + GOLDS] & free_lo, w[b + GOLDS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        at = _TWO * (entry + square)
        m = put(moves, m, square << FROM_SHIFT, GOLD_TO[at] & m_lo, GOLD_TO[at + ONE] & m_hi)
    strong_lo, strong_hi = w[b + STRONG], w[b + STRONG + ONE]
    a_lo, a_hi = w[b + BISHOPS] & free_lo, w[b + BISHOPS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = bishop(square, lo, hi)
        m = put_slider(moves, m, side, square, t_lo, t_hi, m_lo, m_hi, strong_lo, strong_hi)
    a_lo, a_hi = w[b + ROOKS] & free_lo, w[b + ROOKS + ONE] & free_hi
    while a_lo | a_hi != ZERO:
        square = first(a_lo, a_hi)
        a_lo, a_hi = without_first(a_lo, a_hi)
        t_lo, t_hi = rook(square, lo, hi)
        m = put_slider(moves, m, side, square, t_lo, t_hi, m_lo, m_hi, strong_lo, strong_hi)
    hand = w[b + HANDS + side]
    if hand == ZERO or d_lo | d_hi == ZERO:
        return m
    if hand & BYTE != ZERO:
        t_lo, t_hi = pawn_drops(w, b, side, d_lo, d_hi, lo, hi)
        m = put(moves, m, DROP << FROM_SHIFT, t_lo, t_hi)
    if held(hand, LANCE) != ZERO:
        m = put(moves, m, (DROP + ONE) << FROM_SHIFT, d_lo & ~last_lo, d_hi & ~last_hi)
    if held(hand, KNIGHT) != ZERO:
        m = put(moves, m, (DROP + _TWO) << FROM_SHIFT, d_lo & ~LAST_TWO[z], d_hi & ~LAST_TWO[z + ONE])
    if hand & _OFFICERS != ZERO:
        for kind in range(SILVER, ROOK + ONE):
            if held(hand, U(kind)) != ZERO:
                m = put(moves, m, (DROP + U(kind) - ONE) << FROM_SHIFT, d_lo, d_hi)
    return m


@kernel
def put_slider(moves, m, side, square, t_lo, t_hi, m_lo, m_hi, strong_lo, strong_hi):
    """Write the moves of a bishop, rook, horse or dragon with the sliding targets given."""
    bit_lo, bit_hi = square_bit(square)
    if (bit_lo & strong_lo) | (bit_hi & strong_hi) != ZERO:
        t_lo, t_hi = t_lo | KING_TO[_TWO * square], t_hi | KING_TO[_TWO * square + ONE]
        return put(moves, m, square << FROM_SHIFT, t_lo & m_lo, t_hi & m_hi)
    return put_piece(moves, m, ROOK, side, square, t_lo & m_lo, t_hi & m_hi)
