"""Metrics: functions of a batch's outputs and targets that give one number per sample; the loop
means them.

Sums stay where the model is and are fetched now and then: on a device, reading a number every step
would make the host wait for each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..errors import ConfigError, DTypeError, ShapeError
from ..habits import row_of
from ..quoting import quoted
from ..tensor import Tensor

Metric = Callable[[Tensor, Tensor], Tensor]
FETCH_EVERY = 64  # batches whose sums may wait on the device


#: Columns of a history that metrics would overwrite, as would names that begin with "val_".
OWN = ("epoch", "loss", "seconds")


def _check_classes(metric: str, outputs: Tensor) -> None:
    """Of one column the first is always the largest."""
    if outputs.ndim and outputs.shape[-1] == 1:
        raise ShapeError(
            f"{metric}: outputs {outputs.shape} have one class; for a yes or no use binary_accuracy"
        )


def _check_shapes(metric: str, found: Tensor, targets: Tensor) -> None:
    """Broadcasting would hide (N,) against (N, 1)."""
    if found.shape != targets.shape:
        raise ShapeError(
            f"{metric}: targets must be {found.shape}, one for each prediction, got {targets.shape}"
        )


def accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """1 where the largest output is the target's class, else 0: outputs (N, C), targets (N,) ->
    bool (N,).

    Ties go to the smaller class. `.astype("float32").mean()` of it is the accuracy of a batch.
    """
    _check_classes("accuracy", outputs)
    found = outputs.argmax(-1)
    _check_shapes("accuracy", found, targets)
    if targets.dtype.kind not in "iu":
        raise DTypeError(f"accuracy: targets must be classes, integers, got {targets.dtype}")
    return found == targets.astype(found.dtype)


def binary_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Whether probabilities (N, ...) are above 0.5 where targets are: a share per sample, (N,).

    By its name in `fit` and `evaluate`, beside a loss that takes logits, the bound is 0
    (`sign_accuracy`).
    """
    return _right("binary_accuracy", outputs, targets, 0.5)


def sign_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Whether logits (N, ...) are above 0 where targets are above 0.5: a share per sample, (N,)."""
    return _right("sign_accuracy", outputs, targets, 0.0)


def _right(metric: str, outputs: Tensor, targets: Tensor, bound: float) -> Tensor:
    _check_shapes(metric, outputs, targets)
    wanted = targets > 0.5 if targets.dtype.kind == "f" else targets.astype("bool")
    right = ((outputs > bound) == wanted).astype(outputs.dtype)
    return right.reshape(len(right), -1).mean(axis=1)


def pixel_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """The share of places whose largest output is the target's class: outputs (N, ..., C), targets
    (N, ...) integers -> float (N,)."""
    _check_classes("pixel_accuracy", outputs)
    found = outputs.argmax(-1)
    _check_shapes("pixel_accuracy", found, targets)
    right = (found == targets.astype(found.dtype)).astype(outputs.dtype)
    return right.reshape(len(right), -1).mean(axis=1)


def mae(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean of |output - target| of each sample: both (N, ...) of one shape -> (N,)."""
    _check_shapes("mae", outputs, targets)
    apart = (outputs - targets.astype(outputs.dtype)).abs()
    return apart.reshape(len(apart), -1).mean(axis=1)


class Within:
    """The share of a sample's numbers that lie within `tolerance` of their targets: an accuracy for
    regressions. outputs and targets (N, ...) of one shape -> (N,) of outputs' type."""

    def __init__(self, tolerance: float) -> None:
        if not tolerance > 0:
            raise ConfigError(f"Within: tolerance must be > 0, got {tolerance!r}")
        self.tolerance = tolerance

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        _check_shapes("Within", outputs, targets)
        near = ((outputs - targets).abs() <= self.tolerance).astype(outputs.dtype)
        return near.reshape(len(near), -1).mean(axis=1)


KNOWN: dict[str, Metric] = {
    "accuracy": accuracy,
    "binary_accuracy": binary_accuracy,
    "pixel_accuracy": pixel_accuracy,
    "mae": mae,
}
#: Losses that take logits, of which 0 is the middle: beside them `binary_accuracy` is of signs.
OF_LOGITS = ("bce_with_logits", "hinge", "squared_hinge", "focal")


