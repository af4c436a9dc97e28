"""Reading an image file: grey or colour, with every pixel there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError, FormatError, how_to_install
from ...foreign import read_regular, reader
from ...quoting import shown
from .picture_checks import JPEG, PNG, check_jpeg, check_png

MAX_PIXELS = 50_000_000
MAX_BYTES = 1 << 28
MAX_PICTURE = 1 << 26  # bytes of one of a set's pictures

ORIENTATION = 0x0112  # the EXIF tag: 5 to 8 turn a picture by a quarter

# No EPS (Pillow would start Ghostscript for it), no PDF, none of the exotic decoders.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


@reader("read_image")
def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The first frame of an image file as uint8: grey (H, W) or colour (H, W, 3).

    Reads BMP, GIF, JPEG, PNG, PPM/PGM, TIFF and WebP. Palettes become colour, 16-bit grey keeps its
    high byte, transparent parts are shown on white, the EXIF orientation is applied. The size is
    checked before a pixel is decoded, and that all pixels were there (`picture_checks`). Raises
    DataError if there is no such file or Pillow is missing, FormatError for anything unreadable,
    incomplete or too large.
    """
    pillow()
    if Path(path).is_dir():
        raise DataError(f"read_image: {shown(path)} is a folder, not an image")
    return _decode(read_regular(path, MAX_BYTES, "read_image"), shown(path), max_pixels)


@reader("read_image", called="name")
def decode_image(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """As `read_image`, of the bytes of an image file; name: what errors call it."""
    return _decode(data, shown(name), max_pixels)


@reader("read_image", called="name")
def open_picture(
    data: bytes,
    name: str,
    max_pixels: int = MAX_PIXELS,
    whole: bool = True,
    least: tuple[int, int] | None = None,
) -> Any:
    """As `decode_image`, a Pillow image of mode "L" or "RGB".

    whole: that all pixels were there is checked; without, a PNG must have its CRCs and a decoder's
    own complaint is an error, but what a decoder fills in goes unnoticed: half the time. least: of
    a JPEG not more than so many (rows, columns) need be there, so that it may be decoded at a half,
    a quarter or an eighth of its size.
    """
    return _decoded(data, shown(name), max_pixels, whole, least)


@reader("read_image", called="name")
def describe(data: bytes, name: str) -> tuple[str, str, tuple[int, int]]:
    """(format, mode, (rows, columns)) of the bytes of an image file, by its head alone; errors as
    `decode_image`. Formats are those of `FORMATS`, modes Pillow's ("RGB", "L", "P", "RGBA" ...)."""
    try:
        with pillow().open(io.BytesIO(data), formats=FORMATS) as image:
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            return kind, image.mode, (image.height, image.width)
    except DataError:  # no Pillow
        raise
    except Exception as error:
        raise FormatError(
            f"read_image: {shown(name)} has no readable head ({_why(error)})"
        ) from error


def has_too_many_pixels(error: FormatError) -> bool:
    """Whether Pillow refused a file for its size before its head could be told (`describe`)."""
    return type(error.__cause__).__name__ == "DecompressionBombError"


def _why(error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":  # says where the bytes lay in memory
        return f"it begins as no picture does: {', '.join(FORMATS)} are read"
    if type(error).__name__ == "DecompressionBombError":  # Pillow's own limit, above ours
        return f"it has more than {MAX_PIXELS:,} pixels"
    return f"{type(error).__name__}: {shown(error, 160)}"


def pillow() -> Any:
    """Pillow's `Image`; DataError without it."""
    try:
        from PIL import Image
    except ImportError:
        raise DataError(f"data: reading images needs Pillow: {how_to_install('data')}") from None
    return Image


def _decode(data: bytes, name: str, max_pixels: int) -> np.ndarray:
    return np.array(_decoded(data, name, max_pixels, True, None))


def _decoded(
    data: bytes, name: str, max_pixels: int, whole: bool, least: tuple[int, int] | None
) -> Any:
    try:
        image = _open(data, max_pixels, whole, least)
        if whole and data.startswith(JPEG):
            check_jpeg(
                data,
                np.asarray(image),
                lambda padded: np.asarray(_open(padded, max_pixels, whole, least)),
            )
        return image
    except FormatError as error:
        raise FormatError(f"read_image: {name} is not a readable image: {error}") from None
    except DataError:  # no Pillow
        raise
    except Exception as error:  # decoders raise nearly every type on a damaged file
        raise FormatError(f"read_image: {name} is not a readable image ({_why(error)})") from error


def _open(data: bytes, max_pixels: int, whole: bool, least: tuple[int, int] | None) -> Any:
    with pillow().open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise FormatError(f"it has {width} x {height} pixels, more than {max_pixels}")
        if data.startswith(PNG):
            check_png(data, whole)
        if least is not None and data.startswith(JPEG):
            turned = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
            image.draft(image.mode, least if turned else least[::-1])
        return _plain(image)


def _plain(image: Any) -> Any:
    """The image upright, without transparency, as grey "L" or colour "RGB"."""
    from PIL import Image, ImageOps

    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I;16"):
        high = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return Image.fromarray(high)
    if image.mode in ("I", "F"):
        raise FormatError(f"32-bit pixels (mode {image.mode}) have no known range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    grey = image.mode in ("1", "L", "LA")
    wanted = "L" if grey else "RGB"
    return image if image.mode == wanted else image.convert(wanted)  # which copies in any case
