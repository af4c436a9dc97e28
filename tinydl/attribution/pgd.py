"""Projected gradient descent: the strongest attack that first derivatives give."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import finite, whole
from ..doors import checked
from ..errors import ConfigError
from ..nn import Module
from ..random import Generator, default_generator
from .asking import chosen, classes_of, on_model, outputs_of, recorded, samples
from .fgsm import harm, size_of, within


@checked
def pgd(
    model: Module,
    x: np.ndarray,
    target: Any,
    epsilon: float,
    step: float | None = None,
    steps: int = 40,
    restarts: int = 1,
    low: float | None = 0.0,
    high: float | None = 1.0,
    rng: Generator | None = None,
) -> np.ndarray:
    """The worst x' with |x' - x| <= epsilon in every number that `restarts` searches find.

        x <- project(x + step sign(dL/dx)), steps times, from a uniform point of the box

    L is the cross-entropy of the true class; project: into the box of half-width epsilon around x,
    and into low ... high. Of the ends, each sample keeps the one at which another output is
    farthest above that of its class: wrong after any search is wrong.

    x (N, ...) float; target: the true classes, (N,) or one for all. step None: 2.5 epsilon / steps,
    so that the border is reached from every start. rng None: the default generator. Errors as in
    `fgsm`. Madry et al. 2018 (arXiv:1706.06083), section 2.1 and (for restarts) section 4.
    """
    x = samples("pgd", model, x)
    epsilon = size_of("pgd", epsilon, low, high)
    steps, restarts = whole("pgd", "steps", steps, 1), whole("pgd", "restarts", restarts, 1)
    step = 2.5 * epsilon / steps if step is None else finite("pgd", "step", step)
    if step < 0:
        raise ConfigError(f"pgd: step must be >= 0, got {step:g}")
    rng = default_generator() if rng is None else rng
    floor, roof = (within(x + x.dtype.type(e), low, high) for e in (-epsilon, epsilon))
    worst, most = x, np.full(len(x), -np.inf)
    for _ in range(restarts):
        # Drawn before the model is looked at, which puts every generator back.
        start = x + rng.uniform(x.shape, low=-epsilon, high=epsilon, dtype=x.dtype)
        with recorded(model):
            found = np.clip(start, floor, roof)
            for _ in range(steps):
                up = x.dtype.type(step) * np.sign(harm("pgd", model, found, target))
                found = np.clip(found + up, floor, roof)
            bad = _badness(model, found, target)
        better = (bad > most).reshape(-1, *[1] * (x.ndim - 1))
        worst, most = np.where(better, found, worst), np.maximum(bad, most)
    return worst


def _badness(model: Module, x: np.ndarray, target: Any) -> np.ndarray:
    """How far the best other output is above that of the class: > 0 where the attack succeeded."""
    outputs = outputs_of("pgd", model, on_model(model, x)).numpy().astype(np.float64)
    classes = classes_of("pgd", outputs, target)
    own = chosen(outputs, classes)
    outputs[np.arange(len(x)), classes] = -np.inf
    return outputs.max(axis=1) - own