def named(
    metrics: Mapping[str, Metric] | Iterable[Metric | str] | None, loss: object = None
) -> dict[str, Metric]:
    """{name: metric} from such a mapping, or from functions and names in KNOWN; ConfigError."""
    result: dict[str, Metric] = {}
    for name, metric in _entries(metrics):
        function = metric
        if isinstance(metric, str):
            function = _known(metric, loss)
        elif not callable(metric) or isinstance(metric, type):
            raise ConfigError(
                f"metrics: {quoted(metric)} is neither a function of (outputs, targets) nor "
                f"one of the names {', '.join(KNOWN)}"
            )
        if (name in OWN and (name, loss) != ("loss", None)) or name.startswith("val_"):
            raise ConfigError(
                f"metrics: {name!r} is a column of its own in the history; name this "
                "one otherwise, as in metrics={'error': function}"
            )
        if result.get(name, function) is not function:
            raise ConfigError(
                f"metrics: two are called {name!r}; name them, as in metrics={{'error': function}}"
            )
        result[name] = function
    return result


def _entries(metrics: Any) -> list[tuple[str, Any]]:
    """Names and metrics; a function is called by its own name."""
    if isinstance(metrics, Mapping):
        for metric in metrics.values():
            if not callable(metric):
                raise ConfigError(f"metrics: {quoted(metric)} is no function of (outputs, targets)")
        return list(metrics.items())
    if isinstance(metrics, np.ndarray | Tensor) or not (
        metrics is None or hasattr(type(metrics), "__iter__")
    ):
        raise ConfigError(f"metrics: takes a list of functions and names, got {quoted(metrics)}")
    given = (metrics,) if isinstance(metrics, str) else (metrics or ())
    return [
        (m if isinstance(m, str) else getattr(m, "__name__", type(m).__name__), m) for m in given
    ]


def _known(name: str, loss: Any) -> Metric:
    while isinstance(loss, partial):  # a loss with options
        loss = loss.func
    if name == "binary_accuracy" and getattr(loss, "__name__", "") in OF_LOGITS:
        return sign_accuracy
    if name in KNOWN:
        return KNOWN[name]
    row = row_of("metric", name)
    hint = f"{row.advice()}; " if row else ""
    raise ConfigError(f"metrics: unknown {name!r}, {hint}there are {', '.join(KNOWN)}")


class Means:
    """Means over samples of quantities that come batch by batch: a partial batch counts with its
    size.

    The sum is taken in float64 in the order of the batches, so the result does not depend on when
    it is read.
    """

    def __init__(self) -> None:
        self.samples = self.batches = 0
        self._sums: dict[str, float] = {}
        self._waiting: list[tuple[dict[str, Tensor], float]] = []

    def add(self, batch_size: int, loss: Tensor | None, sums: Mapping[str, Tensor]) -> None:
        """A batch: its mean loss (or None) and, per metric, the sum over its samples. One of size 0
        counts as nothing."""
        self.samples, self.batches = self.samples + batch_size, self.batches + 1
        self._waiting.append(({k: v.detach() for k, v in sums.items()}, float(batch_size > 0)))
        if loss is not None:
            self._waiting.append(({"loss": loss.detach()}, batch_size))
        if len(self._waiting) >= 2 * FETCH_EVERY:
            self._fetch()

    def _fetch(self) -> None:
        for tensors, weight in self._waiting:
            for name, tensor in tensors.items():
                self._sums[name] = self._sums.get(name, 0.0) + weight * float(tensor.item())
        self._waiting.clear()

    def result(self, total: Callable[[list[float]], list[float]] = list) -> dict[str, float]:
        """The means so far, loss first; waits for the device. total: of (samples, sums) of this
        process those of all, where several look at parts of the data."""
        self._fetch()
        loss = {"loss": self._sums["loss"]} if "loss" in self._sums else {}
        own = {**loss, **self._sums}
        samples, *sums = total([float(self.samples), *own.values()])
        return {name: found / samples for name, found in zip(own, sums, strict=True)}

    def fetched(self) -> dict[str, float] | None:
        """The means if nothing waits on the device, else None: a progress bar must not wait."""
        return self.result() if self.samples and not self._waiting else None
