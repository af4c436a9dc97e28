"""The loop: `fit`; and for data that is only looked at, `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError, ShapeError
from ..function import no_grad
from ..nn.watch import evaluating
from ..tensor import Tensor
from .history import History
from .metrics import Means, Metric, named
from .progress import Bar

if TYPE_CHECKING:
    from ..nn import Module
    from ..optim import Optimizer

Loss = Callable[[Tensor, Tensor], Tensor]
Metrics = Mapping[str, Metric] | Iterable[Metric | str] | None
Data = Iterable[tuple[np.ndarray, ...]]


@dataclass(slots=True)
class State:
    """What callbacks see.

    `epoch` (of `epochs`) and `batch` count the finished ones; `loss` is that of the newest batch
    with its penalties (reading it waits for the device); `stop = True` ends the training.
    """

    model: Module
    optimizer: Optimizer
    data: Data
    history: History
    epoch: int
    epochs: int = 0
    batch: int = 0
    loss: Tensor | None = None
    stop: bool = False


def fit(
    model: Module,
    data: Data,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    metrics: Metrics = None,
    validation: Data | None = None,
    callbacks: Sequence[Any] = (),
    progress: bool | None = None,
    start_epoch: int = 0,
    history: History | None = None,
    accumulate: int = 1,
) -> History:
    """Train `model` until `epochs` epochs are done in all; the history has one row per epoch.

    data, validation: iterables (usually `Batches`) of tuples (inputs..., targets) of ndarrays;
    every `for` loop over them is one epoch. loss(outputs, targets): the mean over the batch. What
    is differentiated is that plus `model.penalty()`. metrics: functions of (outputs, targets) with
    one number per sample, or their names. callbacks: objects with any of on_fit_start(state),
    on_batch_end(state), on_epoch_end(state), on_fit_end(state). progress: True or False,
    None for a bar only on a terminal. start_epoch, history: where a resumed run is. accumulate: how
    many batches make one update, with the gradient of the mean over all their samples.

    "loss" and the metrics of a row are means over the epoch's samples while the weights changed,
    with dropout on (the Keras convention); "val_..." are taken after the epoch, with dropout off.
    A stop asked for by on_batch_end leaves its epoch unfinished: no row, no on_epoch_end. Raises
    ConfigError if `data` yields nothing, for epochs that are no number of epochs, an optimiser of
    another model, or a callback with none of these methods.
    """
    _check_run(model, optimizer, callbacks, epochs=epochs, start_epoch=start_epoch)
    metrics, objective, backend = named(metrics), _Objective(model, loss), model.backend
    updates = _Updates(optimizer, accumulate)
    history = History() if history is None else history
    state = State(model, optimizer, data, history, start_epoch, epochs)
    after_batch = [c.on_batch_end for c in callbacks if hasattr(c, "on_batch_end")]
    _call(callbacks, "on_fit_start", state)
    with Bar(data, start_epoch, epochs, progress) as bar:
        while state.epoch < epochs and not state.stop:
            started, means, state.batch = perf_counter(), Means(), 0
            model.train()
            for batch in data:
                *inputs, targets = [Tensor(array, backend) for array in batch]
                outputs = model(*inputs)
                state.loss = objective(outputs, targets)
                updates.add(state.loss, len(targets))
                means.add(len(targets), state.loss, _sums(metrics, outputs, targets))
                state.batch += 1
                bar.step(state.epoch, means)
                for call in after_batch:
                    call(state)
                if state.stop:
                    break
            if state.batch == 0:
                raise ConfigError("fit: the data yields no batch")
            if state.stop:
                break
            updates.finish()
            row = {"epoch": state.epoch + 1, **means.result()}
            if validation is not None:
                checked = evaluate(model, validation, loss, metrics)
                row |= {f"val_{name}": value for name, value in checked.items()}
            state.epoch += 1
            history.append({**row, "seconds": perf_counter() - started})
            bar.show(history.last)
            _call(callbacks, "on_epoch_end", state)
    _call(callbacks, "on_fit_end", state)
    return history


def evaluate(
    model: Module, data: Data, loss: Loss | None = None, metrics: Metrics = None
) -> dict[str, float]:
    """Means over all samples of `loss` (with `model.penalty()`, as in training) and of the metrics.

    Dropout is off, nothing is recorded; afterwards the model is in the mode it was in. A last
    partial batch counts with its size. Raises ConfigError if `data` yields nothing.
    """
    metrics, means, backend = named(metrics), Means(), model.backend
    objective = None if loss is None else _Objective(model, loss)
    with evaluating(model), no_grad():
        for batch in data:
            *inputs, targets = [Tensor(array, backend) for array in batch]
            outputs = model(*inputs)
            value = None if objective is None else objective(outputs, targets)
            means.add(len(targets), value, _sums(metrics, outputs, targets))
    if means.samples == 0:
        raise ConfigError("evaluate: the data yields no batch")
    return means.result()


def predict(model: Module, x: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """The model's outputs for x (N, ...) as one host array (N, ...); dropout is off."""
    if not isinstance(batch_size, int) or batch_size < 1 or len(x) == 0:
        raise ConfigError(
            f"predict: needs samples and batch_size >= 1, got {len(x)} and {batch_size}"
        )
    with evaluating(model), no_grad():
        parts = [
            model(Tensor(x[i : i + batch_size], model.backend)).numpy()
            for i in range(0, len(x), batch_size)
        ]
    return np.concatenate(parts)


