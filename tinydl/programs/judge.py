"""Generated pictures judged by numbers: a classifier of real ones looks at them, beside real ones.

`Judge` is the classifier, a recipe of its own; `Beside` holds real pictures as it sees them, and
says of generated ones how far they are from those, whether they are what was asked for, and whether
they differ among themselves.
"""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .. import random
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..experiment.program import Settings
from ..metrics import frechet_distance, pair_distance
from ..nn import Module, looking
from ..random import Generator, drawing_at_most
from ..tensor import Tensor
from ..train import load_weights, save_weights
from .parts import Part

AT_ONCE = 500  # pictures in one call of the network
COMPONENTS = 30  # of the Gaussian that is a class
FILE = "judge.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Pictures (N, H, W, C) in [0, 1] and what was seen in them: features (N, D), and classes (N,),
    or None for eyes that name nothing."""

    pictures: np.ndarray
    features: np.ndarray
    classes: np.ndarray | None = None

    @property
    def rows(self) -> np.ndarray:
        return self.pictures.reshape(len(self.pictures), -1)


class Eyes(Protocol):
    """What looks at pictures."""

    def see(self, pictures: np.ndarray) -> Seen: ...


class Judge:
    """The classifier of a supervised recipe whose model has `features(x)`, rows, and `classes` of
    them.

    It is trained when first asked, with seed 0, whatever the seed of the run that it judges, and
    kept: in `file`, where one is named, and as long as this object lives. The run's own random
    numbers are not touched.
    """

    def __init__(self, recipe: Recipe, settings: Settings) -> None:
        self.recipe = recipe
        self.settings = Settings(0, settings.backend, "float32")
        self.file: Path | None = None

    def live_in(self, folder: Path) -> None:
        """Keep it in a run's folder, or use the one that stands beside the folder (`shared`)."""
        shared = self.shared(folder.parent)
        self.file = shared if shared.is_file() else folder / FILE

    def shared(self, folder: Path) -> Path:
        """Where the runs of a folder share it: the shelf has one for all that it judges."""
        return folder / f"{self.recipe.name}.safetensors"

    @cached_property
    def network(self) -> Any:
        return copy_context().run(self._trained)  # seeds of its own: a context of its own

    def _trained(self) -> Module:
        random.seed(0)
        if self.file is not None and self.file.exists():
            network = self.recipe.program.build().to(self.settings.backend)
            load_weights(network, self.file)
            return network
        training = self.recipe.program.begin(self.recipe, self.settings)
        training.fit()
        if self.file is not None:
            save_weights(training.model, self.file)
        return training.model

    def see(self, pictures: np.ndarray) -> Seen:
        """ConfigError for pictures of another shape than those that it learnt."""
        shape = self.recipe.program.input_shape
        if pictures.shape[1:] != shape:
            raise ConfigError(
                f"{self.recipe.name}: judges pictures of {shape}, got {pictures.shape[1:]}"
            )
        features, logits = [], []
        with looking(self.network):
            for n in range(0, len(pictures), AT_ONCE):
                x = Tensor(
                    pictures[n : n + AT_ONCE].astype(np.float32), backend=self.network.backend
                )
                h = self.network.features(x)
                features.append(h.numpy())
                logits.append(self.network.classes(h).numpy())
        named = np.concatenate(logits).argmax(axis=1)
        return Seen(pictures, np.concatenate(features).astype(np.float64), named)


