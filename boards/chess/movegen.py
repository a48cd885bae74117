"""Legal moves, without a test afterwards: as a list or counted.

Both work the same way. Enemy sliders that would reach the king on an empty board are checkers or pin one piece; with
two checkers only the king moves, with one all others must take it or step between. A pinned piece moves along the
line of its pin: pawns forward if that is the file, sliders of the right kind anywhere between king and pinner.
Boards are named P, N, D, R, K (pawns, knights, diagonals, orthogonals, kings; see `state`), all uint64.
"""

from sakiyomi.boards.bits import ONE, ZERO, U, lsb, popcount, without_lsb
from sakiyomi.boards.chess.attacks import along_rank_1, diagonal, is_attacked, orthogonal, safe_steps
from sakiyomi.boards.chess.state import CASTLE, DOUBLE, EN_PASSANT, TO_KNIGHT, TO_QUEEN
from sakiyomi.boards.chess.tables import (
    DIAGONAL_RAYS,
    FILE,
    KING,
    KNIGHT,
    NOT_A,
    NOT_H,
    ORTHOGONAL_RAYS,
    PAWN,
    RANK_1,
    RANK_3,
    RANK_8,
    THROUGH,
)
from sakiyomi.boards.kernel import kernel

_TWO, _FOUR, _BOTH = U(2), U(4), U(65)
_THREE, _SEVEN, _EIGHT, _NINE, _SIXTEEN = U(3), U(7), U(8), U(9), U(16)
_C1, _D1, _F1, _G1, _FROM_KING = U(2), U(3), U(5), U(6), U(64)
_SIX, _TWELVE = U(6), U(12)
_DOUBLE, _EN_PASSANT, _CASTLE = DOUBLE << _TWELVE, EN_PASSANT << _TWELVE, CASTLE << _TWELVE
_FIRST_PROMOTION, _NEXT_PROMOTION, _LAST_PROMOTION = TO_KNIGHT << _TWELVE, ONE << _TWELVE, TO_QUEEN << _TWELVE


@kernel
def checkers_and_pins(king, P, N, D, R, own, occupied):
    """The pieces that give check to the king on square `king`, the sliders that pin an own piece, and the pinned."""
    enemy = occupied ^ own
    checkers = ((PAWN[king] & P) | (KNIGHT[king] & N)) & enemy
    snipers = ((DIAGONAL_RAYS[king] & D) | (ORTHOGONAL_RAYS[king] & R)) & enemy
    pinners = ZERO
    pinned = ZERO
    while snipers != ZERO:
        sniper = snipers & (ZERO - snipers)
        between = (THROUGH[king * _FROM_KING + lsb(sniper)] ^ sniper) & occupied
        if between == ZERO:
            checkers |= sniper
        elif without_lsb(between) | (between & enemy) == ZERO:
            pinners |= sniper
            pinned |= between
        snipers ^= sniper
    return checkers, pinners, pinned


@kernel
def pinned_targets(king, pinner, P, D, R, own):
    """The piece that the slider on square `pinner` pins, as a board, and where it may go along the pin.

    Pawns that go forward are not counted here.
    """
    line = THROUGH[king * _FROM_KING + pinner]
    piece = line & own
    rising = DIAGONAL_RAYS[king] & (ONE << pinner) != ZERO
    if piece & (D if rising else R) != ZERO:
        return piece, line ^ piece
    if rising and piece & P != ZERO:
        return piece, PAWN[lsb(piece)] & (ONE << pinner)
    return piece, ZERO


@kernel
def castling_rooks(king, P, N, D, R, K, own, castling, occupied):
    """The rooks with which the king, not in check, may castle now (Chess960's rule; standard chess is a case of it).

    King and rook go to c1 and d1, or g1 and f1. All squares that either passes are empty but for the two, none that
    the king passes is attacked, nor is its last one when the rook has left.
    """
    found = ZERO
    rooks = castling & RANK_1
    enemy = occupied ^ own
    while rooks != ZERO:
        rook = lsb(rooks)
        rooks = without_lsb(rooks)
        king_to, rook_to = (_G1, _F1) if rook > king else (_C1, _D1)
        both = (ONE << king) | (ONE << rook)
        path = THROUGH[king * _FROM_KING + king_to]
        if (path | THROUGH[rook * _FROM_KING + rook_to]) & occupied & ~both != ZERO:
            continue
        if orthogonal(king_to, (occupied & ~both) | (ONE << rook_to)) & R & enemy != ZERO:
            continue
        safe = True
        while path != ZERO and safe:
            safe = not is_attacked(lsb(path), P, N, D, R, K, enemy, occupied ^ (ONE << king))
            path = without_lsb(path)
        if safe:
            found |= ONE << rook
    return found


