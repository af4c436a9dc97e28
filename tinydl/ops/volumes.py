"""Convolution and pooling of volumes (N, D, H, W, C), composed from those of images.

A volume is a stack of images: the slices that a window meets are laid side by side as channels, and
one conv2d does the rest; a pooling goes over each slice, then across them. Memory: the slices of a
convolution are there KD / stride times.
"""

from __future__ import annotations

import numpy as np

from ..arguments import addressable, is_whole
from ..doors import door
from ..errors import ShapeError
from ..geometry import MOST_CELLS, output_size
from ..quoting import quoted
from .arrange import pad
from .conv import _check_types, _plain, convolve
from .index import take
from .operands import _require_float
from .pool import avg_pool2d, max_pool2d
from .shape import reshape, transpose


def triple(op, name, value, minimum):
    """`3` -> `(3, 3, 3)`; `(1, 3, 5)` stays. ShapeError for anything else."""
    value = _plain(value)
    found = tuple(value) if isinstance(value, tuple | list) else (value,) * 3
    if len(found) != 3 or not all(is_whole(v) and minimum <= v <= MOST_CELLS for v in found):
        raise ShapeError(
            f"{op}: {name} must be an integer >= {minimum} and below 2^31 or three of them, got "
            f"{quoted(value)}"
        )
    return found


