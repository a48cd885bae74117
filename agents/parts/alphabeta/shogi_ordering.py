"""The order in which the shogi search tries moves: what cuts off most comes first.

The table's move, captures and promotions by what they win and then by the least valuable piece, quiet moves that
refuted another move at this ply (S. Akl and M. Newborn, "The principal continuation and the killer heuristic", 1977),
the rest, drops too, by how well they did elsewhere (J. Schaeffer, "The history heuristic", 1989), and last the captures
that lose material and pieces that could promote for nothing and do not. For the arrays see `shogi_search`.
"""

import numpy as np

from sakiyomi.agents.parts.alphabeta.shogi_captures import (
    PROMOTION,
    WORTH,
    always_promotes,
    is_quiet,
    loses_material,
    mover,
    taken,
)
from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.attacks import square_bit
from sakiyomi.boards.shogi.state import DROP, FROM_SHIFT, META, PROMOTES, SQUARE_BITS
from sakiyomi.boards.shogi.tables import ZONE

KILLER, OTHER_KILLER = U(38), U(39)  # words of a row
HASH_RANK, CAPTURE_RANK, KILLER_RANK, LOSS_RANK = 1 << 30, 1 << 24, 1 << 22, -(1 << 24)
_MOST_HISTORY = 1 << 14
_TWO, _DROPPED = U(2), U(16)


@kernel
def history_of(w, here, move):
    """Where `history` has a move: by player, piece, whether dropped, and target."""
    kind = mover(w, here, move)
    kind |= _DROPPED if (move >> FROM_SHIFT) & SQUARE_BITS >= DROP else ZERO
    return ((((w[here + META] & ONE) << 5) | kind) << 7) | (move & SQUARE_BITS)


@kernel
def forgoes_promotion(w, here, move):
    """Does a pawn, bishop or rook move without the promotion that it could have?"""
    origin = (move >> FROM_SHIFT) & SQUARE_BITS
    if origin >= DROP or move & PROMOTES != ZERO:
        return False
    z = _TWO * (w[here + META] & ONE)
    to_lo, to_hi = square_bit(move & SQUARE_BITS)
    from_lo, from_hi = square_bit(origin)
    if ((to_lo | from_lo) & ZONE[z]) | ((to_hi | from_hi) & ZONE[z + ONE]) == ZERO:
        return False
    return always_promotes(mover(w, here, move))


@kernel
def rank_moves(w, here, moves, ranks, history, first, end, hash_move):
    """Say how early to try each of the moves from index `first` to `end`."""
    i = first
    while i < end:
        move = U(moves[i])
        victim = taken(w, here, move)
        if move == hash_move:
            rank = HASH_RANK
        elif forgoes_promotion(w, here, move):
            rank = LOSS_RANK
        elif victim != ZERO or not is_quiet(w, here, move):
            kind = mover(w, here, move)
            rank = CAPTURE_RANK + 16 * WORTH[victim] - WORTH[kind]
            if move & PROMOTES != ZERO:
                rank += 16 * PROMOTION[kind]
        elif move == w[here + KILLER]:
            rank = KILLER_RANK + 1
        elif move == w[here + OTHER_KILLER]:
            rank = KILLER_RANK
        else:
            rank = history[history_of(w, here, move)]
        ranks[i] = rank
        i += ONE


@kernel
def pick(w, here, moves, ranks, i, end, exchanges):
    """Bring the move of highest rank to index i and return it; captures that lose material are put off until last."""
    while True:
        best = i
        j = i + ONE
        while j < end:
            if ranks[j] > ranks[best]:
                best = j
            j += ONE
        moves[i], moves[best] = moves[best], moves[i]
        ranks[i], ranks[best] = ranks[best], ranks[i]
        move = U(moves[i])
        rank = ranks[i]
        if not (exchanges and rank > KILLER_RANK + 1 and rank < HASH_RANK and loses_material(w, here, move)):
            return move
        ranks[i] = rank + 2 * LOSS_RANK


@kernel
def credit(w, here, moves, history, first, i, depth):
    """A quiet move, the one at index i, refuted the last: let it be tried early, and the quiet ones before it late."""
    move = U(moves[i])
    if w[here + KILLER] != move:
        w[here + OTHER_KILLER] = w[here + KILLER]
        w[here + KILLER] = move
    bonus = min(16 * depth * depth, 1600)
    j = first
    while j <= i:
        other = U(moves[j])
        if is_quiet(w, here, other):
            at = history_of(w, here, other)
            change = bonus if j == i else -bonus
            history[at] += change - np.int64(history[at]) * bonus // _MOST_HISTORY
        j += ONE
