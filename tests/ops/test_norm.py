"""Normalisation against PyTorch in float64, its edges and errors."""

import numpy as np
import pytest
from closeness import assert_close
from support import agree, oracle_module

from tinydl import Tensor, grad, ops
from tinydl.backend.reference import Backend
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.ops.norm import (
    batch_norm_composed,
    fixed_norm_composed,
    group_norm_composed,
    layer_norm_composed,
)

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
        lambda x, a, b: ops.batch_norm(
            x, a, b, mean=Tensor(fixed[0]), variance=Tensor(fixed[1]), eps=1e-5
        ),
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


FUSED = {
    "batch": (lambda x, a, b: ops.batch_norm(x, a, b),
              lambda x, a, b: batch_norm_composed(x, a, b, 1e-3)),
    "fixed": (lambda x, a, b: ops.batch_norm(x, a, b, mean=b, variance=a * a, eps=0.1),
              lambda x, a, b: fixed_norm_composed(x, a, b, b, a * a, 0.1)),
    "layer": (lambda x, a, b: ops.layer_norm(x, a, b),
              lambda x, a, b: layer_norm_composed(x, a, b, 1, 1e-3)),
    "group": (lambda x, a, b: ops.group_norm(x, 3, a, b),
              lambda x, a, b: group_norm_composed(x, a, b, 3, 1e-3)),
    "instance": (lambda x, a, b: ops.instance_norm(x, a, b),
                 lambda x, a, b: group_norm_composed(x, a, b, 6, 1e-3)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUSED)
def test_fused_equals_composed(backend, name):
    """Result, gradients by the backward kernel, and those of a recorded backward."""
    given = arrays((3, 5, 7, 6), (6,), (6,))
    found = []
    for function in FUSED[name]:
        leaves = [Tensor(a, backend=backend, requires_grad=True) for a in given]
        y = function(*leaves)
        cotangent = y.detach() * y.detach() + 1.0
        first = grad(y, leaves, cotangent, retain_graph=True)
        recorded = grad(y, leaves, cotangent, create_graph=True)
        assert recorded[0].requires_grad and not first[0].requires_grad
        found.append([t.detach().numpy() for t in (y, *first, *recorded)])
    for a, b in zip(*found, strict=True):
        assert_close(a, b, 0, atol=1e-11 * max(1, abs(b).max()))


def test_no_work_for_data(monkeypatch):
    """x that needs no gradient: only the sums for scale and shift, and they are right."""
    x, scale, shift = arrays((4, 3, 6), (6,), (6,))
    expected = {}
    for name, (function, _) in FUSED.items():
        leaves = [Tensor(a, requires_grad=True) for a in (x, scale, shift)]
        function(*leaves).sum().backward()
        expected[name] = [t.grad.numpy() for t in leaves[1:]]

    def refuse(*arguments):
        raise AssertionError("dL/dx was computed")

    monkeypatch.setattr(Backend, "channel_norm_grad", refuse)
    monkeypatch.setattr(Backend, "row_norm_grad", refuse)
    for name, (function, _) in FUSED.items():
        leaves = [Tensor(a, requires_grad=True) for a in (scale, shift)]
        function(Tensor(x), *leaves).sum().backward()
        for leaf, want in zip(leaves, expected[name], strict=True):
            assert_close(leaf.grad.numpy(), want, 1e-9)
    with pytest.raises(AssertionError, match="dL/dx was computed"):
        ops.batch_norm(Tensor(x, requires_grad=True)).sum().backward()


@pytest.mark.parametrize("name", FUSED)
def test_no_batch_and_no_variance(backend, name):
    """No samples: gradients 0. Equal values: y is shift exactly, and gradients are finite."""
    scale, shift = arrays((6,), (6,))
    for x in (np.zeros((0, 4, 6)), np.full((3, 4, 6), 1000.1)):
        leaves = [Tensor(a, backend=backend, requires_grad=True) for a in (x, scale, shift)]
        y = FUSED[name][0](*leaves)
        y.sum().backward()
        assert y.shape == x.shape and leaves[0].grad.shape == x.shape
        if name != "fixed":
            assert np.array_equal(y.numpy(), np.broadcast_to(shift, x.shape))
            assert not leaves[1].grad.numpy().any()
        assert all(np.isfinite(t.grad.numpy()).all() for t in leaves)


def test_statistics_come_with_the_result(backend):
    x = rng.normal(size=(5, 2, 3)) + 4
    leaf = Tensor(x, backend=backend, requires_grad=True)
    y, mean, variance = ops.batch_norm_with_statistics(leaf)
    assert_close(mean.numpy(), x.mean((0, 1)), 1e-12)
    assert_close(variance.numpy(), x.var((0, 1)), 1e-12)
    assert y.requires_grad and not mean.requires_grad and not variance.requires_grad


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
    (lambda: ops.layer_norm(ones(2, 3), axes=3), ConfigError, r"axes for x .* in 1 ... 2"),
    (lambda: ops.layer_norm(Tensor(np.ones((2, 3), int))), DTypeError, "needs a float tensor"),
    (lambda: ops.group_norm(ones(2, 3), 2), ShapeError, "must divide the 3 channels"),
    (lambda: ops.instance_norm(ones(2, 3)), ShapeError, "instance_norm: x must be"),
    (lambda: ops.local_response_norm(ones(2, 3), 0), ConfigError, "size must be an integer >= 1"),
])  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.oracle
def test_rms_norm_against_pytorch():
    torch = oracle_module("torch")
    draw = np.random.default_rng(8)
    agree(
        lambda x, scale: ops.rms_norm(x, scale, 0.01),
        lambda x, scale: torch.nn.functional.rms_norm(x, (5,), scale, 0.01),
        [draw.normal(size=(2, 3, 5)), draw.normal(size=5)],
    )
