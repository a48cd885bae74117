"""AlphaZero's 119 observation planes (Silver et al. 2018, supplement, table S1), seen by the player to move.

Plane 14 * h + ... for the position h = 0 to 7 plies ago, all 0 before the start of the game or of a set-up:
0..5 his pawns, knights, bishops, rooks, queens, king; 6..11 the opponent's; 12 all 1 if the position had occurred
before, 13 if it had occurred twice or more before. Then 112 all 1 for Black to move; 113 plies / 512 (AlphaZero's cap);
114, 115 his right to castle on the king's and the queen's side, 116, 117 the opponent's; 118 the halfmove clock / 100.

Row 0 is the far side, so his pieces start at the bottom; for Black the board is mirrored top to bottom, files stay
(see `actions`).
"""

from sakiyomi.boards.bits import ONE, ZERO, U, flipped, lsb, without_lsb
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.chess.rules import recent_slot
from sakiyomi.boards.chess.state import (
    CASTLING,
    DIAGONALS,
    KINGS,
    KNIGHTS,
    META,
    ORTHOGONALS,
    OWN,
    PAWNS,
    PLY_SHIFT,
    RECENT,
    WORDS,
)
from sakiyomi.boards.chess.tables import RANK_1
from sakiyomi.boards.kernel import kernel

STEP = 14
COLOUR = STEP * RECENT
PLIES, CASTLES, NO_PROGRESS = COLOUR + 1, COLOUR + 2, COLOUR + 6
PLANES = COLOUR + 7
PLY_SCALE, CLOCK_SCALE = 512, 100
_FLIP, _SEVEN = U(56), U(7)


@kernel
def put(out, i, plane, board):
    """Set plane `plane` of row i to 1 on the squares of `board`."""
    while board != ZERO:
        out[i, plane, lsb(board) ^ _FLIP] = 1
        board = without_lsb(board)


@kernel
def put_side(out, i, plane, w, slot, side, odd):
    """The six planes of one side's pieces, from the position kept at `slot`; mirrored if it is `odd` plies ago."""
    P, N, K = w[slot + PAWNS] & side, w[slot + KNIGHTS] & side, w[slot + KINGS] & side
    D, R = w[slot + DIAGONALS] & side, w[slot + ORTHOGONALS] & side
    Q = D & R
    put(out, i, plane, flipped(P) if odd else P)
    put(out, i, plane + 1, flipped(N) if odd else N)
    put(out, i, plane + 2, flipped(D ^ Q) if odd else D ^ Q)
    put(out, i, plane + 3, flipped(R ^ Q) if odd else R ^ Q)
    put(out, i, plane + 4, flipped(Q) if odd else Q)
    put(out, i, plane + 5, flipped(K) if odd else K)


@kernel
def put_castling(out, i, plane, rooks, king):
    """Two planes, all 1 where a player whose king is on file `king` may still castle with one of `rooks` (rank 1)."""
    while rooks != ZERO:
        out[i, plane if lsb(rooks) > king else plane + 1, :] = 1
        rooks = without_lsb(rooks)


@kernel
def observe_rows(start, stop, w, out):
    """Fill ``out`` [B, 119, 64], all 0 before; the planes of counts and colour are the facade's."""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        ply = w[b + META] >> PLY_SHIFT
        for h in range(RECENT):
            if U(h) > ply:
                break
            slot = recent_slot(w, b, U(h))
            pieces = w[slot + PAWNS] | w[slot + KNIGHTS] | w[slot + DIAGONALS] | w[slot + ORTHOGONALS] | w[slot + KINGS]
            odd = h & 1 == 1
            own = pieces ^ w[slot + OWN] if odd else w[slot + OWN]
            put_side(out, i, STEP * h, w, slot, own, odd)
            put_side(out, i, STEP * h + 6, w, slot, pieces ^ own, odd)
            if w[slot + _SEVEN] >= ONE:
                out[i, STEP * h + 12, :] = 1
            if w[slot + _SEVEN] > ONE:
                out[i, STEP * h + 13, :] = 1
        for side in range(2):
            king = w[b + KINGS] & (w[b + OWN] if side == 0 else ~w[b + OWN])
            rooks = w[b + CASTLING]
            if side == 1:
                king, rooks = flipped(king), flipped(rooks)
            put_castling(out, i, CASTLES + 2 * side, rooks & RANK_1, lsb(king))
