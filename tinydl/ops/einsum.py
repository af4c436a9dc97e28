"""Einstein summation as transpose, reshape, matmul and sum, and the Gram matrix."""

from __future__ import annotations

from math import prod

from ..arguments import tensor, text
from ..doors import door
from ..errors import ShapeError
from .broadcast import sum
from .matmul import matmul
from .matrices import diagonal
from .shape import reshape, transpose


@door
def einsum(subscripts, *operands):
    """einsum("nij,njk->nik", a, b): products summed over the letters that the result does not have.

    Each letter is an axis and means one size; "..." stands for any number of axes, which broadcast
    together. A letter twice in one operand takes its diagonal. Without "->" the result has the axes
    of "..." and then the letters that occur once, in alphabetical order (capitals first). Operands
    are combined from left to right, each pair as one batched matmul. As in NumPy, but letters of
    size 1 do not broadcast. Raises ShapeError, DTypeError as matmul.
    """
    inputs, output = _parse(subscripts, operands)
    sizes = _sizes(subscripts, inputs, operands)
    terms = [_own(letters, x, sizes) for letters, x in zip(inputs, operands, strict=True)]
    letters, x = terms[0]
    for i in range(1, len(terms)):
        wanted = set(output).union(*[own for own, _ in terms[i + 1 :]])
        own, y = terms[i]
        letters, x = _contract(letters, x, own, y, wanted)
    x, letters = _sum_out(x, letters, output)
    return _reorder(x, letters, output)


def _parse(subscripts, operands):
    """(the letters of each operand, those of the result); the axes of "..." are "-1", "-2", ...
    counted from its end."""
    for operand in operands:
        tensor("einsum", "an operand", operand)
    left, arrow, right = text("einsum", "subscripts", subscripts).replace(" ", "").partition("->")
    terms = left.split(",")
    for term in (*terms, right):
        letters = term.replace("...", "", 1)
        if not (letters.isascii() and letters.isalpha()) and letters:
            raise ShapeError(
                f"einsum: {subscripts!r} must read like 'ij,jk->ik' or '...ij->...ji', letters only"
            )
    if len(terms) != len(operands):
        raise ShapeError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(operands)}")
    extra = [
        x.ndim - len(term) + 3 for term, x in zip(terms, operands, strict=True) if "..." in term
    ]
    if min(extra, default=0) < 0:
        shapes = ", ".join(str(x.shape) for x in operands)
        raise ShapeError(f"einsum: {subscripts!r} has more letters than there are axes: {shapes}")
    most, counts = max(extra, default=0), iter(extra)
    inputs = [_spelled(term, next(counts) if "..." in term else 0) for term in terms]
    if not arrow:
        flat = left.replace("...", "").replace(",", "")
        once = [letter for letter in sorted(set(flat)) if flat.count(letter) == 1]
        return inputs, [*_spelled("...", most), *once]
    output = _spelled(right, most)
    if len(set(output)) != len(output):
        raise ShapeError(f"einsum: a letter is repeated in the result of {subscripts!r}")
    if not set(output) <= set().union(*inputs):
        raise ShapeError(f"einsum: {subscripts!r} has letters in the result that no operand has")
    if most and "..." not in right:
        raise ShapeError(
            f"einsum: {subscripts!r} loses the {most} axes of '...'; write them in the result too, "
            "or sum over them afterwards"
        )
    return inputs, output


def _spelled(term, count):
    """The letters of a term in a list, "..." as `count` axes."""
    before, dots, after = term.partition("...")
    return [*before, *[str(i) for i in range(-count, 0) if dots], *after]


def _sizes(subscripts, inputs, operands):
    """{letter: size}; those of "..." broadcast."""
    sizes: dict[str, int] = {}
    for letters, x in zip(inputs, operands, strict=True):
        if len(letters) != x.ndim:
            term = "".join([c for c in letters if c.isalpha()])
            raise ShapeError(f"einsum: {term!r} of {subscripts!r} for a tensor of shape {x.shape}")
        for letter, n in zip(letters, x.shape, strict=True):
            known = sizes.setdefault(letter, n)
            if known == 1 and not letter.isalpha():
                sizes[letter] = n
            elif known != n and (letter.isalpha() or n != 1):
                axis = repr(letter) if letter.isalpha() else f"axis {letter} of '...'"
                raise ShapeError(f"einsum: {axis} of {subscripts!r} has the sizes {known} and {n}")
    return sizes


def _own(letters, x, sizes):
    """(letters, x) with each letter once: diagonals taken, axes of size 1 that others have longer
    left out."""
    for letter in [c for c in letters if letters.count(c) > 1]:
        while letters.count(letter) > 1:
            first = letters.index(letter)
            second = letters.index(letter, first + 1)
            x = diagonal(x, 0, first, second)
            letters = [c for i, c in enumerate(letters) if i not in (first, second)] + [letter]
    kept = [c for c, n in zip(letters, x.shape, strict=True) if n == sizes[c]]
    return kept, reshape(x, tuple([sizes[c] for c in kept]))


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
