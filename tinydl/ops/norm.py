"""Normalisation, composed from reductions and elementwise operations. There are no kernels of its
own yet; fused ones come later.

Channels are the last axis. `scale` and `shift` (gamma and beta) may be None: 1 and 0. eps defaults
to 1e-3 as in Keras; PyTorch has 1e-5.
"""

from __future__ import annotations

from ..errors import ConfigError, DTypeError, ShapeError
from .arrange import pad
from .broadcast import sum
from .elementwise import maximum, sqrt
from .reduce import mean, var
from .shape import reshape


def _check(op, x, shape, **given):
    """`given` tensors (or None) have this shape and x's float type."""
    if x.dtype.kind != "f":
        raise DTypeError(f"{op}: needs a float tensor, got {x.dtype} {x.shape}; use .astype")
    for name, tensor in given.items():
        if tensor is None:
            continue
        if tensor.shape != shape:
            raise ShapeError(f"{op}: {name} must be {shape}, got {tensor.shape} (x {x.shape})")
        if tensor.dtype != x.dtype:
            raise DTypeError(f"{op}: x is {x.dtype} but {name} is {tensor.dtype}")


def _need_axes(op, x, least, letters):
    if x.ndim < least:
        raise ShapeError(f"{op}: x must be {letters}, got {x.shape}")


def _affine(x, scale, shift):
    x = x if scale is None else x * scale
    return x if shift is None else x + shift


def _standardized(x, axes, eps):
    """(x - mean) / sqrt(variance + eps), the variance being the mean square."""
    centred = x - mean(x, axes, True)
    return centred / sqrt(mean(centred * centred, axes, True) + eps)


def batch_norm(x, scale=None, shift=None, mean=None, variance=None, eps=1e-3):
    """y = (x - mean) / sqrt(variance + eps) * scale + shift, for each channel.

    x (N, ..., C); scale, shift, mean, variance (C,) or None -> like x. Without mean and variance,
    both are those of the batch (all axes but the last; divided by their number) and take part in
    the gradient; given ones are the running statistics of evaluation. Raises ShapeError,
    DTypeError, and ConfigError if only one of mean and variance is given. Ioffe and Szegedy 2015
    (arXiv 1502.03167).
    """
    _need_axes("batch_norm", x, 2, "(N, ..., C)")
    given = {"scale": scale, "shift": shift, "mean": mean, "variance": variance}
    _check("batch_norm", x, x.shape[-1:], **given)
    if (mean is None) != (variance is None):
        raise ConfigError("batch_norm: give both mean and variance, or neither")
    if mean is None:
        normal = _standardized(x, tuple(range(x.ndim - 1)), eps)
    else:
        normal = (x - mean) / sqrt(variance + eps)
    return _affine(normal, scale, shift)


def batch_statistics(x):
    """(mean, variance), each (C,), of x (N, ..., C) over all axes but the last, variance divided by
    their number. Raises ShapeError and DTypeError."""
    _need_axes("batch_statistics", x, 2, "(N, ..., C)")
    _check("batch_statistics", x, ())
    axes = tuple(range(x.ndim - 1))
    return mean(x, axes), var(x, axes)


def layer_norm(x, scale=None, shift=None, axes=1, eps=1e-3):
    """y = (x - m) / sqrt(v + eps) * scale + shift, m and v those of each sample's last `axes` axes.

    x (..., D) -> like x; scale, shift (D,), or x.shape[-axes:], or None. Raises ShapeError,
    DTypeError and ConfigError. Ba et al. 2016 (arXiv 1607.06450).
    """
    if not isinstance(axes, int) or not 1 <= axes <= max(x.ndim, 1):
        raise ConfigError(f"layer_norm: axes must be in 1..{x.ndim} for x {x.shape}, got {axes!r}")
    _need_axes("layer_norm", x, 1, "(..., D)")
    _check("layer_norm", x, x.shape[-axes:], scale=scale, shift=shift)
    return _affine(_standardized(x, tuple(range(x.ndim - axes, x.ndim)), eps), scale, shift)


def instance_norm(x, scale=None, shift=None, eps=1e-3):
    """Every channel of every sample standardised over its places, times scale, plus shift.

    x (N, ..., C) with at least one axis of places; scale, shift (C,) or None -> like x. Raises
    ShapeError and DTypeError. Ulyanov et al. 2016 (arXiv 1607.08022).
    """
    _need_axes("instance_norm", x, 3, "(N, T, C) or (N, H, W, C)")
    _check("instance_norm", x, x.shape[-1:], scale=scale, shift=shift)
    return _affine(_standardized(x, tuple(range(1, x.ndim - 1)), eps), scale, shift)


def group_norm(x, groups, scale=None, shift=None, eps=1e-3):
    """Each group of C/groups neighbouring channels of a sample standardised together over all
    places, times scale, plus shift.

    x (N, ..., C); scale, shift (C,) or None -> like x. Raises ShapeError (groups must divide C) and
    DTypeError. Wu and He 2018 (arXiv 1803.08494).
    """
    _need_axes("group_norm", x, 2, "(N, ..., C)")
    _check("group_norm", x, x.shape[-1:], scale=scale, shift=shift)
    C = x.shape[-1]
    if not isinstance(groups, int) or groups < 1 or C % groups:
        raise ShapeError(f"group_norm: groups must divide the {C} channels, got {groups!r}")
    parts = reshape(x, (*x.shape[:-1], groups, C // groups))
    axes = (*range(1, x.ndim - 1), x.ndim)
    return _affine(reshape(_standardized(parts, axes, eps), x.shape), scale, shift)


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """y_c = x_c / (k + alpha * sum_j x_j^2)^beta over the `size` channels j around c.

    x (..., C) -> like x; j runs from c - size//2 to c + (size-1)//2, cut off at the ends. As in
    the paper, alpha is not divided by size (PyTorch divides). Raises ConfigError and DTypeError.
    Krizhevsky et al. 2012, section 3.3.
    """
    if not isinstance(size, int) or size < 1:
        raise ConfigError(f"local_response_norm: size must be an integer >= 1, got {size!r}")
    _need_axes("local_response_norm", x, 1, "(..., C)")
    _check("local_response_norm", x, ())
    widths = ((0, 0),) * (x.ndim - 1) + ((size // 2, (size - 1) // 2),)
    squares, C = pad(x * x, widths), x.shape[-1]
    total = squares[..., 0:C]
    for j in range(1, size):
        total = total + squares[..., j : j + C]
    return x / (total * float(alpha) + float(k)) ** float(beta)


def l2_normalize(x, scale=None, axis=-1, eps=1e-12):
    """y = scale * x / max(|x|, eps), |x| the Euclidean norm along `axis`.

    x of any shape -> like x; scale: what broadcasts, (C,) for learned factors of channels as in SSD
    (Liu et al. 2016, arXiv 1512.02325), or None. A vector shorter than eps has gradient
    1/eps through x alone, so 0 is no special case. Raises ShapeError and DTypeError.
    """
    _check("l2_normalize", x, ())
    square = sum(x * x, axis, True)
    return _affine(x / sqrt(maximum(square, x._lift(float(eps) ** 2))), scale, None)
