"""Matrix products. The two gradients of a product are products again."""

from __future__ import annotations

from ..arguments import is_tensor, made_of
from ..engine import fit
from ..errors import DTypeError, ShapeError
from ..function import Function
from ..geometry import broadcast_shape, matmul_multiply_adds
from ..quoting import quoted
from .broadcast import broadcast_to, sum
from .packed import LEAST_MATRIX, MOST_ROWS, keeps_packed, packed_weight
from .shape import reshape, transpose


class MatMul(Function):
    """[M x K] @ [K x N] with equal batch axes."""

    name = "matmul"
    saves = (0, 1)
    packed = None  # b once more, where it is kept packed

    def forward(self, a, b):
        if self.packed is not None:
            return self.backend.matmul_packed(a, self.packed, b.shape[1])
        return self.backend.matmul(a, b)

    def flops(self, arrays, y):
        return 2 * matmul_multiply_adds(arrays[0].shape, arrays[1].shape)

    def backward(self, grad):
        a, b = self.saved
        # [M x N] @ [N x K] and [K x M] @ [M x N]
        return (
            MatMul().apply(grad, _swap(b)) if self.needed[0] else None,
            MatMul().apply(_swap(a), grad) if self.needed[1] else None,
        )


class Linear(Function):
    """x (N, in) @ weight (in, out) + bias (out,), the bias added as the product is written."""

    name = "linear"
    saves = (0, 1)
    packed = None  # the weight once more, where it is kept packed

    def forward(self, x, weight, bias):
        if self.packed is not None:
            return self.backend.matmul_packed(x, self.packed, weight.shape[1], bias)
        return self.backend.matmul(x, weight, bias)

    def flops(self, arrays, y):
        return 2 * matmul_multiply_adds(arrays[0].shape, arrays[1].shape) + y.size

    def backward(self, grad):
        x, weight = self.saved
        # [N x out] @ [out x in], [in x N] @ [N x out], and one column sum
        return (
            MatMul().apply(grad, _swap(weight)) if self.needed[0] else None,
            MatMul().apply(_swap(x), grad) if self.needed[1] else None,
            sum(grad, 0) if self.needed[2] else None,
        )


def _swap(x):
    """Exchange the last two axes (a view)."""
    if x.ndim == 2:
        return transpose(x)
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _check_types(op, a, b):
    if not (is_tensor(a) and is_tensor(b)):
        raise DTypeError(f"{op}: expects tensors, got {quoted(a)} and {quoted(b)}{made_of(a, b)}")
    left, right = a.dtype, b.dtype
    if left != right or left.kind != "f":
        raise DTypeError(
            f"{op}: needs two tensors of one float type, got {left} and {right}; convert one with "
            ".astype, an array by td.tensor(x, dtype='float32')"
        )


def matmul(a, b):
    """[M x K] @ [K x N] -> [M x N]; leading axes are a batch and broadcast; a vector is a row
    (left) or column (right).

    Raises ShapeError if the inner sizes differ, DTypeError if the types do.
    """
    if fit(a, b):  # the usual case, which needs no checks
        return MatMul().apply(a, b)
    _check_types("matmul", a, b)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul: operands need at least one axis, got {a.shape} and {b.shape}")
    left = reshape(a, (1, a.shape[0])) if a.ndim == 1 else a
    right = reshape(b, (b.shape[0], 1)) if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        raise ShapeError(
            f"matmul: inner sizes differ: {a.shape} @ {b.shape} ({left.shape[-1]} and "
            f"{right.shape[-2]})"
        )
    product = _batched(left, right)
    if a.ndim == 1:
        product = reshape(product, product.shape[:-2] + product.shape[-1:])
    if b.ndim == 1:
        product = reshape(product, product.shape[:-1])
    return product


def _batched(a, b):
    if b.ndim == 2:  # one right side for the whole batch: stack the rows
        rows = MatMul().apply(reshape(a, (_rows(a), a.shape[-1])), b)
        return reshape(rows, a.shape[:-1] + b.shape[-1:])
    batch = broadcast_shape("matmul", a.shape[:-2], b.shape[:-2])
    a = broadcast_to(a, batch + a.shape[-2:])
    b = broadcast_to(b, batch + b.shape[-2:])
    return MatMul().apply(a, b)


def _rows(x):
    rows = 1
    for n in x.shape[:-1]:
        rows *= n
    return rows


def linear(x, weight, bias=None):
    """x (..., in) @ weight (in, out) + bias (out,) -> (..., out).

    Raises ShapeError if the sizes do not fit, DTypeError if the types differ.
    """
    if bias is not None and fit(x, weight, bias):
        if weight.data.size < LEAST_MATRIX:
            return Linear().apply(x, weight, bias)
        return _product(x, weight, bias)
    _check_types("linear", x, weight)
    sizes, features = weight.shape, x.shape[-1:]
    if len(sizes) != 2 or features != sizes[:1]:
        raise ShapeError(
            f"linear: x has {x.shape[-1] if x.ndim else 'no'} features but weight expects "
            f"{weight.shape[0] if weight.ndim else '(in, out)'} (x {x.shape}, weight "
            f"{weight.shape})"
        )
    if bias is not None:
        _check_types("linear", x, bias)
        if bias.shape != sizes[1:]:
            raise ShapeError(
                f"linear: bias must be ({weight.shape[1]},) for weight {weight.shape}, got "
                f"{bias.shape}"
            )
    flat = x.ndim == 2
    rows = x if flat else reshape(x, (_rows(x), x.shape[-1]))
    product = _product(rows, weight) if bias is None else _product(rows, weight, bias)
    return product if flat else reshape(product, x.shape[:-1] + sizes[1:])


def _product(rows, weight, *bias):
    """The product, from the packed copy of the weight where that is kept and pays. Vectors
    (`csrc/matmul.c`) are summed in another order."""
    product = Linear() if bias else MatMul()
    M, (K, N) = rows.data.shape[0], weight.data.shape
    if K * N >= LEAST_MATRIX and keeps_packed(rows, weight, *bias) and 1 < M <= MOST_ROWS and N > 1:
        product.packed = packed_weight(weight, (), weight.backend.pack_matmul)
    return product.apply(rows, weight, *bias)
