"""A network computed by PyTorch, on the CPU or a GPU."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, local

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sakiyomi.agents.parts.dual.nets import DualNet

Floats = NDArray[np.float32]
Run = Callable[[Floats, Floats, Floats], None]
"""Fills (logits [n, A], values [n]) for observations [n, C, Y, X]; several threads may call it at once."""

_RECORDING = Lock()


def eager(net: DualNet, threads: int, device: torch.device) -> Run:
    """`net`, folded, for any n: in float32 with `threads` cores of the CPU, or in float16 on a GPU."""
    if device.type == "cpu":
        return _on_cpu(_channels_last(net), threads)
    return _on_gpu(_channels_last(net.to(device, torch.float16)), device)


def graphs(net: DualNet, batch: int, device: torch.device) -> Run:
    """The same on a GPU for n up to `batch`, its kernels recorded once for each power of two and replayed.

    Each calling thread has its recordings, and its arrays on the GPU.
    """
    net = _channels_last(net.to(device, torch.float16))
    own = local()

    def run(observations: Floats, logits: Floats, values: Floats) -> None:
        if not hasattr(own, "graphs"):
            own.graphs = {}
        n = len(observations)
        size = min(batch, 1 << (n - 1).bit_length())
        if size not in own.graphs:
            own.graphs[size] = _Graph(net, size, device)
        own.graphs[size](observations, logits, values)

    return run


class _Graph:
    """The network's kernels for `size` positions, with the arrays that they read and write."""

    def __init__(self, net: DualNet, size: int, device: torch.device) -> None:
        self.stream = _stream(device)
        self.staging = torch.zeros(size, *net.planes, pin_memory=True)
        self.input = torch.zeros(size, *net.planes, device=device)
        self.graph = torch.cuda.CUDAGraph()
        # one recording at a time; other threads may go on to use the GPU meanwhile
        with _RECORDING, torch.inference_mode():
            with torch.cuda.stream(self.stream):
                for _ in range(3):  # libraries choose their kernels in the first calls, which must not be recorded
                    _halved(net, self.input)
                self.stream.synchronize()
            with torch.cuda.graph(self.graph, stream=self.stream, capture_error_mode="thread_local"):
                self.outputs = tuple(output.float() for output in _halved(net, self.input))

    def __call__(self, observations: Floats, logits: Floats, values: Floats) -> None:
        n = len(observations)
        self.staging[:n].copy_(torch.from_numpy(observations))
        with torch.inference_mode(), torch.cuda.stream(self.stream):
            self.input[:n].copy_(self.staging[:n], non_blocking=True)
            self.graph.replay()
            for output, into in zip(self.outputs, (logits, values), strict=True):
                torch.from_numpy(into).copy_(output[:n])


def _on_cpu(net: DualNet, threads: int) -> Run:
    def run(observations: Floats, logits: Floats, values: Floats) -> None:
        with torch.inference_mode(), _cores(threads):
            found = net(torch.from_numpy(observations).contiguous(memory_format=torch.channels_last))
            for output, into in zip(found, (logits, values), strict=True):
                torch.from_numpy(into).copy_(output)

    return run


def _on_gpu(net: DualNet, device: torch.device) -> Run:
    own = local()

    def run(observations: Floats, logits: Floats, values: Floats) -> None:
        if not hasattr(own, "stream"):
            own.stream = _stream(device)  # the kernels of two threads overlap
        with torch.inference_mode(), torch.cuda.stream(own.stream):
            batch = torch.from_numpy(observations).pin_memory().to(device, non_blocking=True)
            for output, into in zip(_halved(net, batch), (logits, values), strict=True):
                torch.from_numpy(into).copy_(output)

    return run


def _stream(device: torch.device) -> torch.cuda.Stream:
    make: Callable[[torch.device], torch.cuda.Stream] = torch.cuda.Stream  # which PyTorch leaves without types
    return make(device)


def _halved(net: DualNet, batch: Tensor) -> tuple[Tensor, Tensor]:
    logits, values = net(batch.to(torch.float16, memory_format=torch.channels_last))
    return logits, values


def _channels_last(net: DualNet) -> DualNet:
    for weight in net.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return net


@contextmanager
def _cores(threads: int) -> Iterator[None]:
    """Training sets PyTorch's number of threads too: it is put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
