"""The loop: `fit`; and for data that is only looked at, `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import axes, flag, whole
from ..data.batches import host_array
from ..doors import fitting
from ..errors import ConfigError, ShapeError
from ..function import no_grad
from ..nn.watch import looking
from ..quoting import quoted
from ..tensor import Tensor
from .forms import (
    Data,
    Loss,
    check_outputs,
    check_targets,
    checked_loss,
    checked_model,
    checked_optimizer,
    checked_pair,
    compares_floats,
    evaluation_data,
    mean_over,
    training_data,
)
from .history import History
from .metrics import Means, Metric, named
from .parallel import ALONE, Alone
from .progress import Bar
from .updates import Updates

if TYPE_CHECKING:
    from ..backend import Backend
    from ..nn import Module
    from ..optim import Optimizer

Metrics = Mapping[str, Metric] | Iterable[Metric | str] | None


@dataclass(slots=True)
class State:
    """What callbacks see.

    `epoch` (of `epochs`) and `batch` count the finished ones; `loss` is that of the newest batch
    with its penalties (reading it waits for the device); `stop = True` ends the training.
    `callbacks` are those of the fit, for the checkpoint.
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
    callbacks: Sequence[Any] = ()


@fitting
def fit(
    model: Module,
    data: Data,
    loss: Loss | str,
    optimizer: Optimizer | str = "adam",
    epochs: int = 1,
    metrics: Metrics = None,
    validation: Data | float | None = None,
    callbacks: Sequence[Any] = (),
    progress: bool | None = None,
    start_epoch: int = 0,
    history: History | None = None,
    accumulate: int = 1,
    batch_size: int | None = None,
    parallel: Alone = ALONE,
) -> History:
    """Train `model` until `epochs` epochs are done in all; the history has one row per epoch.

    data, validation: arrays (x, y), ndarrays, tensors or lists, or iterables (usually `Batches`)
    of such tuples (inputs..., targets); every `for` loop over them is one epoch. Arrays are
    shuffled by the generator of `tinydl.seed` and taken `batch_size` at a time (None: 32); a float
    as validation is a share of them, the last samples. Floats are rounded to the model's type.
    loss(outputs, targets): the mean over the batch, a function or its name in `tinydl.nn` ("mse",
    "cross_entropy" ...). What is differentiated is that plus `model.penalty()`. optimizer: one of
    `tinydl.optim`, or its name in small letters, with its defaults, for the parameters that are not
    frozen. metrics: functions of (outputs, targets) with one number per sample, or the names
    accuracy, binary_accuracy, pixel_accuracy, mae. callbacks: objects with any of HOOKS, which get
    the state. progress: True or False, None for a bar only on a terminal. start_epoch, history:
    where a resumed run is. accumulate: how many batches make one update, as if they were one.
    parallel: `Ranks`, where several processes train this model, each with its rows of a batch.

    "loss" and the metrics of a row are means over the epoch's samples while the weights changed,
    with dropout on (the Keras convention); "val_..." are taken after the epoch, with dropout off.
    A stop asked for by on_batch_end leaves its epoch unfinished: no row, no on_epoch_end. Raises
    ConfigError for arguments of another kind, `data` without batches, epochs that do not fit the
    history, an optimiser of another model, a callback with none of HOOKS, two that undo each other.
    """
    model, loss = checked_pair("fit", model, loss)
    data, validation = training_data("fit", data, batch_size, validation, loss)
    optimizer = checked_optimizer("fit", optimizer, model)
    callbacks = parallel.taking_part(_listed(callbacks))  # as they are now: a list may change
    history = History() if history is None else history
    _check(model, optimizer, callbacks, history, progress, epochs=epochs, start_epoch=start_epoch)
    metrics, objective, home = named(metrics, loss), _Objective(model, loss), _home(model)
    updates = Updates(optimizer, accumulate, parallel)
    state = State(model, optimizer, data, history, start_epoch, epochs, callbacks=callbacks)
    after_batch = [c.on_batch_end for c in callbacks if hasattr(c, "on_batch_end")]
    parallel.begin(model, data)
    _call(callbacks, "on_fit_start", state)
    with Bar(data, start_epoch, epochs, progress if parallel.rank == 0 else False) as bar:
        while state.epoch < epochs and not state.stop:
            started, means, state.batch = perf_counter(), Means(), 0
            model.train()
            for batch in parallel.parts(data, model):
                *inputs, targets = _tensors("fit", batch, home)
                outputs, samples = model(*inputs), parallel.own(len(targets))
                state.loss = objective(outputs, targets)
                updates.add(state.loss, weight_of(loss, targets, samples, parallel))
                means.add(samples, state.loss, _sums(metrics, outputs, targets))
                state.batch += 1
                bar.step(state.epoch, means)
                for call in after_batch:
                    call(state)
                if parallel.stops(state):
                    break
            if state.batch == 0:
                raise ConfigError(_no_batch(state.epoch - start_epoch))
            if state.stop:
                break
            updates.finish()
            parallel.settle(model)
            row = {"epoch": state.epoch + 1, **means.result(parallel.total)}
            if validation is not None:
                checked = _judged(model, validation, loss, metrics, parallel)
                row |= {f"val_{name}": value for name, value in checked.items()}
            state.epoch += 1
            history.append(parallel.from_first({**row, "seconds": perf_counter() - started}))
            bar.show(history.last)
            _call(callbacks, "on_epoch_end", state)
            _call(callbacks, "on_epoch_done", state)
            parallel.stops(state)
    _bring_back_weights(callbacks, state)
    _call(callbacks, "on_fit_end", state)
    return history


