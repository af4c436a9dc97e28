"""Maps of numbers as pixels."""

from __future__ import annotations

import numpy as np

RED, BLUE = np.array([178, 24, 43.0]), np.array([33, 102, 172.0])  # for it, and against it
INK = np.array([31, 41, 51.0])


def signed(values: np.ndarray) -> np.ndarray:
    """(H, W) numbers as uint8 (H, W, 3): red above 0, blue below, white at 0, full colour at the
    largest absolute value."""
    share = values / max(float(np.abs(values).max()), 1e-30)
    end = np.where((share > 0)[..., None], RED, BLUE)
    return _mixed(np.abs(share), np.full(3, 255.0), end)


def strength(values: np.ndarray) -> np.ndarray:
    """(H, W) numbers >= 0 as uint8 (H, W, 3): white at 0, dark at the largest."""
    return _mixed(values / max(float(values.max()), 1e-30), np.full(3, 255.0), INK)


def over(picture: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The picture, uint8 (H, W, 3), in grey, and red over it where the numbers >= 0 are large."""
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    return _mixed(0.75 * values / max(float(values.max()), 1e-30), grey, RED)


def _mixed(share: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    part = np.nan_to_num(share)[..., None]
    return np.clip(np.rint(start + part * (end - start)), 0, 255).astype(np.uint8)


def shown_picture(x: np.ndarray) -> np.ndarray:
    """(H, W, 1 or 3) in any range as uint8 (H, W, 3): 0 ... 1 as it is, else from its least to its
    largest value."""
    low, high = float(x.min()), float(x.max())
    if low < -1e-6 or high > 1 + 1e-6:
        x = (x - low) / max(high - low, 1e-30)
    pixels = np.rint(255 * np.clip(x, 0, 1)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def enlarged(pixels: np.ndarray, side: int = 128) -> np.ndarray:
    """Each pixel as a square of pixels, the shorter side `side` or more, for drawing in it."""
    times = max(1, -(-side // min(pixels.shape[:2])))
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def framed(pixels: np.ndarray, box: np.ndarray, colour: np.ndarray, times: float) -> None:
    """Draw a frame of two pixels around a box (left, top, right, bottom), multiplied by `times`."""
    H, W, _ = pixels.shape
    left, top, right, bottom = (round(float(v) * times) for v in box)
    left, right = np.clip([left, right - 1], 0, W - 1)
    top, bottom = np.clip([top, bottom - 1], 0, H - 1)
    for k in (0, 1):
        inner = (slice(top, bottom + 1), slice(left, right + 1))
        for line in ((min(top + k, H - 1), inner[1]), (max(bottom - k, 0), inner[1])):
            pixels[line] = colour
        for line in ((inner[0], min(left + k, W - 1)), (inner[0], max(right - k, 0))):
            pixels[line] = colour
