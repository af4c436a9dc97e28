"""Training a recipe, in memory or into a run folder; opening run folders again.

A run folder holds config.json (written first), checkpoint.safetensors (before the first and after
every epoch, everything needed to go on), history.csv, model.safetensors (when the training is
done), curves.png (drawn by the command).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isqrt, prod
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from .. import random
from .._version import __version__
from ..backend import get, use_backend
from ..data import Batches, prepare_colour_image, prepare_image
from ..errors import ConfigError, FormatError
from ..nn import Module
from ..optim import Optimizer
from ..train import (
    Checkpoint,
    History,
    LearningRateSchedule,
    State,
    WriteHistory,
    fit,
    load_checkpoint,
    load_weights,
    predict,
    restore,
    save_checkpoint,
    save_weights,
    write_atomically,
)
from ..train.checkpoint import MODEL
from . import find
from .parts import Part, Parts, load_parts
from .recipe import ACCURACY, Recipe
from .scores import batch_transform, check_kind, check_part, judge, looked_at, metrics_of

CONFIG, MODEL_FILE, HISTORY = "config.json", "model.safetensors", "history.csv"
CHECKPOINT = "checkpoint.safetensors"
FORMAT = "tinydl-run-1"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen for one training of a recipe, apart from the recipe itself."""

    seed: int = 0
    backend: str = "cpu"
    dtype: str = "float32"


