"""One operator of ONNX by its name: what source of an imported net calls where tinydl has no layer
or operation of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ConfigError
from ..quoting import quoted
from ..tensor import Tensor
from .graph import Node
from .operators import OPERATORS
from .operators.table import Image
from .program import call


def operator(
    kind: str,
    *inputs: Any,
    opset: int = 17,
    outputs: int = 1,
    ready: tuple[int, ...] = (),
    **attributes: Any,
) -> Any:
    """The result of an operator of ONNX, or a tuple of them; axes as ONNX numbers them.

    inputs: tensors, None for absent ones, numbers, lists or arrays for what must be known; ready:
    places of weights that are in tinydl's layout already. Raises
    ConfigError for an operator or attribute that is not imported."""
    row = OPERATORS.get(kind)
    if row is None:
        raise ConfigError(f"operator: {quoted(kind)} is not imported")
    names = tuple("" if x is None else f"x{i}" for i, x in enumerate(inputs))
    node = Node(kind, kind, names, tuple(f"y{i}" for i in range(outputs)), attributes, opset)
    if row.refuses is not None and (reason := row.refuses(node)):
        raise ConfigError(f"operator: {kind} with {reason} is not imported")
    tensors = [x for x in inputs if isinstance(x, Tensor)]
    if not tensors:
        raise ConfigError(f"operator: {kind} needs a tensor")
    given: list[Any] = []
    for i, x in enumerate(inputs):
        if x is None:
            given.append(None)
        elif i in row.host or i in row.either:
            given.append(x.numpy() if isinstance(x, Tensor) and i in row.host else _array(x))
        else:
            given.append(
                x if isinstance(x, Tensor) else Tensor(_array(x), backend=tensors[0].backend)
            )
    for i, turned in row.weights.items():
        if i < len(given) and given[i] is not None and i not in ready:
            given[i] = turned(given[i])
    found = [y.plain() if isinstance(y, Image) else y for y in call(node, row, given)]
    made = [y if isinstance(y, Tensor) else Tensor(y, backend=tensors[0].backend) for y in found]
    return made[0] if outputs == 1 else tuple(made[:outputs])


def _array(x: Any) -> Any:
    """Floats as float32, integers as int64."""
    if isinstance(x, Tensor):
        return x
    array = np.asarray(x)
    return array.astype(np.float32) if array.dtype == np.float64 else array
