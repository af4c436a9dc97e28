"""Beginnings for learning: MAML, whose steps are differentiated, and Reptile, whose are not."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...errors import ConfigError
from ...function import enable_grad, no_grad
from ...random import Generator
from ...tensor import Tensor
from .tasks import Learner, Watcher, Weights, beginning, errors, for_each, leaves, slopes


class MAML(Learner):
    """min over w of sum over tasks of L(w - rate dL(w; x, y)/dw; x2, y2): a beginning w from which
    `steps` of gradient descent on a few points serve other points of the same task.

    | layer | output | parameters for 1-40-40-1 |
    |---|---|---|
    | Linear, relu | (T, K, 40) | 80 |
    | Linear, relu | (T, K, 40) | 1,640 |
    | Linear | (T, K, 1) | 41 |
    | all | | 1,761 |

    The gradient of the outer loss goes through the inner steps, so it holds second derivatives of
    the inner loss; first_order leaves them out and takes the gradient where the steps end.
    steps 0: one network for all tasks. Finn et al. 2017 (arXiv:1703.03400), algorithm 2. Raises
    ConfigError.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (1, 40, 40, 1),
        rate: float = 0.01,
        steps: int = 1,
        first_order: bool = False,
    ) -> None:
        _check("MAML", rate, steps, 0)
        self.sizes, self.rate, self.steps = tuple(sizes), rate, steps
        self.first_order = first_order
        self.weights = beginning("MAML", sizes)

    def learn(self, x: Tensor, y: Tensor, steps: int, watched: Watcher = None) -> Weights:
        return descended(leaves(for_each(self.weights, len(x))), x, y, steps, self.rate, watched)

    def loss(self, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor) -> Tensor:
        """The mean error of the tasks on x2, y2 after the inner steps, with their graph."""
        with enable_grad():  # the inner steps need slopes even where nobody needs those of the loss
            weights = for_each(self.weights, len(x))
            for _ in range(self.steps):
                along = slopes(x, y, weights, create_graph=not self.first_order)
                weights = [w - d * self.rate for w, d in zip(weights, along, strict=True)]
        return ops.mean(errors(x2, y2, weights))

    def outer(self, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor, rng: Generator) -> float:
        loss = self.loss(x, y, x2, y2)
        loss.backward()
        return loss.item()


class Reptile(Learner):
    """w <- w + outer rate * mean over tasks of (w_task - w), w_task after `steps` of gradient
    descent from w on the task's points: no gradient goes through a step.

    The layers of `MAML`. `.grad` is w - mean w_task, which any optimiser may follow; with SGD it is
    the update above. Both kinds of points of a task are learnt from. Nichol et al. 2018
    (arXiv:1803.02999), algorithm 2. Raises ConfigError.
    """

    def __init__(
        self, sizes: Sequence[int] = (1, 40, 40, 1), rate: float = 0.02, steps: int = 8
    ) -> None:
        _check("Reptile", rate, steps, 1)
        self.sizes, self.rate, self.steps = tuple(sizes), rate, steps
        self.weights = beginning("Reptile", sizes)

    def learn(self, x: Tensor, y: Tensor, steps: int, watched: Watcher = None) -> Weights:
        return descended(leaves(for_each(self.weights, len(x))), x, y, steps, self.rate, watched)

    def outer(self, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor, rng: Generator) -> float:
        x, y = ops.concat([x, x2], axis=1), ops.concat([y, y2], axis=1)
        ends = self.learn(x, y, self.steps)
        with no_grad():
            for p, end in zip(self.weights, ends, strict=True):
                p.grad = p.detach() - ops.mean(end, axis=0)
            return errors(x, y, ends).mean().item()


def descended(
    weights: Weights, x: Tensor, y: Tensor, steps: int, rate: float, watched: Watcher = None
) -> Weights:
    """After so many steps of gradient descent, each task by itself; leaves again and again."""
    if watched is not None:
        watched(weights)
    for _ in range(steps):
        along = slopes(x, y, weights)
        with no_grad():
            moved = [w - d * rate for w, d in zip(weights, along, strict=True)]
        weights = leaves(moved)
        if watched is not None:
            watched(weights)
    return weights


def _check(op: str, rate: float, steps: int, least: int) -> None:
    if not rate > 0 or steps < least:
        raise ConfigError(f"{op}: needs rate > 0 and steps >= {least}, got {rate} and {steps}")
