"""Looking into a model while it runs: a model left as it was, calls that somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import is_
from typing import Any

import numpy as np

from .. import instruments
from ..arguments import dtype as checked_dtype
from ..arguments import sizes
from ..blocks import block
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..function import no_grad
from ..quoting import quoted
from ..random import drawing_nothing
from ..recompute import noting_updates
from ..tensor import Tensor
from .module import Module

Forward = Callable[..., Any]
ENTERED = (list, tuple, dict)


@block
def looking(model: Module) -> Iterator[None]:
    """`with looking(model):` dropout off, nothing recorded, and afterwards all is as it was.

    What a call may write is put back, bit by bit: modes, the states of stateful layers (inside,
    they begin without one), running statistics and every other buffer and parameter, generators,
    the model's own and all others that draw inside, and what attributes of modules refer to, lists
    and dictionaries with their items. Not watched are numbers in an ndarray and in objects of other
    classes: what a forward keeps belongs into attributes and buffers.
    """
    if not isinstance(model, Module):
        raise ConfigError(f"looking: model must be a Module, got {quoted(model)}")
    modules = [module for _, module in model.named_modules()]
    attributes = [(vars(module), vars(module).copy()) for module in modules]
    values = [value for _, had in attributes for value in had.values()]
    items = [kept for value in values if isinstance(value, ENTERED) for kept in _items(value)]
    updates: dict[Any, Any] = {}
    try:
        for module in modules:
            vars(module)["training"] = False
            if getattr(module, "stateful", False):
                module.reset_state()  # type: ignore[attr-defined]
        with no_grad(), drawing_nothing(), noting_updates() as updates:
            yield
    finally:
        for kept, (data, backend, grad, version) in updates.items():
            kept.data, kept.backend, kept.grad = data, backend, grad
            kept._version[0], kept._packed = version, None
        for now, had in attributes:
            _put_back(now, had)
        for container, had in items:
            if not _same(container, had):
                container.clear()
                container.update(had) if isinstance(had, dict) else container.extend(had)


def _put_back(now: dict[str, Any], had: dict[str, Any]) -> None:
    """One name after the other, and only what changed: another thread may be looking too."""
    if "training" in had:
        now["training"] = had["training"]
    else:
        now.pop("training", None)
    if _same(now, had):
        return
    for name in [name for name in now if name not in had]:
        now.pop(name, None)
    for name, value in had.items():
        if name not in now or now[name] is not value:
            now[name] = value


def _items(value: Any, inside: tuple[int, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """(container, copy of it) of every list and dictionary in an attribute, also in others."""
    if id(value) in inside:
        return
    if not isinstance(value, tuple):
        yield value, dict(value) if isinstance(value, dict) else list(value)
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, ENTERED):
            yield from _items(item, (*inside, id(value)))


def _same(now: Any, had: Any) -> bool:
    """Whether two lists or dictionaries hold the same objects in the same order."""
    if len(now) != len(had):
        return False
    if isinstance(had, dict) and not all(map(is_, now.values(), had.values())):
        return False
    return all(map(is_, now, had))


@block
def shadowing(
    model: Module, wrap: Callable[[str, Module, Forward], Forward | None]
) -> Iterator[None]:
    """`with`: each module's forward is wrap(name, module, forward), where that is not None."""
    replaced: list[tuple[Module, Any]] = []
    instruments.shadows += 1
    try:
        for name, module in model.named_modules():
            wrapped = wrap(name, module, module.forward)
            if wrapped is not None:
                replaced.append((module, vars(module).get("forward")))
                module.forward = wrapped  # type: ignore[method-assign]
        yield
    finally:
        instruments.shadows -= 1
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
    try:
        shape = sizes(op, input_shape, 8)
    except ShapeError:
        shape = (0,)
    if min(shape, default=1) < 1:
        raise ConfigError(
            f"{op}: input_shape must be sizes >= 1 without batch, got {quoted(input_shape)}"
        )
    backend = model.backend
    kind = model.dtype if dtype is None else checked_dtype(op, dtype)
    return Tensor._new(backend.zeros((1, *shape), kind), backend)


@checked
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

    with shadowing(model, wrap), looking(model):
        model(x if isinstance(x, Tensor) else np.asarray(x))  # which makes a tensor of it
    silent = [name for name in names if name not in found]
    if silent:
        raise ConfigError(f"activations: the model does not call {silent[0]!r}")
    return found