def weight_of(loss: Loss, targets: Tensor, samples: int, parallel: Alone) -> float:
    """What the gradient of a rank's rows counts; `samples` of them do."""
    return mean_over(loss, targets) if samples and parallel.size > 1 else samples


def _listed(callbacks: Any) -> tuple[Any, ...]:
    if callbacks is not None and not hasattr(type(callbacks), "__iter__"):
        raise ConfigError(f"fit: callbacks must be a list, as in [{type(callbacks).__name__}(...)]")
    return tuple(callbacks or ())


def _no_batch(done: int) -> str:
    if not done:
        return "fit: the data yields no batch"
    return (
        f"fit: the data yields no batch in epoch {done + 1}; a generator is used up by one epoch: "
        "give arrays, Batches, a list, or an object whose __iter__ begins anew"
    )


def run_epochs(
    state: State,
    row: Callable[[], dict[str, float]],
    callbacks: Sequence[Any] = (),
    progress: bool | None = None,
    parallel: Alone = ALONE,
) -> History:
    """The frame of a training with an epoch of its own: row() trains for one and returns its row of
    the history, until `state.epochs` are done or a callback sets `state.stop`.

    callbacks, parallel: as in `fit`, without on_batch_end; row() takes its parts of the batches
    itself. ConfigError for a callback with no method of these.
    """
    callbacks = state.callbacks = parallel.taking_part(callbacks)
    _check_callbacks(callbacks)
    parallel.begin(state.model)
    _call(callbacks, "on_fit_start", state)
    shown = progress if parallel.rank == 0 else False
    with Bar(range(1), state.epoch, state.epochs, shown) as bar:
        while state.epoch < state.epochs and not state.stop:
            found = parallel.from_first(row())
            state.epoch += 1
            state.history.append(found)
            bar.advance(state.epoch, state.history.last)
            _call(callbacks, "on_epoch_end", state)
            _call(callbacks, "on_epoch_done", state)
            parallel.stops(state)
    _bring_back_weights(callbacks, state)
    _call(callbacks, "on_fit_end", state)
    return state.history


