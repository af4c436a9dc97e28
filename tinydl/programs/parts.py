"""From a recipe to arrays: loaded, split as its program says, scaled, shaped for its model."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .. import data
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import Card
from ..random import Generator

Part = tuple[np.ndarray, np.ndarray]  # x (N, ...) float, y (N,) int64 or (N, ...) float
GIVEN, STRATIFIED, LAST = "given", "stratified", "last"


@dataclass(frozen=True, slots=True)
class Split:
    """Which samples train, validate and test; str() is printed with every result.

    how: "given" (the data set's own test part), "stratified" (a random `test` share of every class)
    or "last" (the last `test` samples). validation: how many training samples are held out, the
    last ones or, with `random_validation`, a random choice. seed: of the random choices; no
    training seed changes them.
    """

    how: str = GIVEN
    test: float = 0
    validation: int = 0
    random_validation: bool = False
    seed: int = 0

    def __str__(self) -> str:
        if self.how == STRATIFIED:
            shares = f"{100 * (1 - self.test):.0f}/{100 * self.test:.0f}"
            text = f"stratified random {shares} split, split seed {self.seed}"
        elif self.how == LAST:
            text = f"the last {int(self.test)} samples are the test part"
        else:
            text = "the data set's own test part"
        if self.validation:
            which = f"random (split seed {self.seed})" if self.random_validation else "last"
            text += f"; the {which} {self.validation:,} training samples validate"
        return text


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The arrays of a recipe: C-contiguous, ready for `Batches`."""

    train: Part
    validation: Part | None
    test: Part
    classes: tuple[str, ...]


def split_of(recipe: Card) -> str:
    """How the recipe divides its data, and how much of it is used."""
    split = recipe.division or str(recipe.program.split)
    if not recipe.samples:
        return split
    trained, tested = recipe.samples
    return f"{split}; of each part only the first, {trained:,} to train and {tested:,} to test"


def load_parts(recipe: Card, dtype: str = "float32") -> Parts:
    """Load, split, scale, shape; DataError if the data cannot be had, FormatError if damaged."""
    program: Any = recipe.program
    train, test, classes = _divided(recipe, program)
    validation = None
    split = program.split
    if split.validation:
        n, held_out = len(train[1]), split.validation
        if split.random_validation:
            kept, held = data.random_split(n, held_out / n, Generator(split.seed))
        else:
            kept, held = np.arange(n - held_out), np.arange(n - held_out, n)
        train, validation = _taken(train, kept), _taken(train, held)
    if recipe.samples:
        train, test = (_first(p, n) for p, n in zip((train, test), recipe.samples, strict=True))
        validation = None if validation is None else _first(validation, recipe.samples[1])
    return Parts(
        _shaped(program, recipe.name, train, dtype),
        None if validation is None else _shaped(program, recipe.name, validation, dtype),
        _shaped(program, recipe.name, test, dtype),
        classes,
    )


def _divided(recipe: Card, program: Any) -> tuple[Part, Part, tuple[str, ...]]:
    loaded, split = load_dataset(recipe.dataset), program.split
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


def _first(part: Part, count: int) -> Part:
    return part[0][:count], part[1][:count]


def _taken(part: Part, indices: np.ndarray) -> Part:
    return data.take(part[0], indices), part[1][indices]


def _shaped(program: Any, name: str, part: Part, dtype: str) -> Part:
    x, y = part
    shape = program.picture_shape or program.input_shape
    if prod(x.shape[1:]) != prod(shape):
        raise ConfigError(f"recipe {name}: samples {x.shape[1:]} do not fit the input {shape}")
    y = np.ascontiguousarray(y.astype(dtype) if y.dtype.kind == "f" else y)
    if x.dtype.kind == "i" and program.scale is None:  # words: no number is larger than another
        return np.ascontiguousarray(x.reshape(len(x), *shape)), y
    x = x.astype(dtype).reshape(len(x), *shape)
    return np.ascontiguousarray(x / x.dtype.type(program.scale or 1)), y
