"""Comparisons and logic: bool tensors without a derivative. Kernels: the elementwise ones."""

from __future__ import annotations

import numpy as np

from ..doors import door
from ..errors import DTypeError
from ..function import Function
from .elementwise import abs as absolute
from .operands import _binary, _constant, _kind


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


@door
def logical_not(x):
    """True where the bool tensor x is False."""
    if x.dtype != np.bool_:
        raise DTypeError(f"logical_not: needs a bool tensor, got {x.dtype} {x.shape}")
    return LogicalNot().apply(x)


class LogicalAnd(Function):
    """False < True, so "and" is the smaller of the two."""

    name = "logical_and"
    differentiable = False

    def forward(self, a, b):
        return self.backend.minimum(a, b)


class LogicalOr(Function):
    """False < True, so "or" is the larger of the two."""

    name = "logical_or"
    differentiable = False

    def forward(self, a, b):
        return self.backend.maximum(a, b)


class LogicalXor(Function):
    name = "logical_xor"
    differentiable = False

    def forward(self, a, b):
        return self.backend.not_equal(a, b)


def _logical(function, a, b):
    for t in (a, b):
        if t.dtype != np.bool_:
            raise DTypeError(f"{function.name}: needs bool tensors, got {t.dtype} {t.shape}")
    return _binary(function, a, b)


@door
def logical_and(a, b):
    """True where both bool tensors are."""
    return _logical(LogicalAnd(), a, b)


@door
def logical_or(a, b):
    """True where at least one of the bool tensors is."""
    return _logical(LogicalOr(), a, b)


@door
def logical_xor(a, b):
    """True where exactly one of the bool tensors is."""
    return _logical(LogicalXor(), a, b)


@door
def isnan(x):
    """Whether a number is not a number; a bool tensor like x, False for every integer."""
    return not_equal(x, x)


@door
def isinf(x):
    """Whether a number is infinite, of either sign; a bool tensor like x, False for every
    integer."""
    if _kind("isinf", x) != "f":
        return not_equal(x, x)
    return equal(absolute(x), _constant(x, np.inf))


@door
def isfinite(x):
    """Whether a number is neither infinite nor NaN; a bool tensor like x, True for every
    integer."""
    if _kind("isfinite", x) != "f":
        return equal(x, x)
    return less(absolute(x), _constant(x, np.inf))
