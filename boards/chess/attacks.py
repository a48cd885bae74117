"""What pieces attack, by boards and squares (uint64).

Sliding pieces: a line's occupancy less the slider borrows up to the first blocker; the byte-swapped board gives the
other half (hyperbola quintessence, chessprogramming.org/Hyperbola_Quintessence). A rank has no byte order to swap and
is looked up.
"""

from sakiyomi.boards.bits import ONE, ZERO, U, flipped, lsb, without_lsb
from sakiyomi.boards.chess.tables import (
    FALLING,
    FILE,
    KING,
    KNIGHT,
    NOT_A,
    NOT_AB,
    NOT_GH,
    NOT_H,
    PAWN,
    RANK_ATTACKS,
    RISING,
)
from sakiyomi.boards.kernel import kernel

_SIXTY_THREE, _RANK_BITS, _FILE_BITS = U(63), U(56), U(7)


@kernel
def diagonal(square, occupied):
    """A bishop's attacks."""
    slider = ONE << square
    mirrored = flipped(slider)
    line = RISING[square]
    other = FALLING[square]
    up = occupied & line
    down = occupied & other
    return (((up - slider) ^ flipped(flipped(up) - mirrored)) & line) | (
        ((down - slider) ^ flipped(flipped(down) - mirrored)) & other
    )


@kernel
def orthogonal(square, occupied):
    """A rook's attacks."""
    slider = ONE << square
    line = FILE[square]
    up = occupied & line
    rank = square & _RANK_BITS
    along = U(RANK_ATTACKS[(((occupied >> rank) >> ONE) & _SIXTY_THREE) * U(8) + (square & _FILE_BITS)]) << rank
    return (((up - slider) ^ flipped(flipped(up) - flipped(slider))) & line) | along


@kernel
def along_rank_1(square, occupied):
    """What a rook on `square`, if that is on rank 1, attacks there; nothing of use elsewhere."""
    return U(RANK_ATTACKS[((occupied >> ONE) & _SIXTY_THREE) * U(8) + (square & _FILE_BITS)])


@kernel
def knight_attacks(knights):
    """All squares that some of `knights` attack."""
    beside = ((knights >> 1) & NOT_H) | ((knights << 1) & NOT_A)
    wide = ((knights >> 2) & NOT_GH) | ((knights << 2) & NOT_AB)
    return (beside << 16) | (beside >> 16) | (wide << 8) | (wide >> 8)


@kernel
def attackers(square, P, N, D, R, K, enemy, occupied):
    """The pieces of `enemy` (the player who does not move) that attack `square`, with `occupied` as blockers."""
    near = (PAWN[square] & P) | (KNIGHT[square] & N) | (KING[square] & K)
    far = (diagonal(square, occupied) & D) | (orthogonal(square, occupied) & R)
    return (near | far) & enemy


@kernel
def is_attacked(square, P, N, D, R, K, enemy, occupied):
    """Does some piece of `enemy` attack `square`?"""
    return attackers(square, P, N, D, R, K, enemy, occupied) != ZERO


@kernel
def safe_steps(steps, P, N, D, R, K, enemy, occupied):
    """Those of `steps` that no piece of `enemy` attacks; `occupied` without the king that steps."""
    pawns = P & enemy
    steps &= ~(((pawns & NOT_A) >> 9) | ((pawns & NOT_H) >> 7))
    steps &= ~(KING[lsb(K & enemy)] | knight_attacks(N & enemy))
    D &= enemy
    R &= enemy
    safe = steps
    while steps != ZERO:
        square = lsb(steps)
        if ((diagonal(square, occupied) & D) | (orthogonal(square, occupied) & R)) != ZERO:
            safe ^= ONE << square
        steps = without_lsb(steps)
    return safe
