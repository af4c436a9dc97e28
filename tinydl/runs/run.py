"""Training a recipe, in memory or into a run folder (folder.py); opening run folders again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isqrt, prod
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from .. import random
from .._version import __version__
from ..backend import get, use_backend
from ..baselines import Found, beaten, beside, name_of
from ..data import prepare_colour_image, prepare_image
from ..errors import ConfigError, DeviceError, FormatError
from ..experiment.card import Recipe
from ..experiment.program import Settings, Training
from ..files import FolderLock
from ..nn import Module
from ..own.bind import Bound, rebound
from ..own.foretell import fitted_picture
from ..programs.scores import ACCURACY, check_kind
from ..quoting import quoted, shown
from ..train import (
    Checkpoint,
    History,
    WriteHistory,
    load_checkpoint,
    predict,
    read_tensors,
    save_checkpoint,
    save_weights,
)
from ..train.checkpoint import load_tensors, restore_saved
from .folder import (
    CHECKPOINT,
    CONFIG,
    FORMAT,
    HISTORY,
    MODEL_FILE,
    RESULT,
    check_same,
    has,
    hold,
    read_config,
    read_result,
    write_config,
    write_result,
)
from .folder import claim as claim
from .outputs import numbers_of_classes
from .outside import file_of, recipe_of
from .weights import weights_of, widened

DEFAULTS = Settings()


def begin(recipe: Recipe, settings: Settings = DEFAULTS, data: Any = None) -> Training:
    """A training in its first epoch; data: what the recipe's program loads, or None to load it."""
    given = loaded(recipe, settings) if data is None and isinstance(recipe, Bound) else data
    return recipe.program.begin(recipe, settings, given)


def loaded(recipe: Recipe, settings: Settings) -> Any:
    """What a recipe's program begins with: its data set, or the data that it is bound to."""
    if isinstance(recipe, Bound):
        return recipe.load(settings)
    return recipe.program.load(recipe, settings)


