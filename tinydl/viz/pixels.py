"""Named, scored boxes drawn into the pixels of a picture, whose size stays (`plot_boxes` makes a
figure)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import ConfigError, DTypeError, ShapeError
from ..metrics import Found
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
        raise ConfigError('viz: drawing boxes needs Pillow: pip install "tinydl[data]"') from None
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


def save_picture(image: np.ndarray, path: str | Path) -> None:
    """Write uint8 (H, W, 3) as PNG, atomically; needs Pillow."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())
