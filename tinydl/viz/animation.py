"""Pictures one after the other, as an animated GIF."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from ..errors import ConfigError, ShapeError, how_to_install
from ..train import write_atomically


def save_animation(frames: np.ndarray, path: str | Path, seconds: float = 0.2) -> None:
    """Write frames (T, H, W, 3) uint8 as a GIF that repeats, `seconds` each, atomically.

    Raises ShapeError for other arrays, ConfigError without Pillow.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise ShapeError(
            f"save_animation: frames must be (T, H, W, 3) uint8, got {frames.shape} {frames.dtype}"
        )
    try:
        from PIL import Image
    except ImportError:
        raise ConfigError(f"viz: a GIF needs Pillow: {how_to_install('data')}") from None
    first, *rest = [Image.fromarray(frame) for frame in frames]
    buffer = io.BytesIO()
    first.save(
        buffer, "GIF", save_all=True, append_images=rest, duration=int(1000 * seconds), loop=0
    )
    write_atomically(path, buffer.getvalue())
