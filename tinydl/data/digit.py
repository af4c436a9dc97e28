"""A drawn sign as the pictures of MNIST and of Optdigits were made of scanned ones."""

from __future__ import annotations

from math import ceil

import numpy as np

from ..doors import checked
from ..errors import ConfigError, DTypeError, ShapeError
from .prepare import resize_matrix

MNIST_SIDE, MNIST_BOX = 28, 20
OPT_SIDE, OPT_BITMAP, OPT_WIDTH = 8, 32, 20
NARROW = 2.5  # times as high as wide: a one, which is not widened
BLACK = 0.3  # of a pixel's area; strokes stay as heavy as Optdigits' are


@checked
def prepare_digit(ink: np.ndarray, side: int = 28) -> np.ndarray:
    """A drawn sign as one of MNIST (side 28) or of Optdigits (8): (side, side) float32 in [0, 1].

    ink: uint8 (H, W), 0 paper ... 255 ink; where there is none, the result is 0. For 28 the ink is
    cut out and fitted, keeping its aspect ratio, into a box of 20 x 20 pixels (triangle filter,
    widened when shrinking), and the box laid so that the centre of mass of its pixels is in the
    middle (LeCun, Cortes and Burges, The MNIST database of handwritten digits): 14 to 15 pixels
    from the top and from the left, as in all but 3 of MNIST's 70,000. For 8 the slant is taken out
    first, the box is 20 wide and 32 high, in the middle of 32 x 32 pixels that are black or white,
    and each number is the share of black among 4 x 4 of them (Alpaydin and Kaynak 1998, UCI data
    set 80, whose bitmaps NIST's programs made: this comes near them, not more). Raises DTypeError,
    ShapeError, and ConfigError for another side.
    """
    if side not in (MNIST_SIDE, OPT_SIDE):
        raise ConfigError(f"prepare_digit: side must be 28 (MNIST) or 8 (Optdigits), got {side}")
    if ink.dtype != np.uint8:
        raise DTypeError(f"prepare_digit: ink must be uint8, got {ink.dtype}")
    if ink.ndim != 2:
        raise ShapeError(f"prepare_digit: ink must be (H, W), got {ink.shape}")
    if not ink.any():
        return np.zeros((side, side), np.float32)
    cut = _cut(ink.astype(np.float32) / 255)
    return _as_mnist(cut) if side == MNIST_SIDE else _as_optdigits(cut)


def _as_mnist(cut: np.ndarray) -> np.ndarray:
    height, width = (max(1, round(n * MNIST_BOX / max(cut.shape))) for n in cut.shape)
    small = _resized(cut, height, width)
    result = np.zeros((MNIST_SIDE, MNIST_SIDE), np.float32)
    top, left = (_by_mass(small.sum(axis=1 - axis)) for axis in (0, 1))
    result[top : top + height, left : left + width] = small
    return np.clip(result, 0, 1)


def _by_mass(mass: np.ndarray) -> int:
    """Where a box with this mass in its rows (or columns) begins; it stays inside."""
    centre = (mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum()
    return int(np.clip(ceil(MNIST_SIDE / 2 - centre), 0, MNIST_SIDE - len(mass)))


def _as_optdigits(cut: np.ndarray) -> np.ndarray:
    cut = _upright(cut)
    ratio = cut.shape[0] / cut.shape[1]
    width = OPT_WIDTH if ratio <= NARROW else max(1, round(OPT_BITMAP / ratio))
    left = (OPT_BITMAP - width) // 2
    bitmap = np.zeros((OPT_BITMAP, OPT_BITMAP), np.float32)
    bitmap[:, left : left + width] = _resized(cut, OPT_BITMAP, width) >= BLACK
    block = OPT_BITMAP // OPT_SIDE
    return bitmap.reshape(OPT_SIDE, block, OPT_SIDE, block).mean(axis=(1, 3))


def _upright(cut: np.ndarray) -> np.ndarray:
    """Each row moved so that the ink's x no longer goes with its y (moments of second order)."""
    height, width = cut.shape
    y, x = np.mgrid[:height, :width]
    y = y - (cut * y).sum() / cut.sum()
    x = x - (cut * x).sum() / cut.sum()
    slant = (cut * y * x).sum() / max((cut * y * y).sum(), 1e-6)
    moves = np.rint(-slant * y[:, 0]).astype(np.int64)
    moves -= moves.min()
    moved = np.zeros((height, width + int(moves.max())), np.float32)
    for row, move, old in zip(moved, moves, cut, strict=True):
        row[move : move + width] = old
    return _cut(moved)


def _cut(ink: np.ndarray) -> np.ndarray:
    """The smallest box with all ink."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(cut: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns = resize_matrix(cut.shape[0], height), resize_matrix(cut.shape[1], width)
    return rows @ cut @ columns.T
