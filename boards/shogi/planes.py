"""AlphaZero's 362 observation planes (Silver et al. 2018, supplement, table S1), seen by the player to move.

Plane 45 * h + ... for the position h = 0 to 7 plies ago, all 0 before the start of the game or of a set-up: 0..13 his
pawns, lances, knights, silvers, golds, bishops, rooks, king, promoted pawns, lances, knights and silvers, horses,
dragons; 14..27 the opponent's; 28, 29, 30 all 1 if the position had occurred at least once, twice, three times
before; 31..37 how many pawns, lances, knights, silvers, golds, bishops, rooks he holds; 38..44 the opponent. Then 360
all 1 for White to move; 361 plies / 512 (AlphaZero's cap).

Row 0 is the far side, column 0 at the player's left: for White the board is turned by half a turn.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.actions import VIEW
from sakiyomi.boards.shogi.movegen import held
from sakiyomi.boards.shogi.rules import played, recent_slot
from sakiyomi.boards.shogi.state import META, RECENT, WORDS

STEP = 45
REPEATS, HANDS = 28, 31
COLOUR = STEP * RECENT
PLIES = COLOUR + 1
PLANES = COLOUR + 2
PLY_SCALE = 512

_ORDER: NDArray[Any] = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 12, 13], np.uint8)
_ORDER.setflags(write=False)
_EIGHT, _SEVEN, _BYTE, _MAIL_WORDS, _SQUARES, _KIND, _SIDE = U(8), U(7), U(0xFF), U(11), U(81), U(15), U(14)


@kernel
def put_step(out, i, plane, w, slot, side):
    """The 45 planes of the position kept at `slot`, seen by `side`."""
    for square in range(_SQUARES):
        piece = (w[slot + (U(square) >> 3)] >> ((U(square) & _SEVEN) << 3)) & _BYTE
        if piece != ZERO:
            at = plane + U(_ORDER[piece & _KIND]) + (_SIDE if piece >> 4 != side else ZERO)
            out[i, at, VIEW[_SQUARES * side + U(square)]] = 1
    for who in range(2):
        hand = w[slot + _MAIL_WORDS + (side ^ U(who))]
        for kind in range(7):
            count = held(hand, U(kind) + ONE)
            if count != ZERO:
                out[i, plane + U(HANDS) + _SEVEN * U(who) + U(kind), :] = count
    repeats = w[slot + _MAIL_WORDS + U(2)]
    for times in range(3):
        if repeats > U(times):
            out[i, plane + U(REPEATS) + U(times), :] = 1


@kernel
def observe_rows(start, stop, w, out):
    """Fill ``out`` [B, 362, 81], all 0 before; the planes of colour and plies are the facade's."""
    w = borrow(w)
    for i in range(start, stop):
        b = U(i) * WORDS
        for h in range(min(played(w, b) + ONE, _EIGHT)):
            put_step(out, i, U(STEP) * U(h), w, recent_slot(w, b, U(h)), w[b + META] & ONE)
