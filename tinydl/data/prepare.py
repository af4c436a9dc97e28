"""Stored values as a model's input: pictures fitted to its size, columns standardised."""

from __future__ import annotations

import numpy as np

from ..arguments import flag, sizes
from ..doors import checked
from ..errors import DTypeError, ShapeError

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow's "L"


@checked
def prepare_image(
    array: np.ndarray, height: int, width: int, invert: bool | str = "auto"
) -> np.ndarray:
    """A uint8 image as the input of a model for white ink on black: (height, width), [0, 1].

    array: (H, W), (H, W, 1) or (H, W, 3); the result is float32. Steps:

    1. grey: 0.299 R + 0.587 G + 0.114 B, divided by 255;
    2. invert="auto" turns it over when the border is brighter than the inside (black ink on white
       paper); True and False decide by hand. The border is a frame of one sixteenth of the shorter
       side, at least one pixel;
    3. resize, keeping the aspect ratio, so that the longer side fits: triangle filter, widened when
       shrinking so that every input pixel counts (antialiasing);
    4. centred in the output, the rest filled with the median of the border.

    MNIST's own preparation also fits the ink into 20 x 20 pixels and centres its mass:
    `prepare_digit` does; this does not.
    """
    grey = _grey(array)
    sizes("prepare_image", (height, width), 4)
    if height < 1 or width < 1:
        raise ShapeError(f"prepare_image: height and width must be >= 1, got {height}, {width}")
    if not isinstance(invert, str) or invert != "auto":
        invert = flag("prepare_image", "invert (or 'auto')", invert)
    frame = _frame(grey.shape)
    if isinstance(invert, str):
        inside = grey[~frame] if not frame.all() else grey
        invert = bool(grey[frame].mean() > inside.mean())
    if invert:
        grey = 1 - grey
    scale = min(height / grey.shape[0], width / grey.shape[1])
    fitted = tuple(max(1, round(n * scale)) for n in grey.shape)
    small = resize_matrix(grey.shape[0], fitted[0]) @ grey
    small = small @ resize_matrix(grey.shape[1], fitted[1]).T
    result = np.full((height, width), np.median(grey[frame]), dtype=np.float32)
    top, left = (height - fitted[0]) // 2, (width - fitted[1]) // 2
    result[top : top + fitted[0], left : left + fitted[1]] = small
    return np.clip(result, 0, 1)


@checked
def prepare_colour_image(array: np.ndarray, height: int, width: int) -> np.ndarray:
    """A uint8 image as the input of a model for colour pictures: (height, width, 3), [0, 1].

    array: (H, W, 3), or grey, whose three channels are then equal; the result is float32. Resized,
    keeping the aspect ratio, so that it covers the output (triangle filter, widened when
    shrinking), and the middle cut out: nothing is invented at the edges. Raises ShapeError and
    DTypeError.
    """
    sizes("prepare_image", (height, width), 4)
    if height < 1 or width < 1:
        raise ShapeError(f"prepare_image: height and width must be >= 1, got {height}, {width}")
    if array.dtype != np.uint8 or array.ndim == 2 or array.shape[-1:] == (1,):
        array = np.repeat(_grey(array)[:, :, None], 3, axis=2)
    elif array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        raise ShapeError(
            f"prepare_image: the image must be (H, W), (H, W, 1) or (H, W, 3), got {array.shape}"
        )
    else:
        array = array.astype(np.float32) / np.float32(255)
    scale = max(height / array.shape[0], width / array.shape[1])
    covering = (
        max(height, round(array.shape[0] * scale)),
        max(width, round(array.shape[1] * scale)),
    )
    rows = resize_matrix(array.shape[0], covering[0])
    columns = resize_matrix(array.shape[1], covering[1])
    large = np.einsum("ih,hwc,jw->ijc", rows, array, columns, optimize=True)
    top, left = (covering[0] - height) // 2, (covering[1] - width) // 2
    cut = large[top : top + height, left : left + width]
    return np.ascontiguousarray(np.clip(cut, 0, 1), dtype=np.float32)


