"""Omniglot: handwritten characters of many alphabets, and its one-shot classification runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...doors import checked
from ...errors import ConfigError, FormatError
from ...foreign import reader
from ...quoting import quoted, shown
from ..download import locate
from ..formats.archives import members
from ..formats.images import decode_image
from ..record import DataFile, DataSet, Mirror

_OMNIGLOT_MIRRORS = (
    Mirror("https://github.com/brendenlake/omniglot/raw/master/python/"),
    Mirror("https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"),
)

_LAKE = (
    "B. Lake, R. Salakhutdinov, J. Tenenbaum, Human-level concept learning through probabilistic "
    "program induction, Science 350 (2015) 1332-1338, doi:10.1126/science.aab3050"
)

OMNIGLOT_SMALL = DataSet(
    name="omniglot_small",
    folder="omniglot",
    files=(
        DataFile(
            "images_background_small1.zip",
            "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
            1_319_022,
            mirrors=_OMNIGLOT_MIRRORS,
        ),
        DataFile(
            "images_background_small2.zip",
            "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
            1_580_917,
            mirrors=_OMNIGLOT_MIRRORS,
        ),
    ),
    classes=(),  # 136 and 156 characters, named by the archives
    records="2720 + 3120 drawings of 136 and 156 characters",
    description="handwritten characters of 5 + 5 alphabets, 105x105 black and white",
    source="https://github.com/brendenlake/omniglot",
    licence="MIT",
    citation=_LAKE,
)

OMNIGLOT_RUNS = DataSet(
    name="omniglot_runs",
    folder="omniglot",
    files=(
        DataFile(
            "all_runs.zip",
            "437c1eeab0af8484112e1b4cc0f3d541ec727f7c47b9b202da738af9dfd6c325",
            352_787,
            mirrors=tuple(Mirror(m.base + "one-shot-classification/") for m in _OMNIGLOT_MIRRORS),
        ),
    ),
    classes=(),
    records="20 runs of 20 training + 20 test drawings",
    description="the 20-way one-shot classification task of Omniglot",
    source="https://github.com/brendenlake/omniglot",
    licence="MIT",
    citation=_LAKE,
)

OMNIGLOT = DataSet(
    name="omniglot",
    folder="omniglot",
    files=(
        DataFile(
            "images_background.zip",
            "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640",
            9_464_212,
            mirrors=_OMNIGLOT_MIRRORS,
        ),
        DataFile(
            "images_evaluation.zip",
            "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee",
            6_462_886,
            mirrors=_OMNIGLOT_MIRRORS,
        ),
    ),
    classes=(),
    records="19280 + 13180 drawings of 964 and 659 characters",
    description="handwritten characters of 30 + 20 alphabets, 105x105 black and white",
    source="https://github.com/brendenlake/omniglot",
    licence="MIT",
    citation=_LAKE,
)

SIDE = 105
MAX_MEMBER, MAX_TOTAL = 1 << 20, 1 << 27

PARTS = {
    "small1": "images_background_small1.zip",
    "small2": "images_background_small2.zip",
    "background": "images_background.zip",
    "evaluation": "images_evaluation.zip",
}

_DRAWING = re.compile(r"[^/]+/([^/]+)/(character[0-9]{1,9})/([0-9]{1,9})_([0-9]{1,9})\.png")
_RUN_FILE = re.compile(r"(?:.*/)?(run[0-9]{1,9})/(?:(training|test)/[^/]+\.png|class_labels\.txt)")


@dataclass(frozen=True, slots=True, eq=False)
class Characters:
    """N drawings: x (N, 105, 105) uint8, 1 for ink; y (N,) int64 the character.

    alphabet, drawer: (N,) int64, the drawer from 0. characters: "Greek/character01", ...,
    alphabets: names; all in alphabetical order.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    alphabet: np.ndarray
    drawer: np.ndarray
    characters: tuple[str, ...]
    alphabets: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OneShotRun:
    """A 20-way task: test (20, 105, 105) is to be matched with training (20, 105, 105), both uint8
    with 1 for ink; answers (20,) int64 index `training`."""

    name: str
    training: np.ndarray
    test: np.ndarray
    answers: np.ndarray


@checked
def omniglot(part: str = "small1") -> Characters:
    """Drawings of Omniglot (Lake et al. 2015), twenty of each character.

    part: "small1" (5 alphabets, 136 characters) or "small2" (5, 156), the reduced background sets;
    "background" (30, 964); "evaluation" (20, 659). Greek and Latin are in both small sets. Found in
    TINYDL_DATA/omniglot, else in the user cache, else downloaded. Needs Pillow (the extra `data`).
    Raises DataError when it cannot be had, FormatError for a damaged file.
    """
    if part not in PARTS:
        raise ConfigError(f"omniglot: part must be one of {', '.join(PARTS)}, got {quoted(part)}")
    dataset = OMNIGLOT_SMALL if part.startswith("small") else OMNIGLOT
    return read_omniglot(locate(dataset, dataset.file(PARTS[part])), f"omniglot_{part}")


