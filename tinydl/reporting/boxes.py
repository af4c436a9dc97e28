"""Detectors and segmentation: precision over recall, boxes that were missed, classes of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..attribution import box_occlusion
from ..experiment.program import Training
from ..metrics import Found, Truth, box_iou, class_iou, mean_average_precision, wilson_interval
from ..programs.scores import LOOK, MAP, MASK_MAP, MEAN_IOU, found_in, truths_of
from ..train import predict
from ..viz.figure import colour_of, new_figure, plain_axes
from .colours import BLUE, RED, enlarged, framed, shown_picture, signed
from .html import Html, figure, image, paragraph, png, row, section, table
from .subject import first_of
from .told import fitted

LOOKED = 200  # pictures of the test part
PICTURES = 12
HIDDEN, PARTS = 4, 6  # pictures of which parts are hidden; squares a side
OVERLAP, SURE = 0.5, 0.5  # IoU of a box that was found, and the share from which it is said


def detection(training: Training) -> list[Html]:
    """The sections of a detector; [] for what is none."""
    program, parts = training.recipe.program, getattr(training, "parts", None)
    if parts is None or getattr(program, "score", "") not in (MAP, MASK_MAP):
        return []
    x, targets = first_of(parts.test, LOOKED)
    found, truths = found_in(training.model, x), truths_of(program, targets)
    area = mean_average_precision(found, truths, len(parts.classes))
    rows, curves = [], {}
    for k, name in enumerate(parts.classes):
        curve, hits, total = precision_recall(found, truths, k)
        if not total:
            continue
        low, high = wilson_interval(np.array(hits), np.array(total))
        rows.append(
            (name, f"{total:,}", f"{100 * area.per_class[k]:.1f}",
             f"{100 * hits / total:.1f} ({100 * low:.1f} to {100 * high:.1f})")
        )  # fmt: skip
        curves[name if name.isascii() and "$" not in name else f"class {k}"] = curve
    heads = ("class", "boxes", "average precision, %", "found, %")
    told = (
        f"The first {len(x):,} pictures of the test part. Found: boxes that a box of their class "
        f"overlaps by {OVERLAP:g} (IoU), said with {100 * SURE:g} % or more, with Wilson's 95 % "
        f"interval. The mean average precision is {100 * area.value:.2f} % (VOC 2007)."
    )
    picture = image(fitted(_drawn(curves)), "precision over recall of each class", 480)
    return [
        section("Scores by class", paragraph(told), table(heads, rows), picture),
        _missed(x, found, truths, parts.classes),
    ]


def matched(found: Found, truth: Truth, label: int) -> tuple[np.ndarray, np.ndarray]:
    """(scores of the class's boxes, the best first; for each the place of the true box that it
    finds first, or -1), by the rule of VOC."""
    own, true = found.labels == label, np.flatnonzero(truth.labels == label)
    order = np.argsort(-found.scores[own], kind="stable")
    boxes, scores = found.boxes[own][order], found.scores[own][order]
    places = np.full(len(boxes), -1)
    if len(true) and len(boxes):
        overlap = box_iou(boxes, truth.boxes[true])
        for i, best in enumerate(overlap.argmax(axis=1)):
            if overlap[i, best] >= OVERLAP and true[best] not in places:
                places[i] = true[best]
    return scores, places


def precision_recall(
    found: Sequence[Found], truths: Sequence[Truth], label: int
) -> tuple[tuple[np.ndarray, np.ndarray], int, int]:
    """((recall, precision) by falling score, boxes found with SURE or more, boxes there are)."""
    scores, hits, total = [], [], 0
    for guess, truth in zip(found, truths, strict=True):
        score, place = matched(guess, truth, label)
        scores.append(score)
        hits.append(place >= 0)
        total += int((truth.labels == label).sum())
    score, hit = np.concatenate(scores), np.concatenate(hits)
    right = np.cumsum(hit[np.argsort(-score, kind="stable")])
    curve = (right / max(total, 1), right / np.arange(1, len(hit) + 1))
    return curve, int(hit[score >= SURE].sum()), total


def _drawn(curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> Any:
    drawing = new_figure(5.0, 3.8)
    axes = drawing.add_subplot()
    plain_axes(axes, xlabel="recall", ylabel="precision", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    for i, (name, (recall, precision)) in enumerate(list(curves.items())[:10]):
        axes.step(recall, precision, where="post", color=colour_of(i), label=name)
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    return drawing


def _missed(
    x: np.ndarray, found: Sequence[Found], truths: Sequence[Truth], classes: Sequence[str]
) -> Html:
    """The pictures with the most boxes that nobody found."""
    missing: list[list[int]] = []
    for guess, truth in zip(found, truths, strict=True):
        seen: set[int] = set()
        for k in range(len(classes)):
            scores, places = matched(guess, truth, k)
            seen |= set(places[(places >= 0) & (scores >= SURE)].tolist())
        missing.append([i for i in range(len(truth.labels)) if i not in seen])
    order = sorted(range(len(x)), key=lambda i: -len(missing[i]))[:PICTURES]
    total, there = sum(map(len, missing)), sum(len(t.labels) for t in truths)
    tiles = []
    for i in (i for i in order if missing[i]):
        picture = shown_picture(x[i])
        large = np.ascontiguousarray(enlarged(picture, 200))
        times = large.shape[0] / picture.shape[0]
        for box in found[i].boxes[found[i].scores >= SURE]:
            framed(large, box, BLUE, times)
        for k in missing[i]:
            framed(large, truths[i].boxes[k], RED, times)
        names = ", ".join(classes[int(truths[i].labels[k])] for k in missing[i])
        tiles.append(figure(image(png(large), f"test picture {i}", 200), f"missed: {names}"))
    told = f"{total:,} of {there:,} boxes are missed: red. What was found is blue."
    return section("Missed boxes", paragraph(told), row(*tiles))


def looked_at(training: Training) -> Html | None:
    """What the surest boxes lose when a part of the picture is hidden; None for what is no
    detector."""
    program, parts = training.recipe.program, getattr(training, "parts", None)
    if parts is None or getattr(program, "score", "") not in (MAP, MASK_MAP):
        return None
    x, _ = first_of(parts.test, LOOKED)
    found = found_in(training.model, x)
    best = [float(one.scores.max(initial=0)) for one in found]
    order = sorted(range(len(x)), key=lambda i: -best[i])[:HIDDEN]
    chosen = [i for i in order if best[i] > 0]
    size = max(2, min(x.shape[1:3]) // PARTS)
    tiles = []
    for i in chosen:
        k = int(found[i].scores.argmax())
        box, label = found[i].boxes[k], int(found[i].labels[k])
        lost = box_occlusion(lambda x: found_in(training.model, x), x[i], box, label, size)
        name = parts.classes[label]
        both = []
        for picture in (shown_picture(x[i]), signed(lost)):
            large = np.ascontiguousarray(enlarged(picture, 180))
            framed(large, box, BLUE, large.shape[0] / picture.shape[0])
            both.append(large)
        told = f"test picture {i}: {name}, {100 * best[i]:.0f} %"
        tiles.append(figure(image(png(np.concatenate(both, axis=1)), told, 360), told))
    told = (
        f"Of the surest box of a picture: what its score, times how much of it is still covered, "
        f"loses when a square of {size} pixels is hidden with zeros (occlusion, Zeiler and Fergus "
        "2014; the similarity is that of D-RISE, Petsiuk et al. 2021). Red: hiding harms the box, "
        "blue: it helps. Red outside of the frame is context that the detector leans on."
    )
    return section("What the detector looks at", paragraph(told), row(*tiles)) if tiles else None


def regions(training: Training) -> list[Html]:
    """The overlap of each class of pixels; [] for what is no segmentation."""
    program, parts = training.recipe.program, getattr(training, "parts", None)
    if parts is None or getattr(program, "score", "") != MEAN_IOU:
        return []
    x, y = first_of(parts.test, LOOKED)
    said = predict(training.model, x, LOOK)
    shares = class_iou(y, said.argmax(axis=-1), said.shape[-1])
    names = parts.classes if len(parts.classes) == len(shares) else range(len(shares))
    rows = [
        (name, f"{(y == k).sum():,}", f"{100 * v:.1f}")
        for k, (name, v) in enumerate(zip(names, shares, strict=True))
    ]
    told = f"The first {len(x):,} pictures of the test part."
    heads = ("class", "pixels", "intersection over union, %")
    return [section("Scores by class", paragraph(told), table(heads, rows))]