@checked
def fit_image(array: np.ndarray, height: int, width: int) -> tuple[np.ndarray, float]:
    """(picture (height, width, 3) float32 in [0, 1], scale): a uint8 image shrunk or enlarged, its
    aspect kept, for a detector.

    array: (H, W), grey becomes colour, or (H, W, 3). The image lies at the top left, so that pixel
    coordinates are those of the image times `scale` = min(height / H, width / W); the rest has its
    mean colour. Resized as in `prepare_image`. Raises DTypeError, and ShapeError for other forms or
    an image of fewer than 8 pixels on a side.
    """
    if array.dtype != np.uint8:
        raise DTypeError(f"fit_image: the image must be uint8, got {array.dtype}")
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3 or min(array.shape[:2]) < 8:
        raise ShapeError(
            f"fit_image: the image must be (H, W) or (H, W, 3) with at least 8 pixels on a side, "
            f"got {array.shape}"
        )
    sizes("fit_image", (height, width, 3), 4)
    if min(height, width) < 1:
        raise ShapeError(f"fit_image: height and width must be >= 1, got {height}, {width}")
    pixels = array.astype(np.float32) / np.float32(255)
    scale = min(height / array.shape[0], width / array.shape[1])
    rows, columns = (max(1, round(n * scale)) for n in array.shape[:2])
    small = np.tensordot(resize_matrix(array.shape[0], rows), pixels, (1, 0))
    small = np.tensordot(small, resize_matrix(array.shape[1], columns), (1, 1)).swapaxes(1, 2)
    result = np.empty((height, width, 3), np.float32)
    result[:] = pixels.mean(axis=(0, 1))
    result[:rows, :columns] = small
    return np.clip(result, 0, 1), scale


def _grey(array: np.ndarray) -> np.ndarray:
    """uint8 (H, W), (H, W, 1) or (H, W, 3) -> float32 (H, W) in [0, 1]."""
    if array.dtype != np.uint8:
        raise DTypeError(f"prepare_image: the image must be uint8, got {array.dtype}")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3) or array.size == 0:
        raise ShapeError(
            f"prepare_image: the image must be (H, W), (H, W, 1) or (H, W, 3), got {array.shape}"
        )
    weights = _LUMA if array.shape[2] == 3 else np.ones(1, dtype=np.float32)
    return array.astype(np.float32) @ (weights / np.float32(255))


def _frame(shape: tuple[int, ...]) -> np.ndarray:
    """bool (H, W): True on the border."""
    depth = max(1, min(shape) // 16)
    frame = np.ones(shape, dtype=bool)
    frame[depth:-depth, depth:-depth] = False
    return frame


def resize_matrix(size: int, new_size: int) -> np.ndarray:
    """Resampling of one axis with a triangle filter: float32 (new_size, size), rows sum to 1.

    Output pixel i has its centre at (i + 1/2) size / new_size - 1/2 in input pixels; the filter
    reaches max(1, size / new_size) input pixels to both sides.
    """
    ratio = size / new_size
    centre = (np.arange(new_size) + 0.5) * ratio - 0.5
    distance = np.abs(np.arange(size)[None, :] - centre[:, None])
    weights = np.maximum(0, 1 - distance / max(1.0, ratio))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@checked
def standardize(x: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """x and the others with x's column means subtracted and divided by x's standard deviations.

    x (N, D): the training rows, which alone decide, so that nothing of the others leaks into them;
    others: (M, D). A column that does not vary in x is only shifted.
    """
    if x.ndim != 2 or any(other.ndim != 2 or other.shape[1] != x.shape[1] for other in others):
        shapes = [array.shape for array in (x, *others)]
        raise ShapeError(f"standardize: the arrays must be (N, D) with the same D, got {shapes}")
    mean, std = x.mean(axis=0), x.std(axis=0)
    std = np.where(std > 0, std, 1)
    return tuple((array - mean) / std for array in (x, *others))
