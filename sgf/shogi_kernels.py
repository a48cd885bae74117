"""Kernels: how shogi games of legal moves ended, as their last positions tell."""

from typing import Any

import numpy as np

from sakiyomi.boards.bits import ZERO, U
from sakiyomi.boards.borrow import borrow
from sakiyomi.boards.kernel import kernel
from sakiyomi.boards.shogi.make import make
from sakiyomi.boards.shogi.rules import ending, judge_repetition, verdict
from sakiyomi.boards.shogi.state import RECENTS, STATUS, WORDS

_NO_LIMIT = U(1 << 32)


@kernel
def final_rows(start: Any, stop: Any, w: Any, firsts: Any, codes: Any, out: Any, verdicts: Any) -> None:
    """How each game of legal moves ended: `out` int8 [B], `Ending` codes.

    `firsts` int64 [B + 1], `codes` uint16 [M], moves; `verdicts` int8 [B], for a perpetual check whose it was, as
    `state` has it. A repetition before the end does not count. Games may have `MAX_PLIES` moves.
    """
    memory = np.empty(WORDS, np.uint64)
    w, row = borrow(w), borrow(memory)
    for i in range(start, stop):
        b = U(i) * WORDS
        for j in range(RECENTS):
            row[U(j)] = w[b + U(j)]
        for m in range(firsts[i], firsts[i + 1]):
            make(row, ZERO, ZERO, U(codes[m]))
            row[STATUS] = judge_repetition(row, ZERO)
        out[i] = ending(row, ZERO, _NO_LIMIT)
        verdicts[i] = verdict(row, ZERO)
    memory[ZERO] = ZERO  # a last use, which keeps the memory until here
