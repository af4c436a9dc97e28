"""Softmax, log-softmax and the cross-entropy fused with it."""

from __future__ import annotations

from typing import Never

from ..doors import door, unknown_to
from ..errors import ShapeError
from ..function import Function, is_recording
from ..geometry import normalize_axis
from .broadcast import broadcast_to, sum
from .elementwise import exp
from .index import check_indices, one_hot
from .operands import _require_float
from .shape import expand_dims, transpose


class Softmax(Function):
    name = "softmax"
    flops_per_output = 5  # maximum, subtract, exp, sum; divide, or subtract the log
    saves_output = True

    def forward(self, x):
        return self.backend.softmax(x)

    def backward(self, grad):
        y = self.output(grad)
        return y * (grad - sum(grad * y, -1, keepdims=True))


class LogSoftmax(Function):
    name = "log_softmax"
    flops_per_output = 5  # maximum, subtract, exp, sum; divide, or subtract the log
    saves_output = True

    def forward(self, x):
        return self.backend.log_softmax(x)

    def backward(self, grad):
        return grad - exp(self.output(grad)) * sum(grad, -1, keepdims=True)


class CrossEntropy(Function):
    """-log softmax(logits)[n, labels[n]]; d/dlogits = softmax - one_hot. Two numbers of each
    row are kept, no second array as large as the logits: the gradient makes the softmax anew."""

    name = "cross_entropy"
    saves = (0, 1)

    def forward(self, logits, labels):
        losses, self.shifts = self.backend.cross_entropy(logits, labels)
        return losses

    def flops(self, arrays, y):
        return 5 * arrays[0].size

    def traffic(self, arrays, y):
        return super().traffic((*arrays, self.shifts), y)

    def backward_flops(self):
        return 5 * self.saved[0].size  # subtract, exp, divide; subtract, multiply

    def backward(self, grad):
        logits, labels = self.saved
        if is_recording():
            difference = softmax(logits) - one_hot(labels, logits.shape[1], logits.dtype)
            return difference * broadcast_to(expand_dims(grad, 1), logits.shape), None
        array = self.backend.cross_entropy_grad(logits.data, self.shifts, labels.data, grad.data)
        return grad._new(array, self.backend), None


class MeanCrossEntropy(CrossEntropy):
    """The mean of CrossEntropy over the rows in one node: what every training step asks for."""

    name = "mean_cross_entropy"

    def forward(self, logits, labels):
        losses = super().forward(logits, labels)
        self.rows = self.backend.scalar(labels.shape[0], logits.dtype)
        return self.backend.divide(self.backend.sum(losses, (0,), False), self.rows)

    def backward(self, grad):
        labels = self.saved[1]
        share = grad / grad._new(self.rows, self.backend)
        return super().backward(broadcast_to(share, labels.shape))


def _over_axis(function, x, axis):
    _require_float(function.name, x)
    if x.ndim == 0:
        raise ShapeError(f"{function.name}: needs at least one axis, got a single number")
    axis = normalize_axis(function.name, axis, x.ndim)
    if x.shape[axis] == 0:
        raise ShapeError(f"{function.name}: axis {axis} of {x.shape} is empty")
    if axis == x.ndim - 1:
        return function.apply(x)
    order = [i for i in range(x.ndim) if i != axis] + [axis]
    back = sorted(range(x.ndim), key=order.__getitem__)
    return transpose(function.apply(transpose(x, order)), back)


def softmax(x, axis=-1, **unknown: Never):
    """e^{x_i} / sum_j e^{x_j} along `axis`; never overflows (the maximum is subtracted)."""
    if unknown:
        raise unknown_to(softmax, unknown)
    return _over_axis(Softmax(), x, axis)


def log_softmax(x, axis=-1, **unknown: Never):
    """log softmax(x) = x_i - log sum_j e^{x_j} along `axis`, computed without a logarithm of 0."""
    if unknown:
        raise unknown_to(log_softmax, unknown)
    return _over_axis(LogSoftmax(), x, axis)


@door
def cross_entropy_per_row(logits, labels):
    """-log softmax(logits)[n, labels[n]] for logits (N, C), integer labels (N,) -> (N,).

    Raises ShapeError, DTypeError, and IndexRangeError for a label outside 0 <= label < C.
    """
    return _checked_cross_entropy(CrossEntropy(), logits, labels)


def mean_cross_entropy(logits, labels):
    """The mean of cross_entropy_per_row over its N rows, a single number; NaN without rows. Raises
    as it does."""
    return _checked_cross_entropy(MeanCrossEntropy(), logits, labels)


def _checked_cross_entropy(function, logits, labels):
    _require_float("cross_entropy", logits)
    check_indices("cross_entropy", labels)
    if logits.ndim != 2 or logits.shape[1] == 0 or labels.shape != logits.shape[:1]:
        raise ShapeError(
            f"cross_entropy: logits must be (N, C) and labels (N,), got {logits.shape} and "
            f"{labels.shape}"
        )
    return function.apply(logits, labels)
