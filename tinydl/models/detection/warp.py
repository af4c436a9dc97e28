"""Cutting boxes out of a picture and putting them back: one linear interpolation for both."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError


def warp(
    picture: np.ndarray,
    boxes: np.ndarray,
    size: tuple[int, int],
    outside: float | np.ndarray | None = None,
) -> np.ndarray:
    """(R, OH, OW, C): each box (R, 4), corners, of picture (H, W, C), stretched to size (OH, OW).

    Point (i, j) of a result lies at the middle of its cell of the box; its value is interpolated
    from the four nearest pixel centres. outside: what a point off the picture gets, a number or
    (C,); None: the nearest pixel. Shrinking does not average. Floats keep their dtype. Raises
    ShapeError.
    """
    if picture.ndim != 3 or not picture.size or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(
            f"warp: picture must be (H, W, C) with pixels and boxes (R, 4), got {picture.shape} "
            f"and {boxes.shape}"
        )
    places, kept = [], []
    for axis in (0, 1):  # rows between y_min and y_max, columns between x_min and x_max
        low, high = boxes[:, 1 - axis, None], boxes[:, 3 - axis, None]
        place = low + (high - low) * (np.arange(size[axis]) + 0.5) / size[axis]
        kept.append((place >= 0) & (place <= picture.shape[axis]))
        places.append(np.clip(place - 0.5, 0, picture.shape[axis] - 1))
    (y, x), (H, W, _) = places, picture.shape
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    below, right = np.minimum(top + 1, H - 1)[:, :, None], np.minimum(left + 1, W - 1)[:, None]
    down = (y - top)[:, :, None, None].astype(picture.dtype)
    along = (x - left)[:, None, :, None].astype(picture.dtype)
    top, left = top[:, :, None], left[:, None]
    above = (1 - along) * picture[top, left] + along * picture[top, right]
    under = (1 - along) * picture[below, left] + along * picture[below, right]
    result = (1 - down) * above + down * under
    if outside is not None:
        result[~(kept[0][:, :, None] & kept[1][:, None])] = outside
    return result
