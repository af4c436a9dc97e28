"""Jacobians, Hessians, products with them: closed forms and PyTorch, on every backend."""

import numpy as np
import pytest
from closeness import assert_close
from support import load_backend, oracle_module

import tinydl as td
from tinydl import Tensor, nn
from tinydl.errors import ConfigError, DTypeError, GraphError, ShapeError
from tinydl.testing import check_grads

rng = np.random.default_rng(5)
A, X, V = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=4)


@pytest.fixture(params=["numpy", "cpu", "opencl"])
def there(request):
    load_backend(request.param)
    with td.use_backend(request.param):
        yield request.param


def test_of_a_quadratic_form(there):
    """f = x S x / 2 has the gradient S x and the Hessian S; of A x the Jacobian is A."""
    S, a, x, v = (Tensor(t) for t in (A.T @ A, A, X, V))
    J = td.jacobian(lambda x: a @ x, x)
    assert J.backend.name == there and not J.requires_grad
    assert_close(J.numpy(), A, 1e-12)
    form = lambda x: 0.5 * (x @ S @ x)  # noqa: E731
    assert_close(td.hessian(form, x).numpy(), A.T @ A, 1e-12)
    value, product = td.hvp(form, x, v)
    assert_close(value.item(), 0.5 * X @ A.T @ A @ X, 1e-12)
    assert_close(product.numpy(), A.T @ A @ V, 1e-12)
    y, moved = td.jvp(lambda x: a @ x, x, v)
    assert_close(y.numpy(), A @ X, 1e-12)
    assert_close(moved.numpy(), A @ V, 1e-12)
    assert not any(t.requires_grad for t in (value, product, y, moved))


def test_shapes_and_types(there):
    x = Tensor(np.ones((2, 3), np.float32))
    J = td.jacobian(lambda x: x.sum(axis=1), x)
    assert J.shape == (2, 2, 3) and J.dtype == np.float32
    assert td.hessian(td.logsumexp, x).shape == (2, 3, 2, 3)
    assert td.jacobian(td.logsumexp, x).shape == (2, 3)
    nothing = td.jacobian(lambda x: x[:0], x)
    assert nothing.shape == (0, 3, 2, 3)


@pytest.mark.oracle
def test_of_several_inputs_against_pytorch():
    functional = oracle_module("torch").autograd.functional
    torch = oracle_module("torch")
    ours = lambda a, x: td.tanh(a @ x) * x.sum()  # noqa: E731
    theirs = lambda a, x: torch.tanh(a @ x) * x.sum()  # noqa: E731
    mine, hers = [Tensor(A), Tensor(X)], (torch.tensor(A), torch.tensor(X))
    for got, want in zip(td.jacobian(ours, *mine), functional.jacobian(theirs, hers), strict=True):
        assert_close(got.numpy(), want.numpy(), 1e-9)
    one = lambda *t: ours(*t).sum()  # noqa: E731
    other = lambda *t: theirs(*t).sum()  # noqa: E731
    blocks = zip(td.hessian(one, *mine), functional.hessian(other, hers), strict=True)
    for row, wanted in blocks:
        for got, want in zip(row, wanted, strict=True):
            assert_close(got.numpy(), want.numpy(), 1e-9)
    along = rng.normal(size=A.shape), V
    tangents = tuple([torch.tensor(v) for v in along])
    got = td.jvp(ours, mine, [Tensor(v) for v in along])
    for a, b in zip(got, functional.jvp(theirs, hers, tangents), strict=True):
        assert_close(a.numpy(), b.numpy(), 1e-9)
    value, products = td.hvp(one, tuple(mine), tuple([Tensor(v) for v in along]))
    wanted, theirs_products = functional.hvp(other, hers, tangents)
    assert_close(value.item(), wanted.item(), 1e-9)
    for a, b in zip(products, theirs_products, strict=True):
        assert_close(a.numpy(), b.numpy(), 1e-9)


def test_what_does_not_depend_has_the_derivative_zero():
    x, y = Tensor(X), Tensor(V)
    far = Tensor(np.array([np.inf, np.nan]))
    assert td.jacobian(lambda x: td.ones((1,)), far).tolist() == [[0.0, 0.0]]
    assert td.jvp(lambda x: x * 2.0, far, td.ones((2,), dtype="float64"))[1].tolist() == [2.0, 2.0]
    by_x, by_y = td.jacobian(lambda x, y: x * 2.0, x, y)
    assert_close(by_x.numpy(), 2 * np.eye(4), 1e-12)
    assert not by_y.numpy().any() and by_y.shape == (4, 4)
    assert not td.jacobian(lambda x: td.ones((3,)), x).numpy().any()
    assert not td.hessian(lambda x: x.sum(), x).numpy().any()
    assert not td.jvp(lambda x: td.ones((3,), dtype="float64"), x, y)[1].numpy().any()
    assert not td.hvp(lambda x: x.sum(), x, y)[1].numpy().any()


