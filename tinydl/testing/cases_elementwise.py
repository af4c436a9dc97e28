"""Rows of the elementwise operations (ops/elementwise, compare, special, activations)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..ops import activations
from .case import FLOATS, NO_DERIVATIVE, NUMBERS, ROUNDED, ElementKernel, Example, OpCase
from .draws import Draw


def _one(kind: str) -> Callable[[Draw], Example]:
    def draw(d: Draw) -> Example:
        shape = d.shape()
        if kind == "positive":
            return Example((d.uniform(shape, 0.5, 2.0),))
        if kind == "away":
            return Example((d.away_from_zero(shape),))
        if kind == "bool":
            return Example((d.bools(shape),))
        return Example((d.normal(shape),))

    return draw


def _two_normal(d: Draw) -> Example:
    a, b = d.broadcastable()
    return Example((d.normal(a), d.normal(b)))


def _two_distinct(d: Draw) -> Example:
    a, b = d.distinct_together(d.broadcastable())
    return Example((a, b))


def _quotient(d: Draw) -> Example:
    a, b = d.broadcastable()
    return Example((d.normal(a), d.away_from_zero(b, 0.5)))


def _powers(d: Draw) -> Example:
    a, b = d.broadcastable()
    return Example((d.uniform(a, 0.5, 2.0), d.normal(b)))


def _where(d: Draw) -> Example:
    condition, a, b = d.broadcastable(3)
    return Example((d.bools(condition), d.normal(a), d.normal(b)))


def _astype(d: Draw) -> Example:
    dtype = d.choose(("float32", "int32", "int64", "bool", "uint8", "float64"))
    return Example((np.asarray(np.abs(d.normal(d.shape()))),), {"dtype": dtype})


def _output_and_grad(d: Draw) -> Example:
    shape = d.shape()
    return Example((d.away_from_zero(shape), d.normal(shape)))


_normal = _one("normal")


def _halved(d: Draw) -> Example:
    """An axis of an even size."""
    shape = list(d.shape(1, 3))
    axis = d.integer(0, len(shape) - 1)
    shape[axis] *= 2
    return Example((d.normal(tuple(shape)),), {"axis": axis})


def _above_minus_one(d: Draw) -> Example:
    return Example((d.uniform(d.shape(), -0.6, 3.0),))


def _between(low: float, high: float) -> Callable[[Draw], Example]:
    return lambda d: Example((d.uniform(d.shape(), low, high),))


def _away_from(*kinks: float, reach: float = 2.0, **options: Any) -> Callable[[Draw], Example]:
    """Values around the kinks, on both sides, none nearer than 0.1 to one."""

    def draw(d: Draw) -> Example:
        shape = d.shape()
        near = np.asarray(kinks)[np.asarray(d.rng.integers(0, len(kinks), shape))]
        return Example((np.asarray(near + d.away_from_zero(shape, 0.1, reach)),), options)

    return draw


def _with(draw: Callable[[Draw], Example], **choices: tuple[Any, ...]) -> Callable[[Draw], Example]:
    """The same arrays, and one of the choices for each option."""

    def drawn(d: Draw) -> Example:
        example = draw(d)
        return Example(example.inputs, {k: d.choose(v) for k, v in choices.items()})

    return drawn


def _clip(d: Draw) -> Example:
    bounds = d.choose(({"low": -1.0, "high": 1.5}, {"low": -1.0}, {"high": 1.5}))
    return Example(_away_from(-1.0, 1.5, reach=1.0)(d).inputs, bounds)


def _with_bounds(d: Draw) -> Example:
    low, high = d.choose(((-1.0, 1.0), (-0.5, 2.0)))
    return _away_from(low, high, reach=0.5, low=low, high=high)(d)


def _learnt_slopes(d: Draw) -> Example:
    """One slope, or one of each of the last axis."""
    shape = d.shape(1, 3)
    return Example((d.away_from_zero(shape), d.normal(d.choose(((1,), shape[-1:])))))


def _points(d: Draw) -> Example:
    a, b = d.broadcastable()
    return Example((d.normal(a), d.away_from_zero(b, 0.5)))


def _modulo(d: Draw) -> Example:
    """Quotients at least 0.1 from an integer, where the remainder jumps."""
    a, b = d.broadcastable()
    divisor = d.away_from_zero(b, 0.5)
    shape = np.broadcast_shapes(a, b)
    quotient = d.rng.integers(-3, 4, shape) + d.uniform(shape, 0.1, 0.9)
    return Example((np.asarray(quotient * divisor), divisor))


def _bools(d: Draw) -> Example:
    a, b = d.broadcastable()
    return Example((d.bools(a), d.bools(b)))


def _masked(d: Draw) -> Example:
    shape = d.shape()
    first = d.integer(0, len(shape))
    mask = tuple([1 if d.integer(0, 2) == 2 else n for n in shape[first:]])
    return Example((d.normal(shape), d.bools(mask)), {"value": d.choose((0.0, -2.5))})


_ALL = (*NUMBERS, "uint8", "bool")


def _kernel(*kinds: str, dtypes: tuple[str, ...] = FLOATS, ulps: float = 0.0) -> ElementKernel:
    return ElementKernel(kinds, dtypes, ulps)


def _compared(name: str, function: Callable[..., Any], torch: str) -> OpCase:
    kernel = _kernel("tied", "tied", dtypes=_ALL)
    return OpCase(name, function, _two_distinct, 0, NO_DERIVATIVE, torch, kernel)


def _accurate(accurate: float, ulps: float = 4, kind: str = "normal") -> ElementKernel:
    return ElementKernel((kind,), FLOATS, ulps, accurate)


_PLAIN = _kernel("normal", "normal", dtypes=NUMBERS, ulps=1)
_TIED = _kernel("tied", "tied", dtypes=(*NUMBERS, "bool"))
_BESIDE = _kernel("tied", "normal", ulps=4)  # the output, and its gradient

ROWS = (
    OpCase("add", ops.add, _two_normal, torch="add", kernel=_PLAIN),
    OpCase("subtract", ops.subtract, _two_normal, torch="subtract", kernel=_PLAIN),
    OpCase("multiply", ops.multiply, _two_normal, torch="multiply", kernel=_PLAIN),
    OpCase(
        "divide",
        ops.divide,
        _quotient,
        torch="divide",
        kernel=_kernel("normal", "positive", ulps=4),
    ),
    OpCase(
        "floor_divide",
        ops.floor_divide,
        _modulo,
        0,
        NO_DERIVATIVE,
        "floor_divide",
        _kernel("normal", "away", dtypes=NUMBERS),
    ),
    OpCase(
        "remainder",
        ops.remainder,
        _modulo,
        torch="remainder",
        kernel=_kernel("normal", "away", dtypes=NUMBERS),
    ),
    OpCase("power", ops.power, _powers, torch="pow", kernel=_kernel("positive", "normal", ulps=32)),
    OpCase("maximum", ops.maximum, _two_distinct, torch="maximum", kernel=_TIED),
    OpCase("minimum", ops.minimum, _two_distinct, torch="minimum", kernel=_TIED),
    OpCase(
        "negative",
        ops.negative,
        _normal,
        torch="negative",
        kernel=_kernel("normal", dtypes=NUMBERS),
    ),
    OpCase("exp", ops.exp, _normal, torch="exp", kernel=_accurate(2)),
    OpCase("log", ops.log, _one("positive"), torch="log", kernel=_accurate(2, kind="positive")),
    OpCase("sqrt", ops.sqrt, _one("positive"), torch="sqrt", kernel=_kernel("positive", ulps=2)),
    OpCase("abs", ops.abs, _one("away"), torch="abs", kernel=_kernel("normal", dtypes=NUMBERS)),
    OpCase(
        "sign", ops.sign, _one("away"), 0, NO_DERIVATIVE, "sign", _kernel("tied", dtypes=NUMBERS)
    ),
    OpCase("tanh", ops.tanh, _normal, torch="tanh", kernel=_accurate(4, ulps=6)),
    OpCase(
        "tanh_grad",
        lambda y, g: activations.TanhGrad().apply(y, g),
        _output_and_grad,
        kernel=_BESIDE,
    ),
    OpCase("sigmoid", ops.sigmoid, _normal, torch="sigmoid", kernel=_accurate(4, ulps=8)),
    OpCase(
        "sigmoid_grad",
        lambda y, g: activations.SigmoidGrad().apply(y, g),
        _output_and_grad,
        kernel=_BESIDE,
    ),
    OpCase("relu", ops.relu, _one("away"), torch="relu", kernel=_kernel("tied")),
    OpCase(
        "relu_grad",
        lambda y, g: activations.ReluGrad().apply(y, g),
        _output_and_grad,
        kernel=_kernel("tied", "normal"),
    ),
    OpCase("where", ops.where, _where, torch="where"),
    OpCase("astype", ops.astype, _astype, 0, ROUNDED),
    _compared("equal", ops.equal, "eq"),
    _compared("not_equal", ops.not_equal, "ne"),
    _compared("less", ops.less, "lt"),
    _compared("less_equal", ops.less_equal, "le"),
    _compared("greater", ops.greater, "gt"),
    _compared("greater_equal", ops.greater_equal, "ge"),
    OpCase(
        "logical_not",
        ops.logical_not,
        _one("bool"),
        0,
        NO_DERIVATIVE,
        "logical_not",
        _kernel("normal", dtypes=("bool",)),
    ),
    OpCase("logical_and", ops.logical_and, _bools, 0, NO_DERIVATIVE, "logical_and"),
    OpCase("logical_or", ops.logical_or, _bools, 0, NO_DERIVATIVE, "logical_or"),
    OpCase("logical_xor", ops.logical_xor, _bools, 0, NO_DERIVATIVE, "logical_xor"),
    OpCase(
        "log1p", ops.log1p, _above_minus_one, torch="log1p", kernel=_accurate(3, kind="positive")
    ),
    OpCase("expm1", ops.expm1, _normal, torch="expm1", kernel=_accurate(3)),
    OpCase("sin", ops.sin, _normal, torch="sin", kernel=_kernel("normal", ulps=4)),
    OpCase("cos", ops.cos, _normal, torch="cos", kernel=_kernel("normal", ulps=4)),
    OpCase("erf", ops.erf, _normal, torch="erf", kernel=_accurate(4, ulps=16)),
    OpCase("atan2", ops.atan2, _points, torch="atan2", kernel=_kernel("normal", "normal", ulps=8)),
    OpCase("floor", ops.floor, _normal, 0, NO_DERIVATIVE, "floor", _kernel("normal")),
    OpCase("round", ops.round, _normal, 0, NO_DERIVATIVE, "round", _kernel("halves")),
    OpCase("ceil", ops.ceil, _normal, 0, NO_DERIVATIVE, "ceil"),
    OpCase("log2", ops.log2, _one("positive"), torch="log2"),
    OpCase("log10", ops.log10, _one("positive"), torch="log10"),
    OpCase("rsqrt", ops.rsqrt, _one("positive"), torch="rsqrt"),
    OpCase("square", ops.square, _normal, torch="square"),
    OpCase("tan", ops.tan, _between(-1.2, 1.2), torch="tan"),
    OpCase("asin", ops.asin, _between(-0.9, 0.9), torch="asin"),
    OpCase("acos", ops.acos, _between(-0.9, 0.9), torch="acos"),
    OpCase("atan", ops.atan, _normal, torch="atan"),
    OpCase("sinh", ops.sinh, _between(-3, 3), torch="sinh"),
    OpCase("cosh", ops.cosh, _between(-3, 3), torch="cosh"),
    OpCase("asinh", ops.asinh, _between(-3, 3), torch="asinh"),
    OpCase("acosh", ops.acosh, _between(1.1, 4), torch="acosh"),
    OpCase("atanh", ops.atanh, _between(-0.9, 0.9), torch="atanh"),
    OpCase("isnan", ops.isnan, _normal, 0, NO_DERIVATIVE, "isnan"),
    OpCase("isinf", ops.isinf, _normal, 0, NO_DERIVATIVE, "isinf"),
    OpCase("isfinite", ops.isfinite, _normal, 0, NO_DERIVATIVE, "isfinite"),
    OpCase("nan_to_num", ops.nan_to_num, _normal, torch="nan_to_num"),
    OpCase("clip", ops.clip, _clip),
    OpCase("masked_fill", ops.masked_fill, _masked),
    OpCase("softplus", ops.softplus, _normal, kernel=_kernel("normal", ulps=4)),
    OpCase("softsign", ops.softsign, _away_from(0.0), torch="softsign"),
    OpCase("leaky_relu", ops.leaky_relu, _with(_away_from(0.0), slope=(0.2, 0.01))),
    OpCase("prelu", ops.prelu, _learnt_slopes),
    OpCase("relu6", ops.relu6, _away_from(0.0, 6.0), torch="relu6"),
    OpCase("elu", ops.elu, _with(_away_from(0.0), alpha=(1.0, 0.5)), torch="elu"),
    OpCase("selu", ops.selu, _away_from(0.0), torch="selu"),
    OpCase("hard_sigmoid", ops.hard_sigmoid, _away_from(-2.5, 2.5)),
    OpCase("hard_swish", ops.hard_swish, _away_from(-3.0, 3.0), torch="hardswish"),
    OpCase("hard_tanh", ops.hard_tanh, _with_bounds),
    OpCase("log_sigmoid", ops.log_sigmoid, _normal, torch="logsigmoid"),
    OpCase("mish", ops.mish, _normal, torch="mish"),
    OpCase(
        "gelu",
        ops.gelu,
        _with(_normal, approximation=(None, "tanh")),
        kernel=_kernel("normal", ulps=16),
    ),
    OpCase(
        "gelu_grad",
        lambda x, g: activations.GeluGrad().apply(x, g),
        _output_and_grad,
        kernel=_kernel("normal", "normal", ulps=32),
    ),
    OpCase("glu", ops.glu, _halved),
    OpCase("swish", ops.swish, _with(_normal, beta=(1.0, 1.5))),
)
