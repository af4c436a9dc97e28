"""Pictures given back, cleaned and coloured without a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..models.autoencoders.colouring import MeanChroma, chroma, chroma_error
from ..programs.restoring import decibels, greyed, mean_square

FITTED = 20_000  # pictures that a linear method is fitted to
RIDGE = 1e-3  # of the mean of X'X's diagonal


def mean_picture(training: Any, part: str) -> dict[str, float]:
    """The training part's mean picture, whatever is shown."""
    data, score = training.data, training.program.score
    mean = data.train.mean(axis=0, dtype=np.float64)
    return {score: decibels(mean, data.test) if score == "psnr" else mean_square(data.test - mean)}


def principal_components(training: Any, part: str) -> dict[str, float]:
    """As many principal components of 20,000 training pictures as the code has numbers."""
    data, count = training.data, training.program.architecture["code"]
    x = _rows(data.train[:FITTED])
    mean = x.mean(axis=0)
    axes = np.linalg.eigh(np.cov((x - mean).T))[1][:, -count:]  # eigh: the largest come last
    away = _rows(data.test) - mean
    return {"mse": mean_square(away - away @ axes @ axes.T)}


def ridge_filter(training: Any, part: str) -> dict[str, float]:
    """The linear map from noisy to clean pictures with the smallest squared error on 20,000 pairs
    of the training part, and a thousandth of the mean of X'X's diagonal on it."""
    data, task = training.data, training.program.task
    clean = data.train[:FITTED]
    x, y = _rows(task.damaged(clean, 1)), _rows(clean)
    mean, middle = x.mean(axis=0), y.mean(axis=0)
    products = (x - mean).T @ (x - mean)
    products[np.diag_indices_from(products)] += RIDGE * np.trace(products) / len(products)
    weight = np.linalg.solve(products, (x - mean).T @ (y - middle))
    guess = (_rows(task.damaged(data.test, 0)) - mean) @ weight + middle
    return {"psnr": decibels(guess, _rows(data.test))}


def _rows(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1).astype(np.float64)


def grey_alone(training: Any, part: str) -> dict[str, float]:
    """No colour at all: the grey picture."""
    x = training.data.test
    return {"chroma": mean_square(chroma(x)), "mse": mean_square(greyed(x) - x)}


def mean_chroma(training: Any, part: str) -> dict[str, float]:
    """Every grey level gets the mean chroma that it has in the training pictures."""
    data = training.data
    guess = MeanChroma(data.train)(greyed(data.test))
    return {"chroma": chroma_error(guess, data.test), "mse": mean_square(guess - data.test)}
