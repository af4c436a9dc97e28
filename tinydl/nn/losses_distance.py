"""Losses on embeddings: what belongs together is near, what does not is apart.

`reduction` is that of losses.py: "mean" is over everything that "none" would return.
"""

from __future__ import annotations

from .. import ops
from ..arguments import between, finite
from ..doors import checked
from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from .losses import Values, _check_positive, _check_reduction, _pair, _reduce, lifted


def _embeddings(op: str, first: str, a: Values, second: str, b: Values) -> tuple[Tensor, Tensor]:
    a, b = _pair(op, first, a, second, b)
    if a.ndim < 1:
        raise ShapeError(f"{op}: {first} must be (..., D), got ()")
    return a, b


@checked
def contrastive(
    a: Values, b: Values, same: Values, reduction: str = "mean", margin: float = 1.0
) -> Tensor:
    """same d^2 / 2 + (1 - same) max(0, margin - d)^2 / 2 with d = |a - b|.

    a, b (..., D); same (...,): 1 for a pair that belongs together, else 0 (the paper's Y is
    1 - same); one float type -> one number, or (...,). At d = 0 the gradient is 0. Raises
    ShapeError, DTypeError, ConfigError. Hadsell, Chopra and LeCun 2006, doi:10.1109/CVPR.2006.100.
    """
    _check_reduction("contrastive", reduction)
    _check_positive("contrastive", "margin", margin)
    a, b = _embeddings("contrastive", "a", a, "b", b)
    _, same = lifted("contrastive", a=a, same=same)
    if same.shape != a.shape[:-1]:
        raise ShapeError(f"contrastive: same must be {a.shape[:-1]}, got {same.shape}")
    if same.dtype != a.dtype:
        raise DTypeError(f"contrastive: a is {a.dtype}, same {same.dtype}; use .astype")
    # d^2 is a sum of squares, not the square of a root: its derivative needs no division by d.
    difference = a - b
    short = ops.relu(margin - ops.norm(difference, axis=-1))
    # `same` is multiplied in before the square: 0 times an overflowing one would be NaN.
    near = ops.sum(ops.expand_dims(same, -1) * difference * difference, axis=-1)
    return _reduce((near + (1.0 - same) * short * short) * 0.5, reduction)


@checked
def triplet(
    anchor: Values,
    positive: Values,
    negative: Values,
    reduction: str = "mean",
    margin: float = 1.0,
    squared: bool = False,
) -> Tensor:
    """max(0, |anchor - positive| - |anchor - negative| + margin); squared: of squared distances.

    All (..., D) of one float type -> one number, or (...,). The gradient of a distance of 0 is 0.
    Raises ShapeError, DTypeError, ConfigError. Schroff et al. 2015 (arXiv:1503.03832), equation 3,
    is the squared form; plain distances as in Hermans et al. 2017 (arXiv:1703.07737).
    """
    _check_reduction("triplet", reduction)
    _check_positive("triplet", "margin", margin)
    anchor, positive = _embeddings("triplet", "anchor", anchor, "positive", positive)
    anchor, negative = _embeddings("triplet", "anchor", anchor, "negative", negative)
    near, far = anchor - positive, anchor - negative
    if squared:
        gap = ops.sum((near - far) * (near + far), axis=-1)  # a difference of squares keeps digits
    else:
        gap = ops.norm(near, axis=-1) - ops.norm(far, axis=-1)
    return _reduce(ops.relu(gap + margin), reduction)


def _direction(x: Tensor) -> Tensor:
    """x / |x|, and 0 for the zero vector."""
    length = ops.norm(x, axis=-1, keepdims=True)
    return x / ops.masked_fill(length, length == 0.0, 1.0)


@checked
def cosine(a: Values, b: Values, reduction: str = "mean") -> Tensor:
    """1 - a . b / (|a| |b|): 0 for one direction, 2 for opposite ones; 1 if one of them is 0.

    a, b (..., D) of one float type -> one number, or (...,). Raises ShapeError, DTypeError,
    ConfigError. (Keras' cosine similarity loss is this minus 1.)
    """
    _check_reduction("cosine", reduction)
    a, b = _embeddings("cosine", "a", a, "b", b)
    # Each vector is divided by its own length first: the product |a| |b| could overflow or vanish.
    return _reduce(1.0 - ops.sum(_direction(a) * _direction(b), axis=-1), reduction)


@checked
def cosine_embedding(
    a: Values, b: Values, targets: Values, reduction: str = "mean", margin: float = 0.0
) -> Tensor:
    """1 - cos where t = 1, max(0, cos - margin) where t = -1, with cos = a . b / (|a| |b|).

    a, b (..., D); targets t (...,), 1 for a pair that belongs together and -1 for one that does
    not; one float type -> one number, or (...,). cos is 0 if one of the vectors is 0; margin in
    [-1, 1]. Another t counts nothing. Raises ShapeError, DTypeError, ConfigError.
    """
    op = "cosine_embedding"
    _check_reduction(op, reduction)
    between(op, "margin", margin, -1, 1)
    a, b = _embeddings(op, "a", a, "b", b)
    _, targets = lifted(op, a=a, targets=targets)
    alike = ops.sum(_direction(a) * _direction(b), axis=-1)
    alike, targets = _pair(op, "a . b", alike, "targets", targets)
    zero = targets * 0.0
    near = ops.where(targets == 1.0, 1.0 - alike, zero)
    return _reduce(near + ops.where(targets == -1.0, ops.relu(alike - margin), zero), reduction)


@checked
def margin_ranking(
    first: Values, second: Values, targets: Values, reduction: str = "mean", margin: float = 0.0
) -> Tensor:
    """max(0, margin - t (first - second)): t = 1 where the first should be the larger one by the
    margin, -1 where the second should.

    All of one shape and float type -> one number, or that shape; the gradient at the kink is 0.
    Raises ShapeError, DTypeError, ConfigError. Burges et al. 2005, doi:10.1145/1102351.1102363,
    rank pairs by the logistic loss of the same difference.
    """
    op = "margin_ranking"
    _check_reduction(op, reduction)
    first, second = _pair(op, "first", first, "second", second)
    first, targets = _pair(op, "first", first, "targets", targets)
    return _reduce(ops.relu(finite(op, "margin", margin) - targets * (first - second)), reduction)