@kernel
def en_passant_pawns(king, P, N, D, R, own, ep, occupied):
    """The own pawns that may take en passant on square `ep`: each is tried, as two pawns leave the board at once."""
    enemy = occupied ^ own
    to = ONE << ep
    victim = to >> 8
    found = ZERO
    if ((PAWN[king] & P & ~victim) | (KNIGHT[king] & N)) & enemy != ZERO:
        return found
    pawns = (((to & NOT_A) >> 9) | ((to & NOT_H) >> 7)) & P & own
    while pawns != ZERO:
        pawn = pawns & (ZERO - pawns)
        after = occupied ^ pawn ^ victim ^ to
        if ((diagonal(king, after) & D) | (orthogonal(king, after) & R)) & enemy == ZERO:
            found |= pawn
        pawns ^= pawn
    return found


@kernel
def count_moves(P, N, D, R, K, own, castling, ep):
    """How many legal moves there are."""
    occupied = P | N | D | R | K
    enemy = occupied ^ own
    own_king = K & own
    king = lsb(own_king)
    total = ZERO
    steps = KING[king] & ~own
    if steps != ZERO:
        total = popcount(safe_steps(steps, P, N, D, R, K, enemy, occupied ^ own_king))
    checkers, pinners, pinned = checkers_and_pins(king, P, N, D, R, own, occupied)
    target = ~own
    if checkers != ZERO:
        if without_lsb(checkers) != ZERO:
            return total
        target = THROUGH[king * _FROM_KING + lsb(checkers)]
    elif castling & along_rank_1(king, occupied) != ZERO:
        total += popcount(castling_rooks(king, P, N, D, R, K, own, castling, occupied))
    free = own & ~pinned
    pushers = P & own & (~pinned | FILE[king])
    if checkers == ZERO:
        while pinners != ZERO:
            piece, targets = pinned_targets(king, lsb(pinners), P, D, R, own)
            pinners = without_lsb(pinners)
            count = popcount(targets)
            total += count if piece & P == ZERO or targets & RANK_8 == ZERO else count << 2
    pieces = N & free
    while pieces != ZERO:
        total += popcount(KNIGHT[lsb(pieces)] & target)
        pieces = without_lsb(pieces)
    pieces = D & free
    while pieces != ZERO:
        total += popcount(diagonal(lsb(pieces), occupied) & target)
        pieces = without_lsb(pieces)
    pieces = R & free
    while pieces != ZERO:
        total += popcount(orthogonal(lsb(pieces), occupied) & target)
        pieces = without_lsb(pieces)
    one = (pushers << 8) & ~occupied
    two = ((one & RANK_3) << 8) & ~occupied & target
    one &= target
    takers = P & free
    left = ((takers & NOT_A) << 7) & enemy & target
    right = ((takers & NOT_H) << 9) & enemy & target
    total += popcount(one) + popcount(two) + popcount(left) + popcount(right)
    if (one | left | right) & RANK_8 != ZERO:
        total += _THREE * (popcount(one & RANK_8) + popcount(left & RANK_8) + popcount(right & RANK_8))
    if ep != ZERO:
        total += popcount(en_passant_pawns(king, P, N, D, R, own, ep, occupied))
    return total


@kernel
def put(moves, m, origin, targets):
    """Write the moves from square `origin` to each of `targets` at index m; returns the index behind them.

    Four at a time, whatever comes after the last: a loop that ends now here, now there is often mispredicted.
    """
    end = m + popcount(targets)
    while m < end:
        moves[m] = origin | (lsb(targets) << _SIX)
        targets = without_lsb(targets)
        moves[m + ONE] = origin | (lsb(targets) << _SIX)
        targets = without_lsb(targets)
        moves[m + _TWO] = origin | (lsb(targets) << _SIX)
        targets = without_lsb(targets)
        moves[m + _THREE] = origin | (lsb(targets) << _SIX)
        targets = without_lsb(targets)
        m += _FOUR
    return end


