"""Gradient saliency: which pixels the score changes most with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..doors import checked
from ..nn import Module
from .asking import classes_of, on_model, outputs_of, recorded, samples, slope


@checked
def saliency(model: Module, x: np.ndarray, target: Any = None) -> np.ndarray:
    """d S_c(x) / d x, the gradient of one output (before the softmax) at each sample.

    S_c(x') is near S_c(x) + w (x' - x) with w this gradient. A model that is linear in x has its
    weights as the answer, whatever x is; where a unit is saturated, w is 0 although the score
    depends on it (`integrated_gradients`).

    model: gives (N, C) for x (N, ...) float; it is left as it was. target: the output c, one for
    all samples or (N,); None: the largest. Result: an array like x, with signs; a picture of it is
    the largest |w| over the channels. Raises ShapeError, DTypeError, IndexRangeError. Simonyan,
    Vedaldi and Zisserman 2014 (arXiv:1312.6034), section 3, equations 3 to 4.
    """
    x = samples("saliency", model, x)
    with recorded(model):
        inputs = on_model(model, x, requires_grad=True)
        outputs = outputs_of("saliency", model, inputs)
        classes = classes_of("saliency", outputs.numpy(), target)
        return np.array(slope(outputs, inputs, classes).numpy())
