"""Metrics: functions of a batch's outputs and targets that give one number per sample; the loop
means them.

Sums stay where the model is and are fetched now and then: on a device, reading a number every step
would make the host wait for each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..errors import ConfigError, ShapeError
from ..tensor import Tensor

Metric = Callable[[Tensor, Tensor], Tensor]
FETCH_EVERY = 64  # batches whose sums may wait on the device


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
    found = outputs.argmax(-1)
    _check_shapes("accuracy", found, targets)
    return found == targets


def sign_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Whether logits (N, ...) are above 0 where targets are above 0.5: a share per sample, (N,)."""
    _check_shapes("sign_accuracy", outputs, targets)
    right = ((outputs > 0) == (targets > 0.5)).astype(outputs.dtype)
    return right.reshape(len(right), -1).mean(axis=1)


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


KNOWN: dict[str, Metric] = {"accuracy": accuracy}


def named(metrics: Mapping[str, Metric] | Iterable[Metric | str] | None) -> dict[str, Metric]:
    """{name: metric} from such a mapping, or from functions and names in KNOWN."""
    if isinstance(metrics, Mapping):
        return dict(metrics)
    result: dict[str, Metric] = {}
    for metric in (metrics,) if isinstance(metrics, str) else (metrics or ()):
        if not isinstance(metric, str):
            result[getattr(metric, "__name__", type(metric).__name__)] = metric
        elif metric in KNOWN:
            result[metric] = KNOWN[metric]
        else:
            raise ConfigError(f"metrics: unknown {metric!r}, there are {', '.join(KNOWN)}")
    return result


class Means:
    """Means over samples of quantities that come batch by batch: a partial batch counts with its
    size.

    The sum is taken in float64 in the order of the batches, so the result does not depend on when
    it is read.
    """

    def __init__(self) -> None:
        self.samples = 0
        self._sums: dict[str, float] = {}
        self._waiting: list[tuple[dict[str, Tensor], float]] = []

    def add(self, batch_size: int, loss: Tensor | None, sums: Mapping[str, Tensor]) -> None:
        """A batch: its mean loss (or None) and, per metric, the sum over its samples."""
        self.samples += batch_size
        self._waiting.append(({k: v.detach() for k, v in sums.items()}, 1.0))
        if loss is not None:
            self._waiting.append(({"loss": loss.detach()}, batch_size))
        if len(self._waiting) >= 2 * FETCH_EVERY:
            self._fetch()

    def _fetch(self) -> None:
        for tensors, weight in self._waiting:
            for name, tensor in tensors.items():
                self._sums[name] = self._sums.get(name, 0.0) + weight * float(tensor.item())
        self._waiting.clear()

    def result(self) -> dict[str, float]:
        """The means so far, loss first; waits for the device."""
        self._fetch()
        loss = {"loss": self._sums["loss"]} if "loss" in self._sums else {}
        return {name: total / self.samples for name, total in {**loss, **self._sums}.items()}

    def fetched(self) -> dict[str, float] | None:
        """The means if nothing waits on the device, else None: a progress bar must not wait."""
        return self.result() if self.samples and not self._waiting else None