@checked
def omniglot_runs() -> tuple[OneShotRun, ...]:
    """The twenty one-shot classification runs of Omniglot, in order; errors of `omniglot`."""
    return read_omniglot_runs(locate(OMNIGLOT_RUNS, OMNIGLOT_RUNS.files[0]))


@reader("omniglot")
def read_omniglot(path: str | Path, name: str = "omniglot") -> Characters:
    """The drawings in a zip file of <folder>/<alphabet>/character<NN>/<id>_<drawer>.png."""
    rows = []
    for member, data in members(path, _drawing, MAX_MEMBER, MAX_TOTAL):
        alphabet, character, _, drawer = _DRAWING.fullmatch(member).groups()  # type: ignore[union-attr]
        drawing = _ink(data, f"{path}: {member}")
        rows.append((f"{alphabet}/{character}", int(drawer) - 1, drawing))
    if not rows:
        raise FormatError(f"omniglot: {shown(path)} holds no drawings")
    rows.sort(key=lambda row: row[:2])
    characters = tuple(sorted({row[0] for row in rows}))
    alphabets = tuple(sorted({character.split("/")[0] for character in characters}))
    place = {character: k for k, character in enumerate(characters)}
    y = np.array([place[row[0]] for row in rows], np.int64)
    owner = np.array([alphabets.index(c.split("/")[0]) for c in characters], np.int64)
    drawer = np.array([row[1] for row in rows], np.int64)
    x = np.stack([row[2] for row in rows])
    return Characters(name, x, y, owner[y], drawer, characters, alphabets)


@reader("omniglot")
def read_omniglot_runs(path: str | Path) -> tuple[OneShotRun, ...]:
    """The runs in a zip file of run<NN>/{training,test}/*.png and run<NN>/class_labels.txt."""
    labels: dict[str, bytes] = {}
    drawings: dict[str, np.ndarray] = {}
    for member, data in members(path, _run_file, MAX_MEMBER, MAX_TOTAL):
        if member.endswith(".png"):
            drawings[member] = _ink(data, f"{path}: {member}")
        else:
            run = _RUN_FILE.fullmatch(member)[1]  # type: ignore[index]
            if run in labels:
                raise FormatError(f"omniglot: {shown(path)} has class_labels.txt of {run} twice")
            labels[run] = data
    if not labels:
        raise FormatError(f"omniglot: {shown(path)} holds no run")
    if alone := {_RUN_FILE.fullmatch(d)[1] for d in drawings} - labels.keys():  # type: ignore[index]
        raise FormatError(f"omniglot: {shown(path)} has no class_labels.txt of {min(alone)}")
    return tuple(_run(name, labels[name], drawings, path) for name in sorted(labels))


def _run(name: str, labels: bytes, drawings: dict[str, np.ndarray], path: str | Path) -> OneShotRun:
    # Each line names a test drawing and the training drawing of the same character.
    pairs = [line.split() for line in labels.decode("latin1").splitlines() if line.strip()]
    if not pairs or any(len(p) != 2 or p[0] not in drawings or p[1] not in drawings for p in pairs):
        raise FormatError(
            f"omniglot: {shown(path)}: {name}/class_labels.txt does not name its drawings"
        )
    training = sorted(member for member in drawings if f"{name}/training/" in member)
    if len(training) != len(pairs) or {p[1] for p in pairs} - set(training):
        raise FormatError(
            f"omniglot: {shown(path)}: {name} has {len(training)} training and {len(pairs)} test "
            "drawings"
        )
    return OneShotRun(
        name,
        np.stack([drawings[member] for member in training]),
        np.stack([drawings[test] for test, _ in pairs]),
        np.array([training.index(match) for _, match in pairs], np.int64),
    )


def _drawing(member: str) -> bool:
    return not member.startswith("__MACOSX") and _DRAWING.fullmatch(member) is not None


def _run_file(member: str) -> bool:
    return not member.startswith("__MACOSX") and _RUN_FILE.fullmatch(member) is not None


def _ink(data: bytes, name: str) -> np.ndarray:
    """The files are black (0) on white: 1 where there is ink."""
    image = decode_image(data, name, SIDE * SIDE)
    if image.shape != (SIDE, SIDE):
        raise FormatError(f"omniglot: {shown(name)} is {image.shape}, expected ({SIDE}, {SIDE})")
    return (image == 0).astype(np.uint8)
