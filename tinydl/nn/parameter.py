"""What a module keeps: Parameter, which is trained, and Buffer, which is not."""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..backend import Backend
from ..doors import fitting
from ..errors import DTypeError, GraphError, ShapeError
from ..recompute import note_update, recomputing
from ..tensor import Tensor


class Stored(Tensor):
    """A tensor that a module keeps: it stays the same object when its storage is exchanged."""

    __slots__ = ()

    def replace(self, values: np.ndarray, backend: Backend | None = None) -> None:
        """Take a copy of `values` as the new storage, on `backend` (None: where it is).

        It stays the same object; its gradient is dropped, and a graph recorded before
        raises GraphError when it is walked back.
        """
        if self.node is not None:
            raise GraphError(
                f"{type(self).__name__}.replace: only leaves have a storage of their own"
            )
        if self.requires_grad and np.asarray(values).dtype.kind != "f":
            raise DTypeError(
                f"{type(self).__name__}.replace: only float tensors have gradients, got "
                f"{np.asarray(values).dtype}"
            )
        note_update(self)
        self.backend = self.backend if backend is None else backend
        self.data = self.backend.asarray(np.array(values, order="C"))
        self.grad = None
        self.bump_version()

    def assign(self, values: Any) -> None:
        """Overwrite the elements in place: shape and dtype must agree (see `Tensor.assign`)."""
        if note_update(self):
            self.data = self.backend.copy(self.data)
        super().assign(values)
        if recomputing():
            self._version[0] -= 1  # it was counted the first time


class Parameter(Stored):
    """A tensor that is trained: a leaf with requires_grad; results of operations are Tensors."""

    __slots__ = ()

    @fitting
    def __init__(
        self,
        data: Any,
        *positional: Never,
        backend: str | Backend | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(data, *positional, backend=backend, dtype=dtype, requires_grad=True)


class Buffer(Stored):
    """A tensor that is saved and moved with its module but not trained: running statistics."""

    __slots__ = ()

    @fitting
    def __init__(
        self,
        data: Any,
        *positional: Never,
        backend: str | Backend | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(data, *positional, backend=backend, dtype=dtype, requires_grad=False)

    def update(self, value: Tensor) -> None:
        """Take over the storage of `value`, a fresh result of the same shape, type and backend.

        While a segment is recomputed (`tinydl.recompute`), only until that is done.
        """
        if value.shape != self.shape or value.dtype != self.dtype:
            raise ShapeError(
                f"Buffer.update: the value must be {self.shape} {self.dtype}, got {value.shape} "
                f"{value.dtype}"
            )
        note_update(self)
        self.data = value.data
        if not recomputing():
            self.bump_version()
