"""NumPy's functions called with tensors: `np.exp(t)`, `np.stack([a, b])`, `np.float64(2) * t`.

Where NumPy and tinydl mean the same, the tinydl operation answers, with its gradient. Any other
function would only see the values, and a gradient would be lost without a word: that is an error
while recording, which names what to call instead; tensors that need no gradient are plain arrays
to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from . import ops
from .errors import ConfigError, GraphError
from .recording import is_recording

#: The same elementwise function on both sides. Operands are lifted beside the first tensor.
UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: ops.add, np.subtract: ops.subtract, np.multiply: ops.multiply,
    np.true_divide: ops.divide, np.power: ops.power, np.matmul: ops.matmul,
    np.maximum: ops.maximum, np.minimum: ops.minimum, np.arctan2: ops.atan2,
    np.equal: ops.equal, np.not_equal: ops.not_equal, np.less: ops.less,
    np.less_equal: ops.less_equal, np.greater: ops.greater, np.greater_equal: ops.greater_equal,
    np.logical_and: ops.logical_and, np.logical_or: ops.logical_or,
    np.logical_xor: ops.logical_xor, np.logical_not: ops.logical_not,
    np.negative: ops.negative, np.positive: lambda x: +x, np.absolute: ops.abs,
    np.fabs: ops.abs, np.sign: ops.sign, np.rint: ops.round, np.floor: ops.floor,
    np.exp: ops.exp, np.expm1: ops.expm1, np.log: ops.log, np.log1p: ops.log1p,
    np.sqrt: ops.sqrt, np.sin: ops.sin, np.cos: ops.cos, np.tanh: ops.tanh,
    np.square: ops.square, np.log2: ops.log2, np.log10: ops.log10, np.ceil: ops.ceil,
    np.logaddexp: ops.logaddexp, np.tan: ops.tan, np.arcsin: ops.asin, np.arccos: ops.acos,
    np.arctan: ops.atan, np.sinh: ops.sinh, np.cosh: ops.cosh, np.arcsinh: ops.asinh,
    np.arccosh: ops.acosh, np.arctanh: ops.atanh, np.isnan: ops.isnan, np.isinf: ops.isinf,
    np.isfinite: ops.isfinite,
}  # fmt: skip


def _dot(a, b):
    if {a.ndim, b.ndim} <= {1, 2}:
        return ops.matmul(a, b)
    raise ConfigError(f"np.dot: of tensors {a.shape} and {b.shape}; use tinydl.matmul")


def _take(a, indices, axis=None):
    return ops.take(a.ravel(), indices, 0) if axis is None else ops.take(a, indices, axis)


def _running_sum(a, axis=None):
    return ops.cumsum(a.ravel(), 0) if axis is None else ops.cumsum(a, axis)


def _running_product(a, axis=None):
    return ops.cumprod(a.ravel(), 0) if axis is None else ops.cumprod(a, axis)


def _vector_norm(x, ord=None, axis=None, keepdims=False):
    flat = axis is None and ord is None
    if not (flat or isinstance(axis, int) or (axis is None and x.ndim == 1)):
        raise ConfigError("np.linalg.norm: matrix norms are not among tinydl.norm's")
    return ops.norm(x, 2 if ord is None else ord, axis, keepdims)


def _rounded(a, decimals=0):
    if decimals:
        raise ConfigError(f"np.round: tinydl.round has no decimals, got {decimals!r}")
    return ops.round(a)


def _cross(a, b, axis=-1):
    a, b = _lifted((a, b))
    return ops.cross(a, b, axis)


def _where(condition, x, y):
    """Numbers and arrays beside tensors, the condition an array or a bool tensor."""
    first = next(t for t in (x, y, condition) if _is_tensor(t))
    branch = next((t for t in (x, y) if _is_tensor(t)), first)
    condition = condition if _is_tensor(condition) else first._lift(np.asarray(condition))
    return ops.where(condition, branch._lift(x), branch._lift(y))


#: The same meaning, with the parameters that both have; NumPy's others are refused.
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: lambda a, axis=None, keepdims=False: ops.sum(a, axis, keepdims),
    np.mean: lambda a, axis=None, keepdims=False: ops.mean(a, axis, keepdims),
    np.prod: lambda a, axis=None, keepdims=False: ops.prod(a, axis, keepdims),
    np.max: lambda a, axis=None, keepdims=False: ops.max(a, axis, keepdims),
    np.min: lambda a, axis=None, keepdims=False: ops.min(a, axis, keepdims),
    np.any: lambda a, axis=None, keepdims=False: ops.any(a, axis, keepdims),
    np.all: lambda a, axis=None, keepdims=False: ops.all(a, axis, keepdims),
    np.argmax: lambda a, axis=None, keepdims=False: ops.argmax(a, axis, keepdims),
    np.argmin: lambda a, axis=None, keepdims=False: ops.argmin(a, axis, keepdims),
    np.var: lambda a, axis=None, ddof=0, keepdims=False: ops.var(a, axis, keepdims, ddof),
    np.std: lambda a, axis=None, ddof=0, keepdims=False: ops.std(a, axis, keepdims, ddof),
    np.cumsum: _running_sum,
    np.cumprod: _running_product,
    np.median: lambda a, axis=None, keepdims=False: ops.median(a, axis, keepdims),
    np.quantile: lambda a, q, axis=None, keepdims=False: ops.quantile(a, q, axis, keepdims),
    np.nan_to_num: lambda x, nan=0.0, posinf=None, neginf=None: ops.nan_to_num(
        x, nan, posinf, neginf
    ),
    np.argsort: lambda a, axis=-1: ops.argsort(a, axis),
    np.sort: lambda a, axis=-1: ops.sort(a, axis),
    np.clip: lambda a, a_min=None, a_max=None: ops.clip(a, a_min, a_max),
    np.round: _rounded,
    np.where: _where,
    np.reshape: lambda a, shape: ops.reshape(a, shape),
    np.ravel: lambda a: a.ravel(),
    np.transpose: lambda a, axes=None: ops.transpose(a, axes),
    np.swapaxes: lambda a, axis1, axis2: ops.swapaxes(a, axis1, axis2),
    np.squeeze: lambda a, axis=None: ops.squeeze(a, axis),
    np.expand_dims: lambda a, axis: ops.expand_dims(a, axis),
    np.broadcast_to: lambda array, shape: ops.broadcast_to(array, shape),
    np.concatenate: lambda arrays, axis=0: ops.concat(_lifted(arrays), axis),
    np.stack: lambda arrays, axis=0: ops.stack(_lifted(arrays), axis),
    np.flip: lambda m, axis=None: ops.flip(m, axis),
    np.roll: lambda a, shift, axis=None: ops.roll(a, shift, axis),
    np.tile: lambda A, reps: ops.tile(A, reps),
    np.repeat: lambda a, repeats, axis=None: ops.repeat(a, repeats=repeats, axis=axis),
    np.take: _take,
    np.diagonal: lambda a, offset=0, axis1=0, axis2=1: ops.diagonal(a, offset, axis1, axis2),
    np.trace: lambda a, offset=0, axis1=0, axis2=1: ops.trace(a, offset, axis1, axis2),
    np.diag: lambda v, k=0: ops.diag(v, k),
    np.meshgrid: lambda *xi, indexing="xy": ops.meshgrid(*_lifted(xi), indexing=indexing),
    np.kron: lambda a, b: ops.kron(*_lifted((a, b))),
    np.cross: _cross,
    np.tril: lambda m, k=0: ops.tril(m, k),
    np.triu: lambda m, k=0: ops.triu(m, k),
    np.dot: lambda a, b: _dot(*_lifted((a, b))),
    np.einsum: lambda subscripts, *operands: ops.einsum(subscripts, *_lifted(operands)),
    np.linalg.norm: _vector_norm,
    np.copy: lambda a: ops.copy(a),
}
#: What has no derivative, or answers no numbers of a tensor: the values are enough.
VALUES_ONLY = frozenset((
    np.signbit, np.trunc, np.floor_divide,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.shape, np.ndim, np.size, np.array_equal, np.array_equiv, np.allclose, np.isclose,
    np.array2string, np.array_repr, np.array_str, np.count_nonzero, np.nonzero, np.flatnonzero,
    np.argwhere, np.searchsorted, np.digitize, np.bincount, np.histogram, np.unique,
    np.zeros_like, np.ones_like, np.full_like, np.empty_like, np.result_type, np.can_cast,
    np.shares_memory, np.may_share_memory, np.min_scalar_type, np.iscomplexobj, np.isrealobj,
))  # fmt: skip
#: What to call instead of those whose arguments differ, or that tinydl composes.
INSTEAD = {
    "split": "split (of sizes)", "array_split": "split (of sizes)", "pad": "pad",
    "hstack": "concat", "vstack": "concat", "dstack": "concat", "column_stack": "stack",
    "append": "concat", "moveaxis": "transpose", "rollaxis": "transpose", "inner": "matmul",
    "outer": "einsum", "tensordot": "einsum", "take_along_axis": "take_along_axis",
    "average": "mean", "ptp": "max and tinydl.min", "nanmean": "where and .mean",
    "nansum": "where and .sum", "diff": "getitem", "linalg.inner": "matmul",
}  # fmt: skip


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "_new")


def _tensors(values: Iterable[Any]) -> list[Any]:
    """The tensors among arguments, also in lists and tuples."""
    found = []
    for value in values:
        if _is_tensor(value):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(value)
    return found


def _lifted(values: Iterable[Any]) -> list[Any]:
    """Each value as a tensor beside the first tensor among them."""
    values = list(values)
    first = _tensors(values)[0]
    return [v if _is_tensor(v) else first._lift(v) for v in values]


def _values(value: Any) -> Any:
    """The argument with ndarrays in the place of tensors."""
    if _is_tensor(value):
        return value.numpy()
    if isinstance(value, list | tuple):
        return type(value)(map(_values, value))
    return value


def _on_values(name: str, function: Callable[..., Any], arguments: Any, options: Any) -> Any:
    """NumPy's function of the values; GraphError if a gradient would be lost."""
    tensors = _tensors((*arguments, *options.values()))
    if is_recording() and function not in VALUES_ONLY and any(t.requires_grad for t in tensors):
        hint = INSTEAD.get(name)
        instead = f"use tinydl.{hint}, or" if hint else "use"
        raise GraphError(
            f"np.{name}: would drop the gradient of a tensor without a word; {instead} "
            "t.numpy() (or t.detach()) for the values alone"
        )
    return function(*map(_values, arguments), **{k: _values(v) for k, v in options.items()})


def call_function(function: Callable[..., Any], arguments: Any, options: Any) -> Any:
    """`Tensor.__array_function__`."""
    module = function.__module__.removeprefix("numpy").lstrip(".")
    name = f"{module}.{function.__name__}" if module else function.__name__
    ours = FUNCTIONS.get(function)
    if ours is None or "out" in options:
        return _on_values(name, function, arguments, options)
    try:
        bound = inspect.signature(ours).bind(*arguments, **options)
    except TypeError as error:
        raise ConfigError(f"np.{name}: of a tensor, {error}; call the tinydl function") from None
    return ours(*bound.args, **bound.kwargs)


def call_ufunc(ufunc: np.ufunc, method: str, inputs: Any, options: Any) -> Any:
    """`Tensor.__array_ufunc__`."""
    if method == "__call__" and not options and ufunc in UFUNCS:
        return UFUNCS[ufunc](*_lifted(inputs))
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    call = ufunc if method == "__call__" else getattr(ufunc, method)
    return _on_values(name, call, inputs, options)
