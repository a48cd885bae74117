"""The moves that change material, and whether an exchange wins or loses it.

Boards and squares (uint64) as in `boards.chess.state`, seen by the player to move.
"""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U, lsb, without_lsb
from sakiyomi.boards.chess.attacks import diagonal, orthogonal, safe_steps
from sakiyomi.boards.chess.movegen import (
    checkers_and_pins,
    en_passant_pawns,
    pinned_targets,
    put,
    put_pawns,
    put_promotions,
)
from sakiyomi.boards.chess.san import kind_at as piece_at
from sakiyomi.boards.chess.state import (
    CASTLE,
    DIAGONALS,
    EN_PASSANT,
    EP_BITS,
    KINGS,
    KNIGHTS,
    META,
    ORTHOGONALS,
    OWN,
    PAWNS,
)
from sakiyomi.boards.chess.tables import FILE, KING, KNIGHT, NOT_A, NOT_H, PAWN, RANK_8
from sakiyomi.boards.kernel import kernel

NO_PIECE = U(6)
_SIX, _SEVEN, _EIGHT, _NINE, _TWELVE, _SIXTY_THREE = U(6), U(7), U(8), U(9), U(12), U(63)
_EN_PASSANT = EN_PASSANT << _TWELVE

WORTH = np.array([100, 320, 330, 500, 950, 20_000, 0], np.int64)
"""Roughly, in centipawns: pawn, knight, bishop, rook, queen, king, nothing; for ordering and exchanges."""


@kernel
def kind_at(w, b, square):
    """What stands on `square`: 0 pawn, 1 knight, 2 bishop, 3 rook, 4 queen, 5 king, 6 nothing."""
    occupied = w[b + PAWNS] | w[b + KNIGHTS] | w[b + DIAGONALS] | w[b + ORTHOGONALS] | w[b + KINGS]
    return piece_at(w, b, square) if (occupied >> square) & ONE != ZERO else NO_PIECE


@kernel
def taken(w, b, move):
    """The kind of piece that `move` takes, or NO_PIECE."""
    flag = move >> _TWELVE
    if flag == CASTLE:
        return NO_PIECE
    if flag == EN_PASSANT:
        return U(0)
    return kind_at(w, b, (move >> _SIX) & _SIXTY_THREE)


@kernel
def list_captures(w, b, moves, m):
    """Write the legal captures and promotions, not in check, into `moves` from index m on; returns the index behind."""
    P, N, D, R, K, own = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS], w[b + OWN]
    occupied = P | N | D | R | K
    enemy = occupied ^ own
    own_king = K & own
    king = lsb(own_king)
    steps = KING[king] & enemy
    if steps != ZERO:
        m = put(moves, m, king, safe_steps(steps, P, N, D, R, K, enemy, occupied ^ own_king))
    _, pinners, pinned = checkers_and_pins(king, P, N, D, R, own, occupied)
    free = own & ~pinned
    pushers = P & own & (~pinned | FILE[king])
    while pinners != ZERO:
        piece, targets = pinned_targets(king, lsb(pinners), P, D, R, own)
        pinners = without_lsb(pinners)
        targets &= enemy
        if piece & P != ZERO and targets & RANK_8 != ZERO:
            m = put_promotions(moves, m, targets, lsb(targets) - lsb(piece))
        else:
            m = put(moves, m, lsb(piece), targets)
    pieces = N & free
    while pieces != ZERO:
        m = put(moves, m, lsb(pieces), KNIGHT[lsb(pieces)] & enemy)
        pieces = without_lsb(pieces)
    pieces = D & free
    while pieces != ZERO:
        m = put(moves, m, lsb(pieces), diagonal(lsb(pieces), occupied) & enemy)
        pieces = without_lsb(pieces)
    pieces = R & free
    while pieces != ZERO:
        m = put(moves, m, lsb(pieces), orthogonal(lsb(pieces), occupied) & enemy)
        pieces = without_lsb(pieces)
    takers = P & free
    one = (pushers << 8) & ~occupied & RANK_8
    left = ((takers & NOT_A) << 7) & enemy
    right = ((takers & NOT_H) << 9) & enemy
    if (one | left | right) & RANK_8 != ZERO:
        m = put_promotions(moves, m, one, _EIGHT)
        m = put_promotions(moves, m, left & RANK_8, _SEVEN)
        m = put_promotions(moves, m, right & RANK_8, _NINE)
    m = put_pawns(moves, m, left & ~RANK_8, _SEVEN, ZERO)
    m = put_pawns(moves, m, right & ~RANK_8, _NINE, ZERO)
    ep = w[b + META] & EP_BITS
    if ep != ZERO:
        takers = en_passant_pawns(king, P, N, D, R, own, ep, occupied)
        while takers != ZERO:
            moves[m] = lsb(takers) | (ep << _SIX) | _EN_PASSANT
            m += ONE
            takers = without_lsb(takers)
    return m


