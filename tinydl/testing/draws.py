"""Random examples: shapes, geometries and values that stay away from kinks by construction.

Integers (shapes, strides, axes) come from `pick`, so that hypothesis can shrink them; values of
elements come from a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..random import Generator

Shape = tuple[int, ...]


class Draw:
    """One random example. pick(low, high) gives an integer low <= i <= high (None: by the seed)."""

    def __init__(self, seed: int = 0, pick: Callable[[int, int], int] | None = None) -> None:
        self.rng = Generator(seed)
        self._pick = pick

    # -- integers ----------------------------------------------------------------------------------

    def integer(self, low: int, high: int) -> int:
        """low <= i <= high."""
        if self._pick is not None:
            return self._pick(low, high)
        return int(self.rng.integers(low, high + 1))

    def flag(self) -> bool:
        return self.integer(0, 1) == 1

    def choose(self, options: Sequence[Any]) -> Any:
        """One of the options; shrinking moves to the first."""
        return options[self.integer(0, len(options) - 1)]

    def shape(self, min_ndim: int = 0, max_ndim: int = 3, low: int = 1, high: int = 4) -> Shape:
        ndim = self.integer(min_ndim, max_ndim)
        return tuple([self.integer(low, high) for _ in range(ndim)])

    def broadcastable(self, count: int = 2, max_ndim: int = 3, high: int = 4) -> list[Shape]:
        """`count` shapes that broadcast together: axes of size 1 and missing leading axes occur."""
        full = self.shape(0, max_ndim, 1, high)
        shapes = []
        for _ in range(count):
            first = self.integer(0, len(full))
            shapes.append(tuple([1 if self.integer(0, 2) == 2 else n for n in full[first:]]))
        return shapes

    def axes(self, ndim: int) -> int | tuple[int, ...] | None:
        """What `axis=` accepts: None, one axis (maybe counted from the end) or a tuple of them."""
        kind = self.integer(0, 2)
        if kind == 0 or ndim == 0:
            return None
        if kind == 1:
            return self.integer(-ndim, ndim - 1)
        return tuple([i - ndim if self.flag() else i for i in range(ndim) if self.flag()])

    # -- values ------------------------------------------------------------------------------------

    def normal(self, shape: Shape) -> np.ndarray:
        return np.asarray(self.rng.normal(shape, dtype=np.float64))

    def uniform(self, shape: Shape, low: float, high: float) -> np.ndarray:
        return np.asarray(self.rng.uniform(shape, low=low, high=high, dtype=np.float64))

    def away_from_zero(self, shape: Shape, gap: float = 0.1, high: float = 2.0) -> np.ndarray:
        """Both signs, gap <= |x| < high: for kinks and poles at 0."""
        signs = np.where(self.bools(shape), 1.0, -1.0)
        return np.asarray(signs * self.uniform(shape, gap, high))

    def distinct(self, shape: Shape, gap: float = 0.02) -> np.ndarray:
        """All values at least `gap` apart, in random order: for maxima and comparisons."""
        n = prod(shape)
        places = self.rng.permutation(n).astype(np.float64) - n // 2
        jitter = self.uniform((n,), -0.25, 0.25)
        return np.asarray((places + jitter) * (2 * gap)).reshape(shape)

    def distinct_together(self, shapes: Sequence[Shape], gap: float = 0.02) -> list[np.ndarray]:
        """Arrays no two elements of which, in one array or in two, are closer than `gap`."""
        flat = self.distinct((sum(prod(s) for s in shapes),), gap)
        ends = np.cumsum([prod(s) for s in shapes])[:-1]
        return [part.reshape(s) for part, s in zip(np.split(flat, ends), shapes, strict=True)]

    def bools(self, shape: Shape) -> np.ndarray:
        return np.asarray(self.uniform(shape, 0.0, 1.0) < 0.5)

    def indices(self, shape: Shape, rows: int) -> np.ndarray:
        """int32 or int64 positions 0 <= i < rows, repetitions likely."""
        dtype = self.choose((np.int64, np.int32))
        return np.asarray(self.rng.integers(0, rows, shape), dtype)

    # -- windows -----------------------------------------------------------------------------------

    def conv2d(self, largest: int = 3, channels: int = 2, extra: int = 4) -> dict[str, Any]:
        """x_shape, weight_shape and options of a convolution.

        Kernel, stride, dilation, the four paddings and groups are drawn independently, so that
        strides which do not divide (dropped tail rows) and one-sided padding occur.
        """
        groups = self.integer(1, 3)
        C, F = groups * self.integer(1, channels), groups * self.integer(1, channels)
        kernel = self.integer(1, largest), self.integer(1, largest)
        stride = self.integer(1, 3), self.integer(1, 3)
        dilation = self.integer(1, 3), self.integer(1, 3)
        padding, before_after = self._padding(2, 2)
        sizes = []
        for k, d, (before, after) in zip(kernel, dilation, before_after, strict=True):
            span = d * (k - 1) + 1
            sizes.append(max(1, span - before - after) + self.integer(0, extra))
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        if stride[0] == stride[1] and self.flag():
            options["stride"] = stride[0]
        return {
            "x_shape": (self.integer(1, 2), sizes[0], sizes[1], C),
            "weight_shape": (kernel[0], kernel[1], C // groups, F),
            "options": options,
        }

    def pool2d(self, largest: int = 3, channels: int = 2, extra: int = 4) -> dict[str, Any]:
        """x_shape and options of a pooling; padding stays below the window size."""
        kernel = self.integer(1, largest), self.integer(1, largest)
        stride = None if self.flag() else (self.integer(1, 3), self.integer(1, 3))
        padding, before_after = self._padding(kernel[0] - 1, kernel[1] - 1)
        sizes = []
        for k, (before, after) in zip(kernel, before_after, strict=True):
            sizes.append(max(1, k - before - after) + self.integer(0, extra))
        return {
            "x_shape": (self.integer(1, 2), sizes[0], sizes[1], self.integer(1, channels)),
            "options": {
                "kernel_size": kernel,
                "stride": stride,
                "padding": padding,
                "ceil_mode": self.flag(),
            },
        }

    def _padding(self, rows: int, columns: int) -> tuple[Any, tuple[tuple[int, int], ...]]:
        """(argument, zeros that it surely adds as ((top, bottom), (left, right)))."""
        kind = self.choose(("valid", "same", "pair", "sides"))
        if kind in ("valid", "same"):
            # 'same' pads by what the size needs; assuming none keeps every size legal.
            return kind, ((0, 0), (0, 0))
        if kind == "pair":
            ph, pw = self.integer(0, rows), self.integer(0, columns)
            return (ph, pw), ((ph, ph), (pw, pw))
        sides = (
            (self.integer(0, rows), self.integer(0, rows)),
            (self.integer(0, columns), self.integer(0, columns)),
        )
        return sides, sides