@fitting
def evaluate(
    model: Module,
    data: Data,
    loss: Loss | str | None = None,
    metrics: Metrics = None,
    batch_size: int | None = None,
) -> dict[str, float]:
    """Means over all samples of `loss` (with `model.penalty()`, as in training) and of the metrics.

    data, loss, metrics: as in `fit`; arrays are taken `batch_size` at a time (None: 256). Dropout
    is off, nothing is recorded, the model is left as it was (`nn.looking`). A last partial batch
    counts with its size. Raises ConfigError for arguments of another kind, or if `data` yields
    nothing.
    """
    model = checked_model("evaluate", model)
    loss = None if loss is None else checked_loss("evaluate", loss)
    if loss is None and not metrics:
        raise ConfigError(
            "evaluate: neither a loss nor metrics are asked for, as in loss='mse', metrics=['mae']"
        )
    data = evaluation_data("evaluate", data, batch_size)
    return _judged(model, data, loss, named(metrics, loss), ALONE)


def _judged(
    model: Module, data: Data, loss: Loss | None, metrics: Mapping[str, Metric], parallel: Alone
) -> dict[str, float]:
    means, home = Means(), _home(model)
    objective = None if loss is None else _Objective(model, loss)
    with looking(model):
        for batch in parallel.parts(data):
            *inputs, targets = _tensors("evaluate", batch, home)
            outputs = model(*inputs)
            value = None if objective is None else objective(outputs, targets)
            means.add(parallel.own(len(targets)), value, _sums(metrics, outputs, targets))
    if means.batches == 0:
        raise ConfigError("evaluate: the data yields no batch")
    return means.result(parallel.total)


@fitting
def predict(model: Module, x: Any, batch_size: int = 256) -> Any:
    """The model's outputs for x (N, ...) as one host array (N, ...), or a tuple of them.

    x: an array, a tensor or a list, or a tuple of them of one length for a model with several
    inputs; floats are rounded to the model's type. Dropout is off, nothing is recorded, the model
    is left as it was (`nn.looking`). Raises ConfigError without samples, for batch_size < 1, for
    arrays of different lengths, and DTypeError for what is no array.
    """
    model, home = checked_model("predict", model), _home(model)
    batch_size = whole("predict", "batch_size", batch_size, 1)
    given = x if isinstance(x, tuple) else (x,)
    inputs = [
        axes("predict", f"input {i}", host_array("predict", f"input {i}", one))
        for i, one in enumerate(given)
    ]
    lengths = {len(array) for array in inputs}
    if len(lengths) != 1 or 0 in lengths:
        raise ConfigError(
            "predict: needs samples, as many in each input, got "
            f"{', '.join(str(len(array)) for array in inputs) or 'no input'}"
        )
    parts = []
    with looking(model):
        for i in range(0, len(inputs[0]), batch_size):
            batch = [_placed(array[i : i + batch_size], home) for array in inputs]
            parts.append(_on_host(model(*batch)))
    if isinstance(parts[0], tuple):
        return tuple([np.concatenate(pieces) for pieces in zip(*parts, strict=True)])
    return np.concatenate(parts)


def _on_host(outputs: Any) -> Any:
    if isinstance(outputs, tuple):
        return tuple([output.numpy() for output in outputs])
    return outputs.numpy()


Home = tuple["Backend", np.dtype]


def _home(model: Module) -> Home:
    """Where a batch goes, and the type of its floats."""
    return model.backend, model.dtype


def _placed(array: Any, home: Home) -> Tensor:
    kind = getattr(array, "dtype", None)
    if kind is home[1] or (kind is not None and kind.kind != "f"):
        return Tensor(array, backend=home[0])
    return Tensor(array, backend=home[0], dtype=home[1])


