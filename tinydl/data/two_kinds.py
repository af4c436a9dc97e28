"""Pictures of two kinds, for what translates one into the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..doors import checked
from ..errors import ShapeError
from .types import Dataset


@dataclass(frozen=True, slots=True, eq=False)
class TwoKinds:
    """Two data sets of float pictures (N, H, W, C) in [0, 1] with classes that mean the same.

    paired: picture i of `first` belongs to picture i of `second`, in both parts. whole: the test
    pictures of `first` as they were before they were cut, in its size, where they were.
    """

    first: Dataset
    second: Dataset
    paired: bool = False
    whole: np.ndarray | None = None


@checked
def sobel_edges(pictures: np.ndarray, least: float = 0.25) -> np.ndarray:
    """Where a picture (N, H, W) in [0, 1] changes: float32 of 0 and 1, (N, H, W).

    1 where the length of the two Sobel differences, divided by the 4 that they are at most, is at
    least `least`; beyond the border the picture goes on as its last pixel. Sobel and Feldman 1968.
    """
    x = _pictures("sobel_edges", pictures)
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = wide[:, :, 2:] - wide[:, :, :-2]
    down = wide[:, 2:] - wide[:, :-2]
    dx = across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]
    dy = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    return (np.hypot(dx, dy) / 4 >= least).astype(np.float32)


@checked
def cropped_to_ink(pictures: np.ndarray, side: int) -> np.ndarray:
    """Pictures (N, H, W) in [0, 1] cut to the rectangle of their ink, above 1/4, and stretched to
    (N, side, side) float32; one without ink is stretched whole."""
    x = _pictures("cropped_to_ink", pictures)
    if side < 1:
        raise ShapeError(f"cropped_to_ink: needs side >= 1, got {side}")
    return np.stack([stretched(_cut(picture), side) for picture in x])


def _cut(picture: np.ndarray) -> np.ndarray:
    ink = picture > 0.25
    if not ink.any():
        return picture
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def stretched(picture: np.ndarray, side: int) -> np.ndarray:
    """(H, W) -> (side, side) float32: every new pixel the mean of what it covers of the old."""
    down, across = (_shares(n, side) for n in picture.shape)
    return (down @ picture @ across.T).astype(np.float32)


def _shares(n: int, side: int) -> np.ndarray:
    """(side, n): how much of each new pixel lies on each of n old ones."""
    edges = np.linspace(0, n, side + 1)
    old = np.arange(n)
    low, high = np.maximum(edges[:-1, None], old), np.minimum(edges[1:, None], old + 1)
    return np.maximum(high - low, 0) * (side / n)


def _pictures(op: str, pictures: np.ndarray) -> np.ndarray:
    if pictures.ndim != 3 or pictures.dtype.kind not in "fiub" or 0 in pictures.shape:
        raise ShapeError(f"{op}: needs pictures (N, H, W), got {pictures.dtype} {pictures.shape}")
    return pictures.astype(np.float64)
