"""Kernels: chess games as UCI codes -> their legal actions, and how games of legal actions ended.

A UCI code is origin | target << 6 | promotion << 12, in real squares (a1 = 0), promotion 1 to 4 for knight, bishop,
rook, queen: that of `pgn_replay`. Draws by rule do not stop a game that goes on.
"""

from typing import Any

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.chess.actions import action_of, move_of
from sakiyomi.boards.chess.make import make
from sakiyomi.boards.chess.perft import count_row
from sakiyomi.boards.chess.rules import (
    CHECKMATE,
    FIFTY,
    INSUFFICIENT_MATERIAL,
    ONGOING,
    REPETITION,
    SEVENTY_FIVE,
    STALEMATE,
    clock,
    in_check,
    insufficient_material,
)
from sakiyomi.boards.chess.san import ILLEGAL, find_by_squares
from sakiyomi.boards.chess.state import HOT, KEY, META, TO_KNIGHT, TURN_SHIFT, WORDS
from sakiyomi.boards.kernel import kernel

_TWO, _FOUR, _SIX, _TWELVE, _SIXTY_THREE, _FLIP = U(2), U(4), U(6), U(12), U(63), U(56)
_FIFTY_MOVES, _SEVENTY_FIVE_MOVES = U(100), U(150)


@kernel
def uci_rows(start: Any, stop: Any, w: Any, chess960: Any, firsts: Any, codes: Any, actions: Any, played: Any) -> None:
    """Read the codes ``firsts[i]`` to ``firsts[i + 1]`` - 1 of each row, up to the first that is illegal.

    `firsts` int64 [B + 1], `codes` uint16 [M], `actions` int32 [M]; `played` int32 [B], how many were legal. The rows
    of `w` stay as they are.
    """
    memory = np.empty(HOT, np.uint64)
    w, row = borrow(w), borrow(memory)
    for i in range(start, stop):
        b = U(i) * WORDS
        for j in range(HOT):
            row[U(j)] = w[b + U(j)]
        played[i] = 0
        for m in range(firsts[i], firsts[i + 1]):
            code = U(codes[m])
            flip = _FLIP * ((row[META] >> TURN_SHIFT) & ONE)
            piece = code >> _TWELVE
            promotion = piece + TO_KNIGHT - ONE if piece != ZERO else ZERO
            origin, to = (code & _SIXTY_THREE) ^ flip, ((code >> _SIX) & _SIXTY_THREE) ^ flip
            move = find_by_squares(row, ZERO, origin, to, promotion, chess960)
            if move >= ILLEGAL:
                break
            actions[m] = action_of(move, chess960)
            make(row, ZERO, ZERO, move)
            played[i] += 1
    memory[ZERO] = ZERO  # a last use, which keeps the memory until here


@kernel
def final(w: Any, keys: Any, plies: Any, drawn: Any) -> Any:
    """The `Ending` of the position `w` after `plies` moves; `keys` are those of all positions since the first.

    With `drawn` a draw that can be claimed is one.
    """
    if insufficient_material(w, ZERO):
        return INSUFFICIENT_MATERIAL
    if count_row(w, ZERO) == ZERO:
        return CHECKMATE if in_check(w, ZERO) else STALEMATE
    now = clock(w, ZERO)
    if now >= _SEVENTY_FIVE_MOVES:
        return SEVENTY_FIVE
    earlier, back = ZERO, _TWO
    while back <= now and back <= plies:
        earlier += U(keys[plies - back] == keys[plies])
        back += _TWO
    if earlier >= _FOUR or (drawn and earlier >= _TWO):
        return REPETITION
    return FIFTY if drawn and now >= _FIFTY_MOVES else ONGOING


@kernel
def final_rows(start: Any, stop: Any, w: Any, chess960: Any, firsts: Any, actions: Any, drawn: Any, out: Any) -> None:
    """How each game of legal actions ended, as its last position tells: `out` int8 [B], `Ending` codes.

    `chess960` and `drawn` bool [B], `firsts` int64 [B + 1], `actions` int32 [M].
    """
    longest = 0
    for i in range(start, stop):
        longest = max(longest, firsts[i + 1] - firsts[i])
    memory, key_memory = np.empty(HOT, np.uint64), np.empty(longest + 1, np.uint64)
    w, row, keys = borrow(w), borrow(memory), borrow(key_memory)
    for i in range(start, stop):
        b = U(i) * WORDS
        for j in range(HOT):
            row[U(j)] = w[b + U(j)]
        plies = ZERO
        keys[plies] = row[KEY]
        for m in range(firsts[i], firsts[i + 1]):
            make(row, ZERO, ZERO, move_of(row, ZERO, U(actions[m]), chess960[i]))
            plies += ONE
            keys[plies] = row[KEY]
        out[i] = final(row, keys, plies, drawn[i])
    memory[ZERO] = ZERO  # last uses, which keep the memory until here
    key_memory[ZERO] = ZERO
