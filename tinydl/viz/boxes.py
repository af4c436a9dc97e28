"""Boxes and masks on images, as detection and segmentation are shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from .figure import colour_of, ink_on, new_figure, save_figure


def plot_boxes(
    image: np.ndarray,
    boxes: np.ndarray,
    path: str | Path | None = None,
    labels: np.ndarray | None = None,
    scores: np.ndarray | None = None,
    names: Sequence[str] | None = None,
) -> Any:
    """Boxes (K, 4) of x_min, y_min, x_max, y_max in pixels on an image; returns the figure.

    image (H, W), (H, W, 1) or (H, W, 3), colour uint8 or float in [0, 1]; labels (K,) int, scores
    (K,): written above each box, a label by its entry of `names`; boxes of one label have one
    colour. K may be 0. A pixel's upper left corner is at its index, so that (0, 0, W, H) is the
    whole image. Raises ShapeError.
    """
    boxes = np.asarray(boxes, float).reshape(-1, 4) if np.size(boxes) == 0 else np.asarray(boxes)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"plot_boxes: boxes must be (K, 4), got {boxes.shape}")
    for what, values in (("labels", labels), ("scores", scores)):
        if values is not None and np.shape(values) != (len(boxes),):
            raise ShapeError(f"plot_boxes: {np.shape(values)} {what} for {len(boxes)} boxes")
    figure, axes = _picture("plot_boxes", image)
    from matplotlib.patches import Rectangle  # after new_figure, which says what is missing

    for k, (left, top, right, bottom) in enumerate(boxes):
        label = None if labels is None else int(labels[k])
        colour = colour_of(0 if label is None else label)
        corner = (left, top)
        axes.add_patch(
            Rectangle(corner, right - left, bottom - top, fill=False, color=colour, linewidth=1.8)
        )
        parts = [] if label is None else [names[label] if names is not None else str(label)]
        parts += [] if scores is None else [f"{scores[k]:.2f}"]
        if parts:
            axes.text(
                left, top, " ".join(parts), fontsize=8, color=ink_on(colour), va="bottom",
                bbox={"facecolor": colour, "edgecolor": colour, "pad": 1.2}, clip_on=False,
            )  # fmt: skip
    return save_figure(figure, path)


def plot_masks(
    image: np.ndarray,
    masks: np.ndarray,
    path: str | Path | None = None,
    names: Sequence[str] | None = None,
    background: int | None = 0,
) -> Any:
    """Regions over an image, half transparent, with a legend of their names; returns the figure.

    image as in `plot_boxes`; masks: a class map (H, W) int, of which `background` (None: nothing)
    stays clear, or one mask per object (K, H, W) bool; names: of the classes or of the objects.
    Raises ShapeError.
    """
    masks = np.asarray(masks)
    figure, axes = _picture("plot_masks", image)
    if masks.shape[-2:] != np.shape(image)[:2] or masks.ndim not in (2, 3):
        raise ShapeError(
            f"plot_masks: masks must be (H, W) or (K, H, W) of the image, got {masks.shape} for "
            f"an image {np.shape(image)}"
        )
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    if masks.ndim == 2:
        regions = {int(c): masks == c for c in np.unique(masks) if c != background}
    else:
        regions = {k: mask.astype(bool) for k, mask in enumerate(masks)}
    H, W = masks.shape[-2:]
    patches = []
    for i, region in regions.items():
        layer = np.zeros((H, W, 4))
        layer[..., :3] = to_rgb(colour_of(i))
        layer[..., 3] = 0.55 * region
        axes.imshow(layer, extent=(0, W, H, 0), interpolation="nearest")
        patches.append(Patch(color=colour_of(i), label=str(i) if names is None else names[i]))
    if patches:
        figure.legend(handles=patches, loc="outside right upper", frameon=False, fontsize=8)
    return save_figure(figure, path)


def _picture(op: str, image: np.ndarray) -> tuple[Any, Any]:
    image = np.asarray(image)
    image = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or 0 in image.shape:
        raise ShapeError(f"{op}: image must be (H, W), (H, W, 1) or (H, W, 3), got {image.shape}")
    H, W = image.shape[:2]
    figure = new_figure(5.0 * min(1.0, W / H) + 0.3, 5.0 * min(1.0, H / W) + 0.4)
    axes = figure.add_subplot()
    axes.imshow(image, cmap="gray" if image.ndim == 2 else None, extent=(0, W, H, 0))
    axes.set_axis_off()
    return figure, axes
