"""Update rules of float32 and float64 parameters: csrc/optim.c, in one pass, in place.

Lists with an array that is not C-contiguous, and other types, go to the reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..reference.arrays import Array
from ..reference.optim import Optim as Reference
from . import _optim as compiled
from .reduce import FLOATS


def _double(arrays: list[Array]) -> bool | None:
    """True for float64, False for float32, None for what the kernels do not take."""
    dtype = arrays[0].dtype if arrays else None
    return dtype == np.float64 if dtype in FLOATS else None


class Optim(Reference):
    def sgd_step(
        self,
        params: list[Array],
        grads: list[Array],
        velocities: list[Array] | None,
        lr: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        double = _double(params)
        numbers = lr, momentum, nesterov, weight_decay
        if double is None or not compiled.sgd_step(params, grads, velocities, double, *numbers):
            Reference.sgd_step(self, params, grads, velocities, *numbers)

    def rmsprop_step(
        self,
        params: list[Array],
        grads: list[Array],
        squares: list[Array],
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        double = _double(params)
        numbers = lr, rho, eps, weight_decay
        if double is None or not compiled.rmsprop_step(params, grads, squares, double, *numbers):
            Reference.rmsprop_step(self, params, grads, squares, *numbers)

    def adam_step(
        self,
        params: list[Array],
        grads: list[Array],
        means: list[Array],
        squares: list[Array],
        largest: list[Array] | None,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        decoupled: bool,
        steps: tuple[int, ...],
    ) -> None:
        double = _double(params)
        lists = params, grads, means, squares, largest
        numbers: Any = lr, beta1, beta2, eps, weight_decay, decoupled, steps
        if double is None or not compiled.adam_step(*lists, double, *numbers):
            Reference.adam_step(self, *lists, *numbers)

    def adagrad_step(
        self,
        params: list[Array],
        grads: list[Array],
        squares: list[Array],
        lr: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        double = _double(params)
        lists = params, grads, squares
        numbers = lr, eps, weight_decay
        if double is None or not compiled.adagrad_step(*lists, double, *numbers):
            Reference.adagrad_step(self, *lists, *numbers)

    def adadelta_step(
        self,
        params: list[Array],
        grads: list[Array],
        squares: list[Array],
        deltas: list[Array],
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        double = _double(params)
        lists = params, grads, squares, deltas
        numbers = lr, rho, eps, weight_decay
        if double is None or not compiled.adadelta_step(*lists, double, *numbers):
            Reference.adadelta_step(self, *lists, *numbers)

    def centred_rmsprop_step(
        self,
        params: list[Array],
        grads: list[Array],
        squares: list[Array],
        means: list[Array] | None,
        velocities: list[Array] | None,
        lr: float,
        rho: float,
        momentum: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        double = _double(params)
        lists = params, grads, squares, means, velocities
        numbers = lr, rho, momentum, eps, weight_decay
        if double is None or not compiled.centred_rmsprop_step(*lists, double, *numbers):
            Reference.centred_rmsprop_step(self, *lists, *numbers)

    def adamax_step(
        self,
        params: list[Array],
        grads: list[Array],
        means: list[Array],
        largest: list[Array],
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        steps: tuple[int, ...],
    ) -> None:
        double = _double(params)
        lists = params, grads, means, largest
        numbers: Any = lr, beta1, beta2, eps, weight_decay, steps
        if double is None or not compiled.adamax_step(*lists, double, *numbers):
            Reference.adamax_step(self, *lists, *numbers)

    def nadam_step(
        self,
        params: list[Array],
        grads: list[Array],
        means: list[Array],
        squares: list[Array],
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        steps: tuple[int, ...],
        weights: tuple[tuple[float, float], ...],
    ) -> None:
        double = _double(params)
        lists = params, grads, means, squares
        numbers: Any = lr, beta1, beta2, eps, weight_decay, steps, weights
        if double is None or not compiled.nadam_step(*lists, double, *numbers):
            Reference.nadam_step(self, *lists, *numbers)

    def rprop_step(
        self,
        params: list[Array],
        grads: list[Array],
        before: list[Array],
        sizes: list[Array],
        lr: float,
        shrink: float,
        grow: float,
        smallest: float,
        largest: float,
        weight_decay: float,
    ) -> None:
        double = _double(params)
        lists = params, grads, before, sizes
        numbers = lr, shrink, grow, smallest, largest, weight_decay
        if double is None or not compiled.rprop_step(*lists, double, *numbers):
            Reference.rprop_step(self, *lists, *numbers)

    def norms(self, arrays: list[Array]) -> Array:
        double, found = _double(arrays), np.empty(len(arrays))
        # an infinity may be a float64 whose square is one: the reference scales
        if (
            double is None
            or not compiled.norms(arrays, double, found)
            or not np.isfinite(found).all()
        ):
            return Reference.norms(self, arrays)
        return found.astype(arrays[0].dtype)
