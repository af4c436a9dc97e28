"""Operations of Keras 3 between layers: `x * 2`, `x[:, -1]`, `keras.ops.mean(x, axis=1)`.

A file has each as an entry of its own, with constants among its arguments. They become functions
in the net, not modules: nothing in them is trained.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from .... import ops
from ....errors import FormatError, ShapeError
from ....quoting import quoted
from ....tensor import Tensor
from .activations import FUNCTIONS, hard_sigmoid_3, identity
from .table import Given, Kind, Unit


def _power(a: Any, b: Any) -> Tensor:
    return a**b


def _divided(a: Any, b: Any) -> Tensor:
    return a / b


def _reduced(function: Any, x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    axis = tuple(axis) if isinstance(axis, list) else axis
    return function(x, axis=axis, keepdims=keepdims)


def _reshape(x: Tensor, newshape: Any) -> Tensor:
    return ops.reshape(x, tuple(newshape))


def _transpose(x: Tensor, axes: Any = None) -> Tensor:
    return ops.transpose(x, None if axes is None else tuple(axes))


def _squeeze(x: Tensor, axis: Any = None) -> Tensor:
    return ops.squeeze(x, tuple(axis) if isinstance(axis, list) else axis)


def _clip(x: Tensor, x_min: float, x_max: float) -> Tensor:
    return ops.clip(x, x_min, x_max)


def _get(x: Tensor, key: Any) -> Tensor:
    """x[key] with the slices as files write them."""
    return x[tuple(map(_place, key)) if isinstance(key, list) else _place(key)]


def _place(value: Any) -> Any:
    if isinstance(value, dict) and value.get("class_name") == "__slice__":
        ends = value.get("config", {})
        return slice(ends.get("start"), ends.get("stop"), ends.get("step"))
    if isinstance(value, dict) and value.get("class_name") == "__ellipsis__":
        return ...
    if value is None or type(value) is int:
        return value
    raise ShapeError(f"an index {quoted(value, 60)}")


def _square(x: Tensor) -> Tensor:
    return x * x


def _softmax(x: Tensor, axis: int = -1) -> Tensor:
    return ops.softmax(x, axis)


#: (function, names of its settings in the configuration).
FUNCTIONS_OF: dict[str, tuple[Any, tuple[str, ...]]] = {
    "Add": (ops.add, ()), "Subtract": (ops.subtract, ()), "Multiply": (ops.multiply, ()),
    "Divide": (_divided, ()), "TrueDivide": (_divided, ()), "Power": (_power, ()),
    "Maximum": (ops.maximum, ()), "Minimum": (ops.minimum, ()), "Matmul": (ops.matmul, ()),
    "Negative": (ops.negative, ()), "Abs": (ops.abs, ()), "Absolute": (ops.abs, ()),
    "Exp": (ops.exp, ()), "Log": (ops.log, ()), "Sqrt": (ops.sqrt, ()), "Square": (_square, ()),
    "Sin": (ops.sin, ()), "Cos": (ops.cos, ()), "Tanh": (ops.tanh, ()),
    "Mean": (partial(_reduced, ops.mean), ("axis", "keepdims")),
    "Sum": (partial(_reduced, ops.sum), ("axis", "keepdims")),
    "Max": (partial(_reduced, ops.max), ("axis", "keepdims")),
    "Min": (partial(_reduced, ops.min), ("axis", "keepdims")),
    "Reshape": (_reshape, ("newshape",)), "Transpose": (_transpose, ("axes",)),
    "ExpandDims": (ops.expand_dims, ("axis",)), "Squeeze": (_squeeze, ("axis",)),
    "Concatenate": (ops.concat, ("axis",)), "Stack": (ops.stack, ("axis",)),
    "NotEqual": (ops.not_equal, ()), "Equal": (ops.equal, ()), "Greater": (ops.greater, ()),
    "Less": (ops.less, ()), "LogicalOr": (ops.logical_or, ()),
    "LogicalAnd": (ops.logical_and, ()), "LogicalNot": (ops.logical_not, ()),
    "Where": (ops.where, ()), "ConvertToTensor": (identity, ()), "Identity": (identity, ()),
    "Any": (partial(_reduced, ops.any), ("axis", "keepdims")),
    "Clip": (_clip, ("x_min", "x_max")), "GetItem": (_get, ()),
    "Softmax": (_softmax, ("axis",)), "HardSigmoid": (hard_sigmoid_3, ()),
    **{name.title().replace("_", ""): (FUNCTIONS[name], ()) for name in (
        "relu", "sigmoid", "silu", "softplus", "softsign", "elu", "selu", "relu6", "log_sigmoid",
        "exponential")},
    "LogSoftmax": (ops.log_softmax, ("axis",)), "Gelu": (ops.gelu, ()),
}  # fmt: skip


def _operation(layer, arrays, maker):
    function, keys = FUNCTIONS_OF[layer.kind.removeprefix("ops.")]
    settings = {k: layer.config[k] for k in keys if layer.config.get(k) is not None}
    if not all(_plain(v) for v in settings.values()):
        raise FormatError(f"{layer.kind} {quoted(layer.name, 60)}: settings {quoted(settings, 80)}")
    return Unit([], partial(computed, function=function, settings=settings))


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_plain, value))
    return isinstance(value, int | float)


def computed(modules, given: Given, function, settings):
    """The function of what it is called with; keywords that say nothing are left out."""
    more = {k: v for k, v in given.kwargs.items() if v is not None and k != "training"}
    found = function(*given.args, **settings, **more)
    return [found], [None]


def _refuses(layer):
    if layer.kind == "ops.Gelu" and layer.config.get("approximate"):
        return "approximate=True"
    return None


KINDS = {f"ops.{name}": Kind(_operation, refuses=_refuses) for name in FUNCTIONS_OF}
