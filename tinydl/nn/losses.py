"""Losses: from predictions and targets to the single number that is differentiated.

`reduction` is "mean" (over everything that "none" would return; NaN for an empty batch), "sum" or
"none". An ndarray beside a tensor takes its float type and its backend (float64 is rounded to a
float32 without a word, integers become floats where floats are compared); two arrays become float32
tensors. Labels stay integers.
"""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from .. import ops
from ..arguments import DTYPES, between, finite, is_number, whole
from ..doors import unknown_to
from ..errors import ConfigError, DTypeError, ShapeError
from ..geometry import broadcast_shape
from ..quoting import quoted
from ..tensor import FLOAT, Tensor

REDUCTIONS = ("mean", "sum", "none")
#: What a loss may be given: an array is lifted to the type of the tensor beside it.
Values = Tensor | np.ndarray
NO_SMOOTHING = 0.0


def _check_reduction(op: str, reduction: str) -> None:
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ConfigError(f"{op}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def lifted(op: str, **given: Any) -> list[Tensor]:
    """The arguments of these names as tensors: ndarrays take the float type and the backend of the
    first tensor among them (else float32 and the default), labels stay integers. DTypeError for
    anything else."""
    like = next((t for t in given.values() if isinstance(t, Tensor)), None)
    kind = like.dtype if like is not None and like.dtype.kind == "f" else FLOAT
    backend = None if like is None else like.backend
    found = []
    for name, t in given.items():
        if isinstance(t, np.ndarray) and t.dtype.kind in "biuf":
            if name == "labels" and t.dtype.kind != "f":
                wide = t.dtype.kind in "iu" and t.dtype not in DTYPES  # int16, uint32 ...
                t = Tensor(t.astype(np.int64) if wide else t, backend=backend)
            else:
                t = Tensor(t, backend=backend, dtype=kind)
        if not isinstance(t, Tensor):
            raise DTypeError(
                f"{op}: {name} must be a tensor or an ndarray of numbers, got {quoted(t)}"
            )
        found.append(t)
    return found


def class_numbers(op: str, labels: Tensor) -> Tensor:
    """The labels as int32 or int64, from any integer type; DTypeError for others."""
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"{op}: labels must be integers, got {labels.dtype}; use .astype")
    return labels if labels.dtype.kind == "i" else labels.astype("int64")


def _pair(op: str, first: str, x: Values, second: str, t: Values) -> tuple[Tensor, Tensor]:
    """Both as tensors of one float type and equal shapes: broadcasting would hide (N,) against
    (N, 1)."""
    if type(x) is not Tensor or type(t) is not Tensor:
        x, t = lifted(op, **{first: x, second: t})
    if x.shape != t.shape:
        raise ShapeError(
            f"{op}: {first} and {second} must have one shape, got {x.shape} and {t.shape}"
            + _one_column(first, x.shape, second, t.shape)
        )
    if x.dtype != t.dtype or x.dtype.kind != "f":
        raise DTypeError(
            f"{op}: {first} and {second} must have one float type, got {x.dtype} and {t.dtype}; "
            "convert one with .astype"
        )
    return x, t


def _one_column(first: str, x: tuple, second: str, t: tuple) -> str:
    """The remedy where only the axis of one column is missing."""
    for name, short, long in ((first, x, t), (second, t, x)):
        if (*short, 1) == long:
            return f"; {name}[..., None] has the shape of the other"
    return ""


def _float(op: str, name: str, x: Values) -> Tensor:
    if type(x) is not Tensor:
        (x,) = lifted(op, **{name: x})
    if x.dtype.kind != "f":
        raise DTypeError(f"{op}: {name} must be a float tensor, got {x.dtype}")
    return x


def _check_positive(op: str, name: str, value: float) -> None:
    if not value > 0:
        raise ConfigError(f"{op}: {name} must be above 0, got {value!r}")