@kernel
def all_attackers(square, P, N, D, R, K, own, occupied):
    """The pieces of both players, among `occupied`, that attack `square`."""
    here = ONE << square
    below = ((here & NOT_A) >> 9) | ((here & NOT_H) >> 7)  # where own pawns attack from
    pawns = ((PAWN[square] & ~own) | (below & own)) & P
    far = (diagonal(square, occupied) & D) | (orthogonal(square, occupied) & R)
    return (pawns | (KNIGHT[square] & N) | (KING[square] & K) | far) & occupied


@kernel
def least(pieces, P, N, D, R):
    """The kind of the least valuable of `pieces`, which are not empty, and those of that kind."""
    if pieces & P != ZERO:
        return U(0), pieces & P
    if pieces & N != ZERO:
        return U(1), pieces & N
    if pieces & D & ~R != ZERO:
        return U(2), pieces & D & ~R
    if pieces & R & ~D != ZERO:
        return U(3), pieces & R & ~D
    if pieces & D != ZERO:
        return U(4), pieces & D
    return U(5), pieces


@kernel
def loses_material(w, b, move):
    """Does `move`, a capture without promotion, lose material once both sides have taken on its square what pays?

    Static exchange evaluation by the swap-off algorithm (chessprogramming.org/SEE_-_The_Swap_Algorithm): the least
    valuable piece takes first, pieces behind it join in, pins are not looked at.
    """
    P, N, D, R, K, own = w[b + PAWNS], w[b + KNIGHTS], w[b + DIAGONALS], w[b + ORTHOGONALS], w[b + KINGS], w[b + OWN]
    origin, to = move & _SIXTY_THREE, (move >> _SIX) & _SIXTY_THREE
    balance = WORTH[taken(w, b, move)] - WORTH[kind_at(w, b, origin)]  # if the piece is lost and nothing more happens
    if balance >= 0:
        return False
    occupied = (P | N | D | R | K | (ONE << to)) & ~(ONE << origin)
    if move >> _TWELVE == EN_PASSANT:
        occupied &= ~(ONE << (to - _EIGHT))
    near = all_attackers(to, P, N, D, R, K, own, occupied)
    ours = False  # whose turn to take; `balance` is the other's, should he lose the piece that has just taken
    while near & occupied & (own if ours else ~own) != ZERO:
        kind, pieces = least(near & occupied & (own if ours else ~own), P, N, D, R)
        occupied ^= pieces & (ZERO - pieces)
        near |= (diagonal(to, occupied) & D) | (orthogonal(to, occupied) & R)
        ours = not ours
        balance = -balance - 1 - WORTH[kind]
        if balance >= 0:  # enough, even if that piece is lost; but a king may not take what is defended
            if kind == U(5) and near & occupied & (own if ours else ~own) != ZERO:
                ours = not ours
            break
    return ours
