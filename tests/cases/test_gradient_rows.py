"""Which rows have no gradient, why, and what the error says.

Everything else is differentiated twice: tests/ops/test_calculus.py, tests/nn/test_layer_rows.py,
tests/nn/test_losses_breadth.py.
"""

import numpy as np
import pytest

from cases.layers import LAYERS
from cases.losses import ALL as LOSSES
from tinydl import Generator, Tensor, grad, instruments, tensor
from tinydl.errors import GraphError
from tinydl.testing import CASES, Draw
from tinydl.testing.case import NO_DERIVATIVE, ROUNDED, WITHOUT_GRADIENT
from tinydl.testing.cases import ROWS

#: Without a derivative by their nature: the same on both sides of almost every point. That nothing
#: differentiable is among them is what the last test sees: asking for the gradient must raise.
BY_NATURE = {case.name for case in ROWS if case.note == NO_DERIVATIVE}


def test_all_rows_but_the_named_ones_are_differentiated_twice():
    rest = {case.name: case for case in ROWS if case.order != 2}
    print(f"{len(ROWS)} rows, without a derivative: {', '.join(sorted(rest))}")
    assert set(rest) - BY_NATURE - set(WITHOUT_GRADIENT) == {"astype"}
    assert rest["astype"].note == ROUNDED


def test_at_most_five_exceptions_and_each_says_so():
    print(f"{len(WITHOUT_GRADIENT)} exceptions: {', '.join(WITHOUT_GRADIENT) or 'none'}")
    assert len(WITHOUT_GRADIENT) <= 5
    assert set(WITHOUT_GRADIENT) <= {*CASES, *LAYERS, *LOSSES}
    for name, message in WITHOUT_GRADIENT.items():
        with pytest.raises(GraphError, match=message):
            differentiate_twice(name)


def differentiate_twice(name):
    """The second derivative of the squared sum of an operation, loss or layer at its row."""
    options, rest = {}, ()
    if name in CASES:
        example = CASES[name].draw(Draw(0))
        call, arrays, options = CASES[name].function, example.inputs, example.options
    elif name in LOSSES:
        (call, arrays), options = LOSSES[name], {"reduction": "sum"}
    else:
        layer, rest = LAYERS[name].make(Generator(0)).astype(np.float64), LAYERS[name].rest
        call, arrays = layer, [Draw(3).distinct(shape) for shape in LAYERS[name].inputs]
    leaves = [Tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    y = call(*leaves, *rest, **options)
    (y * y).sum().backward(create_graph=True)
    leaf = next(t for t in leaves if t.requires_grad)
    return grad(leaf.grad.sum(), leaf)[0]


@pytest.mark.parametrize("name", ["ctc", "RoiPool", "RoiAlign", "cross_entropy"])
def test_what_others_leave_out_is_not_among_the_exceptions(name):
    assert np.abs(differentiate_twice(name).numpy()).max() > 0


@pytest.mark.parametrize("name", sorted(BY_NATURE - {"causal_mask"}))
def test_without_a_derivative_the_error_names_the_operation(name):
    """Asking for the gradient raises, also behind further operations; nothing returns zeros."""
    example, met = CASES[name].draw(Draw(0)), []
    leaves = [tensor(x.astype(np.float64), requires_grad=True) for x in example.inputs]
    if name in ("one_hot", "any", "all") or name.startswith("logical"):
        leaves = [leaf.astype(x.dtype) for leaf, x in zip(leaves, example.inputs, strict=True)]
    with instruments.watching(lambda function, *_: met.append(function)):
        y = CASES[name].function(*leaves, **example.options)
    stop = "astype" if leaves[0].dtype.kind != "f" else next(
        f.name for f in met if not f.differentiable
    )  # fmt: skip
    with pytest.raises(GraphError, match=rf"without a derivative .* was {stop}, whose result is"):
        (y.astype("float64") * 2.0).sum().backward()