class Beside:
    """Real pictures in two halves: samples are compared with the first, and so is the second, which
    is the floor. The ceiling is what noise, every pixel even on [0, 1), is away."""

    def __init__(self, eyes: Eyes, real: Part) -> None:
        pictures, self.labels = real[0], real[1][::2]
        self.eyes, self.other_labels = eyes, real[1][1::2]
        self.first, self.second = eyes.see(pictures[::2]), eyes.see(pictures[1::2])
        shape = self.first.pictures.shape
        with drawing_at_most(self.first.pictures.size):  # be the model that is judged small
            noise = Generator(0).uniform(shape).astype(pictures.dtype)
        self.noise = eyes.see(noise)
        self.floor = frechet_distance(self.second.features, self.first.features)
        self.ceiling = frechet_distance(self.noise.features, self.first.features)
        self.variety = pair_distance(self.first.rows, self.labels)

    def __len__(self) -> int:
        """How many samples are best compared: as many as there are in one half."""
        return len(self.first.pictures)

    def ends(self, asked: bool) -> dict[str, float]:
        """The ends of the scales: what real pictures of the second half are away ("floor_frechet",
        where classes are asked for also "floor_class_frechet"), and noise ("ceiling_frechet")."""
        found = {"floor_frechet": self.floor, "ceiling_frechet": self.ceiling}
        if asked:
            found["floor_class_frechet"] = self._by_class(self.second, self.other_labels)
        return found

    def scores(self, pictures: np.ndarray, asked: np.ndarray | None = None) -> dict[str, float]:
        """Of pictures (N, H, W, C) in [0, 1], and the classes (N,) they were asked for, if any:

        - frechet: `frechet_distance` of features; way: (frechet - floor) / (ceiling - floor)
        - least_share: of the class that is named least often
        - variety: `pair_distance` of pixels, as a share of that of real pictures; of the classes
          asked for, else of those named
        - agreement: how often the class named is the one asked for; class_frechet: the mean over
          the classes of `frechet_distance` to real ones of that class
        """
        return self.of(self.eyes.see(pictures), asked)

    def of(self, seen: Seen, asked: np.ndarray | None) -> dict[str, float]:
        """The same of what has been seen already."""
        frechet = frechet_distance(seen.features, self.first.features)
        found = {"frechet": frechet, "way": (frechet - self.floor) / (self.ceiling - self.floor)}
        if seen.classes is None:
            return found
        counts = np.bincount(seen.classes, minlength=self.labels.max() + 1)
        found["least_share"] = float(counts.min() / len(seen.classes))
        groups = seen.classes if asked is None else asked
        found["variety"] = pair_distance(seen.rows, groups) / self.variety
        if asked is not None:
            found["agreement"] = float((seen.classes == asked).mean())
            found["class_frechet"] = self._by_class(seen, asked)
        return found

    def _by_class(self, seen: Seen, asked: np.ndarray) -> float:
        classes = [c for c in np.unique(self.labels) if (asked == c).sum() > 1]
        return float(np.mean([
            frechet_distance(seen.features[asked == c], self.first.features[self.labels == c])
            for c in classes
        ]))  # fmt: skip


def class_gaussians(x: np.ndarray, y: np.ndarray, wanted: np.ndarray, rng: Generator) -> np.ndarray:
    """Pictures of the classes `wanted` (N,): each drawn from a Gaussian on the first COMPONENTS
    principal components of the pictures x of its class, clipped to [0, 1]."""
    drawn = np.empty((len(wanted), *x.shape[1:]), x.dtype)
    for c in np.unique(wanted):
        rows = x[y == c].reshape((y == c).sum(), -1).astype(np.float64)
        mean = rows.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov((rows - mean).T))
        spread = np.sqrt(np.maximum(values[-COMPONENTS:], 0))  # eigh: the largest come last
        places = wanted == c
        noise = rng.normal((int(places.sum()), len(spread)), dtype=np.float64)
        made = mean + (noise * spread) @ vectors[:, -COMPONENTS:].T
        drawn[places] = np.clip(made, 0, 1).reshape(-1, *x.shape[1:])
    return drawn


def slant_and_width(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the ink of each picture (N, H, W, 1): by how many columns its middle moves from row to row
    (N,), and the standard deviation of its columns about that line (N,)."""
    ink = pictures[..., 0].astype(np.float64) + 1e-9  # an empty picture stands upright
    ink /= ink.sum(axis=(1, 2), keepdims=True)
    row, column = (np.arange(n, dtype=np.float64) for n in ink.shape[1:])
    y = row - (ink.sum(axis=2) @ row)[:, None]
    x = column - (ink.sum(axis=1) @ column)[:, None]
    down, across = (ink.sum(axis=2) * y**2).sum(axis=1), (ink.sum(axis=1) * x**2).sum(axis=1)
    both = np.einsum("nhw,nh,nw->n", ink, y, x)
    slant = both / down
    return slant, np.sqrt(np.maximum(across - slant * both, 0))


def correlation_within(a: np.ndarray, b: np.ndarray, groups: np.ndarray) -> float:
    """The correlation of a and b (N,) when each group's own means are taken off."""
    left, right = a.astype(np.float64), b.astype(np.float64)
    for group in np.unique(groups):
        places = groups == group
        left[places] -= left[places].mean()
        right[places] -= right[places].mean()
    size = np.sqrt((left @ left) * (right @ right))
    return float(left @ right / size) if size > 0 else 0.0