@pytest.mark.parametrize(
    "call",
    [
        lambda x, v: td.jacobian(lambda x: td.sin(x * v), x, create_graph=True),
        lambda x, v: td.hessian(lambda x: (td.sin(x) * v).sum(), x, create_graph=True),
        lambda x, v: td.jvp(lambda x: td.sin(x * v), x, v, create_graph=True)[1],
        lambda x, v: td.hvp(lambda x: (td.sin(x) * v * v).sum(), x, v, create_graph=True)[1],
    ],
)
def test_they_are_differentiated_too(call):
    """By the inputs, and by what else the function uses."""
    check_grads(call, (Tensor(X), Tensor(V)))


def test_nothing_else_is_touched():
    """Inside no_grad too; leaves keep their gradient, and another use of x does not count."""
    model = nn.Linear(4, 2)
    x = Tensor(X.astype(np.float32), requires_grad=True)
    with td.no_grad():
        J = td.jacobian(lambda x: model(x.reshape(1, 4)).flatten(), x)
    assert_close(J.numpy(), model.weight.numpy().T, 1e-6)
    assert x.grad is None and all(p.grad is None for p in model.parameters())
    assert td.is_recording() and x.requires_grad


def test_gradients_of_every_sample():
    """Their mean is the gradient of the mean loss; each is that of its sample alone."""
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).astype("float64")
    x, labels = Tensor(rng.normal(size=(5, 4))), Tensor(np.array([0, 1, 1, 0, 1]))
    loss = lambda x, labels: nn.cross_entropy(model(x), labels)  # noqa: E731
    each = td.per_sample_gradients(loss, model.parameters(), x, labels)
    whole = td.grad(loss(x, labels), model.parameters())
    last = td.grad(loss(x[4:], labels[4:]), model.parameters())
    for g, mean, one in zip(each, whole, last, strict=True):
        assert g.shape == (5, *mean.shape)
        assert_close(g.numpy().mean(0), mean.numpy(), 1e-12)
        np.testing.assert_array_equal(g.numpy()[4], one.numpy())


def test_errors():
    x, words = Tensor(X), Tensor([1, 2])
    for call, error, message in (
        (lambda: td.jacobian(td.tanh), ShapeError, "jacobian: needs at least one input"),
        (lambda: td.jacobian(None, x), ConfigError, "jacobian: function must be a function"),
        (lambda: td.jacobian(td.tanh, X), DTypeError, "jacobian"),
        (lambda: td.jacobian(td.tanh, words), DTypeError, "float tensors, got int64"),
        (lambda: td.jacobian(lambda x: (x, x), x), GraphError, "must return one float tensor"),
        (lambda: td.jacobian(lambda x: x > 0, x), GraphError, r"tensor, got bool \(4,\)"),
        (lambda: td.hessian(td.tanh, x), ShapeError, r"hessian: .* single number, got .* \(4,\)"),
        (lambda: td.hvp(td.tanh, x, x), ShapeError, "hvp: the function must return a single"),
        (lambda: td.jvp(td.tanh, x, x[:2]), ShapeError, r"tangents must be like .* \(2,\)'\]"),
        (lambda: td.jvp(td.tanh, [x, x], x), ShapeError, "tangents must be like the inputs"),
        (lambda: td.jvp(td.tanh, 2, 3), DTypeError, r"jvp: inputs\[0\] must be a tensor, got 2"),
        (lambda: td.hvp(td.sum, x, -1), DTypeError, r"hvp: vectors\[0\] must be a tensor, got -1"),
        (lambda: td.hvp(td.sum, [], []), ShapeError, "hvp: needs at least one input"),
        (lambda: td.jvp(td.tanh, x, [X]), DTypeError, r"jvp: tangents\[0\] must be a tensor"),
        (lambda: td.per_sample_gradients(td.sum, [x]), ShapeError, "inputs must have one length"),
        (lambda: td.per_sample_gradients(td.sum, [2], x), DTypeError, r"parameters\[0\] must be a"),
        (
            lambda: td.per_sample_gradients(lambda a, b: a.sum(), [x], x, x[:2]),
            ShapeError,
            r"got \[\(4,\), \(2,\)\]",
        ),
    ):
        with pytest.raises(error, match=message):
            call()
