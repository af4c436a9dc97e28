"""Resizing images by gathering rows and columns: nearest and bilinear."""

from __future__ import annotations

import numpy as np

from ..arguments import addressable, finite, is_whole, text
from ..doors import door
from ..errors import ConfigError, ShapeError
from ..geometry import pair
from ..quoting import quoted
from .conv import _plain
from .index import take
from .operands import _require_float


@door
def resize(x, size=None, mode="nearest", align_corners=False, *, scale_factor=None):
    """Images (N, H, W, C) in another size (OH, OW): (N, OH, OW, C).

    size: the pair (OH, OW); or scale_factor, a number > 0 or a pair of them: OH = floor(H f).

    Half-pixel convention: pixel i covers i ... i + 1, so output i looks at s = (i + 1/2) H / OH -
    1/2. With align_corners the first and last pixel centres stay in place: s = i (H - 1) / (OH -
    1), and s = 0 for OH = 1.

    mode "nearest": pixel floor((i + 1/2) H / OH), so a tie goes to the later pixel (TensorFlow 2;
    PyTorch "nearest-exact"). mode "bilinear": (1 - t) x_floor(s) + t x_(floor(s) + 1), t = s -
    floor(s), with s moved into 0 ... H - 1, rows first, then columns. Shrinking does not average
    (no antialiasing).

    Raises ShapeError for other shapes or sizes < 1, ConfigError for another mode, align_corners
    with nearest, and one integer as size, which may mean a factor.
    """
    if x.ndim != 4:
        raise ShapeError(f"resize: x must be (N, H, W, C), got {x.shape}")
    target = target_size("resize", x.shape, size, scale_factor)
    addressable("resize", (x.shape[0], *target, x.shape[3]), 8)
    if min(x.shape[1:3]) < 1:
        raise ShapeError(f"resize: an image without pixels: {x.shape}")
    if text("resize", "mode", mode) == "nearest":
        if align_corners:
            raise ConfigError("resize: align_corners is defined for mode 'bilinear' only")
        for axis, new in zip((1, 2), target, strict=True):
            old = x.shape[axis]
            if new != old:
                x = take(x, (2 * np.arange(new) + 1) * old // (2 * new), axis)
        return x
    if mode != "bilinear":
        raise ConfigError(f"resize: mode must be nearest or bilinear, got {mode!r}")
    _require_float("resize", x)
    for axis, new in zip((1, 2), target, strict=True):
        if new != x.shape[axis]:
            x = _interpolate(x, axis, new, align_corners)
    return x


def size_or_factor(op, size, scale_factor):
    """(size as a pair or None, factors as a pair or None), exactly one of them given."""
    if (size is None) == (scale_factor is None):
        raise ConfigError(
            f"{op}: takes size=(OH, OW) or scale_factor, one of them; got size={quoted(size)} and "
            f"scale_factor={quoted(scale_factor)}"
        )
    if size is None:
        both = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor,) * 2
        if len(both) != 2:
            raise ConfigError(f"{op}: scale_factor must be one or two numbers, got {quoted(both)}")
        both = tuple([finite(op, "scale_factor", f) for f in both])
        if not min(both) > 0:
            raise ConfigError(f"{op}: scale_factor must be > 0, got {quoted(scale_factor)}")
        return None, both
    if is_whole(size):
        raise ConfigError(
            f"{op}: {size} pixels or {size} times as many? size is a pair: "
            f"size=({size}, {size}), or scale_factor={size}"
        )
    return pair(op, "size", _plain(size), 1), None


def target_size(op, shape, size, scale_factor):
    """(OH, OW) of images of this shape."""
    size, factors = size_or_factor(op, size, scale_factor)
    if size is not None:
        return size
    height, width = (int(min(n * f, 1e15)) for n, f in zip(shape[1:3], factors, strict=True))
    if min(height, width) < 1 <= min(shape[1:3]):
        raise ShapeError(f"{op}: scale_factor {factors} leaves no pixels of {shape}")
    return height, width


def _interpolate(x, axis, new, align_corners):
    """Linear interpolation along one axis."""
    old = x.shape[axis]
    if align_corners:
        places = np.arange(new) * ((old - 1) / max(new - 1, 1))
    else:
        places = (np.arange(new) + 0.5) * (old / new) - 0.5
    places = places.clip(0, old - 1)
    low = np.minimum(places.astype(np.int64), max(old - 2, 0))
    shape = tuple(new if i == axis else 1 for i in range(x.ndim))
    weight = (places - low).astype(x.dtype).reshape(shape)
    share = x._new(x.backend.asarray(np.ascontiguousarray(weight)), x.backend)
    first = take(x, low, axis)
    second = take(x, np.minimum(low + 1, old - 1), axis)
    return first + (second - first) * share
