"""Tangent, inverse and hyperbolic functions, composed of those that have kernels.

Each is written in the form that keeps its digits: near 0, where large numbers cancel, and far out,
where a square or a power would leave the range of numbers before the result does. Outside a
function's domain the result is NaN. Formulas: NIST Digital Library of Mathematical Functions,
sections 4.14 to 4.37; the stable forms after Kahan 1987 (branch cuts for complex elementary
functions).
"""

from __future__ import annotations

from ..doors import door
from .elementwise import exp, log, sqrt, where
from .operands import _constant, _require_float
from .special import atan2, cos, expm1, log1p, sin


def _folded(x):
    """(|x|, sign of x): of 0 the sign is 1, so that an odd function of |x| has its slope there."""
    below = x < _constant(x, 0)
    return where(below, -x, x), where(below, _constant(x, -1), _constant(x, 1))


def _near_and_far(x, border):
    """(x <= border, x there and `border` elsewhere, x elsewhere and `border` there): both branches
    of a `where` stay in their range, so that neither spoils the other's gradient."""
    near, edge = x <= _constant(x, border), _constant(x, border)
    return near, where(near, x, edge), where(near, edge, x)


@door
def tan(x):
    """Tangent of x in radians, sin x / cos x."""
    _require_float("tan", x)
    return sin(x) / cos(x)


@door
def asin(x):
    """The angle in [-pi/2, pi/2] whose sine is x, -1 <= x <= 1; d/dx = 1 / sqrt(1 - x^2)."""
    _require_float("asin", x)
    return atan2(x, _other_side(x))


@door
def acos(x):
    """The angle in [0, pi] whose cosine is x, -1 <= x <= 1; d/dx = -1 / sqrt(1 - x^2)."""
    _require_float("acos", x)
    return atan2(_other_side(x), x)


def _other_side(x):
    """sqrt(1 - x^2) of two factors: 1 - x keeps the digits that 1 - x^2 loses near 1, and a root of
    each has an infinite slope at its end, where that of their product is 0 times infinity."""
    one = _constant(x, 1)
    return sqrt(one - x) * sqrt(one + x)


@door
def atan(x):
    """The angle in [-pi/2, pi/2] whose tangent is x; d/dx = 1 / (1 + x^2)."""
    _require_float("atan", x)
    return atan2(x, _constant(x, 1))


@door
def sinh(x):
    """(e^x - e^-x) / 2; below 1 by u = e^x - 1 as (u + u / (u + 1)) / 2."""
    _require_float("sinh", x)
    half = _constant(x, 0.5)
    size, sign = _folded(x)
    near, small, large = _near_and_far(size, 1)
    u = expm1(small)
    a, b = exp(large * half), exp(-large * half)  # their squares may be more than the result
    below, above = (u + u / (u + 1)) * half, (half * a) * a - (half * b) * b
    return sign * where(near, below, above)


@door
def cosh(x):
    """(e^x + e^-x) / 2, as 1 + 2 sinh^2(x / 2), whose slope keeps its digits near 0."""
    _require_float("cosh", x)
    s = sinh(x * _constant(x, 0.5))
    return 2 * s * s + 1


@door
def asinh(x):
    """log(x + sqrt(x^2 + 1)), the number whose `sinh` is x; d/dx = 1 / sqrt(x^2 + 1).

    Of m = |x|: up to 1 log1p(m + m^2 / (1 + sqrt(m^2 + 1))), above log m + log(1 + sqrt(1 + m^-2)).
    """
    _require_float("asinh", x)
    one = _constant(x, 1)
    size, sign = _folded(x)
    near, small, large = _near_and_far(size, 1)
    inverse, square = one / large, small * small
    below = log1p(small + square / (one + sqrt(square + one)))
    above = log(large) + log1p(sqrt(one + inverse * inverse))
    return sign * where(near, below, above)


@door
def acosh(x):
    """log(x + sqrt(x^2 - 1)), the number >= 0 whose `cosh` is x >= 1; d/dx = 1 / sqrt(x^2 - 1).

    Of t = x - 1: up to 1 log1p(t + sqrt(t) sqrt(t + 2)), above log x + log(1 + sqrt(1 - x^-2)).
    """
    _require_float("acosh", x)
    one = _constant(x, 1)
    near, small, large = _near_and_far(x, 2)
    t, inverse = small - one, one / large
    below = log1p(t + sqrt(t) * sqrt(t + 2))
    above = log(large) + log1p(sqrt((one - inverse) * (one + inverse)))
    return where(near, below, above)


@door
def atanh(x):
    """log((1 + x) / (1 - x)) / 2, the number whose `tanh` is x, -1 <= x <= 1; infinite at the ends.
    d/dx = 1 / (1 - x^2)."""
    _require_float("atanh", x)
    return (log1p(x) - log1p(-x)) * _constant(x, 0.5)
