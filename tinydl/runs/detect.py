"""Running the detector of a run folder on pictures of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data import fit_image
from ..errors import ConfigError, FormatError
from ..metrics import Found
from ..programs.scores import MAP, check_kind, found_in
from ..programs.supervised import settings_of
from .run import OpenRun


def detect(
    run: OpenRun,
    images: Sequence[np.ndarray],
    score: float = 0.5,
    backend: str | None = None,
    overlap: float = 0.45,
) -> list[Found]:
    """What the run's model finds on each uint8 picture, (H, W) or (H, W, 3) of any size.

    Pictures are shrunk or enlarged to fit the model's input, keeping their aspect (`fit_image`);
    boxes are corners in pixels of the picture given. score: only boxes with at least this
    probability; overlap: of boxes of one class with a larger IoU the best stays. ConfigError for a
    run of another kind, or thresholds outside [0, 1].
    """
    check_kind("detect", run.recipe, MAP)
    for name, value in (("score", score), ("overlap", overlap)):
        if not 0 <= value <= 1:
            raise ConfigError(f"detect: {name} must be in [0, 1], got {value}")
    model: Any = run.model(backend)
    program = settings_of("detect", run.recipe)
    sides = (program.picture_shape or program.input_shape)[:2]
    found = []
    for image in images:
        fitted, scale = fit_image(image, *sides)
        (one,) = found_in(model, fitted[None].astype(run.config["dtype"]), score, overlap)
        if one.labels.max(initial=-1) >= len(run.config["classes"]):
            raise FormatError(
                f"detect: {run.folder} does not fit: it names {len(run.config['classes'])} "
                f"classes, the network has found class {one.labels.max()}"
            )
        height, width = image.shape[:2]
        boxes = np.clip(one.boxes / scale, 0, [width, height, width, height])
        # What lies wholly in the border that was added has no area in the picture.
        kept = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        masks = None if one.masks is None else _stretched(one.masks[kept], scale, height, width)
        found.append(Found(boxes[kept], one.labels[kept], one.scores[kept], masks))
    return found


def _stretched(masks: np.ndarray, scale: float, height: int, width: int) -> np.ndarray:
    """Masks (K, h, w) of the fitted picture as those (K, height, width) of the picture itself: each
    pixel takes the value where its centre has come to lie."""
    y, x = (((np.arange(n) + 0.5) * scale).astype(np.int64) for n in (height, width))
    return masks[:, y.clip(0, masks.shape[1] - 1)[:, None], x.clip(0, masks.shape[2] - 1)]
