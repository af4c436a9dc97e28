"""A recipe bound to other data, and bound again by what its run keeps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.folders.problems import UNUSABLE
from ..errors import ConfigError, DataError
from ..experiment.card import Recipe
from ..experiment.program import Settings
from ..programs.parts import Parts
from ..quoting import quoted, shown
from . import boxes, pictures, sounds, table, texts, writing
from .gathered import Gathered, Places, balanced, divided, numbered, planned, with_groups
from .kept import BOXES, PICTURES, SOUNDS, TABLE, TEXTS, WRITING, Own, restored
from .models import check_fits
from .options import BALANCED, Options
from .programs import baselines_for, program_for

#: Kind of data: how it is read and prepared.
ROOMS: dict[str, Any] = {
    PICTURES: pictures, TABLE: table, TEXTS: texts, WRITING: writing, SOUNDS: sounds, BOXES: boxes,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound(Recipe):
    """A recipe with the data that it is trained on. file: of a recipe that is none of tinydl's own
    (`runs.outside.RecipeFile`). told: what a person should know before. begun: what was read when
    it was bound, for the training that follows; None: it is read again from where it lies. start:
    the weights that a fine-tuned run begins with, by name."""

    own: Own | None = None
    file: Any = None
    told: tuple[str, ...] = ()
    begun: Gathered | None = None
    start: Any = None

    def load(self, settings: Settings) -> Any:
        """The data for `program.begin`: read again unless they were just now. DataError where
        nothing lies at the path, ConfigError where it holds other data."""
        own = kept(self)
        gathered = self.begun if self.begun is not None else _again(own)
        places = divided(gathered, own.division)
        return made(self, gathered, places, settings)

    def elsewhere(self, path: str, settings: Settings) -> tuple[Any, tuple[str, ...]]:
        """(all that lies at another path as the data of `program.begin`, both parts the same; what
        a person should know of it)."""
        own = kept(self)
        gathered = ROOMS[own.kind].elsewhere(own, path, own.options)
        if own.classes and gathered.classes != own.classes:
            named = [gathered.classes[k] for k in gathered.y.tolist()]
            gathered = replace(gathered, y=numbered(named, own.classes, path), classes=own.classes)
        everything = np.arange(len(gathered))
        data = made(self, gathered, Places(everything, None, everything), settings)
        return data, _problems(gathered)


def kept(bound: Bound) -> Own:
    """What the run keeps of its data."""
    if bound.own is None:
        raise ConfigError(f"{bound.name}: is bound to no data")
    return bound.own


def _again(own: Own) -> Gathered:
    where = f"the data of this run lay at {shown(own.path)}"
    if not os.path.exists(own.path):
        raise DataError(f"run: {where}, where nothing is now; say where they are with --on PATH")
    gathered = _gathered(own.kind, own.path, own.options, own.preparation)
    if gathered.fingerprint != own.fingerprint:
        raise ConfigError(
            f"run: {where}; what is there now are other data than it was trained on (another "
            "fingerprint). `tinydl evaluate RUN --on PATH` measures it on them"
        )
    return gathered


def _gathered(kind: str, path: str, options: Options, wanted: Mapping[str, Any]) -> Gathered:
    """What lies at a path; wanted: the size of pictures, which are brought to it at once."""
    room = ROOMS[kind]
    sized = (wanted,) if hasattr(room, "asked") else ()
    return with_groups(room.gather(path, options, *sized), options)


def made(bound: Bound, gathered: Gathered, places: Places, settings: Settings) -> Any:
    """Parts, or whatever else the program's `begin` takes."""
    own = kept(bound)
    room = ROOMS[own.kind]
    if hasattr(room, "data_of"):
        return room.data_of(bound, gathered, places, settings)
    x, y = room.inputs(gathered, own.preparation), room.targets(gathered, own.preparation)
    y = y.astype(settings.dtype) if y.dtype.kind == "f" else y
    if isinstance(x, np.ndarray):
        x = x.astype(settings.dtype, copy=False).reshape(len(x), *_stored_shape(bound))
    elif x.shape[1:] == _stored_shape(bound):
        x = x.scaled(1.0, settings.dtype)
    else:
        raise ConfigError(
            f"train: {len(x):,} pictures are too many for {bound.name}, which takes them as rows"
        )
    first = bound.samples or (len(x), len(x))

    def part(indices: np.ndarray | None, most: int) -> Any:
        return None if indices is None else (x[indices[:most]], y[indices[:most]])

    return Parts(
        part(places.train, first[0]), part(places.validation, first[1]),
        part(places.test, first[1]), own.classes,
    )  # fmt: skip


