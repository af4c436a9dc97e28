"""Derivatives of functions of tensors as tensors: whole matrices of them, and products with one.

The backward walk gives u J, a row of numbers times the Jacobian; everything here is made of it. A
matrix takes one walk per row. J v comes of walking twice (Townsend 2017, "A new trick for
calculating Jacobian vector products"): u J is linear in u, so that its derivative by u along v is
J v. H v is the gradient of <gradient, v> (Pearlmutter 1994), without the Hessian.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from . import ops
from .arguments import addressable
from .arguments import tensor as checked_tensor
from .doors import checked
from .errors import DTypeError, GraphError, ShapeError
from .function import Identity, enable_grad, grad
from .quoting import quoted
from .tensor import Tensor

#: One of something for one input, a tuple of them for several.
One = Any


@checked
def jacobian(function: Callable[..., Tensor], *inputs: Tensor, create_graph: bool = False) -> One:
    """dy_i / dx_j of y = function(*inputs), y.shape + x.shape: for one input a tensor, for several
    a tuple of them, as many walks as y has elements.

    With create_graph the result can be differentiated, by `inputs` and by what else the function
    uses. Raises ShapeError, DTypeError for inputs that are no float tensors, GraphError for a
    function that gives no float tensor.
    """
    with enable_grad():
        leaves = _leaves("jacobian", inputs, create_graph)
        y = _result("jacobian", function(*leaves))
        found = _rows("jacobian", y, leaves, create_graph)
    return found[0] if len(inputs) == 1 else found


@checked
def hessian(function: Callable[..., Tensor], *inputs: Tensor, create_graph: bool = False) -> One:
    """d^2 f / dx_i dx_j of a single number f = function(*inputs), x.shape + x.shape: for one input
    a tensor, for several a tuple of rows, by x_i and by x_j.

    One walk through the gradient's graph for each element of `inputs`. Arguments and errors as of
    `jacobian`; ShapeError for more than one number.
    """
    with enable_grad():
        leaves = _leaves("hessian", inputs, create_graph)
        slopes = _slopes("hessian", function, leaves)
        found = tuple([_rows("hessian", slope, leaves, create_graph) for slope in slopes])
    return found[0][0] if len(inputs) == 1 else found


@checked
def jvp(
    function: Callable[..., Tensor],
    inputs: Tensor | Sequence[Tensor],
    tangents: Tensor | Sequence[Tensor],
    create_graph: bool = False,
) -> tuple[Tensor, Tensor]:
    """(y, J v): y = function(*inputs), and how fast it changes as the inputs move along `tangents`,
    one of the shape and type of each. Two walks, whatever the sizes.

    inputs, tangents: a tensor, or a sequence of them. Errors as of `jacobian`, and ShapeError for
    tangents that are not like the inputs. (u J is `grad(y, x, u)`.)
    """
    given, along = _alike("jvp", "tangents", inputs, tangents)
    with enable_grad():
        leaves = _leaves("jvp", given, create_graph)
        y = _result("jvp", function(*leaves))
        weights = _leaves("jvp", [_zeros(y)], False)
        pulled = _gradients([y], leaves, weights, True)
        moved = _gradients(pulled, weights, along, create_graph)[0]
    return y if create_graph else y.detach(), moved


@checked
def hvp(
    function: Callable[..., Tensor],
    inputs: Tensor | Sequence[Tensor],
    vectors: Tensor | Sequence[Tensor],
    create_graph: bool = False,
) -> tuple[Tensor, One]:
    """(f, H v): a single number f = function(*inputs), and its Hessian times `vectors`, one of the
    shape and type of each input; H v like `inputs`. Two walks, whatever the sizes.

    Arguments and errors as of `jvp`; ShapeError for more than one number.
    """
    given, along = _alike("hvp", "vectors", inputs, vectors)
    with enable_grad():
        leaves = _leaves("hvp", given, create_graph)
        value = _single("hvp", function(*leaves))
        slopes = _gradients([value], leaves, None, True)
        found = _gradients(slopes, leaves, along, create_graph)
    return (
        value if create_graph else value.detach(),
        found[0] if isinstance(inputs, Tensor) else tuple(found),
    )


@checked
def per_sample_gradients(
    function: Callable[..., Tensor], parameters: Iterable[Tensor], *inputs: Tensor
) -> tuple[Tensor, ...]:
    """The gradient of each sample by itself, (N, *p.shape) for every p of `parameters`.

    function(*sample) is a single number, such as the loss; a sample is a batch of one, inputs[k] of
    (N, ...) cut along the first axis. One walk per sample: nothing meets in the batch, nor does a
    batch norm see others. Clipped one by one, and noise added, they are the gradients of private
    training (Abadi et al. 2016). Raises ShapeError for inputs of different lengths, or of none.
    """
    op, chosen = "per_sample_gradients", list(parameters)
    for k, p in enumerate(chosen):
        checked_tensor(op, f"parameters[{k}]", p)
    sizes = [x.shape[0] if x.ndim else 0 for x in inputs]
    if not sizes or not sizes[0] or len(set(sizes)) > 1:
        raise ShapeError(
            f"{op}: inputs must have one length of at least 1 along their first axis, got "
            f"{[x.shape for x in inputs]}"
        )
    rows = []
    for i in range(sizes[0]):
        with enable_grad():
            value = _single(op, function(*[x[i : i + 1] for x in inputs]))
            rows.append(_gradients([value], chosen, None, False))
    return tuple([ops.stack(list(row)) for row in zip(*rows, strict=True)])


# -- what they are made of -------------------------------------------------------------------------


def _leaves(op: str, inputs: Sequence[Tensor], create_graph: bool) -> list[Tensor]:
    """Tensors to differentiate by: of their own, so that no other use of the inputs counts; with
    create_graph still connected with them."""
    leaves = []
    for k, x in enumerate(inputs):
        if x.dtype.kind != "f":
            raise DTypeError(f"{op}: inputs must be float tensors, got {x.dtype} {x.shape} ({k})")
        leaf = Identity().apply(x) if create_graph and x.requires_grad else x.detach()
        leaf.requires_grad = True
        leaves.append(leaf)
    if not leaves:
        raise ShapeError(f"{op}: needs at least one input")
    return leaves


def _result(op: str, y: Any) -> Tensor:
    if not isinstance(y, Tensor) or y.dtype.kind != "f":
        kind = f"{y.dtype} {y.shape}" if isinstance(y, Tensor) else quoted(y)
        raise GraphError(f"{op}: the function must return one float tensor, got {kind}")
    return y


def _single(op: str, y: Any) -> Tensor:
    y = _result(op, y)
    if y.size != 1:
        raise ShapeError(f"{op}: the function must return a single number, got shape {y.shape}")
    return y


def _alike(op: str, name: str, inputs: One, others: One) -> tuple[list[Tensor], list[Tensor]]:
    """Both as lists; ShapeError unless they belong to each other."""
    given, along = [list(v) if isinstance(v, tuple | list) else [v] for v in (inputs, others)]
    for what, tensors in (("inputs", given), (name, along)):
        for k, x in enumerate(tensors):
            checked_tensor(op, f"{what}[{k}]", x)
    kinds = [[f"{x.dtype} {x.shape}" for x in tensors] for tensors in (given, along)]
    if kinds[0] != kinds[1]:
        raise ShapeError(f"{op}: {name} must be like the inputs {kinds[0]}, got {kinds[1]}")
    return given, along


def _gradients(
    outputs: Sequence[Tensor],
    leaves: Sequence[Tensor],
    incoming: Sequence[Tensor] | None,
    create_graph: bool,
) -> list[Tensor]:
    """As `grad`, but zeros where there is no way from a leaf to an output."""
    seeds: Sequence[Tensor | None] = incoming or [None] * len(outputs)
    pairs = [(y, u) for y, u in zip(outputs, seeds, strict=True) if y.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(leaves)
    if pairs:
        ys, us = [y for y, _ in pairs], [u for _, u in pairs]
        found = grad(
            ys, list(leaves), us if incoming else None, create_graph, True, allow_unused=True
        )
    return [_zeros(x) if g is None else g for x, g in zip(leaves, found, strict=True)]


def _zeros(x: Tensor) -> Tensor:
    return Tensor._new(x.backend.zeros(x.shape, x.dtype), x.backend)


def _slopes(op: str, function: Callable[..., Tensor], leaves: list[Tensor]) -> list[Tensor]:
    return _gradients([_single(op, function(*leaves))], leaves, None, True)


def _rows(op: str, y: Tensor, leaves: list[Tensor], create_graph: bool) -> tuple[Tensor, ...]:
    """dy_i / dx_j for every leaf x, y.shape + x.shape: one walk for each element of y."""
    shapes = [addressable(op, y.shape + x.shape, 8) for x in leaves]
    rows: list[list[Tensor]] = []
    for k in range(y.size):
        unit = np.zeros(y.shape, y.dtype)
        unit.flat[k] = 1
        rows.append(_gradients([y], leaves, [Tensor(unit, backend=y.backend)], create_graph))
    if not rows:
        return tuple([Tensor(np.zeros(s, y.dtype), backend=y.backend) for s in shapes])
    columns = zip(*rows, strict=True)
    return tuple([ops.reshape(ops.stack(list(c)), s) for c, s in zip(columns, shapes, strict=True)])
