"""The methods of a tensor that have names, in NumPy's and PyTorch's spelling: each one line into
`ops`. Where the two libraries mean different things by one name, the docstring says which holds.
"""

from __future__ import annotations

from math import prod
from typing import Any, Never

from . import ops
from .doors import door, unknown_to
from .errors import ShapeError
from .geometry import normalize_axis
from .habits import install


class Methods:
    """What `Tensor` inherits; operators stand in tensor.py itself."""

    __slots__ = ()

    # The operations themselves: what they say of a keyword that there is not, they say here too.
    softmax = ops.softmax
    log_softmax = ops.log_softmax
    sum = ops.sum
    mean = ops.mean
    var = ops.var
    std = ops.std
    prod = ops.prod
    max = ops.max
    min = ops.min
    argmax = ops.argmax
    argmin = ops.argmin
    any = ops.any
    all = ops.all
    argsort = ops.argsort
    cumsum = ops.cumsum
    clip = ops.clip
    logsumexp = ops.logsumexp
    squeeze = ops.squeeze
    expand_dims = ops.expand_dims
    repeat = ops.repeat
    swapaxes = ops.swapaxes
    transpose = ops.transpose
    # Functions of numbers.
    acos = ops.acos
    acosh = ops.acosh
    asin = ops.asin
    asinh = ops.asinh
    atan = ops.atan
    atan2 = ops.atan2
    atanh = ops.atanh
    ceil = ops.ceil
    cos = ops.cos
    cosh = ops.cosh
    erf = ops.erf
    expm1 = ops.expm1
    floor = ops.floor
    isfinite = ops.isfinite
    isinf = ops.isinf
    isnan = ops.isnan
    log10 = ops.log10
    log1p = ops.log1p
    log2 = ops.log2
    nan_to_num = ops.nan_to_num
    rsqrt = ops.rsqrt
    sign = ops.sign
    sin = ops.sin
    sinh = ops.sinh
    square = ops.square
    tan = ops.tan
    # Two operands.
    add = ops.add
    divide = ops.divide
    floor_divide = ops.floor_divide
    greater = ops.greater
    greater_equal = ops.greater_equal
    less = ops.less
    less_equal = ops.less_equal
    logaddexp = ops.logaddexp
    logical_and = ops.logical_and
    logical_not = ops.logical_not
    logical_or = ops.logical_or
    logical_xor = ops.logical_xor
    matmul = ops.matmul
    maximum = ops.maximum
    minimum = ops.minimum
    multiply = ops.multiply
    not_equal = ops.not_equal
    remainder = ops.remainder
    subtract = ops.subtract
    # Along axes.
    cummax = ops.cummax
    cummin = ops.cummin
    cumprod = ops.cumprod
    logcumsumexp = ops.logcumsumexp
    norm = ops.norm
    quantile = ops.quantile
    topk = ops.topk
    # Places and arrangement.
    argwhere = ops.argwhere
    bincount = ops.bincount
    cross = ops.cross
    diag = ops.diag
    diagonal = ops.diagonal
    flip = ops.flip
    index_put = ops.index_put
    kron = ops.kron
    masked_fill = ops.masked_fill
    nonzero = ops.nonzero
    roll = ops.roll
    searchsorted = ops.searchsorted
    split = ops.split
    take = ops.take
    tile = ops.tile
    trace = ops.trace
    tril = ops.tril
    triu = ops.triu
    unique = ops.unique

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

    def clamp(self, min=None, max=None):
        """`clip(min, max)`, as PyTorch calls it."""
        return ops.clip(self, min, max)

    def pow(self: Any, exponent):
        """`self ** exponent`."""
        return self**exponent

    def round(self):
        return ops.round(self)

    def reshape(self, *shape):
        return ops.reshape(self, *shape)

    def view(self, *shape):
        """`reshape`, as PyTorch calls it; NumPy's view as another dtype is not here."""
        return ops.reshape(self, *shape)

    def flatten(self: Any, start: int = 0, **unknown: Never):
        """All axes from `start` on become one; by default the result has one axis."""
        if unknown:
            raise unknown_to(Methods.flatten, unknown)
        if self.ndim == 0 and start in (0, -1):
            return ops.reshape(self, (1,))
        start = normalize_axis("flatten", start, self.ndim)
        return ops.reshape(self, (*self.shape[:start], prod(self.shape[start:])))

    def ravel(self: Any):
        """One axis, in C order."""
        return ops.reshape(self, (self.size,))

    def permute(self, *axes):
        """`transpose(axes)`, as PyTorch calls it: axis i of the result is axis axes[i]."""
        one = len(axes) == 1 and isinstance(axes[0], tuple | list)
        return ops.transpose(self, axes[0] if one else axes)

    @property
    def T(self):
        return ops.transpose(self)

    def broadcast_to(self, *shape):
        return ops.broadcast_to(self, *shape)

    def expand(self: Any, *shape):
        """`broadcast_to` as PyTorch calls it: -1 keeps the size of an axis."""
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        new = len(sizes) - self.ndim
        if any(n == -1 for n in sizes[: max(new, 0)]):
            raise ShapeError(f"expand: -1 stands for no axis of {self.shape} in {tuple(sizes)}")
        kept = (1,) * max(new, 0) + self.shape
        target = [m if n == -1 else n for n, m in zip(sizes, kept, strict=False)]
        return ops.broadcast_to(self, tuple(target))

    @door
    def unsqueeze(self, axis):
        """`expand_dims`, as PyTorch calls it."""
        return ops.expand_dims(self, axis)

    def copy(self):
        """The same values in storage of its own, still in the graph."""
        return ops.copy(self)

    def clone(self):
        """`copy`, as PyTorch calls it."""
        return ops.copy(self)

    def numel(self: Any) -> int:
        """How many elements there are: `size`, as PyTorch calls it."""
        return self.size


install(Methods, "x")
