"""What a recipe's model is judged by: accuracy, or one number over the whole part."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from ..data import Batches, rows_of_planes, unpad_rows
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..metrics import Found, Truth, mean_average_precision, mean_iou
from ..models import RCNN
from ..models.detection.boxes import check_boxes
from ..models.detection.selective_search import selective_search
from ..nn import Module
from ..random import Generator
from ..train import evaluate, predict
from ..train.metrics import Metric

Part = tuple[np.ndarray, np.ndarray]
LOOK = 16  # pictures at a time
ACCURACY, MEAN_IOU, MAP, MASK_MAP = "accuracy", "mean_iou", "map", "mask_map"
R2 = "r2"


class Judged(Protocol):
    """What is read of a supervised program here."""

    @property
    def score(self) -> str: ...
    @property
    def metric(self) -> Metric: ...
    @property
    def loss(self) -> Any: ...
    @property
    def transform(self) -> Any: ...
    @property
    def unit(self) -> float: ...


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


def proposed(image: np.ndarray) -> np.ndarray:
    """`searched` of a picture."""
    return searched(image.tobytes(), image.shape, image.dtype.str)


def settled(model: Any, part: Part) -> None:
    """What a model fits to its training part once it is trained: the machines of R-CNN."""
    if hasattr(model, "settle"):
        model.settle(part[0], [unpad_rows(row) for row in part[1]], proposed)


class CutRegions:
    """A transform for `Batches` of (pictures, rows of boxes), for R-CNN: crops of `count` proposals
    of each picture at most, and what they are, (R, 5): 0 or 1 + class, and four offsets."""

    def __init__(self, model: RCNN, first: Any = None, count: int = 16) -> None:
        self.model, self.first, self.count = model, first, count

    def __call__(self, batch: tuple[np.ndarray, ...], rng: Any) -> tuple[np.ndarray, ...]:
        x, rows = batch if self.first is None else self.first(batch, rng)
        columns = []
        for image, row in zip(x, rows, strict=True):
            found = self.model.sample(image, proposed(image), *unpad_rows(row), self.count, rng)
            columns.append(found)
        crops, labels, offsets = (np.concatenate(c) for c in zip(*columns, strict=True))
        return crops, np.concatenate([labels[:, None], offsets], axis=1).astype(x.dtype)


def metrics_of(program: Judged) -> dict[str, Metric]:
    """What is counted beside the loss while batches go by."""
    return {ACCURACY: program.metric} if program.score == ACCURACY else {}


def batch_transform(program: Judged, model: Module) -> Any:
    """What happens to a training batch: the recipe's augmentation, then a detector's encoding."""
    return encoding(program, model, program.transform)


def encoding(program: Judged, model: Module, first: Any = None) -> Any:
    """What makes of pictures and boxes what the detector learns from; other recipes: `first`."""
    if isinstance(model, RCNN):
        return CutRegions(model, first)
    return EncodeTargets(model, first) if program.score == MAP else first


def looked_at(program: Judged, model: Module, part: Part) -> Batches:
    """Batches of a part for its loss: nothing shuffled, dropped or augmented."""
    if program.score in (ACCURACY, R2):
        return Batches(part, 256, shuffle=False)
    # The same regions at every look: only R-CNN asks the generator.
    return Batches(part, LOOK, shuffle=False, rng=Generator(0), transform=encoding(program, model))


def judge(program: Judged, model: Module, part: Part, classes: Sequence[str]) -> dict[str, float]:
    """{"loss", the score} over a part: "accuracy"; "r2", "rmse" and "mae" of numbers; "mean_iou" of
    all its pixels; "map", the mean average precision at IoU 0.5 by the rule of VOC 2007, of all
    classes and of each; "mask_map", the same with the IoU of masks, beside "map"."""
    found = evaluate(model, looked_at(program, model, part), program.loss, metrics_of(program))
    if program.score == R2:
        found |= of_numbers(predict(model, part[0]), part[1], program.unit)
    elif program.score == MEAN_IOU:
        logits = predict(model, part[0], LOOK)
        found[MEAN_IOU] = mean_iou(part[1], logits.argmax(axis=-1), logits.shape[-1])
    elif program.score in (MAP, MASK_MAP):
        guesses, truths = found_in(model, part[0]), truths_of(program, part[1])
        for name in (MASK_MAP, MAP) if program.score == MASK_MAP else (MAP,):
            score = mean_average_precision(guesses, truths, len(classes), masks=name == MASK_MAP)
            found[name] = score.value
            each = zip(classes, score.per_class.tolist(), strict=True)
            found |= {f"{name}_{thing}": value for thing, value in each}
    return found


def of_numbers(guess: np.ndarray, truth: np.ndarray, unit: float) -> dict[str, float]:
    """{"r2", "rmse", "mae"} of numbers of one shape: 1 - (sum of squared errors) / (sum of squared
    distances from the truth's mean), NaN where that does not vary; the root of the mean squared and
    the mean absolute error, in the target's own units, of which 1 is `unit`."""
    error, truth = guess.astype(np.float64) - truth, truth.astype(np.float64)
    around = float(((truth - truth.mean()) ** 2).sum())
    squares = float((error**2).sum())
    return {
        "r2": 1 - squares / around if around > 0 else float("nan"),
        "rmse": unit * float(np.sqrt(squares / error.size)),
        "mae": unit * float(np.abs(error).mean()),
    }


def truths_of(program: Judged, targets: np.ndarray) -> list[Truth]:
    """What is on the pictures of a part: of rows of boxes, or of planes of masks."""
    if program.score == MAP:
        return [Truth(*unpad_rows(row)) for row in targets]
    truths = []
    for planes, rows in zip(targets, rows_of_planes(targets), strict=True):
        boxes, labels = unpad_rows(rows)
        truths.append(Truth(boxes, labels, masks=planes[rows[:, 4] >= 0] > 0))
    return truths


def check_part(
    program: Judged, dataset: str, name: str, part: Part, classes: Sequence[str]
) -> None:
    """ConfigError for a set of boxes of which one has no area, leaves its picture or has a class
    that there is not: told before anything is trained, with the picture."""
    if program.score != MAP:
        return
    for k, row in enumerate(part[1]):
        boxes, labels = unpad_rows(row)
        where = f"{dataset}, {name} picture {k}"
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
    R2: "a network that foretells numbers",
    MEAN_IOU: "a segmentation network",
    MAP: "a detector",
    MASK_MAP: "a detector",
}


def check_kind(op: str, recipe: Recipe, score: str) -> None:
    """ConfigError unless the recipe's model is of the kind that the command needs."""
    kind = KINDS.get(recipe.program.score) if recipe.program.kind == "supervised" else None
    if kind != KINDS[score]:
        raise ConfigError(
            f"{op}: this is a run of {recipe.name}, which is {kind or recipe.program.what}; "
            f"`tinydl {op}` needs {KINDS[score]}"
        )
