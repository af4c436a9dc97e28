"""Update rules of float32 and float64 parameters: csrc/optim.c, in one pass, in place.

Parameters or states that are not C-contiguous, and other types, go to the reference.
"""

from __future__ import annotations

from .. import _optim as room
from ..reference.arrays import Array
from ..reference.optim import Optim as Reference
from .reduce import FLOATS
from .shape import contiguous


def _in_place(param: Array, *states: Array | None) -> bool:
    """True if the kernel can write all of them: it takes flat memory."""
    arrays = [param, *(a for a in states if a is not None)]
    return param.dtype in FLOATS and all(
        a.dtype == param.dtype and a.flags.c_contiguous for a in arrays
    )


class Optim(Reference):
    def sgd_step(
        self,
        param: Array,
        grad: Array,
        velocity: Array | None,
        lr: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        if not _in_place(param, velocity):
            Reference.sgd_step(self, param, grad, velocity, lr, momentum, nesterov, weight_decay)
        else:
            room.sgd_step(contiguous(grad), param, velocity, lr, momentum, nesterov, weight_decay)

    def rmsprop_step(
        self,
        param: Array,
        grad: Array,
        square: Array,
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        if not _in_place(param, square):
            Reference.rmsprop_step(self, param, grad, square, lr, rho, eps, weight_decay)
        else:
            room.rmsprop_step(contiguous(grad), param, square, lr, rho, eps, weight_decay)

    def adam_step(
        self,
        param: Array,
        grad: Array,
        mean: Array,
        square: Array,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        step: int,
    ) -> None:
        if not _in_place(param, mean, square):
            Reference.adam_step(
                self, param, grad, mean, square, lr, beta1, beta2, eps, weight_decay, step
            )
            return
        room.adam_step(
            contiguous(grad), param, mean, square, lr, beta1, beta2, eps, weight_decay,
            1 / (1 - beta1**step), 1 / (1 - beta2**step),
        )  # fmt: skip
