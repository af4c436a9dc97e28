"""What a module makes of the arrays that it is called with: tensors of its own type and place."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


def lifted(
    module: Module, inputs: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The inputs of a call, ndarrays among them as tensors on the module's backend.

    Floats take the module's float type, so that float64 is rounded to a float32 model's type;
    integers and bools stay what they are (indices, masks). An input that `forward` annotates as an
    ndarray, alone or among others, stays one.
    """
    if not any(isinstance(value, np.ndarray) for value in (*inputs, *options.values())):
        return inputs, options
    backend, dtype = module.backend, module.dtype
    kept = _arrays_of(module)

    def tensor(name: str | int, value: Any) -> Any:
        if name in kept or not isinstance(value, np.ndarray):
            return value
        return Tensor(value, backend=backend, dtype=dtype if value.dtype.kind == "f" else None)

    return (
        tuple([tensor(place, value) for place, value in enumerate(inputs)]),
        {name: tensor(name, value) for name, value in options.items()},
    )


def _arrays_of(module: Module) -> set[str | int]:
    """Names and places of the inputs of `forward` that are ndarrays by their annotation."""
    found: set[str | int] = set()
    try:
        parameters = signature(module.forward).parameters.values()
    except (TypeError, ValueError):  # a built-in function in its place
        return found
    for place, parameter in enumerate(parameters):
        if "ndarray" in str(parameter.annotation):
            found |= {place, parameter.name}
    return found
