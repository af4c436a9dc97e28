"""Is backward the derivative of forward? A comparison with differences along random directions.

With y = f(x), a random direction v and a random cotangent c, both sides of

    <c, J v>  =  <J^T c, v>        J = dy/dx

are numbers: the left one is measured by central differences, the right one is what backward
computes. One comparison costs two evaluations whatever the sizes, and any wrong entry of J^T c
shows with probability 1. The second order is the same comparison for the map (x, c) -> J^T c,
which contains the derivatives of backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import DTypeError, TinydlError
from ..function import enable_grad, grad, no_grad
from ..random import Generator
from ..tensor import Tensor

Arrays = list[np.ndarray]
#: values of the differentiated inputs -> values of the outputs
Values = Callable[[Arrays], Arrays]
#: leaves -> recorded outputs
Recorded = Callable[[list[Tensor]], list[Tensor]]

#: Step of central differences: rounding u / eps (u = 2.2e-16) and truncation eps^2 meet at u^(1/3).
EPS = 6e-6
LARGEST_JACOBIAN = 20_000


class GradientError(TinydlError, AssertionError):
    """Backward and differences disagree; names the input, both numbers and the worst entry."""


def check_grads(
    f: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    order: int = 2,
    eps: float | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    rng: Generator | None = None,
) -> float:
    """Compare derivatives of f with central differences: |a - b| <= atol + rtol * max(|a|, |b|).

    f: tensors -> tensor (or a sequence of them), a pure function without kinks near the inputs.
    inputs: float64 tensors; integer and bool tensors among them are constants.
    order: 1, 2 or more. eps: step along a direction of normal deviates (default 6e-6).
    rng: draws directions and cotangents (default Generator(0)).
    Returns the largest |a - b| / max(|a|, |b|, 1) seen.
    Raises GradientError where they disagree, DTypeError for float32.

    For your own operation:

    >>> import tinydl
    >>> from tinydl.testing import check_grads
    >>> class Cube(tinydl.Function):
    ...     saves = (0,)
    ...
    ...     def forward(self, x):
    ...         return self.backend.multiply(x, self.backend.multiply(x, x))
    ...
    ...     def backward(self, grad):
    ...         (x,) = self.saved
    ...         return 3.0 * x * x * grad
    >>> x = tinydl.normal((4, 3), dtype="float64", rng=tinydl.Generator(1), backend="numpy")
    >>> check_grads(lambda x: Cube().apply(x), x) < 1e-8
    True
    """
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    places = _floating(tensors)
    generator = Generator(0) if rng is None else rng
    step = EPS if eps is None else eps
    backend = tensors[0].backend

    def run(leaves: list[Tensor]) -> list[Tensor]:
        arguments = list(tensors)
        for place, leaf in zip(places, leaves, strict=True):
            arguments[place] = leaf
        return _outputs(f(*arguments))

    def measure(arrays: Arrays) -> Arrays:
        with no_grad():
            return [_host(y) for y in run([Tensor(a, backend=backend) for a in arrays])]

    values: Values = measure
    recorded: Recorded = run

    names = [f"input {i} of shape {tensors[i].shape}" for i in places]
    point = [_host(tensors[i]) for i in places]
    largest = 0.0
    for n in range(1, order + 1):
        check = _Check(values, recorded, point, names, n, backend, step, rtol, atol)
        cotangents, worst = check.compare(generator)
        largest = max(largest, worst)
        values, recorded = check.gradient_map()
        point = point + cotangents
        names = names + [f"the order-{n} cotangent of shape {c.shape}" for c in cotangents]
    return largest


def numerical_gradient(
    f: Callable[..., Any], inputs: Tensor | Sequence[Tensor], eps: float | None = None
) -> tuple[np.ndarray | None, ...]:
    """d f / d input of a single number f for every float64 input (else None), by differences."""
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    step = EPS if eps is None else eps
    gradients: list[np.ndarray | None] = [None] * len(tensors)
    for place in _floating(tensors):
        x = tensors[place]
        host, result = _host(x), np.zeros(x.shape)
        for index in np.ndindex(*x.shape):
            ends = []
            for sign in (1, -1):
                moved = host.copy()
                moved[index] += sign * step
                arguments = list(tensors)
                arguments[place] = Tensor(moved, backend=x.backend)
                with no_grad():
                    ends.append(f(*arguments).item())
            result[index] = (ends[0] - ends[1]) / (2 * step)
        gradients[place] = result
    return tuple(gradients)


class _Check:
    """One order: a map as values and as a recorded graph, compared at one point."""

    def __init__(
        self,
        values: Values,
        recorded: Recorded,
        point: Arrays,
        names: list[str],
        order: int,
        backend: Any,
        eps: float,
        rtol: float,
        atol: float,
    ) -> None:
        self.values, self.recorded, self.point, self.names = values, recorded, point, names
        self.order, self.backend = order, backend
        self.eps, self.rtol, self.atol = eps, rtol, atol

    def compare(self, rng: Generator) -> tuple[Arrays, float]:
        """Check every input along one direction; the cotangents and the largest deviation."""
        cotangents = [_normal(rng, y.shape) for y in self.values(self.point)]
        products = self.pull_back(self.point, cotangents)
        largest = 0.0
        for i, x in enumerate(self.point):
            direction = _normal(rng, x.shape)
            backward = float(np.vdot(products[i], direction))
            measured = self.along(i, direction, cotangents)
            size = max(abs(backward), abs(measured))
            difference = abs(backward - measured)
            if not difference <= self.atol + self.rtol * size:  # also for NaN
                raise GradientError(
                    f"check_grads: order {self.order}, {self.names[i]}: along a random direction "
                    f"backward gives {backward:.10g}, central differences {measured:.10g} "
                    f"(difference {difference:.3g}, allowed {self.atol + self.rtol * size:.3g}); "
                    f"{self.locate(i)}"
                )
            largest = max(largest, difference / max(size, 1.0))
        return cotangents, largest

    def along(self, i: int, direction: np.ndarray, cotangents: Arrays) -> float:
        """<c, J v> by central differences in input i."""
        ahead, behind = [
            self.values([x + s * direction if j == i else x for j, x in enumerate(self.point)])
            for s in (self.eps, -self.eps)
        ]
        pairs = zip(cotangents, ahead, behind, strict=True)
        return sum(float(np.vdot(c, a - b)) for c, a, b in pairs) / (2 * self.eps)

    def pull_back(self, point: Arrays, cotangents: Arrays) -> Arrays:
        """J^T c for every input, by backward."""
        return [_host(g) for g in self._gradients(self._leaves(point), cotangents, False)]

    def _leaves(self, point: Arrays) -> list[Tensor]:
        return [Tensor(x, backend=self.backend, requires_grad=True) for x in point]

    def _gradients(
        self, leaves: list[Tensor], cotangents: Sequence[Any], create_graph: bool
    ) -> list[Tensor]:
        with enable_grad():
            outputs = self.recorded(leaves)
        pairs = [
            (y, c if isinstance(c, Tensor) else Tensor(c, backend=self.backend))
            for y, c in zip(outputs, cotangents, strict=True)
            if y.requires_grad  # what depends on no input has derivative 0
        ]
        found: Sequence[Tensor | None] = [None] * len(leaves)
        if pairs:
            ys, cs = [y for y, _ in pairs], [c for _, c in pairs]
            found = grad(ys, leaves, cs, create_graph=create_graph, allow_unused=True)
        return [
            Tensor(np.zeros(x.shape), backend=self.backend) if g is None else g
            for x, g in zip(leaves, found, strict=True)
        ]

    def gradient_map(self) -> tuple[Values, Recorded]:
        """(x, c) -> J^T c, the map whose first order is this map's second."""
        n = len(self.point)

        def values(arrays: Arrays) -> Arrays:
            return self.pull_back(arrays[:n], arrays[n:])

        def recorded(leaves: list[Tensor]) -> list[Tensor]:
            return self._gradients(leaves[:n], leaves[n:], True)

        return values, recorded

    def locate(self, i: int) -> str:
        """The entry of the Jacobian with respect to input i that is wrong by most, in words."""
        outputs, x = self.values(self.point), self.point[i]
        size = sum(y.size for y in outputs)
        if x.size * size > LARGEST_JACOBIAN:
            return "the Jacobian is too large to look for the worst entry; try smaller inputs"
        if x.size * size == 0:
            return "the Jacobian is empty"
        measured = np.stack([self._column(i, n) for n in range(x.size)], axis=1)
        backward = np.stack([self._row(outputs, i, m) for m in range(size)])
        difference = np.abs(backward - measured)
        worst = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
        m, n = divmod(worst, x.size)
        column = [int(k) for k in np.unravel_index(n, x.shape)]
        k, row = _entry(outputs, m)
        return (
            f"worst entry: d output {k}{row} / d input {i}{column}: "
            f"backward {backward[m, n]:.6g}, differences {measured[m, n]:.6g}"
        )

    def _column(self, i: int, n: int) -> np.ndarray:
        """d outputs / d (element n of input i) by central differences, flat."""
        unit = np.zeros(self.point[i].shape)
        unit.flat[n] = self.eps
        ends = [
            self.values([x + s * unit if j == i else x for j, x in enumerate(self.point)])
            for s in (1, -1)
        ]
        ahead, behind = [np.concatenate([y.ravel() for y in ys]) for ys in ends]
        return (ahead - behind) / (2 * self.eps)

    def _row(self, outputs: Arrays, i: int, m: int) -> np.ndarray:
        """d (element m of the outputs) / d input i by backward, flat."""
        flat = np.zeros(sum(y.size for y in outputs))
        flat[m] = 1.0
        ends = np.cumsum([y.size for y in outputs])[:-1]
        parts = zip(np.split(flat, ends), outputs, strict=True)
        return self.pull_back(self.point, [p.reshape(y.shape) for p, y in parts])[i].ravel()


