"""Losses on classes: likelihoods of distributions over classes, margins, overlap of masks.

`reduction` is that of losses.py: "mean" is over everything that "none" would return, except in
`weighted_cross_entropy`, where it is a weighted mean.
"""

from __future__ import annotations

import numpy as np

from .. import ops
from ..errors import ConfigError, DTypeError, ShapeError
from ..tensor import Tensor
from .losses import (
    _check_float,
    _check_pair,
    _check_positive,
    _check_reduction,
    _check_tensors,
    _reduce,
)


def _check_labels(op: str, first: str, x: Tensor, labels: Tensor) -> None:
    _check_float(op, first, x)
    _check_tensors(op, labels=labels)
    if x.ndim != 2 or labels.shape != x.shape[:1]:
        raise ShapeError(
            f"{op}: {first} must be (N, C) and labels (N,), got {x.shape} and {labels.shape}"
        )
    if labels.dtype not in (np.int32, np.int64):
        raise DTypeError(f"{op}: labels must be int32 or int64, got {labels.dtype}")


def _check_rows(op: str, first: str, x: Tensor, second: str, t: Tensor) -> None:
    _check_pair(op, first, x, second, t)
    if x.ndim < 1:
        raise ShapeError(f"{op}: {first} must have an axis of classes, got ()")


def _log_positive(p: Tensor) -> Tensor:
    """log p, with the smallest normal number in the place of anything below it: finite, and of
    gradient 0 there instead of infinity."""
    return ops.log(ops.clip(p, low=float(np.finfo(p.dtype).tiny)))


