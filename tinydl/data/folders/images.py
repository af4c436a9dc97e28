"""Pictures in class folders as samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from ...arguments import texts
from ...doors import checked
from ...errors import ConfigError, DataError
from ...quoting import quoted, shown
from ..formats.images import pillow
from ..types import Dataset, Samples
from .form import PictureForm
from .pictures import Pictures
from .recognise import PARTS, WHOLE, Found, recognise


@checked
def image_folder(
    path: str | Path,
    size: tuple[int, int],
    fit: str = "crop",
    channels: int = 3,
    part: str | None = None,
    labels: bool = True,
    leave_out: Sequence[str] = (),
    cache: int = 0,
    workers: int | None = None,
    whole: bool = False,
    follow_links: bool = False,
) -> Dataset | Samples:
    """The pictures in the class folders of `path`: a Dataset if there are train/ and test/ folders,
    else Samples to be split. x is `Pictures` (N, H, W, C) uint8, decoded a batch at a time; y (N,)
    int64; classes are the names of the folders, sorted.

    size (H, W), fit, channels: the rule by which pictures of any size and mode become one shape
    (`PictureForm`). part: "train", "val" or "test" as Samples, with the classes of all parts.
    labels: False takes pictures from any folders, with y 0 and no classes. leave_out: paths
    relative to `path` that are not taken, such as those that `look` found damaged. cache, workers,
    whole: as in `Pictures`. follow_links: as in `walk`; what else that passes over, `tinydl look`
    names.

    Raises MissingFileError if there is no such folder, DataError if it holds no pictures or these
    lie in no class folders, ConfigError for a part that there is not. Needs Pillow.
    """
    found = recognise(path, follow_links)
    return samples_of(
        found, PictureForm(size, fit, channels), part, labels, leave_out, cache, workers, whole
    )


def samples_of(
    found: Found,
    form: PictureForm,
    part: str | None = None,
    labels: bool = True,
    leave_out: Sequence[str] = (),
    cache: int = 0,
    workers: int | None = None,
    whole: bool = False,
) -> Dataset | Samples:
    """`image_folder` of what `recognise` has found."""
    pillow()
    where = _checked(found, labels)
    gone = set(texts("image_folder", "leave_out", leave_out))
    kept = np.array([k for k, file in enumerate(found.files) if file.path not in gone], np.int64)
    x = Pictures(found.root, [found.files[k].path for k in kept], form, cache, workers, whole)
    y = found.label[kept] if labels else np.zeros(len(kept), np.int64)
    name, classes = Path(found.root).name, found.classes if labels else ()
    parts = found.part[kept]

    def chosen(part: str) -> tuple[np.ndarray, np.ndarray]:
        indices = np.flatnonzero(parts == found.parts.index(part))
        if not len(indices):
            raise DataError(f"image_folder: {where} has no picture left in {part or 'it'}")
        return cast(np.ndarray, x.take(indices)), y[indices]  # stands where an array does

    if part is None and {"train", "test"} <= set(found.parts):
        return Dataset(name, *chosen("train"), *chosen("test"), classes)
    if part is None and found.parts != (WHOLE,):
        raise ConfigError(
            f"image_folder: {where} has the parts {' and '.join(found.parts)} and not train and "
            f"test; say part={found.parts[0]!r}"
        )
    if (part or WHOLE) not in found.parts:
        known = ", ".join(found.parts) if found.parts != (WHOLE,) else f"none of {', '.join(PARTS)}"
        raise ConfigError(f"image_folder: {where} has no part {quoted(part)}, there are: {known}")
    return Samples(name, *chosen(part or WHOLE), classes)


def _checked(found: Found, labels: bool) -> str:
    """The folder as messages call it; DataError unless it holds pictures, and classes if these are
    wanted."""
    where = shown(found.root)
    if found.kind != "pictures" or not found.files:
        held = "nothing that is known" if found.kind == "nothing" else found.kind
        raise DataError(f"image_folder: {where} holds {held}, not pictures in class folders")
    if labels and not found.classes:
        raise DataError(
            f"image_folder: the pictures of {where} lie in no class folders; labels=False takes "
            "them without"
        )
    return where
