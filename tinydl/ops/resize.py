"""Resizing images by gathering rows and columns: nearest, bilinear, bicubic, averaged."""

from __future__ import annotations

import numpy as np

from ..arguments import addressable, finite, flag, is_whole, text
from ..doors import door
from ..errors import ConfigError, ShapeError
from ..geometry import pair
from ..quoting import quoted
from .conv import _plain
from .index import take
from .operands import _require_float
from .pool import adaptive_avg_pool2d


@door
def resize(
    x, size=None, mode="nearest", align_corners=False, *, scale_factor=None, antialias=False
):  # fmt: skip
    """Images (N, H, W, C) in another size (OH, OW): (N, OH, OW, C).

    size: the pair (OH, OW); or scale_factor, a number > 0 or a pair of them: OH = floor(H f).

    Half-pixel convention: pixel i covers i ... i + 1, so output i looks at s = (i + 1/2) H / OH -
    1/2. With align_corners the first and last pixel centres stay in place: s = i (H - 1) / (OH -
    1), and s = 0 for OH = 1.

    mode "nearest": pixel floor((i + 1/2) H / OH), so a tie goes to the later pixel (TensorFlow 2;
    PyTorch "nearest-exact"). mode "bilinear": (1 - t) x_floor(s) + t x_(floor(s) + 1), t = s -
    floor(s), with s moved into 0 ... H - 1, rows first, then columns. mode "bicubic": of the four
    pixels around s, weighted by Keys' kernel with a = -0.75, those beyond the edge being the edge
    (PyTorch; TensorFlow has -0.5). mode "area": the mean of each bin, as `adaptive_avg_pool2d`.

    Shrinking does not average, but for "area" and with antialias=True: then the kernels of bilinear
    and bicubic (a = -0.5 now) are as many times as wide as the image shrinks, and their weights add
    up to 1 within the image (PyTorch, Pillow).

    Raises ShapeError for other shapes or sizes < 1, ConfigError for another mode, align_corners
    with nearest, area or antialias, antialias of nearest or area, and one integer as size, which
    may mean a factor.
    """
    if x.ndim != 4:
        raise ShapeError(f"resize: x must be (N, H, W, C), got {x.shape}")
    target = target_size("resize", x.shape, size, scale_factor)
    addressable("resize", (x.shape[0], *target, x.shape[3]), 8)
    if min(x.shape[1:3]) < 1:
        raise ShapeError(f"resize: an image without pixels: {x.shape}")
    check_mode("resize", mode, align_corners, antialias)
    if mode == "nearest":
        for axis, new in zip((1, 2), target, strict=True):
            old = x.shape[axis]
            if new != old:
                x = take(x, (2 * np.arange(new) + 1) * old // (2 * new), axis)
        return x
    _require_float("resize", x)
    if mode == "area":
        return x if target == x.shape[1:3] else adaptive_avg_pool2d(x, target)
    for axis, new in zip((1, 2), target, strict=True):
        if new == x.shape[axis]:
            continue
        if mode == "bilinear" and not antialias:
            x = _interpolate(x, axis, new, align_corners)
        elif antialias:
            x = _weighted(x, axis, *_wide_taps(mode, x.shape[axis], new))
        else:
            x = _weighted(x, axis, *_cubic_taps(x.shape[axis], new, align_corners))
    return x


def check_mode(op, mode, align_corners, antialias):
    """ConfigError for another mode, and for what a mode has not."""
    if text(op, "mode", mode) not in ("nearest", "bilinear", "bicubic", "area"):
        raise ConfigError(
            f"{op}: mode must be nearest, bilinear, bicubic or area, got {quoted(mode)}"
        )
    antialias = flag(op, "antialias", antialias)
    if align_corners and (mode in ("nearest", "area") or antialias):
        raise ConfigError(
            f"{op}: align_corners is defined for modes 'bilinear' and 'bicubic' only, without "
            "antialias"
        )
    if antialias and mode in ("nearest", "area"):
        raise ConfigError(f"{op}: antialias is defined for modes 'bilinear' and 'bicubic' only")


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


def _places(old, new, align_corners):
    """Where the new pixels' centres lie among the old ones'."""
    if align_corners:
        return np.arange(new) * ((old - 1) / max(new - 1, 1))
    return (np.arange(new) + 0.5) * (old / new) - 0.5


def _interpolate(x, axis, new, align_corners):
    """Linear interpolation along one axis."""
    old = x.shape[axis]
    places = _places(old, new, align_corners).clip(0, old - 1)
    low = np.minimum(places.astype(np.int64), max(old - 2, 0))
    shape = tuple(new if i == axis else 1 for i in range(x.ndim))
    weight = (places - low).astype(x.dtype).reshape(shape)
    share = x._new(x.backend.asarray(np.ascontiguousarray(weight)), x.backend)
    first = take(x, low, axis)
    second = take(x, np.minimum(low + 1, old - 1), axis)
    return first + (second - first) * share


def _cubic(t, a):
    """Keys' kernel of width 4. Keys 1981 (IEEE ASSP 29)."""
    t = np.abs(t)
    inner = ((a + 2) * t - (a + 3)) * t * t + 1
    outer = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, inner, np.where(t < 2, outer, 0.0))


def _cubic_taps(old, new, align_corners):
    """(places, weights), (new, 4): the pixels around each new one."""
    places = _places(old, new, align_corners)
    at = np.floor(places)[:, None] + np.arange(-1, 3)
    return at.clip(0, old - 1).astype(np.int64), _cubic(places[:, None] - at, -0.75)


def _wide_taps(mode, old, new):
    """(places, weights): those within a kernel that is max(old / new, 1) times as wide."""
    scale = max(old / new, 1.0)
    centres = (np.arange(new)[:, None] + 0.5) * (old / new)
    reach = scale * (1 if mode == "bilinear" else 2)
    first = np.maximum((centres - reach + 0.5).astype(np.int64), 0)
    count = np.minimum((centres + reach + 0.5).astype(np.int64), old) - first
    at = first + np.minimum(np.arange(count.max()), count - 1)  # what is beyond weighs nothing
    distance = (at - centres + 0.5) / scale
    weights = np.maximum(1 - np.abs(distance), 0) if reach == scale else _cubic(distance, -0.5)
    weights = np.where(np.arange(count.max()) < count, weights, 0.0)
    return at, weights / weights.sum(1, keepdims=True)


def _weighted(x, axis, at, weights):
    """sum_t weights[i, t] x[at[i, t]] along one axis."""
    shape = tuple(len(at) if i == axis else 1 for i in range(x.ndim))
    total = None
    for places, share in zip(at.T, weights.T, strict=True):
        factor = np.ascontiguousarray(share.astype(x.dtype).reshape(shape))
        part = take(x, places, axis) * x._new(x.backend.asarray(factor), x.backend)
        total = part if total is None else total + part
    return total
