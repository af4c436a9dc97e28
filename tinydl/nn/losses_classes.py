"""Losses on classes: likelihoods of distributions over classes, margins, overlap of masks.

`reduction` and what may be given in the place of tensors are those of losses.py: "mean" is over
everything that "none" would return.
"""

from __future__ import annotations

import numpy as np

from .. import ops
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..tensor import Tensor
from .losses import (
    Values,
    _check_positive,
    _check_reduction,
    _float,
    _pair,
    _reduce,
    class_numbers,
    lifted,
    positive_weight,
)


def _logits_and_labels(op: str, first: str, x: Values, labels: Values) -> tuple[Tensor, Tensor]:
    """x (N, C), and the labels (N,), one for each of its rows, as int32 or int64."""
    x, labels = lifted(op, **{first: x, "labels": labels})
    x = _float(op, first, x)
    if x.ndim != 2 or labels.shape != x.shape[:1]:
        raise ShapeError(
            f"{op}: {first} must be (N, C) and labels (N,), got {x.shape} and {labels.shape}"
        )
    return x, class_numbers(op, labels)


def _rows(op: str, first: str, x: Values, second: str, t: Values) -> tuple[Tensor, Tensor]:
    x, t = _pair(op, first, x, second, t)
    if x.ndim < 1:
        raise ShapeError(f"{op}: {first} must have an axis of classes, got ()")
    return x, t


def _log_positive(p: Tensor) -> Tensor:
    """log p, with the smallest normal number in the place of anything below it: finite, and of
    gradient 0 there instead of infinity."""
    return ops.log(ops.clip(p, low=float(np.finfo(p.dtype).tiny)))


def _present_logs(logs: Tensor, targets: Tensor) -> Tensor:
    """Logarithms of probabilities, 0 for a class that both sides rule out: with a logit of -inf and
    the target 0 it is absent, and 0 * -inf would be NaN. (Four passes of comparisons.)"""
    absent = ops.logical_and(targets == 0.0, logs < float(np.finfo(logs.dtype).min))
    return ops.masked_fill(logs, absent, 0.0)


@checked
def soft_cross_entropy(logits: Values, targets: Values, reduction: str = "mean") -> Tensor:
    """-sum_c targets[c] log softmax(logits)[c], for one-hot rows and any other distributions.

    Both (..., C) of one float type -> one number, or (...,). Raises ShapeError, DTypeError,
    ConfigError. Soft labels: Szegedy et al. 2016 (arXiv:1512.00567), section 7.
    """
    _check_reduction("soft_cross_entropy", reduction)
    logits, targets = _rows("soft_cross_entropy", "logits", logits, "targets", targets)
    # log softmax(x) = (x - max x) - log sum e^(x - max x) in one kernel: no logarithm of 0.
    logs = _present_logs(ops.log_softmax(logits), targets)
    return _reduce(-ops.sum(targets * logs, axis=-1), reduction)


@checked
def nll(log_probabilities: Values, labels: Values, reduction: str = "mean") -> Tensor:
    """-log_probabilities[n, labels[n]], as of `log_softmax`.

    log_probabilities (N, C) float; labels (N,) integers with 0 <= label < C -> one number, or
    (N,). Raises ShapeError, DTypeError, ConfigError, IndexRangeError.
    """
    _check_reduction("nll", reduction)
    log_probabilities, labels = _logits_and_labels(
        "nll", "log_probabilities", log_probabilities, labels
    )
    picked = ops.take_along_axis(log_probabilities, labels.reshape(-1, 1), axis=-1)
    return _reduce(-picked.reshape(-1), reduction)


@checked
def bce(
    probabilities: Values,
    targets: Values,
    reduction: str = "mean",
    *,
    pos_weight: float | Values | None = None,
) -> Tensor:
    """Binary cross-entropy -w t log p - (1 - t) log(1 - p) of probabilities p; t in [0, 1].

    Better `bce_with_logits`, where there is a choice: a p that was rounded to 0 or 1 has lost its
    gradient. Here log 0 counts as the logarithm of the smallest normal number (-87.3 in float32,
    -708.4 in float64) with a gradient of 0; PyTorch has -100. Both of one shape and float type ->
    one number, or that shape. pos_weight w: as of `bce_with_logits`; None for 1. Raises ShapeError,
    DTypeError, ConfigError.
    """
    _check_reduction("bce", reduction)
    probabilities, targets = _pair("bce", "probabilities", probabilities, "targets", targets)
    # 1 - p is exact for p >= 1/2, so log(1 - p) needs no log1p there; below, its relative error
    # is that of one rounding of 1 - p, an absolute error of one unit of the last place of 1.
    hit = targets * _log_positive(probabilities)
    if pos_weight is not None:
        hit = positive_weight("bce", targets, pos_weight) * hit
    miss = (1.0 - targets) * _log_positive(1.0 - probabilities)
    return _reduce(-(hit + miss), reduction)


