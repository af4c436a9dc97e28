"""Losses on real numbers: distances to a target, likelihoods of a Gaussian, smoothness of images.

`reduction` is that of losses.py: "mean" is over everything that "none" would return.
"""

from __future__ import annotations

import math

import numpy as np

from .. import ops
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..tensor import Tensor
from .losses import Values, _check_positive, _check_reduction, _float, _pair, _reduce


@checked
def mae(prediction: Values, target: Values, reduction: str = "mean") -> Tensor:
    """|prediction - target|, the mean absolute error; the gradient of an exact hit is 0.

    Both of one shape and float type -> one number, or that shape. Raises ShapeError, DTypeError,
    ConfigError.
    """
    _check_reduction("mae", reduction)
    prediction, target = _pair("mae", "prediction", prediction, "target", target)
    return _reduce(ops.abs(prediction - target), reduction)


@checked
def huber(
    prediction: Values, target: Values, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = prediction - target.

    Both of one shape and float type -> one number, or that shape. Raises ShapeError, DTypeError,
    ConfigError. Huber 1964, doi:10.1214/aoms/1177703732.
    """
    _check_reduction("huber", reduction)
    _check_positive("huber", "delta", delta)
    prediction, target = _pair("huber", "prediction", prediction, "target", target)
    # With c = d moved into [-delta, delta] both branches are c (d - c / 2): inside c = d, outside
    # c = delta sign(d). No square of a large d is ever taken, and the gradient is c.
    d = prediction - target
    c = ops.clip(d, -delta, delta)
    return _reduce(c * (d - c * 0.5), reduction)


@checked
def smooth_l1(
    prediction: Values, target: Values, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """d^2 / (2 beta) where |d| <= beta, else |d| - beta / 2: `huber` divided by its break.

    With beta = 1 the two are equal. Both of one shape and float type -> one number, or that shape.
    Raises ShapeError, DTypeError, ConfigError. Girshick 2015 (arXiv:1504.08083), equation 3.
    """
    _check_reduction("smooth_l1", reduction)
    _check_positive("smooth_l1", "beta", beta)
    prediction, target = _pair("smooth_l1", "prediction", prediction, "target", target)
    d = prediction - target
    c = ops.clip(d, -beta, beta)
    return _reduce(c / beta * (d - c * 0.5), reduction)  # c / beta is in [-1, 1]: no overflow


def _scaled(d: Tensor, log_variance: Tensor) -> Tensor:
    """d e^(-log_variance / 2), in two steps: a small d takes the first half of a factor which alone
    would overflow."""
    half = ops.exp(log_variance * -0.25)
    return d * half * half


@checked
def gaussian_nll(
    mean: Values, log_variance: Values, target: Values, reduction: str = "mean"
) -> Tensor:
    """-log N(target; mean, e^log_variance) = (log 2 pi + log_variance + d^2 e^-log_variance) / 2.

    d = target - mean. All of one shape and float type -> one number, or that shape. Raises
    ShapeError, DTypeError, ConfigError. Nix and Weigend 1994, doi:10.1109/ICNN.1994.374138.
    """
    _check_reduction("gaussian_nll", reduction)
    mean, target = _pair("gaussian_nll", "mean", mean, "target", target)
    mean, log_variance = _pair("gaussian_nll", "mean", mean, "log_variance", log_variance)
    # The logarithm of the variance is what the network says: the variance is positive without a
    # bound, and there is no logarithm or division that could meet a 0.
    scaled = _scaled(target - mean, log_variance)
    losses = (log_variance + scaled * scaled + math.log(2 * math.pi)) * 0.5
    return _reduce(losses, reduction)


@checked
def poisson_nll(
    prediction: Values,
    target: Values,
    reduction: str = "mean",
    log_input: bool = True,
    full: bool = False,
) -> Tensor:
    """-log of the Poisson probability of the count t: r - t log r, r the rate, without log t!.

    prediction: log r, for which the loss is e^p - t p, or r itself with log_input=False, where the
    logarithm of 0 counts as that of the smallest normal number. full: adds Stirling's t log t - t +
    log(2 pi t) / 2 in the place of log t! where t > 1, 0 elsewhere. Both of one shape and float
    type -> one number, or that shape. Raises ShapeError, DTypeError, ConfigError.
    """
    op = "poisson_nll"
    _check_reduction(op, reduction)
    prediction, target = _pair(op, "prediction", prediction, "target", target)
    if log_input:
        losses = ops.exp(prediction) - target * prediction
    else:
        tiny = float(np.finfo(prediction.dtype).tiny)
        losses = prediction - target * ops.log(ops.clip(prediction, low=tiny))
    if full:
        several = target > 1.0
        t = ops.where(several, target, 1.0)
        stirling = t * ops.log(t) - t + ops.log(t * (2 * math.pi)) * 0.5
        losses = losses + ops.where(several, stirling, 0.0)
    return _reduce(losses, reduction)


@checked
def kl_gaussian(
    mean: Values,
    log_variance: Values,
    prior_mean: Values | None = None,
    prior_log_variance: Values | None = None,
    reduction: str = "mean",
) -> Tensor:
    """KL(N(m, e^s) || N(m0, e^s0)) for diagonal covariances, summed over the last axis:

    1/2 sum_d (e^(s - s0) - 1 - (s - s0) + (m - m0)^2 e^-s0). Without a prior: N(0, 1).

    All of one shape (..., D) and float type -> one number, or (...,). Raises ShapeError,
    DTypeError, ConfigError. Kingma and Welling 2014 (arXiv:1312.6114), appendix B.
    """
    _check_reduction("kl_gaussian", reduction)
    mean, log_variance = _pair("kl_gaussian", "mean", mean, "log_variance", log_variance)
    if (prior_mean is None) != (prior_log_variance is None):
        raise ConfigError("kl_gaussian: give both prior_mean and prior_log_variance, or neither")
    if mean.ndim < 1:
        raise ShapeError("kl_gaussian: mean must have an axis to sum over, got ()")
    # e^r - 1 - r nearly cancels for r near 0, where training ends up: expm1 keeps its digits.
    ratio, scaled = log_variance, mean
    if prior_mean is not None and prior_log_variance is not None:
        mean, prior_mean = _pair("kl_gaussian", "mean", mean, "prior_mean", prior_mean)
        mean, prior_log_variance = _pair(
            "kl_gaussian", "mean", mean, "prior_log_variance", prior_log_variance
        )
        ratio = log_variance - prior_log_variance
        scaled = _scaled(mean - prior_mean, prior_log_variance)
    terms = ops.expm1(ratio) - ratio + scaled * scaled
    return _reduce(ops.sum(terms, axis=-1) * 0.5, reduction)


@checked
def total_variation(images: Values, reduction: str = "mean", squared: bool = False) -> Tensor:
    """sum |x[i+1, j] - x[i, j]| + sum |x[i, j+1] - x[i, j]| per image (anisotropic); or squares.

    images (N, H, W, C) float -> one number, or (N,). Nothing is divided by H W C. The gradient of
    equal neighbours is 0. Raises ShapeError, DTypeError, ConfigError. Rudin, Osher and Fatemi 1992,
    doi:10.1016/0167-2789(92)90242-F.
    """
    _check_reduction("total_variation", reduction)
    images = _float("total_variation", "images", images)
    if images.ndim != 4:
        raise ShapeError(f"total_variation: images must be (N, H, W, C), got {images.shape}")
    down = images[:, 1:] - images[:, :-1]
    right = images[:, :, 1:] - images[:, :, :-1]
    size = (lambda d: d * d) if squared else ops.abs
    axes = (1, 2, 3)
    return _reduce(ops.sum(size(down), axis=axes) + ops.sum(size(right), axis=axes), reduction)