def _tensors(op: str, batch: Any, home: Home) -> list[Tensor]:
    """The arrays of a batch where the model is; ConfigError for what is no batch."""
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        raise ConfigError(
            f"{op}: the data must give batches (inputs..., targets), got {type(batch).__name__}; "
            "Batches(x, y, batch_size=32) makes them of whole arrays"
        )
    return [_placed(array, home) for array in batch]


class _Objective:
    """loss(outputs, targets) + model.penalty(): what is differentiated.

    Whether the model has penalties is asked once, at the first batch: the walk over its modules
    would cost as much as a small layer.
    """

    def __init__(self, model: Module, loss: Loss) -> None:
        self.model, self.loss, self.penalised, self.first = model, loss, True, True
        self.floats = compares_floats(loss)

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.first:
            check_outputs(self.loss, outputs)
            check_targets(self.loss, targets)
            self.first = False
        if self.floats and targets.dtype.kind != "f":
            targets = targets.astype(outputs.dtype)
        value = self.loss(outputs, targets)
        if type(value) is not Tensor or value.data.size != 1:
            raise ConfigError(f"the loss must give one number in a tensor, got {quoted(value)}")
        if self.penalised:
            penalty = self.model.penalty()
            self.penalised = penalty is not None
            return value if penalty is None else value + penalty
        return value


#: What a callback may have, each called with the State.
HOOKS = ("on_fit_start", "on_batch_end", "on_epoch_end", "on_epoch_done", "on_fit_end")


def _check(
    model: Module,
    optimizer: Optimizer,
    callbacks: Sequence[Any],
    history: History,
    progress: bool | None,
    **epochs: int,
) -> None:
    """What would otherwise train nothing, or something else, without a word."""
    for name, value in epochs.items():
        whole("fit", name, value, 0)
    if progress is not None:
        flag("fit", "progress", progress)
    if not isinstance(history, History):
        raise ConfigError(f"fit: history must be a History, got {quoted(history)}")
    done = history.last.get("epoch", epochs["start_epoch"])
    if done != epochs["start_epoch"]:
        raise ConfigError(
            f"fit: start_epoch is {epochs['start_epoch']} but the history ends with epoch {done}; "
            "a new training takes a new history"
        )
    own = {id(p) for p in model.parameters()}
    if own and not any(id(p) in own for p in optimizer.parameters):
        raise ConfigError("fit: the optimiser holds no parameter of this model")
    if own and not any(p.requires_grad for p in optimizer.parameters):
        raise ConfigError("fit: all parameters of the optimiser are frozen: nothing can change")
    _check_callbacks(callbacks)


def _check_callbacks(callbacks: Sequence[Any]) -> None:
    """What is none, and two that want the last word, of which the list's order would choose one."""
    for callback in callbacks:
        if isinstance(callback, type) or not any(hasattr(callback, hook) for hook in HOOKS):
            raise ConfigError(f"fit: {callback!r} is no callback: it has no {', '.join(HOOKS)}")
    names = [type(c).__name__ for c in callbacks if getattr(c, "restore_best", False)]
    if len(names) > 1:
        raise ConfigError(
            f"fit: {' and '.join(names)} each bring their best weights back at the end; give "
            "restore_best=False to all but one"
        )
    steering = [type(c).__name__ for c in callbacks if hasattr(c, "plateau")]
    setting = [type(c).__name__ for c in callbacks if getattr(c, "sets_rate", False)]
    if setting and len(setting + steering) > 1:
        raise ConfigError(
            f"fit: {' and '.join(setting + steering)} both set the optimiser's rate, and the "
            "schedule would undo the other's; use one of them"
        )


def _bring_back_weights(callbacks: Sequence[Any], state: State) -> None:
    """Load the weights that the run ends with, if not the newest: the best epoch's before the last
    good ones, whatever the order of the callbacks."""
    for ask in ("best_weights", "good_weights"):
        for callback in callbacks:
            weights = getattr(callback, ask)(state) if hasattr(callback, ask) else None
            if weights is not None:
                state.model.load_state_dict(weights)
                return


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
