"""Losses: from predictions and targets to the single number that is differentiated.

`reduction` is "mean" (over everything that "none" would return; NaN for an empty batch), "sum" or
"none".
"""

from __future__ import annotations

from .. import ops
from ..errors import ConfigError, DTypeError, ShapeError
from ..tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def _check_reduction(op: str, reduction: str) -> None:
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ConfigError(f"{op}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def _check_tensors(op: str, **given: Tensor) -> None:
    for name, t in given.items():
        if not isinstance(t, Tensor):
            raise DTypeError(f"{op}: {name} must be a tensor, got {type(t).__name__}")


def _check_pair(op: str, first: str, x: Tensor, second: str, t: Tensor) -> None:
    """One float type and equal shapes: broadcasting would hide (N,) against (N, 1)."""
    _check_tensors(op, **{first: x, second: t})
    if x.shape != t.shape:
        raise ShapeError(
            f"{op}: {first} and {second} must have one shape, got {x.shape} and {t.shape}"
        )
    if x.dtype != t.dtype or x.dtype.kind != "f":
        raise DTypeError(
            f"{op}: {first} and {second} must have one float type, got {x.dtype} and {t.dtype}; "
            "convert one with .astype"
        )


def _check_float(op: str, name: str, x: Tensor) -> None:
    _check_tensors(op, **{name: x})
    if x.dtype.kind != "f":
        raise DTypeError(f"{op}: {name} must be a float tensor, got {x.dtype}")


def _check_positive(op: str, name: str, value: float) -> None:
    if not value > 0:
        raise ConfigError(f"{op}: {name} must be above 0, got {value!r}")


def _reduce(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return losses
    return ops.mean(losses) if reduction == "mean" else ops.sum(losses)


def cross_entropy(logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """-log softmax(logits)[n, labels[n]], softmax and logarithm fused: no logarithm of 0.

    logits (N, C) float, before any softmax; labels (N,) int32 or int64 with 0 <= label < C -> one
    number, or (N,). Raises ShapeError (other ranks are not supported yet), DTypeError, ConfigError,
    and IndexRangeError for a label outside its range (on OpenCL when the result is read).
    """
    _check_reduction("cross_entropy", reduction)
    _check_tensors("cross_entropy", logits=logits, labels=labels)
    if labels.dtype.kind == "f" and labels.shape == logits.shape:
        raise DTypeError(
            "cross_entropy: labels are class numbers (N,) of type int32 or int64, got "
            f"{labels.dtype} {labels.shape}; for one-hot rows pass labels.argmax(axis=-1)"
        )
    if logits.ndim != 2:
        raise ShapeError(
            "cross_entropy: only logits (N, C) with labels (N,) are supported now, got logits "
            f"{logits.shape} and labels {labels.shape}; use .reshape(-1, C) and .reshape(-1)"
        )
    if reduction == "mean":
        return ops.mean_cross_entropy(logits, labels)
    return _reduce(ops.cross_entropy_per_row(logits, labels), reduction)


def mse(prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(prediction - target)^2; "mean" is over all elements, not only over the batch.

    Both of one shape and float type -> one number, or that shape. Raises ShapeError, DTypeError,
    ConfigError.
    """
    _check_reduction("mse", reduction)
    _check_pair("mse", "prediction", prediction, "target", target)
    difference = prediction - target
    return _reduce(difference * difference, reduction)


def bce_with_logits(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Binary cross-entropy -t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)).

    Logits x finite, targets t in [0, 1]. Both of one shape and float type -> one number, or that
    shape; "mean" is over all elements. Raises ShapeError, DTypeError, ConfigError.
    """
    _check_reduction("bce_with_logits", reduction)
    _check_pair("bce_with_logits", "logits", logits, "targets", targets)
    # With log sigmoid(x) = -log(1 + e^-x) and log(1 - sigmoid(x)) = -x - log(1 + e^-x) the loss is
    #     log(1 + e^x) - x t = s + log(e^-s + e^(x-s)) - x t      for any s.
    # With s = max(x, 0) one of the two powers is e^0 and the other is e^-|x|: nothing overflows,
    # and the value is the familiar max(x, 0) - x t + log(1 + e^-|x|). As the value does not depend
    # on s, s may be held constant (detach), which leaves the derivative
    #     e^(x-s) / (e^-s + e^(x-s)) - t = sigmoid(x) - t
    # and all further ones exact, also at x = 0, where derivatives of max and |x| would only be
    # conventions. What is lost without a log1p: once e^-|x| < 2^-24 (float32, |x| > 16.6) the
    # logarithm is 0 instead of e^-|x|, an absolute error below 6e-8 in the loss of a sample that is
    # already right. The gradient is as exact as sigmoid(x) - t can be after rounding.
    s = ops.relu(logits.detach())
    softplus = s + ops.log(ops.exp(-s) + ops.exp(logits - s))
    return _reduce(softplus - logits * targets, reduction)
