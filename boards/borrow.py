"""`borrow(array)`: an array that a kernel may pass around without counting references.

Numba counts references to an array atomically at every call that it does not inline, and often in those it does: 5 ns
each, more than the work of a short kernel. The caller of an entry kernel holds its arrays for as long as the call
lasts, so there the count is of no use: entry kernels begin with ``words = borrow(words)``.
"""

from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


@intrinsic
def _compiled_borrow(typing_context: Any, array: Any) -> Any:
    if not isinstance(array, types.Array):
        return None

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        original = make_array(array)(context, builder, value=args[0])
        original.meminfo = ir.Constant(original.meminfo.type, None)
        original.parent = ir.Constant(original.parent.type, None)
        return impl_ret_borrowed(context, builder, array, original._getvalue())

    return array(array), build


def _plain_borrow(array: Any) -> Any:
    return array


_config: Any = numba.config
borrow: Any = _plain_borrow if _config.DISABLE_JIT else _compiled_borrow  # intrinsics exist in compiled code only
"""The same array without its reference count. It must not outlive the call of the entry kernel."""
