"""Resizing images by gathering rows and columns: nearest and bilinear."""

from __future__ import annotations

import numpy as np

from ..errors import ConfigError, ShapeError
from ..geometry import pair
from .elementwise import _require_float
from .index import take


def resize(x, size, mode="nearest", align_corners=False):
    """Images (N, H, W, C) in another size (OH, OW): (N, OH, OW, C).

    Half-pixel convention: pixel i covers i ... i + 1, so output i looks at s = (i + 1/2) H / OH -
    1/2. With align_corners the first and last pixel centres stay in place: s = i (H - 1) / (OH -
    1), and s = 0 for OH = 1.

    mode "nearest": pixel floor((i + 1/2) H / OH), so a tie goes to the later pixel (TensorFlow 2;
    PyTorch "nearest-exact"). mode "bilinear": (1 - t) x_floor(s) + t x_(floor(s) + 1), t = s -
    floor(s), with s moved into 0 ... H - 1, rows first, then columns. Shrinking does not average
    (no antialiasing).

    Raises ShapeError for other shapes or sizes < 1, ConfigError for another mode or align_corners
    with nearest.
    """
    if x.ndim != 4:
        raise ShapeError(f"resize: x must be (N, H, W, C), got {x.shape}")
    target = pair("resize", "size", size, 1)
    if min(x.shape[1:3]) < 1:
        raise ShapeError(f"resize: an image without pixels: {x.shape}")
    if mode == "nearest":
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