def _reduce(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return losses
    return ops.mean(losses) if reduction == "mean" else ops.sum(losses)


def cross_entropy(
    logits: Values,
    labels: Values,
    reduction: str = "mean",
    *,
    label_smoothing: float = NO_SMOOTHING,
    weight: Values | None = None,
    ignore_index: int | None = None,
    **unknown: Never,
) -> Tensor:
    """-w[l] log softmax(logits)[l] at each place, l its label, softmax and logarithm fused: no
    logarithm of 0.

    weight (C,): w, None for ones. label_smoothing e in [0, 1]: 1 - e times that, plus e / C times
    -sum_c w[c] log softmax(logits)[c]. ignore_index: places with this label count nothing, whatever
    was predicted there. "mean" is the sum divided by that of the w[l] that count, and 0 with a
    gradient of 0 if every place is ignored (PyTorch: NaN): a batch without any marked pixel then
    changes nothing.

    logits (N, ..., C) float, the classes last and before any softmax; labels (N, ...) integers with
    0 <= label < C or ignore_index -> one number, or (N, ...). Raises ShapeError, DTypeError,
    ConfigError, and IndexRangeError for a label outside its range (on OpenCL when the result is
    read). Soft labels: Szegedy et al. 2016 (arXiv:1512.00567), section 7.
    """
    if unknown:
        raise unknown_to(cross_entropy, unknown)
    _check_reduction("cross_entropy", reduction)
    if type(logits) is not Tensor or type(labels) is not Tensor:
        logits, labels = lifted("cross_entropy", logits=logits, labels=labels)
    if labels.dtype.kind not in "iu":
        labels = _no_classes(logits, labels)
    if labels.dtype.kind != "i":
        labels = class_numbers("cross_entropy", labels)
    shape = labels.shape
    if logits.ndim != 2:
        logits, labels = _flat(logits, labels)
    if weight is not None or ignore_index is not None or label_smoothing is not NO_SMOOTHING:
        losses, shares = _weighed(logits, labels, label_smoothing, weight, ignore_index)
        if reduction == "mean":
            total = ops.sum(shares)
            return ops.sum(losses) / ops.masked_fill(total, total == 0.0, 1.0)
    elif reduction == "mean":
        return ops.mean_cross_entropy(logits, labels)
    else:
        losses = ops.cross_entropy_per_row(logits, labels)
    return ops.sum(losses) if reduction == "sum" else ops.reshape(losses, shape)


def _no_classes(logits: Tensor, labels: Tensor) -> Tensor:
    """DTypeError for labels that are no integers."""
    if labels.dtype.kind == "f" and labels.shape == logits.shape:
        raise DTypeError(
            "cross_entropy: labels are class numbers (N, ...) of an integer type, got "
            f"{labels.dtype} {labels.shape}; for one-hot rows pass labels.argmax(axis=-1), for "
            "other distributions use soft_cross_entropy"
        )
    return class_numbers("cross_entropy", labels)


def _flat(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, ..., C) as (M, C), labels (N, ...) as (M,)."""
    if logits.ndim < 2 or labels.shape != logits.shape[:-1]:
        told = ""
        if logits.ndim > 2 and labels.shape == (logits.shape[0], *logits.shape[2:]):
            told = "; the classes are the last axis here (channels last)"
        raise ShapeError(
            "cross_entropy: logits must be (N, ..., C) and labels (N, ...), got "
            f"{logits.shape} and {labels.shape}{told}"
        )
    return ops.reshape(logits, (-1, logits.shape[-1])), ops.reshape(labels, (-1,))


def _class_weight(op: str, logits: Tensor, weight: Values) -> Tensor:
    _, weight = lifted(op, logits=logits, weight=weight)
    if weight.shape != logits.shape[1:]:
        raise ShapeError(
            f"{op}: weight must be {logits.shape[1:]}, one for each class, got {weight.shape}"
        )
    if weight.dtype != logits.dtype:
        raise DTypeError(f"{op}: logits are {logits.dtype}, weight {weight.dtype}")
    return weight


def _weighed(
    logits: Tensor,
    labels: Tensor,
    smoothing: float,
    weight: Values | None,
    ignore_index: int | None,
) -> tuple[Tensor, Tensor]:
    """(loss of each row, its share w[l] in the mean), both 0 where a row is ignored."""
    op = "cross_entropy"
    smoothing, logits = (
        between(op, "label_smoothing", smoothing, 0, 1),
        _float(op, "logits", logits),
    )
    if weight is not None:
        weight = _class_weight(op, logits, weight)
    if labels.shape != logits.shape[:1]:
        raise ShapeError(
            f"{op}: logits must be (N, C) and labels (N,), got {logits.shape} and {labels.shape}"
        )
    ignored = None
    if ignore_index is not None:
        bounds = np.iinfo(labels.dtype)  # what the labels cannot be is ignored nowhere
        if bounds.min <= whole(op, "ignore_index", ignore_index) <= bounds.max:
            ignored = labels == ignore_index
    safe = labels
    if ignored is not None:  # what was predicted there may be anything, also NaN
        safe = ops.masked_fill(labels, ignored, 0)
        logits = ops.masked_fill(logits, ops.expand_dims(ignored, 1), 0.0)
    losses = ops.cross_entropy_per_row(logits, safe)
    shares = losses.detach() * 0.0 + 1.0 if weight is None else ops.gather(weight, safe)
    losses = shares * losses
    if smoothing:
        logs = ops.log_softmax(logits)
        spread = -ops.mean(logs if weight is None else logs * weight, axis=-1)
        losses = losses * (1.0 - smoothing) + spread * smoothing
    if ignored is not None:
        losses = ops.masked_fill(losses, ignored, 0.0)
        shares = ops.masked_fill(shares, ignored, 0.0)
    return losses, shares


def mse(prediction: Values, target: Values, reduction: str = "mean", **unknown: Never) -> Tensor:
    """(prediction - target)^2; "mean" is over all elements, not only over the batch.

    Both of one shape and float type -> one number, or that shape. Raises ShapeError, DTypeError,
    ConfigError.
    """
    if unknown:
        raise unknown_to(mse, unknown)
    _check_reduction("mse", reduction)
    prediction, target = _pair("mse", "prediction", prediction, "target", target)
    difference = prediction - target
    return _reduce(difference * difference, reduction)


def positive_weight(op: str, like: Tensor, weight: Any) -> Tensor:
    """The weight of positive answers beside `like`: a number, or what broadcasts to its shape."""
    if is_number(weight):
        return Tensor(finite(op, "pos_weight", weight), backend=like.backend, dtype=like.dtype)
    _, weight = lifted(op, like=like, pos_weight=weight)
    if weight.dtype != like.dtype:
        raise DTypeError(f"{op}: pos_weight is {weight.dtype}, not {like.dtype}; use .astype")
    if broadcast_shape(op, like.shape, weight.shape) != like.shape:
        raise ShapeError(
            f"{op}: pos_weight {weight.shape} must broadcast to the shape of targets {like.shape}"
        )
    return weight


def bce_with_logits(
    logits: Values,
    targets: Values,
    reduction: str = "mean",
    *,
    pos_weight: float | Values | None = None,
    **unknown: Never,
) -> Tensor:
    """Binary cross-entropy -w t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)).

    Logits x finite, targets t in [0, 1]. Both of one shape and float type -> one number, or that
    shape; "mean" is over all elements. pos_weight w: a number, or what broadcasts to that shape,
    such as one per class (C,); None for 1. Raises ShapeError, DTypeError, ConfigError.
    """
    if unknown:
        raise unknown_to(bce_with_logits, unknown)
    _check_reduction("bce_with_logits", reduction)
    logits, targets = _pair("bce_with_logits", "logits", logits, "targets", targets)
    if pos_weight is not None:
        weight = positive_weight("bce_with_logits", targets, pos_weight)
        missed = weight * targets * ops.softplus(-logits)
        return _reduce(missed + (1.0 - targets) * ops.softplus(logits), reduction)
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
