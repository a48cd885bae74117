"""The order in which the chess search tries moves: what cuts off most comes first.

The table's move, captures by the most valuable victim and the least valuable attacker, quiet moves that refuted
another move at this ply (S. Akl and M. Newborn, "The principal continuation and the killer heuristic", 1977), the rest
by how well they did elsewhere (J. Schaeffer, "The history heuristic", 1989), and last the captures that lose material.
For the arrays see `chess_search`.
"""

import numpy as np

from sakiyomi.agents.parts.alphabeta.chess_captures import NO_PIECE, WORTH, kind_at, loses_material, taken
from sakiyomi.boards.bits import ONE, U
from sakiyomi.boards.chess.state import META, TO_KNIGHT, TO_QUEEN, TURN_SHIFT
from sakiyomi.boards.kernel import kernel

KILLER, OTHER_KILLER = U(10), U(11)  # words of a row
HASH_RANK, CAPTURE_RANK, KILLER_RANK, LOSS_RANK = 1 << 30, 1 << 24, 1 << 22, -(1 << 24)
_MOST_HISTORY = 1 << 14
_SIX, _TWELVE, _SIXTY_THREE, _BOTH_SQUARES = U(6), U(12), U(63), U(0xFFF)


@kernel
def rank_moves(w, here, moves, ranks, history, first, end, hash_move):
    """Say how early to try each move: the table's, captures (most valuable victim, least attacker), killers, others."""
    player = ((w[here + META] >> TURN_SHIFT) & ONE) << _TWELVE
    i = first
    while i < end:
        move = U(moves[i])
        flag = move >> _TWELVE
        victim = taken(w, here, move)
        rank = int(history[player | (move & _BOTH_SQUARES)])
        if move == hash_move:
            rank = HASH_RANK
        elif flag >= TO_KNIGHT and flag < TO_QUEEN:
            rank = LOSS_RANK
        elif victim != NO_PIECE or flag == TO_QUEEN:
            rank = CAPTURE_RANK + 16 * WORTH[victim] - np.int64(kind_at(w, here, move & _SIXTY_THREE))
            if flag == TO_QUEEN:
                rank += 16 * WORTH[4]
        elif move == w[here + KILLER]:
            rank = KILLER_RANK + 1
        elif move == w[here + OTHER_KILLER]:
            rank = KILLER_RANK
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
        capture = rank >= CAPTURE_RANK and rank < HASH_RANK and move >> _TWELVE < TO_KNIGHT
        if not (exchanges and capture and loses_material(w, here, move)):
            return move
        ranks[i] = rank + 2 * LOSS_RANK


@kernel
def credit(w, here, moves, history, first, i, depth):
    """A quiet move, the one at index i, refuted the last: let it be tried early, and the quiet ones before it late."""
    move = U(moves[i])
    if w[here + KILLER] != move:
        w[here + OTHER_KILLER] = w[here + KILLER]
        w[here + KILLER] = move
    player = ((w[here + META] >> TURN_SHIFT) & ONE) << _TWELVE
    bonus = min(16 * depth * depth, 1600)
    j = first
    while j <= i:
        other = U(moves[j])
        if other >> _TWELVE < TO_KNIGHT and taken(w, here, other) == NO_PIECE:
            at = player | (other & _BOTH_SQUARES)
            change = bonus if j == i else -bonus
            history[at] += change - np.int64(history[at]) * bonus // _MOST_HISTORY
        j += ONE