def _entry(outputs: Arrays, m: int) -> tuple[int, list[int]]:
    """(output, index in it) of element m of all outputs laid one after the other."""
    for k, y in enumerate(outputs):
        if m < y.size:
            return k, [int(n) for n in np.unravel_index(m, y.shape)]
        m -= y.size
    raise IndexError(m)


def _floating(tensors: list[Tensor]) -> list[int]:
    """Positions of the inputs to differentiate; DTypeError unless they are float64."""
    for i, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise DTypeError(f"check_grads: input {i} is a {type(t).__name__}, not a Tensor")
        if t.dtype.kind == "f" and t.dtype != np.float64:
            raise DTypeError(
                f"check_grads: input {i} is {t.dtype}, whose rounding hides wrong gradients; "
                "use .astype('float64')"
            )
    places = [i for i, t in enumerate(tensors) if t.dtype == np.float64]
    if not places:
        raise DTypeError("check_grads: no input is float64, so there is nothing to differentiate")
    return places


def _outputs(result: Any) -> list[Tensor]:
    outputs = [result] if isinstance(result, Tensor) else list(result)
    for y in outputs:
        if y.dtype.kind == "f" and y.dtype != np.float64:
            raise DTypeError(
                f"check_grads: a result is {y.dtype}, whose rounding hides wrong gradients; "
                "compute in float64"
            )
    return outputs


def _host(x: Tensor) -> np.ndarray:
    return np.array(x.numpy(), np.float64)


def _normal(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(rng.normal(shape, dtype=np.float64))
