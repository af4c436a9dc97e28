"""What is checked of every model: one row each, by family in cases/models_<family>.py.

A row builds the model twice: small, for derivatives, overfitting, saving and backends; and as large
as the book or paper has it, without numbers, to count its parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinydl import Tensor, no_grad
from tinydl.nn import Module, Parameter

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class ModelCase:
    """One model.

    small(): the model in toy size, with nothing random in its forward pass. batch(rng, n): arrays
    (inputs..., targets) of n samples, rng a numpy Generator; floats are float64 and converted.
    loss(model, *tensors): the whole loss, one number. full(): the model as published, with
    `parameters` trained numbers. inputs: how many of the arrays
    the model takes. overfit: what fraction of its first value the loss falls below in at most
    `steps` steps of Adam with rate lr on eight samples. outputs(model, *inputs): what must be equal
    after saving and on all backends, a tensor or several.
    """

    name: str
    small: Callable[[], Module]
    batch: Callable[[Any, int], Arrays]
    loss: Callable[..., Tensor]
    full: Callable[[], Module]
    parameters: int
    inputs: int = 1
    overfit: float = 0.1
    steps: int = 60
    lr: float = 0.01
    samples: int = 8
    outputs: Callable[..., Any] = lambda model, *inputs: model(*inputs)

    def __str__(self) -> str:
        return self.name


def slopes(
    model: Module, loss: Callable[[], Tensor], named: dict[str, Parameter], step: float = 1e-7
) -> tuple[float, float, list[str]]:
    """(measured, differentiated) slope of the loss along one random direction of these parameters
    of a float64 model, all others fixed; and the names of those without a gradient."""
    model.zero_grad()
    loss().backward()
    rng, here = np.random.default_rng(3), model.state_dict()
    directions = {name: rng.normal(size=p.shape) for name, p in named.items()}
    used = {name: p.grad for name, p in named.items()}
    slope = sum(np.vdot(g.numpy(), directions[n]) for n, g in used.items() if g is not None)
    ends = []
    for sign in (1, -1):
        moved = {n: here[n] + sign * step * d for n, d in directions.items()}
        model.load_state_dict({**here, **moved})
        with no_grad():
            ends.append(loss().item())
    model.load_state_dict(here)
    absent = [n for n, g in used.items() if g is None]
    return (ends[0] - ends[1]) / (2 * step), float(slope), absent
