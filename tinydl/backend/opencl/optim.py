"""Update rules on OpenCL, in place and in one launch each. Contract: backend/reference/optim.py."""

from __future__ import annotations

from .array import ClArray
from .arrays import Arrays


class Optim(Arrays):
    def sgd_step(
        self,
        param: ClArray,
        grad: ClArray,
        velocity: ClArray | None,
        lr: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        numbers = (float(lr), float(momentum), int(nesterov), float(weight_decay))
        self._update("sgd_step", grad, [param, velocity], numbers)

    def rmsprop_step(
        self,
        param: ClArray,
        grad: ClArray,
        square: ClArray,
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        numbers = (float(lr), float(rho), 1.0 - rho, float(eps), float(weight_decay))
        self._update("rmsprop_step", grad, [param, square], numbers)

    def adam_step(
        self,
        param: ClArray,
        grad: ClArray,
        mean: ClArray,
        square: ClArray,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        step: int,
    ) -> None:
        numbers = (
            *(float(lr), float(beta1), 1.0 - beta1, float(beta2), 1.0 - beta2, float(eps)),
            *(float(weight_decay), 1.0 - beta1**step, 1.0 - beta2**step),
        )
        self._update("adam_step", grad, [param, mean, square], numbers)

    def _update(
        self, name: str, grad: ClArray, written: list[ClArray | None], numbers: tuple
    ) -> None:
        """Launch name(param, grad, states ..., n, numbers ...); strided arrays are updated through
        a copy."""
        targets = [x if x is None or x.contiguous else self._contiguous(x) for x in written]
        param, *states = targets
        size = grad.size
        kernel = self.runtime.kernel("optim", grad.dtype, name)
        items = -(-size // self.runtime.vector_width(grad.dtype))
        arrays = (param, self._contiguous(grad), *states)
        self.runtime.light(kernel, items, *arrays, size, *numbers)
        for original, target in zip(written, targets, strict=True):
            if original is not None and target is not None and target is not original:
                self.copy_into(original, target)
