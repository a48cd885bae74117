"""The record of a chess position: nine 64-bit words that search copies, then the history that the rules need.

Every board is seen by the player to move: his own pieces come from rank 1 and his pawns go up, whichever colour he
has, so a move ends with all boards mirrored top to bottom (a byte swap) and move generation knows one colour only.
Squares of the boards are numbered a1 = 0, b1 = 1, ... h8 = 63; a square of Black's view is the real one ^ 56.

Queens stand in both `diagonals` and `orthogonals`, so five boards hold six kinds of pieces. `castling` holds the
rooks with which castling is still allowed (Chess960 needs no more); `ep` is the square behind a pawn that has just
moved two, but only if it can legally be taken there, else 0, so that equal positions have equal keys.
"""

from typing import Any

import numpy as np

U = np.uint64
HISTORY = 151  # keys: one for each value of the halfmove clock, 0 to 150, when the seventy-five-move rule ends a game
RECENT = 8  # positions kept for the observation planes

STATE: np.dtype[Any] = np.dtype(
    (
        np.record,
        [
            ("pawns", np.uint64),
            ("knights", np.uint64),
            ("diagonals", np.uint64),  # bishops and queens
            ("orthogonals", np.uint64),  # rooks and queens
            ("kings", np.uint64),
            ("own", np.uint64),  # pieces of the player to move
            ("castling", np.uint64),
            ("ep", "<u1"),
            ("turn", "<u1"),  # 0 White, 1 Black
            ("halfmove", "<u2"),  # plies since the last capture or pawn move
            ("ply", "<u4"),
            ("key", np.uint64),
            ("since", np.uint64),  # the lowest clock whose entry of `keys` is known
            ("keys", np.uint64, HISTORY),  # the position's key at each value of the clock since it was 0
            ("recent", np.uint64, RECENT * 8),  # ring by ply: boards 0 to 5 and, last, how often it had occurred before
        ],
    )
)
"""One position."""

WORDS = U(STATE.itemsize // 8)

# Words of a row by index; META packs ep, turn, halfmove and ply from the low bits up.
PAWNS, KNIGHTS, DIAGONALS, ORTHOGONALS, KINGS, OWN, CASTLING, META, KEY, SINCE, KEYS = (U(i) for i in range(11))
RECENTS = KEYS + U(HISTORY)
HOT = U(9)  # words that search copies

EP_BITS = U(0xFF)
TURN_SHIFT, TURN_BIT = U(8), U(1 << 8)
CLOCK_SHIFT, CLOCK_BITS, CLOCK_STEP = U(16), U(0xFFFF << 16), U(1 << 16)
PLY_SHIFT, PLY_STEP = U(32), U(1 << 32)

# A move is 16 bits: from, to << 6, flag << 12, squares as the mover sees them.
QUIET, DOUBLE, EN_PASSANT, CASTLE = U(0), U(1), U(2), U(3)  # QUIET: any move without a special effect, captures too
TO_KNIGHT, TO_BISHOP, TO_ROOK, TO_QUEEN = U(4), U(5), U(6), U(7)  # promotions
# A castling move goes from the king to the rook.
MOST_MOVES = 512  # room for a list of moves: 218 is the most that can be reached, 321 what 16 pieces could ever have
