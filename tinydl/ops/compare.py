"""Comparisons, bool tensors without a derivative. Their kernels stand with the elementwise ones."""

from __future__ import annotations

import numpy as np

from ..errors import DTypeError
from ..function import Function
from .elementwise import _binary


class Equal(Function):
    name = "equal"
    differentiable = False

    def forward(self, a, b):
        return self.backend.equal(a, b)


class NotEqual(Function):
    name = "not_equal"
    differentiable = False

    def forward(self, a, b):
        return self.backend.not_equal(a, b)


class Less(Function):
    name = "less"
    differentiable = False

    def forward(self, a, b):
        return self.backend.less(a, b)


class LessEqual(Function):
    name = "less_equal"
    differentiable = False

    def forward(self, a, b):
        return self.backend.less_equal(a, b)


class Greater(Function):
    name = "greater"
    differentiable = False

    def forward(self, a, b):
        return self.backend.greater(a, b)


class GreaterEqual(Function):
    name = "greater_equal"
    differentiable = False

    def forward(self, a, b):
        return self.backend.greater_equal(a, b)


class LogicalNot(Function):
    name = "logical_not"
    differentiable = False

    def forward(self, x):
        return self.backend.logical_not(x)


def equal(a, b):
    """a == b as bool."""
    return _binary(Equal(), a, b)


def not_equal(a, b):
    """a != b as bool."""
    return _binary(NotEqual(), a, b)


def less(a, b):
    """a < b as bool."""
    return _binary(Less(), a, b)


def less_equal(a, b):
    """a <= b as bool."""
    return _binary(LessEqual(), a, b)


def greater(a, b):
    """a > b as bool."""
    return _binary(Greater(), a, b)


def greater_equal(a, b):
    """a >= b as bool."""
    return _binary(GreaterEqual(), a, b)


def logical_not(x):
    """True where the bool tensor x is False."""
    if x.dtype != np.bool_:
        raise DTypeError(f"logical_not: needs a bool tensor, got {x.dtype} {x.shape}")
    return LogicalNot().apply(x)
