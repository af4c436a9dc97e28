"""The fast gradient sign method: one step that harms most, as the gradient sees it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import finite
from ..doors import checked
from ..errors import ConfigError
from ..function import grad
from ..nn import Module, cross_entropy
from .asking import classes_of, on_model, outputs_of, recorded, samples


@checked
def fgsm(
    model: Module,
    x: np.ndarray,
    target: Any,
    epsilon: float,
    low: float | None = 0.0,
    high: float | None = 1.0,
) -> np.ndarray:
    """x + epsilon sign(dL/dx), L the cross-entropy of the true class, kept within low ... high.

    Of all changes by at most epsilon in every number this raises a linear L the most. Where the
    gradient is 0, nothing changes.

    x (N, ...) float; target: the true classes, (N,) or one for all. low, high: the least and the
    largest value of a pixel; None: no bound. Errors as in `saliency`; ConfigError for epsilon < 0.
    Goodfellow, Shlens and Szegedy 2015 (arXiv:1412.6572), section 4.
    """
    x = samples("fgsm", model, x)
    epsilon = size_of("fgsm", epsilon, low, high)
    with recorded(model):
        found = x + x.dtype.type(epsilon) * np.sign(harm("fgsm", model, x, target))
    return within(found, low, high)


def size_of(op: str, epsilon: float, low: float | None, high: float | None) -> float:
    """epsilon >= 0 and low < high, or ConfigError."""
    epsilon = finite(op, "epsilon", epsilon)
    if epsilon < 0 or (low is not None and high is not None and not low < high):
        raise ConfigError(
            f"{op}: needs epsilon >= 0 and low < high, got {epsilon:g}, {low} and {high}"
        )
    return epsilon


def harm(op: str, model: Module, x: np.ndarray, target: Any) -> np.ndarray:
    """dL/dx, L the sum over the samples of the cross-entropy of their classes."""
    inputs = on_model(model, x, requires_grad=True)
    outputs = outputs_of(op, model, inputs)
    classes = classes_of(op, outputs.numpy(), target)
    loss = cross_entropy(outputs, on_model(model, classes), reduction="sum")
    return grad(loss, inputs)[0].numpy()


def within(x: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """x, not below low and not above high."""
    return x if low is None and high is None else np.clip(x, low, high)
