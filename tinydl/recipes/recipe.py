"""What a recipe is: an experiment of a book as data. Nothing is trained here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..data.batches import Transform
from ..errors import ConfigError
from ..nn import Module, cross_entropy
from ..optim import Optimizer
from ..optim.schedules import Cosine, Schedule, WarmUp
from ..tensor import Tensor
from ..train.metrics import Metric, accuracy

GIVEN, STRATIFIED, LAST = "given", "stratified", "last"
ACCURACY, MEAN_IOU, MAP, MASK_MAP = "accuracy", "mean_iou", "map", "mask_map"


def warmed_cosine(lr: float, steps: int) -> Schedule:
    """A line up to lr over the first tenth of the updates, then half a cosine down to 0."""
    first = max(1, steps // 10)
    return WarmUp(first, Cosine(lr, max(1, steps - first)))


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


@dataclass(frozen=True, slots=True)
class Target:
    """What the test score (a fraction) must reach: `at_least`, or `near` a value to `within`."""

    at_least: float | None = None
    near: float | None = None
    within: float = 0.003

    def met(self, accuracy: float) -> bool:
        if self.at_least is not None:
            return accuracy >= self.at_least
        return self.near is None or abs(accuracy - self.near) <= self.within

    def __str__(self) -> str:
        if self.at_least is not None:
            return f">= {100 * self.at_least:.1f} %"
        return f"{100 * (self.near or 0):.2f} +- {100 * self.within:.1f} %"


@dataclass(frozen=True, slots=True)
class Variant:
    """Changed fields of a recipe; architecture and optimizer settings are merged in."""

    name: str
    changes: Mapping[str, Any]
    reported: Mapping[str, float] = field(default_factory=dict)
    parameters: int | None = None  # None: as the recipe
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """One experiment.

    name, title: what it is called, and one sentence. book, chapter: where it comes from. dataset,
    input_shape, scale: data set, shape of one sample as the model takes it, what pixels are divided
    by. picture_shape: that of the data's pictures, where the model is shown parts of them (R-CNN);
    (): the same. transform: augmentation of the training batches. model(**architecture): the
    module, with `parameters` trained numbers. loss(logits, labels). score: "accuracy" (by `metric`,
    a fraction per sample), for segmentation "mean_iou", for detection "map", with masks "mask_map";
    where accuracies are meant here, it is this score.
    optimizer(parameters, **optimizer_settings). schedule(lr, updates of the whole training): the
    rate before every update; None: constant. reported: the book's accuracies by part ("train",
    "val", "test") as fractions; checked: those of an independent NumPy re-run; "train" is always
    the running mean of the last epoch, as Keras prints it. target: what the mean test accuracy over
    `seeds` training seeds must be. time_budget: seconds that one training may take on two CPU
    cores. errors: what the book has wrong. companion: name of a variant that is trained and
    reported along with the recipe.
    """

    name: str
    title: str
    book: str
    chapter: str
    dataset: str
    model: type[Module]
    architecture: Mapping[str, Any]
    input_shape: tuple[int, ...]
    parameters: int
    optimizer: type[Optimizer]
    batch_size: int
    epochs: int
    time_budget: float
    optimizer_settings: Mapping[str, Any] = field(default_factory=dict)
    picture_shape: tuple[int, ...] = ()
    scale: float = 255.0
    split: Split = Split()
    shuffle: bool = True
    drop_last: bool = False
    transform: Transform | None = None
    schedule: Callable[[float, int], Schedule] | None = None
    loss: Callable[[Any, Tensor], Tensor] = cross_entropy
    score: str = ACCURACY
    metric: Metric = accuracy
    reported: Mapping[str, float] = field(default_factory=dict)
    checked: Mapping[str, float] = field(default_factory=dict)
    target: Target | None = None
    seeds: int = 1
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    companion: str = ""

    def variant(self, name: str) -> Recipe:
        """The recipe of that variant, called "<recipe>/<variant>"; ConfigError if there is none."""
        for v in self.variants:
            if v.name == name:
                break
        else:
            known = ", ".join(v.name for v in self.variants) or "none"
            raise ConfigError(f"recipe {self.name}: no variant {name!r}, there are {known}")
        merged = ("architecture", "optimizer_settings")
        changes: dict[str, Any] = {
            key: {**getattr(self, key), **value} if key in merged else value
            for key, value in v.changes.items()
        }
        changes = {"checked": {}, "target": None, "seeds": 1, **changes}
        if v.parameters is not None:
            changes["parameters"] = v.parameters
        changes |= {"reported": v.reported, "notes": self.notes + v.notes}
        changes |= {"name": f"{self.name}/{name}", "variants": (), "companion": ""}
        return replace(self, **changes)

    def changed(
        self, epochs: int | None = None, batch_size: int | None = None, lr: float | None = None
    ) -> Recipe:
        """The recipe with these settings, where not None; ConfigError for impossible ones."""
        for name, value in (("epochs", epochs), ("batch size", batch_size), ("lr", lr)):
            if value is not None and value <= 0:
                raise ConfigError(f"recipe {self.name}: {name} must be above 0, got {value!r}")
        settings = dict(self.optimizer_settings) | ({} if lr is None else {"lr": lr})
        return replace(
            self,
            epochs=self.epochs if epochs is None else epochs,
            batch_size=self.batch_size if batch_size is None else batch_size,
            optimizer_settings=settings,
        )
