"""What every method asks first: the samples as a tensor, which output, and its derivative."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arguments import labels
from ..blocks import block
from ..errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from ..function import enable_grad, grad
from ..nn import Module, looking
from ..quoting import quoted
from ..tensor import Tensor


@block
def recorded(model: Module) -> Iterator[None]:
    """`with recorded(model):` as `nn.looking`, but what is computed can be differentiated."""
    with looking(model), enable_grad():
        yield


def samples(op: str, model: Module, x: np.ndarray) -> np.ndarray:
    """x (N, ...) float in the model's type. Indices have no neighbours that a gradient could
    compare: DTypeError; ShapeError without samples."""
    if not isinstance(model, Module):
        raise ConfigError(f"{op}: model must be a Module, got {quoted(model)}")
    if x.dtype.kind != "f":
        raise DTypeError(f"{op}: x must be floats, as the model takes them, got {x.dtype}")
    if x.ndim < 2 or 0 in x.shape:
        raise ShapeError(f"{op}: x must be (N, ...) with N >= 1, got {x.shape}")
    return np.ascontiguousarray(x, model.dtype)


def on_model(model: Module, x: np.ndarray, requires_grad: bool = False) -> Tensor:
    """The array as a tensor where the model is."""
    return Tensor(x, backend=model.backend, requires_grad=requires_grad)


def outputs_of(op: str, model: Module, x: Tensor) -> Tensor:
    """The outputs (N, C) of the model for x; ShapeError for another shape."""
    found: Any = model(x)
    if not isinstance(found, Tensor) or found.ndim != 2 or found.shape[0] != x.shape[0]:
        told = found.shape if isinstance(found, Tensor) else type(found).__name__
        raise ShapeError(f"{op}: the model must give (N, C) for x {x.shape}, it gives {told}")
    return found


def classes_of(op: str, outputs: np.ndarray, target: Any) -> np.ndarray:
    """One output for each sample, (N,) int64: `target`, the same for all or one each; None: the
    largest."""
    if target is None:
        return outputs.argmax(axis=1)
    given = labels(op, "target", target)
    if given.ndim == 0:
        given = np.full(len(outputs), given)
    if given.shape != outputs.shape[:1]:
        raise ShapeError(
            f"{op}: target must be one class or one for each of {len(outputs)} samples, got shape "
            f"{given.shape}"
        )
    if given.min() < 0 or given.max() >= outputs.shape[1]:
        raise IndexRangeError(
            f"{op}: target {given.min()} ... {given.max()} does not fit {outputs.shape[1]} outputs"
        )
    return given


def chosen(outputs: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """outputs[n, classes[n]], (N,) float64."""
    return np.take_along_axis(outputs, classes[:, None], axis=1)[:, 0].astype(np.float64)


def slope(outputs: Tensor, inputs: Tensor, classes: np.ndarray) -> Tensor:
    """d outputs[n, classes[n]] / d inputs, of every sample at once: samples do not mix in a model
    that is only looked at, so the derivative of the sum has each sample's own."""
    ones = np.zeros(outputs.shape, outputs.dtype)
    ones[np.arange(len(classes)), classes] = 1
    (found,) = grad(outputs, inputs, Tensor(ones, backend=outputs.backend))
    return found