def _stored_shape(bound: Bound) -> tuple[int, ...]:
    program: Any = bound.program
    return tuple(program.picture_shape or program.input_shape)


def bind(
    recipe: Recipe,
    path: str,
    options: Options,
    kind: str,
    source: Mapping[str, Any] | None = None,
) -> Bound:
    """The recipe for what lies at the path, which is of that kind. source: what is kept of the run
    whose weights it begins with.

    ConfigError where its model cannot be built for it, with the recipes that can; for options that
    say nothing about such data; with `strict`, for any problem. DataError and FormatError for data
    that cannot be read.
    """
    room, name = ROOMS[kind], shown(Path(os.path.abspath(path)).name, 100)
    check_fits(recipe, kind, name)
    wanted = room.asked(recipe, options) if hasattr(room, "asked") else {}
    gathered = _gathered(kind, path, options, wanted)
    wrong = [problem for problem in gathered.problems if not problem.is_note]
    if options.strict and wrong:
        count = "one problem" if len(wrong) == 1 else f"{len(wrong):,} problems, the first"
        raise ConfigError(f"train: --strict: {count}: {shown(str(wrong[0]))}")
    if len(gathered.classes) == 1 and np.ndim(gathered.y) == 1:
        raise ConfigError(f"train: {name} has one class alone, {quoted(gathered.classes[0])}")
    division = room.planned() if hasattr(room, "planned") else planned(gathered, options)
    places = divided(gathered, division)
    preparation = room.learn(gathered, places.train, options, recipe)
    weights: tuple[float, ...] = ()
    if options.class_weights == BALANCED:
        if not gathered.classes or gathered.y.ndim != 1:
            raise ConfigError("train: --class-weights is for classes of samples")
        weights = balanced(gathered.y[places.train], len(gathered.classes))
    own = Own(
        kind, name, os.path.abspath(path), gathered.fingerprint, len(gathered), gathered.classes,
        division, preparation, weights, source, options,
    )  # fmt: skip
    told = (*_problems(gathered), *gathered.told)
    if hasattr(room, "remarks"):
        told = (*told, *room.remarks(gathered, preparation))
    return _bound(recipe, own, told, gathered)


MOST_TOLD = 10
#: Kinds of problems whose files are not used.
LEFT_OUT = UNUSABLE | {"link", "stray", "other"}


def _problems(gathered: Gathered) -> tuple[str, ...]:
    """What is wrong with the data, the first of them by name."""
    told = [
        f"left out: {p}" if p.kind in LEFT_OUT else str(p) for p in gathered.problems[:MOST_TOLD]
    ]
    rest = len(gathered.problems) - MOST_TOLD
    return (*told, f"and {rest:,} more; `tinydl look` names them all") if rest > 0 else tuple(told)


def _bound(
    recipe: Recipe, own: Own, told: tuple[str, ...] = (), begun: Gathered | None = None
) -> Bound:
    values = {f.name: getattr(recipe, f.name) for f in fields(Recipe)}
    values |= {
        "dataset": f"{own.name} (own data)", "program": program_for(recipe, own), "parameters": 0,
        "reported": {}, "checked": {}, "targets": {}, "errors": (), "notes": (), "variants": (),
        "companion": "", "baselines": baselines_for(recipe, own), "not_beaten": (),
        "division": own.division.told,
    }  # fmt: skip
    return Bound(**values, own=own, file=getattr(recipe, "file", None), told=told, begun=begun)


def rebound(recipe: Recipe, stored: Any, where: object, on: str | None = None) -> Bound:
    """The recipe of a run on other data, by what its config.json keeps; on: where the data lie now.
    FormatError where that does not fit."""
    own = restored(stored, where)
    return _bound(recipe, own if on is None else replace(own, path=os.path.abspath(on)))