class _Objective:
    """loss(outputs, targets) + model.penalty(): what is differentiated.

    Whether the model has penalties is asked once, at the first batch: the walk over its modules
    would cost as much as a small layer.
    """

    def __init__(self, model: Module, loss: Loss) -> None:
        self.model, self.loss, self.penalised = model, loss, True

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        value = self.loss(outputs, targets)
        if self.penalised:
            penalty = self.model.penalty()
            self.penalised = penalty is not None
            return value if penalty is None else value + penalty
        return value


class _Updates:
    """One optimiser step per `group` batches, with the gradient of the mean over their samples.

    The loss of each batch is weighed with its number of samples n_i before it is walked back, so
    that batches of different size count right: grad = (sum_i n_i grad_i) / (sum_i n_i).
    """

    def __init__(self, optimizer: Optimizer, group: int) -> None:
        if not isinstance(group, int) or group < 1:
            raise ConfigError(f"fit: accumulate must be an integer >= 1, got {group!r}")
        self.optimizer, self.group = optimizer, group
        self.batches = self.samples = 0

    def add(self, loss: Tensor, samples: int) -> None:
        """Walk back from the mean loss of a batch; after the group's last one, step."""
        if self.batches == 0:
            self.optimizer.zero_grad()
        if self.group == 1:
            loss.backward()
            self.optimizer.step()
            return
        (loss * float(samples)).backward()
        self.batches, self.samples = self.batches + 1, self.samples + samples
        if self.batches == self.group:
            self.finish()

    def finish(self) -> None:
        """Step with what has been gathered, if anything: an epoch's last group may be smaller."""
        if self.batches == 0:
            return
        with no_grad():
            for parameter in self.optimizer.parameters:
                if parameter.grad is not None:
                    parameter.grad = parameter.grad * (1.0 / self.samples)
        self.optimizer.step()
        self.batches = self.samples = 0


HOOKS = ("on_fit_start", "on_batch_end", "on_epoch_end", "on_fit_end")


def _check_run(
    model: Module, optimizer: Optimizer, callbacks: Sequence[Any], **epochs: int
) -> None:
    """What would otherwise train nothing, without a word."""
    for name, value in epochs.items():
        if not isinstance(value, int) or value < 0:
            raise ConfigError(f"fit: {name} must be an integer >= 0, got {value!r}")
    own = {id(p) for p in model.parameters()}
    if own and not any(id(p) in own for p in optimizer.parameters):
        raise ConfigError("fit: the optimiser holds no parameter of this model")
    for callback in callbacks:
        if isinstance(callback, type) or not any(hasattr(callback, hook) for hook in HOOKS):
            raise ConfigError(f"fit: {callback!r} is no callback: it has no {', '.join(HOOKS)}")


def _sums(metrics: Mapping[str, Metric], outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    if not metrics:
        return {}
    with no_grad():
        values = {name: metric(outputs, targets) for name, metric in metrics.items()}
        for name, value in values.items():
            if getattr(value, "shape", None) != (len(targets),):
                raise ShapeError(
                    f"metric {name}: must be a tensor of one number per sample, ({len(targets)},), "
                    f"got {getattr(value, 'shape', value)!r}"
                )
        return {name: value.sum() for name, value in values.items()}


def _call(callbacks: Sequence[Any], name: str, state: State) -> None:
    for callback in callbacks:
        if hasattr(callback, name):
            getattr(callback, name)(state)
