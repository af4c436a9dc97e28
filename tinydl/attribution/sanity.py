"""Sanity checks: a map that explains a model has to change when the model is destroyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..nn import Module, looking
from ..nn.watch import Forward, shadowing
from ..random import Generator, default_generator
from .asking import on_model, samples


class Randomized(NamedTuple):
    """One stage: the module that was randomised last, and how similar each sample's map still is,
    (N,) float64 in -1 ... 1."""

    name: str
    similarity: np.ndarray


@checked
def cascading_randomization(
    model: Module,
    x: np.ndarray,
    method: Callable[[Module, np.ndarray], np.ndarray],
    rng: Generator | None = None,
) -> list[Randomized]:
    """Similarity of |method(model, x)| to what it was, as the layers from the last to the first
    lose what they learned.

    Stage by stage one module more, in the reverse order of the calls, has each of its parameters
    shuffled: their distribution stays. A method that shows what the model computes falls towards 0
    at once; one that stays high draws the edges of x, whatever the model is. The similarity is the
    rank correlation of the absolute values. method: arrays like x, or (N, H, W), such as
    `saliency`; fix the class in it, as the largest output changes. The model is left as it was.

    Raises ConfigError for a model without parameters, and for a method that returns no map.
    Adebayo et al. 2018 (arXiv:1810.03292), section 3.1, which draws new weights instead.
    """
    x = samples("cascading_randomization", model, x)
    rng = default_generator() if rng is None else rng
    kept = model.state_dict()
    kept = {name: np.array(value) for name, value in kept.items()}
    order = called_modules(model, x)
    if not order:
        raise ConfigError("cascading_randomization: the model calls no module with parameters")
    before, stages = _map(method, model, x), []
    try:
        for name in reversed(order):
            module = dict(model.named_modules())[name]
            state = module.state_dict()
            for own, parameter in module.named_parameters():
                if "." not in own:
                    numbers = np.array(parameter.numpy()).reshape(-1)
                    state[own] = numbers[rng.permutation(numbers.size)].reshape(parameter.shape)
            module.load_state_dict(state)
            after = _map(method, model, x)
            pairs = zip(before, after, strict=True)
            likeness = np.array([rank_correlation(a, b) for a, b in pairs])
            stages.append(Randomized(name, likeness))
    finally:
        model.load_state_dict(kept)
    return stages


def called_modules(model: Module, x: np.ndarray) -> list[str]:
    """The modules with parameters of their own in the order in which they are first called."""
    order: dict[str, None] = {}

    def wrap(name: str, module: Module, forward: Forward) -> Forward | None:
        if not any("." not in own for own, _ in module.named_parameters()):
            return None

        def watched(*inputs: Any, **options: Any) -> Any:
            order[name] = None
            return forward(*inputs, **options)

        return watched

    with shadowing(model, wrap), looking(model):
        model(on_model(model, x[:1]))
    return list(order)


def _map(method: Callable[..., Any], model: Module, x: np.ndarray) -> np.ndarray:
    found = np.abs(np.asarray(method(model, x), np.float64))
    if found.ndim < 2 or len(found) != len(x):
        raise ConfigError(
            f"cascading_randomization: method must give a map for each of {len(x)} samples, got "
            f"shape {found.shape}"
        )
    return found


@checked
def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of all numbers of two arrays of one shape: the correlation of
    their ranks, equal numbers sharing the mean of theirs. 0 where all numbers of one are equal, 1
    where that is so in both. ShapeError for other shapes. Spearman 1904."""
    if a.shape != b.shape or a.size < 2:
        raise ShapeError(f"rank_correlation: needs arrays of one shape, got {a.shape}, {b.shape}")
    first, second = (_ranks(v) for v in (a, b))
    first, second = first - first.mean(), second - second.mean()
    spread = np.sqrt((first @ first) * (second @ second))
    if spread == 0:
        return float(not first.any() and not second.any())
    return float(first @ second / spread)


def _ranks(values: np.ndarray) -> np.ndarray:
    """0 for the smallest number ...; equal ones have the mean of the places that they take."""
    _, place, count = np.unique(values.reshape(-1), return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count + 1) / 2)[place.reshape(-1)]
