"""Augmentation of pictures together with their boxes and masks.

Each augmentation is a small object called as step(sample, rng) -> sample; the sample is not
changed. Boxes are x_min, y_min, x_max, y_max at the edges of pixels: (0, 0, W, H) is the whole
picture, and a box around pixel columns 3 and 4 goes from 3 to 5. Colours are in colour.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import cos, inf, radians, sin
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import array, between
from ...doors import checked, checked_fields, first_annotation
from ...errors import ConfigError, ShapeError
from ...quoting import quoted

if TYPE_CHECKING:
    from ...random import Generator


@checked_fields
@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture and what is known of it.

    image (H, W) or (H, W, C), uint8 or float. boxes (K, 4) float32 or None. labels (K,), one per
    box, or None. masks: (H, W) of classes, or (K, H, W) bool with one mask per box, or None.
    ShapeError if they do not fit together.
    """

    image: np.ndarray
    boxes: np.ndarray | None = None
    labels: np.ndarray | None = None
    masks: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.image.ndim not in (2, 3):
            raise ShapeError(f"Sample: image must be (H, W) or (H, W, C), got {self.image.shape}")
        if self.boxes is not None and (self.boxes.ndim != 2 or self.boxes.shape[1] != 4):
            raise ShapeError(f"Sample: boxes must be (K, 4), got {self.boxes.shape}")
        if self.masks is not None and self.masks.shape[-2:] != self.image.shape[:2]:
            raise ShapeError(
                f"Sample: masks {self.masks.shape} do not fit the image {self.image.shape}"
            )
        of_things = self.masks is not None and self.masks.ndim == 3
        per_box = {"labels": self.labels, "masks": self.masks if of_things else None}
        for name, own in per_box.items():
            if own is not None and self.boxes is not None and len(own) != len(self.boxes):
                raise ShapeError(f"Sample: {len(own)} {name} for {len(self.boxes)} boxes")


Step = Callable[[Sample, "Generator"], Sample]


def stepped(op: str, step: Step, sample: Sample, rng: Generator) -> Sample:
    """step(sample, rng); ConfigError where that is no Sample."""
    found = step(sample, rng)
    if isinstance(found, Sample):
        return found
    raise ConfigError(f"{op}: a step must give a Sample, {quoted(step)} gave {quoted(found)}")


def stacked(op: str, samples: Sequence[Sample]) -> np.ndarray:
    """The pictures of the samples as one array; ShapeError for different sizes, or none."""
    shapes = {sample.image.shape for sample in samples}
    if len(shapes) != 1:
        raise ShapeError(f"{op}: needs pictures of one size, got {sorted(shapes)}")
    return np.stack([sample.image for sample in samples])


def check_step(op: str, step: Any) -> None:
    """ConfigError for what is no function, and for what changes whole batches."""
    if not callable(step) or isinstance(step, type):
        made = f": write {step.__name__}(...)" if isinstance(step, type) else ""
        raise ConfigError(
            f"{op}: a step must be a function of (sample, rng), got {quoted(step)}{made}"
        )
    if first_annotation(step) in BATCHES:
        raise ConfigError(
            f"{op}: {type(step).__name__} changes whole batches, a step one picture; give it to "
            "Batches(transform=...)"
        )


#: How what changes whole batches annotates them.
BATCHES = ("Batch", "tuple[np.ndarray, ...]")


class Compose:
    """The steps one after the other: `Compose(Flip(), Crop(8, 8))`, or one list of them.

    Raises ConfigError for what is no step.
    """

    def __init__(self, *steps: Step | Sequence[Step]) -> None:
        given: Any = steps
        if len(steps) == 1 and isinstance(steps[0], list | tuple):
            given = tuple(steps[0])
        for step in given:
            check_step("Compose", step)
        self.steps: tuple[Step, ...] = given

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        for step in self.steps:
            sample = stepped("Compose", step, sample, rng)
        return sample


class Each:
    """A transform for `Batches`: applies `step` to every picture of the first array, (N, H, W) or
    (N, H, W, C); the other arrays stay. A step that changes the size must give all the same one."""

    def __init__(self, step: Step) -> None:
        check_step("Each", step)
        self.step = step

    @checked
    def __call__(self, batch: tuple[np.ndarray, ...], rng: Generator) -> tuple[np.ndarray, ...]:
        if not batch or batch[0].ndim < 3:
            raise ShapeError("Each: the first array must be pictures (N, H, W) or (N, H, W, C)")
        found = [stepped("Each", self.step, Sample(image), rng) for image in batch[0]]
        return (stacked("Each", found), *batch[1:])


@checked_fields
@dataclass(frozen=True, slots=True)
class Flip:
    """Mirrors left and right (`horizontal`) or top and bottom, with the given probability."""

    probability: float = 0.5
    horizontal: bool = True

    def __post_init__(self) -> None:
        _check_probability("Flip", self.probability)

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        if not chance(self.probability, rng):
            return sample
        axis = 1 if self.horizontal else 0
        size = sample.image.shape[axis]
        boxes = sample.boxes
        if boxes is not None:
            low, high = (0, 2) if self.horizontal else (1, 3)
            mirrored = boxes.copy()
            mirrored[:, [low, high]] = size - boxes[:, [high, low]]
            boxes = mirrored
        masks = None if sample.masks is None else np.flip(sample.masks, axis - 2).copy()
        return replace(sample, image=np.flip(sample.image, axis).copy(), boxes=boxes, masks=masks)