def config_of(training: Training) -> dict[str, Any]:
    """What config.json says: enough to build the model again and to know how it was made."""
    recipe, settings = training.recipe, training.settings
    return {
        "format": FORMAT,
        "tinydl": __version__,
        "recipe": recipe.name,
        **({} if (file := file_of(recipe)) is None else {"recipe_file": file.stored()}),
        **({} if getattr(recipe, "own", None) is None else {"own": recipe.own.stored()}),
        "seed": settings.seed,
        "backend": settings.backend,
        "dtype": settings.dtype,
        "parameters": training.model.count_parameters(),
        "dataset": recipe.dataset,
        "epochs": recipe.epochs,
        **training.config(),
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one training gave. test: every measure on the test part. numbers: the score by part
    ("train", "val", "test"), as books report it. split: which samples were tested on. baselines:
    what stands beside `test`, where it was asked for."""

    recipe: Recipe
    settings: Settings
    history: History
    test: dict[str, float]
    numbers: dict[str, float]
    split: str
    seconds: float  # of wall time, loading included
    cpu_seconds: float = 0.0  # of all threads of the process
    baselines: Found = field(default_factory=dict)

    def beaten(self) -> dict[str, bool]:
        """{baseline: whether the model's score on the test part is better}."""
        program = self.recipe.program
        return beaten(program, self.test[program.score], self.baselines)

    def metrics(self) -> dict[str, float]:
        """All final numbers in one flat object."""
        last = {k: v for k, v in self.history.last.items() if k not in ("epoch", "seconds")}
        return {**last, **{f"test_{k}": v for k, v in self.test.items()}}


def _outcome(training: Training, history: History, start: float, busy: float) -> Outcome:
    test = training.measure("test")
    numbers = training.numbers(history, test)
    seconds, cpu_seconds = perf_counter() - start, process_time() - busy
    return Outcome(
        training.recipe,
        training.settings,
        history,
        test,
        numbers,
        training.split(),
        seconds,
        cpu_seconds,
    )


def train(
    recipe: Recipe,
    settings: Settings = DEFAULTS,
    data: Any = None,
    progress: bool | None = False,
) -> Outcome:
    """Train in memory and test; nothing is written, and no baseline is computed."""
    start, busy = perf_counter(), process_time()
    training = begin(recipe, settings, data)
    history = training.fit(progress=progress)
    return _outcome(training, history, start, busy)


def train_into(
    folder: Path | FolderLock, training: Training, progress: bool | None = None
) -> Outcome:
    """Train into a folder of `claim`, or go on in the folder that the training was `resumed` from.

    folder: held already, or a path that is held as long as this takes (ConfigError where another
    process holds it). Whenever the process is stopped, the folder can be resumed.
    """
    start, busy = perf_counter(), process_time()
    with hold(folder) if isinstance(folder, Path) else nullcontext(folder) as lock:
        path, state, config = lock.folder, training.state, config_of(training)
        training.housed(path)
        write_config(path, config)
        if state.epoch == 0:
            save_checkpoint(path / CHECKPOINT, state, config)
        kept = kept_beside(path, training)
        if state.epoch < training.recipe.epochs:  # what is there is no longer the end
            for name in (MODEL_FILE, RESULT):
                (path / name).unlink(missing_ok=True)
        callbacks = (Checkpoint(path / CHECKPOINT, config=config), WriteHistory(path / HISTORY))
        history = training.fit((*callbacks, *training.watchers(path)), progress)
        history.to_csv(path / HISTORY)
        outcome = _outcome(training, history, start, busy)
        outcome = replace(outcome, baselines=beside(training) if kept is None else kept)
        write_result(path, result_of(outcome))
        save_weights(training.model, path / MODEL_FILE)  # last: where it is, nothing is missing
    return outcome


def result_of(outcome: Outcome) -> dict[str, Any]:
    """What result.json says: every measure on the test part, and what stands beside it."""
    return {
        "recipe": outcome.recipe.name,
        "seed": outcome.settings.seed,
        "epochs": len(outcome.history),
        "split": outcome.split,
        "score": outcome.recipe.program.score,
        "test": outcome.test,
        "baselines": outcome.baselines,
        "beaten": outcome.beaten(),
    }


def kept_beside(folder: Path, training: Training) -> Found | None:
    """The baselines on the test part that the folder's result.json has from this run: they depend
    on data and seed alone. None where it is missing, was changed, or is of other baselines."""
    kept, recipe = read_result(folder), training.recipe
    if kept is None:
        return None
    made_by = (kept["recipe"], kept["seed"], set(kept["baselines"]))
    if made_by != (recipe.name, training.settings.seed, set(map(name_of, recipe.baselines))):
        return None
    return {
        name: {k: math.nan if v is None else float(v) for k, v in found.items()}
        for name, found in kept["baselines"].items()
    }


def resumed(
    folder: Path,
    epochs: int | None = None,
    recipe_file: str | Path | None = None,
    on: str | None = None,
) -> Training:
    """The training of a run folder, put back to its last checkpoint, or to its beginning where it
    was stopped before the first; `epochs`: a new total; on: where its own data lie now.
    FormatError, ConfigError."""
    run = OpenRun(folder, recipe_file, on)
    config, path = run.config, folder / CHECKPOINT
    tensors, saved = load_checkpoint(path, run.most) if has(folder, CHECKPOINT) else ({}, None)
    if saved is not None:
        check_same(config, saved, path)
    elif (config.get("own") or {}).get("source") is not None:
        raise ConfigError(
            f"train: {folder} was stopped before it kept the weights that it began with; begin it "
            "again with --from and --force"
        )
    training = run.training(tensors, epochs=epochs)
    if saved is not None:
        restore_saved(tensors, saved, training.state, path)
    return training


LEAST_SIDE = 8  # pixels; smaller inputs are measurements
SPARE = 1_000_000  # numbers that a network may draw beyond four times those of its weights


class OpenRun:
    """A run folder read back: `config`, `recipe` (with the run's own settings), `model()`.

    FormatError if the folder is no run folder, or its files are damaged; every file is checked
    before anything is made of it.
    """

    def __init__(
        self,
        folder: str | Path,
        recipe_file: str | Path | None = None,
        on: str | None = None,
    ) -> None:
        """recipe_file: the file of a recipe that is none of tinydl's own. on: where the data of a
        run on other data lie now; None: where they lay."""
        self.folder, self.recipe_file, self.on = Path(folder), recipe_file, on
        self.config = read_config(self.folder)
        self.kept: Module | None = None
        if on is not None and "own" not in self.config:
            raise ConfigError(f"run: {self.folder} is a run of a recipe's own data; leave --on out")

    @cached_property
    def recipe(self) -> Recipe:
        config, path = self.config, self.folder / CONFIG
        found = recipe_of(config, self.recipe_file, path)
        if "own" in config:
            try:
                found = rebound(found, config["own"], f"run: {path}", self.on)
            except ConfigError as error:
                raise FormatError(f"run: {path} does not fit: {error}") from None
        kind = config.get("program", "supervised")
        if (found.program.kind, found.dataset) != (kind, config["dataset"]):
            raise FormatError(
                f"run: {path} does not fit: {found.name} is {found.program.kind}, "
                f"{found.dataset} here, not {quoted(kind)}, {quoted(config['dataset'])}"
            )
        try:
            program = found.program.restored(config.get("settings", config))
        except (FormatError, ConfigError) as error:
            raise FormatError(f"run: {path} does not fit: {error}") from None
        return replace(found, program=program, epochs=config["epochs"])

    def settings(self, backend: str | None = None) -> Settings:
        """Seed, backend (or another one) and dtype of the run."""
        config = self.config
        return Settings(
            config["seed"], config["backend"] if backend is None else backend, config["dtype"]
        )

    def training(
        self,
        tensors: Mapping[str, np.ndarray],
        backend: str | None = None,
        epochs: int | None = None,
    ) -> Training:
        """The run's training with its data, at its beginning."""
        recipe, settings = self.recipe.changed(epochs=epochs), self.settings(backend)
        get(settings.backend)  # before the data, which may take long
        data = loaded(recipe, settings)
        training: Training = self.built(lambda: begin(recipe, settings, data), tensors)
        self.check_classes(training)
        training.housed(self.folder)
        return training

    def trained(self, backend: str | None = None) -> Training:
        """The run's training with its data and its trained model."""
        tensors, path = self._tensors()
        training = self.training(tensors, backend)
        load_tensors(training.model, tensors, path)
        return training

    def measured(self, part: str, backend: str | None = None) -> tuple[Training, dict[str, float]]:
        """`trained`, and every measure on a part of its data."""
        training = self.trained(backend)
        return training, training.measure(part)

    def measured_on(
        self, path: str, backend: str | None = None
    ) -> tuple[Training, dict[str, float], tuple[str, ...]]:
        """The run's trained model on all that lies at another path, every measure, and what is
        wrong there; ConfigError for a run of a recipe's own data, or for classes that it does not
        know."""
        recipe, settings = self.recipe, self.settings(backend)
        if not isinstance(recipe, Bound):
            raise ConfigError(
                f"evaluate: --on is for runs on data of your own; {self.folder} is one of "
                f"{recipe.name} on {recipe.dataset}"
            )
        tensors, weights = self._tensors()
        data, told = recipe.elsewhere(path, settings)
        training: Training = self.built(lambda: begin(recipe, settings, data), tensors)
        load_tensors(training.model, tensors, weights)
        return training, training.measure("test"), told

    def beside(self, training: Training, part: str) -> Found:
        """What stands beside a part's measures: on the test part of a run that has ended as it was
        computed then."""
        ended = part == "test" and not self.unfinished
        kept = kept_beside(self.folder, training) if ended else None
        return beside(training, part) if kept is None else kept

    @property
    def unfinished(self) -> bool:
        """The run was stopped before its end: there is only its last checkpoint."""
        return not has(self.folder, MODEL_FILE) and has(self.folder, CHECKPOINT)

    @property
    def most(self) -> int:
        """Bytes that a file of its tensors may have: weights, and an optimizer's state of them."""
        return 64 * (self.config["parameters"] + SPARE)

    def built(self, make: Callable[[], Any], tensors: Mapping[str, np.ndarray]) -> Any:
        """make(), within the size that config.json and the stored tensors (none: a new run) speak
        of. The settings are a file's: whatever they raise in a constructor is a FormatError."""
        counts = [self.config["parameters"]]
        counts += [sum(a.size for a in tensors.values())] if tensors else []
        try:
            with random.drawing_at_most(4 * min(counts) + SPARE):
                return make()
        except DeviceError:
            raise
        except Exception as error:
            told = shown(error, 200)
            raise FormatError(f"run: {self.folder / CONFIG} does not fit: {told}") from None

    def _tensors(self) -> tuple[dict[str, np.ndarray], Path]:
        """The trained weights, or those of an unfinished run's last checkpoint, and their file."""
        name = CHECKPOINT if self.unfinished else MODEL_FILE
        path = self.folder / name
        if not has(self.folder, name):
            raise FormatError(
                f"run: cannot read {path}: the run was stopped before its first checkpoint; "
                f"`tinydl train --resume {self.folder}` begins it"
            )
        if name == CHECKPOINT:
            return weights_of(load_checkpoint(path, self.most)[0]), path
        return widened(read_tensors(path, self.most)[0], self.config["dtype"]), path

    def keep(self, backend: str | None = None) -> Module:
        """`model(backend)` in evaluation mode, which is `model` from now on: nothing is read again,
        however many questions follow."""
        self.kept = self.model(backend).eval()
        return self.kept

    def model(self, backend: str | None = None) -> Module:
        """The trained model; of an unfinished run, the model of its last checkpoint."""
        if self.kept is not None:
            return self.kept
        tensors, path = self._tensors()
        program = self.recipe.program
        with use_backend(get(self.settings(backend).backend).name):
            model: Module = self.built(program.build, tensors)
            model = model.astype(self.config["dtype"])
        load_tensors(model, tensors, path)
        return model

    def check_classes(self, training: Training) -> None:
        """FormatError unless the run was trained on the classes that the data have."""
        if training.config().get("classes") != self.config.get("classes"):
            raise FormatError(
                f"run: {self.folder / CONFIG} does not fit: its classes are not those of "
                f"{self.recipe.dataset}"
            )

    def probabilities(
        self, images: Sequence[np.ndarray], backend: str | None = None, op: str = "predict"
    ) -> np.ndarray:
        """P(class | image), float64 (N, classes), for uint8 images of any size; ConfigError, with
        `op` in front, for a run that does not classify pictures; AnomalyError where the network's
        outputs are no numbers."""
        self.check_classifies(op)
        x = self.prepared(images, op)
        return self.shares(predict(self.model(backend), x), op)

    def check_classifies(self, op: str) -> None:
        """ConfigError unless the run tells classes apart."""
        check_kind(op, self.recipe, ACCURACY)
        if not self.config["classes"]:
            raise ConfigError(f"{op}: {self.recipe.name} estimates numbers, it has no classes")

    def shares(self, outputs: np.ndarray, op: str) -> np.ndarray:
        """The probabilities (N, classes) that the network's outputs stand for, float64."""
        logits = numbers_of_classes(outputs, self.config["classes"], self.folder, op)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def prepared(self, images: Sequence[np.ndarray], op: str) -> np.ndarray:
        """The pictures in the size and type of the network."""
        return np.stack([self.of_pixels(self.fitted(image, op)) for image in images])

    def fitted(self, image: np.ndarray, op: str) -> np.ndarray:
        """A uint8 picture in the network's size: (H, W) or (H, W, 3) of 0 ... 1; ConfigError where
        it takes none."""
        recipe = self.recipe
        if isinstance(recipe, Bound):
            return fitted_picture(recipe, image, op)
        shape = recipe.program.input_shape
        if len(shape) == 3 and shape[-1] == 3:
            return prepare_colour_image(image, *shape[:2])
        side = shape[0] if len(shape) > 1 else isqrt(prod(shape))
        if side < LEAST_SIDE or side * side != prod(shape):
            raise ConfigError(f"{op}: {recipe.name} takes inputs of shape {shape}, no pictures")
        return prepare_image(image, side, side)

    def of_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Such a picture as one sample of the network's input."""
        return pixels.astype(self.config["dtype"]).reshape(self.recipe.program.input_shape)
