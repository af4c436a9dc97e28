"""Rotary positions: queries and keys turned by angles that grow with their place, so that the
product of two depends on how far they are apart."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..arguments import flag, number, whole
from ..doors import door
from ..errors import ConfigError, ShapeError
from .arrange import stack
from .operands import _require_float
from .shape import concat, reshape


@lru_cache(maxsize=64)
def _tables(start, steps, size, base):
    """cos and sin (steps, size / 2) of (start + t) * base^(-2i / size), in float64."""
    rates = base ** (-np.arange(0, size, 2) / size)
    angles = np.arange(start, start + steps)[:, None] * rates
    return np.cos(angles), np.sin(angles)


@door
def rotary(x, start=0, axis=-2, base=10000.0, halves=False):
    """Each pair (a, b) of neighbours in the last axis turned: (a cos - b sin, a sin + b cos), by
    the angle (start + t) base^(-2i / E) for position t along `axis` and pair i.

    x (..., T, ..., E) float, E even -> like x; start: the place of the first position, as many as
    stand in a cache before it. halves: pairs are (i, i + E / 2) instead, as in GPT-NeoX and the
    files of Hugging Face. Raises ShapeError, DTypeError and ConfigError. Su et al. 2021
    (arXiv:2104.09864), equation 34.
    """
    _require_float("rotary", x)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ShapeError(f"rotary: x must be (..., T, ..., E) with an even E, got {x.shape}")
    axis = whole("rotary", "axis", axis, -x.ndim, x.ndim - 1) % x.ndim
    if axis == x.ndim - 1:
        raise ShapeError(f"rotary: axis {axis} holds the numbers to turn, not positions")
    start, base = whole("rotary", "start", start, 0), number("rotary", "base", base)
    halves = flag("rotary", "halves", halves)
    if not base > 0:
        raise ConfigError(f"rotary: base must be a number > 0, got {base!r}")
    E = x.shape[-1]
    shape = [1] * (x.ndim - 1) + [E // 2]
    shape[axis] = x.shape[axis]
    tables = _tables(start, x.shape[axis], E, float(base))
    cos, sin = [x._lift(t.reshape(shape).astype(x.dtype)) for t in tables]
    if halves:
        a, b = x[..., : E // 2], x[..., E // 2 :]
        return concat([a * cos - b * sin, a * sin + b * cos], -1)
    pairs = reshape(x, (*x.shape[:-1], E // 2, 2))
    a, b = pairs[..., 0], pairs[..., 1]
    return reshape(stack([a * cos - b * sin, a * sin + b * cos], -1), x.shape)
