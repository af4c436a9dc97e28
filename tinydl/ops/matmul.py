"""Matrix products. The two gradients of a product are products again."""

from __future__ import annotations

from ..arguments import is_tensor, made_of
from ..engine import fit
from ..errors import DTypeError, ShapeError
from ..function import Function
from ..geometry import broadcast_shape, matmul_multiply_adds
from ..quoting import quoted
from .broadcast import broadcast_to, sum
from .elementwise import astype
from .operands import _constant
from .packed import LEAST_MATRIX, MOST_ROWS, keeps_packed, packed_weight
from .shape import _take, reshape, transpose


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


def _check_types(op, a, b, kinds="f"):
    if not (is_tensor(a) and is_tensor(b)):
        raise DTypeError(f"{op}: expects tensors, got {quoted(a)} and {quoted(b)}{made_of(a, b)}")
    left, right = a.dtype, b.dtype
    if left != right or left.kind not in kinds:
        numbers = "float type" if kinds == "f" else "float type, or of one integer type"
        raise DTypeError(
            f"{op}: needs two tensors of one {numbers}, got {left} and {right}; convert one with "
            ".astype, an array by td.tensor(x, dtype='float32')"
        )


def matmul(a, b):
    """[M x K] @ [K x N] -> [M x N]; leading axes are a batch and broadcast; a vector is a row
    (left) or column (right).

    Integers keep their type and wrap, as in NumPy and PyTorch; they have no gradient. Raises
    ShapeError if the inner sizes differ, DTypeError if the types do, and for bool.
    """
    if fit(a, b):  # the usual case, which needs no checks
        return MatMul().apply(a, b)
    _check_types("matmul", a, b, "fiu")
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul: operands need at least one axis, got {a.shape} and {b.shape}")
    left = reshape(a, (1, a.shape[0])) if a.ndim == 1 else a
    right = reshape(b, (b.shape[0], 1)) if b.ndim == 1 else b
    if left.shape[-1] != right.shape[-2]:
        raise ShapeError(
            f"matmul: inner sizes differ: {a.shape} @ {b.shape} ({left.shape[-1]} and "
            f"{right.shape[-2]})"
        )
    product = _batched(left, right) if a.dtype.kind == "f" else _integer_product(left, right)
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


DIGIT = 1 << 16
#: A sum of so many products of two digits is below 2^53, where float64 stops to count.
MOST_TERMS = 1 << 21


def _integer_product(a, b):
    """The product of integers from exact products of floats: with 16-bit digits a = sum a_i 2^16i
    and b likewise, a @ b is the sum of (a_i @ b_j) 2^(16 (i + j)), of which those beyond the type
    wrap away."""
    size, K = a.dtype.itemsize, a.shape[-1]
    if K > MOST_TERMS:
        head = [_take(a, a.ndim - 1, 0, MOST_TERMS), _take(b, b.ndim - 2, 0, MOST_TERMS)]
        rest = K - MOST_TERMS
        tail = [_take(a, a.ndim - 1, MOST_TERMS, rest), _take(b, b.ndim - 2, MOST_TERMS, rest)]
        return _integer_product(*head) + _integer_product(*tail)
    count = max(size // 2, 1)
    left, right = _digits(a, count), _digits(b, count)
    total = None
    for i in range(count):
        for j in range(count - i):
            part = astype(_batched(left[i], right[j]), "int64")
            part = part * _constant(part, DIGIT ** (i + j))
            total = part if total is None else total + part
    return astype(total, a.dtype)


def _digits(x, count):
    """x = sum of digits 2^(16 i) in float64, all but the last in 0 ... 2^16 - 1."""
    x, found = astype(x, "int64"), []
    for _ in range(count - 1):
        found.append(astype(x % _constant(x, DIGIT), "float64"))
        x = x // _constant(x, DIGIT)
    return [*found, astype(x, "float64")]


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
