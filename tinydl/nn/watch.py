"""Looking into a model while it runs: modes that come back, calls that somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..function import no_grad
from ..tensor import Tensor
from .module import Module

Forward = Callable[..., Any]


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """`with evaluating(model):` dropout off, then every module back in the mode it was in."""
    modes = [(module, module.training) for _, module in model.named_modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def shadowing(
    model: Module, wrap: Callable[[str, Module, Forward], Forward | None]
) -> Iterator[None]:
    """`with`: each module's forward is wrap(name, module, forward), where that is not None."""
    replaced: list[tuple[Module, Any]] = []
    try:
        for name, module in model.named_modules():
            wrapped = wrap(name, module, module.forward)
            if wrapped is not None:
                replaced.append((module, vars(module).get("forward")))
                module.forward = wrapped  # type: ignore[method-assign]
        yield
    finally:
        for module, forward in replaced:
            vars(module).pop("forward", None)
            if forward is not None:
                vars(module)["forward"] = forward


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors of a module's result: itself, or those in tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list | tuple):
        return []
    return [tensor for item in items for tensor in tensors_in(item)]


def one_sample(op: str, model: Module, input_shape: Any, dtype: Any = None) -> Tensor:
    """Zeros (1, *input_shape) where the model is; dtype None: the model's. ConfigError."""
    shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
    if not all(isinstance(n, int) and n >= 1 for n in shape):
        raise ConfigError(
            f"{op}: input_shape must be sizes >= 1 without batch, got {input_shape!r}"
        )
    backend = model.backend
    return Tensor._new(backend.zeros((1, *shape), dtype or model.dtype), backend)


def activations(model: Module, x: np.ndarray | Tensor, *names: str) -> dict[str, np.ndarray]:
    """The outputs of the modules called `names` (of all, without names) for the batch x.

    Names are those of `named_modules()`, such as "layers.0"; a module called twice gives its last
    result, one with several results their first. Dropout is off, nothing is recorded, the model is
    left as it was. ConfigError for a name that the model has not, or has not called.
    """
    known = [name for name, _ in model.named_modules() if name]
    strangers = [name for name in names if name not in known]
    if strangers:
        raise ConfigError(f"activations: no module {strangers[0]!r}, there are {', '.join(known)}")
    found: dict[str, np.ndarray] = {}

    def wrap(name: str, module: Module, forward: Forward) -> Forward | None:
        if name not in (names or known):
            return None

        def watched(*inputs: Any, **options: Any) -> Any:
            y = forward(*inputs, **options)
            found[name] = np.array(tensors_in(y)[0].numpy())
            return y

        return watched

    batch = x if isinstance(x, Tensor) else Tensor(x, model.backend)
    with shadowing(model, wrap), evaluating(model), no_grad():
        model(batch)
    silent = [name for name in names if name not in found]
    if silent:
        raise ConfigError(f"activations: the model does not call {silent[0]!r}")
    return found
