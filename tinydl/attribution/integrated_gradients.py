"""Integrated gradients: the whole change of the score, divided among the pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..arguments import array, whole
from ..doors import checked
from ..errors import ShapeError
from ..nn import Module
from .asking import chosen, classes_of, on_model, outputs_of, recorded, samples, slope


class IntegratedGradients(NamedTuple):
    """values: like x. change (N,) float64: f(x) - f(x0) of each sample. gap (N,) float64: |sum of
    the values - change|, which more steps make smaller."""

    values: np.ndarray
    change: np.ndarray
    gap: np.ndarray


@checked
def integrated_gradients(
    model: Module, x: np.ndarray, target: Any = None, baseline: Any = 0.0, steps: int = 64
) -> IntegratedGradients:
    """(x - x0) times the mean gradient of one output along the straight line from x0 to x.

        IG_i(x) = (x_i - x0_i) int_0^1 df/dx_i (x0 + t (x - x0)) dt

    by the midpoint rule: t = (k + 1/2) / steps for k = 0 ... steps - 1. The exact values sum to
    f(x) - f(x0) (completeness, proposition 1); `gap` says how far the steps are from that, and is
    to be shown beside every picture. A linear model has w_i (x_i - x0_i), with any steps.

    x, target, errors: as in `saliency`. baseline: x0, a number or an array that broadcasts to x.
    Sundararajan, Taly and Yan 2017 (arXiv:1703.01365), equation 1.
    """
    x = samples("integrated_gradients", model, x)
    steps = whole("integrated_gradients", "steps", steps, 1)
    start = array("integrated_gradients", "baseline", baseline).astype(x.dtype)
    try:
        start = np.broadcast_to(start, x.shape)
    except ValueError:
        raise ShapeError(
            f"integrated_gradients: baseline {start.shape} does not broadcast to x {x.shape}"
        ) from None
    total = np.zeros(x.shape, np.float64)
    with recorded(model):
        end = outputs_of("integrated_gradients", model, on_model(model, x)).numpy()
        classes = classes_of("integrated_gradients", end, target)
        begin = outputs_of("integrated_gradients", model, on_model(model, start)).numpy()
        for k in range(steps):
            t = x.dtype.type((k + 0.5) / steps)
            inputs = on_model(model, start + t * (x - start), requires_grad=True)
            outputs = outputs_of("integrated_gradients", model, inputs)
            total += slope(outputs, inputs, classes).numpy()
    values = (x - start) * (total / steps)  # float64
    change = chosen(end, classes) - chosen(begin, classes)
    gap = np.abs(values.reshape(len(x), -1).sum(axis=1) - change)
    return IntegratedGradients(values.astype(x.dtype), change, gap)
