"""Second derivatives against HIPS autograd, which differentiates by its own rules."""

import numpy as np
import pytest
from hypothesis import given
from support import oracle_module

from tinydl import Tensor, grad, ops
from tinydl.testing import Draw
from tinydl.testing.strategies import seeds

pytestmark = pytest.mark.oracle
oracle_module("autograd")
import autograd.numpy as anp  # noqa: E402
from autograd import grad as autograd_grad  # noqa: E402


def softmax(x):
    e = anp.exp(x - anp.max(x, axis=-1, keepdims=True))
    return e / anp.sum(e, axis=-1, keepdims=True)


def recurrence(x, w, h):
    states = []
    for t in range(3):
        h = anp.tanh(anp.dot(x[:, t], w) + anp.dot(h, w))
        states.append(h)
    return anp.stack(states, axis=1)


def our_recurrence(x, w, h):
    return ops.rnn_sequence(x, h, w, w, Tensor(np.zeros(4), backend="numpy"))


# name: ours, autograd's, arguments
ROWS = {
    "tanh": (ops.tanh, anp.tanh, lambda d: [d.normal((3, 2))]),
    "sigmoid": (ops.sigmoid, lambda x: 1 / (1 + anp.exp(-x)), lambda d: [d.normal((3, 2))]),
    "sqrt": (ops.sqrt, anp.sqrt, lambda d: [d.uniform((5,), 0.5, 2)]),
    "power": (ops.power, lambda a, b: a**b, lambda d: [d.uniform((4,), 0.5, 2), d.normal((4,))]),
    "divide": (
        ops.divide,
        lambda a, b: a / b,
        lambda d: [d.normal((3, 2)), d.away_from_zero((2,), 0.5)],
    ),
    "matmul": (ops.matmul, anp.dot, lambda d: [d.normal((3, 4)), d.normal((4, 2))]),
    "softmax": (ops.softmax, softmax, lambda d: [d.normal((3, 4))]),
    "logsumexp": (
        lambda x: ops.logsumexp(x, 1),
        lambda x: anp.log(anp.sum(anp.exp(x), axis=1)),
        lambda d: [d.normal((3, 4))],
    ),
    "var": (lambda x: ops.var(x, 0), lambda x: anp.var(x, axis=0), lambda d: [d.normal((4, 3))]),
    "rnn_sequence": (
        our_recurrence,
        recurrence,
        lambda d: [d.normal((2, 3, 4)), d.normal((4, 4)), d.normal((2, 4))],
    ),
}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_hessian_vector_products(name):
    """d/dx <df/dx, v> for f = sum of squares of the outputs, in every argument."""
    ours, theirs, draw = ROWS[name]

    @given(seed=seeds())
    def check(seed):
        d = Draw(seed)
        arrays = draw(d)
        directions = [d.normal(a.shape) for a in arrays]

        def loss(*args):
            return anp.sum(theirs(*args) ** 2)

        places = tuple(range(len(arrays)))

        def slope(*args):
            firsts = autograd_grad(loss, places)(*args)
            return sum(anp.sum(g * v) for g, v in zip(firsts, directions, strict=True))

        want = autograd_grad(slope, places)(*arrays)
        leaves = [Tensor(a, backend="numpy", requires_grad=True) for a in arrays]
        y = ours(*leaves)
        firsts = grad((y * y).sum(), leaves, create_graph=True)
        dot = sum((g * v).sum() for g, v in zip(firsts, directions, strict=True))
        for got, expected in zip(grad(dot, leaves), want, strict=True):
            scale = max(np.abs(expected).max(), 1e-3)
            assert np.all(np.abs(got.numpy() - expected) <= 1e-9 * scale)

    check()
