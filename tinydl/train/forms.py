"""What `fit`, `evaluate` and `predict` are given, in one form: arrays become `Batches`, names
functions and optimisers, and what is neither is refused with one sentence that says what is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import partial
from typing import Any

import numpy as np

from .. import nn, optim
from ..arguments import MOST_AXES, is_tensor, whole
from ..data import Batches, Dataset, last_fraction, take
from ..data.batches import host_array, is_lazy, is_row_of_arrays
from ..errors import ConfigError
from ..habits import row_of
from ..nn import Module
from ..quoting import quoted
from ..tensor import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]
Batch = tuple[np.ndarray, ...]
#: Whole arrays, or what yields batches.
Data = Iterable[Any]

#: Losses of (outputs, targets) by their names in `tinydl.nn`.
LOSSES: dict[str, Loss] = {
    loss.__name__: loss
    for loss in (
        *(nn.cross_entropy, nn.soft_cross_entropy, nn.nll, nn.bce, nn.bce_with_logits),
        *(nn.mse, nn.mae, nn.huber, nn.smooth_l1, nn.hinge, nn.squared_hinge),
        *(nn.kl_categorical, nn.margin, nn.focal, nn.dice, nn.cosine, nn.poisson_nll),
    )
}
#: Optimisers by their names in `tinydl.optim`, in small letters, with their own defaults.
OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    rule.__name__.lower(): rule
    for rule in (
        *(optim.Adam, optim.AdamW, optim.AMSGrad, optim.SGD, optim.RMSprop),
        *(optim.CentredRMSprop, optim.AdaGrad, optim.AdaDelta, optim.Adamax, optim.Nadam),
        *(optim.RAdam, optim.Rprop),
    )
}
#: What the loop calls of an optimiser.
RULE = ("step", "zero_grad", "parameters")


def plain(loss: Any) -> Any:
    """The function of a functools.partial, which gives it options; what is none, as it is."""
    while isinstance(loss, partial):
        loss = loss.func
    return loss


def checked_model(op: str, model: Any) -> Module:
    """The model; ConfigError for anything else, a class among it."""
    if isinstance(model, Module):
        return model
    if isinstance(model, type) and issubclass(model, Module):
        raise ConfigError(f"{op}: the model is the class {model.__name__}: call it to make a model")
    raise ConfigError(f"{op}: the model comes first and is an nn.Module, got {quoted(model)}")


def checked_loss(op: str, loss: Any) -> Loss:
    """The loss of that name, or the function itself; ConfigError."""
    if isinstance(loss, str):
        return _by_name(op, "loss", loss, LOSSES, "nn.")
    if callable(loss) and not isinstance(loss, type) and not is_tensor(loss):
        return loss
    if is_tensor(loss) or isinstance(loss, np.ndarray | list):
        raise ConfigError(
            f"{op}: the loss is an array; inputs and targets go together, as in "
            f"{op}(model, (x, y), loss='cross_entropy')"
        )
    raise ConfigError(
        f"{op}: the loss must be a function of (outputs, targets) or one of the names "
        f"{', '.join(LOSSES)}, got {quoted(loss)}"
    )


def mean_over(loss: Loss, targets: Tensor) -> float:
    """How many things a loss of a batch is the mean over: samples; what `ignore_index` leaves; what
    the loss says itself by an attribute `mean_over`, a function of the targets."""
    ignored = loss.keywords.get("ignore_index") if isinstance(loss, partial) else None
    if ignored is not None:
        return float((targets.numpy() != ignored).sum())
    count = getattr(loss, "mean_over", None)
    return float(len(targets)) if count is None else float(count(targets.numpy()))


def checked_pair(op: str, model: Any, loss: Any) -> tuple[Module, Loss]:
    """A model and a loss to train it with, neither doing the other's work; ConfigError."""
    model, loss = checked_model(op, model), checked_loss(op, loss)
    check_ending(op, model, loss)
    return model, loss


def checked_optimizer(op: str, optimizer: Any, model: Module) -> optim.Optimizer:
    """The optimiser of that name, made for the model's parameters that are not frozen, or the
    optimiser itself; ConfigError."""
    if isinstance(optimizer, str):
        rule = _by_name(op, "optimizer", optimizer.lower(), OPTIMIZERS, "optim.")
        return rule(model.trainable_parameters())
    name = optimizer.__name__ if isinstance(optimizer, type) else ""
    if name.lower() in OPTIMIZERS:
        raise ConfigError(
            f"{op}: the optimizer is the class {name}: give optim.{name}(model.parameters()), or "
            f"{name.lower()!r}"
        )
    if name or not all(hasattr(optimizer, wanted) for wanted in RULE):
        raise ConfigError(
            f"{op}: the optimizer must be one of tinydl.optim or one of the names "
            f"{', '.join(OPTIMIZERS)}, got {quoted(optimizer)}"
        )
    return optimizer


