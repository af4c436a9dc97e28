"""Whatever is written to between forward and backward: an error, or the gradient as without.

Every row of `cases` is run; then every tensor that went in, every tensor that came out and every
array among the options is overwritten in turn. What backward needs is named in the error; what it
does not need may be anything.
"""

import numpy as np
import pytest

from tinydl import Generator, Tensor, grad, nn, ops
from tinydl.errors import GraphError
from tinydl.testing import Draw
from tinydl.testing.case import Example
from tinydl.testing.cases import ROWS

pytestmark = pytest.mark.usefixtures("on_numpy")
IMAGE = np.random.default_rng(0).permutation(2 * 6 * 6 * 3).reshape(2, 6, 6, 3) / 10.0
ROWS_OF_D = np.random.default_rng(1).normal(size=(4, 5, 3))
KEEP = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [1, 1, 1, 1, 0]], bool)


def _sequence(kind, gates, states, options):
    """A fused sequence with mask and factors of h, both tensors of the caller."""
    rng = np.random.default_rng(2)
    shapes = [(4, 5, 3), *[(4, 2)] * states, (3, 2 * gates), (2, 2 * gates), (2 * gates,)]
    arrays = [rng.normal(size=s) for s in shapes] + [KEEP, rng.uniform(0.5, 1.5, (4, 2))]

    def call(*tensors):
        *inputs, mask, drop = tensors
        return kind(*inputs, mask=mask, drop=drop, **options)

    return call, tuple(arrays)


#: What the rows of `cases` leave out: second results, options that are tensors.
MORE = {
    "max_pool2d, places": (lambda x: ops.max_pool2d(x, 2, return_places=True), (IMAGE,)),
    "adaptive_max_pool2d, places": (
        lambda x: ops.adaptive_max_pool2d(x, 4, return_places=True),
        (IMAGE,),
    ),
    "batch_norm_with_statistics": (ops.batch_norm_with_statistics, (ROWS_OF_D,)),
    "topk": (lambda x: ops.topk(x, 2, 1), (ROWS_OF_D,)),
    "rnn": _sequence(ops.rnn_sequence, 1, 1, {}),
    "rnn composed": _sequence(ops.rnn_sequence, 1, 1, {"activation": ops.sigmoid}),
    "lstm": _sequence(ops.lstm_sequence, 4, 2, {}),
    "gru": _sequence(ops.gru_sequence, 3, 1, {}),
    "gru, reset before": _sequence(ops.gru_sequence, 3, 1, {"reset_after": False}),
    "attention": (
        ops.scaled_dot_product_attention,
        (ROWS_OF_D, ROWS_OF_D[::-1].copy(), ROWS_OF_D * 0.5, KEEP[:, None]),
    ),
    "getitem of a mask": (lambda x, mask: x[mask], (ROWS_OF_D, KEEP[:, :, None] & [True] * 3)),
    "getitem of tensors": (lambda x, i, j: x[i, j], (ROWS_OF_D, np.arange(3), np.arange(3))),
    "cross_entropy of classes with weights": (
        lambda x, labels, weight: nn.cross_entropy(
            x, labels, label_smoothing=0.1, weight=weight, ignore_index=2
        ),
        (ROWS_OF_D[0], np.array([0, 1, 2, 2, 0]), np.array([1.0, 2.0, 3.0])),
    ),
    "ctc": (
        lambda x, labels, steps, lengths: nn.ctc(x, labels, steps, lengths),
        (ROWS_OF_D, np.array([[1, 2]] * 4), np.array([5, 4, 3, 5]), np.array([2, 1, 1, 2])),
    ),
}
CALLS = {case.name: (case.function, case.draw) for case in ROWS if case.order}
CALLS |= {
    name: (call, lambda _, arrays=arrays: Example(arrays)) for name, (call, arrays) in MORE.items()
}