def check_extent(step: str, **amounts: float) -> None:
    """ConfigError unless every amount is a finite number >= 0."""
    for name, value in amounts.items():
        if not isinstance(value, int | float) or not 0 <= value < inf:
            raise ConfigError(f"{step}: {name} must be a finite number >= 0, got {value!r}")


@checked_fields
@dataclass(frozen=True, slots=True)
class Pad:
    """`pixels` more on all four sides.

    mode: "constant" fills with `value`, masks with 0; "reflect" and "edge" repeat the picture and
    the masks, but what a mirror shows gets no box of its own.
    """

    pixels: int
    mode: str = "constant"
    value: float = 0

    def __post_init__(self) -> None:
        whole = isinstance(self.pixels, int)
        if not whole or self.pixels < 0 or self.mode not in ("constant", "reflect", "edge"):
            raise ConfigError(
                f"Pad: needs pixels >= 0 and mode constant, reflect or edge, got {self.pixels}, "
                f"{self.mode!r}"
            )

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        border = [(self.pixels, self.pixels)] * 2
        options: dict[str, Any] = {"mode": self.mode}
        if self.mode == "constant":
            options["constant_values"] = self.value
        image = np.pad(sample.image, border + [(0, 0)] * (sample.image.ndim - 2), **options)
        masks = sample.masks
        if masks is not None:
            options = {"mode": self.mode}
            masks = np.pad(masks, [(0, 0)] * (masks.ndim - 2) + border, **options)
        boxes = None if sample.boxes is None else sample.boxes + np.float32(self.pixels)
        return replace(sample, image=image, boxes=boxes, masks=masks)


@checked_fields
@dataclass(frozen=True, slots=True)
class Crop:
    """A height x width part at a random place, or in the middle if `centre`.

    Boxes are cut at its edges; one of which no more than the fraction `min_area` is left goes, with
    its label and mask. ShapeError for a picture smaller than the part.
    """

    height: int
    width: int
    centre: bool = False
    min_area: float = 0.0

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        rows = sample.image.shape[0] - self.height
        columns = sample.image.shape[1] - self.width
        if min(rows, columns) < 0 or min(self.height, self.width) < 1:
            raise ShapeError(
                f"Crop: a part of {self.height} x {self.width} of an image {sample.image.shape}"
            )
        if self.centre:
            top, left = rows // 2, columns // 2
        else:
            top, left = (int(rng.integers(0, n + 1, 1)[0]) for n in (rows, columns))
        inside = (slice(top, top + self.height), slice(left, left + self.width))
        masks = None if sample.masks is None else sample.masks[(..., *inside)].copy()
        cut = Sample(sample.image[inside].copy(), None, None, masks)
        if sample.boxes is None:
            return replace(cut, labels=sample.labels)
        boxes = sample.boxes - np.array([left, top, left, top], np.float32)
        return with_boxes(cut, boxes, sample.labels, self.min_area)


@checked_fields
@dataclass(frozen=True, slots=True)
class Rotate:
    """Turns about the middle by an angle uniform on [-degrees, degrees], counter-clockwise.

    For `fill`, `value`, `min_area` and what happens to boxes, see `transformed`.
    """

    degrees: float
    fill: str = "constant"
    value: float = 0
    min_area: float = 0.0

    def __post_init__(self) -> None:
        check_extent("Rotate", degrees=self.degrees)
        between("Rotate", "degrees", self.degrees, 0, 1e6)

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        angle = radians(uniform(-self.degrees, self.degrees, rng))
        # y points down: counter-clockwise for the eye.
        turn = np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])
        return transformed(sample, turn, (0, 0), self.fill, self.value, self.min_area)


@checked_fields
@dataclass(frozen=True, slots=True)
class Shift:
    """Moves by whole pixels, up to the fractions `vertical` of the height and `horizontal` of the
    width; the rest as in `Rotate`."""

    vertical: float
    horizontal: float
    fill: str = "constant"
    value: float = 0
    min_area: float = 0.0

    def __post_init__(self) -> None:
        check_extent("Shift", vertical=self.vertical, horizontal=self.horizontal)

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        fractions = (self.horizontal, self.vertical)
        largest = [
            int(min(f * n, 1 << 31))
            for f, n in zip(fractions, sample.image.shape[1::-1], strict=True)
        ]
        x, y = (int(rng.integers(-n, n + 1, 1)[0]) for n in largest)
        return transformed(sample, np.eye(2), (x, y), self.fill, self.value, self.min_area)