def _by_name(op: str, what: str, name: str, known: dict[str, Any], where: str) -> Any:
    if name in known:
        return known[name]
    near = get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    if row := row_of(what, name):
        hint = f"{row.advice()}; "
    raise ConfigError(
        f"{op}: no {what} is called {name!r}; {hint}there are {', '.join(known)} (with their "
        f"defaults; {where}... for others)"
    )


# -- data ------------------------------------------------------------------------------------------


def whole_arrays(op: str, data: Any) -> Batch | None:
    """The arrays (inputs..., targets) if `data` is a tuple or list of those, tensors or lists of
    numbers; None for what yields batches. ConfigError for what is neither."""
    if is_row_of_arrays(data) or (isinstance(data, tuple) and data and all(map(_is_array, data))):
        if len(data) < 2:
            raise ConfigError(f"{op}: needs inputs and targets, (x, y), got one array")
        return tuple([host_array(op, f"data[{i}]", one) for i, one in enumerate(data)])
    if isinstance(data, tuple) and any(
        isinstance(one, np.ndarray) or is_tensor(one) or is_lazy(one) for one in data
    ):
        i, other = next((i, one) for i, one in enumerate(data) if not _is_array(one))
        raise ConfigError(
            f"{op}: data[{i}] must be an array as the others are, got {quoted(other)}"
        )
    if isinstance(data, np.ndarray) or is_tensor(data) or is_lazy(data):
        raise ConfigError(
            f"{op}: the data must be (x, y) or Batches(x, y, batch_size=32), got one array "
            f"{tuple(data.shape)}; as in {_typed_as(op)}"
        )
    if isinstance(data, str | bytes | dict | Dataset) or not hasattr(type(data), "__iter__"):
        own = [name for name in ("x", "x_train") if hasattr(data, name)]
        tail = own[0].removeprefix("x") if own else ""
        hint = f"; as in (data.x{tail}, data.y{tail})" if own else ""
        raise ConfigError(
            f"{op}: the data must be arrays (x, y) or an iterable of batches (inputs..., targets), "
            f"got {quoted(data)}{hint}"
        )
    return None


def _typed_as(op: str) -> str:
    if op.endswith("validation"):
        return "validation=(x, y)"
    return f"{op}(model, (x, y), loss='cross_entropy')"


def _is_array(value: Any) -> bool:
    """An ndarray, a tensor, or a list of numbers of any depth; a batch is a row of arrays."""
    for _ in range(MOST_AXES):
        if not isinstance(value, list) or not value:
            break
        value = value[0]
        if isinstance(value, np.ndarray) or is_tensor(value):
            return False
    number = isinstance(value, np.ndarray | np.number | np.bool_ | int | float)
    return number or is_tensor(value) or is_lazy(value)


def training_data(
    op: str, data: Any, batch_size: int | None, validation: Any, loss: Loss
) -> tuple[Data, Data | None]:
    """(batches of an epoch, those to validate with or None): arrays are shuffled by the default
    generator, 32 to a batch unless `batch_size` says another number; a validation share is cut off
    their end first."""
    arrays = whole_arrays(op, data)
    if arrays is None:
        if batch_size is not None:
            raise ConfigError(f"{op}: batch_size belongs to arrays; {quoted(data)} has its own")
        if _is_number(validation):
            raise ConfigError(
                f"{op}: validation is the share {validation!r}, which can be cut off arrays alone; "
                "give arrays (x, y) or batches"
            )
        return data, _looked_at(f"{op}: validation", validation, None)
    size = _size(op, batch_size, 32)
    if _is_number(validation):
        held = _shared_out(op, arrays, float(validation), loss)
        arrays, validation = held
    return Batches(arrays, size, prefetch=_ahead(arrays)), _looked_at(
        f"{op}: validation", validation, size
    )


def evaluation_data(op: str, data: Any, batch_size: int | None) -> Data:
    """The data in batches in their own order, arrays 256 at a time unless told otherwise."""
    if batch_size is not None and whole_arrays(op, data) is None:
        raise ConfigError(f"{op}: batch_size belongs to arrays; {quoted(data)} has its own")
    found = _looked_at(op, data, _size(op, batch_size, 256))
    if found is None:
        raise ConfigError(f"{op}: the data must be arrays (x, y) or batches, got None")
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_)


def _size(op: str, batch_size: int | None, unsaid: int) -> int:
    return unsaid if batch_size is None else whole(op, "batch_size", batch_size, 1)


def _looked_at(op: str, data: Any, batch_size: int | None) -> Data | None:
    if data is None:
        return None
    arrays = whole_arrays(op, data)
    if arrays is None:
        return data
    return Batches(arrays, batch_size or 256, shuffle=False, prefetch=_ahead(arrays))


def _ahead(arrays: Batch) -> int:
    """How many batches a thread prepares: of what has to be decoded, one."""
    return int(any(map(is_lazy, arrays)))


