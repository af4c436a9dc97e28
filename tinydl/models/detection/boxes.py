"""Boxes: two ways to write one, the offsets that a network regresses, and what is refused.

Corners are x_min, y_min, x_max, y_max; centre-size is x, y, width, height. All functions take any
unit, as long as both arguments have the same: pixels, or fractions of the picture. NumPy on the
host. Intersection over union is `tinydl.metrics.box_iou`.
"""

from __future__ import annotations

import numpy as np

from ...errors import ConfigError, ShapeError

#: What SSD's authors divide offsets by (their "variances"): centres move less than sizes change.
VARIANCES = (0.1, 0.1, 0.2, 0.2)
NO_VARIANCES = (1.0, 1.0, 1.0, 1.0)
#: exp of more than this is no size of a box: decoding stays finite whatever the network says.
LARGEST_LOG = 8.0


def to_centre(corners: np.ndarray) -> np.ndarray:
    """(..., 4) corners -> (..., 4) centre x, centre y, width, height."""
    low, high = corners[..., :2], corners[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=-1)


def to_corners(centre: np.ndarray) -> np.ndarray:
    """(..., 4) centre x, centre y, width, height -> (..., 4) corners."""
    middle, half = centre[..., :2], centre[..., 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=-1)


def encode(boxes: np.ndarray, anchors: np.ndarray, variances=NO_VARIANCES) -> np.ndarray:
    """How far boxes (..., 4), corners, are from anchors (..., 4), centre-size, in anchor units:

        ((x - x_a) / w_a, (y - y_a) / h_a, log(w / w_a), log(h / h_a)) / variances

    Girshick et al. 2014 (arXiv 1311.2524), equations 6-9; Liu et al. 2016 (arXiv 1512.02325),
    equation 2. Sizes must be > 0.
    """
    box = to_centre(boxes)
    move = (box[..., :2] - anchors[..., :2]) / anchors[..., 2:]
    grow = np.log(box[..., 2:] / anchors[..., 2:])
    return np.concatenate([move, grow], axis=-1) / np.asarray(variances, box.dtype)


def decode(offsets: np.ndarray, anchors: np.ndarray, variances=NO_VARIANCES) -> np.ndarray:
    """The boxes (..., 4), corners, that lie `offsets` away from `anchors`: the inverse of
    `encode`. A logarithm of a size above 8 counts as 8."""
    offsets = offsets * np.asarray(variances, offsets.dtype)
    middle = anchors[..., :2] + offsets[..., :2] * anchors[..., 2:]
    size = anchors[..., 2:] * np.exp(np.minimum(offsets[..., 2:], LARGEST_LOG))
    return to_corners(np.concatenate([middle, size], axis=-1))


def clip_boxes(boxes: np.ndarray, height: float, width: float) -> np.ndarray:
    """Corners moved into 0 ... width and 0 ... height."""
    return np.clip(boxes, 0, np.array([width, height, width, height], boxes.dtype))


def check_boxes(op: str, boxes: np.ndarray, height: float, width: float) -> None:
    """ConfigError unless every box (K, 4), corners, has an area and lies in the picture."""
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"{op}: boxes must be (K, 4), got {boxes.shape}")
    area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])  # False for NaN too
    inside = (boxes[:, :2] >= 0).all(axis=1)
    inside &= (boxes[:, 2] <= width) & (boxes[:, 3] <= height)
    for rule, kept in (("have an area", area), ("lie in the picture", inside)):
        if not kept.all():
            k = int(np.flatnonzero(~kept)[0])
            corners = ", ".join(f"{v:g}" for v in boxes[k])
            raise ConfigError(
                f"{op}: box {k} ({corners}) must {rule} (x_min, y_min, x_max, y_max; the picture "
                f"is {width:g} wide and {height:g} high)"
            )
