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
    _pillow()
    if Path(path).is_dir():
        raise DataError(f"read_image: {shown(path)} is a folder, not an image")
    return _decode(read_regular(path, MAX_BYTES, "read_image"), shown(path), max_pixels)


@reader("read_image", called="name")
def decode_image(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """As `read_image`, of the bytes of an image file; name: what errors call it."""
    return _decode(data, shown(name), max_pixels)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise DataError(f"data: reading images needs Pillow: {how_to_install('data')}") from None
    return Image


def _decode(data: bytes, name: str, max_pixels: int) -> np.ndarray:
    try:
        pixels = _open(data, max_pixels)
        if data.startswith(JPEG):
            check_jpeg(data, pixels, lambda padded: _open(padded, max_pixels))
        return pixels
    except FormatError as error:
        raise FormatError(f"read_image: {name} is not a readable image: {error}") from None
    except Exception as error:  # decoders raise nearly every type on a damaged file
        reason = f"{type(error).__name__}: {shown(error, 160)}"
        raise FormatError(f"read_image: {name} is not a readable image ({reason})") from error


def _open(data: bytes, max_pixels: int) -> np.ndarray:
    with _pillow().open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise FormatError(f"it has {width} x {height} pixels, more than {max_pixels}")
        if data.startswith(PNG):
            check_png(data)
        return _pixels(image)


def _pixels(image: Any) -> np.ndarray:
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
    if image.mode in ("I", "F"):
        raise FormatError(f"32-bit pixels (mode {image.mode}) have no known range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    grey = image.mode in ("1", "L", "LA")
    return np.array(image.convert("L" if grey else "RGB"))
