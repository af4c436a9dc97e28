"""Rows of the operations of ops/special.py and ops/activations.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from .case import NO_DERIVATIVE, Example, OpCase
from .draws import Draw


def _normal(d: Draw) -> Example:
    return Example((d.normal(d.shape()),))


def _above_minus_one(d: Draw) -> Example:
    return Example((d.uniform(d.shape(), -0.6, 3.0),))


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


def _distinct(d: Draw) -> Example:
    a, b = d.distinct_together(d.broadcastable())
    return Example((a, b))


def _points(d: Draw) -> Example:
    a, b = d.broadcastable()
    return Example((d.normal(a), d.away_from_zero(b, 0.5)))


def _bools(d: Draw) -> Example:
    a, b = d.broadcastable()
    return Example((d.bools(a), d.bools(b)))


def _masked(d: Draw) -> Example:
    shape = d.shape()
    first = d.integer(0, len(shape))
    mask = tuple([1 if d.integer(0, 2) == 2 else n for n in shape[first:]])
    return Example((d.normal(shape), d.bools(mask)), {"value": d.choose((0.0, -2.5))})


ROWS = (
    OpCase("minimum", ops.minimum, _distinct),
    OpCase("log1p", ops.log1p, _above_minus_one),
    OpCase("expm1", ops.expm1, _normal),
    OpCase("sin", ops.sin, _normal),
    OpCase("cos", ops.cos, _normal),
    OpCase("erf", ops.erf, _normal),
    OpCase("atan2", ops.atan2, _points),
    OpCase("floor", ops.floor, _normal, 0, NO_DERIVATIVE),
    OpCase("round", ops.round, _normal, 0, NO_DERIVATIVE),
    OpCase("clip", ops.clip, _clip),
    OpCase("masked_fill", ops.masked_fill, _masked),
    OpCase("logical_and", ops.logical_and, _bools, 0, NO_DERIVATIVE),
    OpCase("logical_or", ops.logical_or, _bools, 0, NO_DERIVATIVE),
    OpCase("logical_xor", ops.logical_xor, _bools, 0, NO_DERIVATIVE),
    OpCase("softplus", ops.softplus, _normal),
    OpCase("softsign", ops.softsign, _away_from(0.0)),
    OpCase("leaky_relu", ops.leaky_relu, _with(_away_from(0.0), slope=(0.2, 0.01))),
    OpCase("relu6", ops.relu6, _away_from(0.0, 6.0)),
    OpCase("elu", ops.elu, _with(_away_from(0.0), alpha=(1.0, 0.5))),
    OpCase("selu", ops.selu, _away_from(0.0)),
    OpCase("hard_sigmoid", ops.hard_sigmoid, _away_from(-2.5, 2.5)),
    OpCase("gelu", ops.gelu, _with(_normal, approximation=(None, "tanh"))),
    OpCase("swish", ops.swish, _with(_normal, beta=(1.0, 1.5))),
)
