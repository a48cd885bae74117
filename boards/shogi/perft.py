"""Perft: how many sequences of legal moves there are; one loop over a stack of rows, not a recursion."""

import numpy as np

from sakiyomi.boards.bits import ONE, ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.make import make
from sakiyomi.boards.shogi.movegen import count_moves, list_moves
from sakiyomi.boards.shogi.state import HOT, MOST_MOVES, WORDS

_ROW, _LIST = U(40), U(MOST_MOVES)  # words of a row of the stack, and room for its moves


@kernel
def perft(w, moves, cursors, depth, listed):
    """Perft `depth` (1 or more) of the first row of the stack `w`; `listed`: leaves make a list, or only count."""
    if depth == ONE:
        return count_moves(w, ZERO)
    total = ZERO
    level = ZERO
    cursors[ZERO] = ZERO
    cursors[ONE] = list_moves(w, ZERO, moves, ZERO)
    while True:
        c = level << ONE
        if cursors[c] == cursors[c + ONE]:
            if level == ZERO:
                return total
            level -= ONE
            continue
        at = cursors[c]
        cursors[c] = at + ONE
        here = level * _ROW
        make(w, here, here + _ROW, U(moves[at]))
        start = (level + ONE) * _LIST
        if level + U(2) == depth:
            if listed:
                total += list_moves(w, here + _ROW, moves, start) - start
            else:
                total += count_moves(w, here + _ROW)
        else:
            level += ONE
            cursors[c + U(2)] = start
            cursors[c + U(3)] = list_moves(w, here + _ROW, moves, start)


@kernel
def perft_rows(start, stop, words, depth, listed, totals):
    """Perft `depth` (uint64, 1 or more) of rows start..stop: `totals` uint64 [B]."""
    rows_array = np.empty((depth + ONE) * _ROW, np.uint64)
    moves_array = np.empty((depth + ONE) * _LIST, np.uint16)
    cursors_array = np.empty((depth + ONE) * U(2), np.uint64)
    words, stack, moves, cursors = borrow(words), borrow(rows_array), borrow(moves_array), borrow(cursors_array)
    for i in range(start, stop):
        b = U(i) * WORDS
        for j in range(HOT):
            stack[U(j)] = words[b + U(j)]
        totals[i] = perft(stack, moves, cursors, depth, listed)
    rows_array[ZERO] = ZERO  # last uses, which keep the memory until here
    moves_array[ZERO] = 0
    cursors_array[ZERO] = ZERO
