"""A network of PyTorch as a model of OpenVINO, in float32 or with layers that compute in int8.

OpenVINO's own converter takes half a second, which a learner would pay after every iteration; the few operations that
our networks consist of are translated in a hundredth of that.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import openvino
import torch
from numpy.typing import NDArray
from openvino import opset13 as ops
from torch import fx, nn

Floats = NDArray[np.float32]
Ranges = dict[str, tuple[float, float]]
"""By name of a layer the smallest and the largest input that it gets."""

LEVELS = 256
"""Of an input in int8; weights have one less, so that they are symmetric about 0."""

OPERATIONS: dict[Any, Callable[..., Any]] = {
    torch.relu: ops.relu,
    torch.tanh: ops.tanh,
    operator.add: ops.add,
    operator.getitem: lambda parts, index: parts.output(index),
    torch.cat: lambda parts, axis: ops.concat(parts, axis),
    "float": lambda x: x,  # which it is
    "flatten": lambda x, _: ops.reshape(x, np.array([0, -1]), special_zero=True),
    "permute": lambda x, *order: ops.transpose(x, np.array(order)),
    "unsqueeze": lambda x, axis: ops.unsqueeze(x, np.array(axis)),
    "squeeze": lambda x, axis: ops.squeeze(x, np.array(axis)),
    "split": lambda x, sizes, axis: ops.variadic_split(x, np.array(axis), np.array(sizes)),
    "mean": lambda x, axes: ops.reduce_mean(x, np.array(axes)),
    "amax": lambda x, axes: ops.reduce_max(x, np.array(axes)),
}
"""What stands in a traced network beside its convolutions and full connections, by function or name of method."""


def as_model(net: nn.Module, planes: tuple[int, int, int], ranges: Ranges | None = None) -> Any:
    """`net` as a model for observations [n, *planes], any n: as fast as a model for one n, and nothing is padded.

    Layers whose inputs `ranges` gives compute in int8. Raises ValueError for an operation that is not in OPERATIONS.
    """
    traced = fx.symbolic_trace(net)
    layers = dict(traced.named_modules())
    found: dict[fx.Node, Any] = {}
    for node in traced.graph.nodes:
        if node.op == "placeholder":
            found[node] = ops.parameter([-1, *planes], np.float32, "observations")
        elif node.op == "call_module":
            name = str(node.target)
            found[node] = _layer(layers[name], found[node.args[0]], (ranges or {}).get(name))
        elif node.op == "output":
            outputs = fx.map_arg(node.args[0], found.__getitem__)
        else:
            found[node] = _operation(node)(*fx.map_arg(node.args, found.__getitem__))
    inputs = [made for node, made in found.items() if node.op == "placeholder"]
    return openvino.Model(list(outputs), inputs)


def input_ranges(net: nn.Module, observations: Floats) -> Ranges:
    """The ranges of the inputs of the convolutions of more than one point of `net`, on `observations` [n, C, Y, X].

    These are the layers for int8. The rest, the ends of the heads, makes up a third of the error and none of the time.
    """
    ranges: Ranges = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            ranges[name] = (float(inputs[0].min()), float(inputs[0].max()))

        return hook

    layers = [(name, layer) for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_pre_hook(note(name)) for name, layer in layers if layer.kernel_size != (1, 1)]
    try:
        with torch.inference_mode():
            net(torch.from_numpy(observations))
    finally:
        for hook in hooks:
            hook.remove()
    return ranges


def _operation(node: fx.Node) -> Callable[..., Any]:
    if node.target not in OPERATIONS or node.kwargs:
        raise ValueError(f"OpenVINO's graph has no translation of {node.format_node()}")
    return OPERATIONS[node.target]


def _layer(layer: nn.Module, x: Any, inputs: tuple[float, float] | None) -> Any:
    """A convolution or a full connection of `x`, in int8 if the range of its inputs is given."""
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        raise ValueError(f"OpenVINO's graph has no translation of the layer {layer}")
    numbers = layer.weight.detach().numpy()
    weight = ops.constant(numbers)
    if inputs is not None:
        x, weight = _rounded_inputs(x, *inputs), _rounded_weights(weight, numbers)
    if isinstance(layer, nn.Linear):
        product, shape = ops.matmul(x, weight, False, True), [1, -1]
    else:
        ends = list(layer.padding)
        product = ops.convolution(x, weight, list(layer.stride), ends, ends, list(layer.dilation))
        shape = [1, -1, 1, 1]
    return product if layer.bias is None else ops.add(product, layer.bias.detach().numpy().reshape(shape))


def _rounded_inputs(x: Any, low: float, high: float) -> Any:
    """One scale for all channels; 0 stays 0, as the convolution pads with it."""
    if low < 0:  # signed: the levels -128 to 127
        high = max(high, -low * (LEVELS // 2 - 1) / (LEVELS // 2))
        low = -high * (LEVELS // 2) / (LEVELS // 2 - 1)
    ends = np.float32(low if low < 0 else 0), np.float32(max(high, 1e-6))
    return ops.fake_quantize(x, *ends, *ends, LEVELS)


def _rounded_weights(weight: Any, numbers: Floats) -> Any:
    """One scale for each filter, as folded normalisations make them very different."""
    most = np.abs(numbers).max(axis=tuple(range(1, numbers.ndim)), keepdims=True).clip(1e-9)
    return ops.fake_quantize(weight, -most, most, -most, most, LEVELS - 1)
