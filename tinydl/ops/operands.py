"""What the operations take beside tensors: numbers, arrays, operands of other shapes.

Two operands broadcast under NumPy's rules and must agree in dtype; one of them may be a Python
number, which takes the tensor's dtype.
"""

from __future__ import annotations

import numpy as np

from ..arguments import array as host_array
from ..arguments import is_tensor, made_of, number
from ..engine import alike, is_float
from ..errors import ConfigError, DTypeError
from ..geometry import broadcast_shape
from ..quoting import quoted
from .broadcast import BroadcastTo


def _constant(like, value):
    """A 0-d tensor beside `like`; elementwise kernels take it without broadcasting."""
    return like._new(like.backend.scalar(value, like.data.dtype), like.backend)


def _aligned(op, *tensors):
    """Broadcast to a common shape; constants without a gradient may stay 0-d."""
    shape = broadcast_shape(op, *[t.data.shape for t in tensors])
    if not shape:
        return tensors
    return tuple(
        [
            t
            if t.data.shape == shape or (t.data.ndim == 0 and not t._requires_grad)
            else BroadcastTo(shape).apply(t)
            for t in tensors
        ]
    )


def _binary(function, a, b):
    if not alike(a, b):
        a, b = _matched(function, a, b)
    return function.apply(a, b)


def _lifted(op, *operands):
    """The operands as tensors: numbers and arrays beside a tensor, as the operators take them."""
    like = next((t for t in operands if is_tensor(t)), None)
    if like is None:
        raise DTypeError(
            f"{op}: expects tensors, got {', '.join(map(quoted, operands))}{made_of(*operands)}"
        )
    return [t if is_tensor(t) else _beside(op, like, t) for t in operands]


def _beside(op, like, value):
    """A number or an array as a tensor beside `like`: Python's numbers take its type."""
    if isinstance(value, np.ndarray | np.generic):
        return like._lift(host_array(op, "an operand", value))
    if isinstance(value, bool):
        return _constant(like, value)
    return _constant(like, _number_for(op, like, value))


def _number_for(op, like, value):
    """A number that the type of the tensor `like` holds; DTypeError for one that it does not."""
    try:
        value = number(op, "a number beside a tensor", value)
    except ConfigError:
        raise DTypeError(
            f"{op}: expects tensors, or numbers beside them, got {quoted(value)}{made_of(value)}"
        ) from None
    dtype = like.data.dtype
    if dtype.kind in "iu" and isinstance(value, int):
        if not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
            raise DTypeError(f"{op}: {dtype} does not hold {quoted(value)}; use .astype")
    elif dtype.kind == "b" and isinstance(value, int) and value not in (0, 1):
        raise DTypeError(f"{op}: bool does not hold {quoted(value)}; use .astype('int64')")
    elif dtype.kind != "f" and isinstance(value, float):
        raise DTypeError(f"{op}: {dtype} tensor with the float {value}; use .astype('float32')")
    return value


def _check_beside(t, value, compared):
    """DTypeError for a float beside a tensor of another kind, and for an integer beside truth
    values: they compare with 0 and 1 and are no numbers."""
    if isinstance(value, float):
        raise DTypeError(
            f"operator: {t.dtype} tensor with the float {value}; use .astype('float32')"
        )
    if type(value) is not bool and not (compared and value in (0, 1)):
        raise DTypeError(
            f"operator: bool tensor with the integer {quoted(value)}; use .astype('int64')"
        )


def _matched(function, a, b):
    """The operands, checked and broadcast."""
    try:
        x, y = a.data, b.data
        same = x.dtype == y.dtype
    except (AttributeError, ValueError):  # an ndarray of dates has not even a buffer
        a, b = _lifted(function.name, a, b)
        x, y = a.data, b.data
        same = x.dtype == y.dtype
    if not same:
        raise DTypeError(
            f"{function.name}: operands are {x.dtype} {x.shape} and {y.dtype} {y.shape}; "
            "convert one with .astype, an array by td.tensor(x, dtype='float32')"
        )
    return (a, b) if x.shape == y.shape else _aligned(function.name, a, b)


def _kind(op, t):
    try:
        return t.data.dtype.kind
    except (AttributeError, ValueError):  # an ndarray of dates has not even a buffer
        kind = type(t).__name__
        raise DTypeError(f"{op}: expects a tensor, got {kind}{made_of(t)}") from None


def _require_float(op, *tensors):
    for t in tensors:
        if not is_float(t) and _kind(op, t) != "f":
            raise DTypeError(
                f"{op}: needs a float tensor, got {t.dtype} {t.shape}; use .astype('float32')"
            )


def _require_number(op, x):
    if _kind(op, x) == "b":
        raise DTypeError(f"{op}: has no meaning for a bool tensor {x.shape}; use .astype")
