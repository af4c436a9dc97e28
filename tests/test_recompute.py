"""recompute: bitwise the values and gradients of the plain call, and less memory in between."""

import tracemalloc

import numpy as np
import pytest
from closeness import assert_close

import tinydl as td
from tinydl import nn
from tinydl.errors import ConfigError, DTypeError, GraphError
from tinydl.nn import BatchNorm, Dropout, Linear, Sequential, Tanh
from tinydl.testing import check_grads


def block(rng=None, rate=0.5):
    tensors = td.Generator(3)
    return Sequential(
        Linear(4, 6, rng=tensors), BatchNorm(6), Tanh(), Dropout(rate, rng=rng),
        Linear(6, 4, rng=tensors),
    )  # fmt: skip


def gradients(model, call, seed=11):
    """Loss, input's gradient, parameters' gradients, running mean, place of the generator."""
    generator = td.seed(seed)
    x = td.tensor(np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4), requires_grad=True)
    h = td.tanh(x)
    loss = (call(model, h) * h).sum()
    td.uniform((3,))  # somebody draws in between: that stays drawn
    loss.backward()
    arrays = [loss, x.grad, *[p.grad for p in model.parameters()], model[1].running_mean]
    return [np.array(a.numpy()) for a in arrays], generator.offset


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a[0], b[0], strict=True)) and a[1] == b[1]


def plain(model, h):
    return model(h)


def test_values_gradients_statistics_and_dropout_are_bitwise_those_of_the_plain_call():
    expected = gradients(block(), plain)
    assert same(gradients(block(), td.recompute), expected)
    assert not same(gradients(block(), plain, seed=12), expected)  # dropout matters here


def test_a_generator_of_the_layers_own_draws_the_same_again():
    expected = gradients(block(td.Generator(5)), plain)
    model = block(td.Generator(5))
    assert same(gradients(model, td.recompute), expected)
    other = block(td.Generator(5))
    gradients(other, plain)
    assert model[3].rng.offset == other[3].rng.offset > 0


def test_segments_in_segments():
    def nested(model, h):
        return td.recompute(lambda a: td.recompute(model, a * 1.0), h)

    assert same(gradients(block(), nested), gradients(block(), lambda model, h: model(h * 1.0)))


def test_second_order():
    model = block(rate=0.0).astype(np.float64).eval()
    x = td.tensor(np.linspace(-1, 1, 8).reshape(2, 4))
    check_grads(lambda t: td.recompute(model, t * t), x, order=2)
    weight = model[0].weight
    found = []
    for call in (plain, td.recompute):
        (slope,) = td.grad((call(model, x) ** 2.0).sum(), weight, create_graph=True)
        found.append(td.grad((slope * slope).sum(), [weight, model[4].weight]))
    for a, b in zip(*found, strict=True):
        assert_close(b.numpy(), a.numpy(), 1e-12)


def test_the_inner_results_are_not_kept():
    """Measured: what stays allocated between forward and backward, for 8 layers in 2 segments."""
    layers = [Sequential(Linear(64, 64), Tanh()) for _ in range(8)]
    halves = [Sequential(*layers[:4]), Sequential(*layers[4:])]
    x = td.tensor(np.ones((256, 64), np.float32), backend="numpy", requires_grad=True)
    for half in halves:
        half.to("numpy")

    def kept(call):
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        y = x
        for half in halves:
            y = call(half, y)
        used = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        y.sum().backward()
        return used

    layer = 256 * 64 * 4
    everything, little = kept(plain), kept(td.recompute)
    assert everything > 8 * layer
    assert 2 * layer <= little < 2.5 * layer  # the two segments' results


class Moving(nn.Module):
    """Reads, updates and reads again a buffer, as the power iteration of a spectral norm does."""

    def __init__(self):
        self.u = nn.Buffer(np.array([0.5, 1.0], np.float32))

    def forward(self, x):
        old = self.u.detach()
        self.u.update(td.sin(self.u * 2.0))
        return x * x * self.u.detach() + x * old


@pytest.mark.parametrize("nested", [False, True])
def test_buffers_are_read_as_the_first_time_and_updated_once(nested):
    found = []
    for call in (plain, td.recompute):
        model, x = Moving(), td.tensor([[1.0, 2.0]], requires_grad=True)
        inner = (lambda t, m=model: td.recompute(m, t)) if nested else model
        y = call(inner, x)
        found.append(model.u.numpy().copy())
        if call is td.recompute:  # a later call moves it on; that is not undone
            model.u.update(td.tensor([7.0, 8.0]))
        y.sum().backward()
        found.append(x.grad.numpy())
    assert model.u.tolist() == [7, 8]
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], found[3])


def test_on_every_backend(backend):
    model = block().to(backend)
    x = td.tensor(np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4), backend=backend)
    found = []
    for call in (plain, td.recompute):
        td.seed(4)
        model.zero_grad()
        (call(model, x) ** 2.0).sum().backward()
        found.append([p.grad.numpy() for p in model.parameters()])
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_without_recording_it_is_the_plain_call():
    model = block()
    with td.no_grad():
        y = td.recompute(model, td.ones((3, 4)))
    assert not y.requires_grad and y.shape == (3, 4)
    constant = td.recompute(lambda t: t * 2.0, td.ones((2,)))
    assert not constant.requires_grad and constant.tolist() == [2, 2]


def test_the_optimiser_may_not_step_in_between():
    layer = Linear(2, 2)
    y = td.recompute(layer, td.ones((1, 2)))
    layer.weight.assign(np.zeros((2, 2), np.float32))
    with pytest.raises(GraphError, match="changed in place"):
        y.sum().backward()


def test_what_it_refuses():
    x = td.ones((2, 3))
    outside = td.tensor(np.ones((2, 3), np.float32), requires_grad=True) * 2.0
    with pytest.raises(GraphError, match=r"result of a \w+ \(shape \(2, 3\)\) from outside"):
        td.recompute(lambda t: t * outside, x)
    with pytest.raises(GraphError, match="must return one tensor, got tuple"):
        td.recompute(lambda t: (t, t), x)
    with pytest.raises(DTypeError, match="expects tensors as inputs, got Tensor, float"):
        td.recompute(lambda t, s: t * s, x, 2.0)
    with pytest.raises(ConfigError, match="cannot be inside recompute"):
        td.recompute(Linear(3, 3, activity_penalty=nn.L2(0.1)), x)


def test_a_buffer_that_is_overwritten_inside_is_overwritten_once():
    class Counting(nn.Module):
        def __init__(self):
            self.count = nn.Buffer(np.ones(3, np.float32))
            self.weight = nn.Parameter(np.ones(3, np.float32))

        def forward(self, x):
            self.count.assign(self.count.numpy() + 1)
            return x * self.weight * self.count.detach()

    x, values = td.ones((2, 3)), []
    for run in (lambda f, x: f(x), td.recompute):
        layer = Counting()
        run(layer, x).sum().backward()
        values.append((layer.count.tolist(), layer.weight.grad.tolist()))
    assert values[0] == values[1] == ([2.0] * 3, [4.0] * 3)
