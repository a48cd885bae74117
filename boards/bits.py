"""Bit operations on uint64 boards. The only file where bitboards meet integer literals.

Numba types ``x & 1`` or ``x - 1`` of a uint64 as int64, after which a right shift copies the sign bit; the functions
here keep every operand unsigned. Single machine instructions come from LLVM's intrinsics.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sakiyomi.boards.kernel import kernel

U = np.uint64
ZERO, ONE, FULL = U(0), U(1), U(0xFFFFFFFFFFFFFFFF)


@intrinsic
def _ctpop(typing_context: Any, word: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), build


@intrinsic
def _cttz(typing_context: Any, word: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), build


@kernel
def bit(index):
    """The board with only square `index` set (0 <= index < 64)."""
    return ONE << U(index)


@kernel
def test(board, index):
    """Is square `index` set?"""
    return (board >> U(index)) & ONE != ZERO


@kernel
def popcount(board):
    """How many squares are set (uint64)."""
    return _ctpop(board)


@kernel
def lsb(board):
    """The lowest set square (uint64); 64 for the empty board."""
    return _cttz(board)


@kernel
def without_lsb(board):
    """`board` without its lowest set square."""
    return board & (board - ONE)
