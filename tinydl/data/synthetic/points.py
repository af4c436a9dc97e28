"""Points in the plane and in space: XOR, spirals, blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError
from ..types import Dataset, Samples

if TYPE_CHECKING:
    from ...random import Generator


@checked
def xor_points() -> Dataset:
    """(0,0), (0,1), (1,0), (1,1) -> 0, 1, 1, 0: four samples, which are the test part as well."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    y = np.array([0, 1, 1, 0], np.int64)
    return Dataset("xor_points", x, y, x.copy(), y.copy(), ("equal", "different"))


@checked
def spirals(
    n: int, classes: int, rng: Generator, noise: float = 0.1, turns: float = 0.75
) -> Samples:
    """Interleaved spiral arms in the plane: x (n, 2) float32 within the unit circle, y (n,) int64.

    r = (j + 1) / J for the j-th of J points of an arm, angle = 2 pi (k / classes + turns r) + noise
    * normal for class k. Sample i belongs to class i mod classes, so the classes differ by one
    sample at most.
    """
    check_classes(n, classes, "spirals")
    y = np.arange(n, dtype=np.int64) % classes
    r = (np.arange(n) // classes + 1) / -(-n // classes)
    angle = 2 * np.pi * (y / classes + turns * r) + noise * rng.normal(n, dtype=np.float64)
    x = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1).astype(np.float32)
    return Samples("spirals", x, y, tuple(str(k) for k in range(classes)))


@checked
def blobs(
    n: int, classes: int, rng: Generator, features: int = 2, separation: float = 5.0
) -> Samples:
    """Gaussian clouds: x (n, features) float32 = separation * centre[y] + normal.

    The centres are standard normal. Sample i belongs to class i mod classes; y (n,) int64.
    """
    check_classes(n, classes, "blobs")
    y = np.arange(n, dtype=np.int64) % classes
    centres = separation * rng.normal((classes, features))
    x = centres[y] + rng.normal((n, features))
    return Samples("blobs", x.astype(np.float32), y, tuple(str(k) for k in range(classes)))


def check_classes(n: int, classes: int, op: str) -> None:
    if classes < 1 or n < classes:
        raise ConfigError(f"{op}: needs n >= classes >= 1, got n {n} and classes {classes}")
