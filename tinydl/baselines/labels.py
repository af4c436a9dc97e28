"""Classes without a network: of a training part x (N, ...), y (N,), by the program's own metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..random import Generator
from ..tensor import Tensor

UPDATES, BATCH, PASSES = 2_000, 100, 10  # of logistic regression: the larger of updates and passes


def majority_class(training: Any, part: str) -> dict[str, float]:
    """The class that is most frequent in the training part."""
    y = training.parts.train[1].reshape(-1).astype(np.int64)  # the samples may lie in files
    counts, count = np.bincount(y, minlength=2), len(getattr(training.parts, part)[1])
    return judged(training, part, np.tile(counts.astype(float), (count, 1)))


def nearest_mean(training: Any, part: str) -> dict[str, float]:
    """The class whose mean sample m is nearest: the largest of x.m - |m|^2 / 2."""
    x, y = labelled(training, "train")
    means = np.stack([x[y == k].mean(axis=0, dtype=np.float64) for k in range(y.max() + 1)])
    away = -0.5 * (means**2).sum(axis=1)
    return judged(training, part, labelled(training, part)[0] @ means.T.astype(x.dtype) + away)


def logistic_regression(training: Any, part: str) -> dict[str, float]:
    """Linear scores of the classes by the smallest cross-entropy, as far as SGD comes. Batches of
    100 in an order drawn anew for each of ten passes (small parts: for 2,000 updates), features
    less their means, and a rate of 2 / (largest variance along any direction), the inverse of the
    most that the loss can bend (Boehning 1992), that falls to 0 in a line."""
    scores = logistic(*labelled(training, "train"))
    return judged(training, part, scores(labelled(training, part)[0]))


def logistic(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The function of rows (M, D) that gives the scores (M, classes) of `logistic_regression`."""
    mean = x.mean(axis=0, dtype=np.float64).astype(x.dtype)
    x, classes, rng = x - mean, y.max() + 1, Generator(0)
    weight, bias = np.zeros((x.shape[1], classes), x.dtype), np.zeros(classes, x.dtype)
    ones, size = np.eye(classes, dtype=x.dtype), min(BATCH, len(x))
    steps, rate = max(UPDATES, PASSES * len(x) // size), 2 / largest_variance(x[:2_000])
    batches: list[np.ndarray] = []
    for step in range(steps):
        if not batches:
            order = rng.permutation(len(x))
            batches = [order[k : k + size] for k in range(0, len(x) - size + 1, size)]
        rows = batches.pop()
        slope = softmax(x[rows] @ weight + bias) - ones[y[rows]]
        slope *= x.dtype.type(rate * (1 - step / steps) / size)
        weight -= x[rows].T @ slope
        bias -= slope.sum(axis=0)
    return lambda rows: (rows - mean) @ weight + bias


def largest_variance(x: np.ndarray) -> float:
    """The largest eigenvalue of X'X / N, by 20 steps of the power method."""
    along = np.ones(x.shape[1], x.dtype)
    for _ in range(20):
        along /= max(np.linalg.norm(along), 1e-12)
        along = (x @ along) @ x / len(x)
    return max(float(np.linalg.norm(along)), 1e-12)


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def labelled(training: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
    """A part as rows x (N, D) and classes y (N,) int64."""
    x, y = getattr(training.parts, part)
    return x.reshape(len(x), -1), y.reshape(-1).astype(np.int64)


def judged(training: Any, part: str, scores: np.ndarray) -> dict[str, float]:
    """Scores (N, classes) by the metric that the network is judged by; where that takes one logit
    for two classes, their difference."""
    _, y = getattr(training.parts, part)
    if y.dtype.kind == "f":
        scores = (scores[:, 1] - scores[:, 0]).reshape(y.shape)
    return {training.program.score: by_metric(training.program.metric, scores, y)}


def by_metric(metric: Any, outputs: np.ndarray, targets: np.ndarray) -> float:
    """The mean of a metric over all samples, on the reference backend."""
    made = Tensor(outputs.astype(np.float64), backend="numpy")
    kept = targets.astype(np.float64) if targets.dtype.kind == "f" else targets
    return float(metric(made, Tensor(kept, backend="numpy")).numpy().mean())
