"""Normalisation against PyTorch in float64, its edges and errors."""

import numpy as np
import pytest
from support import agree, oracle_module

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
rng = np.random.default_rng(6)


def arrays(*shapes):
    return [rng.normal(size=s) for s in shapes]


def first(f):
    """f takes channels in axis 1; this one takes and gives them last."""
    return lambda x, *rest: f(x.movedim(-1, 1), *rest).movedim(1, -1)


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(5, 4), (3, 6, 4), (2, 3, 5, 4)])
def test_against_pytorch(shape):
    F = oracle_module("torch").nn.functional
    x, scale, shift, running = arrays(shape, (4,), (4,), (4,))
    batch = first(lambda x, a, b: F.batch_norm(x, None, None, a, b, True, eps=1e-3))
    agree(ops.batch_norm, batch, [x, scale, shift])
    given = first(lambda x, a, b, m, v: F.batch_norm(x, m, v, a, b, False, eps=1e-5))
    fixed = [np.array(running), running**2 + 0.1]
    agree(
        lambda x, a, b: ops.batch_norm(x, a, b, Tensor(fixed[0]), Tensor(fixed[1]), 1e-5),
        lambda x, a, b: given(x, a, b, *map(oracle_module("torch").tensor, fixed)),
        [x, scale, shift],
    )
    agree(ops.layer_norm, lambda x, a, b: F.layer_norm(x, (4,), a, b, 1e-3), [x, scale, shift])
    agree(
        lambda x: ops.layer_norm(x, axes=x.ndim - 1),
        lambda x: F.layer_norm(x, shape[1:], eps=1e-3),
        [x],
    )
    agree(
        lambda x, a, b: ops.group_norm(x, 2, a, b),
        first(lambda x, a, b: F.group_norm(x, 2, a, b, 1e-3)),
        [x, scale, shift],
    )
    if len(shape) > 2:
        instance = first(lambda x, a, b: F.instance_norm(x, None, None, a, b, eps=1e-3))
        agree(ops.instance_norm, instance, [x, scale, shift])
        for size in (1, 2, 3, 5):
            agree(
                lambda x, size=size: ops.local_response_norm(x, size, 0.2 / size, 0.75, 1.5),
                first(lambda x, size=size: F.local_response_norm(x, size, 0.2, 0.75, 1.5)),
                [x],
            )
    agree(ops.l2_normalize, lambda x, a: F.normalize(x, dim=-1) * a, [x, scale])


def test_l2_normalize_of_zero():
    x = Tensor(np.zeros((2, 3)), requires_grad=True)
    y = ops.l2_normalize(x)
    y.sum().backward()
    assert not y.numpy().any() and np.isfinite(x.grad.numpy()).all()


def ones(*shape):
    return Tensor(np.ones(shape))


@pytest.mark.parametrize("call, error, words", [
    (lambda: ops.batch_norm(ones(3)), ShapeError, r"x must be \(N, ..., C\)"),
    (lambda: ops.batch_norm(ones(2, 3), ones(2)), ShapeError, r"scale must be \(3,\), got \(2,\)"),
    (lambda: ops.batch_norm(ones(2, 3), mean=ones(3)), ConfigError, "both mean and variance"),
    (lambda: ops.layer_norm(ones(2, 3), axes=3), ConfigError, r"axes must be in 1..2"),
    (lambda: ops.layer_norm(Tensor(np.ones((2, 3), int))), DTypeError, "needs a float tensor"),
    (lambda: ops.group_norm(ones(2, 3), 2), ShapeError, "must divide the 3 channels"),
    (lambda: ops.instance_norm(ones(2, 3)), ShapeError, "instance_norm: x must be"),
    (lambda: ops.local_response_norm(ones(2, 3), 0), ConfigError, "size must be an integer >= 1"),
])  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