def volume_padding(op, padding, size, kernel, stride, dilation):
    """'valid' | 'same' | p | (pd, ph, pw) | three pairs -> three pairs."""
    if isinstance(padding, str) and padding == "valid":
        return ((0, 0),) * 3
    if isinstance(padding, str) and padding == "same":
        cells = []
        for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
            total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            cells.append((total // 2, total - total // 2))
        return tuple(cells)
    given = _plain(padding)
    three = given if isinstance(given, tuple) else (given,) * 3
    sides = tuple([(v, v) if is_whole(v) else v for v in three])
    fits = len(sides) == 3 and all(
        isinstance(pair, tuple) and len(pair) == 2 and all(is_whole(v) for v in pair)
        for pair in sides
    )
    if not fits or not all(0 <= v <= MOST_CELLS for pair in sides for v in pair):
        raise ShapeError(
            f"{op}: padding must be 'valid', 'same', an integer >= 0, three of them or three pairs "
            f"((front, back), (top, bottom), (left, right)), each below 2^31, got {quoted(padding)}"
        )
    return sides


def _check_volume(op, x):
    if x.ndim != 5:
        raise ShapeError(f"{op}: x must be (N, D, H, W, C), got shape {x.shape}")


def _slices(x, depth, kernel, stride, dilation, groups):
    """(N, D, H, W, C) -> (N * OD, H, W, groups * KD * C / groups): the slices of each window."""
    N, _, H, W, C = x.shape
    if kernel == stride == 1:
        return reshape(x, (N * depth, H, W, C))
    at = np.arange(depth)[:, None] * stride + np.arange(kernel) * dilation
    windows = reshape(take(x, at, 1), (N, depth, kernel, H, W, groups, C // groups))
    return reshape(transpose(windows, (0, 1, 3, 4, 5, 2, 6)), (N * depth, H, W, kernel * C))


@door
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of volumes y[n,od,oh,ow,f] = bias[f] + sum_{kd,kh,kw,c} xpad[n, od*sd +
    kd*dd, oh*sh + kh*dh, ow*sw + kw*dw, c] weight[kd,kh,kw,c,f].

    x (N, D, H, W, C), weight (KD, KH, KW, C/groups, F), bias (F,) or None -> (N, OD, OH, OW, F).
    stride, dilation: an integer or three. padding: 'valid' (none), 'same', an integer, three, or
    three pairs. Runs as one conv2d of KD C channels. Raises ShapeError and DTypeError. Ji et al.
    2013.
    """
    op = "conv3d"
    _check_volume(op, x)
    if weight.ndim != 5:
        raise ShapeError(
            f"{op}: weight must be (KD, KH, KW, C/groups, F), got shape {weight.shape}"
        )
    _check_types(op, *([x, weight] if bias is None else [x, weight, bias]))
    steps, gaps = triple(op, "stride", stride, 1), triple(op, "dilation", dilation, 1)
    groups, (KD, KH, KW, CG, F) = _plain(groups), weight.shape
    if not is_whole(groups) or groups < 1 or CG * groups != x.shape[4] or F % groups:
        raise ShapeError(
            f"{op}: x {x.shape} and weight {weight.shape} do not go together in {quoted(groups)} "
            "groups: weight must be (KD, KH, KW, C/groups, F), groups dividing C and F"
        )
    sides = volume_padding(op, padding, x.shape[1:4], (KD, KH, KW), steps, gaps)
    front, back = sides[0]
    depth = output_size(x.shape[1], KD, steps[0], front, back, gaps[0])
    if depth < 1 or KD < 1:
        raise ShapeError(
            f"{op}: a kernel of depth {KD} with dilation {gaps[0]} does not fit into depth "
            f"{x.shape[1]} with padding {sides[0]}"
        )
    addressable(op, (x.shape[0], depth, KD, *x.shape[2:]), 8)
    if front or back:
        x = pad(x, ((0, 0), (front, back), (0, 0), (0, 0), (0, 0)))
    images = _slices(x, depth, KD, steps[0], gaps[0], groups)
    kernel = reshape(transpose(weight, (1, 2, 0, 3, 4)), (KH, KW, KD * CG, F))
    y = convolve(op, images, kernel, bias, steps[1:], sides[1:], gaps[1:], groups)
    return reshape(y, (x.shape[0], depth, *y.shape[1:]))


def _pooled(op, x, kernel_size, stride, padding, pool):
    """Over height and width of each slice, then across the slices."""
    _require_float(op, x)
    _check_volume(op, x)
    kernel = triple(op, "kernel_size", kernel_size, 1)
    steps = kernel if stride is None else triple(op, "stride", stride, 1)
    sides = volume_padding(op, padding, x.shape[1:4], kernel, steps, (1, 1, 1))
    if any(max(pair) >= k for pair, k in zip(sides, kernel, strict=True)):
        raise ShapeError(f"{op}: padding {sides} must be smaller than the window {kernel}")
    N, D, H, W, C = x.shape
    flat = pool(reshape(x, (N * D, H, W, C)), kernel[1:], steps[1:], sides[1:])
    OH, OW = flat.shape[1:3]
    deep = reshape(flat, (N, D, OH * OW, C))
    y = pool(deep, (kernel[0], 1), (steps[0], 1), (sides[0], (0, 0)))
    return reshape(y, (N, y.shape[1], OH, OW, C))


@door
def max_pool3d(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    """Largest value of each window of a volume: x (N, D, H, W, C) -> (N, OD, OH, OW, C).

    kernel_size, stride: an integer or three; the stride defaults to the window. padding as in
    `conv3d`, smaller than the window; ceil_mode, ties and NaN as in `max_pool2d`. Raises ShapeError
    and DTypeError.
    """
    return _pooled(
        "max_pool3d", x, kernel_size, stride, padding,
        lambda x, k, s, p: max_pool2d(x, k, s, p, ceil_mode),
    )  # fmt: skip


@door
def avg_pool3d(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=False
):  # fmt: skip
    """Mean of each window of a volume: x (N, D, H, W, C) -> (N, OD, OH, OW, C).

    Arguments as in `max_pool3d`; padded cells count only with `count_include_pad`. Raises
    ShapeError and DTypeError.
    """
    return _pooled(
        "avg_pool3d", x, kernel_size, stride, padding,
        lambda x, k, s, p: avg_pool2d(x, k, s, p, ceil_mode, count_include_pad),
    )  # fmt: skip
