"""Bit operations on uint64 boards. The only file where bitboards meet integer literals.

Numba types ``x & 1`` or ``x - 1`` of a uint64 as int64, after which a right shift copies the sign bit; the functions
here keep every operand unsigned. Single machine instructions come from LLVM's intrinsics; with the compiler switched
off (NUMBA_DISABLE_JIT=1) plain Python stands in for them.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sakiyomi.boards.kernel import kernel

U = np.uint64
ZERO, ONE, FULL = U(0), U(1), U(0xFFFFFFFFFFFFFFFF)

_config: Any = numba.config
if _config.DISABLE_JIT:
    np.seterr(over="ignore")  # words wrap around on purpose; only NumPy's scalars warn of it


@intrinsic
def _compiled_ctpop(typing_context: Any, word: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), build


@intrinsic
def _compiled_cttz(typing_context: Any, word: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), build


@intrinsic
def _compiled_ctlz(typing_context: Any, word: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), build


@intrinsic
def _compiled_bswap(typing_context: Any, word: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bswap(args[0])

    return types.uint64(types.uint64), build


def _plain_ctpop(word: Any) -> Any:
    return U(int(word).bit_count())


def _plain_cttz(word: Any) -> Any:
    return U((int(word) & -int(word)).bit_length() - 1 if word else 64)


def _plain_ctlz(word: Any) -> Any:
    return U(64 - int(word).bit_length())


def _plain_bswap(word: Any) -> Any:
    return U(int.from_bytes(int(word).to_bytes(8, "little"), "big"))


_ctpop: Any = _plain_ctpop if _config.DISABLE_JIT else _compiled_ctpop
_cttz: Any = _plain_cttz if _config.DISABLE_JIT else _compiled_cttz
_ctlz: Any = _plain_ctlz if _config.DISABLE_JIT else _compiled_ctlz
_bswap: Any = _plain_bswap if _config.DISABLE_JIT else _compiled_bswap


@kernel
def bit(index):
    """The board with only square `index` set (uint64, below 64)."""
    return ONE << index


@kernel
def test(board, index):
    """Is square `index` (uint64, below 64) set?"""
    return (board >> index) & ONE != ZERO


@kernel
def popcount(board):
    """How many squares are set (uint64)."""
    return _ctpop(board)


@kernel
def lsb(board):
    """The lowest set square (uint64); 64 for the empty board."""
    return _cttz(board)


@kernel
def msb(board):
    """The highest set square (uint64) of a board that is not empty."""
    return U(63) - _ctlz(board)


@kernel
def without_lsb(board):
    """`board` without its lowest set square."""
    return board & (board - ONE)


@kernel
def flipped(board):
    """`board` with its bytes in reverse order: an 8x8 board mirrored top to bottom (uint64)."""
    return _bswap(board)