@kernel
def put_pawns(moves, m, targets, step, flag):
    """Write moves of pawns that came from `step` squares before each of `targets`, none on the last rank.

    ``to * 65`` is ``to | to << 6``, from which the step is taken off and the flag added.
    """
    step_and_flag = step - flag
    end = m + popcount(targets)
    while m < end:
        moves[m] = lsb(targets) * _BOTH - step_and_flag
        targets = without_lsb(targets)
        moves[m + ONE] = lsb(targets) * _BOTH - step_and_flag
        targets = without_lsb(targets)
        moves[m + _TWO] = lsb(targets) * _BOTH - step_and_flag
        targets = without_lsb(targets)
        moves[m + _THREE] = lsb(targets) * _BOTH - step_and_flag
        targets = without_lsb(targets)
        m += _FOUR
    return end


@kernel
def put_promotions(moves, m, targets, step):
    """Write the four promotions on each of `targets`, which lie on the last rank."""
    while targets != ZERO:
        to = lsb(targets)
        plain = (to - step) | (to << _SIX)
        promotion = _FIRST_PROMOTION
        while promotion <= _LAST_PROMOTION:
            moves[m] = plain | promotion
            m += ONE
            promotion += _NEXT_PROMOTION
        targets = without_lsb(targets)
    return m


@kernel
def list_moves(P, N, D, R, K, own, castling, ep, moves, m):
    """Write the legal moves into `moves` (uint16) from index m (uint64) on; returns the index behind the last."""
    occupied = P | N | D | R | K
    enemy = occupied ^ own
    own_king = K & own
    king = lsb(own_king)
    steps = KING[king] & ~own
    if steps != ZERO:
        m = put(moves, m, king, safe_steps(steps, P, N, D, R, K, enemy, occupied ^ own_king))
    checkers, pinners, pinned = checkers_and_pins(king, P, N, D, R, own, occupied)
    target = ~own
    if checkers != ZERO:
        if without_lsb(checkers) != ZERO:
            return m
        target = THROUGH[king * _FROM_KING + lsb(checkers)]
    elif castling & along_rank_1(king, occupied) != ZERO:
        rooks = castling_rooks(king, P, N, D, R, K, own, castling, occupied)
        while rooks != ZERO:
            moves[m] = king | (lsb(rooks) << _SIX) | _CASTLE
            m += ONE
            rooks = without_lsb(rooks)
    free = own & ~pinned
    pushers = P & own & (~pinned | FILE[king])
    if checkers == ZERO:
        while pinners != ZERO:
            piece, targets = pinned_targets(king, lsb(pinners), P, D, R, own)
            pinners = without_lsb(pinners)
            if piece & P != ZERO and targets & RANK_8 != ZERO:
                m = put_promotions(moves, m, targets, lsb(targets) - lsb(piece))
            else:
                m = put(moves, m, lsb(piece), targets)
    pieces = N & free
    while pieces != ZERO:
        m = put(moves, m, lsb(pieces), KNIGHT[lsb(pieces)] & target)
        pieces = without_lsb(pieces)
    pieces = D & free
    while pieces != ZERO:
        m = put(moves, m, lsb(pieces), diagonal(lsb(pieces), occupied) & target)
        pieces = without_lsb(pieces)
    pieces = R & free
    while pieces != ZERO:
        m = put(moves, m, lsb(pieces), orthogonal(lsb(pieces), occupied) & target)
        pieces = without_lsb(pieces)
    one = (pushers << 8) & ~occupied
    two = ((one & RANK_3) << 8) & ~occupied & target
    one &= target
    takers = P & free
    left = ((takers & NOT_A) << 7) & enemy & target
    right = ((takers & NOT_H) << 9) & enemy & target
    if (one | left | right) & RANK_8 != ZERO:
        m = put_promotions(moves, m, one & RANK_8, _EIGHT)
        m = put_promotions(moves, m, left & RANK_8, _SEVEN)
        m = put_promotions(moves, m, right & RANK_8, _NINE)
        one &= ~RANK_8
        left &= ~RANK_8
        right &= ~RANK_8
    m = put_pawns(moves, m, one, _EIGHT, ZERO)
    m = put_pawns(moves, m, two, _SIXTEEN, _DOUBLE)
    m = put_pawns(moves, m, left, _SEVEN, ZERO)
    m = put_pawns(moves, m, right, _NINE, ZERO)
    if ep != ZERO:
        takers = en_passant_pawns(king, P, N, D, R, own, ep, occupied)
        while takers != ZERO:
            moves[m] = lsb(takers) | (ep << _SIX) | _EN_PASSANT
            m += ONE
            takers = without_lsb(takers)
    return m
