"""Update rules on OpenCL, in place and in one launch per parameter (Adam: of eight small ones),
without waiting for any of them. Contract: backend/reference/optim.py."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from struct import pack

from .array import ClArray
from .arrays import Arrays

#: Arrays of one launch, if each has at most SMALL elements; vectors of a work-item there on a CPU
#: device (EACH in kernels_cl/optim.cl).
EIGHT, SMALL, VECTORS = 8, 1 << 16, 16
#: Work-items that share out one array in `norms`.
PARTS = 64


class Optim(Arrays):
    def sgd_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        velocities: list[ClArray] | None,
        lr: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        numbers = (float(lr), float(momentum), int(nesterov), float(weight_decay))
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            velocity = None if velocities is None else velocities[i]
            self._update("sgd_step", grad, [param, velocity], numbers)

    def rmsprop_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        squares: list[ClArray],
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        numbers = (float(lr), float(rho), 1.0 - rho, float(eps), float(weight_decay))
        for param, grad, square in zip(params, grads, squares, strict=True):
            self._update("rmsprop_step", grad, [param, square], numbers)

    def adam_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        means: list[ClArray],
        squares: list[ClArray],
        largest: list[ClArray] | None,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        decoupled: bool,
        steps: tuple[int, ...],
    ) -> None:
        keep = 1.0 - lr * weight_decay if decoupled else 1.0
        decay = 0.0 if decoupled else float(weight_decay)
        fixed = (float(lr), float(beta1), 1.0 - beta1, float(beta2), 1.0 - beta2, float(eps))
        together: dict[int, list[tuple[ClArray, ...]]] = {}  # of one step, small and packed
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            written = (param, means[i], squares[i])
            if largest is None and param.size <= SMALL and all(x.contiguous for x in written):
                one = (param, self._contiguous(grad), means[i], squares[i])
                together.setdefault(steps[i], []).append(one)
                continue
            most = None if largest is None else largest[i]
            numbers = (*fixed, decay, keep, *_corrections(beta1, beta2, steps[i]))
            self._update("adam_step", grad, [*written, most], numbers)
        for step, arrays in together.items():
            numbers = (*fixed, decay, keep, *_corrections(beta1, beta2, step))
            for first in range(0, len(arrays), EIGHT):
                self._update_eight("adam_eight", arrays[first : first + EIGHT], numbers)

    def adagrad_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        squares: list[ClArray],
        lr: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        numbers = (float(lr), float(eps), float(weight_decay))
        for param, grad, square in zip(params, grads, squares, strict=True):
            self._update("adagrad_step", grad, [param, square], numbers)

    def adadelta_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        squares: list[ClArray],
        deltas: list[ClArray],
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        numbers = (float(lr), float(rho), 1.0 - rho, float(eps), float(weight_decay))
        for param, grad, square, delta in zip(params, grads, squares, deltas, strict=True):
            self._update("adadelta_step", grad, [param, square, delta], numbers)

    def centred_rmsprop_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        squares: list[ClArray],
        means: list[ClArray] | None,
        velocities: list[ClArray] | None,
        lr: float,
        rho: float,
        momentum: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        rates = (float(rho), 1.0 - rho, float(momentum), float(eps), float(weight_decay))
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            mean = None if means is None else means[i]
            velocity = None if velocities is None else velocities[i]
            written = [param, squares[i], mean, velocity]
            self._update("centred_rmsprop_step", grad, written, (float(lr), *rates))

    def adamax_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        means: list[ClArray],
        largest: list[ClArray],
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        steps: tuple[int, ...],
    ) -> None:
        rates = (float(beta1), 1.0 - beta1, float(beta2), float(eps), float(weight_decay))
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            numbers = (lr / (1.0 - beta1 ** steps[i]), *rates)
            self._update("adamax_step", grad, [param, means[i], largest[i]], numbers)

    def nadam_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        means: list[ClArray],
        squares: list[ClArray],
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        steps: tuple[int, ...],
        weights: tuple[tuple[float, float], ...],
    ) -> None:
        rates = (float(beta1), 1.0 - beta1, float(beta2), 1.0 - beta2, float(eps))
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            ahead, now = weights[i]
            numbers = (lr * ahead, lr * now, *rates, float(weight_decay), 1.0 - beta2 ** steps[i])
            self._update("nadam_step", grad, [param, means[i], squares[i]], numbers)

    def rprop_step(
        self,
        params: list[ClArray],
        grads: list[ClArray],
        before: list[ClArray],
        sizes: list[ClArray],
        lr: float,
        shrink: float,
        grow: float,
        smallest: float,
        largest: float,
        weight_decay: float,
    ) -> None:
        rates = (float(lr), float(shrink), float(grow), float(smallest), float(largest))
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            written = [param, before[i], sizes[i]]
            self._update("rprop_step", grad, written, (*rates, float(weight_decay)))

    def _update_eight(
        self, name: str, arrays: list[tuple[ClArray, ...]], numbers: tuple[float, ...]
    ) -> None:
        """Launch name(8 arrays of each kind, ends, sizes, numbers ...) for at most eight arrays;
        the places that are left have no elements."""
        dtype = arrays[0][0].dtype
        each = (1 if self.runtime.is_gpu else VECTORS) * self.runtime.vector_width(dtype)
        sizes = [one[0].size for one in arrays]
        ends = list(accumulate(-(-size // each) for size in sizes))
        missing = EIGHT - len(arrays)
        filled = [*arrays, *[arrays[0]] * missing]
        ends, sizes = ends + ends[-1:] * missing, sizes + [0] * missing
        kernel = self.runtime.kernel("optim", dtype, name)
        kinds = [x for kind in zip(*filled, strict=True) for x in kind]
        layout = pack("8i", *ends), pack("8i", *sizes)
        self.runtime.light(kernel, ends[-1], *kinds, *layout, *numbers)

    def _update(
        self, name: str, grad: ClArray, written: Sequence[ClArray | None], numbers: tuple
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

    def norms(self, arrays: list[ClArray]) -> ClArray:
        dtype, count = arrays[0].dtype, len(arrays)
        parts = self.empty((count * PARTS,), dtype)
        partial = self.runtime.kernel("optim", dtype, "partial_norms")
        for i, x in enumerate(arrays):
            self.runtime.light(partial, PARTS, self._contiguous(x), parts, x.size, i * PARTS, PARTS)
        found = self.empty((count,), dtype)
        joined = self.runtime.kernel("optim", dtype, "joined_norms")
        self.runtime.light(joined, count, parts, found, count, PARTS)
        return found


def _corrections(beta1: float, beta2: float, step: int) -> tuple[float, float]:
    """Of the biased means after so many steps."""
    return 1.0 - beta1**step, 1.0 - beta2**step
