"""A network compiled by OpenVINO for the CPU."""

from collections.abc import Callable
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakiyomi.agents.parts.dual.nets import DualNet

try:
    import openvino
except ModuleNotFoundError as error:
    raise ModuleNotFoundError('this needs OpenVINO: pip install "sakiyomi[cpu]"', name=error.name) from None

from sakiyomi.agents.parts.dual.inference_graph import as_model, input_ranges

Floats = NDArray[np.float32]


def compiled(
    net: DualNet, threads: int, precision: str, calibration: Floats | None
) -> Callable[[Floats, Floats, Floats], None]:
    """Fills (logits [n, A], values [n]) for observations [n, C, Y, X], any n; several threads may call it at once.

    `net` is folded; `precision` is "f32" or "bf16". With `calibration`, real observations, its convolutions compute in
    int8, in ranges that hold all that comes up on those.
    """
    ranges = None if calibration is None else input_ranges(net, calibration)
    program = _compile(as_model(net, net.planes, ranges), threads, precision)
    own = local()  # each thread has its request: one holds the arrays of one call

    def run(observations: Floats, logits: Floats, values: Floats) -> None:
        if not hasattr(own, "request"):
            own.request = program.create_infer_request()
        request = own.request
        # the request reads and writes the caller's arrays: nothing is copied
        request.set_input_tensor(openvino.Tensor(observations, shared_memory=True))
        request.set_output_tensor(0, openvino.Tensor(logits, shared_memory=True))
        request.set_output_tensor(1, openvino.Tensor(values, shared_memory=True))
        request.infer()

    return run


def _compile(model: Any, threads: int, precision: str) -> Any:
    settings = {
        "INFERENCE_PRECISION_HINT": precision,  # unset, OpenVINO takes bfloat16 where it is faster
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # pinned threads would fight with the search's for the same cores
    }
    return openvino.Core().compile_model(model, "CPU", settings)