@checked
def kl_categorical(logits: Values, targets: Values, reduction: str = "mean") -> Tensor:
    """KL(targets || softmax(logits)) = sum_c t (log t - log softmax(logits)), with 0 log 0 = 0.

    Both (..., C) of one float type, the targets distributions over C -> one number, or (...,).
    Raises ShapeError, DTypeError, ConfigError. Kullback and Leibler 1951,
    doi:10.1214/aoms/1177729694.
    """
    _check_reduction("kl_categorical", reduction)
    logits, targets = _rows("kl_categorical", "logits", logits, "targets", targets)
    gap = _log_positive(targets) - _present_logs(ops.log_softmax(logits), targets)
    return _reduce(ops.sum(targets * gap, axis=-1), reduction)


@checked
def hinge(scores: Values, targets: Values, reduction: str = "mean") -> Tensor:
    """max(0, 1 - t s) for targets t = -1 or 1; the gradient at t s = 1 is 0.

    Both of one shape and float type -> one number, or that shape. Raises ShapeError, DTypeError,
    ConfigError. Cortes and Vapnik 1995, doi:10.1007/BF00994018.
    """
    _check_reduction("hinge", reduction)
    scores, targets = _pair("hinge", "scores", scores, "targets", targets)
    return _reduce(ops.relu(1.0 - targets * scores), reduction)


@checked
def squared_hinge(scores: Values, targets: Values, reduction: str = "mean") -> Tensor:
    """max(0, 1 - t s)^2 for targets t = -1 or 1: differentiable also at t s = 1.

    Both of one shape and float type -> one number, or that shape. Raises ShapeError, DTypeError,
    ConfigError. Tang 2013 (arXiv:1306.0239).
    """
    _check_reduction("squared_hinge", reduction)
    scores, targets = _pair("squared_hinge", "scores", scores, "targets", targets)
    short = ops.relu(1.0 - targets * scores)
    return _reduce(short * short, reduction)


@checked
def margin(
    lengths: Values,
    targets: Values,
    reduction: str = "mean",
    upper: float = 0.9,
    lower: float = 0.1,
    down: float = 0.5,
) -> Tensor:
    """sum_c t max(0, upper - v)^2 + down (1 - t) max(0, v - lower)^2 of capsules' lengths v.

    lengths, targets (0 or 1; several classes may be there) (N, C) of one float type -> one number,
    or (N,). Raises ShapeError, DTypeError, ConfigError. Sabour, Frosst and Hinton 2017
    (arXiv:1710.09829), equation 4.
    """
    _check_reduction("margin", reduction)
    lengths, targets = _rows("margin", "lengths", lengths, "targets", targets)
    missing, surplus = ops.relu(upper - lengths), ops.relu(lengths - lower)
    terms = targets * missing * missing + (1.0 - targets) * down * surplus * surplus
    return _reduce(ops.sum(terms, axis=-1), reduction)


@checked
def focal(
    logits: Values,
    targets: Values,
    reduction: str = "mean",
    gamma: float = 2.0,
    alpha: float | None = 0.25,
) -> Tensor:
    """-a (1 - q)^gamma log q, where q is the probability given to the true answer:

    q = sigmoid(x), a = alpha where t = 1; q = 1 - sigmoid(x), a = 1 - alpha where t = 0.

    alpha None: no weights. Logits x, and targets t that are 0 or 1, of one shape and float type ->
    one number, or that shape (the paper divides the sum by the number of anchors that hold an
    object). Raises ShapeError, DTypeError, ConfigError. Lin et al. 2017 (arXiv:1708.02002),
    equation 5.
    """
    _check_reduction("focal", reduction)
    logits, targets = _pair("focal", "logits", logits, "targets", targets)
    if not gamma >= 0 or not (alpha is None or 0 <= alpha <= 1):
        raise ConfigError(f"focal: needs gamma >= 0 and 0 <= alpha <= 1, got {gamma!r}, {alpha!r}")
    # With z = x where t = 1 and -x where t = 0, q = sigmoid(z):
    #     log q = -softplus(-z)    and    (1 - q)^gamma = e^(-gamma softplus(z)),
    # without a logarithm of 0 or a power of a rounded 1 - q; its derivative exists for any gamma.
    z = logits * (targets * 2.0 - 1.0)
    losses = ops.exp(ops.softplus(z) * -float(gamma)) * ops.softplus(-z)
    if alpha is not None:
        losses = losses * (targets * (2.0 * alpha - 1.0) + (1.0 - alpha))
    return _reduce(losses, reduction)


@checked
def dice(
    probabilities: Values, targets: Values, reduction: str = "mean", smooth: float = 1.0
) -> Tensor:
    """1 - (2 sum p t + smooth) / (sum p^2 + sum t^2 + smooth), sums over all axes but the first.

    Both (N, ...) of one float type -> one number, or (N,). smooth > 0 makes two empty masks agree
    perfectly, instead of 0 / 0. Raises ShapeError, DTypeError, ConfigError. Milletari et al. 2016
    (arXiv:1606.04797).
    """
    _check_reduction("dice", reduction)
    _check_positive("dice", "smooth", smooth)
    probabilities, targets = _rows("dice", "probabilities", probabilities, "targets", targets)
    axes = tuple(range(1, probabilities.ndim))
    if not axes:
        raise ShapeError(f"dice: probabilities must be (N, ...), got {probabilities.shape}")
    overlap = ops.sum(probabilities * targets, axis=axes)
    sizes = ops.sum(probabilities * probabilities + targets * targets, axis=axes)
    return _reduce(1.0 - (overlap * 2.0 + smooth) / (sizes + smooth), reduction)
