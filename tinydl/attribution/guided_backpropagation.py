"""Guided back-propagation: a gradient that forgets whatever argues against the class."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..doors import checked
from ..function import Function
from ..nn import Module
from ..ops import relu
from ..ops.activations import Relu
from ..tensor import Tensor
from .asking import classes_of, on_model, outputs_of, recorded, samples, slope


@checked
def guided_backpropagation(model: Module, x: np.ndarray, target: Any = None) -> np.ndarray:
    """The gradient of `saliency`, but every ReLU passes only what is positive, on both ways.

    With y = relu(x), g = dS/dy, the derivative of the ReLU is (x > 0) g; guided is

        (x > 0) (g > 0) g

    so that no unit can lower the score. The pictures are sharp, and nearly the same whatever the
    later layers are: `cascading_randomization` shows it. A model without a ReLU has its gradient.

    x, target, result, errors: as in `saliency`. Springenberg et al. 2015 (arXiv:1412.6806), section
    3.4 and figure 1; shown to recover the picture: Nie, Zhang and Patel 2018 (arXiv:1805.07039).
    """
    x = samples("guided_backpropagation", model, x)
    with recorded(model):
        inputs = on_model(model, x, requires_grad=True)
        outputs = outputs_of("guided_backpropagation", model, inputs)
        classes = classes_of("guided_backpropagation", outputs.numpy(), target)
        for node in _rectifiers(outputs):
            # What a hook returns takes the place of g, before the ReLU's own derivative.
            node.hooks = {"guided": relu}
        return np.array(slope(outputs, inputs, classes).numpy())


def _rectifiers(outputs: Tensor) -> list[Function]:
    """Every relu that was recorded on the way to the outputs, whoever called it."""
    seen: set[Function] = set()
    stack = [outputs.node]
    while stack:
        node = stack.pop()
        if isinstance(node, Function) and node not in seen:
            seen.add(node)
            stack.extend(node.parents)
    return [node for node in seen if isinstance(node, Relu)]