def soft_cross_entropy(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """-sum_c targets[c] log softmax(logits)[c], for one-hot rows and any other distributions.

    Both (..., C) of one float type -> one number, or (...,). Raises ShapeError, DTypeError,
    ConfigError. Soft labels: Szegedy et al. 2016 (arXiv:1512.00567), section 7.
    """
    _check_reduction("soft_cross_entropy", reduction)
    _check_rows("soft_cross_entropy", "logits", logits, "targets", targets)
    # log softmax(x) = (x - max x) - log sum e^(x - max x) in one kernel: no logarithm of 0.
    return _reduce(-ops.sum(targets * ops.log_softmax(logits), axis=-1), reduction)


def weighted_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-weights[l] log softmax(logits)[n, l] with l = labels[n], and 0 where l is `ignore_index`.

    "mean" is sum_n loss[n] / sum_n weights[labels[n]] over the rows that are not ignored. With
    nothing left (every row ignored, or no rows) it is 0 with a gradient of 0, not NaN as in
    PyTorch: a batch without any marked pixel then changes nothing.

    logits (N, C) float; labels (N,) int32 or int64 with 0 <= label < C or ignore_index; weights
    (C,) of the logits' type, None for ones -> one number, or (N,). Raises ShapeError, DTypeError,
    ConfigError, and IndexRangeError for other labels (on OpenCL when the result is read).
    """
    op = "weighted_cross_entropy"
    _check_reduction(op, reduction)
    _check_labels(op, "logits", logits, labels)
    if weights is not None and weights.shape != logits.shape[1:]:
        raise ShapeError(f"{op}: weights must be {logits.shape[1:]}, got {weights.shape}")
    if weights is not None and weights.dtype != logits.dtype:
        raise DTypeError(f"{op}: logits are {logits.dtype}, weights {weights.dtype}")
    ignored = None if ignore_index is None else labels == ignore_index
    safe = labels if ignored is None else ops.masked_fill(labels, ignored, 0)
    losses = ops.cross_entropy_per_row(logits, safe)
    shares = losses.detach() * 0.0 + 1.0 if weights is None else ops.gather(weights, safe)
    if ignored is not None:
        shares = ops.masked_fill(shares, ignored, 0.0)
    losses = shares * losses
    if reduction != "mean":
        return _reduce(losses, reduction)
    total = ops.sum(shares)
    return ops.sum(losses) / ops.masked_fill(total, total == 0.0, 1.0)


def nll(log_probabilities: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """-log_probabilities[n, labels[n]], as of `log_softmax`.

    log_probabilities (N, C) float; labels (N,) int32 or int64 with 0 <= label < C -> one number, or
    (N,). Raises ShapeError, DTypeError, ConfigError, IndexRangeError.
    """
    _check_reduction("nll", reduction)
    _check_labels("nll", "log_probabilities", log_probabilities, labels)
    picked = ops.take_along_axis(log_probabilities, labels.reshape(-1, 1), axis=-1)
    return _reduce(-picked.reshape(-1), reduction)


def bce(probabilities: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Binary cross-entropy -t log p - (1 - t) log(1 - p) of probabilities p; t in [0, 1].

    Better `bce_with_logits`, where there is a choice: a p that was rounded to 0 or 1 has lost its
    gradient. Here log 0 counts as the logarithm of the smallest normal number (-87.3 in float32,
    -708.4 in float64) with a gradient of 0; PyTorch has -100. Both of one shape and float type ->
    one number, or that shape. Raises ShapeError, DTypeError, ConfigError.
    """
    _check_reduction("bce", reduction)
    _check_pair("bce", "probabilities", probabilities, "targets", targets)
    # 1 - p is exact for p >= 1/2, so log(1 - p) needs no log1p there; below, its relative error
    # is that of one rounding of 1 - p, an absolute error of one unit of the last place of 1.
    hit = targets * _log_positive(probabilities)
    miss = (1.0 - targets) * _log_positive(1.0 - probabilities)
    return _reduce(-(hit + miss), reduction)


def kl_categorical(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """KL(targets || softmax(logits)) = sum_c t (log t - log softmax(logits)), with 0 log 0 = 0.

    Both (..., C) of one float type, the targets distributions over C -> one number, or (...,).
    Raises ShapeError, DTypeError, ConfigError. Kullback and Leibler 1951,
    doi:10.1214/aoms/1177729694.
    """
    _check_reduction("kl_categorical", reduction)
    _check_rows("kl_categorical", "logits", logits, "targets", targets)
    gap = _log_positive(targets) - ops.log_softmax(logits)  # finite: 0 times it is 0
    return _reduce(ops.sum(targets * gap, axis=-1), reduction)


def hinge(scores: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """max(0, 1 - t s) for targets t = -1 or 1; the gradient at t s = 1 is 0.

    Both of one shape and float type -> one number, or that shape. Raises ShapeError, DTypeError,
    ConfigError. Cortes and Vapnik 1995, doi:10.1007/BF00994018.
    """
    _check_reduction("hinge", reduction)
    _check_pair("hinge", "scores", scores, "targets", targets)
    return _reduce(ops.relu(1.0 - targets * scores), reduction)


def squared_hinge(scores: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """max(0, 1 - t s)^2 for targets t = -1 or 1: differentiable also at t s = 1.

    Both of one shape and float type -> one number, or that shape. Raises ShapeError, DTypeError,
    ConfigError. Tang 2013 (arXiv:1306.0239).
    """
    _check_reduction("squared_hinge", reduction)
    _check_pair("squared_hinge", "scores", scores, "targets", targets)
    short = ops.relu(1.0 - targets * scores)
    return _reduce(short * short, reduction)


def margin(
    lengths: Tensor,
    targets: Tensor,
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
    _check_rows("margin", "lengths", lengths, "targets", targets)
    missing, surplus = ops.relu(upper - lengths), ops.relu(lengths - lower)
    terms = targets * missing * missing + (1.0 - targets) * down * surplus * surplus
    return _reduce(ops.sum(terms, axis=-1), reduction)


def focal(
    logits: Tensor,
    targets: Tensor,
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
    _check_pair("focal", "logits", logits, "targets", targets)
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


def dice(
    probabilities: Tensor, targets: Tensor, reduction: str = "mean", smooth: float = 1.0
) -> Tensor:
    """1 - (2 sum p t + smooth) / (sum p^2 + sum t^2 + smooth), sums over all axes but the first.

    Both (N, ...) of one float type -> one number, or (N,). smooth > 0 makes two empty masks agree
    perfectly, instead of 0 / 0. Raises ShapeError, DTypeError, ConfigError. Milletari et al. 2016
    (arXiv:1606.04797).
    """
    _check_reduction("dice", reduction)
    _check_positive("dice", "smooth", smooth)
    _check_rows("dice", "probabilities", probabilities, "targets", targets)
    axes = tuple(range(1, probabilities.ndim))
    if not axes:
        raise ShapeError(f"dice: probabilities must be (N, ...), got {probabilities.shape}")
    overlap = ops.sum(probabilities * targets, axis=axes)
    sizes = ops.sum(probabilities * probabilities + targets * targets, axis=axes)
    return _reduce(1.0 - (overlap * 2.0 + smooth) / (sizes + smooth), reduction)
