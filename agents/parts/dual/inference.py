"""Networks in search: observations as NumPy arrays in, logits and values as NumPy arrays out, by the fastest means.

| runtime | what it is |
| --- | --- |
| ``torch`` | PyTorch; float32 on the CPU, float16 on a GPU |
| ``cuda-graphs`` | the same on a GPU, its kernels recorded and replayed: small nets need longer to launch than to run |
| ``openvino`` | OpenVINO on the CPU in float32 |
| ``openvino-bf16`` | the same in bfloat16 where the CPU computes with it (AMX), in float32 elsewhere |
| ``openvino-int8`` | whole numbers of 8 bits, their ranges measured on the positions of `calibration` |
| ``auto`` | ``torch`` if there is a GPU, else ``openvino-bf16`` if OpenVINO is installed, else ``torch`` |
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol
from warnings import warn

import numpy as np
import torch
from numpy.typing import NDArray

from sakiyomi.agents.parts.dual.nets import DualNet, folded

Floats = NDArray[np.float32]
Run = Callable[[Floats, Floats, Floats], None]
"""Fills (logits [n, A], values [n]) for observations [n, C, Y, X], n at most the batch that it was made for."""

RUNTIMES = ("auto", "torch", "cuda-graphs", "openvino", "openvino-bf16", "openvino-int8")


class Evaluator(Protocol):
    """A network as search sees it."""

    def __call__(self, observations: Floats) -> tuple[Floats, Floats]:
        """Observations float32 [n, C, Y, X] -> (logits float32 [n, A], values float32 [n] in [-1, 1])."""
        ...


class NetEvaluator:
    """The `Evaluator` that `make_evaluator` makes. Several threads may call one at the same time.

    Arrays that it returns are the caller's own.
    """

    def __init__(self, run: Run, runtime: str, planes: tuple[int, int, int], actions: int, batch: int) -> None:
        self._run, self.runtime = run, runtime
        self.planes, self.actions, self.batch = planes, actions, batch

    def __call__(self, observations: Floats) -> tuple[Floats, Floats]:
        """See `Evaluator`; any n, more than `batch` in several goes. Raises ValueError for arrays of another shape."""
        if observations.shape[1:] != self.planes:
            raise ValueError(f"observations must be [n, *{self.planes}] as the net's are, got {observations.shape}")
        rows = np.require(observations, np.float32, ["C", "W"])
        logits = np.empty((len(rows), self.actions), np.float32)
        values = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), self.batch):
            part = slice(start, start + self.batch)
            self._run(rows[part], logits[part], values[part])
        return logits, values


def make_evaluator(
    net: DualNet,
    runtime: str = "auto",
    *,
    batch: int = 256,
    threads: int = 1,
    device: str | None = None,
    calibration: Floats | None = None,
) -> NetEvaluator:
    """An evaluator of the weights that `net` has now: to train it further does not change the evaluator.

    `batch` is the most positions that are computed at once, `threads` the number of cores that one evaluation uses on
    the CPU, `device` None or what PyTorch calls a device ("cpu", "cuda:1"), `calibration` a few hundred real
    observations [n, C, Y, X], for ``openvino-int8`` only. Raises ValueError for settings that do not go together and
    ModuleNotFoundError where OpenVINO is asked for and not installed.
    """
    check_runtime(runtime)
    if batch < 1 or threads < 1:
        raise ValueError(f"batch and threads must be 1 or more, got {batch} and {threads}")
    place = _place(runtime, device)
    if runtime == "auto":
        runtime = _fastest(place)
    if runtime == "openvino-int8" and (calibration is None or not len(calibration)):
        raise ValueError("openvino-int8 needs calibration: a few hundred real observations [n, C, Y, X]")
    run = _runner(folded(net), runtime, batch, threads, place, calibration)
    return NetEvaluator(run, runtime, net.planes, net.actions, batch)


def check_runtime(runtime: str) -> None:
    """Raise what `make_evaluator` raises for a runtime that there is not, or that is not installed."""
    if runtime not in RUNTIMES:
        raise ValueError(f"runtime must be one of {', '.join(RUNTIMES)}, got {runtime!r}")
    if runtime.startswith("openvino") and find_spec("openvino") is None:
        raise ModuleNotFoundError(f'runtime {runtime!r} needs OpenVINO: pip install "sakiyomi[cpu]"', name="openvino")


def _place(runtime: str, device: str | None) -> torch.device:
    on_cpu = runtime.startswith("openvino")
    place = torch.device(device or ("cuda" if torch.cuda.is_available() and not on_cpu else "cpu"))
    if on_cpu and place.type != "cpu":
        raise ValueError(f"{runtime} computes on the CPU, device must be None or 'cpu', got {device!r}")
    if runtime == "cuda-graphs" and place.type != "cuda":
        raise ValueError(f"cuda-graphs needs a GPU of CUDA, got the device {str(place)!r}")
    return place


def _fastest(place: torch.device) -> str:
    """The fastest runtime that needs no calibration."""
    if place.type != "cpu":
        return "torch"
    if find_spec("openvino"):
        return "openvino-bf16"
    warn(
        'without OpenVINO networks take two to three times as long on a CPU: pip install "sakiyomi[cpu]"', stacklevel=3
    )
    return "torch"


def _runner(
    net: DualNet, runtime: str, batch: int, threads: int, place: torch.device, calibration: Floats | None
) -> Run:
    if runtime in ("torch", "cuda-graphs"):
        from sakiyomi.agents.parts.dual import inference_torch

        if runtime == "cuda-graphs":
            return inference_torch.graphs(net, batch, place)
        return inference_torch.eager(net, threads, place)
    from sakiyomi.agents.parts.dual import inference_openvino

    precision = "bf16" if runtime == "openvino-bf16" else "f32"
    measured_on = np.asarray(calibration, np.float32) if runtime == "openvino-int8" else None
    return inference_openvino.compiled(net, threads, precision, measured_on)