class Run:
    """One forward, and what its caller can write to."""

    def __init__(self, name):
        call, draw = CALLS[name]
        example = draw(Draw(4))
        self.inputs = [
            Tensor(x, requires_grad=x.dtype == np.float64 and i < 6)
            for i, x in enumerate(example.inputs)
        ]
        self.arrays = [_copy(v) for v in example.options.values()]
        options = dict(zip(example.options, self.arrays, strict=True))
        found = call(*self.inputs, **options)
        self.results = [found] if isinstance(found, Tensor) else list(found)

    def places(self):
        """Functions that overwrite one thing each."""
        for t in (*self.inputs, *self.results):
            yield lambda t=t: t.detach().assign(_other(t.numpy()))
        for a in self.arrays:
            if isinstance(a, np.ndarray):
                yield lambda a=a: a.__setitem__(..., _other(a))

    def gradients(self, order, between=lambda: None):
        """Of order 1 or 2, with something done in between."""
        y = next(t for t in self.results if t.requires_grad)
        wanted = [t for t in self.inputs if t.requires_grad]
        incoming = Tensor(np.random.default_rng(5).normal(size=y.shape))
        if order == 1:
            between()
            return grad(y, wanted, incoming, allow_unused=True)
        first = grad(y, wanted, incoming, create_graph=True, allow_unused=True)
        between()
        outputs = [g for g in first if g is not None and g.requires_grad]
        if not outputs:
            return ()
        seeds = [Tensor(np.full(g.shape, 0.7)) for g in outputs]
        return grad(outputs, wanted, seeds, allow_unused=True)


def _copy(value):
    return value.copy() if isinstance(value, np.ndarray) else value


def _other(array):
    """Other values of the type, still good as indices."""
    if array.dtype == bool:
        return ~array
    return array * 0 if array.dtype.kind in "iu" else array * 0.5 + 0.25


def _values(gradients):
    return [None if g is None else g.numpy().copy() for g in gradients]


@pytest.mark.parametrize("name", CALLS)
def test_an_error_or_the_same_gradient(name):
    for order in (1, 2):
        want = _values(Run(name).gradients(order))
        for i in range(len(list(Run(name).places()))):
            run = Run(name)
            change = list(run.places())[i]
            try:
                got = _values(run.gradients(order, change))
            except GraphError as error:
                assert "changed in place" in str(error)
                continue
            for a, b in zip(got, want, strict=True):
                np.testing.assert_array_equal(a, b, err_msg=f"order {order}, place {i}")


@pytest.mark.parametrize("option", ["mask", "drop"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru, reset before"])
def test_the_options_of_a_sequence_are_watched(name, option):
    """Also where x is data, so that nothing before the sequence is recorded."""
    run = Run(name)
    run.inputs[0].requires_grad = False
    y = MORE[name][0](*run.inputs)
    y = y if isinstance(y, Tensor) else y[0]
    changed = run.inputs[-2 if option == "mask" else -1]
    changed.assign(_other(changed.numpy()))
    with pytest.raises(GraphError, match=rf"_sequence: a tensor of shape .{changed.shape[0]}, "):
        y.sum().backward()


def test_a_result_that_shares_storage_is_watched_through_its_views():
    x = Tensor(IMAGE, requires_grad=True)
    y, places = ops.max_pool2d(x, 2, return_places=True)
    places.reshape(-1).assign(np.zeros(places.size, np.int32))
    with pytest.raises(GraphError, match=r"max_pool2d: a tensor of shape \(2, 3, 3, 3\)"):
        y.sum().backward()


def test_a_layer_may_be_called_again_before_backward():
    """Layers exchange the storage of their running statistics: none of it is needed."""
    layer = nn.Sequential(nn.BatchNorm(3), nn.Dropout(0.5, rng=Generator(1)))
    x = Tensor(ROWS_OF_D.astype(np.float32), requires_grad=True)
    first, _ = layer(x), layer(x)
    assert grad(first.sum(), x)[0].shape == x.shape
