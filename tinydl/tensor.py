"""The user's array: a backend array, the node that made it, and NumPy-like operators that each
call one op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never

import numpy as np

from . import ops
from .arguments import DTYPES, MOST_AXES, addressable, by_keyword, flag, out_of_memory
from .arguments import dtype as checked_dtype
from .backend import Backend, get
from .backend import default_backend as _default_backend
from .doors import fitting, unknown_to
from .engine import compiled
from .errors import DTypeError, GraphError, ShapeError, TinydlError
from .function import Function
from .function import backward as _backward
from .habits import Count
from .instruments import readers
from .methods import Methods
from .numpy_calls import call_function, call_ufunc
from .ops.operands import _check_beside, _number_for
from .quoting import quoted
from .recording import is_recording

FLOAT, INT = np.dtype(np.float32), np.dtype(np.int64)
NUMBERS = (bool, int, float)  # of Python: they take the dtype of the tensor beside them
_bare = object.__new__


def _host_array(data: Any, dtype: Any) -> np.ndarray:
    """A fresh C-contiguous array: lists and numbers become the default float or int64, arrays keep
    their dtype."""
    if dtype is not None:
        dtype = checked_dtype("tensor", dtype)
    try:
        array = np.array(data, order="C")  # a copy, whatever it was
    except ValueError as error:
        raise ShapeError(f"tensor: rows of different length ({error})") from None
    except MemoryError as error:
        raise out_of_memory("tensor", error) from None
    except TinydlError:
        raise
    except Exception:  # foreign objects answer NumPy with anything
        raise DTypeError(f"tensor: no array can be made of {quoted(data)}") from None
    if array.ndim > MOST_AXES:
        addressable("tensor", array.shape)
    if dtype is None and not isinstance(data, np.ndarray | np.generic):
        dtype = {"f": FLOAT, "i": INT}.get(array.dtype.kind)
    if dtype is not None and array.dtype.kind in "biuf":
        array = array.astype(dtype, copy=False)
    if array.dtype not in DTYPES:
        checked_dtype("tensor", array.dtype)  # says which there are
    return array


def _may_have_gradient(t: Tensor, value: Any) -> bool:
    """The value for `requires_grad`; DTypeError for True on another than a float tensor."""
    wanted = flag("tensor", "requires_grad", value)
    if wanted and t.data.dtype.kind != "f":
        raise DTypeError(
            f"tensor: only float tensors have gradients (requires_grad), got {t.dtype} {t.shape}"
        )
    return wanted


class Tensor(Methods):
    """An n-dimensional array that can remember how it was made.

    data: number, nested list, ndarray (copied) or Tensor; backend: "numpy", "cpu", "opencl" (None:
    the default); dtype: None keeps an ndarray's dtype and gives float32 or int64 for lists;
    requires_grad: record what is done with it, so that `.backward()` on a result fills `.grad`.
    """

    __slots__ = (
        "__weakref__",
        "_hooks",
        "_packed",
        "_requires_grad",
        "_version",
        "backend",
        "data",
        "grad",
        "node",
    )  # fmt: skip
    backend: Backend
    node: Any
    grad: Any
    _hooks: Any
    _requires_grad: bool
    _packed: Any  # a copy that ops/packed.py keeps of a few weights; a write drops it
    __array_priority__ = 1000

    def __init__(
        self,
        data: Any,
        *positional: Never,
        backend: str | Backend | None = None,
        dtype: Any = None,
        requires_grad: bool = False,
    ) -> None:
        if positional:
            raise by_keyword(type(self).__name__, positional, "data")
        if isinstance(data, Tensor):
            if data.node is not None and is_recording():
                raise GraphError(
                    f"tensor: a copy of a tensor computed by {data.node.name} would not pass its "
                    "gradient on; use t.clone(), or t.detach() for the values alone"
                )
            backend = data.backend if backend is None else backend
            data = data.numpy()
        self.backend = get(backend)
        self.data = self.backend.asarray(_host_array(data, dtype))
        if requires_grad is not False:
            requires_grad = _may_have_gradient(self, requires_grad)
        self.node = self.grad = self._hooks = None
        self._requires_grad = requires_grad
        self._version = [0]

    @staticmethod
    def _new(array: Any, backend: Backend) -> Tensor:
        """Wrap a backend array without copying or checking."""
        t = _bare(Tensor)
        t.data = array
        t.backend = backend
        t.node = t.grad = t._hooks = None
        t._requires_grad = False
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
        return Count(self.data.size)

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

    def __index__(self) -> int:
        """A whole number, where Python asks for one: `names[scores.argmax()]`, `range(t)`."""
        if self.shape or self.dtype.kind not in "iu":
            raise DTypeError(
                f"index: only a single integer is an index, got {self.dtype} {self.shape}"
            )
        return int(self.item())

    def __round__(self, digits: int | None = None) -> float | int:
        """round(t) and round(t, digits) of a single number, as a Python number."""
        return round(self.item(), digits)

    def __format__(self, spec: str) -> str:
        """f"{loss:.3f}" of a single number; without a format the tensor is printed."""
        if not spec:
            return str(self)
        if self.shape:
            raise ShapeError(
                f"format: {spec!r} formats a single number, got shape {self.shape}; "
                "format its elements (t.tolist()), or t.numpy()"
            )
        return format(self.item(), spec)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__

    # -- leaving and moving ----------------------------------------------------------------------

    def numpy(self) -> np.ndarray:
        """The values as a read-only ndarray (shared on host backends); copy it to write."""
        for reader in readers:
            reader(self)
        view = self.backend.to_numpy(self.data).view()
        view.flags.writeable = False
        return view

    def __array__(self, dtype=None, copy=None):
        if self._requires_grad and is_recording():
            raise GraphError(
                f"np.asarray: an array of this tensor of shape {self.shape} would not pass its "
                "gradient on; use tinydl.stack, tinydl.concat ... to put tensors together, or "
                "t.numpy() (or t.detach()) for the values alone"
            )
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_function__(self, function, types, arguments, options):
        """np.sum(t), np.stack([a, b]) ...: numpy_calls.py says which are operations here."""
        return call_function(function, arguments, options)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        """np.exp(t), and `ndarray (operator) t`, which NumPy leaves to the tensor."""
        return call_ufunc(ufunc, method, inputs, options)

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

    def __getstate__(self) -> tuple[Any, dict[str, Any]]:
        """What `copy`, `deepcopy` and `pickle` take of a leaf: its values and those of `.grad`.
        Hooks stay behind. A computed tensor raises GraphError, since its graph would come along."""
        if self.node is not None:
            raise GraphError(
                f"copy: a tensor of shape {self.shape} computed by {self.node.name} would take its "
                "whole graph along; copy or pickle t.detach(), or t.clone() in the graph"
            )
        state: Any = object.__getstate__(self)
        grad = None if self.grad is None else self.grad.detach()
        return state[0], state[1] | {"grad": grad, "_hooks": None, "_packed": None}

    @fitting
    def to(self, backend: str | Backend) -> Tensor:
        """A copy on another backend, without history; the tensor itself if it is there already."""
        target = get(backend)
        if target is self.backend:
            return self
        if self.node is not None:
            raise GraphError("to: only tensors without history move; call .detach() first")
        moved = Tensor._new(target.asarray(np.array(self.numpy())), target)
        moved._requires_grad = self._requires_grad
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

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded. It can be set on leaves of float dtype:
        DTypeError for others, GraphError for False on a computed tensor, ConfigError for a value
        that is neither True nor False."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        wanted = _may_have_gradient(self, value)
        if self.node is not None and not wanted:
            raise GraphError(
                "requires_grad: a computed tensor cannot be taken out of its graph; "
                "t.detach() is the same values without history"
            )
        self._requires_grad = wanted

    def backward(
        self,
        grad: Any = None,
        retain_graph: bool = False,
        create_graph: bool = False,
        **unknown: Never,
    ) -> None:
        """Add this tensor's gradient to `.grad` of every leaf it was made from (`grad`: incoming,
        default 1).

        Each `.grad` has an array of its own. With create_graph a `.grad` holds the graph that made
        it, and so its own leaf: a cycle, which a warning names; `tinydl.grad` makes none.
        """
        if unknown:
            raise unknown_to(Tensor.backward, unknown)
        if grad is not None and not isinstance(grad, Tensor):
            grad = Tensor(np.asarray(grad, self.dtype), backend=self.backend)
        _backward(self, grad, retain_graph, create_graph)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Callable[[], Any]:
        """Call hook(gradient) when this tensor's gradient is complete; it may return a replacement.

        Returns a function that removes the hook, once; one that is added or removed while the
        hooks of this tensor run counts from the next backward on.
        """
        if not self.requires_grad:
            raise GraphError("register_hook: this tensor takes no gradient")
        if self.node is None:
            self._hooks = hooks = self._hooks or {}
        else:
            self.node.hooks = hooks = self.node.hooks or {}
        place = object()  # one function may be registered twice
        hooks[place] = hook
        return lambda: hooks.pop(place, None)

    # -- operators: each one line into ops -------------------------------------------------------

    def _lift(self, other: Any, compared: bool = False) -> Tensor:
        """Wrap the other operand: Python numbers take this dtype, arrays keep theirs."""
        if isinstance(other, Tensor):
            return other
        if isinstance(other, NUMBERS):
            kind = self.data.dtype.kind
            if kind == "b" or (kind != "f" and isinstance(other, float)):
                _check_beside(self, other, compared)
            try:
                return Tensor._new(self.backend.scalar(other, self.data.dtype), self.backend)
            except OverflowError:
                _number_for("operator", self, other)
                raise
        return Tensor(other, backend=self.backend)

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

    def __floordiv__(self, other):
        return ops.floor_divide(self, self._lift(other))

    def __rfloordiv__(self, other):
        return ops.floor_divide(self._lift(other), self)

    def __mod__(self, other):
        return ops.remainder(self, self._lift(other))

    def __rmod__(self, other):
        return ops.remainder(self._lift(other), self)

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

    def __pos__(self):
        if self.dtype.kind == "b":
            raise DTypeError(f"positive: has no meaning for a bool tensor {self.shape}")
        return self

    def __abs__(self):
        return ops.abs(self)

    def __eq__(self, other):
        if not isinstance(other, COMPARED):
            return NotImplemented  # Python then answers False
        return ops.equal(self, self._lift(other, True))

    def __ne__(self, other):
        if not isinstance(other, COMPARED):
            return NotImplemented
        return ops.not_equal(self, self._lift(other, True))

    def __lt__(self, other):
        return ops.less(self, self._lift(other, True))

    def __le__(self, other):
        return ops.less_equal(self, self._lift(other, True))

    def __gt__(self, other):
        return ops.greater(self, self._lift(other, True))

    def __ge__(self, other):
        return ops.greater_equal(self, self._lift(other, True))

    def __and__(self, other):
        return ops.logical_and(self, self._lift(other, True))

    def __or__(self, other):
        return ops.logical_or(self, self._lift(other, True))

    def __xor__(self, other):
        return ops.logical_xor(self, self._lift(other, True))

    def __invert__(self):
        return ops.logical_not(self)

    def __getitem__(self, key):
        return ops.getitem(self, key)


COMPARED = (Tensor, *NUMBERS, np.ndarray, np.generic, list, tuple)  # other things are not equal

# From here on Function.apply and Function._record are those of csrc/_function.pyx, if it is built.
if compiled is not None:
    compiled.install(Tensor, Function)
