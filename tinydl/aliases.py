"""Second names: what the whole field types for operations that have another name here.

Each means exactly what the first name means (the list with its reasons is in docs/conventions.md);
`allclose` is here since it is asked of tensors and answered in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops
from .arguments import array, finite, flag
from .backend import Backend
from .creation import Sizes, _shape, normal, uniform
from .doors import fitting
from .geometry import broadcast_shape
from .random import Generator, seed
from .tensor import FLOAT, Tensor


@fitting
def cat(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """`concat`, as PyTorch calls it."""
    return ops.concat(tensors, axis)


@fitting
def unsqueeze(x: Tensor, axis: int) -> Tensor:
    """`expand_dims`, as PyTorch calls it."""
    return ops.expand_dims(x, axis)


@fitting
def clamp(x: Tensor, min: float | None = None, max: float | None = None) -> Tensor:
    """`clip(x, min, max)`, as PyTorch calls it."""
    return ops.clip(x, min, max)


@fitting
def rand(
    *shape: Sizes,
    dtype: Any = FLOAT,
    rng: Generator | None = None,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`uniform(shape)` on [0, 1), the sizes separate or one tuple, as NumPy and PyTorch call it."""
    options: Any = {"dtype": dtype, "backend": backend, "requires_grad": requires_grad}
    return uniform(_shape("rand", shape), rng=rng, **options)


@fitting
def randn(
    *shape: Sizes,
    dtype: Any = FLOAT,
    rng: Generator | None = None,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`normal(shape)`, standard, the sizes separate or one tuple, as NumPy and PyTorch call it."""
    options: Any = {"dtype": dtype, "backend": backend, "requires_grad": requires_grad}
    return normal(_shape("randn", shape), rng=rng, **options)


@fitting
def manual_seed(value: int) -> Generator:
    """`seed(value)`, as PyTorch calls it."""
    return seed(value)


@fitting
def allclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether |a - b| <= atol + rtol |b| everywhere, of tensors, arrays or numbers that broadcast;
    NaN equals nothing unless equal_nan."""
    first, second = (array("allclose", n, _values(v)) for n, v in (("a", a), ("b", b)))
    rtol, atol = (float(finite("allclose", n, v)) for n, v in (("rtol", rtol), ("atol", atol)))
    broadcast_shape("allclose", first.shape, second.shape)
    return bool(np.allclose(first, second, rtol, atol, flag("allclose", "equal_nan", equal_nan)))


def _values(x: Any) -> Any:
    return x.numpy() if isinstance(x, Tensor) else x
