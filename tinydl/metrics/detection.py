"""Found boxes against true boxes: overlap, matching, and mean average precision.

Boxes are x_min, y_min, x_max, y_max; width is x_max - x_min. (The VOC development kit counts
inclusive pixels and adds 1; with boxes converted as `tinydl.data.voc2007` does, both are the same.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arguments import array, axes, sizes, whole
from ..doors import checked, checked_fields, sequence
from ..errors import ConfigError, ShapeError
from ..quoting import quoted

COCO_THRESHOLDS = tuple(k / 100 for k in range(50, 100, 5))
MAX_PER_IMAGE = 100  # COCO counts the best hundred of a picture


@checked_fields
@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a detector says of one picture: boxes (K, 4), labels (K,) int, scores (K,) float; of one
    that outlines things, masks (K, H, W) bool."""

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    masks: np.ndarray | None = None


@checked_fields
@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is on one picture: boxes (G, 4), labels (G,) int; ignore (G,) bool marks boxes that
    count neither as found nor as missed (difficult in VOC, crowd in COCO), None for none; masks
    (G, H, W) bool, if they are known."""

    boxes: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray | None = None
    masks: np.ndarray | None = None


class MeanAveragePrecision(NamedTuple):
    """value: the mean of `per_class` (C,) over the classes that have a true box; NaN for the
    others."""

    value: float
    per_class: np.ndarray


@checked
def box_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, M) float64: intersection over union of boxes a (N, 4) and b (M, 4); 0 for two empty
    ones."""
    return _iou(*_areas(a, b))


