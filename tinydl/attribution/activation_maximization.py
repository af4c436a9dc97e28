"""Activation maximisation: the picture that a class likes best."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import finite, whole
from ..doors import checked
from ..errors import ConfigError
from ..nn import Module
from .asking import classes_of, on_model, outputs_of, recorded, samples, slope


@checked
def activation_maximization(
    model: Module,
    start: np.ndarray,
    target: Any,
    steps: int = 200,
    lr: float = 0.1,
    decay: float = 0.1,
    low: float | None = None,
    high: float | None = None,
) -> np.ndarray:
    """argmax_x S_c(x) - decay |x|^2, by gradient ascent from `start`.

    x <- x + lr (dS_c/dx - 2 decay x), steps times, kept within low ... high where they are given.
    A linear model S = w x + b has the maximum w / (2 decay), and every step brings x nearer by the
    factor 1 - 2 lr decay. Of a deep model it is one of many maxima, and no picture that the model
    was ever shown.

    start (N, ...) float: noise, zeros, or a picture. target, errors: as in `saliency`. ConfigError
    for steps < 1, lr <= 0, decay < 0, and where 2 lr decay >= 2, which goes astray. Simonyan,
    Vedaldi and Zisserman 2014 (arXiv:1312.6034), section 2, equation 1; Erhan et al. 2009.
    """
    op = "activation_maximization"
    x = samples(op, model, start)
    steps, lr, decay = (
        whole(op, "steps", steps, 1),
        finite(op, "lr", lr),
        finite(op, "decay", decay),
    )
    if not (lr > 0 and decay >= 0 and lr * decay < 1):
        raise ConfigError(
            f"{op}: needs lr > 0, decay >= 0 and lr * decay < 1, got lr {lr:g}, decay {decay:g}"
        )
    bounds = low is not None or high is not None
    if low is not None and high is not None and not low < high:
        raise ConfigError(f"{op}: needs low < high, got {low:g} and {high:g}")
    with recorded(model):
        for _ in range(steps):
            inputs = on_model(model, x, requires_grad=True)
            outputs = outputs_of(op, model, inputs)
            up = slope(outputs, inputs, classes_of(op, outputs.numpy(), target)).numpy()
            x = x + x.dtype.type(lr) * (up - x.dtype.type(2 * decay) * x)
            x = np.clip(x, low, high) if bounds else x
    return x
