"""What a recipe is: an experiment of a book as data, with the program that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..errors import ConfigError
from .program import Program


@dataclass(frozen=True, slots=True)
class Target:
    """What a measure must reach: `at_least`, `at_most`, or `near` a value to `within`. share: it is
    a fraction of 1, spoken of in percent."""

    at_least: float | None = None
    near: float | None = None
    within: float = 0.003
    at_most: float | None = None
    share: bool = True

    def met(self, value: float) -> bool:
        if self.at_least is not None:
            return value >= self.at_least
        if self.at_most is not None:
            return value <= self.at_most
        return self.near is None or abs(value - self.near) <= self.within

    def __str__(self) -> str:
        def said(value: float, digits: int = 1) -> str:
            return f"{100 * value:.{digits}f}" if self.share else f"{value:g}"

        unit = " %" if self.share else ""
        if self.at_least is not None:
            return f">= {said(self.at_least)}{unit}"
        if self.at_most is not None:
            return f"<= {said(self.at_most)}{unit}"
        return f"{said(self.near or 0, 2)} +- {said(self.within)}{unit}"


QUICK = "A form of less than a minute that must beat a baseline, and shows no more."
#: (training, part) -> {measure: value}: see tinydl/baselines/.
Baseline = Callable[[Any, str], dict[str, float]]
#: The variant that every recipe has: its form of less than a minute.
FAST, MINUTE = "fast", 60


@dataclass(frozen=True, slots=True)
class Variant:
    """Changed fields of a recipe or of its program; settings that are mappings are merged in."""

    name: str
    changes: Mapping[str, Any]
    reported: Mapping[str, float] = field(default_factory=dict)
    parameters: int | None = None  # None: as the recipe
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """One experiment: what it is (this card) and how it is done (its program).

    name, title: what it is called, and one sentence. book, chapter: where it comes from. dataset:
    the name in `experiment.datasets`. parameters: how many numbers are trained. program: how it is
    trained and measured (tinydl/programs/). epochs: how many; what an epoch is, the program says.
    reported: the book's numbers by part ("train", "val", "test"), fractions for shares; checked:
    those of an independent NumPy re-run; "train" is always the running mean of the last epoch, as
    Keras prints it. targets: by name of the measure, what its mean over `seeds` training seeds must
    be on the test part. time_budget: seconds that one training may take on two CPU cores. errors:
    what the book has wrong. companion: name of a variant that is trained and reported along.

    baselines: what every figure stands beside, the simplest first (tinydl/baselines/); not_beaten:
    those of them that the model does not beat: the card says so, and a test holds it to the figure
    that is kept. fast: what differs in the form that takes less than a minute and must beat the
    first of the others, as in Variant.changes; {}: nothing, it takes no longer as it is. samples:
    (of the training, of the validation and test parts) the first so many alone are used; (): all.
    division: how data that are none of a recipe's were divided; "": as the program says.
    """

    name: str
    title: str
    book: str
    chapter: str
    dataset: str
    parameters: int
    program: Program
    epochs: int
    time_budget: float
    reported: Mapping[str, float] = field(default_factory=dict)
    checked: Mapping[str, float] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    seeds: int = 1
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    companion: str = ""
    baselines: tuple[Baseline, ...] = ()
    not_beaten: tuple[Baseline, ...] = ()
    fast: Mapping[str, Any] = field(default_factory=dict)
    samples: tuple[int, ...] = ()
    division: str = ""

    @property
    def target(self) -> Target | None:
        """The target of the program's score, if there is one."""
        return self.targets.get(self.program.score)

    @property
    def is_fast(self) -> bool:
        """Whether it is the form that takes less than a minute."""
        return self.name.endswith(f"/{FAST}")

    def replaced(self, **changes: Any) -> Recipe:
        """The recipe with other fields, its own or its program's."""
        own = {f.name for f in fields(self)}
        card = {k: v for k, v in changes.items() if k in own}
        rest = {k: v for k, v in changes.items() if k not in own}
        program = card.pop("program", self.program)
        return replace(self, **card, program=program.replaced(**rest) if rest else program)

    def variant(self, name: str) -> Recipe:
        """The recipe of that variant, called "<recipe>/<variant>"; ConfigError if there is none.
        "fast" is the form that takes less than a minute; "VARIANT/fast" is that of a variant."""
        name, _, further = name.partition("/")
        quick = Variant(FAST, {"time_budget": MINUTE, **self.fast}, notes=(QUICK,))
        for v in (*self.variants, quick):
            if v.name == name:
                break
        else:
            known = ", ".join(v.name for v in (*self.variants, quick))
            raise ConfigError(f"recipe {self.name}: no variant {name!r}, there are {known}")
        changes: dict[str, Any] = {"checked": {}, "targets": {}, "seeds": 1}
        for key, value in v.changes.items():
            had = getattr(self.program, key, None)
            merges = key not in ("checked", "targets") and isinstance(had, Mapping)
            changes[key] = {**had, **value} if merges else value  # type: ignore[dict-item]
        if v.parameters is not None:
            changes["parameters"] = v.parameters
        changes |= {"reported": v.reported, "notes": self.notes + v.notes}
        changes |= {"name": f"{self.name}/{name}", "variants": (), "companion": ""}
        found = self.replaced(**changes)
        return found.variant(further) if further else found

    def changed(
        self, epochs: int | None = None, batch_size: int | None = None, lr: float | None = None
    ) -> Recipe:
        """The recipe with these settings, where not None; ConfigError for impossible ones."""
        for name, value in (("epochs", epochs), ("batch size", batch_size), ("lr", lr)):
            if value is not None and not value > 0:
                raise ConfigError(f"recipe {self.name}: {name} must be above 0, got {value!r}")
        program = self.program.changed(self.name, batch_size, lr)
        return replace(self, epochs=self.epochs if epochs is None else epochs, program=program)
