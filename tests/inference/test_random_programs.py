"""Forward passes that nobody would write: operations drawn at random over values drawn at random,
so that every order of lives, views and results that overwrite their inputs comes up."""

import numpy as np
from closeness import assert_close
from forwards import Net
from hypothesis import given, settings
from hypothesis import strategies as st

import tinydl as td
from tinydl import nn, ops

#: Of one value or two of shape (1, 4, 4, 8), with a result of that shape.
ONE = (
    ops.tanh, ops.relu, ops.relu6, ops.sigmoid,
    lambda m, x: m.a(x), lambda m, x: m.b(x), lambda m, x: m.deep(x), lambda m, x: m.norm(x),
    lambda x: ops.transpose(x, (0, 2, 1, 3)),
    lambda x: ops.reshape(ops.reshape(x, 1, 2, 8, 8), 1, 4, 4, 8),
    lambda x: x - ops.sum(x, 1, True) * 0.25,
    lambda x: ops.concat([x[:, 1:], x[:, :1]], 1),
    lambda x: ops.cumsum(x, 1) * 0.25,  # from Python
    lambda x: ops.softmax(x) + 0.0,
)  # fmt: skip
TWO = (ops.add, ops.multiply, lambda x, y: ops.maximum(x, y), lambda x, y: ops.relu(x + y))


@st.composite
def recipes(draw):
    """(operation, the places of its operands) and which values are returned."""
    steps = []
    for k in range(draw(st.integers(1, 14))):
        table = draw(st.sampled_from((ONE, ONE, TWO)))
        near = st.integers(max(0, k - 3), k)
        steps.append((table, draw(st.integers(0, len(table) - 1)), draw(near), draw(near)))
    outputs = draw(st.lists(st.integers(0, len(steps)), min_size=1, max_size=3))
    return steps, [*outputs, len(steps)]


class Drawn(Net):
    def __init__(self):
        super().__init__(
            None,
            a=nn.Conv2d(8, 8, 1), b=nn.Conv2d(8, 8, 3, padding=1, bias=False),
            deep=nn.DepthwiseConv2d(8, 3, padding=1), norm=nn.BatchNorm(8),
        )  # fmt: skip
        moments = np.linspace(0.5, 1.5, 8, dtype=np.float32)
        for stored in (self.norm.running_mean, self.norm.running_variance):
            stored.assign(moments)  # a norm that changes something
        self.eval()

    def forward(self, x):
        values = [x]
        for table, number, first, second in self.function[0]:
            operation = table[number]
            given = values[first : first + 1] if table is ONE else [values[first], values[second]]
            own = table is ONE and operation.__code__.co_argcount == 2
            values.append(operation(self, *given) if own else operation(*given))
        return tuple(values[k] for k in self.function[1])


MODEL = Drawn()


@settings(max_examples=60)
@given(recipes(), st.integers(0, 2**31))
def test_programs_of_random_operations(recipe, seed):
    MODEL.function = recipe
    compiled = td.compile(MODEL)
    rng = np.random.default_rng(seed)
    for _ in range(2):
        x = td.tensor(rng.standard_normal((1, 4, 4, 8)).astype(np.float32))
        with td.no_grad():
            for found, expected in zip(compiled(x), MODEL(x), strict=True):
                assert_close(found.numpy(), expected.numpy(), 2e-5, atol=1e-6)
