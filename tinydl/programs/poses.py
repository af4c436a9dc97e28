"""What becomes of a classifier's inside when its pictures are moved: asked of capsules and beside
them of a plain network."""

from __future__ import annotations

from math import cos, radians, sin
from typing import Any

import numpy as np

from ..data.augment.steps import Sample, transformed
from ..nn import looking
from ..random import Generator
from ..tensor import Tensor
from ..train import predict

LOOKED = 2_000  # pictures
TURN, SHIFT = 20.0, 3.0  # at most, in degrees and pixels


def moved(
    x: np.ndarray, rng: Generator, turn: float = TURN, shift: float = SHIFT
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures x (N, H, W, C), each turned and shifted by chance, what comes in being 0; and by how
    much, (N, 3): the angle as a share of `turn`, columns and rows as a share of `shift`."""
    amounts = rng.uniform((len(x), 3), low=-1.0, high=1.0)
    pictures = []
    for picture, (angle, right, down) in zip(x, amounts, strict=True):
        a = radians(turn * angle)
        matrix = np.array([[cos(a), sin(a)], [-sin(a), cos(a)]])
        pictures.append(transformed(Sample(picture), matrix, (shift * right, shift * down)).image)
    return np.stack(pictures).astype(x.dtype), amounts


def code_of(model: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What a model knows of pictures beside their class, (N, D): the capsule of the true class, or
    the `features` before the last layer."""
    found = []
    with looking(model):
        for n in range(0, len(x), 250):
            batch = Tensor(x[n : n + 250], backend=model.backend)
            if hasattr(model, "poses"):
                capsules = model.poses(batch).numpy()
                found.append(capsules[np.arange(len(capsules)), y[n : n + 250]])
            else:
                found.append(model.features(batch).numpy())
    return np.concatenate(found).astype(np.float64)


def moved_pictures(model: Any, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Of the first 2,000 pictures, turned by up to 20 degrees and shifted by up to 3 pixels:

    "moved_accuracy"; "equivariance", the share of the variance of the code's change that a linear
    function of angle and shift explains, one for each class, judged on pictures that it was not
    fitted to. A code that is invariant has no change to explain; one that pose is linear in has all
    of it explained."""
    x, y = x[:LOOKED], y[:LOOKED]
    pictures, amounts = moved(x, Generator(0))
    accuracy = float((predict(model, pictures).argmax(axis=-1) == y).mean())
    change = code_of(model, pictures, y) - code_of(model, x, y)
    return {"moved_accuracy": accuracy, "equivariance": explained(amounts, change, y)}


def components(rows: np.ndarray, count: int = 16) -> np.ndarray:
    """Rows (N, D) by their first `count` principal components, where they have more numbers."""
    if rows.shape[1] <= count:
        return rows
    away = rows - rows.mean(axis=0)
    return away @ np.linalg.svd(away, full_matrices=False)[2][:count].T


def explained(given: np.ndarray, wanted: np.ndarray, y: np.ndarray) -> float:
    """1 - (what is left of the variance of `wanted` (N, E) / that variance), after linear functions
    of `given` (N, D), one for each class: least squares with a ridge of 1e-3, fitted on every other
    picture and judged on the rest."""
    left = whole = 0.0
    for k in np.unique(y):
        rows = np.flatnonzero(y == k)
        fit, held = rows[::2], rows[1::2]
        a = np.column_stack([given, np.ones(len(given))])
        scale = max(float((a[fit] ** 2).mean()), 1e-12)
        gram = a[fit].T @ a[fit] + 1e-3 * scale * len(fit) * np.eye(a.shape[1])
        weights = np.linalg.solve(gram, a[fit].T @ wanted[fit])
        mean = wanted[fit].mean(axis=0)
        left += float(((wanted[held] - a[held] @ weights) ** 2).sum())
        whole += float(((wanted[held] - mean) ** 2).sum())
    return 1 - left / max(whole, 1e-12)
