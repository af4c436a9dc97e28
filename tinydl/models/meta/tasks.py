"""Many tasks at once: one small network with weights of its own for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from ... import ops
from ...errors import ConfigError
from ...function import enable_grad, grad, no_grad
from ...nn import Module, Parameter, init
from ...random import Generator, default_generator
from ...tensor import Tensor

#: W and b of each layer, the tasks in front: (T, in, out), (T, 1, out).
Weights = list[Tensor]
Watcher = Callable[[list[Tensor]], None] | None


class Learner(Module):
    """What learns tasks x (T, K, D) -> y (T, K, C): a multilayer perceptron with relu whose weights
    are handed over, so that every task can have its own.

    Subclasses say

    - learn(x, y, steps, watched=None) -> weights of every task after so many steps on its points;
      watched(weights) is called before the first and after every step
    - outer(x, y, x2, y2, rng) -> the loss; puts into `.grad` of its parameters what improves
      learning from x, y as judged by other points x2, y2 of the same tasks
    """

    sizes: tuple[int, ...]

    def learn(self, x: Tensor, y: Tensor, steps: int, watched: Watcher = None) -> Weights:
        raise NotImplementedError(f"{type(self).__name__} learns no tasks")

    def outer(self, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor, rng: Generator) -> float:
        raise NotImplementedError(f"{type(self).__name__} does not learn to learn")

    def curve(self, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor, steps: int) -> np.ndarray:
        """(steps + 1,): the mean squared error on x2, y2 after 0, 1, ... steps on x, y."""
        found: list[float] = []

        def look(weights: Weights) -> None:
            with no_grad():
                found.append(errors(x2, y2, weights).mean().item())

        self.learn(x, y, steps, look)
        return np.array(found)


def network(x: Tensor, weights: Weights) -> Tensor:
    """(T, K, C) of x (T, K, D) by the weights of each task."""
    for k in range(0, len(weights), 2):
        x = (x if k == 0 else ops.relu(x)) @ weights[k] + weights[k + 1]
    return x


def errors(x: Tensor, y: Tensor, weights: Weights) -> Tensor:
    """The mean squared error of each task, (T,)."""
    away = network(x, weights) - y
    return ops.mean(away * away, axis=(1, 2))


def slopes(
    x: Tensor, y: Tensor, weights: Weights, create_graph: bool = False
) -> tuple[Tensor, ...]:
    """Of each task's error along its own weights: the sum over tasks has these parts. Learning
    needs them within `no_grad` too."""
    with enable_grad():
        return grad(ops.sum(errors(x, y, weights)), weights, create_graph=create_graph)


def beginning(op: str, sizes: Sequence[int]) -> list[Parameter]:
    """One W (in, out) and one b (1, out) by layer, drawn; ConfigError for fewer than two sizes."""
    if len(sizes) < 2 or min(sizes) < 1:
        raise ConfigError(f"{op}: needs at least two sizes, got {tuple(sizes)}")
    rng, made = default_generator(), []
    for a, b in pairwise(sizes):
        made += [Parameter(init.draw("glorot_uniform", (a, b), rng))]
        made += [Parameter(init.draw("zeros", (1, b), rng))]
    return made


def for_each(parameters: Sequence[Tensor], tasks: int) -> Weights:
    """The same weights for every task, (T, ...), through which gradients reach the parameters."""
    return [ops.broadcast_to(p, (tasks, *p.shape)) for p in parameters]


def leaves(weights: Sequence[Tensor]) -> Weights:
    """The same numbers, where a graph begins anew."""
    return [Tensor(w.numpy(), backend=w.backend, requires_grad=True) for w in weights]
