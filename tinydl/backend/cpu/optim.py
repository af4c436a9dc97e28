"""Update rules of float32 and float64 parameters: csrc/optim.c, in one pass, in place.

Lists with an array that is not C-contiguous, and other types, go to the reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _optim as room
from ..reference.arrays import Array
from ..reference.optim import Optim as Reference
from .reduce import FLOATS


def _double(arrays: list[Array]) -> bool | None:
    """True for float64, False for float32, None for what the room does not take."""
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
        if double is None or not room.sgd_step(params, grads, velocities, double, *numbers):
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
        if double is None or not room.rmsprop_step(params, grads, squares, double, *numbers):
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
        if double is None or not room.adam_step(*lists, double, *numbers):
            Reference.adam_step(self, *lists, *numbers)

    def norms(self, arrays: list[Array]) -> Array:
        double, found = _double(arrays), np.empty(len(arrays))
        # an infinity may be a float64 whose square is one: the reference scales
        if double is None or not room.norms(arrays, double, found) or not np.isfinite(found).all():
            return Reference.norms(self, arrays)
        return found.astype(arrays[0].dtype)
