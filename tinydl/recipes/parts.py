"""From a recipe to arrays: loaded, split as the recipe says, scaled, shaped for its model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import prod

import numpy as np

from .. import data
from ..data.roads import SHARPEST
from ..errors import ConfigError
from ..random import Generator
from .recipe import GIVEN, LAST, STRATIFIED, Recipe

Part = tuple[np.ndarray, np.ndarray]  # x (N, ...) float, y (N,) int64 or (N, ...) float
SYNTHETIC_SAMPLES, SYNTHETIC_SEED = 2_000, 0
SHAPES = ((1_500, 1), (300, 2))  # pictures and seed of the training and the test part
ROADS, FACES, PATCHES = 3_000, 4_000, (4_000, 1_000)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The arrays of a recipe: C-contiguous, ready for `Batches`."""

    train: Part
    validation: Part | None
    test: Part
    classes: tuple[str, ...]


def load_parts(recipe: Recipe, dtype: str = "float32") -> Parts:
    """Load, split, scale, shape; DataError if the data cannot be had, FormatError if damaged."""
    train, test, classes = _divided(recipe)
    validation = None
    split = recipe.split
    if split.validation:
        n, held_out = len(train[1]), split.validation
        if split.random_validation:
            kept, held = data.random_split(n, held_out / n, Generator(split.seed))
        else:
            kept, held = np.arange(n - held_out), np.arange(n - held_out, n)
        train, validation = _taken(train, kept), _taken(train, held)
    return Parts(
        _shaped(recipe, train, dtype),
        None if validation is None else _shaped(recipe, validation, dtype),
        _shaped(recipe, test, dtype),
        classes,
    )


def _divided(recipe: Recipe) -> tuple[Part, Part, tuple[str, ...]]:
    loaded, split = load_dataset(recipe.dataset), recipe.split
    if isinstance(loaded, data.Dataset):
        if split.how != GIVEN:
            raise ConfigError(f"recipe {recipe.name}: {recipe.dataset} has a test part of its own")
        train, test = (loaded.x_train, loaded.y_train), (loaded.x_test, loaded.y_test)
        return train, test, loaded.classes
    if split.how == STRATIFIED:
        kept, held = data.stratified_split(loaded.y, split.test, Generator(split.seed))
    elif split.how == LAST:
        n, count = len(loaded.y), int(split.test)
        kept, held = np.arange(n - count), np.arange(n - count, n)
    else:
        raise ConfigError(f"recipe {recipe.name}: {recipe.dataset} has no test part of its own")
    both = (loaded.x, loaded.y)
    classes = loaded.classes if isinstance(loaded, data.Samples) else ()
    return _taken(both, kept), _taken(both, held), classes


@cache
def load_dataset(name: str) -> data.Dataset | data.Samples | data.Regression:
    """The data set of that name as stored; kept for the next training of this process."""
    if name == "synthetic_digits":
        return data.synthetic_digits(SYNTHETIC_SAMPLES, Generator(SYNTHETIC_SEED))
    if name == "digits":
        return data.digits()
    if name == "mnist":
        return data.mnist()
    if name == "fashion_mnist":
        return data.fashion_mnist()
    if name == "iris":
        return data.iris()
    if name == "roads":
        made = data.roads(ROADS, Generator(SYNTHETIC_SEED))
        return replace(made, y=made.y / SHARPEST)  # -1 to 1
    if name == "drawn_faces":
        return data.drawn_faces(FACES, Generator(SYNTHETIC_SEED))
    if name == "face_patches":
        return data.face_patches(data.orl_faces(), *PATCHES, Generator(SYNTHETIC_SEED))
    if name == "xor_points":
        return data.xor_points()
    if name == "cifar10_subset":
        return data.cifar10("subset")
    if name in LOADERS:
        return LOADERS[name]()
    raise ConfigError(f"recipes: unknown data set {name!r}")


def shapes_with_classes() -> data.Dataset:
    """Made-up pictures of squares, disks and triangles; y: the class of every pixel, 0 is none."""
    train, test = (data.shapes(n, Generator(seed)) for n, seed in SHAPES)
    classes = ("background", *train.classes)
    return data.Dataset("shapes", train.x, train.semantic, test.x, test.semantic, classes)


def shapes_with_boxes() -> data.Dataset:
    """The same pictures; y: rows of boxes."""
    train, test = (data.shapes(n, Generator(seed)) for n, seed in SHAPES)
    rows = [data.pad_rows(scenes.boxes, scenes.labels) for scenes in (train, test)]
    return data.Dataset("shapes_boxes", train.x, rows[0], test.x, rows[1], train.classes)


def shapes_with_masks() -> data.Dataset:
    """The same pictures; y: planes of masks."""
    train, test = (data.shapes(n, Generator(seed)) for n, seed in SHAPES)
    planes = [data.pad_planes(scenes.masks, scenes.labels) for scenes in (train, test)]
    return data.Dataset("shapes_masks", train.x, planes[0], test.x, planes[1], train.classes)


def bccd_half_size() -> data.Dataset:
    """Blood cells at 240x320; y: rows of boxes. Trained on train, then val; the last 87 are val."""
    cells = data.bccd()
    train, val, test = (data.half_size_rows(cells.part(p)) for p in ("train", "val", "test"))
    most = max(rows.shape[1] for _, rows in (train, val))
    rows = [
        np.pad(r, ((0, 0), (0, most - r.shape[1]), (0, 0)), constant_values=-1)
        for _, r in (train, val)
    ]
    x_train = np.concatenate([train[0], val[0]])
    return data.Dataset("bccd", x_train, np.concatenate(rows), *test, cells.classes)


LOADERS = {
    "shapes": shapes_with_classes,
    "shapes_boxes": shapes_with_boxes,
    "shapes_masks": shapes_with_masks,
    "bccd_half": bccd_half_size,
}


def _taken(part: Part, indices: np.ndarray) -> Part:
    return data.take(part[0], indices), part[1][indices]


def _shaped(recipe: Recipe, part: Part, dtype: str) -> Part:
    x, y = part
    shape = recipe.picture_shape or recipe.input_shape
    if prod(x.shape[1:]) != prod(shape):
        raise ConfigError(
            f"recipe {recipe.name}: samples {x.shape[1:]} do not fit the input {shape}"
        )
    x = x.astype(dtype).reshape(len(x), *shape)
    y = y.astype(dtype) if y.dtype.kind == "f" else y
    return np.ascontiguousarray(x / x.dtype.type(recipe.scale)), np.ascontiguousarray(y)
