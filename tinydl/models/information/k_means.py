"""k-means: rows to their nearest centres, centres to the means of their rows, again and again."""

from __future__ import annotations

import numpy as np

from ...errors import ConfigError, ShapeError


def k_means(rows: np.ndarray, centres: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(centres (K, D), the number of its centre for each row (N,)) after so many steps.

    rows (N, D), centres (K, D): where it begins, for instance K of the rows. No step raises the sum
    of squared distances to the nearest centre, whose local minimum it finds; another beginning may
    find a lower one. A centre without rows stays. Lloyd 1982, doi:10.1109/TIT.1982.1056489. Raises
    ShapeError, ConfigError for steps < 1.
    """
    if rows.ndim != 2 or centres.ndim != 2 or rows.shape[1] != centres.shape[1]:
        raise ShapeError(f"k_means: needs (N, D) and (K, D), got {rows.shape}, {centres.shape}")
    if steps < 1 or 0 in centres.shape:
        raise ConfigError(f"k_means: needs steps and centres, got {steps} and {len(centres)}")
    for _ in range(steps):
        near = nearest(rows, centres)
        means = [rows[near == k].mean(axis=0) for k in np.unique(near)]
        centres = centres.copy()
        centres[np.unique(near)] = means
    return centres, near


def nearest(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """|x - c|^2 is least where x.c - |c|^2 / 2 is largest."""
    return (rows @ centres.T - 0.5 * (centres**2).sum(axis=1)).argmax(axis=1)