class Session:
    """A recipe made concrete: data, model, optimizer and batches, one seed for all chance."""

    def __init__(
        self, recipe: Recipe, settings: Settings = Settings(), parts: Parts | None = None
    ) -> None:
        self.recipe, self.settings = recipe, settings
        backend = get(settings.backend)  # before the data: a missing backend should be told at once
        self.parts = load_parts(recipe, settings.dtype) if parts is None else parts
        for name in ("train", "validation", "test"):
            if (part := getattr(self.parts, name)) is not None:
                check_part(recipe, name, part, self.parts.classes)
        generator = random.seed(settings.seed)
        with use_backend(backend.name):
            self.model: Module = recipe.model(**recipe.architecture).astype(settings.dtype)
        self.optimizer: Optimizer = recipe.optimizer(
            self.model.named_parameters(), **recipe.optimizer_settings
        )
        self.lr = self.optimizer.lr  # the recipe's: a schedule and a resumed state change it
        self.batches = Batches(
            self.parts.train,
            recipe.batch_size,
            shuffle=recipe.shuffle,
            rng=generator.spawn(),
            drop_last=recipe.drop_last,
            transform=batch_transform(recipe, self.model),
        )
        self.state = State(self.model, self.optimizer, self.batches, History(), 0, recipe.epochs)

    def fit(self, callbacks: Sequence[Any] = (), progress: bool | None = False) -> History:
        """Train until the recipe's epochs are done, from wherever `self.state` is."""
        validation, recipe = self.parts.validation, self.recipe
        if recipe.schedule is not None:
            schedule = recipe.schedule(self.lr, recipe.epochs * len(self.batches))
            callbacks = (LearningRateSchedule(schedule, "batch"), *callbacks)
        return fit(
            self.model,
            self.batches,
            recipe.loss,
            self.optimizer,
            recipe.epochs,
            metrics=metrics_of(recipe),
            validation=None if validation is None else looked_at(recipe, self.model, validation),
            callbacks=callbacks,
            progress=progress,
            start_epoch=self.state.epoch,
            history=self.state.history,
        )

    def evaluate(self, part: Part) -> dict[str, float]:
        """{"loss", the recipe's score} over a part of the data."""
        return judge(self.recipe, self.model, part, self.parts.classes)

    def config(self) -> dict[str, Any]:
        """What config.json says: enough to build the model again and to know how it was made."""
        recipe, settings = self.recipe, self.settings
        return {
            "format": FORMAT,
            "tinydl": __version__,
            "recipe": recipe.name,
            "seed": settings.seed,
            "backend": settings.backend,
            "dtype": settings.dtype,
            "model": recipe.model.__name__,
            "architecture": dict(recipe.architecture),
            "parameters": self.model.count_parameters(),
            "dataset": recipe.dataset,
            "split": str(recipe.split),
            "input_shape": list(recipe.input_shape),
            "classes": list(self.parts.classes),
            "optimizer": recipe.optimizer.__name__,
            "optimizer_settings": dict(recipe.optimizer_settings),
            "batch_size": recipe.batch_size,
            "epochs": recipe.epochs,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one training gave. `test` and the last row of `history` hold losses and accuracies."""

    recipe: Recipe
    settings: Settings
    history: History
    test: dict[str, float]
    seconds: float  # of wall time, loading included
    cpu_seconds: float = 0.0  # of all threads of the process

    def accuracies(self) -> dict[str, float]:
        """{"train", "val" (if any), "test"}: the quantities that the books report; of other scores
        than accuracy there is only "test"."""
        last, score = self.history.last, self.recipe.score
        named = {"train": score, "val": f"val_{score}"}
        found = {part: last[name] for part, name in named.items() if name in last}
        return {**found, "test": self.test[score]}

    def metrics(self) -> dict[str, float]:
        """All final numbers in one flat object."""
        last = {k: v for k, v in self.history.last.items() if k not in ("epoch", "seconds")}
        return {**last, **{f"test_{k}": v for k, v in self.test.items()}}


def train(
    recipe: Recipe,
    settings: Settings = Settings(),
    parts: Parts | None = None,
    progress: bool | None = False,
) -> Outcome:
    """Train in memory and test; nothing is written."""
    start, busy = perf_counter(), process_time()
    session = Session(recipe, settings, parts)
    history = session.fit(progress=progress)
    test = session.evaluate(session.parts.test)
    seconds, cpu_seconds = perf_counter() - start, process_time() - busy
    return Outcome(recipe, settings, history, test, seconds, cpu_seconds)


def train_into(folder: Path, session: Session, progress: bool | None = None) -> Outcome:
    """Train into a folder of `claim`, or go on in the folder that the session was `resumed` from.

    Whenever the process is stopped, the folder's checkpoint is complete.
    """
    start = perf_counter()
    config = session.config()
    write_atomically(folder / CONFIG, json.dumps(config, indent=2).encode() + b"\n")
    if session.state.epoch == 0:
        save_checkpoint(folder / CHECKPOINT, session.state, config)
    callbacks = (Checkpoint(folder / CHECKPOINT, config=config), WriteHistory(folder / HISTORY))
    history = session.fit(callbacks, progress)
    save_weights(session.model, folder / MODEL_FILE)
    test = session.evaluate(session.parts.test)
    return Outcome(session.recipe, session.settings, history, test, perf_counter() - start)


def claim(folder: Path | None, recipe_name: str) -> Path:
    """Make the run folder: exactly `folder`, or the next free runs/<recipe>-<number>.

    ConfigError if `folder` exists and is not empty: runs are never overwritten.
    """
    if folder is None:
        return _next_folder(Path("runs"), recipe_name.replace("/", "-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise ConfigError(f"train: cannot use {folder} as run folder ({error.strerror})") from None
    if occupied:
        raise ConfigError(
            f"train: {folder} is not empty and nothing is overwritten; name another folder, or go "
            "on with "
            f"`tinydl train --resume {folder}`"
        )
    return folder


def _next_folder(parent: Path, name: str) -> Path:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        taken = [p.name.removeprefix(f"{name}-") for p in parent.glob(f"{name}-*")]
        number = max((int(t) for t in taken if t.isdigit()), default=0) + 1
        while True:
            try:
                (parent / f"{name}-{number:03d}").mkdir()  # fails if another process was quicker
                return parent / f"{name}-{number:03d}"
            except FileExistsError:
                number += 1
    except OSError as error:
        raise ConfigError(f"train: cannot make a folder in {parent} ({error.strerror})") from None


def resumed(folder: Path, epochs: int | None = None) -> Session:
    """The session of a run folder, put back to its last checkpoint; `epochs`: a new total."""
    run = OpenRun(folder)
    recipe = run.recipe.changed(epochs=epochs)
    config = run.config
    session = Session(recipe, Settings(config["seed"], config["backend"], config["dtype"]))
    restore(folder / CHECKPOINT, session.state)
    return session


LEAST_SIDE = 8  # pixels; smaller inputs are measurements


class OpenRun:
    """A run folder read back: `config`, `recipe` (with the run's own settings), `model()`.

    FormatError if the folder is no run folder, or its files are damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / CONFIG
        try:
            self.config: dict[str, Any] = json.loads(path.read_bytes())
        except OSError as error:
            raise FormatError(
                f"run: {self.folder} is no run folder ({path}: {error.strerror})"
            ) from None
        except ValueError as error:
            raise FormatError(f"run: {path} is damaged ({error})") from None
        if not isinstance(self.config, dict) or self.config.get("format") != FORMAT:
            raise FormatError(f"run: {path} is not a tinydl run configuration ({FORMAT})")

    @cached_property
    def recipe(self) -> Recipe:
        config = self.config
        try:
            return replace(
                find(config["recipe"]),
                architecture=config["architecture"],
                input_shape=tuple(config["input_shape"]),
                optimizer_settings=config["optimizer_settings"],
                batch_size=config["batch_size"],
                epochs=config["epochs"],
            )
        except (KeyError, TypeError) as error:
            raise FormatError(f"run: {self.folder / CONFIG} lacks {error}") from None

    @property
    def unfinished(self) -> bool:
        """The run was stopped before its end: there is only its last checkpoint."""
        return not (self.folder / MODEL_FILE).exists() and (self.folder / CHECKPOINT).exists()

    def model(self, backend: str | None = None) -> Module:
        """The trained model; of an unfinished run, the model of its last checkpoint."""
        with use_backend(get(backend or self.config["backend"]).name):
            try:
                model: Module = self.recipe.model(**self.recipe.architecture)
            except TypeError as error:
                raise FormatError(f"run: {self.folder / CONFIG} does not fit ({error})") from None
            model = model.astype(self.config["dtype"])
        if self.unfinished:
            tensors, _ = load_checkpoint(self.folder / CHECKPOINT)
            model.load_state_dict(_weights_of(tensors))
        else:
            load_weights(model, self.folder / MODEL_FILE)
        return model

    def probabilities(
        self, images: Sequence[np.ndarray], backend: str | None = None, op: str = "predict"
    ) -> np.ndarray:
        """P(class | image), float64 (N, classes), for uint8 images of any size; ConfigError, with
        `op` in front, for a run that does not classify pictures."""
        check_kind(op, self.recipe, ACCURACY)
        if not self.config["classes"]:
            raise ConfigError(f"{op}: {self.recipe.name} estimates numbers, it has no classes")
        shape = self.recipe.input_shape
        if len(shape) == 3 and shape[-1] == 3:
            x = np.stack([prepare_colour_image(image, *shape[:2]) for image in images])
        else:
            side = shape[0] if len(shape) > 1 else isqrt(prod(shape))
            if side < LEAST_SIDE or side * side != prod(shape):
                raise ConfigError(
                    f"{op}: {self.recipe.name} takes inputs of shape {shape}, no pictures"
                )
            x = np.stack([prepare_image(image, side, side) for image in images])
        x = x.astype(self.config["dtype"]).reshape(len(images), *shape)
        logits = predict(self.model(backend), x).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def _weights_of(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k.removeprefix(MODEL): v for k, v in tensors.items() if k.startswith(MODEL)}
