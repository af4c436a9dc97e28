"""Pictures as pixels: named, scored boxes drawn into one, whose size stays (`plot_boxes` makes a
figure); many on one page, a pixel for a pixel (`image_grid` makes a figure); PNG files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import array, finite, is_tensor, whole
from ..errors import ConfigError, DTypeError, ShapeError, how_to_install
from ..metrics import Found
from ..quoting import quoted
from ..train import write_atomically

COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")


def draw_boxes(image: np.ndarray, found: Found, classes: Sequence[str]) -> np.ndarray:
    """The picture (H, W) or (H, W, 3), uint8, as (H, W, 3) with a frame around each box, its class
    and its score in percent above it, and its mask, if it has one, half transparent within; needs
    Pillow.

    Boxes are corners in pixels; less sure ones are drawn first. Each class has its colour. Raises
    DTypeError, ShapeError, ConfigError without Pillow.
    """
    try:
        from PIL import Image, ImageColor, ImageDraw
    except ImportError:
        raise ConfigError(f"viz: drawing boxes needs Pillow: {how_to_install('data')}") from None
    if image.dtype != np.uint8:
        raise DTypeError(f"draw_boxes: the image must be uint8, got {image.dtype}")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ShapeError(f"draw_boxes: the image must be (H, W) or (H, W, 3), got {image.shape}")
    order = np.argsort(found.scores, kind="stable")
    picture = Image.fromarray(image).convert("RGB")
    if found.masks is not None:
        if found.masks.shape != (len(order), *image.shape[:2]):
            raise ShapeError(
                f"draw_boxes: masks must be {(len(order), *image.shape[:2])}, got "
                f"{found.masks.shape}"
            )
        painted = np.array(picture)
        for k in order:
            inside = found.masks[k]
            paint = np.array(ImageColor.getrgb(COLOURS[int(found.labels[k]) % len(COLOURS)]))
            painted[inside] = painted[inside] // 2 + paint // 2
        picture = Image.fromarray(painted)
    draw = ImageDraw.Draw(picture)
    thick = max(1, round(min(image.shape[:2]) / 200))
    for k in order:
        left, top, right, bottom = (float(v) for v in found.boxes[k])
        colour = COLOURS[int(found.labels[k]) % len(COLOURS)]
        # The last pixel of a half-open range.
        frame = (left, top, max(left, right - 1), max(top, bottom - 1))
        draw.rectangle(frame, outline=colour, width=thick)
        text = f"{classes[int(found.labels[k])]} {100 * found.scores[k]:.0f}%"
        _, _, wide, high = draw.textbbox((0, 0), text)
        y = top - high - 2 if top > high + 2 else top
        draw.rectangle((left, y, left + wide + 2, y + high + 2), fill=colour)
        draw.text((left + 1, y + 1), text, fill="white")
    return np.asarray(picture)


Range = tuple[float, float]


def make_grid(
    images: Any,
    columns: int = 8,
    padding: int = 2,
    value_range: Range | None = None,
    background: int = 0,
) -> np.ndarray:
    """Images (N, H, W) or (N, H, W, C), C 1 or 3, row by row on one picture: uint8 (H', W', 3),
    with `padding` pixels of `background` around each.

    images: an ndarray or a tensor, uint8 as it is, floats from 0 (black) to 1 (white), or from low
    to high of `value_range` = (low, high), such as (-1, 1) for the pictures of a generator that
    ends in tanh. Raises ShapeError, DTypeError, and ConfigError for values outside of that range.
    """
    return _page("make_grid", images, columns, padding, value_range, background)


def _page(
    op: str, images: Any, columns: int, padding: int, value_range: Range | None, background: int = 0
) -> np.ndarray:
    columns = whole(op, "columns", columns, 1)
    padding = whole(op, "padding", padding, 0)
    background = whole(op, "background", background, 0, 255)
    pixels = _coloured(op, images, value_range)
    if not pixels.size:
        raise ShapeError(
            f"{op}: images must be (N, H, W) or (N, H, W, C), N >= 1, got {np.shape(images)}"
        )
    N, H, W, _ = pixels.shape
    columns = min(columns, N)
    rows = -(-N // columns)
    down, right = H + padding, W + padding
    page = np.full((rows * down + padding, columns * right + padding, 3), background, np.uint8)
    for k, one in enumerate(pixels):
        top, left = padding + k // columns * down, padding + k % columns * right
        page[top : top + H, left : left + W] = one
    return page


def save_image(
    images: Any,
    path: str | Path,
    columns: int = 8,
    padding: int = 2,
    value_range: Range | None = None,
) -> None:
    """Write a picture (H, W) or (H, W, C), C 1 or 3, or `make_grid` of several, (N, H, W) or
    (N, H, W, C), as a PNG file, atomically; needs Pillow.

    Three axes of which the last is 1 or 3 are one picture. Values and errors as in `make_grid`;
    ConfigError for a name that does not end in ".png", and without Pillow.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ConfigError(f"save_image: needs Pillow: {how_to_install('data')}") from None
    if not isinstance(path, str | Path) or Path(path).suffix.lower() != ".png":
        raise ConfigError(f"save_image: writes PNG files, 'name.png', got {quoted(path)}")
    images = array("save_image", "images", images.numpy() if is_tensor(images) else images)
    shape = images.shape
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3)):
        page = _coloured("save_image", images[None], value_range)[0]
    else:
        page = _page("save_image", images, columns, padding, value_range)
    buffer = io.BytesIO()
    Image.fromarray(page).save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())


