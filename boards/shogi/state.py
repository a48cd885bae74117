"""The record of a shogi position: 37 64-bit words that search copies, then the history that the rules need.

Squares are numbered down the files from the right: ``square = 9 * (file - 1) + (rank - 1)``, 1a = 0, 1i = 8, 9i = 80.
A board of 81 bits is two words, `lo` the 63 squares of files 1 to 7, `hi` the 18 of files 8 and 9, so that no file is
cut. Black (sente) is player 0 and moves towards rank a, to lower numbers; White (gote) is player 1.

The nine boards hold pieces of both sides that move alike: promoted pawns, lances, knights and silvers stand among the
golds, horses among the bishops, dragons among the rooks, and both again in the last board, as they also step like
kings. `mail` has the exact piece on each square.
"""

from typing import Any

import numpy as np

U = np.uint64
MAX_PLIES = 512  # the most that a game may be given
HISTORY = MAX_PLIES + 1  # keys: of the first position and after each ply
RECENT = 8  # positions kept for the observation planes
SNAPSHOT = 14  # words of one of them: `mail`, both hands, how often the position had occurred before

STATE: np.dtype[Any] = np.dtype(
    (
        np.record,
        [
            ("boards", np.uint64, (9, 2)),  # pawns, lances, knights, silvers, golds, bishops, rooks, kings, strong
            ("sides", np.uint64, (2, 2)),  # pieces of Black, of White
            ("hands", np.uint64, 2),  # Black's, White's: eight bits for each of the seven kinds
            ("turn", "<u1"),  # 0 Black, 1 White
            ("spare", "<u1"),
            ("first", "<u2"),  # the ply of the first position
            ("ply", "<u4"),
            ("key", np.uint64),
            ("mail", np.uint8, 88),  # by square: 0 empty, else kind + 16 for White's
            ("checks", "<u2", 2),  # how many moves running, up to now, each side has given check
            ("repeats", "<u1"),  # how often the position had occurred before
            ("verdict", "<u1"),  # what the fourth occurrence of a position made of the game
            ("spare2", "<u2"),
            ("keys", np.uint64, HISTORY),  # of each position of the game, from `first` on
            ("recent", np.uint64, RECENT * SNAPSHOT),  # ring by ply
        ],
    )
)
"""One position."""

WORDS = U(STATE.itemsize // 8)

# Words of a row by index; META packs turn, first and ply from the low bits up.
PAWNS, LANCES, KNIGHTS, SILVERS, GOLDS, BISHOPS, ROOKS, KINGS, STRONG = (U(2 * i) for i in range(9))
SIDES, HANDS, META, KEY, MAIL = U(18), U(22), U(24), U(25), U(26)
STATUS, KEYS = U(37), U(38)
RECENTS = KEYS + U(HISTORY)
HOT = U(37)  # words that search copies

FIRST_SHIFT, FIRST_BITS = U(16), U(0xFFFF)
PLY_SHIFT, PLY_STEP = U(32), U(1 << 32)
# STATUS packs Black's checks, White's checks, repeats and verdict.
REPEATS_SHIFT, VERDICT_SHIFT, BYTE, CHECK_BITS = U(32), U(40), U(0xFF), U(0xFFFF)
NO_VERDICT, DRAWN, BLACK_LOSES, WHITE_LOSES = U(0), U(1), U(2), U(3)

# Kinds of pieces: those in hand are 1 to 7.
PAWN, LANCE, KNIGHT, SILVER, GOLD, BISHOP, ROOK, KING = (U(i) for i in range(1, 9))
PROMOTED = U(8)  # added to a kind by promotion: +pawn 9 to +silver 12, horse 14, dragon 15
HORSE, DRAGON = BISHOP + PROMOTED, ROOK + PROMOTED
WHITE = U(16)  # added to White's pieces in `mail`

# A move is 15 bits: to, from << 7, promotes << 14; a drop is from 81 + kind - 1.
FROM_SHIFT, SQUARE_BITS, PROMOTES = U(7), U(127), U(1 << 14)
DROP = U(81)
MOST_MOVES = 600  # 593 is the most that a position is known to have
