"""Einstein summation as transpose, reshape, matmul and sum, and the Gram matrix."""

from __future__ import annotations

from math import prod

from ..arguments import tensor, text
from ..doors import door
from ..errors import ShapeError
from .broadcast import sum
from .matmul import matmul
from .shape import reshape, transpose


@door
def einsum(subscripts, *operands):
    """einsum("nij,njk->nik", a, b): products summed over the letters that the result does not have.

    One or more tensors; the result after "->" is required. Operands are combined from left to
    right, each pair as one batched matmul. A letter occurs once per operand (use `trace` or
    `diagonal`) and means one size; no "...". Raises ShapeError for anything else, DTypeError as
    matmul.
    """
    inputs, output = _parse(subscripts, operands)
    _check_sizes(subscripts, inputs, operands)
    letters, x = inputs[0], operands[0]
    for i in range(1, len(operands)):
        wanted = set(output).union(*inputs[i + 1 :])
        letters, x = _contract(letters, x, inputs[i], operands[i], wanted)
    x, letters = _sum_out(x, letters, output)
    return _reorder(x, letters, output)


def _parse(subscripts, operands):
    for operand in operands:
        tensor("einsum", "an operand", operand)
    left, arrow, output = text("einsum", "subscripts", subscripts).replace(" ", "").partition("->")
    inputs = left.split(",")
    terms = [*inputs, output]
    if not arrow or not all(c.isascii() and c.isalpha() for term in terms for c in term):
        raise ShapeError(f"einsum: {subscripts!r} must read like 'ij,jk->ik', letters only")
    if any(len(set(term)) != len(term) for term in terms):
        raise ShapeError(
            f"einsum: a letter is repeated within one term of {subscripts!r}; use diagonal or trace"
        )
    if len(inputs) != len(operands):
        raise ShapeError(
            f"einsum: {subscripts!r} names {len(inputs)} operands, got {len(operands)}"
        )
    if not set(output) <= set(left):
        raise ShapeError(f"einsum: {subscripts!r} has letters in the result that no operand has")
    return inputs, output


def _check_sizes(subscripts, inputs, operands):
    sizes: dict[str, int] = {}
    for letters, x in zip(inputs, operands, strict=True):
        if len(letters) != x.ndim:
            raise ShapeError(
                f"einsum: {letters!r} of {subscripts!r} for a tensor of shape {x.shape}"
            )
        for letter, n in zip(letters, x.shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ShapeError(
                    f"einsum: {letter!r} of {subscripts!r} has the sizes {sizes[letter]} and {n}"
                )


def _sum_out(x, letters, wanted):
    """Sum over the axes whose letters nobody wants."""
    axes = tuple(i for i, letter in enumerate(letters) if letter not in wanted)
    return (sum(x, axes) if axes else x), [letter for letter in letters if letter in wanted]


def _reorder(x, letters, target):
    order = [list(letters).index(letter) for letter in target]
    return x if order == list(range(len(order))) else transpose(x, order)


def _contract(a_letters, a, b_letters, b, wanted):
    """Two operands as a batch of [left x shared] @ [shared x right]; returns (letters, tensor)."""
    a, a_letters = _sum_out(a, a_letters, wanted.union(b_letters))
    b, b_letters = _sum_out(b, b_letters, wanted.union(a_letters))
    both = [c for c in a_letters if c in b_letters]
    batch, shared = [c for c in both if c in wanted], [c for c in both if c not in wanted]
    left = [c for c in a_letters if c not in both]
    right = [c for c in b_letters if c not in both]
    size = dict(zip(a_letters, a.shape, strict=True)) | dict(zip(b_letters, b.shape, strict=True))

    def sizes(letters):
        return [size[c] for c in letters]

    B, M, K, N = (prod(sizes(part)) for part in (batch, left, shared, right))
    rows = reshape(_reorder(a, a_letters, batch + left + shared), (B, M, K))
    columns = reshape(_reorder(b, b_letters, batch + shared + right), (B, K, N))
    if batch:
        product = matmul(rows, columns)
    else:
        product = matmul(reshape(rows, (M, K)), reshape(columns, (K, N)))
    result = batch + left + right
    return result, reshape(product, sizes(result))


@door
def gram_matrix(x):
    """G = F^T F, F the features of one image as (positions, channels): (N, H, W, C) -> (N, C, C).

    Not normalised: Gatys et al. 2016 (style transfer) divide the loss, others G by H W C. A tensor
    (..., P, C) with other than two leading axes is taken as F itself. Raises ShapeError below two
    axes.
    """
    if x.ndim < 2:
        raise ShapeError(f"gram_matrix: needs (N, H, W, C) or (..., P, C), got {x.shape}")
    if x.ndim == 4:
        N, H, W, C = x.shape
        x = reshape(x, (N, H * W, C))
    order = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    # [C x P] @ [P x C]
    return matmul(transpose(x, order), x)