def _coloured(op: str, images: Any, value_range: Range | None) -> np.ndarray:
    """uint8 (N, H, W, 3) of images (N, H, W) or (N, H, W, C)."""
    found = array(op, "images", images.numpy() if is_tensor(images) else images)
    if found.ndim == 3:
        found = found[..., None]
    if found.ndim != 4 or found.shape[3] not in (1, 3):
        first = found.ndim == 4 and found.shape[1] in (1, 3)
        told = "; the channels are the last axis here: np.moveaxis(images, 1, -1)" if first else ""
        raise ShapeError(
            f"{op}: images must be (N, H, W) or (N, H, W, C) with C 1 or 3, got "
            f"{np.shape(images)}{told}"
        )
    return np.broadcast_to(_bytes(op, found, value_range), (*found.shape[:3], 3))


def _bytes(op: str, pixels: np.ndarray, value_range: Range | None) -> np.ndarray:
    """Floats of the range as 0 ... 255, rounded; uint8 as it is."""
    if pixels.dtype == np.uint8 and value_range is None:
        return pixels
    if pixels.dtype.kind != "f" and value_range is None:
        raise DTypeError(f"{op}: images must be uint8 or floats, got {pixels.dtype}")
    low, high = (0.0, 1.0) if value_range is None else _limits(op, value_range)
    if pixels.size:
        least, most = float(pixels.min()), float(pixels.max())
        slack = 1e-6 * (high - low)
        if not (low - slack <= least and most <= high + slack):  # NaN too
            raise ConfigError(
                f"{op}: the values go from {least:.4g} to {most:.4g}, not within {low:g} ... "
                f"{high:g}; value_range=(low, high) says what is black and white"
            )
    scaled = (pixels.astype(np.float64) - low) * (255.0 / (high - low))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def _limits(op: str, value_range: Any) -> Range:
    pair = value_range if isinstance(value_range, tuple | list) and len(value_range) == 2 else None
    if pair is None:
        raise ConfigError(f"{op}: value_range must be (low, high), got {quoted(value_range)}")
    low, high = (finite(op, "value_range", bound) for bound in pair)
    if low >= high:
        raise ConfigError(f"{op}: value_range needs low < high, got {quoted(value_range)}")
    return low, high
