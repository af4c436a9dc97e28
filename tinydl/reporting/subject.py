"""What a report is about: a run, its model, and its data where they are here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt, prod
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..errors import ConfigError, TinydlError
from ..experiment.datasets import load_dataset
from ..experiment.program import Training
from ..nn import Module
from ..ops import transpose
from ..programs.parts import Parts
from ..programs.scores import ACCURACY
from ..quoting import shown
from ..runs.imported import CLASSES, FIRST, FLAT, ImportedRun, opened
from ..runs.run import OpenRun
from ..tensor import Tensor
from ..train import predict

MOST = 10_000  # samples of the test part that are looked at
AT_ONCE = 50_000_000  # numbers of pictures that are decoded for the page
LEAST_SIDE = 8  # pixels; smaller inputs are measurements


@dataclass(slots=True)
class Subject:
    """named: as it was asked for. training: with its data and the trained model; None where the
    data cannot be had, and `missing` says why. dataset: the name of the data."""

    named: str
    run: OpenRun | ImportedRun
    model: Module
    training: Training | None = None
    missing: str = ""
    dataset: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def config(self) -> dict[str, Any]:
        return self.run.config


def subject_of(
    named: str, recipe_file: str | None = None, backend: str | None = None, dataset: str = ""
) -> Subject:
    """A run folder, an entry of the shelf or an imported net, opened. dataset: of an imported one,
    which has no data of its own; ConfigError for a run that has."""
    run = opened(named, recipe_file)
    if isinstance(run, ImportedRun):
        return Subject(named, run, run.model(backend), dataset=dataset)
    if dataset:
        raise ConfigError("report: --dataset is for imported nets; this run has data of its own")
    found = Subject(named, run, run.model(backend), dataset=run.config["dataset"])
    try:
        found.training = run.trained(backend)
        found.model = found.training.model
    except TinydlError as error:  # the page says so, and holds what needs no data
        own = getattr(run.recipe, "own", None)  # data of a person, whose place is nobody's matter
        told = str(error) if own is None else str(error).replace(own.path, own.name)
        found.missing = private(told)
    return found


def private(text: str) -> str:
    """The text without where on this machine things lie: a report is sent to others."""
    places = {Path.cwd(): ".", Path.home(): "~"}
    for folder, name in ((data.data_folder, "the data folder"), (data.cache_folder, "the cache")):
        try:
            if (path := folder()) is not None:
                places |= {path: name, path.resolve(): name}
        except TinydlError:  # none is set
            continue
    for place in sorted(places, key=lambda p: -len(str(p))):
        if len(place.parts) > 1:
            text = text.replace(str(place), places[place])
    return text


@dataclass(slots=True)
class Classified:
    """Samples of known class and what is said of them: y (N,), p (N, C) shares of the classes.

    pictures (N, H, W, C) as `pictured` takes them, None where the samples are none; texts: where
    they are texts. shares: whether p may be read as probabilities.
    """

    y: np.ndarray
    p: np.ndarray
    classes: Sequence[str]
    pictures: np.ndarray | None = None
    pictured: Module | None = None
    texts: Sequence[str] = ()
    shares: bool = True

    @property
    def guess(self) -> np.ndarray:
        return self.p.argmax(axis=1)


def classified(subject: Subject) -> Classified | None:
    """What a classifier says about its test part; None for what is no classifier."""
    if isinstance(subject.run, ImportedRun):
        return _imported(subject, subject.run) if subject.dataset else None
    training: Any = subject.training
    parts = getattr(training, "parts", None)
    if training is None or not isinstance(parts, Parts) or len(parts.classes) < 2:
        return None
    x, y = first_of(parts.test, MOST)
    if hasattr(training, "text") and y.shape[1:] == (1,):  # a text and one logit
        logit = predict(subject.model, x)[:, 0].astype(np.float64)
        p = 1 / (1 + np.exp(-np.stack([-logit, logit], axis=1)))
        return Classified(
            y[:, 0].astype(np.int64), p, parts.classes, texts=training.text.texts["test"][:MOST]
        )
    scored = training.recipe.program.score == ACCURACY or hasattr(training, "said")
    if not scored or y.ndim != 1 or y.dtype.kind not in "iu":
        return None
    own = hasattr(subject.model, "loss") and not hasattr(training, "said")
    if hasattr(training, "said"):
        p = training.said(x)[0].mean(axis=0)
    else:
        outputs = predict(subject.model, x)
        if outputs.shape != (len(y), len(parts.classes)):
            return None
        p = _shares(outputs)
    shape, pictures = x.shape[1:], _as_pictures(x)
    model = None if pictures is None else Pictured(subject.model, shape)
    return Classified(y.astype(np.int64), p, parts.classes, pictures, model, shares=not own)


def first_of(part: Any, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The first samples of a part; of pictures that stay in their files not more than fit."""
    x, y = part
    if not isinstance(x, np.ndarray):
        most = min(most, max(1, AT_ONCE // prod(x.shape[1:])))
    return np.asarray(x[:most]), y[:most]


def _shares(outputs: np.ndarray) -> np.ndarray:
    powers = np.exp(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _as_pictures(x: np.ndarray) -> np.ndarray | None:
    """(N, H, W, C) of samples that are pictures, in whatever shape their model takes them."""
    if x.dtype.kind != "f":
        return None
    if x.ndim == 2:
        for channels in (1, 3):
            side = isqrt(x.shape[1] // channels)
            if channels * side * side == x.shape[1]:
                return _as_pictures(x.reshape(len(x), side, side, channels))
    if x.ndim == 3 and x.shape[1] == x.shape[2]:
        x = x[..., None]
    fits = x.ndim == 4 and x.shape[3] in (1, 3) and min(x.shape[1:3]) >= LEAST_SIDE
    return x if fits else None


class Pictured(Module):
    """A model that is given pictures (N, H, W, C) and takes them in another shape: `shape` of one
    sample; first: channels first. place: which of several outputs counts."""

    def __init__(
        self, model: Module, shape: Sequence[int], first: bool = False, place: int = 0
    ) -> None:
        self.model, self.shape, self.first, self.place = model, tuple(shape), first, place

    def forward(self, x: Tensor) -> Tensor:
        if self.first:
            x = transpose(x, (0, 3, 1, 2))
        found: Any = self.model(x.reshape(x.shape[0], *self.shape))
        return found[self.place] if isinstance(found, tuple) else found


def _imported(subject: Subject, run: ImportedRun) -> Classified:
    """The same of an imported net, on the test part of a data set."""
    run.must_give("report", CLASSES)
    loaded = load_dataset(subject.dataset)
    x, y = (getattr(loaded, f"{v}_test", getattr(loaded, v, None)) for v in "xy")
    if x is None or y is None or np.ndim(y) != 1 or np.asarray(y).dtype.kind not in "iu":
        raise ConfigError(f"report: {shown(subject.dataset)} has no labelled pictures")
    x, y, classes = np.asarray(x)[:MOST], np.asarray(y)[:MOST], run.config["classes"]
    if y.max(initial=0) >= len(classes):
        raise ConfigError(
            f"report: {shown(subject.dataset)} has {y.max() + 1} classes, not {len(classes)}"
        )
    p = run.probabilities_of(x, None, "report")
    made = np.stack(run.samples_of(x))
    picture: Any = run.config["picture"]
    first = picture["layout"] == FIRST
    shape = made.shape[1:]
    if first:
        made = made.transpose(0, 2, 3, 1)
    if picture["layout"] == FLAT:
        sides = (isqrt(shape[0] // picture["depth"]), -1, picture["depth"])
        made = made.reshape(len(made), *sides)
    place = run.config["answer"]["outputs"][0]
    model = Pictured(subject.model, shape, first, place)
    return Classified(y.astype(np.int64), p, classes, np.ascontiguousarray(made), model)
