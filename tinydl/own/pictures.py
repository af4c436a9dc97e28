"""Pictures in class folders, all brought to one shape by the rule that the run keeps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..data.folders.form import PictureForm
from ..data.folders.pictures import Pictures, processors
from ..data.folders.problems import Problem
from ..data.folders.recognise import WHOLE, Found, recognise
from ..data.folders.texts import reason
from ..data.formats.images import MAX_BYTES
from ..errors import ConfigError, DataError, FormatError
from ..experiment.card import Recipe
from ..foreign import read_regular
from ..quoting import shown
from .gathered import Gathered, digest
from .kept import Own
from .models import fit_of, picture_sides
from .options import Options

#: Decoded pictures that are kept in memory, and numbers of inputs that are made at once; what is
#: larger is decoded a batch at a time, again in every epoch.
CACHE, AT_ONCE = 1 << 29, 1 << 27
READ = 1_000  # files that are read between two looks at what was found


def asked(recipe: Recipe, options: Options) -> dict[str, Any]:
    """Size and channels that the recipe's model wants; channels 0: as the pictures have."""
    height, width = picture_sides(recipe, options.size)
    fit = fit_of(recipe)
    own = getattr(recipe.program, "channels", 0)  # of a network that is trained already
    return {"height": height, "width": width, "channels": own or (fit.channels if fit else 0)}


def gather(path: str, options: Options, wanted: Mapping[str, Any]) -> Gathered:
    """Every picture is read and decoded once: what is damaged is named, grey ones are told from
    coloured ones, and the contents are hashed. ConfigError where no picture lies in a class
    folder."""
    options.only_for("pictures", target=options.target, group=options.group)
    found = recognise(path, options.follow_links)
    if found.kind != "pictures" or not found.classes:
        raise ConfigError(f"train: {shown(path)} has no pictures in class folders")
    x = pictures_of(found, (wanted["height"], wanted["width"]), options.fit)
    faults, hashes, grey = _looked_at(x)
    kept = np.array([k for k in range(len(x)) if k not in faults], np.int64)
    if not len(kept):
        raise DataError(f"train: none of the {len(x)} pictures of {shown(path)} can be decoded")
    problems = [Problem("damaged", x.paths[k], text) for k, text in sorted(faults.items())]
    channels = wanted["channels"] or (1 if grey else 3)
    x = _grey(x) if channels == 1 else x
    labels = found.label[kept]
    used = np.unique(labels)
    return Gathered(
        x.take(kept), np.searchsorted(used, labels),
        tuple(shown(found.classes[k], 190) for k in used.tolist()),
        [x.paths[k] for k in kept],
        digest([(x.paths[k], hashes[k]) for k in kept.tolist()]),
        parts=tuple(found.parts[k] for k in found.part[kept]) if found.parts != (WHOLE,) else (),
        problems=(*found.problems, *problems),
        extra={"channels": channels},
    )  # fmt: skip


def pictures_of(found: Found, sides: tuple[int, int], fit: str) -> Pictures:
    """The files of a folder as colour pictures of one size."""
    paths = [file.path for file in found.files]
    return Pictures(found.root, paths, PictureForm(sides, fit, 3), CACHE)


def _looked_at(x: Pictures) -> tuple[dict[int, str], dict[int, bytes], bool]:
    """({place: what is wrong}, {place: SHA-256 of the file}, whether all others are grey); what is
    decoded is kept as far as there is room."""
    faults: dict[int, str] = {}
    hashes: dict[int, bytes] = {}

    def look(place: int) -> bool:
        path = os.path.join(x.root, x.paths[place])
        try:
            content = read_regular(path, MAX_BYTES, "read_image")
            pixels = x.form.decoded(content, path, whole=True)
        except (FormatError, DataError) as error:
            faults[place] = reason(error, Path(path))
            return True
        hashes[place] = sha256(content).digest()
        x.cache.keep(place, pixels)
        return bool((pixels[..., :1] == pixels[..., 1:]).all())

    grey = True
    with ThreadPoolExecutor(processors(), "tinydl-decode") as pool:
        for first in range(0, len(x), READ):
            seen = list(pool.map(look, range(first, min(first + READ, len(x)))))
            grey = grey and all(seen)
    return faults, hashes, grey


def _grey(x: Pictures) -> Pictures:
    """The same pictures with one channel."""
    form = PictureForm(x.form.size, x.form.fit, 1)
    made = Pictures(x.root, x.paths, form, CACHE)
    for place in np.flatnonzero(x.cache.places >= 0).tolist():
        made.cache.keep(place, form.of(x.cache.block[x.cache.places[place]]))
    return made


def learn(
    gathered: Gathered, train: np.ndarray, options: Options, recipe: Recipe
) -> dict[str, Any]:
    """The rule of their shape."""
    wanted = {**asked(recipe, options), "channels": gathered.extra["channels"]}
    return {**wanted, "fit": options.fit}


def remarks(gathered: Gathered, preparation: Mapping[str, Any]) -> list[str]:
    """The rule in words."""
    colour = "grey" if preparation["channels"] == 1 else "colour"
    size = f"{preparation['height']}x{preparation['width']}"
    return [f"pictures become {size}, {colour}, by the rule {preparation['fit']}"]


def elsewhere(own: Own, path: str, options: Options) -> Gathered:
    """The pictures of another folder, whose classes the run knows."""
    return gather(path, options, own.preparation)


def inputs(gathered: Gathered, preparation: Mapping[str, Any]) -> Any:
    """(N, H, W, C) in 0 ... 1: an array, or `Pictures` where that would be large."""
    x = gathered.x.scaled(255.0)
    return x if are_large(len(x), preparation) else np.asarray(x)


def are_large(count: int, preparation: Mapping[str, Any]) -> bool:
    """Whether the inputs of so many pictures stay in their files."""
    sizes = (preparation[name] for name in ("height", "width", "channels"))
    return count * prod(sizes) > AT_ONCE


def targets(gathered: Gathered, preparation: Mapping[str, Any]) -> np.ndarray:
    """(N,) classes."""
    labels: np.ndarray = gathered.y
    return labels


def form_of(preparation: Mapping[str, Any]) -> PictureForm:
    """The rule that a run keeps."""
    sides = (preparation["height"], preparation["width"])
    return PictureForm(sides, preparation["fit"], preparation["channels"])


def shown_to(own: Own, file: str, shape: tuple[int, ...]) -> np.ndarray:
    """(1, ...) of a picture's file, as the model takes it."""
    return (form_of(own.preparation).read(file) / np.float32(255)).reshape(1, *shape)