@checked
def mask_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, M) float64: intersection over union of masks a (N, H, W) and b (M, H, W), bool; 0 for two
    empty ones."""
    return _iou(*_pixels(a, b))


def _iou(inside: np.ndarray, area_a: np.ndarray, area_b: np.ndarray) -> np.ndarray:
    union = area_a[:, None] + area_b[None, :] - inside
    return np.divide(inside, union, out=np.zeros_like(inside), where=union > 0)


def _curve(op: str, recall: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    recall, precision = np.asarray(recall, np.float64), np.asarray(precision, np.float64)
    if recall.ndim != 1 or recall.shape != precision.shape:
        raise ShapeError(
            f"{op}: needs recall and precision (K,), got {recall.shape} and {precision.shape}"
        )
    return recall, precision


@checked
def voc07_average_precision(recall: np.ndarray, precision: np.ndarray) -> float:
    """VOC 2007: the mean over r = 0, 0.1, ..., 1 of the largest precision at a recall >= r.

    recall (K,) ascending, precision (K,), one point per detection in the order of falling scores.
    """
    return _interpolated(*_curve("voc07_average_precision", recall, precision), 10)


@checked
def voc_average_precision(recall: np.ndarray, precision: np.ndarray) -> float:
    """VOC 2010 and later: the area under precision, made non-increasing from the right, by
    recall."""
    recall, precision = _curve("voc_average_precision", recall, precision)
    edges = np.concatenate([[0.0], recall])
    height = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(edges) * height).sum())


@checked
def coco_average_precision(recall: np.ndarray, precision: np.ndarray) -> float:
    """COCO: the mean over r = 0, 0.01, ..., 1 of the largest precision at a recall >= r."""
    return _interpolated(*_curve("coco_average_precision", recall, precision), 100)


_AREAS = {
    "voc2007": voc07_average_precision,
    "voc": voc_average_precision,
    "coco": coco_average_precision,
}


@checked
def mean_average_precision(
    found: list[Found],
    truths: list[Truth],
    classes: int,
    method: str = "voc2007",
    thresholds: tuple[float, ...] | None = None,
    masks: bool = False,
) -> MeanAveragePrecision:
    """mAP over pictures i = 1 ... N with detections found[i] and true boxes truths[i].

    method: "voc2007" (11 points) or "voc" (area), both at IoU 0.5, or "coco" (101 points, the mean
    over IoU 0.5, 0.55, ..., 0.95); `thresholds` overrides the IoUs. masks: overlaps are those of
    masks instead of boxes. Detections are taken in the order of falling scores (ties: earlier
    pictures, then earlier boxes) and each true box is found once:

    * VOC: a detection belongs to the true box with which it overlaps most; if that is below the
      threshold, or it is found already, the detection is false; if it is to be ignored, the
      detection does not count.
    * COCO: a detection takes the free true box with which it overlaps most, if that reaches the
      threshold; otherwise it may fall on a box to be ignored (of a crowd: intersection over the
      detection's own area) and does not count; otherwise it is false. Only the best 100
      of each class on a picture count. COCO's split by object size is not made.

    A class without true boxes (that count) is NaN and not in the mean. ShapeError for lists of
    different lengths and other shapes, ConfigError for another method and other objects.
    """
    if method not in _AREAS:
        raise ConfigError(f"mAP: method must be one of {', '.join(_AREAS)}, got {quoted(method)}")
    sizes("mAP", whole("mAP", "classes", classes, 1), 8)
    for name, given, kind in (("found", found, Found), ("truths", truths, Truth)):
        if not all(isinstance(one, kind) for one in sequence("mAP", name, given)):
            raise ConfigError(f"mAP: {name} must be {kind.__name__} objects, got {quoted(given)}")
    if len(found) != len(truths) or not truths:
        raise ShapeError(f"mAP: {len(found)} pictures of detections, {len(truths)} of true boxes")
    for i, (guess, truth) in enumerate(zip(found, truths, strict=True)):
        _check_picture(i, guess, truth, masks)
    if thresholds is None:
        thresholds = COCO_THRESHOLDS if method == "coco" else (0.5,)
    overlaps = axes("mAP", "thresholds", array("mAP", "thresholds", thresholds))
    if overlaps.ndim > 1 or not 1 <= overlaps.size <= 1000:
        raise ShapeError(f"mAP: needs 1 to 1000 thresholds (T,), got {quoted(thresholds)}")
    per_class = np.full(classes, np.nan)
    for k in sorted({int(k) for truth in truths for k in truth.labels if 0 <= k < classes}):
        per_class[k] = np.mean(
            [_class_precision(found, truths, k, t, method, masks) for t in overlaps.tolist()]
        )
    present = ~np.isnan(per_class)
    return MeanAveragePrecision(
        float(per_class[present].mean()) if present.any() else float("nan"), per_class
    )


def _check_picture(i: int, guess: Found, truth: Truth, masks: bool) -> None:
    if masks and (guess.masks is None or truth.masks is None):
        raise ConfigError(f"mAP: picture {i} has no masks")
    for one in (guess, truth):
        if one.boxes.ndim != 2 or one.boxes.shape[1] != 4 or one.labels.ndim != 1:
            raise ShapeError(
                f"mAP: picture {i} must have boxes (K, 4) and labels (K,), got {one.boxes.shape} "
                f"and {one.labels.shape}"
            )
    said = (guess.boxes, guess.labels, guess.scores, guess.masks)
    true = (truth.boxes, truth.labels, truth.ignore, truth.masks)
    for columns in (said, true):
        if len({len(column) for column in columns if column is not None}) > 1:
            raise ShapeError(f"mAP: picture {i} has boxes, labels, scores of different lengths")
    if np.isnan(guess.scores).any():
        raise ConfigError(f"mAP: picture {i} has a score that is NaN")


def _class_precision(
    found: list[Found], truths: list[Truth], label: int, threshold: float, method: str, masks: bool
) -> float:
    """The average precision of one class at one IoU; NaN if it has no true box."""
    scores, hits, total = [], [], 0
    for guess, truth in zip(found, truths, strict=True):
        own, true = guess.labels == label, truth.labels == label
        ignore = np.zeros(true.sum(), bool) if truth.ignore is None else truth.ignore[true]
        total += int((~ignore).sum())
        order = np.argsort(-guess.scores[own], kind="stable")
        if method == "coco":
            order = order[:MAX_PER_IMAGE]
            match = _match_coco
        else:
            match = _match_voc
        sides: list[Any] = [one.masks if masks else one.boxes for one in (guess, truth)]
        outcome = match(sides[0][own][order], sides[1][true], ignore, threshold)
        scores.append(guess.scores[own][order][outcome >= 0])
        hits.append(outcome[outcome >= 0])
    if total == 0:
        return float("nan")
    score, hit = np.concatenate(scores), np.concatenate(hits)
    hit = hit[np.argsort(-score, kind="stable")]
    right = np.cumsum(hit)
    return _AREAS[method](right / total, right / np.arange(1, len(hit) + 1))


def _match_voc(
    regions: np.ndarray, true: np.ndarray, ignore: np.ndarray, threshold: float
) -> np.ndarray:
    """Per detection, best first: 1 right, 0 false, -1 does not count; boxes or masks."""
    overlap = _iou(*_sizes(regions, true))
    taken = np.zeros(len(true), bool)
    outcome = np.zeros(len(regions), np.int64)
    for k in range(len(regions) if len(true) else 0):
        best = int(overlap[k].argmax())
        if overlap[k, best] < threshold:
            continue
        if ignore[best]:
            outcome[k] = -1
        elif not taken[best]:
            outcome[k], taken[best] = 1, True
    return outcome


def _match_coco(
    regions: np.ndarray, true: np.ndarray, ignore: np.ndarray, threshold: float
) -> np.ndarray:
    """As `_match_voc`, by COCO's rule."""
    inside, area, area_true = _sizes(regions, true)
    overlap = _iou(inside, area, area_true)
    within = np.divide(inside, area[:, None], out=np.zeros_like(inside), where=area[:, None] > 0)
    free = ~ignore
    outcome = np.zeros(len(regions), np.int64)
    for k in range(len(regions)):
        candidates = np.where(free, overlap[k], -1.0)
        # Of equal overlaps the last, as pycocotools takes it.
        best = len(true) - 1 - int(candidates[::-1].argmax()) if len(true) else -1
        if best >= 0 and candidates[best] >= min(threshold, 1 - 1e-10):
            outcome[k], free[best] = 1, False
        elif (within[k][ignore] >= min(threshold, 1 - 1e-10)).any():
            outcome[k] = -1
    return outcome


def _sizes(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (_pixels if a.ndim == 3 else _areas)(a, b)


def _pixels(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_areas`, of masks."""
    if a.ndim != 3 or b.ndim != 3 or a.shape[1:] != b.shape[1:]:
        raise ShapeError(f"mask_iou: masks must be (N, H, W), (M, H, W), got {a.shape}, {b.shape}")
    a, b = (x.reshape(len(x), x.shape[1] * x.shape[2]).astype(np.float64) for x in (a, b))
    return a @ b.T, a.sum(axis=1), b.sum(axis=1)


def _areas(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(intersections (N, M), areas (N,), areas (M,)); a box with x_max <= x_min has area 0."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or a.shape[1] != 4 or b.ndim != 2 or b.shape[1] != 4:
        raise ShapeError(f"box_iou: boxes must be (N, 4) and (M, 4), got {a.shape} and {b.shape}")
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    sides = np.clip(np.minimum(a[:, None, 2:], b[None, :, 2:]) - corner, 0, None)
    area_a, area_b = (np.clip(x[:, 2:] - x[:, :2], 0, None).prod(axis=1) for x in (a, b))
    return sides.prod(axis=2), area_a, area_b


def _interpolated(recall: np.ndarray, precision: np.ndarray, steps: int) -> float:
    # k / steps, not linspace: equal fractions are then equal floats (pycocotools is an ulp off).
    points = np.arange(steps + 1) / steps
    height = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(height[np.searchsorted(recall, points, side="left")].mean())
