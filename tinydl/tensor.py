"""The user's array: a backend array, the node that made it, and NumPy-like operators that each
call one op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import ops
from .backend import Backend, get
from .backend import default_backend as _default_backend
from .engine import compiled
from .errors import DTypeError, GraphError, ShapeError
from .function import Function
from .function import backward as _backward

FLOAT = np.dtype(np.float32)
NUMBERS = (bool, int, float)  # of Python: they take the dtype of the tensor beside them
_bare = object.__new__
DTYPES = tuple(np.dtype(t) for t in ("float32", "float64", "int32", "int64", "bool", "uint8"))


def _host_array(data: Any, dtype: Any) -> np.ndarray:
    """A fresh C-contiguous array: lists and numbers become the default float or int64, arrays keep
    their dtype."""
    if isinstance(data, np.ndarray | np.generic):
        array = np.array(data, dtype=dtype, order="C", copy=True)
    else:
        try:
            array = np.array(data, order="C")
        except ValueError as error:
            raise ShapeError(f"tensor: rows of different length ({error})") from None
        if dtype is not None:
            array = array.astype(dtype)
        elif array.dtype.kind == "f":
            array = array.astype(FLOAT)
        elif array.dtype.kind == "i":
            array = array.astype(np.int64)
    if array.dtype not in DTYPES:
        names = ", ".join(str(t) for t in DTYPES)
        raise DTypeError(
            f"tensor: no dtype {array.dtype} (there are {names}; float16 and bfloat16 not yet)"
        )
    return array


class Tensor:
    """An n-dimensional array that can remember how it was made.

    data: number, nested list, ndarray (copied) or Tensor; backend: "numpy", "cpu", "opencl" (None:
    the default);
    dtype: None keeps an ndarray's dtype and gives float32 or int64 for lists; requires_grad:
    record what is done
    with it, so that `.backward()` on a result fills `.grad`.
    """

    __slots__ = (
        "__weakref__",
        "_hooks",
        "_packed",
        "_version",
        "backend",
        "data",
        "grad",
        "node",
        "requires_grad",
    )  # fmt: skip
    backend: Backend
    node: Any
    grad: Any
    _hooks: Any
    _packed: Any  # set by ops/packed.py alone, and for few
    __array_ufunc__ = None  # ndarray (operator) Tensor is answered by the Tensor
    __array_priority__ = 1000

    def __init__(
        self,
        data: Any,
        backend: str | Backend | None = None,
        dtype: Any = None,
        requires_grad: bool = False,
    ) -> None:
        if isinstance(data, Tensor):
            backend = data.backend if backend is None else backend
            data = data.numpy()
        self.backend = get(backend)
        self.data = self.backend.asarray(_host_array(data, dtype))
        if requires_grad and self.data.dtype.kind != "f":
            raise DTypeError(f"tensor: only float tensors have gradients, got {self.data.dtype}")
        self.node = self.grad = self._hooks = None
        self.requires_grad = requires_grad
        self._version = [0]

    @staticmethod
    def _new(array: Any, backend: Backend) -> Tensor:
        """Wrap a backend array without copying or checking."""
        t = _bare(Tensor)
        t.data = array
        t.backend = backend
        t.node = t.grad = t._hooks = None
        t.requires_grad = False
        t._version = [0]
        return t

    # -- what it is ------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return len(self.data.shape)

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def is_leaf(self) -> bool:
        """Made by the user rather than by a recorded operation."""
        return self.node is None

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("len: a single number has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        values = np.array2string(
            self.numpy(), separator=", ", precision=4, threshold=20, prefix="tensor("
        )
        notes = [str(self.shape)] if self.ndim else []
        notes += [] if self.dtype == FLOAT else [str(self.dtype)]
        notes += [] if self.backend.name == _default_backend() else [repr(self.backend.name)]
        if self.node is not None:
            notes.append(f"from {self.node.name}")
        elif self.requires_grad:
            notes.append("requires_grad")
        return f"tensor({', '.join([values, *notes])})"

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(f"bool: the truth of a tensor of shape {self.shape} is ambiguous")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__

    # -- leaving and moving ----------------------------------------------------------------------

    def numpy(self) -> np.ndarray:
        """The values as a read-only ndarray (shared on host backends); copy it to write."""
        view = self.backend.to_numpy(self.data).view()
        view.flags.writeable = False
        return view

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def item(self) -> float | int | bool:
        """The single value as a Python number."""
        if self.size != 1:
            raise ShapeError(f"item: needs exactly one element, got shape {self.shape}")
        return self.numpy().item()

    def tolist(self) -> list:
        return self.numpy().tolist()

    def detach(self) -> Tensor:
        """The same storage, without history."""
        t = Tensor._new(self.data, self.backend)
        t._version = self._version
        return t

    def to(self, backend: str | Backend) -> Tensor:
        """A copy on another backend, without history; the tensor itself if it is there already."""
        target = get(backend)
        if target is self.backend:
            return self
        if self.node is not None:
            raise GraphError("to: only tensors without history move; call .detach() first")
        moved = Tensor._new(target.asarray(np.array(self.numpy())), target)
        moved.requires_grad = self.requires_grad
        return moved

    def astype(self, dtype: Any) -> Tensor:
        return ops.astype(self, dtype)

    def assign(self, values: Any) -> None:
        """Overwrite the elements in place (a leaf's, outside any recorded use): shape and dtype
        must agree."""
        if self.node is not None:
            raise GraphError("assign: this tensor was computed; only leaves can be overwritten")
        host = values.numpy() if isinstance(values, Tensor) else np.asarray(values)
        if host.shape != self.shape or host.dtype != self.dtype:
            raise ShapeError(f"assign: {host.dtype} {host.shape} into {self.dtype} {self.shape}")
        self.backend.copy_into(self.data, self.backend.asarray(np.array(host, order="C")))
        self.bump_version()

    def bump_version(self) -> None:
        """Tell the graph that the storage was written to; whoever writes in place calls this."""
        self._version[0] += 1
        self._packed = None

    def __setitem__(self, key: Any, value: Any) -> None:
        raise GraphError(
            "setitem: tensors are not written in place, since recorded operations may still need "
            "the old values; use "
            "tinydl.where, tinydl.concat or tinydl.pad, or build the values in NumPy first and "
            "wrap them, or "
            "t.assign(values) for a whole leaf"
        )

    # -- gradients -------------------------------------------------------------------------------

    def backward(
        self, grad: Any = None, retain_graph: bool = False, create_graph: bool = False
    ) -> None:
        """Add this tensor's gradient to `.grad` of every leaf it was made from (`grad`: incoming,
        default 1)."""
        if grad is not None and not isinstance(grad, Tensor):
            grad = Tensor(np.asarray(grad, self.dtype), self.backend)
        _backward(self, grad, retain_graph, create_graph)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Callable[[], None]:
        """Call hook(gradient) when this tensor's gradient is complete; it may return a replacement.

        Returns a function that removes the hook.
        """
        if not self.requires_grad:
            raise GraphError("register_hook: this tensor takes no gradient")
        if self.node is None:
            self._hooks = hooks = self._hooks or []
        else:
            self.node.hooks = hooks = self.node.hooks or []
        hooks.append(hook)
        return lambda: hooks.remove(hook)

    # -- operators: each one line into ops -------------------------------------------------------

    def _lift(self, other: Any) -> Tensor:
        """Wrap the other operand: Python numbers take this dtype, arrays keep theirs."""
        if isinstance(other, Tensor):
            return other
        if isinstance(other, NUMBERS):
            if isinstance(other, float) and self.data.dtype.kind != "f":
                raise DTypeError(
                    f"operator: {self.dtype} tensor with the float {other}; use .astype('float32')"
                )
            return Tensor._new(self.backend.scalar(other, self.data.dtype), self.backend)
        return Tensor(other, self.backend)

    def __add__(self, other):
        return ops.add(self, other if type(other) is Tensor else self._lift(other))

    def __radd__(self, other):
        return ops.add(self._lift(other), self)

    def __sub__(self, other):
        return ops.subtract(self, other if type(other) is Tensor else self._lift(other))

    def __rsub__(self, other):
        return ops.subtract(self._lift(other), self)

    def __mul__(self, other):
        return ops.multiply(self, other if type(other) is Tensor else self._lift(other))

    def __rmul__(self, other):
        return ops.multiply(self._lift(other), self)

    def __truediv__(self, other):
        return ops.divide(self, other if type(other) is Tensor else self._lift(other))

    def __rtruediv__(self, other):
        return ops.divide(self._lift(other), self)

    def __pow__(self, other):
        return ops.power(self, self._lift(other))

    def __rpow__(self, other):
        return ops.power(self._lift(other), self)

    def __matmul__(self, other):
        return ops.matmul(self, other if type(other) is Tensor else self._lift(other))

    def __rmatmul__(self, other):
        return ops.matmul(self._lift(other), self)

    def __neg__(self):
        return ops.negative(self)

    def __abs__(self):
        return ops.abs(self)

    def __eq__(self, other):
        return ops.equal(self, self._lift(other))

    def __ne__(self, other):
        return ops.not_equal(self, self._lift(other))

    def __lt__(self, other):
        return ops.less(self, self._lift(other))

    def __le__(self, other):
        return ops.less_equal(self, self._lift(other))

    def __gt__(self, other):
        return ops.greater(self, self._lift(other))

    def __ge__(self, other):
        return ops.greater_equal(self, self._lift(other))

    def __and__(self, other):
        return ops.logical_and(self, self._lift(other))

    def __or__(self, other):
        return ops.logical_or(self, self._lift(other))

    def __xor__(self, other):
        return ops.logical_xor(self, self._lift(other))

    def __invert__(self):
        return ops.logical_not(self)

    def __getitem__(self, key):
        return ops.getitem(self, key)

    # -- methods ---------------------------------------------------------------------------------

    def exp(self):
        return ops.exp(self)

    def log(self):
        return ops.log(self)

    def sqrt(self):
        return ops.sqrt(self)

    def abs(self):
        return ops.abs(self)

    def tanh(self):
        return ops.tanh(self)

    def sigmoid(self):
        return ops.sigmoid(self)

    def relu(self):
        return ops.relu(self)

    def softmax(self, axis=-1):
        return ops.softmax(self, axis)

    def log_softmax(self, axis=-1):
        return ops.log_softmax(self, axis)

    def sum(self, axis=None, keepdims=False):
        return ops.sum(self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        return ops.mean(self, axis, keepdims)

    def var(self, axis=None, keepdims=False, correction=0):
        return ops.var(self, axis, keepdims, correction)

    def std(self, axis=None, keepdims=False, correction=0):
        return ops.std(self, axis, keepdims, correction)

    def prod(self, axis=None, keepdims=False):
        return ops.prod(self, axis, keepdims)

    def max(self, axis=None, keepdims=False):
        return ops.max(self, axis, keepdims)

    def min(self, axis=None, keepdims=False):
        return ops.min(self, axis, keepdims)

    def argmax(self, axis=None, keepdims=False):
        return ops.argmax(self, axis, keepdims)

    def argmin(self, axis=None, keepdims=False):
        return ops.argmin(self, axis, keepdims)

    def any(self, axis=None, keepdims=False):
        return ops.any(self, axis, keepdims)

    def all(self, axis=None, keepdims=False):
        return ops.all(self, axis, keepdims)

    def cumsum(self, axis=None):
        return ops.cumsum(self, axis)

    def argsort(self, axis=-1):
        return ops.argsort(self, axis)

    def clip(self, low=None, high=None):
        return ops.clip(self, low, high)

    def round(self):
        return ops.round(self)

    def logsumexp(self, axis=None, keepdims=False):
        return ops.logsumexp(self, axis, keepdims)

    def reshape(self, *shape):
        return ops.reshape(self, *shape)

    def transpose(self, *axes):
        return ops.transpose(self, *axes)

    @property
    def T(self):
        return ops.transpose(self)

    def broadcast_to(self, *shape):
        return ops.broadcast_to(self, *shape)

    def repeat(self, repeats, axis=None):
        return ops.repeat(self, repeats, axis)

    def squeeze(self, axis=None):
        return ops.squeeze(self, axis)

    def expand_dims(self, axis):
        return ops.expand_dims(self, axis)


if compiled is not None:
    compiled.install(Tensor, Function)


def tensor(
    data: Any,
    backend: str | Backend | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`Tensor(...)`, in the spelling of everyday use."""
    return Tensor(data, backend, dtype, requires_grad)
