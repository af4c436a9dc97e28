"""A contact sheet: samples of each class of a folder on one page, so that a person has seen them
before a training does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..data.folders.form import PictureForm
from ..data.folders.looking import Look
from ..data.formats.wav import decode_wav
from ..data.sound import log_mel
from ..doors import checked
from ..errors import ConfigError
from ..foreign import read_regular
from ..quoting import printable, quoted
from .pixels import COLOURS, make_grid, save_image

SIDE, COLUMNS, MOST_ROWS, LABEL = 96, 8, 40, 120
MAX_WAV = 1 << 28
PICTURES = ("pictures", "voc", "coco", "wav")


@checked
def contact_sheet(seen: Look, path: str | Path | None = None) -> np.ndarray:
    """Up to eight samples of each of the first 40 classes, evenly spaced in the order of names, a
    row for each: uint8 (H, W, 3), and written to `path` as PNG; needs Pillow.

    Pictures are whole, padded with their mean colour; boxes are drawn into them; sounds are
    mel spectra over time. Names stand at the left where they are plain letters, else the number of
    the class. ConfigError for a folder whose files have no picture, or of which none can be read.
    """
    found = seen.found
    if found.kind not in PICTURES:
        raise ConfigError(f"contact_sheet: {quoted(found.kind)} has no pictures to be shown")
    usable = [k for k, file in enumerate(found.files) if file.path not in seen.unusable]
    if not usable:
        raise ConfigError("contact_sheet: no file can be read")
    rows = _rows(seen, np.array(usable))
    cells = [_cell(seen, k) for _, places in rows for k in _filled(places)]
    page = make_grid(np.stack(cells), COLUMNS, background=255)
    if found.classes:
        page = _labelled(page, [name for name, _ in rows])
    if path is not None:
        save_image(page, path)
    return page


def _rows(seen: Look, usable: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """(label, places of files) of each row."""
    found = seen.found
    if not found.classes:
        chosen = _spaced(usable, 4 * COLUMNS)
        return [("", chosen[k : k + COLUMNS]) for k in range(0, len(chosen), COLUMNS)]
    rows = []
    for k, name in enumerate(found.classes[:MOST_ROWS]):
        own = usable[found.label[usable] == k]
        if len(own):
            plain = name.isascii() and name.isprintable()
            rows.append((name if plain else f"class {k + 1}", _spaced(own, COLUMNS)))
    return rows


def _spaced(places: np.ndarray, most: int) -> np.ndarray:
    return places[np.unique(np.linspace(0, len(places) - 1, most).round().astype(int))]


def _filled(places: np.ndarray) -> list[int]:
    """A whole row: -1 where there is nothing."""
    return [*map(int, places), *[-1] * (COLUMNS - len(places))]


def _cell(seen: Look, k: int) -> np.ndarray:
    """One sample, uint8 (96, 96, 3); white for none."""
    if k < 0:
        return np.full((SIDE, SIDE, 3), 255, np.uint8)
    form, file = PictureForm((SIDE, SIDE), "pad"), seen.found.files[k]
    path = os.path.join(seen.found.root, file.path)
    if seen.found.kind == "wav":
        return form.of(_spectrum(path))
    name = os.path.splitext(os.path.basename(file.path))[0]
    if seen.boxes is not None and name in (ids := _names(seen)):
        return form.of(_framed(seen.boxes, ids[name]))
    return form.read(path)


def _names(seen: Look) -> dict[str, int]:
    """{name of the picture without its suffix: its place among the annotations}."""
    ids = seen.boxes.ids if seen.boxes is not None else ()
    return {os.path.splitext(os.path.basename(name))[0]: k for k, name in enumerate(ids)}


def _framed(boxes: Any, k: int) -> np.ndarray:
    """A picture with its boxes."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(boxes.image(k))
    draw = ImageDraw.Draw(picture)
    thick = max(1, round(max(picture.size) / SIDE))
    for box, label in zip(boxes.boxes[k], boxes.labels[k], strict=True):
        colour = COLOURS[int(label) % len(COLOURS)]
        draw.rectangle([float(v) for v in box], outline=colour, width=thick)
    return np.asarray(picture)


def _spectrum(path: str) -> np.ndarray:
    """uint8 (bands, time): the low tones below, loud is white."""
    rate, wave = decode_wav(read_regular(path, MAX_WAV, "wav"), path)
    length = max(16, rate // 40)
    wave = np.pad(wave[: 60 * rate], (0, max(0, 4 * length - len(wave))))
    levels = log_mel(wave, rate, 32, length, length // 2).T[::-1]
    scaled = (levels - levels.min()) / max(1e-9, float(levels.max() - levels.min()))
    return np.ascontiguousarray((255 * scaled).astype(np.uint8))


def _labelled(page: np.ndarray, names: list[str]) -> np.ndarray:
    """The page with the rows' names at its left."""
    from PIL import Image, ImageDraw

    wide = Image.new("RGB", (page.shape[1] + LABEL, page.shape[0]), "white")
    wide.paste(Image.fromarray(page), (LABEL, 0))
    draw = ImageDraw.Draw(wide)
    for k, name in enumerate(names):
        text = printable(name)
        while draw.textlength(text) > LABEL - 8 and len(text) > 1:
            text = text[:-1]
        draw.text((6, k * (SIDE + 2) + SIDE // 2 - 5), text, fill="black")
    return np.asarray(wide)
