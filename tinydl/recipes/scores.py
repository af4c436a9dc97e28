"""What a recipe's model is judged by: accuracy, or one number over the whole part."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..data import Batches, rows_of_planes, unpad_rows
from ..errors import ConfigError
from ..metrics import Found, Truth, mean_average_precision, mean_iou
from ..models import RCNN
from ..models.detection.boxes import check_boxes
from ..models.detection.selective_search import selective_search
from ..nn import Module
from ..random import Generator
from ..train import evaluate, predict
from ..train.metrics import Metric
from .recipe import ACCURACY, MAP, MASK_MAP, MEAN_IOU, Recipe

Part = tuple[np.ndarray, np.ndarray]
LOOK = 16  # pictures at a time


class EncodeTargets:
    """A transform for `Batches` of (pictures, rows of boxes): what the detector's loss compares
    with, after `first` (augmentation; None: none)."""

    def __init__(self, model: Any, first: Any = None) -> None:
        self.encode, self.first = model.targets, first

    def __call__(self, batch: tuple[np.ndarray, ...], rng: Any) -> tuple[np.ndarray, ...]:
        x, rows = batch if self.first is None else self.first(batch, rng)
        targets = np.stack([self.encode(*unpad_rows(row)) for row in rows])
        return x, targets.astype(x.dtype)


@lru_cache(4096)
def searched(pixels: bytes, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """`selective_search` of a picture; it takes longer than the network, so it is done once."""
    return selective_search(np.frombuffer(pixels, dtype).reshape(shape))


class CutRegions:
    """A transform for `Batches` of (pictures, rows of boxes), for R-CNN: crops of `count` proposals
    of each picture at most, and what they are, (R, 5): 0 or 1 + class, and four offsets."""

    def __init__(self, model: RCNN, first: Any = None, count: int = 16) -> None:
        self.model, self.first, self.count = model, first, count

    def __call__(self, batch: tuple[np.ndarray, ...], rng: Any) -> tuple[np.ndarray, ...]:
        x, rows = batch if self.first is None else self.first(batch, rng)
        columns = []
        for image, row in zip(x, rows, strict=True):
            proposals = searched(image.tobytes(), image.shape, image.dtype.str)
            columns.append(self.model.sample(image, proposals, *unpad_rows(row), self.count, rng))
        crops, labels, offsets = (np.concatenate(c) for c in zip(*columns, strict=True))
        return crops, np.concatenate([labels[:, None], offsets], axis=1).astype(x.dtype)


def metrics_of(recipe: Recipe) -> dict[str, Metric]:
    """What is counted beside the loss while batches go by."""
    return {ACCURACY: recipe.metric} if recipe.score == ACCURACY else {}


def batch_transform(recipe: Recipe, model: Module) -> Any:
    """What happens to a training batch: the recipe's augmentation, then a detector's encoding."""
    return encoding(recipe, model, recipe.transform)


def encoding(recipe: Recipe, model: Module, first: Any = None) -> Any:
    """What makes of pictures and boxes what the detector learns from; other recipes: `first`."""
    if isinstance(model, RCNN):
        return CutRegions(model, first)
    return EncodeTargets(model, first) if recipe.score == MAP else first


def looked_at(recipe: Recipe, model: Module, part: Part) -> Batches:
    """Batches of a part for its loss: nothing shuffled, dropped or augmented."""
    if recipe.score == ACCURACY:
        return Batches(part, 256, shuffle=False)
    # The same regions at every look: only R-CNN asks the generator.
    return Batches(part, LOOK, False, Generator(0), transform=encoding(recipe, model))


def judge(recipe: Recipe, model: Module, part: Part, classes: Sequence[str]) -> dict[str, float]:
    """{"loss", recipe.score} over a part: "accuracy"; "mean_iou" of all its pixels; "map", the mean
    average precision at IoU 0.5 by the rule of VOC 2007, of all classes and of each; "mask_map",
    the same with the IoU of masks, beside "map"."""
    found = evaluate(model, looked_at(recipe, model, part), recipe.loss, metrics_of(recipe))
    if recipe.score == MEAN_IOU:
        logits = predict(model, part[0], LOOK)
        found[MEAN_IOU] = mean_iou(part[1], logits.argmax(axis=-1), logits.shape[-1])
    elif recipe.score in (MAP, MASK_MAP):
        guesses, truths = found_in(model, part[0]), truths_of(recipe, part[1])
        for name in (MASK_MAP, MAP) if recipe.score == MASK_MAP else (MAP,):
            score = mean_average_precision(guesses, truths, len(classes), masks=name == MASK_MAP)
            found[name] = score.value
            each = zip(classes, score.per_class.tolist(), strict=True)
            found |= {f"{name}_{thing}": value for thing, value in each}
    return found


def truths_of(recipe: Recipe, targets: np.ndarray) -> list[Truth]:
    """What is on the pictures of a part: of rows of boxes, or of planes of masks."""
    if recipe.score == MAP:
        return [Truth(*unpad_rows(row)) for row in targets]
    truths = []
    for planes, rows in zip(targets, rows_of_planes(targets), strict=True):
        boxes, labels = unpad_rows(rows)
        truths.append(Truth(boxes, labels, masks=planes[rows[:, 4] >= 0] > 0))
    return truths


def check_part(recipe: Recipe, name: str, part: Part, classes: Sequence[str]) -> None:
    """ConfigError for a set of boxes of which one has no area, leaves its picture or has a class
    that there is not: told before anything is trained, with the picture."""
    if recipe.score != MAP:
        return
    for k, row in enumerate(part[1]):
        boxes, labels = unpad_rows(row)
        where = f"{recipe.dataset}, {name} picture {k}"
        check_boxes(where, boxes, *part[0].shape[1:3])
        if labels.size and labels.max() >= len(classes):
            raise ConfigError(
                f"{where}: class {labels.max()}, but there are {len(classes)}: {', '.join(classes)}"
            )


def found_in(model: Any, x: np.ndarray, score: float = 0.01, overlap: float = 0.45) -> list[Found]:
    """What a detector finds on pictures x (N, H, W, 3) of its size, scaled as in training."""
    if hasattr(model, "detect_masks"):
        return model.detect_masks(x, score, overlap)
    if hasattr(model, "detect"):  # in two stages
        return model.detect(x, score, overlap)
    return model.found(predict(model, x, LOOK), score, overlap)


KINDS = {
    ACCURACY: "a classifier",
    MEAN_IOU: "a segmentation network",
    MAP: "a detector",
    MASK_MAP: "a detector",
}


def check_kind(op: str, recipe: Recipe, score: str) -> None:
    """ConfigError unless the recipe's model is of the kind that the command needs."""
    if KINDS[recipe.score] != KINDS[score]:
        raise ConfigError(
            f"{op}: this is a run of {recipe.name}, which is {KINDS[recipe.score]}; `tinydl {op}` "
            f"needs {KINDS[score]}"
        )
