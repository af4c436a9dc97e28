"""Occlusion of a detector: what a box loses when a part of the picture is hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arguments import whole
from ..doors import checked
from ..errors import DTypeError, ShapeError
from ..metrics import box_iou
from .occlusion import squares

Detector = Callable[[np.ndarray], Sequence[Any]]
AT_ONCE = 16  # pictures that the detector is given together


@checked
def box_occlusion(
    detector: Detector,
    image: np.ndarray,
    box: np.ndarray,
    label: int,
    size: int = 8,
    stride: int | None = None,
    value: float = 0.0,
) -> np.ndarray:
    """s(x) - s(x with a square hidden), at each pixel the mean over the squares that cover it.

        s(x) = max_k p_k IoU(b_k, b)        over the found boxes b_k of the class, p_k their score

    s falls both where a box is less sure and where it moves away; it is 0 where none is left. No
    gradient is asked, so the detector may be any function: detector(x) for x (n, H, W, 3) gives of
    each picture what has boxes (K, 4) as x_min, y_min, x_max, y_max, labels (K,) and scores (K,),
    as `metrics.Found` has; let it find boxes of small scores too.

    image (H, W, C) float, as the detector takes it; box (4,) and label: the box that is asked
    about. size: side of the square in pixels, stride: from one to the next (None: half of the
    side); value: what stands in the square. Result: (H, W) float64, above 0 where hiding harms the
    box. DTypeError for an image that is no floats, ShapeError for other shapes.

    The similarity is that of Petsiuk et al. 2021 (D-RISE, arXiv:2006.03204, equation 2) for one
    class, the squares are those of Zeiler and Fergus 2014 (arXiv:1311.2901).
    """
    if image.dtype.kind != "f":
        raise DTypeError(f"box_occlusion: image must be floats, got {image.dtype}")
    if image.ndim != 3 or 0 in image.shape or np.shape(box) != (4,):
        raise ShapeError(
            f"box_occlusion: needs an image (H, W, C) and a box (4,), got {image.shape} and "
            f"{np.shape(box)}"
        )
    H, W, _ = image.shape
    size = whole("box_occlusion", "size", size, 1, min(H, W))
    stride = whole("box_occlusion", "stride", max(1, size // 2) if stride is None else stride, 1,
                   size)  # fmt: skip
    places = squares((H, W), size, stride)
    asked = np.asarray(box, np.float64)[None]
    (score,) = _similar(detector, image[None], asked, label)
    lost, covered = np.zeros((H, W)), np.zeros((H, W))
    for k in range(0, len(places), AT_ONCE):
        part = places[k : k + AT_ONCE]
        hidden = np.repeat(image[None], len(part), axis=0)
        for one, square in zip(hidden, part, strict=True):
            one[square] = value
        for square, left in zip(part, _similar(detector, hidden, asked, label), strict=True):
            lost[square] += score - left
            covered[square] += 1
    return lost / covered


def _similar(detector: Detector, x: np.ndarray, box: np.ndarray, label: int) -> list[float]:
    """s of each picture."""
    found = []
    for one in detector(x):
        own = np.asarray(one.labels) == label
        overlap = box_iou(np.asarray(one.boxes, np.float64)[own], box)[:, 0]
        found.append(float((np.asarray(one.scores)[own] * overlap).max(initial=0.0)))
    return found
