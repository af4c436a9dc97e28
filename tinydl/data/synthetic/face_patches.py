"""Patches with and without a face, for a detector: photographs moved about, and what they are not.

A made-up task on real faces: displacement, scale, brightness and backgrounds are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError, ShapeError
from ..prepare import resize_matrix
from ..types import Dataset, Samples

if TYPE_CHECKING:
    from ...random import Generator

TRAINING_PEOPLE = 30  # of the forty; the detector is tested on the other ten


@checked
def face_patches(
    faces: Samples, n_train: int, n_test: int, rng: Generator, size: int = 38
) -> Dataset:
    """Grey patches x (N, size, size, 1) float32 in [0, 1], y (N, 1, 1) float32: 1 for a face.

    faces: `orl_faces()`. Half of the patches hold a face, up to a tenth of the size off the middle
    and 80 to 110 % of it; of the others, half show a smooth texture and half a face that lies more
    than four tenths of the size away. Training and test people differ. Raises ConfigError, and
    ShapeError for other photographs.
    """
    if n_train < 2 or n_test < 2 or size < 16:
        raise ConfigError(
            f"face_patches: needs two patches each and size >= 16, got {n_train}, {n_test}, {size}"
        )
    if faces.x.ndim != 3 or faces.x.shape[1] < 102 or faces.y.shape != faces.x.shape[:1]:
        raise ShapeError(
            f"face_patches: needs photographs (N, 112, 92) and people (N,), "
            f"got {faces.x.shape} and {faces.y.shape}"
        )
    own = faces.y < TRAINING_PEOPLE
    if own.all() or not own.any():
        raise ShapeError("face_patches: needs people below and from 30 on")
    parts = [_patches(faces.x[kept], n, rng, size) for kept, n in ((own, n_train), (~own, n_test))]
    (x_train, y_train), (x_test, y_test) = parts
    return Dataset("face_patches", x_train, y_train, x_test, y_test, ())


def _patches(
    photographs: np.ndarray, n: int, rng: Generator, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Patch i is a face for even i, a texture for i = 1, 5, ..., a piece of one for 3, 7, ..."""
    x = np.empty((n, size, size), np.float32)  # first of all: what there is no room for, ends here
    for patch in x:
        patch[:] = _texture(rng, size)
    which = rng.integers(0, len(photographs), n)
    scales = 0.8 + 0.3 * rng.uniform(n)
    near = 0.1 * size * (2 * rng.uniform((n, 2)) - 1)
    angle = 2 * np.pi * rng.uniform(n)
    far = (
        size * (0.45 + 0.35 * rng.uniform(n))[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    )
    for i in range(n):
        if i % 4 != 1:
            place = near[i] if i % 2 == 0 else far[i]
            _paste(x[i], photographs[which[i]], round(scales[i] * size), place)
    x *= (0.7 + 0.3 * rng.uniform(n)).astype(np.float32)[:, None, None]
    x += 0.02 * rng.normal(x.shape)
    y = (np.arange(n) % 2 == 0).astype(np.float32)[:, None, None]
    return np.clip(x, 0, 1)[..., None].astype(np.float32), y


def _texture(rng: Generator, size: int) -> np.ndarray:
    """Smooth noise: a few random numbers, enlarged."""
    cells = int(rng.integers(2, 8, 1)[0])
    enlarge = resize_matrix(cells, size)
    return (enlarge @ rng.uniform((cells, cells)) @ enlarge.T).astype(np.float32)


def _paste(patch: np.ndarray, photograph: np.ndarray, side: int, away: np.ndarray) -> None:
    """The middle square of a uint8 photograph (112, 92), `side` pixels wide, `away` off centre."""
    square = photograph[10:102].astype(np.float32) / 255
    shrink = resize_matrix(len(square), side)
    face = shrink @ square @ shrink.T
    top, left = (round((len(patch) - side) / 2 + shift) for shift in away)
    rows = slice(max(0, top), min(len(patch), top + side))
    columns = slice(max(0, left), min(len(patch), left + side))
    patch[rows, columns] = face[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