@checked_fields
@dataclass(frozen=True, slots=True)
class Zoom:
    """Magnifies about the middle by a factor uniform on [low, high]; the rest as in `Rotate`.

    A factor far below 1 skips pixels, it does not average them.
    """

    low: float
    high: float
    fill: str = "constant"
    value: float = 0
    min_area: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high:
            raise ConfigError(f"Zoom: needs 0 < low <= high, got {self.low} and {self.high}")

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        factor = uniform(self.low, self.high, rng)
        return transformed(sample, factor * np.eye(2), (0, 0), self.fill, self.value, self.min_area)


@checked
def transformed(
    sample: Sample,
    matrix: np.ndarray,
    move: tuple[float, float] = (0, 0),
    fill: str = "constant",
    value: float = 0,
    min_area: float = 0.0,
) -> Sample:
    """The sample under p -> matrix (p - c) + c + move; p = (x, y) in pixels, c the middle.

    The image is interpolated bilinearly, masks take the nearest pixel. fill: beyond the image lies
    `value` (masks: 0) for "constant", its nearest pixel for "nearest". A box becomes the upright
    box around its four moved corners, cut at the edges, so a turned box is larger than its thing
    (`boxes_of_masks` gives tight ones); one of which no more than the fraction `min_area` is left
    goes, with its label and mask.
    """
    if fill not in ("constant", "nearest"):
        raise ConfigError(f"augment: fill must be 'constant' or 'nearest', got {fill!r}")
    shift = array("augment", "move", move)
    if matrix.shape != (2, 2) or shift.shape != (2,) or not np.linalg.det(matrix) != 0:
        raise ShapeError(
            f"augment: needs an invertible matrix (2, 2) and move (2,), got {quoted(matrix)} and "
            f"{quoted(move)}"
        )
    height, width = sample.image.shape[:2]
    centre = np.array([width / 2, height / 2])
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    inverse = np.linalg.inv(matrix)
    there = np.stack([x, y], axis=-1) - centre - shift
    # Rounded, so that a quarter turn or a whole pixel is exact.
    source = np.round(there @ inverse.T + centre, 9)
    image = _bilinear(sample.image, source[..., 0], source[..., 1], fill, value)
    masks = None
    if sample.masks is not None:
        masks = _nearest(sample.masks, source[..., 0], source[..., 1], fill)
    result = Sample(image, None, None, masks)
    if sample.boxes is None:
        return replace(result, labels=sample.labels)
    corners = sample.boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    corners = np.round((corners - centre) @ matrix.T + centre + shift, 6)
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)
    return with_boxes(result, boxes, sample.labels, min_area)


def with_boxes(
    sample: Sample, boxes: np.ndarray, labels: np.ndarray | None, min_area: float
) -> Sample:
    """The sample with these boxes cut at its edges; those that keep no more than the fraction
    `min_area` of their area go, with their labels and masks."""
    height, width = sample.image.shape[:2]
    cut = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    kept = (cut[:, 2] > cut[:, 0]) & (cut[:, 3] > cut[:, 1])
    kept &= _area(cut) > min_area * _area(boxes)
    masks = sample.masks
    if masks is not None and masks.ndim == 3:
        masks = masks[kept]
    labels = None if labels is None else labels[kept]
    return Sample(sample.image, cut[kept], labels, masks)


def chance(probability: float, rng: Generator) -> bool:
    """True with this probability; one draw, whatever it is."""
    return bool(rng.uniform(1, dtype=np.float64)[0] < probability)


def uniform(low: float, high: float, rng: Generator) -> float:
    """A number uniform on [low, high)."""
    return float(rng.uniform(1, low=low, high=high, dtype=np.float64)[0])


def restored(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Computed pixels in the dtype of the image they came from; uint8 is rounded and clipped."""
    if like.dtype == np.uint8:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return values.astype(like.dtype)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _bilinear(
    image: np.ndarray, x: np.ndarray, y: np.ndarray, fill: str, value: float
) -> np.ndarray:
    """The image at the points (x, y) (H, W), each a weighted mean of the four nearest pixels."""
    height, width = image.shape[:2]
    x, y = x - 0.5, y - 0.5  # pixel k has its centre at k + 1/2
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    result = np.zeros((*x.shape, *image.shape[2:]))
    for down in (0, 1):
        for right in (0, 1):
            column, row = left + right, top + down
            weight = (1 - abs(x - column)) * (1 - abs(y - row))
            pixels = image[row.clip(0, height - 1), column.clip(0, width - 1)].astype(np.float64)
            if fill == "constant":
                outside = (column < 0) | (column >= width) | (row < 0) | (row >= height)
                pixels[outside] = value
            result += weight.reshape(weight.shape + (1,) * (image.ndim - 2)) * pixels
    return restored(result, image)


def _nearest(masks: np.ndarray, x: np.ndarray, y: np.ndarray, fill: str) -> np.ndarray:
    height, width = masks.shape[-2:]
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    result = masks[..., row.clip(0, height - 1), column.clip(0, width - 1)]
    if fill == "constant":
        result[..., (column < 0) | (column >= width) | (row < 0) | (row >= height)] = 0
    return result


def _check_probability(op: str, probability: float) -> None:
    if not 0 <= probability <= 1:
        raise ConfigError(f"{op}: probability must be in [0, 1], got {probability}")