def _shared_out(op: str, arrays: Batch, share: float, loss: Loss) -> tuple[Batch, Batch]:
    """All but the last `share` of the samples, and those. ConfigError where these are of classes
    that the others lack: samples sorted by class."""
    if len({len(array) for array in arrays}) != 1:
        shapes = [array.shape for array in arrays]
        raise ConfigError(f"{op}: inputs and targets must be as many, got {shapes}")
    if not 0 < share < 1:
        raise ConfigError(f"{op}: validation is a share between 0 and 1, got {share:g}")
    rest, last = last_fraction(len(arrays[0]), share)
    parts = [tuple([take(array, chosen) for array in arrays]) for chosen in (rest, last)]
    if plain(loss) is nn.cross_entropy and arrays[-1].ndim == 1:
        unseen = np.setdiff1d(parts[1][-1], parts[0][-1])
        if unseen.size:
            raise ConfigError(
                f"{op}: the last {share:g} of the samples, to validate with, are of class "
                f"{unseen[0]}, which no other sample has; shuffle the samples first, or give "
                "validation=(x, y)"
            )
    return parts[0], parts[1]


def check_ending(op: str, model: Module, loss: Loss) -> None:
    """ConfigError where the last layer of a Sequential does what the loss does itself, so that it
    would be done twice without a word."""
    last, loss = model, plain(loss)
    while isinstance(last, nn.Sequential) and len(last):
        last = last[len(last) - 1]
    for kind, doubled in (
        (nn.Softmax, (nn.cross_entropy, nn.soft_cross_entropy)),
        (nn.Sigmoid, (nn.bce_with_logits,)),
    ):
        if isinstance(last, kind) and loss in doubled:
            name = loss.__name__
            raise ConfigError(
                f"{op}: the model ends with {kind.__name__}, which {name} does itself: leave the "
                "layer out" + (", or use loss='bce'" if kind is nn.Sigmoid else "")
            )


# -- what the first batch shows --------------------------------------------------------------------


def compares_floats(loss: Loss) -> bool:
    """Whether the loss is one of LOSSES whose targets are floats: integer ones are made so."""
    return plain(loss) in LOSSES.values() and plain(loss) not in (nn.cross_entropy, nn.nll)


#: Losses of a yes or no: what their targets are.
SHARES = (nn.bce, nn.bce_with_logits, nn.focal, nn.margin)
SIGNS = (nn.hinge, nn.squared_hinge)
SLACK = 1e-5  # what rounding may add to a 1


def check_targets(loss: Loss, targets: Any) -> None:
    """ConfigError for targets with which the loss would fall without end, or towards nothing: it
    has no way to see them in every step, the loop sees the first batch's."""
    loss = plain(loss)
    told = (*SHARES, *SIGNS, nn.poisson_nll)
    if loss not in told or not isinstance(targets, Tensor) or not targets.size:
        return
    values = targets.numpy().astype(np.float64)
    low, high = values.min(), values.max()
    if loss is nn.poisson_nll and low < 0:
        raise ConfigError(f"poisson_nll: takes counts from 0 on, but one is {low:.3g}")
    if loss in SHARES and (low < -SLACK or high > 1 + SLACK):
        raise ConfigError(
            f"{loss.__name__}: takes targets in 0..1, but these go from {low:.3g} to {high:.3g}"
            + ("; for -1 and 1 pass (targets + 1) / 2" if (low, high) == (-1, 1) else "")
        )
    if loss in SIGNS:
        odd = values[abs(abs(values) - 1) > SLACK]
        if odd.size:
            raise ConfigError(
                f"{loss.__name__}: takes targets -1 or 1, but one is {odd.flat[0]:.3g}"
                + ("; for 0 and 1 pass 2 * targets - 1" if (low, high) == (0, 1) else "")
            )


def check_outputs(loss: Loss, outputs: Any) -> None:
    """ConfigError for outputs that the loss would take without a word, but as something else."""
    if not isinstance(outputs, Tensor) or not outputs.size:
        return
    loss = plain(loss)
    if loss is nn.nll and outputs.dtype.kind == "f" and float(outputs.max().item()) > 1e-3:
        raise ConfigError(
            "nll: takes log-probabilities, but the largest output is "
            f"{float(outputs.max().item()):.3g}; end the model with nn.LogSoftmax(), or use "
            "cross_entropy of outputs without it"
        )
    if loss is nn.cross_entropy and outputs.ndim > 1 and outputs.shape[-1] == 1:
        raise ConfigError(
            f"cross_entropy: outputs {outputs.shape} have one class, whose loss is always 0; for a "
            "yes or no use bce_with_logits"
        )
    if loss is nn.bce and outputs.dtype.kind == "f":
        low, high = float(outputs.min().item()), float(outputs.max().item())
        if low < 0 or high > 1:
            raise ConfigError(
                f"bce: takes probabilities, but the outputs go from {low:.3g} to {high:.3g}; use "
                "bce_with_logits, or end the model with nn.Sigmoid()"
            )
