"""What lies at a path, read once: samples with what is known of each, before they are divided."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..data.folders.problems import Problem
from ..data.split import group_split, random_split, stratified_split
from ..errors import ConfigError
from ..quoting import quoted, shown
from ..random import Generator
from .kept import END, FOLDERS, GROUPS, RANDOM, STRATIFIED, Division
from .options import Options

TRAIN, VALIDATION, TEST = "train", "val", "test"
#: Names of folders that say which part lies in them.
PARTS = {
    "train": TRAIN, "training": TRAIN, "val": VALIDATION, "valid": VALIDATION,
    "validation": VALIDATION, "test": TEST, "testing": TEST,
}  # fmt: skip
#: The order of the samples and which are tested on: of the data, no training seed changes it.
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """N samples. x: whatever the room of the kind makes inputs of. y (N,): class numbers, or float
    targets. names: of the samples, such as files. parts: "train", "val" or "test" of each, or ();
    groups: what must stay on one side, or (). told: what a person should know of it."""

    x: Any
    y: Any
    classes: tuple[str, ...]
    names: Sequence[str]
    fingerprint: str
    parts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    told: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Which samples train, validate (None: none are held out for it) and test, in the order of
    training: drawn once, so that the first so many are of all classes."""

    train: np.ndarray
    validation: np.ndarray | None
    test: np.ndarray


def digest(files: Sequence[tuple[str, bytes]]) -> str:
    """SHA-256 of files: their names and what they hold, in the order of names."""
    found = hashlib.sha256()
    for name, content in sorted(files):
        for piece in (name.encode("utf-8", "surrogateescape"), content):
            found.update(len(piece).to_bytes(8, "little"))
            found.update(piece)
    return found.hexdigest()


def in_folders(found: Any, x: Any, fingerprint: str, **extra: Any) -> Gathered:
    """What `text_folder` and its like give; classes without a usable file are left out."""
    used = np.unique(found.y)
    classes = tuple(shown(found.classes[k], 190) for k in used.tolist())
    return Gathered(
        x, np.searchsorted(used, found.y), classes, found.files, fingerprint, parts=found.parts,
        problems=found.problems, extra=extra,
    )  # fmt: skip


def numbered(labels: Sequence[str], classes: Sequence[str], where: object) -> np.ndarray:
    """Class names as numbers (N,) int64; ConfigError for one that the run does not know."""
    place = {name: k for k, name in enumerate(classes)}
    if unknown := sorted(set(labels) - place.keys()):
        raise ConfigError(
            f"{shown(where)} has the class {quoted(unknown[0], 60)}; the run knows "
            f"{quoted(list(classes), 300)}"
        )
    return np.array([place[label] for label in labels], np.int64)


def prefix(name: str) -> str:
    """What stands in a file's name before the first "_" or "-".

    >>> prefix("seven/jackson_12.wav")
    'jackson'
    """
    return re.split("[_-]", name.rpartition("/")[2].rpartition(".")[0], maxsplit=1)[0]


def with_groups(gathered: Gathered, options: Options) -> Gathered:
    """The samples with the prefixes of their files as groups, where that is asked for."""
    if not options.by_prefix:
        return gathered
    return replace(gathered, groups=tuple(map(prefix, gathered.names)))


def planned(gathered: Gathered, options: Options) -> Division:
    """How these samples are divided: by their folders, else by groups, else by chance."""
    if gathered.parts:
        if options.group or options.by_prefix:
            raise ConfigError("train: the folders train/ and test/ divide these data, no --group")
        missing = [part for part in (TRAIN, TEST) if part not in gathered.parts]
        if missing:
            raise ConfigError(f"train: there is a folder of parts, but none for {missing[0]}")
        return Division(FOLDERS, 0.0, told="by the folders train/, val/ and test/ of the data")
    share = f"{100 * (1 - options.test):.0f}/{100 * options.test:.0f}"
    if gathered.groups:
        by = shown(options.group, 60) if options.group else "file-name prefix"
        count = len(set(gathered.groups))
        told = f"{count:,} groups by {by}, none on both sides, about {share}, split seed {SEED}"
        return Division(GROUPS, options.test, SEED, options.group or "prefix", told)
    if gathered.classes and np.ndim(gathered.y) == 1:
        told = f"stratified random {share} split, split seed {SEED}"
        return Division(STRATIFIED, options.test, SEED, told=told)
    return Division(RANDOM, options.test, SEED, told=f"random {share} split, split seed {SEED}")


def divided(gathered: Gathered, division: Division) -> Places:
    """Which samples train, validate and test. ConfigError for a class that none trains on."""
    rng, count = Generator(division.seed), len(gathered)
    if division.how == END:
        return Places(np.zeros(0, np.int64), None, np.zeros(0, np.int64))
    if division.how == FOLDERS:
        parts = np.array(gathered.parts)
        train, held, test = (np.flatnonzero(parts == part) for part in (TRAIN, VALIDATION, TEST))
    elif count < 2:
        raise ConfigError(f"train: {count} samples cannot be divided")
    else:
        held = np.array([], np.int64)
        if division.how == GROUPS:
            one_each = bool(gathered.classes) and np.ndim(gathered.y) == 1
            labels = gathered.y if one_each else np.zeros(count)
            _, groups = np.unique(gathered.groups, return_inverse=True)
            train, test = group_split(groups, labels, division.test, rng)
        elif division.how == STRATIFIED:
            train, test = _every_class(gathered, *stratified_split(gathered.y, division.test, rng))
        else:
            train, test = random_split(count, division.test, rng)
    _check_classes(gathered, train)
    train, held, test = (part[rng.permutation(len(part))] for part in (train, held, test))
    return Places(train, held if len(held) else None, test)


def _every_class(
    gathered: Gathered, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A class whose samples would all be tested on trains instead."""
    moved = test[~np.isin(gathered.y[test], gathered.y[train])]
    if len(moved) == len(test):
        raise ConfigError("train: too few samples of each class to train and test on")
    return np.sort(np.concatenate([train, moved])), np.setdiff1d(test, moved)


def _check_classes(gathered: Gathered, train: np.ndarray) -> None:
    if not gathered.classes or np.ndim(gathered.y) != 1:
        return
    there = np.unique(gathered.y[train])
    gone = [name for k, name in enumerate(gathered.classes) if k not in there]
    if gone:
        raise ConfigError(
            f"train: no sample of the class {quoted(gone[0])} would be trained on; "
            f"of {len(gathered.classes)} classes {len(there)} are in the training part"
        )


def balanced(y: np.ndarray, count: int) -> tuple[float, ...]:
    """The weight of each class, N / (K n_k), so that all weigh the same together."""
    numbers = np.bincount(y, minlength=count)
    return tuple((len(y) / (count * numbers)).tolist())
